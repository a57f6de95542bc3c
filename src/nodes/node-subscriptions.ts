/**
 * What nodes ask for by SUBSCRIBE and UNSUBSCRIBE, filter by filter: as far as they may have it and there is room,
 * under their mount point; and the retained messages that it brings.
 */
import * as Event from '../config/events.ts';
import type { Packet } from '../packet/packet.ts';
import { SUBACK_FAILURE } from '../packet/subscribe.ts';
import { isSharedFilter } from '../packet/topic-filter.ts';
import type { ServerSession } from '../session/server-session.ts';
import type { Access } from './access.ts';
import type { Delivery } from './delivery.ts';
import type { NodeState } from './node-states.ts';
import type { RetainedDelivery } from './retained-delivery.ts';
import { END } from './subscriptions.ts';

/** In place of a return code: the node may not. */
export const DENIED = -1;

export class NodeSubscriptions {
  access: Access | undefined;
  protected readonly delivery: Delivery;
  private readonly retainedDelivery: RetainedDelivery;
  protected readonly observer: Event.GatewayObserver;
  /** Whether it has been told that shared subscriptions are not served. */
  private hasToldShared = false;

  constructor(access: Access | undefined, delivery: Delivery, retainedDelivery: RetainedDelivery,
    observer: Event.GatewayObserver) {
    this.access = access;
    this.delivery = delivery;
    this.retainedDelivery = retainedDelivery;
    this.observer = observer;
  }

  /** The filter at hand of a SUBSCRIBE. @returns the granted QoS, SUBACK_FAILURE or DENIED */
  add(session: ServerSession, node: NodeState, packet: Packet): number {
    const { access, delivery, retainedDelivery } = this;
    const { subscriptions } = delivery;
    if (isSharedFilter(packet)) {
      if (!this.hasToldShared)
        this.observer.onEvent(Event.SHARED_SUBSCRIPTION, session.index, 0);
      this.hasToldShared = true;
      return SUBACK_FAILURE;
    }
    if (access !== undefined
      && !(access.mountFilter(node, packet)
        && access.allowsSubscription(node, packet.topicFilterOffset, packet.topicFilterLength)))
      return DENIED;
    const { qos, topicFilterLength, topicFilterOffset } = packet;
    const isOwed = retainedDelivery.owes(topicFilterOffset);
    const at = subscriptions.add(node.index, topicFilterOffset, topicFilterLength, qos, isOwed);
    if (at === END) {
      this.observer.onEvent(Event.SUBSCRIPTIONS_FULL, session.index, subscriptions.count);
      return SUBACK_FAILURE;
    }
    delivery.forgetAudiencesOf(topicFilterOffset, topicFilterLength);
    if (isOwed)
      retainedDelivery.owe(node, at);
    return qos;
  }

  /** Nothing new is queued for it; what is queued goes on its way [MQTT311-3.10.4-2] [MQTT311-3.10.4-3]. */
  remove(node: NodeState, packet: Packet): void {
    if (this.access !== undefined && !this.access.mountFilter(node, packet))
      return;
    const { subscriptions } = this.delivery;
    const at = subscriptions.find(node.index, packet.topicFilterOffset, packet.topicFilterLength);
    if (at !== END)
      this.drop(node, at);
  }

  /** The subscription at `at` is over. */
  protected drop(node: NodeState, at: number): void {
    const { delivery, delivery: { subscriptions } } = this;
    this.retainedDelivery.forget(node, at);
    delivery.forgetAudiencesOf(subscriptions.filterOffsetOf(at), subscriptions.filterLengthOf(at));
    subscriptions.remove(at);
  }

  removeAll(node: NodeState): void {
    const { delivery, delivery: { subscriptions } } = this;
    this.retainedDelivery.end(node);
    if (subscriptions.countOf(node.index) === 0)
      return;
    subscriptions.removeAll(node.index);
    delivery.forgetAudiences();
  }
}
