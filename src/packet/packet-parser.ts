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
import { toleratesFlags } from './control-packet.ts';
import type { Packet } from './packet.ts';
import * as ProtocolVersion from './protocol-version.ts';
import { readAcknowledgement, readPublish } from './publish.ts';
import * as ReasonCode from './reason-code.ts';
import { readSuback, readTopicFilters } from './subscribe.ts';
import type { TopicTable } from './topic-table.ts';

export interface PacketHandler {
  /** A valid PUBLISH; `packet` is valid only during the call. */
  onPublish(packet: Packet): void;
  /** Any other valid packet. */
  onPacket(packet: Packet): void;
  /** What arrived was illegal; nothing more will be looked at. */
  onError(reasonCode: number): void;
}

/** What to do with a PUBLISH that is longer than the ring. Any other packet of that length is an error. */
export const OVERSIZE_CLOSE = 0;
export const OVERSIZE_DROP = 1;

/** Enough to learn more: the first byte and one byte of the Remaining Length. */
const SHORTEST_HEADER = 2;

/** In `packet.end`: there is no packet yet. */
const INCOMPLETE = -1;

/** No two bytes. */
const NONE = -1;

/** With its length in front it fills the eight bytes that are compared at a time. */
const SHORTEST_PREDICTED_TOPIC = 6;

/** A longer packet has a Remaining Length of more than one byte. */
const LONGEST_SHORT_PACKET = 129;

export class PacketParser {
  /** Bit n: a packet of type n is legal now. */
  acceptedTypes = 0;
  /** How many bytes to bring next: what fits the ring and the landing area; 0 while paused, and after an error. */
  wanted = 0;
  version = ProtocolVersion.UNKNOWN;
  /** Why parsing has ended, for good; SUCCESS while it has not. */
  reasonCode = ReasonCode.SUCCESS;
  oversize = OVERSIZE_CLOSE;

  private readonly view: DataView;
  /** The first two bytes of the last PUBLISH: type, flags and Remaining Length; NONE when there is none to go by. */
  private predictedHeader = NONE;
  /** Where the topic table keeps its topic, with the length in front. */
  private predictedPlace = 0;
  /** Where the last eight bytes of length and topic begin. */
  private predictedLast = 0;
  /** Where the payload begins, and where the packet ends, seen from the topic's length. */
  private predictedPayload = 0;
  private predictedLength = 0;
  private predictedIndex = 0;
  private predictedQoS = 0;
  private predictedRetain = 0;

  private readonly arena: Arena;
  private readonly packet: Packet;
  private readonly topics: TopicTable;
  private readonly handler: PacketHandler;
  private readonly ring: RingBuffer;
  private isPaused = false;
  /** Whether the next bytes belong behind, or into, something that is kept: the ring, a payload to skip, a pause. */
  private isCarrying = false;
  /** Fewer bytes than these cannot complete what the ring holds; 0 while it holds nothing, or a pause. */
  private missing = 0;
  /** How many bytes the ring must hold before it is worth looking at it again. */
  private needed = SHORTEST_HEADER;
  /** Up to this length a packet needs no further look at its header. */
  private readonly shortLength: number;
  /** Bytes still to be skipped of a payload that is not wanted. */
  private skip = 0;

  /** @param packet the one instance that all parsers of a program share */
  constructor(packet: Packet, topics: TopicTable, ring: RingBuffer, handler: PacketHandler) {
    this.arena = packet.arena;
    this.view = packet.arena.view;
    this.packet = packet;
    this.topics = topics;
    this.ring = ring;
    this.shortLength = ring.capacity < LONGEST_SHORT_PACKET ? ring.capacity : LONGEST_SHORT_PACKET;
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
    this.predictedHeader = NONE;
    this.skip = 0;
    this.settle();
  }

  /** How many bytes `receive` takes, wanted or not. */
  get capacity(): number {
    return this.ring.free;
  }

  /** Stops for good; the handler calls it too. */
  fail(reasonCode: number): void {
    if (this.reasonCode === ReasonCode.SUCCESS)
      this.reasonCode = reasonCode;
    this.settle();
  }

  /** No further packet until `unpause` or `resume`; what arrives meanwhile is kept in the ring. For the handler. */
  pause(): void {
    this.isPaused = true;
    this.settle();
  }

  /** Takes a pause back, during the same call of the handler. */
  unpause(): void {
    this.isPaused = false;
    this.settle();
  }

  /** Goes on after a pause, with what the ring holds. */
  resume(): void {
    this.isPaused = false;
    if (this.ring.length > 0 && this.reasonCode === ReasonCode.SUCCESS)
      this.parseRing();
    this.settle();
    if (this.reasonCode !== ReasonCode.SUCCESS)
      this.handler.onError(this.reasonCode);
  }

