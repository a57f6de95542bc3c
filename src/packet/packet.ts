/**
 * What a parser found: integers and spans of the arena, never copies. One instance is reused for every packet of every
 * connection, so it is valid only during the call of the handler. Fields that the packet at hand does not have keep old
 * values and mean nothing. Most used fields come first: XS searches them in order of definition.
 */
import type { Arena } from '../bytes/arena.ts';
import { Properties } from './properties.ts';
import { MQTT_3_1_1 } from './protocol-version.ts';

/** No generation of the topic table. */
const NEVER = -1;

/** A PUBLISH without its delivery: who sends it decides about QoS, identifier and DUP. */
export interface Message {
  topicNameOffset: number;
  topicNameLength: number;
  payloadOffset: number;
  payloadLength: number;
  /** Quality of Service, 0 to 2. */
  qos: number;
  /** RETAIN flag, 0 or 1. */
  retain: number;
  /** Under which its sender knows it, if it came with QoS 1 or 2. */
  packetIdentifier: number;
  /** Properties that go with it, one behind the other without a length in front; length 0: there are none. */
  readonly propertiesOffset: number;
  readonly propertiesLength: number;
  /** How many of these bytes, the last ones, are Subscription Identifiers, which lie at a place of their own. */
  readonly identifiersLength: number;
  readonly identifiersOffset: number;
}

/**
 * A message that never has properties, put together outside a packet: made once and filled again and again. There are
 * many, and each field that an object has of its own takes a slot.
 */
export class PlainSpans implements Message {
  topicNameOffset = 0;
  topicNameLength = 0;
  payloadOffset = 0;
  payloadLength = 0;
  qos = 0;
  retain = 0;
  packetIdentifier = 0;
  declare readonly propertiesOffset: number;
  declare readonly propertiesLength: number;
  declare readonly identifiersLength: number;
  declare readonly identifiersOffset: number;
}
const NO_IDENTIFIERS = Object.freeze({ identifiersLength: 0, identifiersOffset: 0 });
Object.freeze(Object.assign(PlainSpans.prototype, { propertiesOffset: 0, propertiesLength: 0, ...NO_IDENTIFIERS }));

class PropertySpans {
  topicNameOffset = 0;
  topicNameLength = 0;
  payloadOffset = 0;
  payloadLength = 0;
  qos = 0;
  retain = 0;
  packetIdentifier = 0;
  propertiesOffset = 0;
  propertiesLength = 0;
}

/** The same with room for properties. */
export class MessageSpans extends PropertySpans implements Message {
  declare readonly identifiersLength: number;
  declare readonly identifiersOffset: number;
}
Object.freeze(Object.assign(MessageSpans.prototype, NO_IDENTIFIERS));

/** The same on its way to one node, with the identifiers of its subscriptions. */
export class IdentifiedSpans extends PropertySpans implements Message {
  identifiersLength = 0;
  identifiersOffset = 0;
}

/** A message that is published again and again under one name, which so need not be looked up each time. */
export class RepeatedMessage extends PlainSpans {
  /** Number of the name in the topic table, or INVALID_TOPIC: as it was when the table had this `generation`. */
  topicIndex: number;
  generation: number;

  constructor() {
    super();
    this.topicIndex = 0;
    this.generation = NEVER;
  }

  /** Gives it another name. */
  rename(offset: number, length: number): void {
    this.topicNameOffset = offset;
    this.topicNameLength = length;
    this.generation = NEVER;
  }
}

export class Packet implements Message {
  readonly arena: Arena;
  /** Of the arena. */
  readonly view: DataView;
  /** Control Packet type, 1 to 15. */
  type = 0;
  /** Low four bits of the first byte. */
  flags = 0;
  /** Offset of the variable header. */
  offset = 0;
  /** Offset after the last byte. */
  end = 0;
  topicNameOffset = 0;
  topicNameLength = 0;
  payloadOffset = 0;
  payloadLength = 0;
  qos = 0;
  retain = 0;
  /** 1 to 65535. A PUBLISH with QoS 0 has none. */
  packetIdentifier = 0;
  /** PUBLISH: the number of its topic in the topic table. */
  topicIndex = 0;
  /** PUBLISH: 0 but during the call of the handler for one that has properties. */
  propertiesLength = 0;
  propertiesOffset = 0;
  declare readonly identifiersLength: number;
  declare readonly identifiersOffset: number;
  /** PUBLISH: its topic is that of a Topic Alias, and lies elsewhere. */
  isAliased = false;
  /** A PUBLISH that is longer than the ring: `payloadLength` is what it announces, the payload itself is skipped. */
  isOversize = false;
  /** Protocol level of the connection; in a CONNECT the level that it asks for, without the bridge bit. */
  version = MQTT_3_1_1;

  /** SUBSCRIBE and UNSUBSCRIBE: how many filters, and the one that `nextTopicFilter` has moved to. */
  topicFilterCount = 0;
  /** What SUBSCRIBE says of it: before 5.0 the QoS alone. */
  subscriptionOptions = 0;
  topicFilterOffset = 0;
  topicFilterLength = 0;

  connectFlags = 0;
  /** Seconds, 0 to 65535; 0 turns it off. */
  keepAlive = 0;
  clientIdentifierOffset = 0;
  clientIdentifierLength = 0;
  willTopicOffset = 0;
  willTopicLength = 0;
  willPayloadOffset = 0;
  willPayloadLength = 0;
  /** Those that the Will is published with. */
  willPropertiesOffset = 0;
  willPropertiesLength = 0;
  /** Seconds. */
  willDelay = 0;
  userNameOffset = 0;
  /** -1: the packet has no user name. An empty one is something else. */
  userNameLength = -1;
  passwordOffset = 0;
  passwordLength = -1;

  /** CONNACK, DISCONNECT and acknowledgements of messages: a code of reason-code.ts. */
  reasonCode = 0;
  sessionPresent = false;
  /** Of the packet at hand, if its version has any. */
  readonly properties = new Properties();

  constructor(arena: Arena) {
    this.arena = arena;
    this.view = arena.view;
  }
}
Object.freeze(Object.assign(Packet.prototype, NO_IDENTIFIERS));
