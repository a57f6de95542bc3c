/**
 * What goes to nodes by way of shared subscriptions, and with Subscription Identifiers (5.0 sections 4.8.2 and 3.3.4).
 *
 * Of each group one member gets a message: in turn, of those that are connected and have room. When there is none, one
 * that is away and has room, in turn as well. When the session of a member ends, the others get what it has not got.
 */
import type { Arena } from '../bytes/arena.ts';
import { lengthOfVariable, writeVariable } from '../packet/data-representation.ts';
import { IdentifiedSpans, type Message } from '../packet/packet.ts';
import { SUBSCRIPTION_IDENTIFIER } from '../packet/properties.ts';
import { RETAIN_AS_PUBLISHED } from '../packet/subscribe.ts';
import { NONE, QUEUED, SENT } from '../session/record-layout.ts';
import type { Access } from './access.ts';
import type * as Event from '../config/events.ts';
import type { NodeState } from './node-state.ts';
import type { NodeStates } from './node-states.ts';
import { Sending } from './sending.ts';
import { LONGEST_IDENTIFIERS } from './found-subscriptions.ts';
import { END, IDENTIFIED, SHARED, type Subscriptions } from './subscriptions.ts';

/** How well a member of a group suits; USELESS: not at all. */
const USELESS = 0;
const AWAY_AND_FULL = 1;
const FULL = 2;
const AWAY = 3;
const FIT = 4;

export abstract class SharedDelivery extends Sending {
  readonly subscriptions: Subscriptions;
  /** The message at hand, on its way. */
  protected readonly outgoing = new IdentifiedSpans();

  constructor(arena: Arena, nodes: NodeStates, subscriptions: Subscriptions, access: Access | undefined,
    observer: Event.GatewayObserver) {
    super(arena, nodes, access, observer);
    this.subscriptions = subscriptions;
    this.outgoing.identifiersOffset = subscriptions.identifiersOffset;
  }

  /**
   * Sends the message at hand, of which `outgoing` has all, to one member of each group that matches.
   * @param retain that of the message @param index number of its name
   */
  protected sendToGroups(retain: number, index: number): void {
    const { outgoing, subscriptions } = this;
    const { topicNameLength, topicNameOffset } = outgoing;
    for (let group = subscriptions.nextMatch(END, topicNameOffset, topicNameLength, SHARED); group !== END;
      group = subscriptions.nextMatch(group, topicNameOffset, topicNameLength, SHARED)) {
      const member = this.choose(subscriptions.turnOf(group), index);
      if (member === END)
        continue;
      subscriptions.passTurn(group, member);
      outgoing.retain = (subscriptions.optionsOf(member) & RETAIN_AS_PUBLISHED) === 0 ? 0 : retain;
      this.sendOutgoing(member, index);
    }
  }

  /**
   * Sends the message at hand to a node by all of its subscriptions that match, one of which has an identifier: with
   * the identifiers of all of them, in several copies if there are many
   * [MQTT5-3.3.4-3] [MQTT5-3.3.4-4] [MQTT5-3.3.4-5].
   */
  protected sendIdentified(node: NodeState, index: number, granted: number): void {
    const { outgoing, outgoing: { identifiersOffset, propertiesLength } } = this;
    if (!node.queue.hasProperties) { // it does not speak 5.0 any more
      this.sendAllowed(node, outgoing, index, granted);
      return;
    }
    let number = this.identifiedAfter(END, node.index);
    do {
      let end = identifiersOffset;
      for (; number !== END && end + this.lengthOfIdentifier(number) <= identifiersOffset + LONGEST_IDENTIFIERS;
        number = this.identifiedAfter(number, node.index))
        end = this.writeIdentifier(end, number);
      outgoing.identifiersLength = end - identifiersOffset;
      outgoing.propertiesLength = propertiesLength + outgoing.identifiersLength;
      this.sendAllowed(node, outgoing, index, granted);
    } while (number !== END);
    outgoing.propertiesLength = propertiesLength;
    outgoing.identifiersLength = 0;
  }

  /** Sends a message to a node by one of its subscriptions, which matches. */
  sendBy(node: NodeState, number: number, message: Message): void {
    const { outgoing, subscriptions } = this;
    if (subscriptions.identifierOf(number) === 0) {
      this.sendAllowed(node, message, this.uncachedTopic, subscriptions.qosOf(number));
      return;
    }
    outgoing.topicNameOffset = message.topicNameOffset;
    outgoing.topicNameLength = message.topicNameLength;
    outgoing.payloadOffset = message.payloadOffset;
    outgoing.payloadLength = message.payloadLength;
    outgoing.qos = message.qos;
    outgoing.retain = message.retain;
    outgoing.propertiesOffset = message.propertiesOffset;
    outgoing.propertiesLength = message.propertiesLength;
    this.sendOutgoing(number, this.uncachedTopic);
  }

