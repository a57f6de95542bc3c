/**
 * The seconds of power since the store was made, and how long it was off in between, as far as that is known
 * (README.md). A board has no clock that goes on without power, and its calendar comes from the network, late or
 * never.
 */
import type { Arena } from '../bytes/arena.ts';

/** Times without power that are remembered. */
const MOST_GAPS = 16;
/** Seconds by which the calendar may run otherwise than the clock, and is not said to have been set. */
const LONGEST_DRIFT = 5;
const FIELDS = 2;

/** Bytes of the body of a clock's record, with so many gaps. */
const CLOCK_BODY = 16;
export const LONGEST_CLOCK_BODY = CLOCK_BODY + MOST_GAPS * FIELDS * 4;

export class StoreClock {
  /** Seconds. */
  now = 0;
  /** A gap has become known, or the calendar has been set anew, and no record has it yet. */
  hasNews = false;
  /** When the calendar was known last: on this clock, and in seconds since 1970; 0 for never. */
  private knownAt = 0;
  private calendar = 0;
  /** First start since then; 0 when there was none. */
  private started = 0;
  /** The clock at a start, and the seconds without power before it; oldest first. */
  private readonly gaps = new Uint32Array(MOST_GAPS * FIELDS);
  private gapCount = 0;
  private milliseconds = 0;
  /** What the driver's clock said last. */
  private last = 0;
  private isRunning = false;
  /** A store has been opened in this life: this is the clock, whatever another storage says. */
  private hasBegun = false;

  /** The store has been opened: everything up to now was another life, unless it is one that works again. */
  begin(): void {
    if (this.hasBegun) {
      this.hasNews = true;
      return;
    }
    this.hasBegun = true;
    ++this.now;
    if (this.calendar !== 0 && this.started === 0)
      this.started = this.now;
    this.milliseconds = 0;
    this.isRunning = false;
  }

  /** A storage is going to be read. Before the first one nothing is known. */
  beginRestoring(): void {
    if (this.hasBegun)
      return;
    this.now = this.knownAt = this.calendar = this.started = this.gapCount = 0;
    this.hasNews = false;
  }

  /** @param milliseconds as the driver counts them, 32 bits */
  advance(milliseconds: number): void {
    if (this.isRunning)
      this.milliseconds += milliseconds - this.last | 0;
    this.isRunning = true;
    this.last = milliseconds;
    if (this.milliseconds < 1000)
      return;
    const seconds = this.milliseconds / 1000 | 0;
    this.now += seconds;
    this.milliseconds -= seconds * 1000;
  }

  /** What the calendar says, in seconds since 1970; to be called after `advance`. */
  setCalendar(seconds: number): void {
    if (this.started !== 0) {
      const gap = seconds - this.calendar - (this.now - this.knownAt);
      if (gap > 0) {
        this.addGap(this.started, gap);
        this.hasNews = true;
      }
      this.started = 0;
    } else if (this.calendar !== 0
      && Math.abs(seconds - this.calendar - (this.now - this.knownAt)) > LONGEST_DRIFT)
      this.hasNews = true; // else the step would count as time without power, should that fail now
    this.calendar = seconds;
    this.knownAt = this.now;
  }

  /** Seconds since `takenAt`, the time without power included as far as it is known. */
  age(takenAt: number): number {
    const { gaps } = this;
    let age = this.now - takenAt;
    for (let index = this.gapCount - 1; index >= 0 && gaps[index * FIELDS]! > takenAt; --index)
      age += gaps[index * FIELDS + 1]!;
    return age;
  }

  /** Whether what was taken then is past its deadline; 0 is none. */
  isExpired(takenAt: number, deadline: number): boolean {
    return deadline !== 0 && this.age(takenAt) >= deadline - takenAt;
  }

  // For the store

  /** A record is from that moment: it is not earlier now. */
  reach(moment: number): void {
    if (moment > this.now)
      this.now = moment;
  }

  /** Reads the body of a record that lies at `offset` of the staging area; a later one replaces it. */
  restore(arena: Arena, offset: number, length: number): void {
    const { view } = arena;
    const at = arena.stagingOffset + offset;
    const count = length - CLOCK_BODY >> 3;
    if (count < 0 || count > MOST_GAPS)
      return;
    this.reach(view.getUint32(at));
    if (this.hasBegun)
      return; // this life knows better
    this.knownAt = view.getUint32(at + 4);
    this.calendar = view.getUint32(at + 8);
    this.started = view.getUint32(at + 12);
    this.gapCount = count;
    for (let index = 0; index < count * FIELDS; ++index)
      this.gaps[index] = view.getUint32(at + CLOCK_BODY + index * 4);
  }

  /** Bytes that `save` writes. */
  get length(): number {
    return CLOCK_BODY + this.gapCount * FIELDS * 4;
  }

  /** Writes the body at `at`. @returns its length */
  save(arena: Arena, at: number): number {
    const { view } = arena;
    this.hasNews = false;
    view.setUint32(at, this.now);
    view.setUint32(at + 4, this.knownAt);
    view.setUint32(at + 8, this.calendar);
    view.setUint32(at + 12, this.started);
    for (let index = 0; index < this.gapCount * FIELDS; ++index)
      view.setUint32(at + CLOCK_BODY + index * 4, this.gaps[index]!);
    return this.length;
  }

  private addGap(start: number, seconds: number): void {
    const { gaps } = this;
    if (this.gapCount === MOST_GAPS) {
      // The two oldest become one, at the earlier start: what was taken between them becomes younger.
      gaps[1]! += gaps[FIELDS + 1]!;
      gaps.copyWithin(FIELDS, 2 * FIELDS);
      --this.gapCount;
    }
    gaps[this.gapCount * FIELDS] = start;
    gaps[this.gapCount * FIELDS + 1] = seconds;
    ++this.gapCount;
  }
}
