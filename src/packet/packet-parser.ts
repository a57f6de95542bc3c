/**
 * Bytes in, packets out, in any fragmentation, with memory of a fixed size and no allocation.
 *
 * Whole packets are parsed where they arrived. Only what is left over goes into the parser's ring: the beginning of a
 * packet, which is completed and parsed there, or all that follows a packet after which the handler paused.
 *
 *   landing ──► whole packets ──────────► handler
 *      └─ rest ──► ring ──► completed packet ─┘
 *
 * The first illegal byte ends it: the type of a packet is checked against `acceptedTypes`, which the session keeps, as
 * soon as that one byte is there. An error is sticky. No packet may be longer than the ring, wherever it arrived, so
 * what is accepted never depends on how the network cut it.
 *
 * Knows no connection and no time.
 */
import { RingBuffer, type RingSpace } from '../bytes/ring-buffer.ts';
import * as ControlPacket from './control-packet.ts';
import type { Packet } from './packet.ts';
import * as ProtocolVersion from './protocol-version.ts';
import { readPublish } from './publish.ts';
import { readPacket } from './read-packet.ts';
import * as ReasonCode from './reason-code.ts';
import type { TopicReader, TopicTable } from './topic-table.ts';

export interface PacketHandler {
  /** What its parser shares with others. */
  readonly role: ParserContext;
  /** A valid PUBLISH; `packet` is valid only during the call. Its `type` and `version` need not be set. */
  onPublish(packet: Packet): void;
  /** Any other valid packet. */
  onPacket(packet: Packet): void;
  /** What arrived was illegal; nothing more will be looked at. */
  onError(reasonCode: number): void;
}

export interface ParserSettings {
  /** Longest packet that the peer may send, and capacity of the ring. */
  readonly maximumPacketSize: number;
  /** OVERSIZE_CLOSE or OVERSIZE_DROP. */
  readonly oversize: number;
}

/** What parsers share. */
export interface ParserContext {
  readonly packet: Packet;
  readonly topics: TopicTable;
  readonly settings: ParserSettings;
  /** Of `maximumPacketSize` bytes. */
  readonly ringSpace: RingSpace;
}

/** What to do with a PUBLISH that is longer than the ring. Any other packet of that length is an error. */
export const OVERSIZE_CLOSE = 0;
export const OVERSIZE_DROP = 1;

/** In place of a number of wanted bytes: no packet is looked at until the pause ends, or any more on this connection. */
const PAUSED = 0;
const FAILED = -1;

/** In place of an offset: nothing is kept. */
const NOWHERE = -1;

/** Enough to learn more: the first byte and one byte of the Remaining Length. */
const SHORTEST_HEADER = 2;

/** Equals nothing, not even itself: no packet begins like this. */
const NOTHING = NaN;

/** With its length in front it fills the eight bytes that are compared at a time. */
const SHORTEST_PREDICTED_TOPIC = 6;

/** PINGREQ, PINGRESP and DISCONNECT begin with this or more. */
const FIRST_EMPTY_PACKET = ControlPacket.PINGREQ << 12;

/** In the two bytes that a packet begins with: the Remaining Length is longer than one byte. */
const IS_LONG = 0x80;

/** In place of a number of the topic table: nothing is predicted, so that the next PUBLISH will be. */
const NOT_PREDICTED = -1;

export class PacketParser implements TopicReader {
  /** How many bytes to bring next, at most: what fits the ring and the landing area; PAUSED or FAILED: none. */
  wanted = FAILED;
  /** So many bytes have yet to come of the packet whose beginning is kept, or of a payload that is thrown away. */
  private missing = 0;

