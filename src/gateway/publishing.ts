/** Where a message goes that somebody here publishes: to the nodes, and upstream; for a node, under its mount point and as far as it may. */
import type { Message } from '../packet/packet.ts';
import type { TopicTable } from '../packet/topic-table.ts';
import { type Access, WRITE } from '../nodes/access.ts';
import type { Bridge } from '../upstream/bridge.ts';
import { type Delivery, NOBODY, UNKNOWN } from '../nodes/delivery.ts';
import type { NodeState } from '../nodes/node-states.ts';

/** Results of `publishFor`. */
export const PUBLISHED = 1;
/** The node may not. */
export const FORBIDDEN = 0;
/** Nothing has happened: there is no room for it upstream, and it must not be acknowledged. */
export const REFUSED = -1;

export class Publishing {
  private readonly topics: TopicTable;
  private readonly delivery: Delivery;
  private readonly bridge: Bridge;
  /** That of `delivery`. */
  private readonly localAudience: Int32Array;

  constructor(topics: TopicTable, delivery: Delivery, bridge: Bridge) {
    this.topics = topics;
    this.delivery = delivery;
    this.bridge = bridge;
    this.localAudience = delivery.localAudience;
  }

  /** @param index number of its name in the topic table @param comesAgain as for `Bridge.forward`, and so is the result */
  publish(message: Message, index: number, comesAgain: boolean): boolean {
    if (!this.bridge.forward(message, index, comesAgain)) // first: nobody gets what will come again
      return false;
    if (this.localAudience[index] !== NOBODY || message.retain !== 0)
      this.delivery.deliver(message, index);
    return true;
  }

  /** Publishes what a node may publish, under its mount point. @returns PUBLISHED, FORBIDDEN or REFUSED */
  publishFor(node: NodeState, message: Message, index: number, access: Access, comesAgain: boolean): number {
    if (access.mountLengths[node.index] !== 0) {
      if (!access.mountMessage(node, message))
        return FORBIDDEN;
      message = access.mounted;
      index = this.topics.indexOf(message.topicNameOffset, message.topicNameLength);
    }
    if (!access.allows(node, index, message.topicNameOffset, message.topicNameLength, WRITE))
      return FORBIDDEN;
    if (this.localAudience[index] === UNKNOWN && this.delivery.rejects(node.session, message, index))
      return PUBLISHED; // to nobody: the session is over
    return this.publish(message, index, comesAgain) ? PUBLISHED : REFUSED;
  }
}
