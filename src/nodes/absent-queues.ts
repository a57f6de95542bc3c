/** Queues of nodes that are away: when one is full, `listener.queue_full` says what is given up. */
import * as Event from '../config/events.ts';
import type { Message } from '../packet/packet.ts';
import { NONE } from '../session/record-layout.ts';
import type { NodeState } from './node-state.ts';
import type { NodeStates } from './node-states.ts';

export class AbsentQueues {
  /** The node whose full queue was told of last: once each time, as long as it is the same one. */
  private fullNode = -1;
  private readonly nodes: NodeStates;
  private readonly observer: Event.GatewayObserver;

  constructor(nodes: NodeStates, observer: Event.GatewayObserver) {
    this.nodes = nodes;
    this.observer = observer;
  }

  /** Queues a message for a node that is away. @returns its record; NONE: the queue is full, the message given up */
  keep(node: NodeState, message: Message, qos: number, counter: { droppedCount: number }): number {
    let record = node.queue.append(message, qos);
    if (record !== NONE)
      return record;
    if (this.fullNode !== node.index)
      this.observer.onEvent(Event.ABSENT_QUEUE_FULL, Event.UPSTREAM, node.index);
    this.fullNode = node.index;
    if (!this.nodes.dropsOldest || !node.queue.canHold(message, qos))
      return NONE;
    while (record === NONE && node.queue.dropOldest(false)) {
      ++counter.droppedCount;
      record = node.queue.append(message, qos);
    }
    return record;
  }
}
