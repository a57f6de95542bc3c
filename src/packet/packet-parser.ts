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
import { RingBuffer } from '../bytes/ring-buffer.ts';
import * as ControlPacket from './control-packet.ts';
import { lengthOfVariable, PREFIX_LENGTH, writeFixedHeader } from './data-representation.ts';
import { OVERSIZE_CLOSE, type PacketHandler } from './packet-handler.ts';
import type { Packet } from './packet.ts';
import * as ProtocolVersion from './protocol-version.ts';
import { readPublish } from './publish.ts';
import { readPublishWithProperties } from './publish-properties.ts';
import { PublishPrediction } from './publish-prediction.ts';
import { readPacket } from './read-packet.ts';
import * as ReasonCode from './reason-code.ts';

/** In place of a number of wanted bytes: no packet is looked at until the pause ends; never again. */
const PAUSED = 0;
const FAILED = -1;
/** For the rest of the call of the handler: PAUSED, and the packet at hand is kept. */
const LEFT = -2;

/** Types of packets that may be taken before a message that came before them: acknowledgements, PINGREQ, PINGRESP. */
const ANSWERS = 1 << ControlPacket.PUBACK | 1 << ControlPacket.PUBREC | 1 << ControlPacket.PUBREL
  | 1 << ControlPacket.PUBCOMP | 1 << ControlPacket.PINGREQ | 1 << ControlPacket.PINGRESP;

/** In place of an offset: nothing is kept; there is no further packet. */
const NOWHERE = -1;

/** Enough to learn more: the first byte and one byte of the Remaining Length. */
const SHORTEST_HEADER = 2;

/** Of the two bytes of PINGREQ or PINGRESP, which begin with this or more, these are 0; not so of other types. */
const FIRST_EMPTY_PACKET = ControlPacket.PINGREQ << 12;
const EMPTY_PACKET_MASK = 0x2FFF;

/** In the two bytes that a packet begins with: the Remaining Length is longer than one byte. */
const IS_LONG = 0x80;

export class PacketParser extends PublishPrediction {
  /**
   * How many bytes to bring next, at most: what fits the ring, beside what is kept, and the landing area; PAUSED or
   * FAILED: none.
   */
  wanted = FAILED;
  /** So many bytes have yet to come of the packet whose beginning is kept, or of a payload that is thrown away. */
  missing = 0;

  /** Less is wanted than usual: what is kept needs its room in the ring for longer. */
  private isNarrow = false;
  /** Bit n: a packet of type n is legal now. */
  acceptedTypes = 0;
  version = ProtocolVersion.UNKNOWN;
  /** Where the bytes that the ring holds end, or will end when none is `missing`. */
  private keptEnd = NOWHERE;
  private readonly ring: RingBuffer;

  /** @param ringOffset region of the arena of `maximumPacketSize` bytes */
  constructor(handler: PacketHandler, ringOffset: number) {
    super(handler);
    this.ring = new RingBuffer(handler.role.ringSpace, ringOffset);
  }

  /** Starts a new connection, of which nothing is known. Not for the handler: the parser is reading the ring then. */
  reset(acceptedTypes: number, version: number): void {
    this.acceptedTypes = acceptedTypes;
    this.speak(version);
    this.forgetPrediction();
    this.ring.clear();
    this.keptEnd = NOWHERE;
    this.missing = 0;
    this.isNarrow = false;
    this.wanted = this.width;
  }

  /** The version of the connection has become known. */
  speak(version: number): void {
    this.version = version;
    this.hasProperties = ProtocolVersion.hasProperties(version);
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
    if (this.wanted === PAUSED) {
      this.isNarrow = this.missing !== 0;
      this.wanted = this.isNarrow ? this.width : this.handler.role.readLength;
    }
  }

  /** Goes on after a pause, with what was kept. */
  resume(): void {
    this.unpause();
    if (this.hasWaiting && this.wanted > 0)
      this.receiveKept();
  }

  /** Whether bytes are kept that will be looked at after the pause. */
  get hasWaiting(): boolean {
    return this.keptEnd !== NOWHERE && this.missing === 0;
  }

  /** Bytes that can be taken at a time. */
  get width(): number {
    const { readLength, settings: { maximumPacketSize } } = this.handler.role;
    const free = this.keptEnd === NOWHERE ? maximumPacketSize : maximumPacketSize - this.ring.length + this.missing;
    return free < readLength ? free : readLength;
  }

  /** Looks at one packet in spite of a pause, if bytes are kept for that: call while `hasWaiting` only. */
  receiveOne(): void {
    if (this.wanted === PAUSED)
      this.receiveKept();
  }

  /** The packet at hand, no PUBLISH, is kept in one piece with what follows, and the parser pauses. For the handler. */
  leave(): void {
    this.wanted = LEFT;
  }

