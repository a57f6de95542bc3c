/**
 * Finds the packets in a range of bytes that lies in one piece: fixed header, type, length, and for a PUBLISH its topic.
 * What is left over at the end, and everything that has to do with time passing between bytes, is the parser's business
 * (packet-parser.ts, which extends this class).
 *
 * The first illegal byte ends it: the type of a packet is checked against `acceptedTypes`, which the session keeps, as
 * soon as that one byte is there. An error is sticky. No packet may be longer than `maximumPacketSize`, wherever it
 * arrived, so what is accepted never depends on how the network cut it.
 *
 * Knows no connection and no time.
 */
import * as ControlPacket from './control-packet.ts';
import type { Packet } from './packet.ts';
import * as ProtocolVersion from './protocol-version.ts';
import { readPublish } from './publish.ts';
import { readPacket } from './read-packet.ts';
import * as ReasonCode from './reason-code.ts';
import type { TopicTable } from './topic-table.ts';

export interface PacketHandler {
  /** A valid PUBLISH; `packet` is valid only during the call. */
  onPublish(packet: Packet): void;
  /** Any other valid packet. */
  onPacket(packet: Packet): void;
  /** What arrived was illegal; nothing more will be looked at. */
  onError(reasonCode: number): void;
}

/** What to do with a PUBLISH that is longer than `maximumPacketSize`. Any other packet of that length is an error. */
export const OVERSIZE_CLOSE = 0;
export const OVERSIZE_DROP = 1;

/** Enough to learn more: the first byte and one byte of the Remaining Length. */
export const SHORTEST_HEADER = 2;

/** In `packet.end`: there is no packet yet. */
const INCOMPLETE = -1;

/** Equals nothing, not even itself: no packet begins like this. */
const NOTHING = NaN;

/** With its length in front it fills the eight bytes that are compared at a time. */
const SHORTEST_PREDICTED_TOPIC = 6;

/** PINGREQ, PINGRESP and DISCONNECT begin with this or more. */
const FIRST_EMPTY_PACKET = ControlPacket.PINGREQ << 12;

/** A longer packet has a Remaining Length of more than one byte. */
const LONGEST_SHORT_PACKET = 129;

export abstract class PacketReader {
  /**
   * The last PUBLISH of this connection, to recognise the next one like it. Its beginning, the first bytes behind that and
   * the end of its topic are kept as numbers: eight bytes are compared at once by reading them as a double.
   */
  private predictedStart = NOTHING;
  private predictedMiddle = 0;
  private predictedTail = 0;
  /** Where the topic, its last eight bytes and the payload begin, and the length, seen from the packet. */
  private predictedTopicAt = 0;
  private predictedTailAt = 0;
  private predictedPayloadAt = 0;
  private predictedLength = 0;
  private predictedTopicLength = 0;
  private predictedIndex = 0;
  private predictedQoS = 0;
  private predictedRetain = 0;
  /** State of the topic table that `predictedIndex` comes from. */
  private predictedGeneration = 0;

  /** The last PUBLISH that was not predicted. It takes the place of the predicted one when it comes twice in a row. */
  private missedIndex = 0;
  private missedLength = 0;

  protected isPaused = false;
  /** Whether the next bytes belong behind, or into, something that is kept: the ring, a payload to skip, a pause. */
  protected isCarrying = false;
  /** Bit n: a packet of type n is legal now. */
  acceptedTypes = 0;
  version = ProtocolVersion.UNKNOWN;
  /** Why parsing has ended, for good; SUCCESS while it has not. */
  reasonCode = ReasonCode.SUCCESS;
  oversize = OVERSIZE_CLOSE;
  protected readonly bytes: Uint8Array;
  protected readonly handler: PacketHandler;
  /** How many bytes, from the first one that was not consumed, are worth another try. */
  protected needed = SHORTEST_HEADER;
  /** Bytes still to be skipped of a payload that is not wanted. */
  protected skip = 0;
  private readonly view: DataView;
  private readonly packet: Packet;
  private readonly topics: TopicTable;
  private readonly maximumPacketSize: number;
  /** Up to this length a packet needs no further look at its header. */
  private readonly shortLength: number;

  protected constructor(packet: Packet, topics: TopicTable, maximumPacketSize: number, handler: PacketHandler) {
    this.bytes = packet.arena.bytes;
    this.view = packet.arena.view;
    this.packet = packet;
    this.topics = topics;
    this.maximumPacketSize = maximumPacketSize;
    this.shortLength = maximumPacketSize < LONGEST_SHORT_PACKET ? maximumPacketSize : LONGEST_SHORT_PACKET;
    this.handler = handler;
  }

  /** Stops for good; the handler calls it too. */
  abstract fail(reasonCode: number): void;

  /** A new connection: nothing is known of it. */
  protected begin(acceptedTypes: number, version: number): void {
    this.acceptedTypes = acceptedTypes;
    this.version = version;
    this.isPaused = false;
    this.reasonCode = ReasonCode.SUCCESS;
    this.needed = SHORTEST_HEADER;
    this.predictedStart = NOTHING;
    this.predictedGeneration = -1;
    this.skip = 0;
  }