  /**
   * The session of a node ends; until then its messages wait for it [MQTT5-4.8.2-4]. What it has as a member of a
   * group, and has neither acknowledged nor refused [MQTT5-4.8.2-6], goes to another one: of QoS 2 only what was never
   * sent [MQTT5-4.8.2-5]. What comes by a subscription of its own as well is taken for that.
   */
  handOver(node: NodeState): void {
    const { outgoing, subscriptions } = this;
    const { queue, queue: { limits } } = node;
    if (queue.count === 0 || !subscriptions.isMember(node.index))
      return;
    for (let record = queue.following(NONE); record !== NONE; record = queue.following(record)) {
      const state = queue.stateOf(record);
      if (state !== QUEUED && (state !== SENT || queue.qosOf(record) === 2)
        || !limits.forms!.takeOut(record + limits.headerLength, queue.lengthOf(record), outgoing)
        || !this.unmount(node))
        continue;
      const group = this.groupFor(node.index);
      const member = group === END ? END : this.choose(group, this.uncachedTopic, node);
      if (member === END)
        continue;
      limits.age?.read(limits.arena.view, record + limits.ageOffset);
      this.sendOutgoing(member, this.uncachedTopic);
      if (limits.age !== undefined)
        limits.age.lifetime = 0;
    }
  }

  /** In place of the number of a topic that has none. */
  abstract get uncachedTopic(): number;

  /** Whether a node has the message at hand already, which comes again. */
  protected hasAlready(_node: NodeState): boolean {
    return false;
  }

  /** Gives the message at hand, of the queue of a node, its full name. @returns false: there is no such name */
  private unmount(node: NodeState): boolean {
    const { access, outgoing } = this;
    if (access === undefined || access.mountLengths[node.index] === 0)
      return true;
    if (!access.mount(node, outgoing.topicNameOffset, outgoing.topicNameLength))
      return false;
    outgoing.topicNameOffset = access.mounted.topicNameOffset;
    outgoing.topicNameLength = access.mounted.topicNameLength;
    return true;
  }

  /** @returns the subscription of a node to a group by which it has got the message at hand; END: there is none */
  private groupFor(node: number): number {
    const { outgoing: { topicNameLength, topicNameOffset }, subscriptions } = this;
    let found = END;
    for (let number = subscriptions.nextOf(node, END); number !== END; number = subscriptions.nextOf(node, number)) {
      if (!subscriptions.matches(number, topicNameOffset, topicNameLength))
        continue;
      if (!subscriptions.isShared(number))
        return END;
      found = number;
    }
    return found;
  }

  /**
   * @param from the member that is asked first @param except a node that is going
   * @returns the member of its group that gets the message at hand; END: there is none
   */
  private choose(from: number, index: number, except?: NodeState): number {
    const { nodes: { states }, subscriptions } = this;
    let best = END, bestRank = USELESS, member = from;
    do {
      const node = states[subscriptions.nodeOf(member)]!;
      const rank = node === except ? USELESS : this.rankOf(node, index, subscriptions.qosOf(member));
      if (rank === FIT)
        return member;
      if (rank > bestRank) {
        best = member;
        bestRank = rank;
      }
      member = subscriptions.memberAfter(member);
    } while (member !== from);
    return best;
  }

  private rankOf(node: NodeState, index: number, granted: number): number {
    const { outgoing } = this;
    const { queue, session } = node;
    const qos = granted < outgoing.qos ? granted : outgoing.qos;
    if (session === undefined && qos === 0 || !this.mayRead(node, outgoing, index))
      return USELESS;
    if (this.hasAlready(node))
      return FIT;
    const hasRoom = qos === 0 ? queue.packetLengthOf(outgoing, 0) <= session!.room
      : queue.hasRoom(queue.packetLengthOf(outgoing, qos));
    return session === undefined ? hasRoom ? AWAY : AWAY_AND_FULL : hasRoom ? FIT : FULL;
  }

  /** Sends the message at hand by one subscription, with its QoS [MQTT5-4.8.2-3] and its identifier. */
  private sendOutgoing(number: number, index: number): void {
    const { nodes: { states }, outgoing, outgoing: { propertiesLength }, subscriptions } = this;
    const { identifiersOffset } = outgoing;
    if (subscriptions.identifierOf(number) !== 0) {
      outgoing.identifiersLength = this.writeIdentifier(identifiersOffset, number) - identifiersOffset;
      outgoing.propertiesLength = propertiesLength + outgoing.identifiersLength;
    }
    this.sendAllowed(states[subscriptions.nodeOf(number)]!, outgoing, index, subscriptions.qosOf(number));
    outgoing.propertiesLength = propertiesLength;
    outgoing.identifiersLength = 0;
  }

  /** @returns the next subscription of a node after this one that has an identifier and matches the message at hand */
  private identifiedAfter(number: number, node: number): number {
    const { outgoing: { topicNameLength, topicNameOffset }, subscriptions } = this;
    do
      number = subscriptions.nextMatch(number, topicNameOffset, topicNameLength, IDENTIFIED);
    while (number !== END && !subscriptions.isWanted(number, node));
    return number;
  }

  private lengthOfIdentifier(number: number): number {
    return 1 + lengthOfVariable(this.subscriptions.identifierOf(number));
  }

  private writeIdentifier(offset: number, number: number): number {
    const { arena } = this;
    arena.bytes[offset] = SUBSCRIPTION_IDENTIFIER;
    return writeVariable(arena, offset + 1, this.subscriptions.identifierOf(number));
  }
}
