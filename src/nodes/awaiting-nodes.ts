/**
 * Nodes whose queues wait for something to be durable, each once: only they are asked when anything is, however many
 * there are. A ring of fixed size.
 */
export class AwaitingNodes {
  count = 0;
  private head = 0;
  private readonly indices: Uint16Array;
  /** Of each node: whether it is there. */
  private readonly isThere: Uint8Array;

  /** @param capacity nodes that there can be */
  constructor(capacity: number) {
    this.indices = new Uint16Array(capacity);
    this.isThere = new Uint8Array(capacity);
  }

  /** Bytes. */
  get tableLength(): number {
    return this.indices.byteLength + this.isThere.byteLength;
  }

  add(index: number): void {
    if (this.isThere[index] !== 0)
      return;
    this.isThere[index] = 1;
    let at = this.head + this.count++;
    if (at >= this.indices.length)
      at -= this.indices.length;
    this.indices[at] = index;
  }

  /** @returns the index of the one that has waited longest, which waits no more; there is one */
  take(): number {
    const index = this.indices[this.head]!;
    this.head = this.head + 1 === this.indices.length ? 0 : this.head + 1;
    --this.count;
    this.isThere[index] = 0;
    return index;
  }
}
