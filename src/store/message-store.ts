/**
 * The store (README.md): takes a storage, splits it into the queue's and the map's blocks, and knows what of it is durable.
 * To become store.ts when nothing uses the class there any more.
 */
import type { Arena } from '../bytes/arena.ts';
import type { BlockStorage } from './block-storage.ts';
import type { MessageQueue } from './message-queue.ts';
import type { StateMap } from './state-map.ts';
import type { StoreClock } from './store-clock.ts';
import type { Recovery, StoreOwner, StoreReport } from './store-owner.ts';

export interface StoreSettings {
  /** Share of the storage that the map has, 0 to 1; 0: no map. */
  readonly stateShare: number;
  /** Entries that the map can have. */
  readonly stateCapacity: number;
}

export interface Store {
  readonly arena: Arena;
  readonly settings: StoreSettings;
  readonly queue: MessageQueue;
  /** undefined: the storage is too small, or version 0.1's messages still lie there, or none is wanted. */
  readonly state: StateMap | undefined;
  readonly clock: StoreClock;
  readonly isOpen: boolean;
  /** Things can be written. */
  readonly isWorking: boolean;
  /** Something has been written since the last flush began. */
  readonly isDirty: boolean;
  /** Grows with each thing that must become durable; 32 bits, compare differences. */
  readonly written: number;
  /** Up to here all is durable. */
  readonly durable: number;
  /** @throws Error that says what to do: too small, of a later version, or what the storage throws. The storage is not closed then. */
  open(storage: BlockStorage, owner: StoreOwner, recovery: Recovery, report: StoreReport): void;
  /** Begins to make durable what was written; goes on by itself while more comes. */
  flush(): void;
  /** What `BlockStorage.onFlushed` tells; the driver brackets it like an event. */
  flushed(isDurable: boolean): void;
  /** Time has passed: milliseconds as the driver counts them, 32 bits. Puts a tick into the log when one is due. */
  advanceClock(now: number): void;
  /** Waits until all is durable. */
  close(): void;
}
