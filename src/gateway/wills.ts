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
      this.publish(session, node);
    session.forgetWill();
    return isDelayed;
  }

  private publish(session: ServerSession, node: NodeState): void {
    const { parts, will } = this;
    const { access } = parts.delivery;
    const { guard } = parts.bridge;
    session.readWill(will);
    session.forgetWill(); // [MQTT311-3.1.2-10]
    const index = parts.topics.indexOf(will.topicNameOffset, will.topicNameLength);
    guard.author = node.identity;
    if (access !== undefined && parts.publishing.publishFor(node, will, index, access, 0) === FORBIDDEN) {
      ++this.deniedCount;
      parts.observer.onEvent(Event.ACCESS_DENIED, session.index, Event.FORBIDDEN_WILL);
      guard.author = 0;
      return;
    }
    parts.observer.onEvent(Event.WILL_PUBLISHED, session.index, 0);
    if (access === undefined && !parts.delivery.rejects(undefined, will, index))
      parts.publishing.publish(will, index, 0, NO_PUBLISHER);
    guard.author = 0;
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
      const { bridge: { guard }, delivery, delivery: { access }, durable, observer, publishing, topics } = this.parts;
      delayed.read(at, will);
      const index = topics.indexOf(will.topicNameOffset, will.topicNameLength);
      guard.author = node.identity;
      observer.onEvent(Event.DELAYED_WILL_PUBLISHED, Event.UPSTREAM, node.index);
      if (access !== undefined) {
        if (publishing.publishFor(node, will, index, access, 0) === FORBIDDEN)
          ++this.deniedCount;
      } else if (!delivery.rejects(undefined, will, index))
        publishing.publish(will, index, 0, NO_PUBLISHER);
      guard.author = 0;
      durable?.wills.removeWhenDurable(node);
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
    const { bridge: { guard }, delivery: { access }, durable, observer, publishing, topics } = this.parts;
    const index = topics.indexOf(will.topicNameOffset, will.topicNameLength);
    guard.author = node.identity;
    if (access !== undefined && publishing.publishFor(node, will, index, access, 0) === FORBIDDEN) {
      ++this.deniedCount;
      ++durable!.restoration.lost[Event.DROPPED_WILL]!;
      observer.onEvent(Event.RESTORED_DROPPED, Event.DROPPED_WILL, 1);
    } else {
      observer.onEvent(Event.STORED_WILL_PUBLISHED, Event.UPSTREAM, node.index);
      if (access === undefined)
        publishing.publish(will, index, 0, NO_PUBLISHER);
    }
    guard.author = 0;
  }
}