  /**
   * Takes `length` bytes, at most `capacity`, that lie at `offset`, outside the ring. Calls the handler for each packet
   * that is complete. Afterwards the bytes may be overwritten.
   */
  receive(offset: number, length: number): void {
    if (length < this.missing) { // one more piece of the packet in the ring
      this.missing -= length;
      this.wanted -= length;
      this.ring.write(offset, length);
      return;
    }
    const end = offset + length;
    if (this.isCarrying)
      offset = this.receiveCarried(offset, end);
    if (offset < end) {
      offset = this.parse(offset, end);
      if (offset < end || this.skip > 0)
        this.carry(offset, end);
    }
    if (this.reasonCode !== ReasonCode.SUCCESS)
      this.handler.onError(this.reasonCode);
  }

  /** The bytes between the first sixteen and the last eight. */
  private isPredictedTopic(topic: number, place: number, last: number): boolean {
    const view = this.view;
    for (let at = 16; at < last; at += 8)
      if (view.getFloat64(topic + at) !== view.getFloat64(place + at))
        return false;
    return true;
  }

  /** Remembers the PUBLISH that begins at `offset`, to recognise the next one like it. */
  private predict(offset: number): void {
    const packet = this.packet;
    const topics = this.topics;
    const length = packet.topicNameLength;
    if (length < SHORTEST_PREDICTED_TOPIC || packet.topicIndex === topics.uncached || packet.offset !== offset + SHORTEST_HEADER)
      return;
    this.predictedHeader = this.view.getUint16(offset);
    this.predictedPlace = topics.placeOf(packet.topicIndex);
    this.predictedLast = length - 6;
    this.predictedPayload = packet.payloadOffset - packet.offset;
    this.predictedLength = packet.end - packet.offset;
    this.predictedIndex = packet.topicIndex;
    this.predictedQoS = packet.qos;
    this.predictedRetain = packet.retain;
  }

  /** Gives bytes to what is kept. @returns the offset of the first byte that is to be parsed in place; `end` if none */
  private receiveCarried(offset: number, end: number): number {
    if (this.reasonCode !== ReasonCode.SUCCESS)
      return end;
    if (this.skip > 0)
      offset = this.skipTo(offset, end);
    if (this.ring.length > 0 && !this.isPaused)
      offset = this.completeRing(offset, end);
    if (this.reasonCode !== ReasonCode.SUCCESS)
      return end;
    if (this.isPaused) {
      this.carry(offset, end);
      return end;
    }
    this.settle();
    return offset;
  }

  /** Keeps bytes for later. */
  private carry(offset: number, end: number): void {
    if (this.reasonCode === ReasonCode.SUCCESS && offset < end && !this.ring.write(offset, end - offset))
      this.fail(ReasonCode.QUOTA_EXCEEDED);
    this.settle();
  }