  /**
   * The last PUBLISH of this connection, to recognise the next one like it. Its beginning, the first bytes behind that and
   * the end of its topic are kept as numbers: eight bytes are compared at once by reading them as a double.
   */
  private predictedStart = NOTHING;
  private predictedMiddle = 0;
  private predictedTail = 0;
  /** Where the topic and its last eight bytes begin, seen from the packet. */
  private predictedTopicAt = 0;
  private predictedTailAt = 0;
  private predictedLength = 0;
  private predictedTopicLength = 0;
  private predictedPayloadLength = 0;
  /** The number of its topic. */
  predictedIndex = NOT_PREDICTED;
  private predictedFlags = 0;
  /** Topic and length of the last PUBLISH that was not predicted. When that comes twice in a row, it is predicted next. */
  private missedForm = 0;

  /** Bit n: a packet of type n is legal now. */
  acceptedTypes = 0;
  version = ProtocolVersion.UNKNOWN;
  /** Where the bytes that the ring holds end, or will end when none is `missing`. */
  private keptEnd = NOWHERE;
  private readonly ring: RingBuffer;
  private readonly handler: PacketHandler;

  /** @param ringOffset region of the arena of `maximumPacketSize` bytes */
  constructor(handler: PacketHandler, ringOffset: number) {
    const { ringSpace, topics } = handler.role;
    this.ring = new RingBuffer(ringSpace, ringOffset);
    this.handler = handler;
    topics.readers.push(this);
  }

  /** Starts a new connection, of which nothing is known. Not for the handler: it would pull the ring away from under the parser. */
  reset(acceptedTypes: number, version: number): void {
    this.acceptedTypes = acceptedTypes;
    this.version = version;
    this.forgetPrediction();
    this.ring.clear();
    this.keptEnd = NOWHERE;
    this.missing = 0;
    this.wanted = PAUSED;
    this.unpause();
  }

  /** The number of the predicted topic has got another meaning. */
  forgetPrediction(): void {
    this.predictedStart = NOTHING;
    this.predictedIndex = NOT_PREDICTED;
  }

  /** Stops for good; the handler calls it too. */
  fail(): void {
    this.wanted = FAILED;
  }

  /** No further packet until `unpause` or `resume`; what has arrived is kept. For the handler. */
  pause(): void {
    if (this.wanted > 0)
      this.wanted = PAUSED;
  }

  /** Takes a pause back, during the same call of the handler. */
  unpause(): void {
    const { packet: { arena: { landingCapacity } }, settings: { maximumPacketSize } } = this.handler.role;
    if (this.wanted === PAUSED)
      this.wanted = maximumPacketSize < landingCapacity ? maximumPacketSize : landingCapacity;
  }

  /** Goes on after a pause, with what was kept. */
  resume(): void {
    this.unpause();
    if (this.keptEnd !== NOWHERE && this.missing === 0 && this.wanted > 0)
      this.receiveKept();
  }

