/**
 * What must be known after a restart beside the messages: how far the packet identifiers have gone, coarsely, when the
 * Server last forgot our session, and whether it is still to be told of retained state. In the store's map; where there
 * is none, the first two are guessed.
 */
import type { Arena, ArenaPlan } from '../bytes/arena.ts';
import type { Store } from '../store/message-store.ts';
import { COUNTER } from '../store/record-format.ts';

const LENGTH = 4;
const IDENTIFIER_KEY = 1;
const SESSION_LOST_KEY = 2;
const TELLING_KEY = 3;
/** Of `sessionLostAt`. */
export const NEVER = -1;

export class StoredCounters {
  /** The newest packet identifier of which is known that it was given out, 0 for none. */
  lastIdentifier = 0;
  /** Seconds of the store clock. */
  sessionLostAt = NEVER;
  /** The Server, which may have forgotten all, has not been told of all that is retained, or has not said so. */
  owesTelling = false;
  private readonly arena: Arena;
  private readonly offset: number;

  static plan(plan: ArenaPlan): number {
    return plan.reserve('store: a counter', LENGTH);
  }

  constructor(arena: Arena, offset: number) {
    this.arena = arena;
    this.offset = offset;
  }

  /** Writes all to a storage that may have other values. @param identifier up to which they have been given out */
  putAll(store: Store, identifier: number): void {
    this.putIdentifier(store, identifier);
    if (this.sessionLostAt !== NEVER)
      this.put(store, SESSION_LOST_KEY, this.sessionLostAt);
    if (this.owesTelling)
      this.put(store, TELLING_KEY, 1);
    else
      store.state?.remove(COUNTER, TELLING_KEY);
  }

  putIdentifier(store: Store, identifier: number): void {
    this.lastIdentifier = identifier;
    this.put(store, IDENTIFIER_KEY, identifier);
  }

  putSessionLost(store: Store): void {
    if (this.sessionLostAt === store.clock.now)
      return;
    this.sessionLostAt = store.clock.now;
    this.put(store, SESSION_LOST_KEY, store.clock.now);
  }

  /** @returns whether that is news */
  putTelling(store: Store, isOwed: boolean): boolean {
    if (this.owesTelling === isOwed)
      return false;
    this.owesTelling = isOwed;
    if (isOwed)
      this.put(store, TELLING_KEY, 1);
    else
      store.state?.remove(COUNTER, TELLING_KEY);
    return true;
  }

  /** One was found at start. */
  restore(key: number, offset: number): void {
    const value = this.arena.view.getUint32(offset);
    if (key === IDENTIFIER_KEY)
      this.lastIdentifier = value;
    else if (key === SESSION_LOST_KEY)
      this.sessionLostAt = value;
    else if (key === TELLING_KEY)
      this.owesTelling = true;
  }

  private put(store: Store, key: number, value: number): void {
    this.arena.view.setUint32(this.offset, value);
    store.state?.put(COUNTER, key, this.offset, LENGTH);
  }
}
