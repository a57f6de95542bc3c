/**
 * PUBRELs that must not go out before it is durable that PUBREC has come. Of fixed size: as many as may be under way.
 */
const FIELDS = 2;

export class Releases {
  private count = 0;
  /** Packet identifier, stamp. */
  private readonly entries: Int32Array;

  constructor(capacity: number) {
    this.entries = new Int32Array(capacity * FIELDS);
  }

  /** @param stamp what must be durable before @returns false when there is no place: it goes out at once then */
  add(identifier: number, stamp: number): boolean {
    if (this.has(identifier))
      return true;
    const at = this.count * FIELDS;
    if (at === this.entries.length)
      return false;
    this.entries[at] = identifier;
    this.entries[at + 1] = stamp;
    ++this.count;
    return true;
  }

  has(identifier: number): boolean {
    for (let index = 0; index < this.count; ++index)
      if (this.entries[index * FIELDS] === identifier)
        return true;
    return false;
  }

  /** @returns the identifier of the first one, which is removed, if it may go out; else 0 */
  take(durable: number): number {
    const { entries } = this;
    if (this.count === 0 || (durable - entries[1]! | 0) < 0)
      return 0;
    const identifier = entries[0]!;
    entries.copyWithin(0, FIELDS, this.count-- * FIELDS);
    return identifier;
  }

  clear(): void {
    this.count = 0;
  }
}
