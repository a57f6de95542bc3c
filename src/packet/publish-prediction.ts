/**
 * Header prediction: a sensor sends the same topic over and over, mostly at the same length. The last PUBLISH of a
 * connection is remembered, so that the next one like it is recognised by its first bytes: all that was found out then
 * holds again.
 *
 *   | first byte, Remaining Length, length of the topic | topic ... | identifier, payload ... |
 *   |<- start, 8 bytes ->|<- middle, 8 bytes ->|<- rest ->|<- tail, 8 bytes ->|
 *   0                                                     predictedTailAt
 *
 * Start, middle and tail are kept as numbers: eight bytes are compared at once by reading them as a double. The rest,
 * of a long topic, is compared with the name in the topic table. The tail may overlap what stands in front of it.
 * (Eight bytes that are no number as a double equal nothing: such a topic is never predicted, which is only slower.)
 * In 5.0 a PUBLISH is predicted that has no properties, not even a Topic Alias. With QoS 0 the tail includes the byte
 * that says so; with an identifier in front of it, that byte is looked at by itself.
 *
 * The comparison itself stands where packets are received, in packet-parser.ts: it is the hottest path of all.
 */
import type { PacketHandler } from './packet-handler.ts';
import { INVALID_TOPIC, type TopicReader } from './topic-table.ts';

/** Equals nothing, not even itself: no packet begins like this. */
const NOTHING = NaN;

/** With its length in front it fills the eight bytes that are compared at a time. */
const SHORTEST_PREDICTED_TOPIC = 6;

export class PublishPrediction implements TopicReader {
  protected predictedStart = NOTHING;
  protected predictedMiddle = 0;
  protected predictedTail = 0;
  /** Where the topic and its last eight bytes begin, seen from the packet. */
  protected predictedTopicAt = 0;
  protected predictedTailAt = 0;
  protected predictedLength = 0;
  protected predictedTopicLength = 0;
  protected predictedPayloadLength = 0;
  /** The number of its topic; INVALID_TOPIC: nothing is predicted, so that the next PUBLISH will be. */
  predictedIndex = INVALID_TOPIC;
  protected predictedFlags = 0;
  /**
   * Topic and length of the last PUBLISH that was not predicted. When that comes twice in a row, it is predicted next.
   */
  protected missedForm = 0;
  /** Of the version of the connection. Those of a predicted PUBLISH are none, which is one byte of 0. */
  hasProperties = false;
  /** Where the identifier lies, seen from the payload. */
  protected predictedIdentifierAt = 2;
  protected readonly handler: PacketHandler;
  /** Its number in the topic table. */
  private readonly reader: number;

  constructor(handler: PacketHandler) {
    this.handler = handler;
    this.reader = handler.role.topics.addReader(this);
  }

  /** The number of the predicted topic has got another meaning. */
  forgetPrediction(): void {
    this.predictedStart = NOTHING;
    if (this.predictedIndex !== INVALID_TOPIC)
      this.remember(INVALID_TOPIC);
  }

  private remember(index: number): void {
    this.handler.role.topics.remember(this.reader, this.predictedIndex, index);
    this.predictedIndex = index;
  }

  /** The bytes of a long topic between those that are compared first. */
  protected isPredictedTopic(offset: number): boolean {
    const { packet, topics } = this.handler.role;
    const { view } = packet;
    const place = topics.placeOf(this.predictedIndex) + 2 - this.predictedTopicAt;
    for (let at = 16; at < this.predictedTailAt; at += 8)
      if (view.getFloat64(offset + at) !== view.getFloat64(place + at))
        return false;
    return true;
  }

  /** Remembers the PUBLISH that begins at `offset`. */
  protected predict(offset: number): void {
    const { packet, packet: { properties }, topics } = this.handler.role;
    const length = packet.topicNameLength;
    if (this.predictedIndex !== packet.topicIndex)
      this.remember(packet.topicIndex);
    this.predictedStart = NOTHING;
    if (length < SHORTEST_PREDICTED_TOPIC || packet.topicIndex === topics.uncached
      || this.hasProperties && properties.offset !== properties.end)
      return;
    const { view } = packet;
    const topic = packet.topicNameOffset - offset;
    const tail = topic + length - (this.hasProperties && packet.qos === 0 ? 7 : 8);
    this.predictedIdentifierAt = this.hasProperties ? 3 : 2;
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
