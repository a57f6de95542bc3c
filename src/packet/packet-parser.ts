/**
 * Bytes in, packets out, in any fragmentation, with memory of a fixed size and no allocation.
 *
 * A whole packet is parsed where it arrived; only what is left over, the beginning of a packet or everything behind a
 * packet after which the handler paused, goes into the ring. The next bytes complete the packet in the ring, just that
 * one, and the rest is again parsed in place.
 *
 *   receive ──► landing ──► whole packets ─────────────► handler
 *                  └─ rest ──► ring ──► completed packet ──┘
 *
 * The first illegal byte ends it: the type of a packet is checked against `acceptedTypes`, which the session keeps, as
 * soon as that one byte is there. An error is sticky. No packet may be longer than the ring, wherever it arrived, so
 * what is accepted never depends on how the network cut it.
 *
 * Knows no connection and no time.
 */
import type { Arena } from '../bytes/arena.ts';
import { RingBuffer } from '../bytes/ring-buffer.ts';
import { readConnack, readConnect } from './connect.ts';
import * as ControlPacket from './control-packet.ts';
import { hasValidFlags } from './control-packet.ts';
import type { Packet } from './packet.ts';
import * as ProtocolVersion from './protocol-version.ts';
import { readAcknowledgement, readPublish } from './publish.ts';
import * as ReasonCode from './reason-code.ts';
import { readSuback, readTopicFilters } from './subscribe.ts';
import { INVALID_TOPIC, type TopicTable } from './topic-table.ts';

export interface PacketHandler {
  /** A valid PUBLISH; `packet` is valid only during the call. */
  onPublish(packet: Packet): void;
  /** Any other valid packet. */
  onPacket(packet: Packet): void;
}

/** What to do with a PUBLISH that is longer than the ring. Any other packet of that length is an error. */
export const OVERSIZE_CLOSE = 0;
export const OVERSIZE_DROP = 1;

/** Enough to learn more: the first byte and one byte of the Remaining Length. */
const SHORTEST_HEADER = 2;

export class PacketParser {
  /** Bit n: a packet of type n is legal now. */
  acceptedTypes = 0;
  /** Set by the handler: no further packet until `resume`. What arrives meanwhile is kept in the ring. */
  isPaused = false;
  version = ProtocolVersion.UNKNOWN;
  /** Why parsing has ended, for good; SUCCESS while it has not. */
  reasonCode = ReasonCode.SUCCESS;
  oversize = OVERSIZE_CLOSE;

  private readonly arena: Arena;
  private readonly packet: Packet;
  private readonly topics: TopicTable;
  private readonly handler: PacketHandler;
  private readonly ring: RingBuffer;
  /** How many bytes the ring must hold before it is worth looking at it again. */
  private needed = SHORTEST_HEADER;
  /** Bytes still to be skipped of a payload that is not wanted. */
  private skip = 0;

  /** @param packet the one instance that all parsers of a program share */
  constructor(packet: Packet, topics: TopicTable, ring: RingBuffer, handler: PacketHandler) {
    this.arena = packet.arena;
    this.packet = packet;
    this.topics = topics;
    this.ring = ring;
    this.handler = handler;
  }

  /** Starts a new connection. */
  reset(acceptedTypes: number, version: number): void {
    this.ring.clear();
    this.acceptedTypes = acceptedTypes;
    this.version = version;
    this.isPaused = false;
    this.reasonCode = ReasonCode.SUCCESS;
    this.needed = SHORTEST_HEADER;
    this.skip = 0;
  }

  /** How many bytes `receive` takes at least, in bytes. 0 only while paused. */
  get capacity(): number {
    return this.ring.free;
  }

  /** Stops for good; the handler calls it too. */
  fail(reasonCode: number): void {
    if (this.reasonCode === ReasonCode.SUCCESS)
      this.reasonCode = reasonCode;
  }

