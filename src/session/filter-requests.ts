/**
 * SUBSCRIBE and UNSUBSCRIBE: all filters, then one answer for them [MQTT311-3.8.4-4] [MQTT311-3.10.4-6].
 *
 * A packet may hold thousands of filters, and each is compared with all subscriptions. So a long one is left in the
 * ring of its session and taken in slices, one in each turn; meanwhile the session waits and the others are served.
 * The code for each is written over the last byte of what was asked for, in SUBSCRIBE the QoS. One packet is under way
 * at a time, the next session is looked for behind the last one. Where subscriptions are stored, all packets go this
 * way: the store needs the staging area, in which an answer would be made at once.
 */
import { SUBACK, SUBSCRIBE, UNSUBACK } from '../packet/control-packet.ts';
import type { Packet } from '../packet/packet.ts';
import { hasSubackFailure } from '../packet/protocol-version.ts';
import { nextTopicFilter, reopenTopicFilters, SUBACK_FAILURE, writeAnswerHeader,
  writeSubackHeader } from '../packet/subscribe.ts';
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
    } else if (packet.type === SUBSCRIBE || session.hasProperties) {
      const { bytes, stagingOffset } = packet.arena;
      let at = session.hasProperties ? writeAnswerHeader(packet)
        : writeSubackHeader(packet.arena, stagingOffset, packet.packetIdentifier, packet.topicFilterCount);
      while (nextTopicFilter(packet))
        bytes[at++] = this.ask(session, packet);
      this.send(session, packet, at - stagingOffset);
    } else {
      while (nextTopicFilter(packet))
        this.role.receiver.onUnsubscribe(session, packet);
      session.confirm(packet.packetIdentifier);
    }
  }

  /** Asks for the filter at hand. @returns its code in the answer */
  private ask(session: ServerSession, packet: Packet): number {
    const { receiver } = this.role;
    if (packet.type !== SUBSCRIBE)
      return receiver.onUnsubscribe(session, packet);
    const code = receiver.onSubscribe(session, packet);
    return code <= 2 || session.hasProperties ? code : hasSubackFailure(packet.version) ? SUBACK_FAILURE : packet.qos;
  }

  /** Sends the answer to `packet` that lies in the staging area. */
  private send(session: ServerSession, { type }: Packet, length: number): void {
    if (session.answer(type === SUBSCRIBE ? SUBACK : UNSUBACK, length) && type === SUBSCRIBE) // [MQTT311-3.8.4-1]
      this.role.receiver.onSubscribed(session);
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
    const { bytes, stagingOffset } = packet.arena;
    if (packet.type !== SUBSCRIBE && !session.hasProperties) {
      session.confirm(packet.packetIdentifier);
      return;
    }
    let at = writeAnswerHeader(packet);
    while (nextTopicFilter(packet))
      bytes[at++] = bytes[packet.payloadOffset - 1]!;
    this.send(session, packet, at - stagingOffset);
  }

  /** Takes as many filters as a slice has; the code of each is written over its last byte. */
  private take(session: ServerSession, packet: Packet): void {
    const { bytes } = packet.arena;
    for (let left = SLICE; left > 0 && nextTopicFilter(packet); --left)
      bytes[packet.payloadOffset - 1] = this.ask(session, packet);
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
