/**
 * As packets.ts, of MQTT 5.0: packets as a node of any quality would write them, and what it gets in words. Properties
 * are written as they lie on the wire, in hexadecimal digits, and shown so. Shares no code with src.
 */
import { bytesOfHex } from '../simulation/hex.ts';
import type { Peer, Sendable } from './peer.ts';
import { bytesOf, packet, type PublishOptions } from './packets.ts';

const number = (value: number): Uint8Array => bytesOf(value >> 8, value & 255);
const text = (value: string): Uint8Array => bytesOf(number(Buffer.byteLength(value)), value);

/** With their length in front. */
function properties(hex = ''): Uint8Array {
  const bytes = bytesOfHex(hex);
  return bytes.length < 128 ? bytesOf(bytes.length, bytes)
    : bytesOf(bytes.length & 127 | 128, bytes.length >> 7, bytes);
}

export interface ConnectOptions {
  clean?: boolean;
  keepAlive?: number;
  /** Of CONNECT. */
  properties?: string;
  will?: { topic: string; payload: string; qos?: number; retain?: boolean; properties?: string };
  user?: string;
}

export function connect5(clientIdentifier: string, options: ConnectOptions = {}): Uint8Array {
  const { clean = true, keepAlive = 0, user, will } = options;
  const flags = (clean ? 2 : 0) | (user === undefined ? 0 : 0x80)
    | (will === undefined ? 0 : 4 | (will.qos ?? 0) << 3 | (will.retain === true ? 0x20 : 0));
  return packet(0x10, text('MQTT'), 5, flags, number(keepAlive), properties(options.properties), text(clientIdentifier),
    ...(will === undefined ? [] : [properties(will.properties), text(will.topic), text(will.payload)]),
    ...(user === undefined ? [] : [text(user)]));
}

export function publish5(topic: string, payload: string, hex = '',
  { dup = false, identifier = 1, qos = 0, retain = false }: PublishOptions = {}): Uint8Array {
  return packet(0x30 | (dup ? 8 : 0) | qos << 1 | (retain ? 1 : 0), text(topic),
    ...(qos > 0 ? [number(identifier)] : []), properties(hex), payload);
}

/** @param filters alternately a filter and its options */
export function subscribe5(identifier: number, ...filters: (string | number)[]): Uint8Array {
  return packet(0x82, number(identifier), 0, ...filters.map(part => typeof part === 'string' ? text(part) : part));
}

/** The same with a Subscription Identifier. */
export const subscribeWith5 = (subscriptionIdentifier: number, ...filters: (string | number)[]): Uint8Array =>
  packet(0x82, number(1), properties(`0b${variable(subscriptionIdentifier)}`),
    ...filters.map(part => typeof part === 'string' ? text(part) : part));

/** A Variable Byte Integer, in hexadecimal digits. */
export const variable = (value: number): string => value < 128 ? value.toString(16).padStart(2, '0')
  : (value & 127 | 128).toString(16) + variable(value >>> 7);

export const unsubscribe5 = (identifier: number, ...filters: string[]): Uint8Array =>
  packet(0xA2, number(identifier), 0, ...filters.map(text));

export const disconnect5 = (code: number, hex = ''): Uint8Array => packet(0xE0, code, properties(hex));

/** An acknowledgement with a code. @param firstByte 0x40 for PUBACK, for example */
export const answer5 = (firstByte: number, identifier: number, code: number): Uint8Array =>
  packet(firstByte, number(identifier), code);

const NAMES = [
  '?', 'CONNECT', 'CONNACK', 'PUBLISH', 'PUBACK', 'PUBREC', 'PUBREL', 'PUBCOMP',
  'SUBSCRIBE', 'SUBACK', 'UNSUBSCRIBE', 'UNSUBACK', 'PINGREQ', 'PINGRESP', 'DISCONNECT', 'AUTH',
];

/** @returns the number, and how many bytes it takes */
function variableAt(bytes: Buffer, at: number): [value: number, length: number] {
  let value = 0, length = 0;
  do
    value |= (bytes[at + length]! & 127) << 7 * length;
  while (bytes[at + length++]! > 127);
  return [value, length];
}

/** ` {hex}` of properties, and where they end. */
function propertiesAt(body: Buffer, at: number): [text: string, end: number] {
  const [length, own] = variableAt(body, at);
  const end = at + own + length;
  return [length === 0 ? '' : ` {${body.toString('hex', at + own, end)}}`, end];
}

function describePacket(firstByte: number, body: Buffer): string {
  const type = firstByte >> 4;
  const name = NAMES[type]!;
  if (type === 2)
    return `${name} ${body[1]!.toString(16)}${body[0] === 1 ? ' present' : ''}${propertiesAt(body, 2)[0]}`;
  if (type === 3) {
    const qos = firstByte >> 1 & 3;
    const end = 2 + body.readUInt16BE(0);
    const [shown, payload] = propertiesAt(body, end + (qos > 0 ? 2 : 0));
    return `${name} ${body.toString('utf8', 2, end)}=${body.toString('utf8', payload)} q${qos}`
      + (qos > 0 ? ` #${body.readUInt16BE(end)}` : '') + (firstByte & 8 ? ' dup' : '')
      + (firstByte & 1 ? ' retain' : '')
      + shown;
  }
  if (type === 14)
    return `${name} ${body.toString('hex')}`;
  if (body.length < 2)
    return name;
  const isFilters = type === 9 || type === 11;
  const codes = body.subarray(isFilters ? propertiesAt(body, 2)[1] : 2);
  return [name, `#${body.readUInt16BE(0)}`, ...[...codes].map(code => code.toString(16))].join(' ');
}

/** What has arrived since the last call, in words; `closed` at the end of a connection. */
export function take5(peer: Peer): string[] {
  const events: string[] = [];
  const bytes = Buffer.from(peer.socket.takeBytes());
  for (let at = 0; at < bytes.length;) {
    const [length, own] = variableAt(bytes, at + 1);
    const body = at + 1 + own;
    events.push(describePacket(bytes[at]!, bytes.subarray(body, body + length)));
    at = body + length;
  }
  return peer.isClosed ? [...events, 'closed'] : events;
}

/** Sends, and what came back. */
export const ask5 = (peer: Peer, ...packets: Sendable[]): string[] => take5(peer.send(...packets));