  /**
   * Takes [`offset`, `end`): at least one byte, at most `wanted`. Calls the handler for each packet that is complete;
   * afterwards the bytes may be overwritten.
   *
   * Header prediction: a sensor sends the same topic over and over, mostly at the same length. When the fixed header and the
   * topic are those of the last PUBLISH of this connection, all that was found out then holds again. (Eight bytes that are
   * no number as a double equal nothing: such a topic is never predicted, which is only slower.)
   */
  receive(offset: number, end: number): void {
    if (this.missing !== 0) {
      if (this.missing <= end - offset || this.keptEnd === NOWHERE)
        this.receiveRest(offset, end);
      else { // one more piece of a packet
        this.handler.role.packet.arena.bytes.copyWithin(this.keptEnd - this.missing, offset, end);
        this.missing -= end - offset;
      }
      return;
    }
    const packet = this.handler.role.packet;
    for (;;) {
      if (packet.view.getFloat64(offset) === this.predictedStart
        && offset + this.predictedLength <= end
        && packet.view.getFloat64(offset + this.predictedTailAt) === this.predictedTail
        && (this.predictedTailAt <= 8 || packet.view.getFloat64(offset + 8) === this.predictedMiddle
          && (this.predictedTailAt <= 16 || this.isPredictedTopic(offset)))) {
        packet.topicNameOffset = offset + this.predictedTopicAt;
        packet.topicNameLength = this.predictedTopicLength;
        packet.topicIndex = this.predictedIndex;
        packet.payloadOffset = (offset += this.predictedLength) - this.predictedPayloadLength;
        packet.payloadLength = this.predictedPayloadLength;
        if ((packet.flags = this.predictedFlags) === 0)
          packet.qos = packet.retain = 0;
        else {
          packet.retain = packet.flags & ControlPacket.RETAIN;
          packet.qos = packet.flags >> ControlPacket.QOS_SHIFT & 3;
          if (packet.qos !== 0 && (packet.packetIdentifier = packet.view.getUint16(packet.payloadOffset - 2)) === 0) {
            this.reject(ReasonCode.PROTOCOL_ERROR);
            return;
          }
        }
        this.handler.onPublish(packet);
      } else {
        // What lies behind `end` is not ours, but reading it does no harm: the packet is not complete then in any case.
        const header = packet.view.getUint16(offset);
        packet.type = header >> 12;
        if (header >= FIRST_EMPTY_PACKET && (header & 0xFFF) === 0 && (this.acceptedTypes >> packet.type & 1) !== 0 && offset + 1 < end) {
          offset += SHORTEST_HEADER;
          this.handler.onPacket(packet); // nothing in it to be read
        } else {
          packet.flags = header >> 8 & 15;
          packet.offset = offset + SHORTEST_HEADER;
          packet.end = packet.offset + (header & 0xFF);
          if ((this.acceptedTypes >> packet.type & 1) !== 0 && (header & IS_LONG) === 0 && offset + 1 < end
            && packet.end - offset <= this.handler.role.settings.maximumPacketSize) {
            if (packet.end > end) {
              this.keep(offset, end, packet.end - end);
              return;
            }
          } else if (!this.readHeader(offset, end))
            return;
          packet.version = this.version;
          if (packet.type === ControlPacket.PUBLISH) {
            const reasonCode = readPublish(packet, this.handler.role.topics);
            if (reasonCode !== ReasonCode.SUCCESS) {
              this.reject(reasonCode);
              return;
            }
            const form = packet.topicIndex << 16 ^ packet.end - offset;
            if (form === this.missedForm || this.predictedIndex < 0) // twice in a row, or the first one
              this.predict(offset);
            this.missedForm = form;
            offset = packet.end;
            this.handler.onPublish(packet);
          } else {
            offset = packet.end;
            this.readOther(packet);
          }
        }
      }
      if (offset === end)
        return;
      if (this.wanted <= 0)
        break;
    }
    this.keep(offset, end, 0);
  }

  /** Takes bytes that are thrown away, or of which the first are all that is `missing` of what is kept. */
  private receiveRest(offset: number, end: number): void {
    const next = offset + this.missing;
    if (next > end) {
      this.missing = next - end;
      return;
    }
    if (this.keptEnd === NOWHERE)
      this.missing = 0;
    else {
      this.handler.role.packet.arena.bytes.copyWithin(this.keptEnd - this.missing, offset, next);
      this.missing = 0;
      this.receiveKept();
    }
    if (next === end)
      return;
    if (this.wanted > 0 || this.missing !== 0) // a payload is thrown away during a pause, too
      this.receive(next, end);
    else
      this.keep(next, end, 0);
  }

  /** Takes what the ring holds; of that it may keep some. */
  private receiveKept(): void {
    const keptEnd = this.keptEnd;
    this.keptEnd = NOWHERE;
    this.receive(keptEnd - this.ring.length, keptEnd);
  }

  /** Keeps bytes until `missing` more have come or, if that is 0, until a pause ends. */
  private keep(offset: number, end: number, missing: number): void {
    this.keptEnd = this.ring.hold(offset, end, end - offset + missing);
    this.missing = missing;
  }

  /** What arrived is illegal. */
  private reject(reasonCode: number): void {
    this.fail();
    this.handler.onError(reasonCode);
  }