  /** The same for a PUBLISH, which is the first one that is looked at when the pause ends. */
  leaveMessage({ arena, flags, payloadLength, payloadOffset, topicNameOffset }: Packet): void {
    const end = payloadOffset + payloadLength;
    const remainingLength = end - topicNameOffset + PREFIX_LENGTH;
    const length = 1 + lengthOfVariable(remainingLength) + remainingLength;
    this.keptEnd = this.ring.hold(end - length, end, length);
    // Its Remaining Length may have had more bytes than it needs.
    writeFixedHeader(arena, this.keptEnd - length, ControlPacket.PUBLISH << 4 | flags, remainingLength);
    this.wanted = PAUSED;
  }

  /** Bytes behind what is kept during a pause, at most `width`; they are not looked at. */
  add(offset: number, end: number): void {
    this.keptEnd = this.ring.extend(offset, end);
  }

  /** During a pause: what is kept and need not wait for the message before it goes to the handler. */
  receiveAnswers(): void {
    const { packet, packet: { arena: { bytes } } } = this.handler.role;
    for (let at = this.keptOffset; this.wanted === PAUSED && at + SHORTEST_HEADER <= this.keptEnd;) {
      let next = at + 1, byte = 0, length = 0, shift = 0;
      do {
        byte = bytes[next++]!;
        length |= (byte & 0x7F) << shift;
        shift += 7;
      } while (byte >= IS_LONG && shift < 28);
      packet.offset = next;
      if (byte >= IS_LONG || (packet.end = next += length) > this.keptEnd)
        return;
      packet.type = bytes[at]! >> 4;
      packet.flags = bytes[at]! & 15;
      packet.version = this.version;
      if ((this.acceptedTypes & ANSWERS) >> packet.type & 1) {
        if (readPacket(packet.type, packet, this.acceptedTypes) !== ReasonCode.SUCCESS)
          return; // it is judged in its turn
        this.handler.onPacket(packet);
        this.keptEnd = this.ring.cut(at, next);
      } else
        at = next;
    }
  }

  /** Where the packet begins that was left. */
  get keptOffset(): number {
    return this.keptEnd - this.ring.length;
  }

  /** The packet that was left, and which ends at `end`, is done with. */
  forgetKept(end: number): void {
    if (end === this.keptEnd)
      this.keptEnd = NOWHERE;
    else
      this.ring.consume(end - this.keptOffset);
  }

