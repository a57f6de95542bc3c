/**
 * Who asked for which Topic Filter, and for what of it: one list for all nodes. Belongs to the session state, so it
 * survives the connection of a node that asked for that.
 */
import type { Arena } from '../bytes/arena.ts';
import { NO_LOCAL, OPTIONS_QOS, RETAIN_AS_PUBLISHED } from '../packet/subscribe.ts';
import { DOLLAR } from '../packet/topic.ts';
import { isShared, matchesTopicFilter } from '../packet/topic-filter.ts';
import { FoundSubscriptions, type SubscriptionsPlan } from './found-subscriptions.ts';
import { END, FILTER, FORM, IDENTIFIED, NODE, QOS, SHARED } from './subscription-records.ts';

export { END, IDENTIFIED, SHARED };
/** In place of the index of a node. */
const NOBODY = -1;
/** No subscription of this node matches. */
const NOT_SUBSCRIBED = -1;

/**
 * Beside the options, QoS among them, that are kept: retained messages are owed for this subscription; and once more,
 * because it was asked for again meanwhile.
 */
const OWED = 0x80;
const AGAIN = 0x40;
const OPTIONS = OPTIONS_QOS | NO_LOCAL | RETAIN_AS_PUBLISHED;
/** What of them goes into `granted`. */
const GRANTED = OPTIONS_QOS | RETAIN_AS_PUBLISHED;
/** Of `granted`: one of its subscriptions that match has a Subscription Identifier. */
export const HAS_IDENTIFIER = 4;
/** From one to the other. */
const IDENTIFIED_SHIFT = 3;

export class Subscriptions extends FoundSubscriptions {
  /** Subscriptions for which retained messages are owed. */
  owedCount = 0;
  /** Of the name that was matched last: the nodes with a subscription that matches, each once. */
  readonly matched: Uint16Array;
  matchedCount = 0;
  /** And whether groups do: `nextMatch` finds them. */
  hasMatchedGroup = false;
  /** Of the subscription that is added next; 0: none. */
  identifier = 0;
  /**
   * Per node: the highest QoS granted for that name, and RETAIN_AS_PUBLISHED and HAS_IDENTIFIER if one of its
   * subscriptions says so; or NOT_SUBSCRIBED.
   */
  readonly granted: Int8Array;
  /** Subscriptions with NO_LOCAL: who gets a message depends on who has sent it. */
  noLocalCount = 0;
  /** Who has sent the message whose name is matched, by index; -1: nobody, or it does not matter. */
  publisher = NOBODY;

  constructor(arena: Arena, plan: SubscriptionsPlan, nodeCount: number) {
    super(arena, plan);
    this.matched = new Uint16Array(nodeCount);
    this.granted = new Int8Array(nodeCount).fill(NOT_SUBSCRIBED);
  }

  /**
   * Adds a subscription or replaces the options of the same one [MQTT311-3.8.4-3] [MQTT5-3.8.4-3].
   * @param options QoS and others as SUBSCRIBE says them @param isOwed whether there may be retained messages for it
   * @returns its number; END when there is no room
   */
  add(node: number, filterOffset: number, filterLength: number, options: number, isOwed: boolean): number {
    const { arena, arena: { bytes, view }, identifier } = this;
    const form = (bytes[filterOffset] === DOLLAR && isShared(arena, filterOffset, filterLength) ? SHARED : 0)
      | (identifier === 0 ? 0 : IDENTIFIED);
    let number = this.find(node, filterOffset, filterLength), old = 0;
    this.identifier = 0;
    if (number === END) {
      const group = (form & SHARED) === 0 ? END : this.groupOf(filterOffset, filterLength);
      number = this.append(node, filterOffset, filterLength, form);
      if (number === END)
        return END;
      if ((form & SHARED) !== 0)
        this.enterGroup(number, group);
      this.enter(number);
    } else {
      old = bytes[this.recordOf(number) + QOS]!;
      if ((old & FORM) !== form && !this.reform(number, form))
        return END;
      if ((old & NO_LOCAL) !== 0)
        --this.noLocalCount;
      old &= OWED | AGAIN;
    }
    if (isOwed && (old & OWED) === 0)
      ++this.owedCount;
    if ((options & NO_LOCAL) !== 0)
      ++this.noLocalCount;
    const record = this.recordOf(number);
    bytes[record + QOS] = options & OPTIONS | form | old | (isOwed ? OWED : 0);
    if (identifier !== 0)
      view.setUint32(this.identifierAt(record), identifier);
    return number;
  }

  /** Once they have been sent they are to be sent once more. */
  oweAgain(number: number): void {
    this.arena.bytes[this.recordOf(number) + QOS]! |= AGAIN;
  }

