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
import { QueueLimits, type RoomWatch, type SessionLimits } from '../session/queue-limits.ts';
import { firstFreeOf, FreePlaces } from './free-places.ts';
import { Identities } from './identities.ts';
import { NodeState } from './node-state.ts';
import { SessionsOfUsers, SPARED, worthOf } from './sessions-of-users.ts';
import type { Subscriptions } from './subscriptions.ts';

const AUTOMATIC_IDENTIFIER = 'auto-';

/** So many are looked through. */
const FEW = 8;
/** A quarter of all places is kept for users without a session, at most. */
const KEPT_SHIFT = 2;

export interface NodeStatesPlan {
  readonly count: number;
  readonly offset: number;
  readonly chainsOffset: number;
  readonly freeOffset: number;
}

export class NodeStates {
  readonly states: readonly NodeState[];
  /** Nodes that have a name, connected or away. */
  knownCount = 0;
  /** `listener.queue_full`: what the full queue of an absent node gives up; else the message that comes. */
  dropsOldest = false;
  /** Index of TRUSTED_USER, for whose nodes others wait as long as it takes. Without an initial value: on a PC only. */
  declare trustedUser?: number;
  readonly arena: Arena;
  private readonly limits: QueueLimits;
  /** By hash of the identifier; undefined: few are looked through. */
  private readonly chains: HashChains | undefined;
  /** The free places, longest free first; undefined as `chains`. */
  private readonly freePlaces: FreePlaces | undefined;
  private users: SessionsOfUsers;
  readonly identities: Identities;
  private disconnections = 0;
  private automaticIdentifiers = 0;

  static plan(plan: ArenaPlan, count: number, limits: SessionLimits, identifierCapacity: number): NodeStatesPlan {
    return {
      count,
      offset: plan.reserve('node: outgoing queue, kept identifier', QueueLimits.lengthOf(limits) + identifierCapacity,
        count),
      chainsOffset: plan.reserve('index of identifiers', count > FEW ? HashChains.lengthFor(count) : 0),
      freeOffset: plan.reserve('free places of sessions', count > FEW ? FreePlaces.lengthFor(count) : 0),
    };
  }

  constructor(arena: Arena, plan: NodeStatesPlan, limits: SessionLimits, identifierCapacity: number,
    userCount: number) {
    this.arena = arena;
    this.users = new SessionsOfUsers(userCount);
    const queueLimits = this.limits = new QueueLimits(arena, limits);
    const states: NodeState[] = [];
    for (let index = 0; index < plan.count; ++index)
      states.push(new NodeState(queueLimits, plan.offset + index * (queueLimits.length + identifierCapacity), index));
    this.states = states;
    this.chains = plan.count > FEW ? new HashChains(arena, plan.chainsOffset, plan.count) : undefined;
    this.identities = new Identities(states, this.chains);
    this.freePlaces = plan.count > FEW ? new FreePlaces(arena, plan.freeOffset, plan.count) : undefined;
  }

  /** Of all queues. @param watch told of queues with little room @returns their limits */
  watchRoom(watch: RoomWatch): QueueLimits {
    this.limits.watch = watch;
    return this.limits;
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
    const { states, users } = this;
    const freeCount = states.length - this.knownCount;
    const kept = users.withoutCount < states.length >> KEPT_SHIFT ? users.withoutCount : states.length >> KEPT_SHIFT;
    if (freeCount === 0 || freeCount <= kept && users.absentCountOf(user) !== 0)
      return this.findVictim(user, subscriptions);
    return former !== undefined && former.identifierLength === 0 ? former : this.findFree();
  }

  /** Looks through all of them, which only happens when no place is free for this user. */
  private findVictim(user: number, subscriptions: Subscriptions): NodeState | undefined {
    const { states } = this;
    let victim: NodeState | undefined;
    let leastWorth = SPARED;
    for (let index = 0; index < states.length; ++index) {
      const state = states[index]!;
      if (state.identifierLength === 0 || state.session !== undefined) // [MQTT311-4.1.0-2]
        continue;
      const worth = worthOf(state, user, subscriptions);
      if (worth < leastWorth || worth < SPARED && worth === leastWorth && state.awaySince < victim!.awaySince) {
        victim = state;
        leastWorth = worth;
      }
    }
    return victim;
  }

  /** Enters the identifier of a new session of an absent node, in a free place. */
  name(state: NodeState, identifierOffset: number, length: number, user: number): void {
    this.arena.bytes.copyWithin(state.identifierOffset, identifierOffset, identifierOffset + length);
    state.identifierLength = length;
    state.formerLength = 0;
    const hash = hashOf(this.arena, state.identifierOffset, length);
    state.identity = hash | 1;
    this.chains?.add(state.index, hash);
    ++this.knownCount;
    this.freePlaces?.take(state.index);
    state.user = user;
    this.users.count(user, 1);
  }

  /** The node is here. */
  connect(state: NodeState, session: ServerSession): void {
    state.session = session;
    this.users.countAbsent(state.user, -1);
  }

  /** The users are others: sessions have got other indices of them already. */
  countAnew(userCount: number): void {
    const { states } = this;
    this.users = new SessionsOfUsers(userCount);
    for (let index = 0; index < states.length; ++index) {
      const state = states[index]!;
      if (state.identifierLength === 0)
        continue;
      this.users.count(state.user, 1);
      if (state.session !== undefined)
        this.connect(state, state.session);
    }
  }

  /** Told what becomes of stored messages. */
  set journal(journal: NodeJournal) {
    this.limits.journal = journal;
  }

  /** Writes messages for nodes that speak 5.0. */
  set forms(forms: MessageForms) {
    this.limits.forms = forms;
  }

  /** @returns the place that has been free for longest, or undefined */
  findFree(): NodeState | undefined {
    const { freePlaces, states } = this;
    if (this.knownCount === states.length)
      return undefined;
    return freePlaces === undefined ? firstFreeOf(states) : states[freePlaces.first]!;
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
    this.users.countAbsent(state.user, 1);
  }

  /** Forgets the node, which is away; its subscriptions are the caller's business. */
  release(state: NodeState): void {
    if (state.identifierLength !== 0) {
      --this.knownCount;
      this.chains?.remove(state.index);
      this.freePlaces?.add(state.index);
      this.users.count(state.user, -1);
      state.formerLength = state.identifierLength;
    }
    state.identifierLength = 0;
    state.forget();
  }
}
