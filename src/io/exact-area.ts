/**
 * A few bytes of which any first ones can be read or written at once: ECMA-419 reads and writes exactly one view
 * (exact-view.ts). What it gives is good until `restore`.
 */
export interface ExactArea {
  /** @returns a view of the first `length` bytes, 1 to the whole length */
  exact(length: number): Uint8Array;
  restore(): void;
}

/** For XS. Nothing may allocate between `exact` and `restore`. */
export class ResizedArea implements ExactArea {
  private readonly buffer: ArrayBuffer;
  private readonly bytes: Uint8Array;
  private readonly length: number;

  constructor(length: number) {
    this.buffer = new ArrayBuffer(length, { maxByteLength: length });
    this.bytes = new Uint8Array(this.buffer);
    this.length = length;
  }

  exact(length: number): Uint8Array {
    this.buffer.resize(length);
    return this.bytes;
  }

  restore(): void {
    this.buffer.resize(this.length);
  }
}

/** For Node. */
export class CachedArea implements ExactArea {
  private readonly views: readonly Uint8Array[];

  constructor(length: number) {
    const bytes = new Uint8Array(length);
    this.views = Array.from({ length: length + 1 }, (_, index) => bytes.subarray(0, index));
  }

  exact(length: number): Uint8Array {
    return this.views[length]!;
  }

  restore(): void { /* nothing was cut off */ }
}
