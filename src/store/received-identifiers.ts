/**
 * QoS 2 messages of nodes that are in the store and that the node has not released (PUBREL) yet. A node that sends one of
 * them again, after a restart of the gateway that it did not notice, must not have it stored twice. Of fixed size: when it
 * is full the oldest entry is forgotten, and so are those of a block of the store that is used anew.
 */
import { NONE } from './store.ts';

const FIELDS = 3;
const IDENTIFIER = 1;
const POSITION = 2;

export class StoreReceptions {
  count = 0;
  private readonly capacity: number;
  /** Origin, identifier, position of the record; oldest first. */
  private readonly entries: Int32Array;

  constructor(capacity: number) {
    this.capacity = capacity;
    this.entries = new Int32Array(capacity * FIELDS);
  }

  add(origin: number, identifier: number, position: number): void {
    this.remove(this.find(origin, identifier));
    if (this.count === this.capacity)
      this.remove(0);
    const at = this.count++ * FIELDS;
    this.entries[at] = origin;
    this.entries[at + IDENTIFIER] = identifier;
    this.entries[at + POSITION] = position;
  }

  /** @returns the index of the entry, or NONE */
  find(origin: number, identifier: number): number {
    const { entries } = this;
    for (let index = 0, at = 0; index < this.count; ++index, at += FIELDS)
      if (entries[at] === (origin | 0) && entries[at + IDENTIFIER] === identifier)
        return index;
    return NONE;
  }

  positionOf(index: number): number {
    return this.entries[index * FIELDS + POSITION]! >>> 0;
  }

  remove(index: number): void {
    if (index === NONE)
      return;
    this.entries.copyWithin(index * FIELDS, (index + 1) * FIELDS, this.count * FIELDS);
    --this.count;
  }

  /** Forgets what lies from `start` to `end` of the store. */
  removeWithin(start: number, end: number): void {
    for (let index = this.count - 1; index >= 0; --index)
      if (this.positionOf(index) >= start && this.positionOf(index) < end)
        this.remove(index);
  }
}
