/**
 * Whether all nodes that get a message have room for it, or one of them is worth waiting for. Asked while some node has
 * little room, before the message is given to anybody.
 *
 * A node that has no room is waited for as long as it takes something. Whoever waits for it comes before all that asks
 * later. The Server sends to everybody, so it is made to wait for one node for a second at most, and after that for a
 * tenth of the time; while the node takes 20 messages per second or more it does not count as waiting.
 */
import type { Message } from '../packet/packet.ts';
import { OPTIONS_QOS } from '../packet/subscribe.ts';
import type { Clock } from '../session/clock.ts';
import { HELD_BY_NODE } from '../session/holds.ts';
import { READ } from './access.ts';
import type { Delivery } from './delivery.ts';
import type { NodeState } from './node-state.ts';
import { END, SHARED } from './subscriptions.ts';

/** A member of a group has no room, or may not read the message; is waited for; has room. */
const USELESS = 0;
const AWAITED = 1;
const FIT = 2;

/** Per node: how far it had come when it was asked for last, and when that changed. */
const FIELDS = 6;
const PROGRESS = 0;
const MOVED_AT = 1;
/** Somebody waits for it. */
const CLAIMED = 2;
/** Milliseconds that the Server was made to wait for it, when that was counted, and what it had been given then. */
const SPENT = 3;
const CHARGED_AT = 4;
const GIVEN = 5;

/** Milliseconds for which a node may take nothing: one for which the Server waits, or that is made to wait itself. */
const SHORT_PATIENCE = 1000;
/** Milliseconds that the Server may be made to wait for a node. */
const CREDIT = 1000;
/** Of that a part of the time that passes is given back, and so much for each message that the node gets. */
const CREDIT_SHARE = 10;
const CREDIT_EACH = 50;
/** In place of the index of a node that has sent the message: the Server has. */
export const FROM_SERVER = -1;

export class ReceiversRoom {
  /** Whoever asks has waited for so long that nobody is to come before it at any of its receivers. */
  isOld = false;
  /** Whoever asks is made to wait already. */
  isWaiting = false;
  private readonly delivery: Delivery;
  private readonly clock: Clock;
  private readonly settings: { readonly sendTimeout: number };
  private readonly table: Int32Array;

  /** @param settings milliseconds for which a node waits */
  constructor(delivery: Delivery, clock: Clock, settings: { readonly sendTimeout: number }) {
    this.delivery = delivery;
    this.clock = clock;
    this.settings = settings;
    this.table = new Int32Array(delivery.nodes.states.length * FIELDS);
  }

  /** From now on nobody is known to wait for any node. */
  forgetClaims(): void {
    const { table } = this;
    for (let at = CLAIMED; at < table.length; at += FIELDS)
      table[at] = 0;
  }

  isClaimed({ index }: NodeState): boolean {
    return this.table[index * FIELDS + CLAIMED] !== 0;
  }

  /** Whether a node that is connected may have no room for the next message. */
  get isLittle(): boolean {
    const { delivery: { nodes: { states } } } = this;
    for (let index = 0; index < states.length; ++index)
      if (!states[index]!.queue.hasRoomForAny && this.isAwaited(states[index]!))
        return true;
    return false;
  }

  /**
   * @param message with its local name @param publisher index of the node that has sent it, or FROM_SERVER
   * @returns whether somebody who gets it has to be waited for
   */
  isLackingFor(message: Message, publisher: number): boolean {
    const { delivery: { nodes: { states }, subscriptions }, table } = this;
    const { granted, matched } = subscriptions;
    let isLacking = false;
    if (publisher !== FROM_SERVER)
      subscriptions.publisher = publisher;
    subscriptions.match(message.topicNameOffset, message.topicNameLength);
    for (let at = 0; at < subscriptions.matchedCount; ++at) {
      const node = states[matched[at]!]!;
      const options = granted[node.index]! & OPTIONS_QOS;
      const qos = options < message.qos ? options : message.qos;
      if (qos === 0 || !this.isAwaited(node) || !this.mayRead(node, message))
        continue;
      const isFull = this.isFull(node, message, qos, publisher);
      isLacking ||= isFull;
      if (isFull || this.isOld)
        table[node.index * FIELDS + CLAIMED] = 1;
    }
    if (subscriptions.hasMatchedGroup)
      isLacking = this.isGroupLacking(message, publisher) || isLacking;
    subscriptions.forgetMatch();
    return isLacking;
  }

