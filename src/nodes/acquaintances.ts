/**
 * Which nodes have been known for a minute: by their identity, also when their sessions are forgotten. Who makes up a
 * Client Identifier for each connection never is; whoever comes within seconds after the first one is at once.
 *
 * A table of fixed size with two places for each: when neither is free, a stranger that has gone gives way, or a node
 * that was away for a day; else the new one stays a stranger.
 */
import type { Clock } from '../session/clock.ts';

/** Milliseconds. */
const MINUTE = 60_000;
const DAY = 86_400_000;
/** Milliseconds in which those come that were there before the start. */
const AT_START = 10_000;
// Fields; the time is when a stranger came first, and when one that is known came or went last.
const TIME = 1;
const STATE = 2;
const FIELDS = 3;
// States
const HERE = 1;
const KNOWN = 2;
const NOWHERE = -1;

export class Acquaintances {
  private readonly entries: Int32Array;
  private startedAt = 0;
  private isStarted = false;

  private readonly clock: Clock;

  /** @param count nodes of which sessions are kept */
  constructor(count: number, clock: Clock) {
    this.clock = clock;
    let places = 2;
    while (places < 2 * count)
      places <<= 1;
    this.entries = new Int32Array(places * FIELDS);
  }

  /** A node is connected. */
  came(identity: number): void {
    const { clock: { now }, entries } = this;
    if (!this.isStarted) {
      this.isStarted = true;
      this.startedAt = now;
    }
    let at = this.find(identity);
    if (at === NOWHERE) {
      at = this.findRoom(identity);
      if (at === NOWHERE)
        return;
      entries[at] = identity;
      entries[at + TIME] = now;
      entries[at + STATE] = now - this.startedAt >>> 0 < AT_START ? KNOWN : 0;
    }
    this.note(at, HERE);
  }

  /** It is not any more. */
  left(identity: number): void {
    const at = this.find(identity);
    if (at !== NOWHERE)
      this.note(at, 0);
  }

  isKnown(identity: number): boolean {
    const at = this.find(identity);
    if (at === NOWHERE)
      return false;
    if ((this.entries[at + STATE]! & HERE) !== 0)
      this.note(at, HERE);
    return (this.entries[at + STATE]! & KNOWN) !== 0;
  }

  private note(at: number, here: number): void {
    const { clock: { now }, entries } = this;
    const isKnown = (entries[at + STATE]! & KNOWN) !== 0 || now - entries[at + TIME]! >>> 0 >= MINUTE;
    entries[at + STATE] = isKnown ? KNOWN | here : here;
    if (isKnown)
      entries[at + TIME] = now;
  }

  private find(identity: number): number {
    const { entries } = this;
    const at = this.placeOf(identity);
    return entries[at] === identity ? at : entries[at + FIELDS] === identity ? at + FIELDS : NOWHERE;
  }

  private findRoom(identity: number): number {
    const at = this.placeOf(identity);
    return this.isFree(at) ? at : this.isFree(at + FIELDS) ? at + FIELDS : NOWHERE;
  }

  private isFree(at: number): boolean {
    const { clock: { now }, entries } = this;
    const state = entries[at + STATE]!;
    return state === 0 || state === KNOWN && now - entries[at + TIME]! >>> 0 >= DAY;
  }

  /** @returns the first of its two places; the lowest bit of an identity tells nothing */
  private placeOf(identity: number): number {
    const pairs = this.entries.length / (2 * FIELDS);
    return (identity >>> 1 & pairs - 1) * 2 * FIELDS;
  }
}
