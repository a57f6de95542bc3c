/**
 * Where the last value of each key lies: a hash table of fixed size, without holes, so that a search ends at the
 * first free place.
 */

/** No entry. */
export const NO_ENTRY = -1;

const { imul } = Math;

export class StateIndex {
  count = 0;
  /** Entries that it takes. */
  readonly capacity: number;
  /** Places; a power of two, a third more than entries at least. */
  readonly size: number;
  private readonly keys: Int32Array;
  /** 0 for a free place: no record lies there. */
  private readonly positions: Uint32Array;
  /** Kind, and length of the record in the lower three bytes. */
  private readonly shapes: Uint32Array;

  constructor(capacity: number) {
    let size = 8;
    while (size * 3 < capacity * 4)
      size *= 2;
    this.capacity = capacity;
    this.size = size;
    this.keys = new Int32Array(size);
    this.positions = new Uint32Array(size);
    this.shapes = new Uint32Array(size);
  }

  get isFull(): boolean {
    return this.count >= this.capacity;
  }

  /** @returns the place of the entry, or NO_ENTRY */
  find(kind: number, key: number): number {
    const at = this.placeOf(kind, key);
    return this.positions[at] === 0 ? NO_ENTRY : at;
  }

  /** The caller has made sure that it is not full, or that the entry is there. */
  set(kind: number, key: number, position: number, length: number): void {
    const at = this.placeOf(kind, key);
    if (this.positions[at] === 0)
      ++this.count;
    this.keys[at] = key;
    this.positions[at] = position;
    this.shapes[at] = kind << 24 | length;
  }

  removeAt(at: number): void {
    const mask = this.size - 1;
    --this.count;
    for (let hole = at, next = at + 1 & mask; ; next = next + 1 & mask) {
      if (this.positions[next] === 0) {
        this.positions[hole] = 0;
        return;
      }
      const wanted = this.hash(this.kindAt(next), this.keys[next]!);
      if ((next - wanted & mask) < (next - hole & mask)) // it may not lie before the place that it wants
        continue;
      this.keys[hole] = this.keys[next]!;
      this.positions[hole] = this.positions[next]!;
      this.shapes[hole] = this.shapes[next]!;
      hole = next;
    }
  }

  kindAt(at: number): number {
    return this.shapes[at]! >>> 24;
  }

  keyAt(at: number): number {
    return this.keys[at]!;
  }

  /** 0 for a free place. */
  positionAt(at: number): number {
    return this.positions[at]!;
  }

  lengthAt(at: number): number {
    return this.shapes[at]! & 0xFFFFFF;
  }

  moveTo(at: number, position: number): void {
    this.positions[at] = position;
  }

  /** The place of the entry, or the free one where it would be. */
  private placeOf(kind: number, key: number): number {
    const mask = this.size - 1;
    let at = this.hash(kind, key);
    while (this.positions[at] !== 0 && (this.keys[at] !== (key | 0) || this.shapes[at]! >>> 24 !== kind))
      at = at + 1 & mask;
    return at;
  }

  private hash(kind: number, key: number): number {
    const mixed = imul(key ^ imul(kind, 0x85EBCA6B), 0x9E3779B1);
    return (mixed ^ mixed >>> 15) & this.size - 1;
  }
}
