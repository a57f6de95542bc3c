/** Where the retained message of a topic lies, by hash of the topic. Of few messages each is looked at instead. */
import type { Arena, ArenaPlan } from '../bytes/arena.ts';
import { equalBytes, hashOf } from '../bytes/compare.ts';
import { HashChains, NO_ENTRY } from '../bytes/hash-chains.ts';
import { END, type PackedRecords } from '../bytes/packed-records.ts';

/** A record begins with | topic length (2) | QoS (1) | topic |. */
const TOPIC = 3;
/** Bytes of a place: that of the record of an entry, or, of an entry that is free, the next free one and the sign. */
const PLACE_LENGTH = 4;
const FREE = -0x80000000;
const FEW = 8;
/** Where there can be no more than these, they are always looked at: no memory for an index. */
const UNINDEXED = 32;

export class RetainedIndex {
  private readonly arena: Arena;
  private readonly records: PackedRecords;
  private readonly chains: HashChains;
  private readonly placesOffset: number;
  /** Entries used so far, free ones among them; and the first free one, or NO_ENTRY. */
  private usedCount = 0;
  private free = NO_ENTRY;
  /** Whether entries are kept: from the first message that makes them more than a few, to the last one. */
  private isKept = false;

  /** @param count messages, at most 65,535 */
  static plan(plan: ArenaPlan, count: number): number {
    return count > UNINDEXED
      ? plan.reserve('index of retained messages', HashChains.lengthFor(count) + count * PLACE_LENGTH) : 0;
  }

  constructor(arena: Arena, offset: number, records: PackedRecords) {
    this.arena = arena;
    this.records = records;
    this.chains = new HashChains(arena, offset, records.maximumCount);
    this.placesOffset = offset + HashChains.lengthFor(records.maximumCount);
  }

  /** @returns the place of the record of a topic, or END */
  find(nameOffset: number, nameLength: number): number {
    const { records } = this;
    if (!this.isKept) {
      for (let at = records.first; at !== END; at = records.next(at))
        if (this.isAt(at, nameOffset, nameLength))
          return at;
      return END;
    }
    const entry = this.entryOf(nameOffset, nameLength);
    return entry === NO_ENTRY ? END : this.placeOf(entry);
  }

  /** A record has been appended, and says its topic. */
  add(at: number): void {
    const { records } = this;
    if (this.isKept)
      this.enter(at);
    else if (records.count > FEW && records.maximumCount > UNINDEXED) {
      this.isKept = true;
      for (let each = records.first; each !== END; each = records.next(each))
        this.enter(each);
    }
  }

  /** The record of a topic, which is still where it was, is going to be removed. */
  remove(nameOffset: number, nameLength: number): void {
    if (!this.isKept)
      return;
    if (this.records.count === 1)
      this.isKept = false;
    const entry = this.entryOf(nameOffset, nameLength);
    this.chains.remove(entry);
    this.arena.view.setInt32(this.placesOffset + entry * PLACE_LENGTH, FREE | this.free + 1);
    this.free = entry;
  }

  /** What lay after the record at `at` lies `distance` further. */
  moved(at: number, distance: number): void {
    const { arena: { view }, placesOffset } = this;
    if (!this.isKept)
      return;
    for (let place = placesOffset, end = placesOffset + this.usedCount * PLACE_LENGTH; place < end;
      place += PLACE_LENGTH)
      if (view.getInt32(place) > at)
        view.setInt32(place, view.getInt32(place) + distance);
  }

  /** The record at `from` lies at `to` now, as all that lay before it do where they lie now. */
  relocate(from: number, to: number): void {
    const { arena: { view }, chains } = this;
    if (!this.isKept)
      return;
    let entry = chains.first(hashOf(this.arena, to + TOPIC, view.getUint16(to)));
    while (this.placeOf(entry) !== from)
      entry = chains.next(entry);
    view.setInt32(this.placesOffset + entry * PLACE_LENGTH, to);
  }

  private enter(at: number): void {
    const { arena, placesOffset, arena: { view } } = this;
    const entry = this.free === NO_ENTRY ? this.usedCount++ : this.free;
    if (entry === this.free) {
      const next = view.getInt32(placesOffset + entry * PLACE_LENGTH) & ~FREE;
      this.free = next === 0 ? NO_ENTRY : next - 1;
    }
    view.setInt32(placesOffset + entry * PLACE_LENGTH, at);
    this.chains.add(entry, hashOf(arena, at + TOPIC, view.getUint16(at)));
  }

  private entryOf(nameOffset: number, nameLength: number): number {
    const { chains } = this;
    let entry = chains.first(hashOf(this.arena, nameOffset, nameLength));
    while (entry !== NO_ENTRY && !this.isAt(this.placeOf(entry), nameOffset, nameLength))
      entry = chains.next(entry);
    return entry;
  }

  private isAt(record: number, nameOffset: number, nameLength: number): boolean {
    const { arena } = this;
    return arena.view.getUint16(record) === nameLength && equalBytes(arena, record + TOPIC, nameOffset, nameLength);
  }

  private placeOf(entry: number): number {
    return this.arena.view.getInt32(this.placesOffset + entry * PLACE_LENGTH);
  }
}