  /**
   * Takes `length` bytes, at most `capacity`, that lie at `offset`, outside the ring. Calls the handler for each packet
   * that is complete. Afterwards the bytes may be overwritten.
   */
  receive(offset: number, length: number): void {
    const ring = this.ring;
    const end = offset + length;
    if (this.skip > 0)
      offset = this.skipTo(offset, end);
    if (ring.length > 0) {
      if (this.isPaused) {
        if (!ring.write(offset, end - offset))
          this.fail(ReasonCode.QUOTA_EXCEEDED);
        return;
      }
      offset = this.completeRing(offset, end);
    }
    if (offset < end && this.reasonCode === ReasonCode.SUCCESS) {
      if (!this.isPaused)
        offset = this.parse(offset, end);
      if (offset < end && !ring.write(offset, end - offset))
        this.fail(ReasonCode.QUOTA_EXCEEDED);
    }
  }

  /** Goes on after a pause with what the ring holds. */
  resume(): void {
    this.isPaused = false;
    if (this.ring.length > 0 && this.reasonCode === ReasonCode.SUCCESS)
      this.parseRing();
  }

  /** Moves bytes into the ring, no more than needed, until what it holds has been parsed. @returns where the rest begins */
  private completeRing(offset: number, end: number): number {
    const ring = this.ring;
    while (ring.length > 0 && this.reasonCode === ReasonCode.SUCCESS && !this.isPaused) {
      let missing = this.needed - ring.length;
      if (missing > 0) {
        if (missing > end - offset)
          missing = end - offset;
        ring.write(offset, missing); // fits: `needed` never exceeds the ring
        offset += missing;
        if (ring.length < this.needed)
          break;
      }
      this.parseRing();
      if (this.skip > 0)
        offset = this.skipTo(offset, end);
    }
    return offset;
  }

  private parseRing(): void {
    const ring = this.ring;
    const length = ring.length;
    const start = ring.linearize(length);
    ring.consume(this.parse(start, start + length) - start);
  }

  private skipTo(offset: number, end: number): number {
    const available = end - offset;
    const skipped = this.skip < available ? this.skip : available;
    this.skip -= skipped;
    return offset + skipped;
  }

  /**
   * Handles every packet that is complete in [`offset`, `end`). @returns the offset of the first byte that was not
   * consumed; `needed` then says how many bytes, counted from there, are worth another try
   */
  private parse(offset: number, end: number): number {
    const packet = this.packet;
    const bytes = this.arena.bytes;
    this.needed = SHORTEST_HEADER;
    while (offset < end) {
      const firstByte = bytes[offset]!;
      const type = firstByte >> 4;
      if ((this.acceptedTypes >> type & 1) === 0) {
        this.fail(type === 0 || type === 15 ? ReasonCode.MALFORMED_PACKET : ReasonCode.PROTOCOL_ERROR);
        return offset;
      }
      let body = offset + SHORTEST_HEADER;
      if (body > end)
        return offset;
      let packetEnd = body + bytes[offset + 1]!;
      if (packetEnd - body >= 0x80) {
        body = this.readRemainingLength(offset, end);
        if (body === 0)
          return offset;
        packetEnd = packet.end;
      }
      packet.type = type;
      packet.flags = firstByte & 15;
      packet.offset = body;
      packet.end = packetEnd;
      packet.version = this.version;
      if (packetEnd - offset > this.ring.capacity) {
        const next = this.parseOversize(offset, end);
        if (next === offset)
          return offset;
        offset = next;
      } else if (packetEnd > end) {
        this.needed = packetEnd - offset;
        return offset;
      } else {
        if (type === ControlPacket.PUBLISH)
          this.parsePublish();
        else
          this.parseOther(type);
        offset = packetEnd;
      }
      if (this.isPaused || this.reasonCode !== ReasonCode.SUCCESS)
        return offset;
    }
    return offset;
  }

