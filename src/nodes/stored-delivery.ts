/**
 * As delivery.ts, where messages for nodes whose sessions are kept, and retained messages, survive a power cut. When
 * the log has no room, a node that is connected gets its message all the same, from memory.
 */
import { type Message, RepeatedMessage } from '../packet/packet.ts';
import * as Event from '../config/events.ts';
import { NONE } from '../session/record-layout.ts';
import type { StoredQueue } from '../session/stored-queue.ts';
import { Delivery } from './delivery.ts';
import type { DurableNodes } from './durable-nodes.ts';
import type { NodeState } from './node-state.ts';
import { UNSTORED } from './stored-messages.ts';

export class StoredDelivery extends Delivery {
  /** Set when all is there that it works with. */
  durable: DurableNodes | undefined = undefined;

  protected override retain(message: Message, isFromUpstream = false): void {
    super.retain(message, isFromUpstream);
    this.durable?.retained.changed(message, message.qos !== 0 && !(message instanceof RepeatedMessage));
  }

  protected override hasAlready(node: NodeState): boolean {
    return this.durable?.atHand.isStoredFor(node.identity) === true;
  }

  protected override send(node: NodeState, message: Message, qos: number): void {
    const { durable } = this;
    if (qos === 0 || durable === undefined || !durable.keeps(node)) {
      super.send(node, message, qos);
      return;
    }
    if (durable.atHand.isStoredFor(node.identity))
      return;
    const { session } = node;
    const queue = node.queue as StoredQueue;
    const record = session === undefined ? this.keepFor(node, message, qos) : queue.append(message, qos);
    if (record === NONE) {
      ++this.droppedCount;
      if (session !== undefined)
        this.observer.onEvent(Event.NODE_QUEUE_FULL, session.index, qos);
      return;
    }
    const position = durable.messages.push(node, message, record, this.mountLengthOf(node));
    if (position < UNSTORED) {
      durable.tellFull(UNSTORED - position, session !== undefined);
      if (session === undefined) {
        queue.giveUp(record);
        ++this.droppedCount;
        return;
      }
    }
    ++this.sentCount;
    session?.sendQueued();
  }
}
