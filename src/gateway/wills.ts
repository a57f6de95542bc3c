/**
 * Publishes the Wills of nodes: when the connection ends, when the Will Delay is over, or after a power cut that the
 * node has not come back from; each with the rights of its node.
 */
import { MessageSpans } from '../packet/packet.ts';
import type { TopicTable } from '../packet/topic-table.ts';
import * as Event from '../config/events.ts';
import type { ServerSession } from '../session/server-session.ts';
import type { DelayedWills } from '../nodes/delayed-wills.ts';
import type { Delivery } from '../nodes/delivery.ts';
import type { DurableNodes } from '../nodes/durable-nodes.ts';
import type { NodeState } from '../nodes/node-state.ts';
import type { Bridge } from '../upstream/bridge.ts';
import { FORBIDDEN, NO_PUBLISHER, type Publishing } from './publishing.ts';

/** In place of where a delayed Will lies. */
const NOWHERE = -1;

/** What the gateway gives to work with. */
export interface WillParts {
  readonly bridge: Bridge;
  readonly delivery: Delivery;
  readonly durable: DurableNodes | undefined;
  readonly observer: Event.GatewayObserver;
  readonly publishing: Publishing;
  readonly topics: TopicTable;
}

export class Wills {
  /** Those that their nodes had no right to. */
  deniedCount = 0;
  private readonly parts: WillParts;
  readonly delayed: DelayedWills;
  private readonly will = new MessageSpans(); // the one at hand

  constructor(parts: WillParts, delayed: DelayedWills) {
    this.parts = parts;
    this.delayed = delayed;
  }

  /** The connection of a node is over, and its Will is due, now or later. @returns whether it waits */
  leave(session: ServerSession, node: NodeState): boolean {
    const isDelayed = session.willDelay > 0 && this.delayed.keep(node, session, this.will);
    if (!isDelayed)
      session.readWill(this.will);
    session.forgetWill(); // [MQTT311-3.1.2-10]
    if (!isDelayed && !this.publish(node, this.will, Event.WILL_PUBLISHED, session.index, 0))
      this.parts.observer.onEvent(Event.ACCESS_DENIED, session.index, Event.FORBIDDEN_WILL);
    return isDelayed;
  }

  /** Whether the Will of the node waits for its Will Delay. */
  delays(node: NodeState): boolean {
    return this.delayed.count > 0 && this.delayed.find(node) !== NOWHERE;
  }

  /** The Will that waits for a node, if there is one, waits no more. @param isBack so it is not published */
  endDelay(node: NodeState, isBack: boolean): void {
    const { delayed, will } = this;
    const at = delayed.find(node);
    if (at === NOWHERE)
      return;
    if (!isBack) {
      delayed.read(at, will);
      this.publish(node, will, Event.DELAYED_WILL_PUBLISHED, Event.UPSTREAM, node.index);
      this.parts.durable?.wills.removeWhenDurable(node);
    }
    delayed.remove(at);
  }

  /** Publishes those that are due, and asks the clock for the next one. */
  handleTimeout(nodes: readonly NodeState[]): void {
    const { delayed } = this;
    while (delayed.count > 0) {
      const at = delayed.findDue();
      if (at === NOWHERE)
        break;
      this.endDelay(nodes[delayed.nodeAt(at)]!, false);
    }
  }

  /** Publishes all that wait. */
  finish(nodes: readonly NodeState[]): void {
    for (let index = 0; this.delayed.count > 0; ++index)
      this.endDelay(nodes[index]!, false);
  }

  /** The Will of a node that has not come back since the start. */
  publishStored(node: NodeState, will: MessageSpans): void {
    if (this.publish(node, will, Event.STORED_WILL_PUBLISHED, Event.UPSTREAM, node.index))
      return;
    const { durable, observer } = this.parts;
    ++durable!.restoration.lost[Event.DROPPED_WILL]!;
    observer.onEvent(Event.RESTORED_DROPPED, Event.DROPPED_WILL, 1);
  }

  /**
   * Publishes a Will, with the rights of its node, and tells so with this event.
   * @returns false when the node may not: nothing is told
   */
  private publish(node: NodeState, will: MessageSpans, event: number, subject: number, detail: number): boolean {
    const { parts } = this;
    const { access } = parts.delivery;
    const { guard } = parts.bridge;
    const index = parts.topics.indexOf(will.topicNameOffset, will.topicNameLength);
    guard.author = node.identity;
    const isAllowed = access === undefined
      || parts.publishing.publishFor(node, will, index, access, 0) !== FORBIDDEN;
    if (isAllowed)
      parts.observer.onEvent(event, subject, detail);
    else
      ++this.deniedCount;
    if (access === undefined && !parts.delivery.rejects(undefined, will, index))
      parts.publishing.publish(will, index, 0, NO_PUBLISHER);
    guard.author = 0;
    return isAllowed;
  }
}
