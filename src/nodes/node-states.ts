/**
 * The nodes that the gateway knows, by Client Identifier: rule C7. A node's session state outlives its connection
 * when the node asked for that; there is room for a fixed number.
 *
 * When a new node finds no room, a session of its own user gives way whose node is away and for which nothing is kept
 * but perhaps subscriptions; for a node with a user, one of a node without user too, for which messages may be kept.
 * So no user loses a session or a message to anybody else's nodes, however many identifiers those make up. And
 * whoever has sessions of absent nodes leaves a free place to each user that has no session, up to a quarter of all,
 * or it could keep them out.
 */
import type { Arena, ArenaPlan } from '../bytes/arena.ts';
import { writeDecimal } from '../bytes/decimal.ts';
import { equalBytes, hashOf } from '../bytes/compare.ts';
import { HashChains, NO_ENTRY } from '../bytes/hash-chains.ts';
import { encodeUTF8 } from '../bytes/utf8.ts';
import type { MessageAge } from '../session/message-age.ts';
import type { MessageForms } from '../session/message-forms.ts';
import type { NodeJournal } from '../session/node-journal.ts';
import type { ServerSession } from '../session/server-session.ts';
import { SessionState } from '../session/session-state.ts';
import { QueueLimits, type SessionLimits } from '../session/queue-limits.ts';
import type { Subscriptions } from './subscriptions.ts';

const AUTOMATIC_IDENTIFIER = 'auto-';

const NO_USER = -1;
/** So many are looked through. */
const FEW = 8;
/** A quarter of all places is kept for users without a session, at most. */
const KEPT_SHIFT = 2;
/** Of `worthOf`: must not give way. */
const SPARED = 4;

/** The state of its session, and whose it is. */
export class NodeState extends SessionState {
  /** Position in the pool; the subscriptions name it. */
  readonly index: number;
  readonly identifierOffset: number;
  /** 0: this place is free. */
  identifierLength = 0;
  /** What it was until then: who has sent what is set aside is asked for later. */
  formerLength = 0;
  /** 32 bits made from the identifier, never 0: who it is in the store. */
  identity = 0;
  /** The node's connection, undefined while it is away. */
  session: ServerSession | undefined = undefined;
  /** Index of its user in the configuration, -1 for none. Nobody else may continue or take over the session. */
  user = -1;
  /** Grows with each disconnection; the smallest one has been away longest. */
  awaySince = 0;

  /** @param offset region of `limits.length` bytes, and after them room for an identifier */
  constructor(limits: QueueLimits, offset: number, index: number) {
    super(limits, offset);
    this.index = index;
    this.identifierOffset = offset + limits.length;
  }
}

export interface NodeStatesPlan {
  readonly count: number;
  readonly offset: number;
  readonly chainsOffset: number;
}

export class NodeStates {
  readonly states: readonly NodeState[];
  /** Nodes that have a name, connected or away. */
  knownCount = 0;
  /** `listener.queue_full`: what the full queue of an absent node gives up; else the message that comes. */
  dropsOldest = false;
  private readonly arena: Arena;
  private readonly limits: QueueLimits;
  /** By hash of the identifier; undefined: few are looked through. */
  private readonly chains: HashChains | undefined;
  /** Per user: whether it has a session; filled in again and again. */
  userHasPlace: Uint8Array;
  private disconnections = 0;
  private automaticIdentifiers = 0;

  static plan(plan: ArenaPlan, count: number, limits: SessionLimits, identifierCapacity: number): NodeStatesPlan {
    return {
      count,
      offset: plan.reserve('node: outgoing queue, kept identifier', QueueLimits.lengthOf(limits) + identifierCapacity,
        count),
      chainsOffset: plan.reserve('index of identifiers', count > FEW ? HashChains.lengthFor(count) : 0),
    };
  }

  constructor(arena: Arena, plan: NodeStatesPlan, limits: SessionLimits, identifierCapacity: number,
    userCount: number) {
    this.arena = arena;
    this.userHasPlace = new Uint8Array(userCount);
    const queueLimits = this.limits = new QueueLimits(arena, limits);
    const states: NodeState[] = [];
    for (let index = 0; index < plan.count; ++index)
      states.push(new NodeState(queueLimits, plan.offset + index * (queueLimits.length + identifierCapacity), index));
    this.states = states;
    this.chains = plan.count > FEW ? new HashChains(arena, plan.chainsOffset, plan.count) : undefined;
  }

  /** What is noted of each message that is entered anywhere: how old it may become. */
  set age(age: MessageAge) {
    this.limits.age = age;
  }

  /** @returns the state under this identifier, or undefined */
  find(identifierOffset: number, length: number): NodeState | undefined {
    const { arena, chains, states } = this;
    if (chains === undefined)
      return this.findAmongFew(identifierOffset, length);
    for (let index = chains.first(hashOf(arena, identifierOffset, length)); index !== NO_ENTRY;
      index = chains.next(index)) {
      const state = states[index]!;
      if (state.identifierLength === length && equalBytes(arena, state.identifierOffset, identifierOffset, length))
        return state;
    }
    return undefined;
  }

  private findAmongFew(identifierOffset: number, length: number): NodeState | undefined {
    const { arena, states } = this;
    for (let index = 0; index < states.length; ++index) {
      const state = states[index]!;
      if (state.identifierLength === length && equalBytes(arena, state.identifierOffset, identifierOffset, length))
        return state;
    }
    return undefined;
  }

