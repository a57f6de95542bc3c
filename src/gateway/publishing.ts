/**
 * Where a message goes that somebody here publishes: upstream, and to the nodes; for a node, under its mount point
 * and as far as it may.
 */
import { isSystemTopic } from '../packet/topic.ts';
import type { Message } from '../packet/packet.ts';
import type { TopicTable } from '../packet/topic-table.ts';
import { type Access, WRITE } from '../nodes/access.ts';
import { type Delivery, NOBODY, UNKNOWN } from '../nodes/delivery.ts';
import type { NodeState } from '../nodes/node-state.ts';
import { REFUSED, TAKEN } from '../session/session-role.ts';
import type { Bridge } from '../upstream/bridge.ts';

/** Beside the verdicts of session-role.ts: the node may not. */
export const FORBIDDEN = -2;
/** In place of the index of the node that has sent a message. */
export const NO_PUBLISHER = -1;

export class Publishing {
  private readonly topics: TopicTable;
  private readonly delivery: Pick<Delivery, 'arena' | 'deliver' | 'localAudience' | 'rejects'>;
  private readonly bridge: Pick<Bridge, 'forward'>;
  /** That of `delivery`. */
  private readonly localAudience: Int32Array;

  constructor(topics: TopicTable, delivery: Publishing['delivery'], bridge: Publishing['bridge']) {
    this.topics = topics;
    this.delivery = delivery;
    this.bridge = bridge;
    this.localAudience = delivery.localAudience;
  }

  /**
   * @param index number of its name in the topic table @param origin and result as for `Bridge.forward`
   * @param publisher index of the node that has sent it
   */
  publish(message: Message, index: number, origin: number, publisher: number): number {
    const verdict = this.bridge.forward(message, index, origin);
    if (verdict === REFUSED) // first: nobody gets what will come again
      return REFUSED;
    if (this.localAudience[index] !== NOBODY || message.retain !== 0)
      this.delivery.deliver(message, index, publisher);
    return verdict;
  }

  /** Publishes what a node may publish, under its mount point. @returns TAKEN, CROWDED, FORBIDDEN or REFUSED */
  publishFor(node: NodeState, message: Message, index: number, access: Access, origin: number): number {
    if (access.mountLengths[node.index] !== 0) {
      if (!access.mountMessage(node, message))
        return FORBIDDEN;
      message = access.mounted;
      index = this.topics.indexOf(message.topicNameOffset, message.topicNameLength);
    }
    if (!access.allows(node, index, message.topicNameOffset, message.topicNameLength, WRITE))
      return FORBIDDEN;
    if (this.localAudience[index] === UNKNOWN && this.delivery.rejects(node.session, message, index))
      return isSystemTopic(this.delivery.arena, message.topicNameOffset, message.topicNameLength) ? FORBIDDEN
        : TAKEN; // by nobody: the session is over
    return this.publish(message, index, origin, node.session === undefined ? NO_PUBLISHER : node.index);
  }
}
