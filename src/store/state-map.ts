/** The last value of each key. */
export interface StateMap {
  /** Entries, and the bytes that they take and can take. */
  readonly count: number;
  readonly usedLength: number;
  readonly capacity: number;
  /** @returns false when there is no room, or the storage has failed: the old value stays */
  put(kind: number, key: number, offset: number, length: number): boolean;
  /** @returns whether there was one */
  remove(kind: number, key: number): boolean;
  has(kind: number, key: number): boolean;
  /** Whether a value of `length` bytes under a new key can be put. */
  hasRoom(length: number): boolean;
}
