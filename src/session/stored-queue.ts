/**
 * The queue of a node where messages survive a power cut: each record knows where its message is stored, and the
 * journal is told what becomes of it. Two things wait until what they depend on is durable: a message of QoS 2, because
 * after a restart its identifier must still mean this message; and PUBREL, because after it the node would take the
 * message for a new one. Both are ordinary records that are to be sent, so what comes after them waits for them, and
 * the order stays.
 */
import type { Message } from '../packet/packet.ts';
import type { NodeJournal } from './node-journal.ts';
import { OutboundQueue } from './outbound-queue.ts';
import type { QueueLimits } from './queue-limits.ts';
import {
  DONE, NODE_STAMP, NONE, NOT_STORED, PENDING, POSITION, RELEASED, SENT, STATE, STATE_MASK,
} from './record-layout.ts';

export class StoredQueue extends OutboundQueue {
  /** Where the message is stored that is entered next. */
  private position: number;
  private readonly index: number;

  /** @param index of its node */
  constructor(limits: QueueLimits, offset: number, index: number) {
    super(limits, offset, undefined);
    this.position = NOT_STORED;
    this.index = index;
    this.releases = this;
  }

  private get journal(): NodeJournal {
    return this.limits.journal!;
  }

  /** As `append`, for a message that is stored at `position`. */
  appendStored(message: Message, qos: number, position: number): number {
    this.position = position;
    const record = this.append(message, qos);
    this.position = NOT_STORED;
    return record;
  }

  override peek(): number {
    const record = super.peek();
    return record !== NONE && this.mustWait(record) ? NONE : record;
  }

  override release(identifier: number): number {
    const record = this.find(identifier);
    const isFirst = record !== NONE && this.stateOf(record) === SENT && this.positionOf(record) !== NOT_STORED;
    if (super.release(identifier) === NONE || !isFirst)
      return record;
    const { bytes, view } = this.limits.arena;
    this.journal.received(this.positionOf(record));
    view.setInt32(record + NODE_STAMP, this.journal.stamp);
    bytes[record + STATE]! |= PENDING;
    --this.inflightCount;
    this.enterAgain(record - this.offset);
    this.journal.awaitDurable(this.index);
    return record;
  }

  /** Whether PUBREL for this identifier waits. */
  isReleasing(identifier: number): boolean {
    const { bytes } = this.limits.arena;
    for (let record = this.following(NONE); record !== NONE; record = this.following(record))
      if ((bytes[record + STATE]! & (STATE_MASK | PENDING)) === (RELEASED | PENDING)
        && this.identifierOf(record) === identifier)
        return true;
    return false;
  }

  override clear(): void {
    for (let record = this.following(NONE); record !== NONE; record = this.following(record))
      if (this.stateOf(record) !== DONE)
        this.giveBack(record);
    super.clear();
  }

  /** The message of a record that was entered just now is stored at `position`. */
  store(record: number, position: number): void {
    this.notePosition(record, position);
    this.awaitWritten(record);
  }

  /** Its PUBREL, or the message itself if it is of QoS 2, waits for all that has been written by now. */
  awaitWritten(record: number): void {
    this.limits.arena.view.setInt32(record + NODE_STAMP, this.journal.stamp);
  }

  /** Messages move to other places in the storage. */
  move(from: number, to: number): boolean {
    const record = this.findStored(from);
    if (record !== NONE)
      this.notePosition(record, to);
    return record !== NONE;
  }

  protected override begin(record: number): void {
    super.begin(record);
    const position = this.positionOf(record);
    if (position !== NOT_STORED)
      this.journal.underWay(position, this.identifierOf(record), this.qosOf(record));
  }

  protected override enter(at: number, packetLength: number, state: number, qos: number, identifier: number): void {
    super.enter(at, packetLength, state, qos, identifier);
    const { view } = this.limits.arena;
    view.setUint32(this.offset + at + POSITION, this.position);
    view.setInt32(this.offset + at + NODE_STAMP, this.position === NOT_STORED ? 0 : this.journal.stamp);
  }

  protected override finish(record: number): void {
    this.giveBack(record);
    super.finish(record);
  }

  private giveBack(record: number): void {
    const position = this.positionOf(record);
    if (position !== NOT_STORED)
      this.journal.done(position, this.lengthOf(record));
  }

  private mustWait(record: number): boolean {
    const { limits } = this;
    if (this.positionOf(record) === NOT_STORED || this.qosOf(record) !== 2)
      return false;
    if (this.identifierOf(record) === 0) {
      if (this.inflightCount >= limits.maximumInflight)
        return true;
      this.begin(record);
      limits.arena.view.setInt32(record + NODE_STAMP, this.journal.stamp);
    }
    if (this.journal.isDurable(limits.arena.view.getInt32(record + NODE_STAMP)))
      return false;
    this.journal.awaitDurable(this.index);
    return true;
  }

  /** A record that has been sent is to be sent once more, in its place. */
  private enterAgain(at: number): void {
    const { cursor, head } = this;
    if (this.unsentCount++ === 0 || (at < head ? 1 : 0) < (cursor < head ? 1 : 0)
      || (at < head) === (cursor < head) && at < cursor)
      this.cursor = at;
  }
}
