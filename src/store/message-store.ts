/**
 * The store (README.md): takes a storage, splits it into the queue's and the map's blocks, and knows what of it is
 * durable.
 */
import type { Arena } from '../bytes/arena.ts';
import { NO_BLOCK } from './block-ring.ts';
import { BlockScan } from './block-scan.ts';
import type { BlockStorage } from './block-storage.ts';
import { Medium } from './medium.ts';
import { MessageQueue, type Ticker } from './message-queue.ts';
import { QueueRecovery } from './queue-recovery.ts';
import { copyFrom, dropOriginals } from './queue-repetition.ts';
import * as Format from './record-format.ts';
import { RecordWalker } from './record-walker.ts';
import type { StateMap } from './state-map.ts';
import { StoreClock } from './store-clock.ts';
import type { Recovery, StoreOwner, StoreReport } from './store-owner.ts';
import { VersionOne } from './version-one.ts';

/** Seconds between two ticks while something with a deadline waits. */
const TICK = 600;
const OVERWRITTEN = 'somebody has written over it while it was in use: what is in memory is written again to what is '
  + 'there now; stop the gateway before you put a copy in its place';
/** Nothing of an area is durable yet. */
const START = -1;

export interface StoreSettings {
  /** Share of the storage that the map has, 0 to 1; 0: no map. */
  readonly stateShare: number;
  /** Makes the map, where it is wanted: without it its code is not there. */
  readonly createMap?: ((medium: Medium, walker: RecordWalker, capacity: number) => StateMap) | undefined;
  /** Entries of the map. */
  readonly mapCapacity?: number;
}

export class Store implements Ticker {
  readonly arena: Arena;
  readonly queue: MessageQueue;
  readonly clock = new StoreClock();
  /** Up to this value of `written` all is durable. */
  durable = 0;
  private readonly medium: Medium;
  private readonly walker: RecordWalker;
  private readonly settings: StoreSettings;
  private owner: StoreOwner | undefined = undefined;
  private map: StateMap | undefined = undefined;
  private boundary = 0;
  /** A flush has begun, for what was written up to then; and another one is wanted. */
  private isFlushing = false;
  private isWanted = false;
  private flushing = 0;
  /** Ends of the areas when the flush began that is under way, and when the last one that is confirmed began. */
  private flushingQueue = START;
  private flushingMap = START;
  private confirmedQueue = START;
  private confirmedMap = START;
  private lastTick = 0;
  private needsTime = false;

  constructor(arena: Arena, settings: StoreSettings) {
    this.arena = arena;
    this.settings = settings;
    this.medium = new Medium(arena);
    this.walker = new RecordWalker(this.medium);
    this.queue = new MessageQueue(this.medium, this.walker, this);
  }

  get isOpen(): boolean {
    return this.medium.storage !== undefined;
  }

  /** Things can be written. */
  get isWorking(): boolean {
    return this.medium.isWorking;
  }

  /** Something was written since the last flush began. */
  get isDirty(): boolean {
    return this.medium.isDirty;
  }

  /** Grows with each thing that must become durable; 32 bits, compare differences. */
  get written(): number {
    return this.medium.written;
  }

  /** undefined: none is wanted, the storage is too small, or messages of version 0.1 still lie where it is to be. */
  get state(): StateMap | undefined {
    const { boundary, map, medium, queue } = this;
    if (map !== undefined && queue.versionOne !== undefined)
      for (let block = boundary; block < medium.blockCount; ++block)
        if (!queue.isFree(block))
          return undefined;
    return map;
  }

  /**
   * @throws Error that says what to do: too small, of a later version, or what the storage throws. The storage is not
   * closed then
   */
  open(storage: BlockStorage, owner: StoreOwner, recovery: Recovery, report: StoreReport): void {
    const { clock, medium, queue, walker } = this;
    if (storage.blockCount < Format.FEWEST_BLOCKS)
      throw new Error(`the storage has ${storage.blockCount} blocks of ${storage.blockLength} bytes, and ${Format.FEWEST_BLOCKS} are needed: raise store.size`);
    this.owner = owner;
    medium.open(storage, owner);
    this.durable = medium.written;
    this.isFlushing = this.isWanted = false;
    this.confirmedQueue = this.confirmedMap = START;
    clock.beginRestoring();
    try {
      const scan = new BlockScan(medium, report);
      const versionOne = medium.versionOne = VersionOne.find(medium, scan);
      this.split(scan, report);
      // Version 0.1 has messages in any block.
      medium.unwritten.begin(versionOne === undefined ? this.boundary : medium.blockCount, medium.blockLength);
      queue.open(owner, this.boundary, versionOne);
      this.map?.open(scan, this.boundary, report);
      this.map?.recover(recovery, clock);
      new QueueRecovery(queue, walker, clock, recovery, report).run(scan);
    } catch (error) {
      medium.forgetStorage();
      throw error;
    }
    medium.unwritten.end();
    clock.begin();
    this.lastTick = clock.now;
    this.confirm();
  }

  /** While a storage is opened: whether the block at `position` is the one that was there before. */
  isSame(position: number): boolean {
    return this.medium.unwritten.isSame(position);
  }

