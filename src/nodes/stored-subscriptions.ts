/** Subscriptions of nodes whose sessions are kept: in the store before SUBACK. */
import type { Packet } from '../packet/packet.ts';
import * as ReasonCode from '../packet/reason-code.ts';
import * as Event from '../config/events.ts';
import type { ServerSession } from '../session/server-session.ts';
import type { DurableNodes } from './durable-nodes.ts';
import type { Access } from './access.ts';
import type { Delivery } from './delivery.ts';
import { NodeSubscriptions } from './node-subscriptions.ts';
import type { NodeState } from './node-state.ts';
import type { RetainedDelivery } from './retained-delivery.ts';

export class StoredSubscriptions extends NodeSubscriptions {
  private readonly durable: DurableNodes;

  constructor(access: Access | undefined, delivery: Delivery, retainedDelivery: RetainedDelivery,
    observer: Event.GatewayObserver, durable: DurableNodes) {
    super(access, delivery, retainedDelivery, observer);
    this.durable = durable;
  }

  override add(session: ServerSession, node: NodeState, packet: Packet): number {
    const code = this.durable.keeps(node) ? this.keep(session, node, packet) : super.add(session, node, packet);
    // The last one: SUBACK is next.
    if (packet.payloadOffset >= packet.end && this.durable.keeps(node) && !this.durable.settle())
      session.fail(ReasonCode.STORE_UNAVAILABLE);
    return code;
  }

  protected override discard(node: NodeState): void {
    this.durable.discard(node);
  }

  protected override drop(node: NodeState, at: number): void {
    if (this.durable.keeps(node))
      this.durable.sessions.removeSubscription(node, at);
    super.drop(node, at);
  }

  private keep(session: ServerSession, node: NodeState, packet: Packet): number {
    const { delivery: { subscriptions }, durable, observer } = this;
    const code = super.add(session, node, packet);
    if (code < 0 || code > 2)
      return code;
    const at = subscriptions.find(node.index, packet.topicFilterOffset, packet.topicFilterLength);
    if (durable.sessions.putSubscription(node, at) || durable.keepsInMemory)
      return code;
    this.drop(node, at);
    observer.onEvent(Event.STATE_FULL, session.index, Event.FULL_FOR_SUBSCRIPTION);
    return ReasonCode.QUOTA_EXCEEDED;
  }
}