  /** Works out anew what the hot path relies on. */
  private settle(): void {
    const isStopped = this.isPaused || this.reasonCode !== ReasonCode.SUCCESS;
    this.wanted = isStopped ? 0 : this.ring.free < this.arena.landingCapacity ? this.ring.free : this.arena.landingCapacity;
    this.isCarrying = isStopped || this.skip > 0 || this.ring.length > 0;
    this.missing = isStopped || this.ring.length === 0 ? 0 : this.needed - this.ring.length;
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
   * Handles every packet that is complete in [`offset`, `end`), which is not empty. @returns the offset of the first byte
   * that was not consumed; `needed` then says how many bytes, counted from there, are worth another try
   *
   * Header prediction: a sensor sends the same topic over and over, mostly at the same length. When the first two bytes
   * are those of the last PUBLISH of this connection, and its topic follows, all that was found out then holds again.
   */
  private parse(offset: number, end: number): number {
    const packet = this.packet;
    const view = this.view;
    do {
      if (view.getUint16(offset) === this.predictedHeader) {
        const topic = offset + SHORTEST_HEADER;
        const place = this.predictedPlace;
        const last = this.predictedLast;
        if (topic + this.predictedLength <= end
          && view.getFloat64(topic) === view.getFloat64(place)
          && view.getFloat64(topic + last) === view.getFloat64(place + last)
          && (last <= 8 || view.getFloat64(topic + 8) === view.getFloat64(place + 8)
            && (last <= 16 || this.isPredictedTopic(topic, place, last)))) {
          offset = topic + this.predictedLength;
          packet.topicNameOffset = topic + 2;
          packet.topicNameLength = last + 6;
          packet.payloadOffset = topic + this.predictedPayload;
          packet.payloadLength = this.predictedLength - this.predictedPayload;
          packet.retain = this.predictedRetain;
          packet.topicIndex = this.predictedIndex;
          if ((packet.qos = this.predictedQoS) !== 0 && (packet.packetIdentifier = view.getUint16(packet.payloadOffset - 2)) === 0)
            this.fail(ReasonCode.PROTOCOL_ERROR);
          else
            this.handler.onPublish(packet);
          continue;
        }
      }
      const firstByte = view.getUint8(offset);
      const type = firstByte >> 4;
      packet.type = type;
      packet.flags = firstByte & 15;
      packet.offset = offset + SHORTEST_HEADER;
      packet.version = this.version;
      // What lies behind `end` is not ours, but reading it does no harm: the packet is not complete then in any case.
      let packetEnd = packet.end = offset + SHORTEST_HEADER + view.getUint8(offset + 1);
      if ((this.acceptedTypes >> type & 1) === 0 || packetEnd > end || packetEnd - offset > this.shortLength) {
        const next = this.parseHeader(offset, end);
        if (next !== offset) {
          offset = next;
          continue;
        }
        packetEnd = packet.end;
        if (packetEnd === INCOMPLETE)
          return offset;
      }
      if (type === ControlPacket.PUBLISH) {
        const reasonCode = readPublish(packet, this.topics);
        if (reasonCode === ReasonCode.SUCCESS) {
          this.predict(offset);
          this.handler.onPublish(packet);
        } else
          this.fail(reasonCode);
      } else if (type >= ControlPacket.PINGREQ && packetEnd === packet.offset && packet.flags === 0)
        this.handler.onPacket(packet); // nothing in it to be read
      else
        this.parseOther(type);
      offset = packetEnd;
    } while (offset < end && !this.isPaused && this.reasonCode === ReasonCode.SUCCESS);
    this.needed = SHORTEST_HEADER;
    return offset;
  }

  /**
   * All that is not a whole, short, legal packet. @returns `offset` when `packet.end` has been found, or is INCOMPLETE:
   * too few bytes, or failed; another offset when the packet has been dealt with
   */
  private parseHeader(offset: number, end: number): number {
    const packet = this.packet;
    const type = packet.type;
    if ((this.acceptedTypes >> type & 1) === 0) {
      this.fail(type === 0 || type === 15 ? ReasonCode.MALFORMED_PACKET : ReasonCode.PROTOCOL_ERROR);
      packet.end = INCOMPLETE;
      return offset;
    }
    const body = this.readRemainingLength(offset, end); // sets `needed`
    if (body === 0) {
      packet.end = INCOMPLETE;
      return offset;
    }
    packet.offset = body;
    const length = packet.end - offset;
    if (length > this.ring.capacity)
      return this.parseOversize(offset, end);
    if (packet.end > end) {
      this.needed = length;
      packet.end = INCOMPLETE;
    }
    return offset;
  }

  /**
   * A Remaining Length of one to four bytes; a fifth one is malformed (3.1.1 section 2.2.3).
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

  /**
   * A packet that is longer than the ring. If it is a PUBLISH and the setting says so, the handler gets it without its
   * payload, so that it can be acknowledged and counted, and the payload is skipped. @returns as `parseHeader`
   */
  private parseOversize(offset: number, end: number): number {
    const packet = this.packet;
    const { offset: body, end: packetEnd } = packet;
    packet.end = INCOMPLETE;
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
    packet.end = packetEnd;
    packet.isOversize = true;
    const reasonCode = readPublish(packet, this.topics);
    if (reasonCode === ReasonCode.SUCCESS)
      this.handler.onPublish(packet);
    else
      this.fail(reasonCode);
    packet.isOversize = false;
    const next = packetEnd < end ? packetEnd : end;
    this.skip = packetEnd - next;
    return next;
  }

  private parseOther(type: number): void {
    const packet = this.packet;
    const reasonCode = packet.flags !== ControlPacket.FLAGS[type]! && !toleratesFlags(type, packet.flags, packet.version)
      ? ReasonCode.MALFORMED_PACKET : read(type, packet);
    if (reasonCode === ReasonCode.SUCCESS)
      this.handler.onPacket(packet);
    else
      this.fail(reasonCode);
  }
}

/** Reads the variable header and payload of any type but PUBLISH. @returns a reason code */
function read(type: number, packet: Packet): number {
  if (type >= ControlPacket.PINGREQ) // PINGREQ, PINGRESP and DISCONNECT have no body
    return packet.end === packet.offset ? ReasonCode.SUCCESS : ReasonCode.MALFORMED_PACKET;
  if (type <= ControlPacket.PUBCOMP && type >= ControlPacket.PUBACK || type === ControlPacket.UNSUBACK)
    return readAcknowledgement(packet);
  switch (type) {
    case ControlPacket.SUBACK:
      return readSuback(packet);
    case ControlPacket.CONNECT:
      return readConnect(packet);
    case ControlPacket.CONNACK:
      return readConnack(packet);
    default:
      return readTopicFilters(packet);
  }
}
