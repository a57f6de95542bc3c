/**
 * SUBSCRIBE and UNSUBSCRIBE: all filters, then one answer for them [MQTT311-3.8.4-4] [MQTT311-3.10.4-6].
 *
 * A packet may hold thousands of filters, and each is compared with all subscriptions. So a long one is left in the
 * ring of its session and taken in slices, one in each turn; meanwhile the session waits and the others are served.
 * The codes for SUBACK are written over the QoS that was asked for. One packet is under way at a time, the next
 * session is looked for behind the last one. Where subscriptions are stored, all packets go this way: the store needs
 * the staging area, in which an answer would be made at once.
 */
import { SUBACK, SUBSCRIBE } from '../packet/control-packet.ts';
import type { Packet } from '../packet/packet.ts';
import { hasSubackFailure } from '../packet/protocol-version.ts';
import { nextTopicFilter, reopenTopicFilters, writeSubackHeader } from '../packet/subscribe.ts';
import { HELD_BY_WORK } from './holds.ts';
import type { ServerRole } from './server-role.ts';
import type { ServerSession } from './server-session.ts';

/** Filters at a time: with 2000 subscriptions of others, half a millisecond on a PC. */
export const SLICE = 32;

export class FilterRequests {
  private readonly role: ServerRole;
  /** Filters of a packet that is answered at once. */
  private readonly most: number;
  /** Some session may have such a packet. */
  private isPending = false;
  /** Whose packet is under way, or was last, and on which connection. */
  private index = 0;
  private connectionNumber = 0;
  /** Where its next filter lies, seen from the beginning of the packet; 0: at none yet. */
  private position = 0;

  constructor(role: ServerRole) {
    this.role = role;
    this.most = role.settings.storesState ? 0 : SLICE;
  }

  /** A valid packet of a session. */
  handle(session: ServerSession, packet: Packet): void {
    session.parser.widen();
    if (packet.topicFilterCount > this.most) {
      session.parser.leave();
      session.hold(HELD_BY_WORK);
      this.isPending = true;
      this.role.clock.soon();
    } else if (packet.type === SUBSCRIBE) {
      const { arena, receiver } = this.role;
      const { bytes, stagingOffset } = arena;
      let at = writeSubackHeader(arena, stagingOffset, packet.packetIdentifier,
        packet.topicFilterCount); // [MQTT311-3.8.4-2] [MQTT311-2.3.1-7]
      while (nextTopicFilter(packet)) {
        const code = receiver.onSubscribe(session, packet);
        bytes[at++] = code > 2 && !hasSubackFailure(packet.version) ? packet.qos : code;
      }
      if (session.answer(SUBACK, at - stagingOffset)) // [MQTT311-3.8.4-1]
        receiver.onSubscribed(session);
    } else {
      while (nextTopicFilter(packet))
        this.role.receiver.onUnsubscribe(session, packet);
      session.confirm(packet.packetIdentifier);
    }
  }

  /** The next slice. */
  advance(): void {
    if (!this.isPending)
      return;
    const session = this.find();
    this.isPending = session !== undefined;
    if (session === undefined)
      return;
    const { clock, packet } = this.role;
    const { parser } = session;
    const start = parser.keptOffset;
    reopenTopicFilters(packet, start, parser.version);
    const { payloadOffset } = packet;
    if (this.position !== 0)
      packet.payloadOffset = start + this.position;
    clock.soon(); // for the rest, or for another session
    this.take(session, packet);
    this.position = packet.payloadOffset - start;
    if (packet.payloadOffset < packet.end)
      return;
    this.position = 0;
    packet.payloadOffset = payloadOffset;
    packet.topicFilterCount = 0;
    while (nextTopicFilter(packet))
      ++packet.topicFilterCount;
    packet.payloadOffset = payloadOffset;
    const { end } = packet;
    this.answer(session, packet);
    if (!session.isConnected)
      return;
    parser.forgetKept(end);
    session.release(HELD_BY_WORK);
  }

  /** All filters have been taken. */
  private answer(session: ServerSession, packet: Packet): void {
    const { arena, arena: { bytes, stagingOffset } } = packet;
    if (packet.type !== SUBSCRIBE) {
      session.confirm(packet.packetIdentifier);
      return;
    }
    let at = writeSubackHeader(arena, stagingOffset, packet.packetIdentifier,
      packet.topicFilterCount); // [MQTT311-3.8.4-2] [MQTT311-2.3.1-7]
    while (nextTopicFilter(packet))
      bytes[at++] = packet.qos;
    if (session.answer(SUBACK, at - stagingOffset)) // [MQTT311-3.8.4-1]
      this.role.receiver.onSubscribed(session);
  }

  /** Takes as many filters as a slice has. */
  private take(session: ServerSession, packet: Packet): void {
    const { receiver } = this.role;
    const { bytes } = packet.arena;
    for (let left = SLICE; left > 0 && nextTopicFilter(packet); --left)
      if (packet.type === SUBSCRIBE) {
        const code = receiver.onSubscribe(session, packet);
        bytes[packet.payloadOffset - 1] = code > 2 && !hasSubackFailure(packet.version) ? packet.qos : code;
      } else
        receiver.onUnsubscribe(session, packet);
  }

  /** @returns the session whose packet is under way, or the next one that has one */
  private find(): ServerSession | undefined {
    const { sessions } = this.role;
    const present = sessions[this.index];
    if (this.position !== 0 && present !== undefined && present.isHeldBy(HELD_BY_WORK)
      && present.connectionNumber === this.connectionNumber)
      return present;
    this.position = 0;
    for (let step = 1; step <= sessions.length; ++step) {
      const index = (this.index + step) % sessions.length;
      const session = sessions[index]!;
      if (session.isHeldBy(HELD_BY_WORK)) {
        this.index = index;
        this.connectionNumber = session.connectionNumber;
        return session;
      }
    }
    return undefined;
  }
}
