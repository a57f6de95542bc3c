/**
 * Takes messages of QoS 1 and 2 from nodes and acknowledges them when they are durable, in the order in which they came
 * [MQTT311-4.6.0-2] [MQTT311-4.6.0-3]: all that one event has brought after one flush. Of fixed size: when it is full, what
 * is in it is made durable at once.
 */
import type { Packet } from '../packet/packet.ts';
import type { Clock } from '../session/clock.ts';
import type { MessageHandler } from '../session/session-role.ts';
import type { ServerSession } from '../session/server-session.ts';
import type { Bridge } from './bridge.ts';
import type { StoreBacklog } from './backlog.ts';
import { hashOf } from '../bytes/compare.ts';

const CAPACITY = 128;
const FIELDS = 3;

export class StoreIntake implements MessageHandler {
  private count = 0;
  /** Index of the session, its connection, identifier and QoS. */
  private readonly owed = new Int32Array(CAPACITY * FIELDS);
  private readonly backlog: StoreBacklog;
  private readonly bridge: Bridge;
  private readonly clock: Clock;
  private readonly sessions: readonly ServerSession[];
  private readonly router: MessageHandler;

  constructor(backlog: StoreBacklog, bridge: Bridge, clock: Clock, sessions: readonly ServerSession[], router: MessageHandler) {
    this.backlog = backlog;
    this.bridge = bridge;
    this.clock = clock;
    this.sessions = sessions;
    this.router = router;
  }

  get needsCommit(): boolean {
    return this.count > 0 || this.backlog.needsCommit;
  }

  /** Has the message routed. @returns whether it may be acknowledged at once; else that happens in `commit` */
  onMessage(session: ServerSession, packet: Packet): boolean {
    const { backlog, bridge } = this;
    const origin = packet.qos === 2 ? this.originOf(session) : 0;
    if (origin === 0 || !backlog.isRepeated(packet, origin)) {
      bridge.origin = origin;
      bridge.originIdentifier = packet.packetIdentifier;
      try {
        if (!this.router.onMessage(session, packet))
          return false;
      } finally {
        bridge.origin = 0;
      }
    }
    if (!this.needsCommit)
      return true;
    if (this.count === CAPACITY) {
      this.commit();
      return true;
    }
    const { owed } = this;
    const at = this.count++ * FIELDS;
    owed[at] = session.index;
    owed[at + 1] = session.connectionNumber;
    owed[at + 2] = packet.packetIdentifier << 2 | packet.qos;
    this.clock.soon();
    return false;
  }

  /** PUBREL of a node. */
  onReleased(session: ServerSession, packetIdentifier: number): void {
    this.backlog.forgetReception(this.originOf(session), packetIdentifier);
  }

  commit(): void {
    const { owed } = this;
    const count = this.count;
    this.backlog.commit();
    this.count = 0;
    for (let index = 0, at = 0; index < count; ++index, at += FIELDS) {
      const session = this.sessions[owed[at]!]!;
      if (session.connectionNumber === owed[at + 1])
        session.acknowledge(owed[at + 2]! >> 2, owed[at + 2]! & 3);
    }
  }

  /** Who sent a message; not 0. */
  private originOf(session: ServerSession): number {
    return hashOf(this.backlog.store.arena, session.clientIdentifierOffset, session.clientIdentifierLength) | 1;
  }
}
