/**
 * What the queue towards the Server has and those of the nodes have not: notes on its messages, a log of which it
 * shows the part that is under way, and two lanes. In one are the messages that waited for the connection, here or in
 * the log, in the other what has come since: so those need not wait for all that is sent again.
 *
 * The order of the messages of one topic stays as it was. Counters, by hash of the topic, say how many of it wait in
 * the first lane; whoever comes while there are any joins them. Topics that share a counter may wait for one another.
 */
import type { PublishRecords } from './publish-records.ts';
import type { QueueLimits } from './queue-limits.ts';
import {
  ABANDONED, HELD, NONE, ORIGIN, PENDING, POSITION, REPLAYED, RULE, SLOT, STAMP, STATE, TIME,
} from './record-layout.ts';

/** Of a counter. */
const MOST = 0xFFFF;
/** Counters of order for which a board has room. */
export const BOARD_COUNTERS = 256;

/** Keeps what happens to stored messages where it survives. Positions are the journal's own. */
export interface Journal {
  /** A number for all that has been written; 0 when that is durable. */
  readonly stamp: number;
  /** Whether all that had been written when this `stamp` was given is durable. */
  isDurable(stamp: number): boolean;
  /**
   * The message is being sent under this identifier for the first time. Only of QoS 2 must that be durable before: a
   * receiver knows no identifiers of QoS 1.
   */
  underWay(position: number, identifier: number, qos: number): void;
  /**
   * PUBREC has come. PUBREL must not go out before that is durable: the journal sees to it, `isReleasing` until then.
   */
  received(position: number, identifier: number): void;
  isReleasing(identifier: number): boolean;
  /** Delivered, or given up. */
  done(position: number): void;
  /** Moves the next of the messages that wait in the log into the queue. */
  refill(): void;
  /** The Server has forgotten the session: what it has told by PUBREC until now means nothing any more. */
  sessionLost(): void;
  /** Identifiers up to this one, and then round again, may have been given out. */
  identifiersReached(identifier: number): void;
}

/** The queue whose window it is. */
export interface Sender {
  readonly limits: QueueLimits;
  readonly inflightCount: number;
  prepare(record: number, journal: Journal): void;
}

export class UpstreamWindow {
  journal: Journal | undefined = undefined;
  /** Messages of the journal's log that are not in the queue. */
  waitingCount = 0;
  /** Of `waitingCount`, by the index of the rule; those with an index beyond are not counted. */
  waitingByRule = new Uint32Array(0);
  /** Of them, those that were passed over: they are held back, and others go first. */
  deferredCount = 0;
  /** Messages in the queue that are held; and a number that is another one when one of them is not any more. */
  heldCount = 0;
  heldRevision = 0;
  /** How many had been delivered when holes between records were closed. */
  compactedAt = 0;
  /** Messages in the queue that waited for the connection and are to be sent; and the first one. */
  replayCount = 0;
  replayCursor = 0;
  /** Of those under way, the ones that had waited. */
  replayInflight = 0;
  /** Messages that had waited and have been acknowledged. */
  replayedDoneCount = 0;
  /** Messages that were delivered since the start: acknowledged, or of QoS 0 and sent. */
  deliveredCount = 0;
  /** QoS 0 records. */
  atMostOnceCount = 0;
  /** The next one out of the two lanes, when neither has more than its share. */
  isReplayNext = false;
  /** What is noted of the next message that is entered. */
  position = 0;
  time = 0;
  rule = 0;
  slot = 0;
  stamp = 0;
  /** Identity of the node that has sent it. */
  origin = 0;
  /** Its packet identifier, if it has one already. */
  identifier = 0;
  /** Per hash of a topic: messages of the first lane that wait, here or in the log. */
  private readonly waitingPerSlot: Uint16Array;
  /** A counter was full once, and does not count down any more. */
  private isInexact = false;

  /** @param slotCount a power of two, at most 65,536 */
  constructor(slotCount = BOARD_COUNTERS) {
    this.waitingPerSlot = new Uint16Array(slotCount);
  }

  get slotCount(): number {
    return this.waitingPerSlot.length;
  }

  /** Messages that waited for the connection and have not been sent on it, here or in the log. */
  get replayTotal(): number {
    return this.replayCount + this.waitingCount;
  }

  slotOf(hash: number): number {
    return (hash ^ hash >>> 15) & this.waitingPerSlot.length - 1;
  }

  /** Whether a message of this slot must wait until others have been sent. */
  isOccupied(slot: number): boolean {
    return this.waitingPerSlot[slot] !== 0;
  }

  occupy(slot: number): void {
    const count = this.waitingPerSlot[slot]!;
    if (count === MOST)
      this.isInexact = true;
    else
      this.waitingPerSlot[slot] = count + 1;
  }

  /** A message of this rule and slot waits in the log. */
  wait(rule: number, slot: number): void {
    ++this.waitingCount;
    ++this.waitingByRule[rule]!;
    this.occupy(slot);
  }

  /** It does not any more. */
  endWait(rule: number, slot: number): void {
    --this.waitingCount;
    --this.waitingByRule[rule]!;
    this.vacate(slot);
  }

