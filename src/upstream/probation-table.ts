/**
 * The table behind probation.ts: who has sent, by which rule, and what is known of them. Of fixed size: when it is
 * full, one that is free is forgotten, else one that is only suspected. A place means nothing any more then.
 */
import { NONE } from '../session/record-layout.ts';
import type { OutboundQueue } from '../session/outbound-queue.ts';

export const FREE = 0;
export const WAITING = 1;
export const TRIED = 2;
export const ALONE = 3;

/** In place of a packet identifier. */
export const NOBODY = NONE;

export const FIELDS = 11;
// Fields, after the identity of the node; of what has none the slot of its topic.
const RULE = 1;
export const STATE = 2;
/** Packet identifier of the one that was under way, how often in a row it was, and how often that alone is proof. */
export const IDENTIFIER = 3;
export const STRIKES = 4;
export const PROOFS = 5;
/** Milliseconds; 0: nobody is guilty. */
export const PAUSE = 6;
export const DUE_AT = 7;
export const SEEN_AT = 8;
/** Bytes that have come while they waited. */
export const LENGTH = 9;
/** What had got through at the first strike. */
export const PROGRESS = 10;

export abstract class ProbationTable {
  /** Whether anybody waits, or it is somebody's turn. */
  isHolding = false;
  /** Whose turn it is; NONE: nobody's. */
  turn = NONE;
  /** Another number when somebody waits who did not, or the other way round; and the one by which messages are held. */
  revision = 0;
  heldRevision = 0;
  protected count = 0;
  protected readonly entries: Int32Array;

  /** @param capacity how many may be on probation */
  constructor(capacity: number) {
    this.entries = new Int32Array(capacity * FIELDS);
  }

  /** @returns its place, or NONE */
  find(origin: number, rule: number, slot: number): number {
    const { entries } = this;
    const key = (origin === 0 ? slot : origin) | 0;
    for (let at = 0; at < this.count * FIELDS; at += FIELDS)
      if (entries[at] === key && entries[at + RULE] === rule)
        return at;
    return NONE;
  }

  /** @returns the place of those whose message lies in `record`, or NONE */
  findOf(queue: OutboundQueue, record: number): number {
    return this.find(queue.originOf(record), queue.ruleOf(record), queue.slotOf(record));
  }

  /** The same; they are entered if nobody knows them. */
  enterOf(queue: OutboundQueue, record: number): number {
    return this.enter(queue.originOf(record), queue.ruleOf(record), queue.slotOf(record));
  }

  /** @param rule index @param slot of the topic, for what has no node @returns its place */
  protected enter(origin: number, rule: number, slot: number): number {
    const found = this.find(origin, rule, slot);
    if (found !== NONE)
      return found;
    const { entries } = this;
    if (this.count * FIELDS === entries.length)
      this.remove(this.leastOf());
    const at = this.count++ * FIELDS;
    entries.fill(0, at, at + FIELDS);
    entries[at] = origin === 0 ? slot : origin;
    entries[at + RULE] = rule;
    entries[at + IDENTIFIER] = NOBODY;
    return at;
  }

  /** @param at a place, or NONE */
  isGuilty(at: number): boolean {
    return at !== NONE && this.entries[at + PAUSE] !== 0;
  }

  /** Whether what is held is not what waits: until then nothing is read from the log. */
  get isChanged(): boolean {
    return this.revision !== this.heldRevision;
  }

  /** Somebody else is to blame. */
  forgetAll(): void {
    if (this.count > 0)
      ++this.revision;
    this.count = 0;
    this.turn = NONE;
    this.isHolding = false;
  }

  protected remove(at: number): void {
    if (this.turn === at)
      this.turn = NONE;
    else if (this.turn > at)
      this.turn -= FIELDS;
    this.entries.copyWithin(at, at + FIELDS, this.count-- * FIELDS);
    this.recount();
  }

  protected recount(): void {
    ++this.revision;
    this.isHolding = false;
    for (let at = 0; at < this.count * FIELDS; at += FIELDS)
      if (this.entries[at + STATE] !== FREE)
        this.isHolding = true;
  }

  /** Who gives way: one that is free, else one that is not guilty; the one that was seen first. */
  private leastOf(): number {
    const { entries } = this;
    let least = 0;
    for (let at = FIELDS; at < this.count * FIELDS; at += FIELDS) {
      const rank = this.rankAt(at) - this.rankAt(least);
      if (rank < 0 || rank === 0 && (entries[at + SEEN_AT]! - entries[least + SEEN_AT]! | 0) < 0)
        least = at;
    }
    return least;
  }

  private rankAt(at: number): number {
    return this.entries[at + STATE] === FREE ? 0 : this.isGuilty(at) ? 2 : 1;
  }
}
