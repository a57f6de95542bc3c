/** Which stored record is the newest of its topic, by the hash of the topic; of fixed size, so it does not know all. */
const CAPACITY = 512;
const FIELDS = 2;
const PROBES = 8;

export class LatestRecords {
  private readonly mask = CAPACITY - 1;
  /** Hash, position; 0, 0 is a free place. */
  private readonly entries = new Int32Array(CAPACITY * FIELDS);

  /** Bytes. */
  get tableLength(): number {
    return this.entries.byteLength;
  }

  /** Nothing is known of the records that lie there now. */
  clear(): void {
    this.entries.fill(0);
  }

  set(hash: number, position: number): void {
    const at = this.find(hash);
    if (at < 0)
      return;
    this.entries[at] = hash;
    this.entries[at + 1] = position;
  }

  /** A record has another place now. */
  move(from: number, to: number): void {
    const { entries } = this;
    for (let at = 1; at < entries.length; at += FIELDS)
      if (entries[at] === (from | 0))
        entries[at] = to;
  }

  /** Whether no newer record of the topic is known. */
  isLatest(hash: number, position: number): boolean {
    const at = this.find(hash);
    return at < 0 || this.entries[at] !== hash || this.entries[at + 1] === (position | 0);
  }

  /** @returns the place of `hash`, else a free one, else -1 */
  private find(hash: number): number {
    const { entries, mask } = this;
    for (let probe = 0; probe < PROBES; ++probe) {
      const at = ((hash >>> 4) + probe & mask) * FIELDS;
      if (entries[at] === hash || entries[at] === 0 && entries[at + 1] === 0)
        return at;
    }
    return -1;
  }
}
