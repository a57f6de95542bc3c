/** What the store tells, and what is found in it at start, brought to those whom it concerns. */
import * as Event from '../config/events.ts';
import type { Clock } from '../session/clock.ts';
import { COUNTER, RECEIVED_IDENTIFIER } from '../store/record-format.ts';
import type { Recovery, StoreOwner } from '../store/store-owner.ts';
import { MESSAGE_UP, type StoredMessage } from '../store/stored-message.ts';
import type { Backlog } from '../upstream/backlog.ts';
import type { StoreIntake } from '../upstream/intake.ts';
import type { StoredOrigins } from '../upstream/stored-origins.ts';

export class StoreHandler implements StoreOwner, Recovery {
  private readonly backlog: Backlog;
  private readonly origins: StoredOrigins;
  private readonly intake: StoreIntake;
  private readonly clock: Clock;
  private readonly observer: Event.GatewayObserver;
  /** Whether nodes get acknowledgements for what is in memory only. */
  private readonly acknowledgesMemory: boolean;
  /** The storage has failed, and what waited for it does not know yet. */
  private hasFailed = false;

  constructor(backlog: Backlog, origins: StoredOrigins, intake: StoreIntake, clock: Clock, settings: { observer: Event.GatewayObserver; acknowledgesMemory: boolean }) {
    this.backlog = backlog;
    this.origins = origins;
    this.intake = intake;
    this.clock = clock;
    this.observer = settings.observer;
    this.acknowledgesMemory = settings.acknowledgesMemory;
  }

  /** Begins to make durable what was written; when the event is over that wrote it. */
  commit(): void {
    const { backlog } = this;
    backlog.commit();
    if (!this.hasFailed)
      return;
    this.hasFailed = false;
    this.intake.onStorageFailed(this.acknowledgesMemory);
    backlog.onDurable(backlog.store.written);
  }

  // StoreOwner

  onDurable(durable: number): void {
    this.intake.onDurable();
    this.backlog.onDurable(durable);
  }

  onMoved(from: number, to: number): void {
    this.backlog.moved(from, to);
    this.origins.move(from, to);
  }

  onBlockErased(start: number, end: number): void {
    this.origins.keepWithin(start, end);
    this.backlog.erased(start, end);
  }

  onStorageFailed(): void {
    this.hasFailed = true;
    this.clock.soon();
    this.observer.onEvent(Event.STORE_FAILED, Event.UPSTREAM, this.backlog.store.queue.pendingCount);
  }

  // Recovery

  onMessage(message: StoredMessage): void {
    if (message.kind !== MESSAGE_UP)
      return;
    if (message.origin !== 0 && !message.isReleased)
      this.origins.restore(message);
    if (!message.isSettled)
      this.backlog.restore(message);
  }

  onState(kind: number, key: number, offset: number): void {
    if (kind === COUNTER)
      this.backlog.counters.restore(key, offset);
    else if (kind === RECEIVED_IDENTIFIER)
      this.origins.restoreIdentifier(offset);
  }
}
