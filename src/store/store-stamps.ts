/**
 * How far the store had been written when something was entered: what depends on that waits until the store is durable
 * up to there. The part of a journal that is the same for messages up and down.
 */
import type { Store } from './message-store.ts';

export class StoreStamps {
  readonly store: Store;

  constructor(store: Store) {
    this.store = store;
  }

  /** 0: nothing has to be waited for. */
  get stamp(): number {
    const { durable, written } = this.store;
    return written === durable ? 0 : written === 0 ? 1 : written;
  }

  /** A storage that does not work makes nobody wait: what becomes of the rest, its owner decides. */
  isDurable(stamp: number): boolean {
    const { store } = this;
    return stamp === 0 || (store.durable - stamp | 0) >= 0 || !store.isWorking;
  }
}
