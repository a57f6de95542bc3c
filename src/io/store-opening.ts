/**
 * Gets the storage of the store from the platform, at start and again every 30 seconds while there is none that
 * works: a disk that was not there, a file that somebody else had, a card that was pulled out.
 */
import type { Arena } from '../bytes/arena.ts';
import type { StoreConfiguration } from '../config/store-configuration.ts';
import * as Event from '../config/events.ts';
import type { Gateway } from '../gateway/gateway.ts';
import { longestStoredPacket } from '../gateway/packet-limits.ts';
import { isDue } from '../session/clock.ts';
import type { BlockStorage } from '../store/block-storage.ts';
import type { Store } from '../store/message-store.ts';
import type { Scheduler } from './scheduler.ts';

/** Opens what `store.path` names, for packets of up to `longest` bytes. @throws Error whose message says what to do */
export type StorageOpener = (store: StoreConfiguration, arena: Arena, longest: number) => BlockStorage;

export interface StoreRemarks extends Event.GatewayObserver {
  /** Something about the storage that the user should know; `isUsed`: it works all the same. */
  onStoreRemark?(message: string, isUsed: boolean): void;
}

/** Milliseconds from one attempt to the next. */
const INTERVAL = 30_000;
/** From one look at a storage that may be taken away to the next. */
const LOOK_INTERVAL = 1000;

export class StoreOpening {
  private readonly gateway: Gateway;
  private readonly scheduler: Scheduler;
  private readonly openStorage: StorageOpener | undefined;
  private readonly observer: StoreRemarks;
  private dueAt = 0;
  private isPending = false;
  /** What went wrong last: it is told once. */
  private told = '';
  private hasWorked = false;
  /** Whether the storage has to be looked at, and when next. */
  private isLooked = false;
  private lookAt = 0;

  constructor(gateway: Gateway, scheduler: Scheduler, openStorage: StorageOpener | undefined, observer: StoreRemarks) {
    this.gateway = gateway;
    this.scheduler = scheduler;
    this.openStorage = openStorage;
    this.observer = observer;
  }

  /** Makes an attempt, if there is a store that does not work. */
  open(): void {
    const { gateway, observer } = this;
    const { durableStore } = gateway;
    if (durableStore === undefined || durableStore.backlog.store.isWorking)
      return;
    const { store } = durableStore.backlog;
    this.isPending = false;
    try {
      if (this.openStorage === undefined)
        throw new Error('there is no storage for a persistent store here');
      store.close(); // the one that has failed
      const storage =
        this.openStorage(gateway.configuration.store, gateway.arena, longestStoredPacket(gateway.configuration));
      this.use(storage);
      if (storage.remark !== '' && storage.remark !== this.told)
        observer.onStoreRemark?.(storage.remark, true);
      const isUsable = store.isWorking && storage.isReadOnly !== true;
      if (isUsable && (this.told !== '' || this.hasWorked))
        observer.onEvent(Event.STORE_BACK, Event.UPSTREAM, 0);
      this.told = isUsable ? '' : storage.remark;
      this.hasWorked = true;
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      durableStore.problem = message;
      if (message !== this.told)
        observer.onStoreRemark?.(message, false);
      this.told = message;
      this.handleTimeout();
    }
  }

  handleTimeout(): void {
    const { durableStore } = this.gateway;
    if (durableStore === undefined)
      return;
    const { clock } = this.gateway;
    const { store } = durableStore.backlog;
    if (this.isLooked && store.isWorking)
      this.look(store);
    if (store.isWorking)
      return;
    if (!this.isPending) {
      this.isPending = true;
      this.dueAt = clock.now + INTERVAL | 0;
    } else if (isDue(this.dueAt, clock.now)) {
      this.open();
      return;
    }
    clock.request(this.dueAt);
  }

  private look(store: Store): void {
    const { clock } = this.gateway;
    if (isDue(this.lookAt, clock.now)) {
      store.check();
      this.lookAt = clock.now + LOOK_INTERVAL | 0;
    }
    clock.request(this.lookAt);
  }

  private use(storage: BlockStorage): void {
    const { gateway, scheduler } = this;
    this.isLooked = storage.check !== undefined;
    this.lookAt = gateway.clock.now + LOOK_INTERVAL | 0;
    if (this.isLooked)
      gateway.clock.request(this.lookAt);
    try {
      gateway.openStore(storage);
    } catch (error) {
      storage.close();
      throw error;
    }
    storage.onFlushed = isDurable => {
      scheduler.enter();
      gateway.durableStore!.backlog.store.flushed(isDurable);
      scheduler.leave();
    };
  }
}
