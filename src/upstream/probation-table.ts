/**
 * The table behind probation.ts: who has sent, by which rule, and what is known of them. Of fixed size: when it is
 * full, one that is free is forgotten, else one that is only suspected. A place means nothing any more then.
 *
 * Nodes that nobody has known for a minute (nodes/acquaintances.ts) are one as soon as three of them are suspected by
 * one rule: else whoever makes up a Client Identifier for each connection would be somebody new each time.
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
/** In place of the identity of a node, which is odd, or of a slot: all that are not known. */
const STRANGERS = -2;
/** So many are suspected one by one. */
const MOST_STRANGERS = 2;

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

interface Knowledge {
  /** Whether the node of this identity has been known for a while. */
  isKnown: (identity: number) => boolean;
}

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
  private readonly nodes: Knowledge;

  /** @param capacity how many may be on probation */
  constructor(capacity: number, nodes: Knowledge) {
    this.entries = new Int32Array(capacity * FIELDS);
    this.nodes = nodes;
  }

  /** @returns its place, or NONE */
  find(origin: number, rule: number, slot: number): number {
    const { entries } = this;
    const key = origin === 0 ? slot << 1 : origin | 0;
    let strangers = NONE;
    for (let at = 0; at < this.count * FIELDS; at += FIELDS)
      if (entries[at + RULE] === rule)
        if (entries[at] === key)
          return at;
        else if (entries[at] === STRANGERS)
          strangers = at;
    return strangers === NONE || origin === 0 || this.nodes.isKnown(key) ? NONE : strangers;
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
  private enter(origin: number, rule: number, slot: number): number {
    const found = this.find(origin, rule, slot);
    if (found !== NONE)
      return found;
    if (origin !== 0 && !this.nodes.isKnown(origin | 0) && this.countStrangers(rule) >= MOST_STRANGERS)
      return this.merge(rule);
    return this.add(origin === 0 ? slot << 1 : origin, rule);
  }

  protected add(key: number, rule: number): number {
    const { entries } = this;
    if (this.count * FIELDS === entries.length)
      this.remove(this.leastOf());
    const at = this.count++ * FIELDS;
    entries.fill(0, at, at + FIELDS);
    entries[at] = key;
    entries[at + RULE] = rule;
    entries[at + IDENTIFIER] = NOBODY;
    return at;
  }

  private countStrangers(rule: number): number {
    let count = 0;
    for (let at = 0; at < this.count * FIELDS; at += FIELDS)
      if (this.isStranger(at, rule))
        ++count;
    return count;
  }

  /** All that are not known take the place of those that are suspected, and are as guilty. */
  private merge(rule: number): number {
    const { entries } = this;
    let pause = 0;
    for (let at = (this.count - 1) * FIELDS; at >= 0; at -= FIELDS)
      if (this.isStranger(at, rule)) {
        if (entries[at + PAUSE]! > pause) pause = entries[at + PAUSE]!;
        this.remove(at);
      }
    const at = this.add(STRANGERS, rule);
    entries[at + PAUSE] = pause;
    return at;
  }

  private isStranger(at: number, rule: number): boolean {
    const key = this.entries[at]!;
    return this.entries[at + RULE] === rule && (key & 1) !== 0 && !this.nodes.isKnown(key);
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