  /**
   * Any packet but a whole, short, legal one. Its Remaining Length has one to four bytes; a fifth one is malformed (3.1.1
   * section 2.2.3). @returns whether the packet is complete; if not, all has been done that can be done
   */
  private readHeader(offset: number, end: number): boolean {
    const { packet, settings } = this.handler.role;
    const { bytes } = packet.arena;
    if ((this.acceptedTypes >> packet.type & 1) === 0) {
      this.reject(packet.type === 0 || packet.type === 15 ? ReasonCode.MALFORMED_PACKET : ReasonCode.PROTOCOL_ERROR);
      return false;
    }
    let at = offset + 1, byte = 0, length = 0, shift = 0;
    do {
      if (shift === 28 || at === end) {
        if (shift === 28)
          this.reject(ReasonCode.MALFORMED_PACKET);
        else
          this.keep(offset, end, 1);
        return false;
      }
      byte = bytes[at++]!;
      length |= (byte & 0x7F) << shift;
      shift += 7;
    } while (byte >= 0x80);
    packet.offset = at;
    packet.end = at + length;
    if (packet.end - offset > settings.maximumPacketSize)
      this.readOversize(offset, end);
    else if (packet.end > end)
      this.keep(offset, end, packet.end - end);
    else
      return true;
    return false;
  }

  /**
   * A packet that is longer than the ring, so it goes on behind `end`. If it is a PUBLISH and the setting says so, the
   * handler gets it without its payload, so that it can be acknowledged and counted, and the payload is thrown away.
   */
  private readOversize(offset: number, end: number): void {
    const { packet, settings, topics } = this.handler.role;
    let headerEnd = packet.offset + 2;
    if (headerEnd <= end)
      headerEnd += packet.view.getUint16(packet.offset) + (packet.flags < 1 << ControlPacket.QOS_SHIFT ? 0 : 2);
    if (packet.type !== ControlPacket.PUBLISH || settings.oversize === OVERSIZE_CLOSE || headerEnd - offset > settings.maximumPacketSize) {
      this.reject(ReasonCode.PACKET_TOO_LARGE);
      return;
    }
    if (headerEnd > end) {
      this.keep(offset, end, headerEnd - end);
      return;
    }
    packet.version = this.version;
    packet.isOversize = true;
    const reasonCode = readPublish(packet, topics);
    if (reasonCode === ReasonCode.SUCCESS) {
      this.missing = packet.end - end;
      this.handler.onPublish(packet);
    } else
      this.reject(reasonCode);
    packet.isOversize = false;
  }

  private readOther(packet: Packet): void {
    const reasonCode = readPacket(packet.type, packet);
    if (reasonCode === ReasonCode.SUCCESS)
      this.handler.onPacket(packet);
    else
      this.reject(reasonCode);
  }

  /** The bytes of a long topic between those that are compared first. */
  private isPredictedTopic(offset: number): boolean {
    const { packet, topics } = this.handler.role;
    const { view } = packet;
    const place = topics.placeOf(this.predictedIndex) + 2 - this.predictedTopicAt;
    for (let at = 16; at < this.predictedTailAt; at += 8)
      if (view.getFloat64(offset + at) !== view.getFloat64(place + at))
        return false;
    return true;
  }

  /** Remembers the PUBLISH that begins at `offset`. */
  private predict(offset: number): void {
    const { packet } = this.handler.role;
    const length = packet.topicNameLength;
    this.predictedIndex = packet.topicIndex;
    this.predictedStart = NOTHING;
    if (length < SHORTEST_PREDICTED_TOPIC || packet.topicIndex === this.handler.role.topics.uncached)
      return;
    const { view } = packet;
    const topic = packet.topicNameOffset - offset;
    const tail = topic + length - 8;
    this.predictedStart = view.getFloat64(offset);
    this.predictedMiddle = view.getFloat64(offset + 8);
    this.predictedTopicAt = topic;
    this.predictedTailAt = tail;
    this.predictedTail = view.getFloat64(offset + tail);
    this.predictedLength = packet.end - offset;
    this.predictedTopicLength = length;
    this.predictedPayloadLength = packet.payloadLength;
    this.predictedFlags = packet.flags;
  }
}
