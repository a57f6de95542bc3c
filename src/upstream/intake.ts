/**
 * Takes messages of QoS 1 and 2, from nodes or from the Server, and acknowledges them when they are durable, in the
 * order in which they came [MQTT311-4.6.0-2] [MQTT311-4.6.0-3]. A QoS 2 message that a node sends again after a restart
 * of the gateway is recognised. Of fixed size: while it is full, nothing is taken.
 */
import type { Packet } from '../packet/packet.ts';
import type { Clock } from '../session/clock.ts';
import { LATER, type MessageHandler, type MessageSource, TAKEN } from '../session/session-role.ts';
import { BOARD_COUNTERS } from '../session/upstream-window.ts';
import type { Backlog } from './backlog.ts';
import type { ExactlyOnce } from './exactly-once.ts';
import type { StoredOrigins } from './stored-origins.ts';

const FIELDS = 4;
const CONNECTION = 1;
const IDENTIFIER = 2;
const STAMP = 3;

/**
 * Messages whose acknowledgements wait, of nodes and of the Server; by the counters of order, of which a board has few.
 * What it writes is durable at once: a full table is emptied on the spot. A computer may have to wait for its disk.
 */
export const owedToNodes = (orderCounters: number): number => orderCounters <= BOARD_COUNTERS ? 64 : orderCounters >> 1;
export const owedToServer = (orderCounters: number): number => orderCounters <= BOARD_COUNTERS ? 16 : 64;

/** A session of a node, or the one with the Server. */
export interface IntakeSession extends MessageSource {
  readonly index: number;
  readonly connectionNumber: number;
  /** Nothing is kept of its session. */
  readonly isTransient: boolean;
  acknowledge(packetIdentifier: number, qos: number): void;
}

/** Who routes messages, and who is told of one that could not be taken. */
export interface Router {
  /** Whether there is no way to ask for a message again soon: more than fits is waited for. */
  readonly waits: boolean;
  onMessage(session: IntakeSession, packet: Packet): number;
  identityOf(session: IntakeSession): number;
  refuse(session: IntakeSession): number;
  /** After the message at hand no other one can be taken, for the moment. */
  onFull?(session: IntakeSession): void;
}

/** Where messages come from. */
export interface IntakeSide {
  readonly clock: Clock;
  readonly router: Router;
  readonly sessions: readonly IntakeSession[];
}

export class StoreIntake implements MessageHandler {
  private readonly capacity: number;
  /** Of a ring: the oldest entry and their number. */
  private head = 0;
  private count = 0;
  /** Index of the session, its connection, identifier and QoS, what must be durable. */
  private readonly owed: Int32Array;
  private readonly backlog: Backlog;
  private readonly origins: StoredOrigins;
  private readonly exactlyOnce: ExactlyOnce;
  private readonly clock: Clock;
  private readonly sessions: readonly IntakeSession[];
  private readonly router: Router;

  constructor(backlog: Backlog, origins: StoredOrigins, exactlyOnce: ExactlyOnce, side: IntakeSide, capacity: number) {
    const { clock, router, sessions } = side;
    this.backlog = backlog;
    this.origins = origins;
    this.exactlyOnce = exactlyOnce;
    this.clock = clock;
    this.sessions = sessions;
    this.router = router;
    this.capacity = capacity;
    this.owed = new Int32Array(capacity * FIELDS);
  }

  /** Bytes. */
  get tableLength(): number {
    return this.owed.byteLength;
  }

  get isHalfEmpty(): boolean {
    return this.count * 2 <= this.capacity;
  }

  /** Has the message routed. @returns LATER when it is acknowledged as soon as it is durable */
  onMessage(session: IntakeSession, packet: Packet): number {
    const { backlog } = this;
    if (this.count === this.capacity)
      backlog.commit(); // a board has it durable after that
    if (this.count === this.capacity && !(this.router.waits && this.acknowledgeAll()))
      return this.router.refuse(session);
    const { isWorking } = backlog.store;
    const verdict = packet.qos === 2 ? this.routeOnce(session, packet) : this.router.onMessage(session, packet);
    if (verdict !== TAKEN)
      return verdict;
    // A message on which the storage fails is judged as those before it that were not durable yet.
    if (this.count === 0 && !backlog.isAhead && isWorking === backlog.store.isWorking)
      return TAKEN;
    const { owed } = this;
    let index = this.head + this.count++;
    if (index >= this.capacity)
      index -= this.capacity;
    const at = index * FIELDS;
    owed[at] = session.index;
    owed[at + CONNECTION] = session.connectionNumber;
    owed[at + IDENTIFIER] = packet.packetIdentifier << 2 | packet.qos;
    owed[at + STAMP] = backlog.stamp;
    this.clock.soon();
    if (this.count === this.capacity)
      this.router.onFull?.(session);
    return LATER;
  }

  /** Has a message of QoS 2 routed, unless it comes again and nothing of it is missing. */
  private routeOnce(session: IntakeSession, packet: Packet): number {
    const { exactlyOnce, router } = this;
    if (!exactlyOnce.begin(router.identityOf(session), packet))
      return TAKEN;
    const verdict = router.onMessage(session, packet);
    exactlyOnce.end(verdict === TAKEN && !session.isTransient);
    return verdict;
  }

  /** PUBREL of a node. */
  onReleased(session: IntakeSession, packetIdentifier: number): void {
    this.origins.release(this.router.identityOf(session), packetIdentifier);
  }

  /** Acknowledges what is durable. */
  onDurable(): void {
    const { backlog, owed } = this;
    while (this.count > 0 && backlog.isDurable(owed[this.head * FIELDS + STAMP]!))
      this.acknowledge(this.take());
  }

  /** Waits until all is durable. @returns whether that is so, and everything is acknowledged */
  private acknowledgeAll(): boolean {
    if (!this.backlog.store.settle())
      return false;
    while (this.count > 0)
      this.acknowledge(this.take());
    return true;
  }

  private acknowledge(at: number): void {
    const { owed } = this;
    const session = this.sessions[owed[at]!]!;
    if (session.connectionNumber === owed[at + CONNECTION])
      session.acknowledge(owed[at + IDENTIFIER]! >> 2, owed[at + IDENTIFIER]! & 3);
  }

  /**
   * What is owed will never be durable: it is acknowledged all the same, or it is not and its nodes will send it
   * again.
   */
  onStorageFailed(isAcknowledged: boolean): void {
    const { owed } = this;
    while (this.count > 0) {
      const at = this.take();
      const session = this.sessions[owed[at]!]!;
      if (session.connectionNumber !== owed[at + CONNECTION])
        continue;
      if (isAcknowledged)
        session.acknowledge(owed[at + IDENTIFIER]! >> 2, owed[at + IDENTIFIER]! & 3);
      else
        this.router.refuse(session);
    }
  }

  /** @returns where the oldest entry lies, which is removed */
  private take(): number {
    const at = this.head * FIELDS;
    this.head = this.head + 1 === this.capacity ? 0 : this.head + 1;
    --this.count;
    return at;
  }
}