  /**
   * @param former the place that the node has just had, if it had one @returns a free place, that or the one that has
   * been free for longest, so that names are remembered; else one that gives way, still with its old content; undefined
   * when there is none either
   */
  findRoom(user: number, subscriptions: Subscriptions, former?: NodeState): NodeState | undefined {
    const { states, userHasPlace } = this;
    let free: NodeState | undefined, victim: NodeState | undefined;
    let leastWorth = SPARED, freeCount = 0, absentCount = 0, usersWithout = userHasPlace.length;
    userHasPlace.fill(0);
    for (let index = 0; index < states.length; ++index) {
      const state = states[index]!;
      if (state.identifierLength === 0) {
        if (free === undefined || state === former || free !== former && state.awaySince < free.awaySince)
          free = state;
        ++freeCount;
        continue;
      }
      if (state.user >= 0 && userHasPlace[state.user] === 0) {
        userHasPlace[state.user] = 1;
        --usersWithout;
      }
      if (state.session !== undefined) // [MQTT311-4.1.0-2]
        continue;
      if (state.user === user)
        ++absentCount;
      const worth = worthOf(state, user, subscriptions);
      if (worth < leastWorth || worth < SPARED && worth === leastWorth && state.awaySince < victim!.awaySince) {
        victim = state;
        leastWorth = worth;
      }
    }
    const kept = usersWithout < states.length >> KEPT_SHIFT ? usersWithout : states.length >> KEPT_SHIFT;
    return freeCount > 0 && (absentCount === 0 || freeCount > kept) ? free : victim;
  }

  /** Enters the identifier of a new session. */
  name(state: NodeState, identifierOffset: number, length: number): void {
    this.arena.bytes.copyWithin(state.identifierOffset, identifierOffset, identifierOffset + length);
    state.identifierLength = length;
    state.formerLength = 0;
    const hash = hashOf(this.arena, state.identifierOffset, length);
    state.identity = hash | 1;
    this.chains?.add(state.index, hash);
    ++this.knownCount;
  }

  /** Told what becomes of stored messages. */
  set journal(journal: NodeJournal) {
    this.limits.journal = journal;
  }

  /** Writes messages for nodes that speak 5.0. */
  set forms(forms: MessageForms) {
    this.limits.forms = forms;
  }

  /** @returns the session of this identity, or undefined */
  findIdentity(identity: number): NodeState | undefined {
    const { states } = this;
    for (let index = 0; index < states.length; ++index)
      if (states[index]!.identifierLength !== 0 && states[index]!.identity === identity)
        return states[index];
    return undefined;
  }

  /** @returns the node of this identity, or its place if it is forgotten and nobody else has that; or undefined */
  findName(identity: number): NodeState | undefined {
    const { states } = this;
    let former: NodeState | undefined;
    for (let index = 0; index < states.length; ++index) {
      const state = states[index]!;
      if (state.identity !== (identity | 0))
        continue;
      if (state.identifierLength !== 0)
        return state;
      if (state.formerLength !== 0)
        former = state;
    }
    return former;
  }

  /** @returns a free place, or undefined */
  findFree(): NodeState | undefined {
    const { states } = this;
    for (let index = 0; index < states.length; ++index)
      if (states[index]!.identifierLength === 0)
        return states[index];
    return undefined;
  }

  /** @returns the node that has been away longest, or undefined when all are here */
  findLongestAway(): NodeState | undefined {
    const { states } = this;
    let longest: NodeState | undefined;
    for (let index = 0; index < states.length; ++index) {
      const state = states[index]!;
      if (state.identifierLength !== 0 && state.session === undefined
        && (longest === undefined || state.awaySince < longest.awaySince))
        longest = state;
    }
    return longest;
  }

  /** Whether the node has asked for its session to be kept. */
  isPersistent(state: NodeState): boolean {
    return state.session === undefined || !state.session.isTransient;
  }

  /** Of two identifiers with the same hash the second one gets another identity: what is stored goes by that. */
  distinguish(state: NodeState): void {
    let { identity } = state;
    state.identity = 0;
    while (this.findIdentity(identity) !== undefined)
      identity = identity + 2 | 0;
    state.identity = identity;
  }

  /** Gives a node without identifier one that is not in use [MQTT311-3.1.3-6]. */
  assignIdentifier(session: ServerSession): void {
    const offset = session.clientIdentifierOffset;
    do {
      const end = writeDecimal(this.arena, encodeUTF8(this.arena, offset, AUTOMATIC_IDENTIFIER),
        ++this.automaticIdentifiers, 0);
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
    if (state.identifierLength !== 0) {
      --this.knownCount;
      this.chains?.remove(state.index);
      state.formerLength = state.identifierLength;
    }
    state.identifierLength = 0;
    state.forget();
  }
}

/** What a session of an absent node is worth in the eyes of a new node of `user`: the least gives way. */
function worthOf(state: NodeState, user: number, subscriptions: Subscriptions): number {
  const owner = state.user;
  if (owner !== user && owner !== NO_USER)
    return SPARED;
  if (state.queue.count > 0 || state.receivedCount > 0)
    return owner === user ? SPARED : 3;
  return owner !== user ? 1 : subscriptions.countOf(state.index) > 0 ? 2 : 0;
}