  /**
   * A Remaining Length of two to four bytes; a fifth one is malformed (3.1.1 section 2.2.3).
   * @returns the offset of the variable header, `packet.end` is set; or 0: too few bytes, or failed
   */
  private readRemainingLength(offset: number, end: number): number {
    const bytes = this.arena.bytes;
    let length = 0;
    for (let at = offset + 1, shift = 0; shift < 28; shift += 7, ++at) {
      if (at === end) {
        this.needed = at + 1 - offset;
        return 0;
      }
      length |= (bytes[at]! & 0x7F) << shift;
      if (bytes[at]! < 0x80) {
        this.packet.end = at + 1 + length;
        return at + 1;
      }
    }
    this.fail(ReasonCode.MALFORMED_PACKET);
    return 0;
  }

  private parsePublish(): void {
    const packet = this.packet;
    let reasonCode = readPublish(packet);
    if (reasonCode === ReasonCode.SUCCESS) {
      const topicIndex = packet.topicIndex = this.topics.indexOf(packet.topicNameOffset, packet.topicNameLength);
      if (topicIndex !== INVALID_TOPIC) {
        this.handler.onPublish(packet);
        return;
      }
      reasonCode = ReasonCode.TOPIC_NAME_INVALID;
    }
    this.fail(reasonCode);
  }

  /**
   * A packet that is longer than the ring. If it is a PUBLISH and the setting says so, the handler gets it without its
   * payload, so that it can be acknowledged and counted, and the payload is skipped.
   * @returns the offset behind what was consumed; `offset` itself: too few bytes, or failed
   */
  private parseOversize(offset: number, end: number): number {
    const packet = this.packet;
    const { offset: body, end: packetEnd } = packet;
    if (packet.type !== ControlPacket.PUBLISH || this.oversize === OVERSIZE_CLOSE) {
      this.fail(ReasonCode.PACKET_TOO_LARGE);
      return offset;
    }
    let headerEnd = body + 2;
    if (headerEnd <= end)
      headerEnd += this.arena.view.getUint16(body) + (packet.flags < 1 << ControlPacket.QOS_SHIFT ? 0 : 2);
    if (headerEnd - offset > this.ring.capacity) {
      this.fail(ReasonCode.PACKET_TOO_LARGE);
      return offset;
    }
    if (headerEnd > end) {
      this.needed = headerEnd - offset;
      return offset;
    }
    packet.isOversize = true;
    this.parsePublish();
    packet.isOversize = false;
    const next = packetEnd < end ? packetEnd : end;
    this.skip = packetEnd - next;
    return next;
  }

  private parseOther(type: number): void {
    const packet = this.packet;
    const reasonCode = hasValidFlags(type, packet.flags, packet.version) ? read(type, packet) : ReasonCode.MALFORMED_PACKET;
    if (reasonCode === ReasonCode.SUCCESS)
      this.handler.onPacket(packet);
    else
      this.fail(reasonCode);
  }
}

/** Reads the variable header and payload of any type but PUBLISH. @returns a reason code */
function read(type: number, packet: Packet): number {
  switch (type) {
    case ControlPacket.PUBACK:
    case ControlPacket.PUBREC:
    case ControlPacket.PUBREL:
    case ControlPacket.PUBCOMP:
    case ControlPacket.UNSUBACK:
      return readAcknowledgement(packet);
    case ControlPacket.SUBSCRIBE:
    case ControlPacket.UNSUBSCRIBE:
      return readTopicFilters(packet);
    case ControlPacket.SUBACK:
      return readSuback(packet);
    case ControlPacket.CONNECT:
      return readConnect(packet);
    case ControlPacket.CONNACK:
      return readConnack(packet);
    default: // PINGREQ, PINGRESP and DISCONNECT have no body
      return packet.end === packet.offset ? ReasonCode.SUCCESS : ReasonCode.MALFORMED_PACKET;
  }
}
