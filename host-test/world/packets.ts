/**
 * Packets for scenarios, as a node of any quality would write them: nothing is checked, so wrong ones can be made
 * too. And the way back: what a node received, in words. Shares no code with src. Vectors of single packets, whose
 * bytes are written by hand, are in host-test/vectors.
 */

export interface WillFields {
  topic: string;
  payload: string;
  qos?: number;
  retain?: boolean;
}

export interface ConnectOptions {
  /** Protocol level, 3 or 4. */
  level?: number;
  clean?: boolean;
  keepAlive?: number;
  will?: WillFields;
  user?: string;
  password?: string;
}

export interface PublishOptions {
  qos?: number;
  identifier?: number;
  dup?: boolean;
  retain?: boolean;
}

type Part = number | string | Uint8Array;

/** Bytes of numbers, of texts and of bytes. */
export function bytesOf(...parts: Part[]): Uint8Array {
  return new Uint8Array(Buffer.concat(parts.map(part => typeof part === 'number' ? Buffer.from([part])
    : typeof part === 'string' ? Buffer.from(part) : Buffer.from(part))));
}

const number = (value: number): Uint8Array => bytesOf(value >> 8, value & 255);
const text = (value: string): Uint8Array => bytesOf(number(Buffer.byteLength(value)), value);

/** Fixed header and whatever else. */
export function packet(firstByte: number, ...parts: Part[]): Uint8Array {
  const body = bytesOf(...parts);
  const header = [firstByte];
  let length = body.length;
  do {
    header.push(length > 127 ? length & 127 | 128 : length);
    length >>= 7;
  } while (length > 0);
  return bytesOf(new Uint8Array(header), body);
}

export function connect(clientIdentifier: string, options: ConnectOptions = {}): Uint8Array {
  const { clean = true, keepAlive = 0, level = 4, password, user, will } = options;
  const flags = (clean ? 2 : 0)
    | (will === undefined ? 0 : 4 | (will.qos ?? 0) << 3 | (will.retain === true ? 0x20 : 0))
    | (user === undefined ? 0 : 0x80) | (password === undefined ? 0 : 0x40);
  return packet(0x10, text(level === 3 ? 'MQIsdp' : 'MQTT'), level, flags, number(keepAlive), text(clientIdentifier),
    ...(will === undefined ? [] : [text(will.topic), text(will.payload)]),
    ...(user === undefined ? [] : [text(user)]), ...(password === undefined ? [] : [text(password)]));
}

export function publish(topic: string, payload: string,
  { dup = false, identifier = 1, qos = 0, retain = false }: PublishOptions = {}): Uint8Array {
  return packet(0x30 | (dup ? 8 : 0) | qos << 1 | (retain ? 1 : 0), text(topic),
    ...(qos > 0 ? [number(identifier)] : []), payload);
}

/** @param filters alternately a filter and its QoS */
export function subscribe(identifier: number, ...filters: (string | number)[]): Uint8Array {
  return packet(0x82, number(identifier), ...filters.map(part => typeof part === 'string' ? text(part) : part));
}

export const unsubscribe = (identifier: number, ...filters: string[]): Uint8Array =>
  packet(0xA2, number(identifier), ...filters.map(text));
export const puback = (identifier: number): Uint8Array => packet(0x40, number(identifier));
export const pubrec = (identifier: number): Uint8Array => packet(0x50, number(identifier));
export const pubrel = (identifier: number): Uint8Array => packet(0x62, number(identifier));
export const pubcomp = (identifier: number): Uint8Array => packet(0x70, number(identifier));
export const PINGREQ = packet(0xC0);
export const DISCONNECT = packet(0xE0);

/**
 * Says what bytes mean: `CONNACK 0 present`, `PUBLISH a/b=x q1 #7 dup retain`, `SUBACK #1 0 80`; ends with what is
 * not whole.
 */
export function describePackets(bytes: Uint8Array): string[] {
  const events: string[] = [];
  let at = 0;
  while (at < bytes.length) {
    let length = 0;
    let body = at + 1;
    for (let shift = 0; body < bytes.length; shift += 7) {
      const byte = bytes[body++]!;
      length |= (byte & 127) << shift;
      if (byte < 128)
        break;
    }
    if (body === at + 1 || body + length > bytes.length) {
      events.push(`part of a packet: ${Buffer.from(bytes.subarray(at)).toString('hex')}`);
      break;
    }
    events.push(describePacket(bytes[at]!, Buffer.from(bytes.subarray(body, body + length))));
    at = body + length;
  }
  return events;
}

const NAMES = [
  '?', 'CONNECT', 'CONNACK', 'PUBLISH', 'PUBACK', 'PUBREC', 'PUBREL', 'PUBCOMP',
  'SUBSCRIBE', 'SUBACK', 'UNSUBSCRIBE', 'UNSUBACK', 'PINGREQ', 'PINGRESP', 'DISCONNECT', '?',
];

function describePacket(firstByte: number, body: Buffer): string {
  const type = firstByte >> 4;
  const flags = firstByte & 15;
  const areRight = type === 3 || flags === ([6, 8, 10].includes(type) ? 2 : 0);
  const name = NAMES[type]! + (areRight ? '' : ` flags ${flags}`);
  if (type === 2)
    return `${name} ${body[1]!}${body[0] === 0 ? '' : body[0] === 1 ? ' present' : ` flags ${body[0]!}`}`
      + (body.length === 2 ? '' : ' of a wrong length');
  if (type === 3) {
    const qos = firstByte >> 1 & 3;
    const end = 2 + body.readUInt16BE(0);
    return `${name} ${body.toString('utf8', 2, end)}=${body.toString('utf8', end + (qos > 0 ? 2 : 0))} q${qos}`
      + (qos > 0 ? ` #${body.readUInt16BE(end)}` : '') + (flags & 8 ? ' dup' : '') + (flags & 1 ? ' retain' : '');
  }
  if (body.length < 2)
    return name;
  const codes = [...body.subarray(2)].map(code => code.toString(16));
  return [name, `#${body.readUInt16BE(0)}`, ...codes].join(' ');
}
