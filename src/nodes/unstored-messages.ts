/**
 * Messages that are in the queues of nodes whose sessions are kept, and in no log: the storage in which they lay has
 * lost them, or did not work when they came. When a storage works again they are written to it, so that the node gets
 * all its messages in their order after a restart: each has the number of the one before it in the queue.
 */
import { MessageAge } from '../session/message-age.ts';
import { isUnstored } from '../session/doubted-positions.ts';
import { readKept } from '../session/message-forms.ts';
import { ABANDONED, DONE, NONE } from '../session/record-layout.ts';
import type { StoredQueue } from '../session/stored-queue.ts';
import { MessageSpans } from '../packet/packet.ts';
import { DOWN_NUMBER } from '../store/record-format.ts';
import type { MessageRestorationParts } from './message-restoration.ts';
import type { NodeState } from './node-state.ts';
import type { Again, OriginIndex } from './stored-messages.ts';

/** No number. */
const UNKNOWN = -1;

export class UnstoredMessages {
  private readonly parts: MessageRestorationParts;
  private readonly again: Again;
  private readonly age = new MessageAge();
  private readonly message = new MessageSpans();

  constructor(parts: MessageRestorationParts, origins: OriginIndex) {
    this.parts = parts;
    this.again = { origins, origin: NONE, age: undefined };
  }

  /** How many there are. */
  get count(): number {
    const { nodes: { states }, sessions } = this.parts;
    let count = 0;
    for (let index = 0; index < states.length; ++index)
      if (sessions.isKept(states[index]!))
        count += countUnstored(states[index]!.queue as StoredQueue);
    return count;
  }

  /** Writes them; what has no room stays in memory alone. */
  write(): void {
    const { nodes: { states }, sessions } = this.parts;
    for (let index = 0; index < states.length; ++index) {
      const node = states[index]!;
      if (sessions.isWritten(node) && countUnstored(node.queue as StoredQueue) > 0)
        this.writeFor(node);
    }
  }

  private writeFor(node: NodeState): void {
    const { messages } = this.parts;
    const queue = node.queue as StoredQueue;
    let number = UNKNOWN;
    for (let record = queue.following(NONE); record !== NONE; record = queue.following(record))
      if (isUnstored(queue, record)) {
        const later = this.numberAfter(queue, record);
        number = later === UNKNOWN ? messages.nextNumber() : number === UNKNOWN ? Math.max(0, later - 1) : number;
        this.writeOne(node, queue, record, number);
      } else if (isStored(queue, record))
        number = this.numberOf(queue, record);
  }

  private writeOne(node: NodeState, queue: StoredQueue, record: number, number: number): void {
    const { again, message, parts: { access, messageExpiry, messages } } = this;
    const { arena, headerLength } = queue.limits;
    readKept(arena, record + headerLength, queue.lengthOf(record), message);
    if (access !== undefined && access.mountLengths[node.index] !== 0) {
      if (!access.mount(node, message.topicNameOffset, message.topicNameLength))
        return;
      message.topicNameOffset = access.mounted.topicNameOffset;
      message.topicNameLength = access.mounted.topicNameLength;
    }
    again.origin = again.origins.indexOfStored(queue.positionOf(record));
    again.age = messageExpiry === undefined ? undefined : this.age;
    messageExpiry?.readAge(queue, record, this.age);
    messages.pushAgain(node, message, record, number, again);
  }

  /** @returns the number of the next message of the queue that is stored, or UNKNOWN */
  private numberAfter(queue: StoredQueue, record: number): number {
    for (let later = queue.following(record); later !== NONE; later = queue.following(later))
      if (isStored(queue, later))
        return this.numberOf(queue, later);
    return UNKNOWN;
  }

  private numberOf(queue: StoredQueue, record: number): number {
    const { store: { arena, queue: log } } = this.parts;
    return log.load(queue.positionOf(record)) ? arena.view.getUint32(log.record.propertiesOffset + DOWN_NUMBER) : 0;
  }
}

const isStored = (queue: StoredQueue, record: number): boolean => queue.positionOf(record) > ABANDONED
  && queue.stateOf(record) !== DONE && !isUnstored(queue, record);

function countUnstored(queue: StoredQueue): number {
  let count = 0;
  for (let record = queue.following(NONE); record !== NONE; record = queue.following(record))
    if (isUnstored(queue, record))
      ++count;
  return count;
}
