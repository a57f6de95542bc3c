/**
 * The nodes that the gateway knows, by Client Identifier: rule C7. A node's session state outlives its connection when the
 * node asked for that; there is room for a fixed number. When a new node finds no room, the state of the node that has been
 * away longest is given up.
 */
import type { Arena, ArenaPlan } from '../bytes/arena.ts';
import { writeDecimal } from '../bytes/decimal.ts';
import { encodeUTF8, equalBytes } from '../bytes/utf8.ts';
import type { ServerSession } from '../session/server-session.ts';
import { SessionState, type SessionStateLimits } from '../session/session-state.ts';

const AUTOMATIC_IDENTIFIER = 'auto-';

export class NodeState {
  /** Position in the pool; the subscriptions name it. */
  readonly index: number;
  readonly sessionState: SessionState;
  readonly identifierOffset: number;
  /** 0: this place is free. */
  identifierLength = 0;
  /** The node's connection, undefined while it is away. */
  session: ServerSession | undefined = undefined;
  /** The node asked that its session outlives the connection (Clean Session 0). */
  isPersistent = false;
  /** Index of its user in the configuration, -1 for none. Nobody else may continue or take over the session. */
  user = -1;
  /** In front of its topics; see access.ts. */
  mountOffset = 0;
  mountLength = 0;
  /** Grows with each disconnection; the smallest one has been away longest. */
  awaySince = 0;

  constructor(index: number, sessionState: SessionState, identifierOffset: number) {
    this.index = index;
    this.sessionState = sessionState;
    this.identifierOffset = identifierOffset;
  }
}

export interface NodeStatesPlan {
  readonly count: number;
  readonly statesOffset: number;
  readonly identifiersOffset: number;
}

export class NodeStates {
  readonly states: readonly NodeState[];
  /** Nodes that have a name, connected or away. */
  knownCount = 0;
  private readonly arena: Arena;
  private disconnections = 0;
  private automaticIdentifiers = 0;

  static plan(plan: ArenaPlan, count: number, limits: SessionStateLimits, identifierCapacity: number): NodeStatesPlan {
    const length = SessionState.lengthOf(limits);
    return {
      count,
      statesOffset: plan.reserve('node: outgoing queue', length, count),
      identifiersOffset: plan.reserve('node: kept identifier', identifierCapacity, count),
    };
  }

  constructor(arena: Arena, plan: NodeStatesPlan, limits: SessionStateLimits, identifierCapacity: number) {
    this.arena = arena;
    const length = SessionState.lengthOf(limits);
    const states: NodeState[] = [];
    for (let index = 0; index < plan.count; ++index)
      states.push(new NodeState(index, new SessionState(arena, plan.statesOffset + index * length, limits),
        plan.identifiersOffset + index * identifierCapacity));
    this.states = states;
  }

  /** @returns the state under this identifier, or undefined */
  find(identifierOffset: number, length: number): NodeState | undefined {
    const { arena, states } = this;
    for (let index = 0; index < states.length; ++index) {
      const state = states[index]!;
      if (state.identifierLength === length && equalBytes(arena, state.identifierOffset, identifierOffset, length))
        return state;
    }
    return undefined;
  }

  /** @returns a free place, else the one of the node that has been away longest, still with its old content; undefined when all are connected */
  findRoom(): NodeState | undefined {
    let oldest: NodeState | undefined;
    for (let index = 0; index < this.states.length; ++index) {
      const state = this.states[index]!;
      if (state.identifierLength === 0)
        return state;
      if (state.session === undefined /* [MQTT311-4.1.0-2] */ && (oldest === undefined || state.awaySince < oldest.awaySince))
        oldest = state;
    }
    return oldest;
  }

  /** Enters the identifier of a new session. */
  name(state: NodeState, identifierOffset: number, length: number): void {
    this.arena.bytes.copyWithin(state.identifierOffset, identifierOffset, identifierOffset + length);
    state.identifierLength = length;
    ++this.knownCount;
  }

  /** Gives a node without identifier one that is not in use [MQTT311-3.1.3-6]. */
  assignIdentifier(session: ServerSession): void {
    const offset = session.clientIdentifierOffset;
    do {
      const end = writeDecimal(this.arena, encodeUTF8(this.arena, offset, AUTOMATIC_IDENTIFIER), ++this.automaticIdentifiers, 0);
      session.clientIdentifierLength = end - offset;
    } while (this.find(offset, session.clientIdentifierLength) !== undefined);
  }

  /** The node's connection is gone. */
  disconnect(state: NodeState): void {
    state.session = undefined;
    state.awaySince = ++this.disconnections;
  }

  /** Forgets the node; its subscriptions are the caller's business. */
  release(state: NodeState): void {
    if (state.identifierLength !== 0)
      --this.knownCount;
    state.identifierLength = 0;
    state.sessionState.clear();
  }
}
