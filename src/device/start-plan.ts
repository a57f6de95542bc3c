/**
 * Which configuration a start uses, so that none can cost the board: the newest that is stored; if that has not
 * reached good in two starts, the last good one, else the one that is built in; and after three starts of any kind
 * that have not reached good, safe mode. Good is reached after a minute with the listener open.
 */
import type { Flash } from '../io/flash-blocks.ts';
import { ConfigSlots, FIRST_START_SECTOR, type StoredConfiguration } from './config-slots.ts';
import { BUILT_IN, SAFE_MODE, StartList } from './start-list.ts';

/** Starts that a new configuration has to reach good. */
const ATTEMPTS = 2;
/** Starts in a row that did not reach good before safe mode. */
const FAILURES = 3;

export class StartPlan {
  readonly isSafeMode: boolean;
  readonly slots: ConfigSlots;
  private readonly starts: StartList;
  private isBegun = false;
  private used: StoredConfiguration | undefined;

  /** @throws Error when the partition cannot be used */
  constructor(flash: Flash) {
    this.slots = new ConfigSlots(flash);
    this.starts = new StartList(flash, FIRST_START_SECTOR);
    this.isSafeMode = this.starts.failed.length >= FAILURES;
  }

  /** How many starts in a row have not reached good. */
  get failureCount(): number {
    return this.starts.failed.length;
  }

  /** Stored configurations to try, the best one first; after them comes the one that is built in. */
  candidates(log: (text: string) => void): StoredConfiguration[] {
    if (this.isSafeMode)
      return [];
    const candidates: StoredConfiguration[] = [];
    for (const stored of this.slots.list()) {
      const { isGivenUp, isGood, sequence } = stored;
      if (!isGood && !isGivenUp && this.starts.failuresOf(sequence) >= ATTEMPTS) {
        this.slots.giveUp(stored);
        log(`the stored configuration ${sequence} has not worked in ${ATTEMPTS} starts and is given up`);
      } else if (isGood || !isGivenUp && candidates.length === 0)
        candidates.push(stored);
    }
    return candidates;
  }

  /**
   * To be called before a configuration is used; undefined: the one that is built in. One start is one entry of the
   * list.
   */
  begin(stored: StoredConfiguration | undefined): void {
    this.used = stored;
    if (!this.isBegun)
      this.starts.begin(this.isSafeMode ? SAFE_MODE : stored?.sequence ?? BUILT_IN);
    this.isBegun = true;
  }

  /** The gateway works. */
  markGood(): void {
    if (this.used !== undefined)
      this.slots.markGood(this.used);
    this.starts.markGood();
  }
}
