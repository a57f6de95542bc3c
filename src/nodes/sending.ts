/** Gives a message to one node: as far as it may read it, at once or into its queue. */
import type { Arena } from '../bytes/arena.ts';
import type { Message } from '../packet/packet.ts';
import { NONE } from '../session/record-layout.ts';
import { type Access, READ } from './access.ts';
import * as Event from '../config/events.ts';
import type { NodeState } from './node-state.ts';
import type { NodeStates } from './node-states.ts';

export class Sending {
  /** PUBLISH packets sent to nodes, or queued for them, and those that were not. */
  sentCount = 0;
  droppedCount = 0;
  /** The node whose full queue was told of last, while it was away: once each time, as long as it is the same one. */
  private absentFullNode = -1;
  readonly arena: Arena;
  readonly nodes: NodeStates;
  access: Access | undefined;
  protected readonly observer: Event.GatewayObserver;

  constructor(arena: Arena, nodes: NodeStates, access: Access | undefined, observer: Event.GatewayObserver) {
    this.arena = arena;
    this.nodes = nodes;
    this.access = access;
    this.observer = observer;
  }

  /**
   * Sends a message that the node may read, without its mount point, with the QoS that it was granted at most
   * [MQTT311-3.8.4-6] [MQTT5-3.8.4-8]. @param index number of its name, or `uncached`
   */
  protected sendAllowed(node: NodeState, message: Message, index: number, granted: number): void {
    const { access } = this;
    const qos = granted < message.qos ? granted : message.qos;
    if (access === undefined) {
      this.send(node, message, qos);
      return;
    }
    const { topicNameLength, topicNameOffset } = message;
    const mountLength = access.mountLengths[node.index]!;
    if (!access.allows(node, index, topicNameOffset, topicNameLength, READ) || mountLength > 0
      && !access.isInside(node, topicNameOffset, topicNameLength))
      return;
    message.topicNameOffset = topicNameOffset + mountLength;
    message.topicNameLength = topicNameLength - mountLength;
    this.send(node, message, qos);
    message.topicNameOffset = topicNameOffset;
    message.topicNameLength = topicNameLength;
  }

  /**
   * Sends a message to one node, or queues it [MQTT311-4.5.0-1], behind all that came before [MQTT311-4.6.0-5]
   * [MQTT311-4.6.0-6]. For a node that is away QoS 1 and 2 are kept [MQTT311-3.1.2-5], QoS 0 is not (3.1.1 section
   * 4.1).
   */
  protected send(node: NodeState, message: Message, qos: number): void {
    const { session } = node;
    if (qos === 0) {
      if (session === undefined)
        return;
      if (session.publish(message)) {
        ++this.sentCount;
        return;
      }
    } else if (session === undefined ? this.keepFor(node, message, qos) !== NONE : session.enqueue(message, qos)) {
      ++this.sentCount;
      return;
    }
    ++this.droppedCount;
    if (session !== undefined)
      this.observer.onEvent(Event.NODE_QUEUE_FULL, session.index, qos);
  }

  /** Queues a message for a node that is away. @returns its record; NONE: the queue is full, the message given up */
  protected keepFor(node: NodeState, message: Message, qos: number): number {
    let record = node.queue.append(message, qos);
    if (record !== NONE)
      return record;
    if (this.absentFullNode !== node.index)
      this.observer.onEvent(Event.ABSENT_QUEUE_FULL, Event.UPSTREAM, node.index);
    this.absentFullNode = node.index;
    if (!this.nodes.dropsOldest || !node.queue.canHold(message, qos))
      return NONE;
    while (record === NONE && node.queue.dropOldest(false)) {
      ++this.droppedCount;
      record = node.queue.append(message, qos);
    }
    return record;
  }

  /** Whether a message may go to a node, as `sendAllowed` judges. */
  protected mayRead(node: NodeState, { topicNameLength, topicNameOffset }: Message, index: number): boolean {
    const { access } = this;
    return access === undefined || access.allows(node, index, topicNameOffset, topicNameLength, READ)
      && (access.mountLengths[node.index] === 0 || access.isInside(node, topicNameOffset, topicNameLength));
  }

  /** Bytes of the mount point of a node. */
  protected mountLengthOf(node: NodeState): number {
    return this.access === undefined ? 0 : this.access.mountLengths[node.index]!;
  }
}