  /** Whether the message at `position` needs nothing more, which could not be written. */
  isSettled(position: number): boolean {
    return this.medium.unwritten.isSettled(position);
  }

  /** Begins to make durable what was written; goes on by itself when more comes meanwhile. */
  flush(): void {
    const { medium } = this;
    if (!medium.isWorking)
      return;
    if (this.isFlushing) {
      this.isWanted = true;
      return;
    }
    this.queue.ring.prepare();
    this.map?.ring.prepare();
    if (medium.isDirty || medium.written !== this.durable)
      this.beginFlush();
  }

  /** What `BlockStorage.onFlushed` tells. */
  flushed(isDurable: boolean): void {
    if (!this.isFlushing)
      return;
    this.isFlushing = false;
    if (!this.medium.isWorking)
      return;
    if (isDurable)
      this.confirmFlush();
    else
      this.repeat();
    if (this.isWanted) {
      this.isWanted = false;
      this.flush();
    }
  }

  /** Time has passed: milliseconds as the driver counts them, 32 bits. Puts a tick into the log when one is due. */
  advanceClock(now: number): void {
    const { clock } = this;
    clock.advance(now);
    if (this.medium.isWorking && this.keepsTime && (clock.hasNews || clock.now - this.lastTick >= TICK))
      this.tick();
  }

  /** Something beside messages grows old from now on. */
  keepTime(): void {
    this.needsTime = true;
  }

  /** Whether the time is written down. */
  get keepsTime(): boolean {
    return this.needsTime || this.queue.hasDeadlines;
  }

  /** Writes down what time it is. @returns whether there was room */
  tick(): boolean {
    const { clock, queue, state } = this;
    this.lastTick = clock.now;
    return state === undefined || !state.putClock(clock) ? queue.putClock(clock) : true;
  }

  /** Waits until all that was written is durable. @returns false when that failed, or nothing can be written */
  settle(): boolean {
    const { medium } = this;
    return medium.isWorking && (medium.written === this.durable || medium.synchronize());
  }

  /** Looks whether the storage still is what was opened; else it has failed. */
  check(): void {
    const { map, medium, queue } = this;
    medium.check();
    if (medium.isWorking && !(queue.ring.isIntact && map?.ring.isIntact !== false))
      medium.fail(OVERWRITTEN);
  }

  /** Waits until all is durable, and ends. */
  close(): void {
    const { medium } = this;
    if (medium.isWorking && this.keepsTime)
      this.tick();
    if (medium.isWorking)
      medium.synchronize();
    medium.close();
    this.isFlushing = this.isWanted = false;
  }

  /** Where the map begins: as the blocks say, else as the settings do. */
  private split(scan: BlockScan, report: StoreReport): void {
    const { medium: { blockCount }, settings: { createMap, mapCapacity = 0, stateShare } } = this;
    const share = createMap === undefined ? 0 : stateShare;
    const asked = blockCount - Format.blocksOfMap(blockCount, share);
    this.boundary = scan.boundary === 0 ? asked : scan.boundary;
    report.keepsBoundary = this.boundary !== asked;
    report.hasNoMap = share > 0 && blockCount - this.boundary < Format.FEWEST_BLOCKS;
    this.map = createMap !== undefined && blockCount - this.boundary >= Format.FEWEST_BLOCKS
      ? createMap(this.medium, this.walker, mapCapacity) : undefined;
  }

  private get mapEnd(): number {
    return this.map === undefined || this.map.ring.tailBlock === NO_BLOCK ? START : this.map.ring.tail;
  }

  private get queueEnd(): number {
    return this.queue.ring.tailBlock === NO_BLOCK ? START : this.queue.ring.tail;
  }

  private beginFlush(): void {
    const { medium } = this;
    this.flushing = medium.written;
    this.flushingQueue = this.queueEnd;
    this.flushingMap = this.mapEnd;
    if (medium.flush()) {
      if (medium.isWorking)
        this.confirmFlush();
    } else
      this.isFlushing = true;
  }

  private confirmFlush(): void {
    this.medium.confirm();
    this.confirmedQueue = this.flushingQueue;
    this.confirmedMap = this.flushingMap;
    this.announce(this.flushing);
  }

  /** All that is there is durable. */
  private confirm(): void {
    this.confirmedQueue = this.queueEnd;
    this.confirmedMap = this.mapEnd;
  }

  private announce(durable: number): void {
    this.durable = durable;
    this.owner!.onDurable(durable);
  }

  /** A flush has failed: nothing that it was for is taken for durable before it has been written again, elsewhere. */
  private repeat(): void {
    const { confirmedMap, confirmedQueue, map, medium, queue } = this;
    const until = this.queueEnd;
    if (!copyFrom(queue, confirmedQueue) || map !== undefined && !map.repeat(confirmedMap)
      || !medium.repeatUnconfirmed() || !medium.synchronize()) {
      medium.fail('what could not be made durable finds no other place');
      return;
    }
    if (until !== START)
      dropOriginals(queue, confirmedQueue, until);
    if (!medium.synchronize())
      return;
    medium.confirmAll();
    this.confirm();
    this.announce(medium.written);
  }
}