  /**
   * One of them has been sent, or given up, and is counted no more. A counter that was full is trusted again when
   * none is left.
   */
  vacate(slot: number): void {
    const count = this.waitingPerSlot[slot]!;
    if (count !== MOST && count !== 0)
      this.waitingPerSlot[slot] = count - 1;
    if (this.isInexact && this.replayTotal === 0) {
      this.isInexact = false;
      this.waitingPerSlot.fill(0);
    }
  }

  /** Writes the notes of `record`. */
  annotate(view: DataView, record: number): void {
    view.setUint32(record + POSITION, this.position);
    view.setUint32(record + TIME, this.time);
    view.setUint32(record + RULE, this.rule << 16 | this.slot);
    view.setUint32(record + STAMP, this.stamp);
    view.setUint32(record + ORIGIN, this.origin);
  }

  vacateAll(): void {
    this.waitingPerSlot.fill(0);
  }

  /** The other way round: of a message that is to be entered anew. */
  readNotes(view: DataView, record: number): void {
    this.position = view.getUint32(record + POSITION);
    this.time = view.getUint32(record + TIME);
    this.rule = view.getUint16(record + RULE);
    this.slot = view.getUint16(record + SLOT);
    this.stamp = view.getUint32(record + STAMP);
    this.origin = view.getUint32(record + ORIGIN);
  }

  /** `record` waits for the connection, or for others of its topic that do. */
  enter(records: PublishRecords, record: number): void {
    const { bytes, view } = records.limits.arena;
    bytes[record + STATE] = bytes[record + STATE]! | REPLAYED;
    this.occupy(view.getUint16(record + SLOT));
    if (this.replayCount++ === 0)
      this.replayCursor = record;
  }

  /** It waits no more. */
  leave(records: PublishRecords, record: number): void {
    if (--this.replayCount !== 0 && this.replayCursor === record)
      this.replayCursor = records.nextPending(record, PENDING | REPLAYED);
    this.vacate(records.limits.arena.view.getUint16(record + SLOT));
  }

  /** One that is held is done. */
  leaveHeld(): void {
    --this.heldCount;
    ++this.heldRevision;
  }

  /** All that is to be sent waits in the first lane from now on. */
  joinLanes(records: PublishRecords): void {
    const { bytes } = records.limits.arena;
    let first = NONE;
    for (let record = records.following(NONE); record !== NONE; record = records.following(record)) {
      const flags = bytes[record + STATE]!;
      if ((flags & (PENDING | HELD)) !== PENDING)
        continue;
      if (first === NONE)
        first = record;
      if ((flags & REPLAYED) === 0)
        this.enter(records, record);
    }
    this.replayCursor = first;
  }

  /** Counts anew what of the messages in the queue waits, and nothing else: the log is read anew. */
  recount(records: PublishRecords): void {
    const { bytes, view } = records.limits.arena;
    this.waitingCount = 0;
    this.waitingByRule.fill(0);
    this.vacateAll();
    for (let record = records.following(NONE); record !== NONE; record = records.following(record))
      if ((bytes[record + STATE]! & (PENDING | REPLAYED)) === (PENDING | REPLAYED))
        this.occupy(view.getUint16(record + SLOT));
  }

  /**
   * @param fresh the first record of those that have not waited, or NONE @returns the one to be sent next, NONE when
   * none may be
   */
  choose(sender: Sender, fresh: number): number {
    if (this.replayTotal === 0)
      return fresh === NONE || this.mayLeave(sender, fresh) ? fresh : NONE;
    if (fresh !== NONE && !this.isReplayTurn(sender)) {
      if (this.mayLeave(sender, fresh))
        return fresh;
      return this.replayInflight < mostOf(sender.limits.maximumInflight) ? this.chooseReplayed(sender) : NONE;
    }
    const record = this.chooseReplayed(sender);
    return record !== NONE || fresh === NONE ? record : this.chooseFresh(sender, fresh);
  }

  /**
   * @param fresh the first record of those that have not waited @returns it, if it may be sent and they have not got
   * their share yet
   */
  chooseFresh(sender: Sender, fresh: number): number {
    return !this.hasShare(sender) && this.mayLeave(sender, fresh) ? fresh : NONE;
  }

  private chooseReplayed(sender: Sender): number {
    if (this.replayCount === 0) {
      this.journal!.refill();
      if (this.replayCount === 0)
        return NONE;
    }
    return this.mayLeave(sender, this.replayCursor) ? this.replayCursor : NONE;
  }

  /** Whether all that must be durable before `record`, which is to be sent, is. */
  private mayLeave(sender: Sender, record: number): boolean {
    const { journal } = this;
    const { view } = sender.limits.arena;
    if (journal === undefined || view.getUint32(record + POSITION) <= ABANDONED)
      return true;
    sender.prepare(record, journal);
    return journal.isDurable(view.getUint32(record + STAMP));
  }

  /** Of two lanes in which something waits. */
  private isReplayTurn(sender: Sender): boolean {
    return this.replayInflight < mostOf(sender.limits.maximumInflight) && (this.isReplayNext || this.hasShare(sender));
  }

  /** Whether what has not waited has as much under way as it may have while others wait that have. */
  private hasShare(sender: Sender): boolean {
    return this.replayTotal > 0 && sender.inflightCount - this.replayInflight >= mostOf(sender.limits.maximumInflight);
  }
}

/** What either lane may have under way while something waits in the other: a quarter is kept for that one. */
const mostOf = (maximumInflight: number): number => maximumInflight - (maximumInflight >> 2);
