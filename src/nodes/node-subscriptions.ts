/**
 * What nodes ask for by SUBSCRIBE and UNSUBSCRIBE, filter by filter: as far as they may have it and there is room,
 * under their mount point; and the retained messages that it brings.
 */
import * as Event from '../config/events.ts';
import type { Packet } from '../packet/packet.ts';
import { SUBSCRIPTION_IDENTIFIER } from '../packet/properties.ts';
import * as ReasonCode from '../packet/reason-code.ts';
import { RETAINED_IF_NEW, retainHandlingOf } from '../packet/subscribe.ts';
import { lengthOfShare } from '../packet/topic-filter.ts';
import type { ServerSession } from '../session/server-session.ts';
import type { Access } from './access.ts';
import type { Delivery } from './delivery.ts';
import type { NodeState } from './node-state.ts';
import type { RetainedDelivery } from './retained-delivery.ts';
import { END } from './subscriptions.ts';

/** In place of a return code: the node may not. */
export const DENIED = -1;

export class NodeSubscriptions {
  access: Access | undefined;
  protected readonly delivery: Delivery;
  private readonly retainedDelivery: RetainedDelivery;
  protected readonly observer: Event.GatewayObserver;
  /** Whether it has been told that a filter only looks like one of a shared subscription. */
  private hasToldShared = false;

  constructor(access: Access | undefined, delivery: Delivery, retainedDelivery: RetainedDelivery,
    observer: Event.GatewayObserver) {
    this.access = access;
    this.delivery = delivery;
    this.retainedDelivery = retainedDelivery;
    this.observer = observer;
  }

  /** The filter at hand of a SUBSCRIBE. @returns the granted QoS, a reason code, or DENIED */
  add(session: ServerSession, node: NodeState, packet: Packet): number {
    const { access, delivery, retainedDelivery } = this;
    const { subscriptions } = delivery;
    const shareLength = lengthOfShare(packet.arena, packet.topicFilterOffset, packet.topicFilterLength);
    if (shareLength < 0) // 5.0 does not let it come so far
      return this.tellShared(session);
    if (access !== undefined && !(access.mountFilter(node, packet, shareLength)
      && access.allowsSubscription(node, packet.topicFilterOffset + shareLength,
        packet.topicFilterLength - shareLength)))
      return DENIED;
    const { qos, topicFilterLength, topicFilterOffset } = packet;
    // Of shared subscriptions nobody gets retained messages (5.0 section 4.8.2).
    const isOwed = shareLength === 0 && retainedDelivery.owes(topicFilterOffset) && this.wantsRetained(node, packet);
    subscriptions.identifier = session.hasProperties
      ? packet.properties.numberOf(packet.arena, SUBSCRIPTION_IDENTIFIER, 0) : 0;
    const at =
      subscriptions.add(node.index, topicFilterOffset, topicFilterLength, packet.subscriptionOptions, isOwed);
    if (at === END) {
      this.observer.onEvent(Event.SUBSCRIPTIONS_FULL, session.index, subscriptions.count);
      return ReasonCode.QUOTA_EXCEEDED;
    }
    delivery.forgetAudiencesOf(topicFilterOffset, topicFilterLength);
    if (isOwed)
      retainedDelivery.owe(node, at);
    return qos;
  }

  /** A filter that begins like one of a shared subscription, and is none. */
  private tellShared({ index }: ServerSession): number {
    if (!this.hasToldShared)
      this.observer.onEvent(Event.SHARED_SUBSCRIPTION, index, 0);
    this.hasToldShared = true;
    return ReasonCode.TOPIC_FILTER_INVALID;
  }

  /**
   * Whether retained messages are to be sent for the filter at hand: before 5.0 always
   * [MQTT5-3.3.1-9] [MQTT5-3.3.1-10] [MQTT5-3.3.1-11] [MQTT5-3.8.4-4]
   */
  private wantsRetained({ index }: NodeState,
    { subscriptionOptions, topicFilterLength, topicFilterOffset }: Packet): boolean {
    const handling = retainHandlingOf(subscriptionOptions);
    return handling === 0 || handling === RETAINED_IF_NEW
      && this.delivery.subscriptions.find(index, topicFilterOffset, topicFilterLength) === END;
  }

  /**
   * Nothing new is queued for it; what is queued goes on its way [MQTT311-3.10.4-2] [MQTT311-3.10.4-3].
   * @returns SUCCESS or NO_SUBSCRIPTION_EXISTED [MQTT5-3.11.3-2]
   */
  remove(node: NodeState, packet: Packet): number {
    const { access, delivery: { subscriptions } } = this;
    const shareLength = lengthOfShare(packet.arena, packet.topicFilterOffset, packet.topicFilterLength);
    const at = shareLength < 0 || access !== undefined && !access.mountFilter(node, packet, shareLength) ? END
      : subscriptions.find(node.index, packet.topicFilterOffset, packet.topicFilterLength);
    if (at === END)
      return ReasonCode.NO_SUBSCRIPTION_EXISTED;
    this.drop(node, at);
    return ReasonCode.SUCCESS;
  }

  /** The subscription at `at` is over. */
  protected drop(node: NodeState, at: number): void {
    const { delivery, delivery: { subscriptions } } = this;
    this.retainedDelivery.forget(node, at);
    delivery.forgetAudiencesOf(subscriptions.filterOffsetOf(at), subscriptions.filterLengthOf(at));
    subscriptions.remove(at);
  }

  /** The session of a node is over. */
  removeAll(node: NodeState): void {
    const { delivery, delivery: { subscriptions } } = this;
    delivery.handOver(node);
    this.discard(node);
    this.retainedDelivery.end(node);
    if (subscriptions.countOf(node.index) === 0)
      return;
    subscriptions.removeAll(node.index);
    delivery.forgetAudiences();
  }

  /** What is stored of its session is over, too. */
  protected discard(_node: NodeState): void { /* nothing is */ }
}
