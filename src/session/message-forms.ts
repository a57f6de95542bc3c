/**
 * A message in the form of the version that its receiver speaks. What waits in the queue of a node that has spoken 5.0
 * lies there in the form of 5.0, with its properties; when the node speaks another version by the time it is sent, it
 * is written anew. While it waits, its Message Expiry Interval is the second at which it expires.
 */
import type { Arena } from '../bytes/arena.ts';
import { DUP, PUBLISH, QOS_SHIFT } from '../packet/control-packet.ts';
import { type Message, MessageSpans } from '../packet/packet.ts';
import { writePublish } from '../packet/publish.ts';
import { findProperty, SUBSCRIPTION_IDENTIFIER } from '../packet/properties.ts';
import { expiryOf, readWritten, writePublishWithProperties } from '../packet/publish-properties.ts';
import type { Clock } from './clock.ts';

/** In place of a length: it has expired, or its receiver takes no packet as long as it is. */
export const NOT_SENT = -1;

/** Reads a packet that lies in a queue. */
export const readKept = (arena: Arena, packet: number, length: number, message: MessageSpans): void =>
  readWritten(arena, packet, length, (arena.bytes[packet]! & HAS_PROPERTIES) !== 0, message);

/** In a queue the bit that says DUP on the wire says that the packet has the form of 5.0. */
const HAS_PROPERTIES = DUP;
const LATEST = 0xFFFFFFFF;

export class MessageForms {
  private readonly arena: Arena;
  private readonly clock: Clock;
  private readonly message = new MessageSpans();

  constructor(arena: Arena, clock: Clock) {
    this.arena = arena;
    this.clock = clock;
  }

  /** Writes a message of QoS 0 in the form of 5.0 to the staging area. @returns the length of the packet */
  stage(message: Message): number {
    const { arena } = this;
    return writePublishWithProperties(arena, arena.stagingOffset, message, 0, 0) - arena.stagingOffset;
  }

  /** Writes a message in the form of 5.0 to a place in a queue. */
  keep(packet: number, message: Message, qos: number, identifier: number): void {
    const { arena: { bytes, view }, arena, clock } = this;
    const end = writePublishWithProperties(arena, packet, message, qos, identifier);
    bytes[packet] = bytes[packet]! | HAS_PROPERTIES;
    if (message.propertiesLength === 0)
      return;
    const own = this.message;
    readWritten(arena, packet, end - packet, true, own);
    const at = expiryOf(own, arena);
    if (at >= 0)
      view.setUint32(at, Math.min(LATEST, clock.countSeconds() + view.getUint32(at)));
  }

  /**
   * Writes the packet of `length` bytes that lies in a queue to the staging area.
   * @param qos with which it goes out: its own, or less
   * @param isRepeated it has been sent before: it does not expire any more [MQTT5-4.3.3-7]
   * @returns its length there; NOT_SENT
   */
  stageKept(packet: number, length: number, qos: number, hasProperties: boolean, isRepeated: boolean): number {
    const { arena, arena: { bytes, stagingOffset, view }, message } = this;
    const isKeptWith = (bytes[packet]! & HAS_PROPERTIES) !== 0;
    const keptLength = length;
    readWritten(arena, packet, length, isKeptWith, message);
    const at = expiryOf(message, arena);
    const left = at < 0 ? LATEST : view.getUint32(at) - this.clock.countSeconds();
    if (left <= 0 && !isRepeated) // [MQTT5-3.3.2-5]
      return NOT_SENT;
    if (isKeptWith !== hasProperties || qos !== message.qos)
      length = this.rewrite(qos, hasProperties);
    else
      bytes.copyWithin(stagingOffset, packet, packet + length);
    bytes[stagingOffset] = PUBLISH << 4 | qos << QOS_SHIFT | message.retain | (isRepeated && qos !== 0 ? DUP : 0);
    if (at >= 0 && hasProperties) // [MQTT5-3.3.2-6]; it lies as far from the end as there
      view.setUint32(stagingOffset + length - (packet + keptLength - at), left < 0 ? 0 : left);
    return length;
  }

  /**
   * Reads the packet that lies in a queue as a message for somebody else; its place is free afterwards.
   * @returns false: it has expired
   */
  takeOut(packet: number, length: number, message: MessageSpans): boolean {
    const { arena, arena: { view } } = this;
    readKept(arena, packet, length, message);
    const { propertiesOffset } = message;
    const at = expiryOf(message, arena);
    const left = at < 0 ? LATEST : view.getUint32(at) - this.clock.countSeconds();
    if (at >= 0 && left > 0)
      view.setUint32(at, left);
    // Those of the subscriptions that it was for stand behind its own properties.
    const identifier = findProperty(arena, propertiesOffset, message.payloadOffset, SUBSCRIPTION_IDENTIFIER);
    if (message.propertiesLength > 0 && identifier > 0)
      message.propertiesLength = identifier - 1 - propertiesOffset;
    return left > 0;
  }

  /** The message at hand in another form. @returns its length in the staging area */
  private rewrite(qos: number, hasProperties: boolean): number {
    const { arena, arena: { stagingOffset, view }, message } = this;
    const identifier = qos === 0 ? 0 : view.getUint16(message.topicNameOffset + message.topicNameLength);
    if (hasProperties)
      return writePublishWithProperties(arena, stagingOffset, message, qos, identifier) - stagingOffset;
    return writePublish(arena, stagingOffset, message, qos, identifier) - stagingOffset;
  }
}