  /**
   * Takes [`offset`, `end`): at least one byte, at most `wanted`. Calls the handler for each packet that is complete;
   * afterwards the bytes may be overwritten. A packet is the predicted PUBLISH, or a fixed header only, or any other.
   */
  receive(offset: number, end: number): void {
    if (this.missing !== 0) {
      if (this.missing <= end - offset || this.keptEnd === NOWHERE)
        this.receiveRest(offset, end);
      else { // one more piece of a packet
        this.handler.role.packet.arena.bytes.copyWithin(this.keptEnd - this.missing, offset, end);
        this.missing -= end - offset;
        if (this.isNarrow)
          this.narrow();
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
          if (packet.qos !== 0) {
            if (this.hasProperties && packet.arena.bytes[packet.payloadOffset - 1] !== 0) { // it has properties
              this.forgetPrediction();
              offset -= this.predictedLength;
              continue;
            }
            packet.packetIdentifier = packet.view.getUint16(packet.payloadOffset - this.predictedIdentifierAt);
            if (packet.packetIdentifier === 0) {
              this.reject(ReasonCode.PROTOCOL_ERROR);
              return;
            }
          }
        }
        this.handler.onPublish(packet);
      } else {
        // What lies after `end` is not ours, but reading it does no harm: the packet is not complete then in any case.
        const header = packet.view.getUint16(offset);
        packet.type = header >> 12;
        if (header >= FIRST_EMPTY_PACKET && (header & EMPTY_PACKET_MASK) === 0
          && (this.acceptedTypes >> packet.type & 1) !== 0 && offset + 1 < end) {
          offset += SHORTEST_HEADER;
          this.handler.onPacket(packet); // nothing in it to be read
        } else if ((offset = this.receivePacket(packet, header, offset, end)) === NOWHERE)
          return;
      }
      if (offset === end)
        return;
      if (this.wanted <= 0)
        break;
    }
    if (this.keptEnd === NOWHERE)
      this.keep(offset, end, 0);
    else // a message was left
      this.keptEnd = this.ring.extend(offset, end);
  }

  /**
   * A packet that was not predicted. @param header its first two bytes; the packet has its type already
   * @returns the offset after it; NOWHERE when it is not complete or not legal, and all has been done that can be done
   */
  private receivePacket(packet: Packet, header: number, offset: number, end: number): number {
    let next = offset + SHORTEST_HEADER;
    packet.flags = header >> 8 & 15;
    packet.offset = next;
    packet.end = next += header & 0xFF;
    if ((this.acceptedTypes >> packet.type & 1) === 0 || (header & IS_LONG) !== 0 || next > end
      || next - offset > this.handler.role.settings.maximumPacketSize) {
      if (next > end && (header & IS_LONG) === 0 && offset + 1 < end && (this.acceptedTypes >> packet.type & 1) !== 0
        && next - offset <= this.handler.role.settings.maximumPacketSize) {
        this.keep(offset, end, next - end); // the usual piece of a packet
        if (packet.type >= ControlPacket.SUBSCRIBE || next - offset > this.handler.role.noteAbove)
          this.prepare(packet, next - offset);
        return NOWHERE;
      }
      if (!this.readHeader(offset, end)) {
        if (this.keptEnd !== NOWHERE)
          this.prepare(packet, packet.end - offset);
        return NOWHERE;
      }
      next = packet.end;
    }
    packet.version = this.version;
    if (packet.type === ControlPacket.PUBLISH) {
      const reasonCode = this.hasProperties ? readPublishWithProperties(packet, this.handler.role.topics)
        : readPublish(packet, this.handler.role.topics);
      if (reasonCode !== ReasonCode.SUCCESS)
        return this.reject(reasonCode);
      const form = packet.topicIndex << 16 ^ next - offset;
      if (form === this.missedForm || this.predictedIndex < 0) // twice in a row, or the first one
        this.predict(offset);
      if (next - offset > this.handler.role.noteAbove)
        this.handler.role.noteLength(next - offset);
      this.missedForm = form;
      this.handler.onPublish(packet);
      if (packet.propertiesLength !== 0)
        packet.propertiesLength = 0;
    } else {
      const reasonCode = readPacket(packet.type, packet, this.acceptedTypes);
      if (reasonCode === ReasonCode.SUCCESS)
        this.handler.onPacket(packet);
      else {
        if (packet.type === ControlPacket.CONNECT)
          this.version = packet.version; // as far as it was read: it says how a refusal looks
        this.reject(reasonCode);
      }
      if (this.wanted === LEFT) {
        this.wanted = PAUSED;
        this.keep(offset, end, 0);
        return NOWHERE;
      }
    }
    return next;
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
      if (this.isNarrow && this.keptEnd === NOWHERE)
        this.widen();
    }
    if (next === end)
      return;
    if (this.keptEnd !== NOWHERE && this.missing === 0) // a packet has been left
      this.keptEnd = this.ring.extend(next, end);
    else if (this.wanted > 0 || this.missing !== 0) // a payload is thrown away during a pause, too
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

  /** As much as usual is wanted again. For the handler too, when it gets a packet that it might have left. */
  widen(): void {
    this.isNarrow = false;
    if (this.wanted > 0)
      this.wanted = this.handler.role.readLength;
  }

  /** From now on a PUBLISH may be left: also the one of which a piece is kept. */
  prepareToLeave(): void {
    if (this.missing !== 0 && this.keptEnd !== NOWHERE)
      this.narrow();
  }

  /** A piece of a packet is kept. @param length of all of it, as far as that is known */
  private prepare({ type }: Packet, length: number): void {
    const { role } = this.handler;
    if (type === ControlPacket.PUBLISH)
      role.noteLength(length);
    if (type >= ControlPacket.SUBSCRIBE || role.leavesMessages)
      this.narrow();
  }

  /** A packet that may be left must find room in the ring together with what comes behind its end. */
  private narrow(): void {
    this.isNarrow = true;
    if (this.wanted > 0)
      this.wanted = this.width;
  }

  /** What arrived is illegal. @returns NOWHERE: there is no further packet */
  private reject(reasonCode: number): number {
    this.fail();
    this.handler.onError(reasonCode);
    return NOWHERE;
  }

  /**
   * Any packet but a whole, short, legal one. Its Remaining Length has one to four bytes; a fifth one is malformed
   * (3.1.1 section 2.2.3). @returns whether the packet is complete; if not, all has been done that can be done
   */
  private readHeader(offset: number, end: number): boolean {
    const { packet, settings } = this.handler.role;
    const { bytes } = packet.arena;
    if ((this.acceptedTypes >> packet.type & 1) === 0) { // [MQTT5-3.15.1-1] [MQTT5-3.15.2-1]
      this.reject(packet.type === 0 || packet.type === ControlPacket.AUTH && !this.hasProperties
        ? ReasonCode.MALFORMED_PACKET : ReasonCode.PROTOCOL_ERROR); // [MQTT5-4.12.0-6]
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
    } while (byte >= IS_LONG);
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
   * A packet that is longer than the ring, so it goes on after `end`. If it is a PUBLISH and the setting says so, the
   * handler gets it without its payload, so that it can be acknowledged and counted, and the payload is thrown away.
   * A peer of 5.0 knows our Maximum Packet Size, and has no right to send it.
   */
  private readOversize(offset: number, end: number): void {
    const { packet, settings, topics } = this.handler.role;
    let headerEnd = packet.offset + 2;
    if (headerEnd <= end)
      headerEnd += packet.view.getUint16(packet.offset) + (packet.flags < 1 << ControlPacket.QOS_SHIFT ? 0 : 2);
    if (packet.type !== ControlPacket.PUBLISH || settings.oversize === OVERSIZE_CLOSE || this.hasProperties
      || headerEnd - offset > settings.maximumPacketSize) {
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
}
