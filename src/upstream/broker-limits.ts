/**
 * What the Server is known not to take, whatever the rest of MQTT allows: a message that exceeds it is never sent,
 * because the answer would be the end of the connection, for everybody.
 */
import type { Arena } from '../bytes/arena.ts';
import { profileOf } from '../config/broker-profiles.ts';
import type { UpstreamConfiguration } from '../config/configuration.ts';
import type { Message } from '../packet/packet.ts';
import { lengthOfPublish } from '../packet/publish.ts';
import { lengthWithProperties } from '../packet/publish-properties.ts';
import { SLASH } from '../packet/topic.ts';
import { ANY_LENGTH } from '../session/connection.ts';
import * as Reason from './quarantine-reasons.ts';

/** In place of a character. */
const NONE = -1;

export class BrokerLimits {
  /** Bytes of a packet, 0 for any number: as configured, or as the Server says if that is less. */
  packetLength: number;
  /** Of the configuration alone. */
  readonly configuredLength: number;
  private hasProperties = false;
  private readonly arena: Arena;
  private readonly levels: number;
  private readonly topicLength: number;
  /** Characters of ASCII that no topic may have. */
  private readonly first: number;
  private readonly second: number;

  constructor(arena: Arena, upstream: UpstreamConfiguration) {
    const { forbidden } = profileOf(upstream.profile, upstream.address[0] ?? '');
    this.arena = arena;
    this.levels = upstream.max_topic_levels;
    this.topicLength = upstream.max_topic_length;
    this.packetLength = this.configuredLength = upstream.bridge_max_packet_size;
    this.first = forbidden.length > 0 ? forbidden.charCodeAt(0) : NONE;
    this.second = forbidden.length > 1 ? forbidden.charCodeAt(1) : NONE;
  }

  /**
   * The Server has accepted. @param longest what it takes, in bytes: its Maximum Packet Size [MQTT5-3.2.2-15]
   * @param hasProperties whether the version of the connection has them
   */
  learn(longest: number, hasProperties: boolean): void {
    const { configuredLength } = this;
    this.hasProperties = hasProperties;
    this.packetLength = longest === ANY_LENGTH || configuredLength !== 0 && configuredLength < longest
      ? configuredLength : longest;
  }

  /** @returns why a message as it goes upstream cannot go there, or FINE */
  reasonFor(message: Message, qos: number): number {
    return this.packetLength !== 0 && this.lengthOf(message, qos) > this.packetLength ? Reason.PACKET_TOO_LONG
      : this.reasonForName(message.topicNameOffset, message.topicNameLength);
  }

  private lengthOf(message: Message, qos: number): number {
    return this.hasProperties ? lengthWithProperties(message, qos) : lengthOfPublish(message, qos);
  }

  /** The same for its name alone. */
  reasonForName(offset: number, length: number): number {
    if (length > this.topicLength)
      return Reason.TOPIC_TOO_LONG;
    const { arena: { bytes }, first, second } = this;
    if (length < this.levels && first === NONE)
      return Reason.FINE;
    let levels = 1;
    for (let index = offset; index < offset + length; ++index) {
      const byte = bytes[index]!;
      if (byte === SLASH)
        ++levels;
      else if (byte === first || byte === second)
        return Reason.FORBIDDEN_CHARACTER;
    }
    return levels > this.levels ? Reason.TOO_MANY_LEVELS : Reason.FINE;
  }
}
