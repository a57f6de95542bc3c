/** What the store tells whoever uses it. */
import type { StoredMessage } from './stored-message.ts';

export interface StoreOwner {
  /**
   * All up to this value of `written` is durable. Never from inside a call of the store but `flush`, and there only
   * on a storage that is durable at once.
   */
  onDurable(durable: number): void;
  /** A record has another place now: the block where it was could not be made durable, or made room. */
  onMoved(from: number, to: number): void;
  /** What lies from `start` to `end` of the storage is going to be erased; no message in it needs anything more. */
  onBlockErased(start: number, end: number): void;
  /** Once: nothing is written from now on, what is there can still be read. */
  onStorageFailed(reason: string): void;
}

/** Told at `open`, each thing once. */
export interface Recovery {
  /**
   * In the order of the log: messages that are not settled, and those that are but that their origin may send again
   * (`isSettled`, not `isReleased`).
   */
  onMessage(message: StoredMessage): void;
  /** The value of each key of the map; it lies in the staging area. */
  onState(kind: number, key: number, offset: number, length: number): void;
}

/** Verdicts on a message whose block is to be given up. */
export const GIVE_UP = 0;
/** A copy, new at the tail, takes its place: `StoreOwner.onMoved` says where. */
export const MOVE = 1;
/** The block must stay. */
export const KEEP = 2;

export interface VictimHandler {
  /** Whether `onVictim` may say KEEP: else nobody is asked before the block is given up. */
  readonly mayKeep: boolean;
  /** Whether there are messages down, which all move, before others; if that is not possible the block stays. */
  readonly movesDown?: boolean;
  /** Judges a message that is not settled, in the order of the log; changes nothing: it may be asked more than once. */
  onVictim(message: StoredMessage): number;
  /** The message is given up. */
  onGivenUp(message: StoredMessage): void;
}

/** What was found at `open`, for the user. */
export class StoreReport {
  /** Messages that are not settled. */
  restoredCount = 0;
  /** Records and rests of blocks that are unreadable. */
  damagedCount = 0;
  /** Blocks that hold something that is not ours. */
  foreignBlockCount = 0;
  /** Of `restoredCount`, those that version 0.1 has stored. */
  versionOneCount = 0;
  /** The boundary between queue and map stays where it was, whatever the configuration says. */
  keepsBoundary = false;
  /** The storage is too small for a map. */
  hasNoMap = false;
}
