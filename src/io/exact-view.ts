/**
 * ECMA-419 reads and writes exactly one view. Both classes give it a view of the wanted length at the arena's landing or
 * staging area.
 *
 * ResizedViews, for XS: the arena is cut off behind the wanted bytes for a moment, so that a length-tracking view becomes
 * exactly as long as wanted. It costs two native calls and no memory, where a new view costs four slots. Nothing may
 * allocate in between, for a collection would trim the buffer; growing back fills what was cut off with zeros, which is
 * why only areas that keep nothing lie at the end.
 *
 * CachedViews, for Node: its engine resizes by a system call and treats resizable buffers as slow, but views are cheap.
 */
import type { Arena } from '../bytes/arena.ts';
import type { TCPSocket } from './transport.ts';

export interface ExactViews {
  /** Reads `length` bytes, at most what the socket has and what fits, into the landing area. */
  read(socket: TCPSocket, length: number): void;
  /** Writes the first `length` bytes of the staging area. @returns how many more bytes may be written now; 0 too when the connection turns out to be dead */
  write(socket: TCPSocket, length: number): number;
  /** After an exception out of `read` or `write`. */
  restore(): void;
}

export class ResizedViews implements ExactViews {
  private readonly buffer: ArrayBuffer;
  private readonly length: number;
  private readonly landing: Uint8Array;
  private readonly landingOffset: number;
  private readonly staging: Uint8Array;
  private readonly stagingOffset: number;

  constructor(arena: Arena) {
    this.buffer = arena.buffer;
    this.length = arena.length;
    this.landing = arena.landingView;
    this.landingOffset = arena.landingOffset;
    this.staging = arena.stagingView;
    this.stagingOffset = arena.stagingOffset;
  }

  read(socket: TCPSocket, length: number): void {
    this.buffer.resize(this.landingOffset + length);
    socket.read(this.landing);
    this.buffer.resize(this.length);
  }

  write(socket: TCPSocket, length: number): number {
    let room: number | undefined = 0;
    this.buffer.resize(this.stagingOffset + length);
    try {
      room = socket.write(this.staging);
    } catch { /* the board is not ready to write once the peer has closed, though there may be more to read */ }
    this.buffer.resize(this.length);
    return room ?? 0; // undefined: the connection is dead, which is reported later
  }

  restore(): void {
    this.buffer.resize(this.length);
  }
}

export class CachedViews implements ExactViews {
  private readonly arena: Arena;
  private readonly landing: (Uint8Array | undefined)[];
  private readonly staging: (Uint8Array | undefined)[];

  constructor(arena: Arena) {
    this.arena = arena;
    this.landing = new Array<Uint8Array | undefined>(arena.landingCapacity + 1).fill(undefined);
    this.staging = new Array<Uint8Array | undefined>(arena.stagingCapacity + 1).fill(undefined);
  }

  read(socket: TCPSocket, length: number): void {
    const { landingOffset, bytes } = this.arena;
    socket.read(this.landing[length] ??= bytes.subarray(landingOffset, landingOffset + length));
  }

  write(socket: TCPSocket, length: number): number {
    const { stagingOffset, bytes } = this.arena;
    try {
      return socket.write(this.staging[length] ??= bytes.subarray(stagingOffset, stagingOffset + length)) ?? 0;
    } catch {
      return 0;
    }
  }

  restore(): void { /* nothing was changed */ }
}