  /**
   * Handles every packet that is complete in [`offset`, `end`), which is not empty. @returns the offset of the first byte
   * that was not consumed; `needed` then says how many bytes, counted from there, are worth another try
   *
   * Header prediction: a sensor sends the same topic over and over, mostly at the same length. When the fixed header and the
   * topic are those of the last PUBLISH of this connection, all that was found out then holds again. (Eight bytes that are
   * no number as a double equal nothing: such a topic is never predicted, which is only slower.)
   */
  protected parse(offset: number, end: number): number {
    const packet = this.packet;
    const view = this.view;
    do {
      if (view.getFloat64(offset) === this.predictedStart
        && offset + this.predictedLength <= end
        && view.getFloat64(offset + this.predictedTailAt) === this.predictedTail
        && this.topics.generation === this.predictedGeneration
        && (this.predictedTailAt <= 8 || view.getFloat64(offset + 8) === this.predictedMiddle
          && (this.predictedTailAt <= 16 || this.isPredictedTopic(offset)))) {
        packet.topicNameOffset = offset + this.predictedTopicAt;
        packet.topicNameLength = this.predictedTopicLength;
        const payload = packet.payloadOffset = offset + this.predictedPayloadAt;
        offset += this.predictedLength;
        packet.payloadLength = offset - payload;
        packet.retain = this.predictedRetain;
        packet.topicIndex = this.predictedIndex;
        if ((packet.qos = this.predictedQoS) !== 0 && (packet.packetIdentifier = view.getUint16(payload - 2)) === 0)
          this.fail(ReasonCode.PROTOCOL_ERROR);
        else
          this.handler.onPublish(packet);
        continue;
      }
      // What lies behind `end` is not ours, but reading it does no harm: the packet is not complete then in any case.
      const header = view.getUint16(offset);
      const type = packet.type = header >> 12;
      if (header >= FIRST_EMPTY_PACKET && (header & 0xFFF) === 0 && (this.acceptedTypes >> type & 1) !== 0 && offset + 1 < end) {
        offset += SHORTEST_HEADER;
        this.handler.onPacket(packet); // nothing in it to be read
        continue;
      }
      packet.flags = header >> 8 & 15;
      const length = SHORTEST_HEADER + (header & 255);
      let packetEnd = offset + length;
      if ((this.acceptedTypes >> type & 1) !== 0 && length <= this.shortLength && offset + 1 < end) {
        if (packetEnd > end) {
          this.needed = length;
          return offset;
        }
        packet.offset = offset + SHORTEST_HEADER;
        packet.end = packetEnd;
      } else {
        const next = this.parseHeader(offset, end);
        if (next !== offset) {
          offset = next;
          continue;
        }
        packetEnd = packet.end;
        if (packetEnd === INCOMPLETE)
          return offset;
      }
      packet.version = this.version;
      if (type === ControlPacket.PUBLISH) {
        const reasonCode = readPublish(packet, this.topics);
        if (reasonCode === ReasonCode.SUCCESS) {
          if (packetEnd - offset === this.missedLength && packet.topicIndex === this.missedIndex || this.topics.generation !== this.predictedGeneration)
            this.predict(offset);
          this.missedLength = packetEnd - offset;
          this.missedIndex = packet.topicIndex;
          this.handler.onPublish(packet);
        } else
          this.fail(reasonCode);
      } else
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
    if (length > this.maximumPacketSize)
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
    const { bytes } = this;
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
      headerEnd += this.view.getUint16(body) + (packet.flags < 1 << ControlPacket.QOS_SHIFT ? 0 : 2);
    if (headerEnd - offset > this.maximumPacketSize) {
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
    this.isCarrying ||= this.skip > 0;
    return next;
  }

  private parseOther(type: number): void {
    const packet = this.packet;
    const reasonCode = readPacket(type, packet);
    if (reasonCode === ReasonCode.SUCCESS)
      this.handler.onPacket(packet);
    else
      this.fail(reasonCode);
  }

  /** The bytes of a long topic between those that are compared first. */
  private isPredictedTopic(offset: number): boolean {
    const view = this.view;
    const place = this.topics.placeOf(this.predictedIndex) + 2 - this.predictedTopicAt;
    for (let at = 16; at < this.predictedTailAt; at += 8)
      if (view.getFloat64(offset + at) !== view.getFloat64(place + at))
        return false;
    return true;
  }

  /** Remembers the PUBLISH that begins at `offset`. */
  private predict(offset: number): void {
    const { packet, topics, view } = this;
    const length = packet.topicNameLength;
    this.predictedGeneration = topics.generation;
    this.predictedStart = NOTHING;
    if (length < SHORTEST_PREDICTED_TOPIC || packet.topicIndex === topics.uncached)
      return;
    const topic = packet.topicNameOffset - offset;
    const tail = topic + length - 8;
    this.predictedStart = view.getFloat64(offset);
    this.predictedMiddle = view.getFloat64(offset + 8);
    this.predictedTopicAt = topic;
    this.predictedTailAt = tail;
    this.predictedTail = view.getFloat64(offset + tail);
    this.predictedPayloadAt = packet.payloadOffset - offset;
    this.predictedLength = packet.end - offset;
    this.predictedTopicLength = length;
    this.predictedIndex = packet.topicIndex;
    this.predictedQoS = packet.qos;
    this.predictedRetain = packet.retain;
  }
}
