/**
 * Takes messages of QoS 1 and 2 from nodes and acknowledges them when they are durable, in the order in which they
 * came [MQTT311-4.6.0-2] [MQTT311-4.6.0-3]. A QoS 2 message that a node sends again after a restart of the gateway is
 * recognised. Of fixed size: while it is full, nothing is taken.
 */
import type { Arena } from '../bytes/arena.ts';
import { DUP } from '../packet/control-packet.ts';
import type { Packet } from '../packet/packet.ts';
import type { Clock } from '../session/clock.ts';
import type { ServerSession } from '../session/server-session.ts';
import { LATER, type MessageHandler, TAKEN } from '../session/session-role.ts';
import type { Backlog } from './backlog.ts';
import { NONE, type StoredOrigins } from './stored-origins.ts';
import { hashOfContent } from './topic-hash.ts';

const FIELDS = 4;
const CONNECTION = 1;
const IDENTIFIER = 2;
const STAMP = 3;

/** Who routes messages, and who is told of a node whose message could not be taken. */
export interface Router {
  onMessage(session: ServerSession, packet: Packet): number;
  identityOf(session: ServerSession): number;
  refuse(session: ServerSession): number;
}

/** Where messages come from. */
export interface NodeSide {
  readonly clock: Clock;
  readonly router: Router;
  readonly sessions: readonly ServerSession[];
}

export class StoreIntake implements MessageHandler {
  private readonly capacity: number;
  /** Of a ring: the oldest entry and their number. */
  private head = 0;
  private count = 0;
  /** Index of the session, its connection, identifier and QoS, what must be durable. */
  private readonly owed: Int32Array;
  private readonly arena: Arena;
  private readonly backlog: Backlog;
  private readonly origins: StoredOrigins;
  private readonly clock: Clock;
  private readonly sessions: readonly ServerSession[];
  private readonly router: Router;

  constructor(backlog: Backlog, origins: StoredOrigins, { clock, router, sessions }: NodeSide, capacity: number) {
    this.arena = backlog.store.arena;
    this.backlog = backlog;
    this.origins = origins;
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

  /** Has the message routed. @returns LATER when it is acknowledged as soon as it is durable */
  onMessage(session: ServerSession, packet: Packet): number {
    const { backlog } = this;
    if (this.count === this.capacity)
      backlog.commit(); // a board has it durable after that
    if (this.count === this.capacity)
      return this.router.refuse(session);
    if (packet.qos !== 2 || !this.isRepeated(session, packet)) {
      backlog.lastPosition = 0;
      const verdict = this.router.onMessage(session, packet);
      if (verdict !== TAKEN)
        return verdict;
      if (packet.qos === 2 && backlog.lastPosition !== 0)
        this.origins.add(this.router.identityOf(session), packet.packetIdentifier, backlog.lastPosition,
          hashOfContent(this.arena, packet));
    }
    if (this.count === 0 && !backlog.isAhead)
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
    return LATER;
  }

  /** PUBREL of a node. */
  onReleased(session: ServerSession, packetIdentifier: number): void {
    this.origins.release(this.router.identityOf(session), packetIdentifier);
  }

  /** Acknowledges what is durable. */
  onDurable(): void {
    const { backlog, owed } = this;
    while (this.count > 0 && backlog.isDurable(owed[this.head * FIELDS + STAMP]!)) {
      const at = this.take();
      const session = this.sessions[owed[at]!]!;
      if (session.connectionNumber === owed[at + CONNECTION])
        session.acknowledge(owed[at + IDENTIFIER]! >> 2, owed[at + IDENTIFIER]! & 3);
    }
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

  /** Whether this message of a node is one that is in the store already, or was. */
  private isRepeated(session: ServerSession, packet: Packet): boolean {
    if ((packet.flags & DUP) === 0)
      return false;
    const { origins } = this;
    const index = origins.find(this.router.identityOf(session), packet.packetIdentifier);
    return index !== NONE && origins.contentOf(index) === hashOfContent(this.arena, packet);
  }
}