  /** @returns the first subscription of a node for which retained messages are owed, or END */
  owedTo(node: number): number {
    const { bytes } = this.arena;
    for (let number = this.nextOf(node, END); number !== END; number = this.nextOf(node, number))
      if ((bytes[this.recordOf(number) + QOS]! & OWED) !== 0)
        return number;
    return END;
  }

  /** They have been sent. */
  settle(number: number): void {
    const { bytes } = this.arena;
    const at = this.recordOf(number) + QOS;
    const qos = bytes[at]!;
    bytes[at] = (qos & AGAIN) !== 0 ? qos & ~AGAIN : qos & ~OWED;
    if ((qos & AGAIN) === 0)
      --this.owedCount;
  }

  /** The QoS that was granted. */
  qosOf(number: number): number {
    return this.arena.bytes[this.recordOf(number) + QOS]! & OPTIONS_QOS;
  }

  /** That, NO_LOCAL and RETAIN_AS_PUBLISHED. */
  optionsOf(number: number): number {
    return this.arena.bytes[this.recordOf(number) + QOS]! & OPTIONS;
  }

  /** Its Subscription Identifier; 0: none. */
  identifierOf(number: number): number {
    const { bytes, view } = this.arena;
    const record = this.recordOf(number);
    return (bytes[record + QOS]! & IDENTIFIED) === 0 ? 0 : view.getUint32(this.identifierAt(record));
  }

  /** Whether it is one of a node, and wants the message whose name is matched. */
  isWanted(number: number, node: number): boolean {
    return this.nodeOf(number) === node && (node !== this.publisher || (this.optionsOf(number) & NO_LOCAL) === 0);
  }

  remove(number: number): void {
    this.unlink(number);
    this.release(number);
  }

  removeAll(node: number): void {
    for (let number = this.nextOf(node, END), next = END; number !== END; number = next) {
      next = this.nextOf(node, number);
      this.release(number);
    }
    this.forgetChain(node);
  }

  /**
   * Finds the nodes whose subscriptions match a name, each once however many of its subscriptions do
   * [MQTT311-3.3.5-1], with the highest QoS of these [MQTT311-3.3.2-3] [MQTT5-3.3.4-2]: see `matched` and
   * `granted`. To be followed by `forgetMatch`.
   */
  match(nameOffset: number, nameLength: number): void {
    const { index } = this;
    this.matchedCount = 0;
    this.hasMatchedGroup = false;
    if (index === undefined || !this.isIndexed)
      for (let at = this.recordAfter(END); at !== END; at = this.recordAfter(at))
        this.matchRecord(at, nameOffset, nameLength);
    else
      for (let number = index.firstMatch(nameOffset, nameLength); number !== END; number = index.next(number))
        this.matchRecord(this.recordOf(number), nameOffset, nameLength);
  }

  forgetMatch(): void {
    this.publisher = NOBODY;
    for (let index = 0; index < this.matchedCount; ++index)
      this.granted[this.matched[index]!] = NOT_SUBSCRIBED;
    this.matchedCount = 0;
  }

  // How it is done

  private matchRecord(record: number, nameOffset: number, nameLength: number): void {
    const { arena, granted } = this;
    if ((arena.bytes[record + QOS]! & SHARED) !== 0) {
      if (!this.hasMatchedGroup)
        this.hasMatchedGroup = this.isMatch(record, nameOffset, nameLength, SHARED);
      return;
    }
    if (!matchesTopicFilter(arena, record + FILTER, arena.view.getUint16(record), nameOffset, nameLength))
      return;
    const node = arena.view.getUint16(record + NODE);
    const options = arena.bytes[record + QOS]!;
    if (node === this.publisher && (options & NO_LOCAL) !== 0) // [MQTT5-3.8.3-3]
      return;
    if (granted[node] === NOT_SUBSCRIBED) {
      this.matched[this.matchedCount++] = node;
      granted[node] = options & GRANTED | (options & IDENTIFIED) >> IDENTIFIED_SHIFT;
      return;
    }
    granted[node]! |= options & RETAIN_AS_PUBLISHED | (options & IDENTIFIED) >> IDENTIFIED_SHIFT;
    if ((options & OPTIONS_QOS) > (granted[node]! & OPTIONS_QOS)) // [MQTT5-3.3.4-2]
      granted[node] = granted[node]! & ~OPTIONS_QOS | options & OPTIONS_QOS;
  }

  protected override release(number: number): void {
    const flags = this.arena.bytes[this.recordOf(number) + QOS]!;
    if ((flags & OWED) !== 0)
      --this.owedCount;
    if ((flags & NO_LOCAL) !== 0)
      --this.noLocalCount;
    super.release(number);
  }
}
