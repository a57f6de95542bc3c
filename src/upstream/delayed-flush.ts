/**
 * Makes marks durable that nobody waits for, such as that a message is delivered: about once a second while any are
 * to come. It is planned when something is stored, so an acknowledgement costs nothing.
 */
import type { ClientSession } from '../session/client-session.ts';
import { type Clock, isDue } from '../session/clock.ts';
import type { Store } from '../store/message-store.ts';

/** Milliseconds. */
const INTERVAL = 1000;

export class DelayedFlush {
  isPlanned = false;
  private deadline = 0;
  private readonly store: Store;
  private readonly session: ClientSession;
  private readonly clock: Clock;

  constructor(store: Store, session: ClientSession, clock: Clock) {
    this.store = store;
    this.session = session;
    this.clock = clock;
  }

  plan(): void {
    const { clock } = this;
    this.isPlanned = true;
    this.deadline = clock.now + INTERVAL | 0;
    clock.request(this.deadline);
  }

  handleTimeout(): void {
    const { clock, session, store } = this;
    if (!this.isPlanned)
      return;
    if (!isDue(this.deadline, clock.now)) {
      clock.request(this.deadline);
      return;
    }
    this.isPlanned = false;
    if (!store.isWorking)
      return;
    if (store.isDirty)
      store.flush();
    if (session.isConnected && session.sessionState!.queue.inflightCount > 0) // their marks are to come
      this.plan();
  }
}
