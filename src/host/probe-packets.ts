/**
 * The few packets of MQTT 3.1, 3.1.1 and 5.0 with which `ringbridge check --online` asks a broker, and what comes
 * back; and those of a cable between two gateways. On their own, and not those of src/packet: nothing of a gateway's
 * memory is laid out for a question.
 */
import { CLEAN_START, PASSWORD, USER_NAME } from '../packet/connect.ts';
import { CONNECT, DISCONNECT, FLAGS, PINGREQ, PUBLISH, QOS_SHIFT, SUBSCRIBE, UNSUBSCRIBE } from '../packet/control-packet.ts';
import { MAXIMUM_PACKET_SIZE, RECEIVE_MAXIMUM, SESSION_EXPIRY_INTERVAL } from '../packet/properties.ts';
import { hasProperties, isNamedMQIsdp } from '../packet/protocol-version.ts';

export interface Received {
  readonly type: number;
  readonly body: Buffer;
}

/** Bytes of a packet that is looked at; what is longer is a message, and passed over. */
const LONGEST_PACKET = 65_536;
/** Seconds; the connection is over long before. */
const KEEP_ALIVE = 60;

const string = (text: string): Buffer => {
  const bytes = Buffer.from(text);
  return Buffer.concat([word(bytes.length), bytes]);
};
const word = (value: number): Buffer => Buffer.from([value >> 8, value & 0xFF]);
const long = (value: number): Buffer => Buffer.concat([word(value >>> 16), word(value & 0xFFFF)]);

/** Of 5.0, none. */
const propertiesOf = (version: number): Buffer => Buffer.from(hasProperties(version) ? [0] : []);

function packet(type: number, flags: number, ...parts: readonly Buffer[]): Buffer {
  const body = Buffer.concat(parts);
  const length: number[] = [];
  let rest = body.length;
  do {
    length.push(rest & 0x7F | (rest > 0x7F ? 0x80 : 0));
    rest >>>= 7;
  } while (rest > 0);
  return Buffer.concat([Buffer.from([type << 4 | flags, ...length]), body]);
}

/** Null: none. */
export interface Credentials {
  readonly username: string | null;
  readonly password: string | null;
}

export function connectPacket(version: number, identifier: string, { password, username }: Credentials): Buffer {
  const flags = CLEAN_START | (username === null ? 0 : USER_NAME) | (password === null ? 0 : PASSWORD);
  return packet(CONNECT, 0, string(isNamedMQIsdp(version) ? 'MQIsdp' : 'MQTT'), Buffer.from([version, flags]), word(KEEP_ALIVE),
    propertiesOf(version), string(identifier), ...[username, password].filter(text => text !== null).map(string));
}

export const subscribePacket = (version: number, identifier: number, filter: string, qos: number): Buffer =>
  packet(SUBSCRIBE, FLAGS[SUBSCRIBE]!, word(identifier), propertiesOf(version), string(filter), Buffer.from([qos]));

export const unsubscribePacket = (version: number, identifier: number, filter: string): Buffer =>
  packet(UNSUBSCRIBE, FLAGS[UNSUBSCRIBE]!, word(identifier), propertiesOf(version), string(filter));

interface Message {
  readonly topic: string;
  readonly payload: string;
  /** 1 or 2. */
  readonly qos: number;
}

/** Without RETAIN: nothing of it stays at the broker. */
export const publishPacket = (version: number, identifier: number, { payload, qos, topic }: Message): Buffer =>
  packet(PUBLISH, qos << QOS_SHIFT, string(topic), word(identifier), propertiesOf(version), Buffer.from(payload));

/** PUBREL. */
export const answerPacket = (type: number, identifier: number): Buffer => packet(type, FLAGS[type]!, word(identifier));

export const disconnectPacket = (): Buffer => packet(DISCONNECT, 0);

export const pingPacket = (): Buffer => packet(PINGREQ, 0);

/**
 * CONNECT of 5.0 without Clean Start, for a session that never expires. @param limits Receive Maximum and Maximum
 * Packet Size
 */
export function lastingConnectPacket(identifier: string, keepAlive: number,
  limits: { readonly receiveMaximum: number; readonly maximumPacketSize: number }): Buffer {
  const properties = Buffer.concat([Buffer.from([SESSION_EXPIRY_INTERVAL]), long(0xFFFFFFFF),
    Buffer.from([RECEIVE_MAXIMUM]), word(limits.receiveMaximum),
    Buffer.from([MAXIMUM_PACKET_SIZE]), long(limits.maximumPacketSize)]);
  return packet(CONNECT, 0, string('MQTT'), Buffer.from([5, 0]), word(keepAlive), Buffer.from([properties.length]), properties,
    string(identifier));
}

/** Cuts what arrives into packets, with their headers; whoever sends it is to be trusted. */
export class ByteCutter {
  private bytes: Buffer = Buffer.alloc(0);

  take(chunk: Buffer): Buffer[] {
    this.bytes = this.bytes.length === 0 ? chunk : Buffer.concat([this.bytes, chunk]);
    const packets: Buffer[] = [];
    for (let end = this.end(); end > 0; end = this.end()) {
      packets.push(this.bytes.subarray(0, end));
      this.bytes = this.bytes.subarray(end);
    }
    return packets;
  }

  /** Of the first packet; 0: it is not all there. */
  private end(): number {
    const { bytes } = this;
    for (let at = 1, length = 0; at < bytes.length && at <= 4; ++at) {
      length += (bytes[at]! & 0x7F) * 128 ** (at - 1);
      if ((bytes[at]! & 0x80) === 0)
        return at + 1 + length <= bytes.length ? at + 1 + length : 0;
    }
    return 0;
  }
}

/** Cuts what arrives into packets. */
export class PacketCutter {
  private bytes = Buffer.alloc(0);
  /** Of a message that is passed over. */
  private skipped = 0;

  /** @returns the packets that are whole; undefined when it is no MQTT */
  take(chunk: Buffer): Received[] | undefined {
    const passed = Math.min(this.skipped, chunk.length);
    this.skipped -= passed;
    this.bytes = Buffer.concat([this.bytes, chunk.subarray(passed)]);
    const packets: Received[] = [];
    for (;;) {
      const length = this.headerLength();
      if (length < 0)
        return undefined;
      if (length === 0)
        return packets;
      const remaining = this.remainingLength(length);
      const type = this.bytes[0]! >> 4;
      if (remaining > LONGEST_PACKET && type !== PUBLISH)
        return undefined;
      if (remaining > LONGEST_PACKET && this.bytes.length < length + remaining) {
        this.skipped = length + remaining - this.bytes.length;
        this.bytes = Buffer.alloc(0);
        return packets;
      }
      if (this.bytes.length < length + remaining)
        return packets;
      packets.push({ type, body: this.bytes.subarray(length, length + remaining) });
      this.bytes = this.bytes.subarray(length + remaining);
    }
  }

  /** 0: it is not there yet; negative: it is none. */
  private headerLength(): number {
    for (let at = 1; at <= 4; ++at)
      if (at >= this.bytes.length)
        return 0;
      else if ((this.bytes[at]! & 0x80) === 0)
        return at + 1;
    return -1;
  }

  private remainingLength(headerLength: number): number {
    return this.bytes.subarray(1, headerLength).reduce((sum, byte, index) => sum + (byte & 0x7F) * 128 ** index, 0);
  }
}
