/** Where a message goes that somebody here publishes: to the nodes, and upstream; for a node, under its mount point and as far as it may. */
import type { Message } from '../packet/packet.ts';
import type { TopicTable } from '../packet/topic-table.ts';
import { type Access, WRITE } from './access.ts';
import { type Bridge, NOBODY } from './bridge.ts';
import type { Delivery } from './delivery.ts';
import type { NodeState } from './node-states.ts';

export class Publishing {
  private readonly topics: TopicTable;
  private readonly delivery: Delivery;
  private readonly bridge: Bridge;

  constructor(topics: TopicTable, delivery: Delivery, bridge: Bridge) {
    this.topics = topics;
    this.delivery = delivery;
    this.bridge = bridge;
  }

  /** @param index number of its name in the topic table */
  publish(message: Message, index: number): void {
    const { delivery } = this;
    if (delivery.localAudience[index] !== NOBODY || message.retain !== 0)
      delivery.deliver(message, index);
    this.bridge.forward(message, index);
  }

  /** Publishes what a node may publish, under its mount point. @returns false when it may not */
  publishFor(node: NodeState, message: Message, index: number, access: Access): boolean {
    if (node.mountLength !== 0) {
      if (!access.mountMessage(node, message))
        return false;
      message = access.mounted;
      index = this.topics.indexOf(message.topicNameOffset, message.topicNameLength);
    }
    if (!access.allows(node, index, message.topicNameOffset, message.topicNameLength, WRITE))
      return false;
    this.publish(message, index);
    return true;
  }
}
