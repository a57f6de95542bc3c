/**
 * ECMA-419 reads and writes exactly one view. Both classes have a view of the wanted length at the arena's landing
 * and staging area.
 *
 * ResizedViews, for XS: the arena is cut off behind the wanted bytes for a moment, so that a length-tracking view
 * becomes exactly as long as wanted. It costs two native calls and no memory, where a new view costs four slots.
 * Nothing may allocate in between, for a collection would trim the buffer; growing back fills what was cut off with
 * zeros, which is why only areas that keep nothing lie at the end.
 *
 * CachedViews, for Node: its engine resizes by a system call and treats resizable buffers as slow, but views are
 * cheap.
 */
import type { Arena } from '../bytes/arena.ts';

export interface ExactViews {
  /**
   * `resize` to the end of the wanted bytes makes `landing` or `staging` exact; to `length` undoes it. Straight to
   * the engine: this is the hot path.
   */
  readonly buffer: { resize(length: number): void };
  readonly length: number;
  readonly landing: Uint8Array;
  readonly staging: Uint8Array;
}

export class ResizedViews implements ExactViews {
  readonly buffer: ArrayBuffer;
  readonly length: number;
  readonly landing: Uint8Array;
  readonly staging: Uint8Array;

  constructor(arena: Arena) {
    this.buffer = arena.buffer;
    this.length = arena.length;
    this.landing = arena.landingView;
    this.staging = arena.stagingView;
  }
}

export class CachedViews implements ExactViews {
  readonly buffer: CachedViews;
  readonly length: number;
  landing: Uint8Array;
  staging: Uint8Array;
  private readonly arena: Arena;
  private readonly cache: (Uint8Array | undefined)[];

  constructor(arena: Arena) {
    this.arena = arena;
    this.buffer = this;
    this.length = arena.length;
    this.landing = arena.landingView;
    this.staging = arena.stagingView;
    this.cache = new Array<Uint8Array | undefined>(arena.landingCapacity + arena.stagingCapacity + 1).fill(undefined);
  }

  resize(end: number): void {
    const { bytes, landingOffset, stagingOffset } = this.arena;
    if (end <= stagingOffset)
      this.landing = this.cache[end - landingOffset] ??= bytes.subarray(landingOffset, end);
    else
      this.staging = this.cache[end - landingOffset] ??= bytes.subarray(stagingOffset, end);
  }
}