  /** Whether there is a group of which nobody has room, and somebody is waited for. */
  private isGroupLacking(message: Message, publisher: number): boolean {
    const { delivery: { subscriptions } } = this;
    const { topicNameLength, topicNameOffset } = message;
    let isLacking = false;
    for (let group = subscriptions.nextMatch(END, topicNameOffset, topicNameLength, SHARED); group !== END;
      group = subscriptions.nextMatch(group, topicNameOffset, topicNameLength, SHARED)) {
      let isAny = false, member = group;
      do {
        const verdict = this.judgeMember(member, message, publisher);
        if (verdict === FIT) {
          isAny = false;
          break;
        }
        isAny ||= verdict === AWAITED;
        member = subscriptions.memberAfter(member);
      } while (member !== group);
      isLacking ||= isAny;
    }
    return isLacking;
  }

  private judgeMember(member: number, message: Message, publisher: number): number {
    const { delivery: { nodes: { states }, subscriptions }, table } = this;
    const node = states[subscriptions.nodeOf(member)]!;
    const { queue, session } = node;
    const granted = subscriptions.qosOf(member);
    const qos = granted < message.qos ? granted : message.qos;
    if (session === undefined && qos === 0 || !this.mayRead(node, message))
      return USELESS;
    if (qos === 0 || session === undefined && queue.hasRoom(queue.packetLengthOf(message, qos)))
      return FIT;
    if (session === undefined)
      return USELESS;
    if (!this.isFull(node, message, qos, publisher))
      return queue.hasRoom(queue.packetLengthOf(message, qos)) ? FIT : USELESS;
    table[node.index * FIELDS + CLAIMED] = 1;
    return AWAITED;
  }

  /** One that is away is not, unless it is a part of this program. */
  private isAwaited({ session, user }: NodeState): boolean {
    return session !== undefined || user >= 0 && user === this.delivery.nodes.trustedUser;
  }

  private mayRead(node: NodeState, { topicNameLength, topicNameOffset }: Message): boolean {
    const { delivery: { access, uncachedTopic } } = this;
    return access === undefined || access.allows(node, uncachedTopic, topicNameOffset, topicNameLength, READ)
      && (access.mountLengths[node.index] === 0 || access.isInside(node, topicNameOffset, topicNameLength));
  }

  /** Whether a node has no room for a message, and is waited for. */
  private isFull(node: NodeState, message: Message, qos: number, publisher: number): boolean {
    const { index, queue, session, user } = node;
    const { clock: { now }, delivery: { nodes }, table } = this;
    const at = index * FIELDS;
    if (table[at + CLAIMED] === 0 && queue.hasRoomFor(queue.packetLengthOf(message, qos))
      || !queue.canHold(message, qos))
      return false;
    if (user === nodes.trustedUser && (publisher >= 0 || session === undefined))
      return publisher >= 0; // a store behind it is full, and its policy is to wait
    const progress = queue.progress ^ session!.connectionNumber << 20;
    if (table[at + PROGRESS] !== progress) {
      table[at + PROGRESS] = progress;
      table[at + MOVED_AT] = now;
    }
    const isShort = publisher === index || publisher === FROM_SERVER || session!.isHeldBy(HELD_BY_NODE);
    const idle = now - table[at + MOVED_AT]! | 0;
    const { sendTimeout } = this.settings;
    return idle < (isShort && SHORT_PATIENCE < sendTimeout ? SHORT_PATIENCE : sendTimeout)
      && (publisher !== FROM_SERVER || this.charge(at, queue.latestIdentifier, now));
  }

  /** Time has passed, in which the Server was made to wait for a node, or was not. @returns whether it may wait more */
  private charge(at: number, latestIdentifier: number, now: number): boolean {
    const { isWaiting, table } = this;
    const elapsed = Math.max(now - table[at + CHARGED_AT]! | 0, 0);
    const count = Math.max(latestIdentifier - table[at + GIVEN]!, 0);
    table[at + CHARGED_AT] = now;
    table[at + GIVEN] = latestIdentifier;
    table[at + SPENT] =
      Math.max(0, table[at + SPENT]! + (isWaiting ? elapsed : -elapsed / CREDIT_SHARE) - count * CREDIT_EACH);
    return table[at + SPENT]! < CREDIT;
  }
}
