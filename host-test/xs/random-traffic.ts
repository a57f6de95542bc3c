/**
 * Runs on XS: a gateway between a Server and four nodes that do everything MQTT allows, in an order, sizes and pieces
 * that chance decides, over sockets that take little at a time. Nobody chose these packets to suit the gateway.
 * Prints one JSON object: what it cost, and what has happened. Script arguments: events, seed.
 *
 * The peers live in this program, so they may not allocate either.
 */
import { PINGREQ, PINGRESP, PUBACK, PUBCOMP, PUBLISH, PUBREC, PUBREL, SUBACK, SUBSCRIBE, UNSUBACK,
  UNSUBSCRIBE } from '../../src/packet/control-packet.ts';
import { HandDrivenNetwork, HandDrivenSocket } from '../world/hand-driven.ts';
import { bytesOf } from './workloads.ts';

declare const print: (line: string) => void;
declare const readCounters: (counters: Float64Array) => void;
declare const scriptArguments: string[];

const NODES = 4;
/** What a peer has to say waits here until the network brings it to the gateway. */
const OUTBOX_LENGTH = 4096;
/** The longest packet that the gateway sends here, and what the socket cut off before it. */
const INBOX_LENGTH = 8192;
const LONGEST_PAYLOAD = 600;
const LONGEST_ANSWER = 4;
/** Messages that a peer has under way at a time. */
const MOST_UNANSWERED = 6;

const topics =
  ['site/room1/temp/0001', 'site/room2/humidity/0014', 'site/r3/t', 'a', 'x'.repeat(100), 'y'.repeat(100), 'site/é/ü',
    'home/kitchen/light/set'].map(topic => bytesOf(...utf8(topic)));
const filters =
  ['site/#', 'site/+/temp/0001', '#', '+/kitchen/#', 'a', 'site/room2/humidity/0014'].map(filter => bytesOf(filter));

function utf8(text: string): number[] {
  return Array.from(text).flatMap(character => {
    const code = character.codePointAt(0)!;
    return code < 128 ? [code] : [0xC0 | code >> 6, 0x80 | code & 63];
  });
}

let seed = Number(scriptArguments[1] ?? 1);
/** @returns 0 to `limit` - 1; xorshift, so that the same seed always brings the same traffic */
function random(limit: number): number {
  seed ^= seed << 13;
  seed ^= seed >>> 17;
  seed ^= seed << 5;
  return (seed >>> 0) % limit;
}

/** Packets per type that peers have sent, and that have reached them. */
const sent = new Int32Array(16);
const received = new Int32Array(16);

/** One end of a connection, and who sits there. */
class Peer extends HandDrivenSocket {
  isServer = false;
  isClosed = false;
  /** Messages of QoS 1 and 2 whose last acknowledgement has not come; SUBSCRIBE and PINGREQ count too. */
  unanswered = 0;
  private readonly outbox = new Uint8Array(OUTBOX_LENGTH);
  private outboxLength = 0;
  private outboxAt = 0;
  private unread = 0;
  private readonly inbox = new Uint8Array(INBOX_LENGTH);
  private inboxLength = 0;
  private allowance = 0;
  private identifier = 0;

  // The socket, for the gateway

  read(view: Uint8Array): number {
    const { length } = view;
    if (length > this.unread)
      throw new Error('the gateway reads more than is there');
    for (let at = 0; at < length; ++at)
      view[at] = this.outbox[this.outboxAt + at]!;
    this.outboxAt += length;
    this.unread -= length;
    return length;
  }

  write(view: Uint8Array): number {
    const { length } = view;
    if (length > this.allowance)
      throw new Error('the gateway writes more than the socket takes');
    for (let at = 0; at < length; ++at)
      this.inbox[this.inboxLength + at] = view[at]!;
    this.inboxLength += length;
    return this.allowance -= length;
  }

  override close(): void {
    this.isClosed = true;
  }

  // The network

  /** Brings up to `most` more bytes to the gateway. */
  deliver(most: number): void {
    const left = this.outboxLength - this.outboxAt - this.unread;
    if (left === 0 && this.unread === 0)
      return;
    this.unread += most < left ? most : left;
    this.readable(this.unread);
    if (this.outboxAt === this.outboxLength)
      this.outboxAt = this.outboxLength = 0;
  }

  /** Takes what has been written, and then `count` bytes more. */
  drain(count: number): void {
    this.handlePackets();
    const room = INBOX_LENGTH - this.inboxLength;
    this.allowance = count < room ? count : room;
    this.writable(this.allowance);
  }

  get isIdle(): boolean {
    return this.outboxLength === this.outboxAt && this.inboxLength === 0;
  }

  // Who sits there

  /**
   * For a packet of its own; the other half of the outbox is kept for answers, or both sides could wait for each
   * other.
   */
  private get hasRoom(): boolean {
    return this.outboxLength < OUTBOX_LENGTH / 2;
  }

  private put(byte: number): void {
    this.outbox[this.outboxLength++] = byte;
  }

  private begin(firstByte: number, remainingLength: number): void {
    ++sent[firstByte >> 4];
    this.put(firstByte);
    if (remainingLength > 127)
      this.put(remainingLength & 127 | 128);
    this.put(remainingLength > 127 ? remainingLength >> 7 : remainingLength);
  }

  private putIdentifier(identifier: number): void {
    this.put(identifier >> 8);
    this.put(identifier & 255);
  }

  private putText(bytes: Uint8Array): void {
    this.putIdentifier(bytes.length);
    for (let at = 0; at < bytes.length; ++at)
      this.put(bytes[at]!);
  }

  private nextIdentifier(): number {
    return this.identifier = this.identifier === 65535 ? 1 : this.identifier + 1;
  }

  acknowledge(firstByte: number, identifier: number): void {
    this.begin(firstByte, 2);
    this.putIdentifier(identifier);
  }

  start(packet: Uint8Array): void {
    for (let at = 0; at < packet.length; ++at)
      this.put(packet[at]!);
  }

  publish(): void {
    const qos = this.unanswered < MOST_UNANSWERED ? random(3) : 0;
    const topic = topics[random(topics.length)]!;
    const payloadLength = random(4) === 0 ? random(LONGEST_PAYLOAD) : random(30);
    if (!this.hasRoom)
      return;
    this.begin(PUBLISH << 4 | qos << 1 | (random(10) === 0 ? 1 : 0),
      2 + topic.length + (qos === 0 ? 0 : 2) + payloadLength);
    this.putText(topic);
    if (qos !== 0) {
      this.putIdentifier(this.nextIdentifier());
      ++this.unanswered;
    }
    for (let at = 0; at < payloadLength; ++at)
      this.put(at & 255);
  }

  subscribe(): void {
    const filter = filters[random(filters.length)]!;
    const isNew = random(2) === 0;
    if (this.isServer || !this.hasRoom || this.unanswered >= MOST_UNANSWERED)
      return;
    this.begin((isNew ? SUBSCRIBE : UNSUBSCRIBE) << 4 | 2, 4 + filter.length + (isNew ? 1 : 0));
    this.putIdentifier(this.nextIdentifier());
    this.putText(filter);
    if (isNew)
      this.put(random(3));
    ++this.unanswered;
  }

  ping(): void {
    if (this.isServer || !this.hasRoom || this.unanswered >= MOST_UNANSWERED)
      return;
    this.begin(PINGREQ << 4, 0);
    ++this.unanswered;
  }

  /** Answers whole packets as MQTT wants it, while there is room for answers. */
  private handlePackets(): void {
    const { inbox } = this;
    let at = 0;
    while (this.inboxLength - at >= 2 && this.outboxLength + LONGEST_ANSWER <= OUTBOX_LENGTH) {
      const isLong = inbox[at + 1]! > 127;
      if (isLong && this.inboxLength - at < 3)
        break;
      const body = at + (isLong ? 3 : 2);
      const end = body + (isLong ? inbox[at + 1]! & 127 | inbox[at + 2]! << 7 : inbox[at + 1]!);
      if (end > this.inboxLength)
        break;
      this.handlePacket(inbox[at]!, body);
      at = end;
    }
    inbox.copyWithin(0, at, this.inboxLength);
    this.inboxLength -= at;
  }

  private handlePacket(firstByte: number, body: number): void {
    const { inbox } = this;
    const type = firstByte >> 4;
    ++received[type];
    if (type === PUBLISH) {
      const qos = firstByte >> 1 & 3;
      const at = body + 2 + (inbox[body]! << 8 | inbox[body + 1]!);
      if (qos !== 0)
        this.acknowledge((qos === 1 ? PUBACK : PUBREC) << 4, inbox[at]! << 8 | inbox[at + 1]!);
    } else if (type === PUBREC)
      this.acknowledge(PUBREL << 4 | 2, inbox[body]! << 8 | inbox[body + 1]!);
    else if (type === PUBREL)
      this.acknowledge(PUBCOMP << 4, inbox[body]! << 8 | inbox[body + 1]!);
    else if (type === PINGREQ)
      this.begin(PINGRESP << 4, 0);
    else if (type === PUBACK || type === PUBCOMP || type === SUBACK || type === UNSUBACK || type === PINGRESP)
      --this.unanswered;
  }
}

const network = new HandDrivenNetwork<Peer>(Peer);
const runtime = network.start({
  topic: [
    { pattern: 'site/#', direction: 'out', qos: 2, local_prefix: '', remote_prefix: 'gateway/' },
    { pattern: '#', direction: 'in', qos: 2, local_prefix: '', remote_prefix: '' },
  ],
  store: { ram: 32_768 }, // enough: who finds no room is disconnected, so that the message comes again
  sensors: [{ name: 'air', type: 'simulated', topic: 'site/air', interval: 1 }],
});
network.wait(0);

const server = network.newest;
server.isServer = true;
server.drain(OUTBOX_LENGTH);
server.start(bytesOf(0x20, 2, 0, 0, 0x90, 3, 0, 1, 2));
server.deliver(OUTBOX_LENGTH);
server.drain(OUTBOX_LENGTH);
const peers = [server];
for (let index = 0; index < NODES; ++index) {
  const node = network.accept(new Peer({}));
  peers.push(node);
  node.drain(OUTBOX_LENGTH);
  node.start(index === 0 ? bytesOf(0x10, 16, 0, 6, 'MQIsdp', 3, 2, 0, 0, 0, 2, 'n0')
    : bytesOf(0x10, 14, 0, 4, 'MQTT', 4, 2, 0, 0, 0, 2, `n${index}`));
  node.deliver(OUTBOX_LENGTH);
  node.drain(OUTBOX_LENGTH);
}
if (runtime.gateway.connectedCount !== NODES || !runtime.gateway.upstream.isConnected)
  throw new Error('not everybody is connected');

function happen(count: number): void {
  for (let event = 0; event < count; ++event) {
    const peer = peers[random(peers.length)]!;
    const kind = random(20);
    if (kind < 5)
      peer.publish();
    else if (kind < 11)
      peer.deliver(1 + random(random(4) === 0 ? 1500 : 40));
    else if (kind < 17)
      peer.drain(random(5) === 0 ? random(60) : 100 + random(1500));
    else if (kind < 18)
      peer.subscribe();
    else if (kind < 19)
      peer.ping();
    else
      network.wait(random(100));
  }
}

/** Everybody falls silent; what is on its way arrives. @returns how many have not got all answers */
function settle(): number {
  let restless = 0;
  for (let turn = 0; turn < 1000; ++turn) {
    restless = 0;
    network.wait(20); // whose message waits for room at others is asked again now and then
    for (let index = 0; index < peers.length; ++index) {
      const peer = peers[index]!;
      peer.drain(OUTBOX_LENGTH);
      peer.deliver(OUTBOX_LENGTH);
      if (!peer.isIdle || peer.unanswered > 0)
        ++restless;
    }
  }
  return restless;
}

const events = Number(scriptArguments[0] ?? 10_000);
const before = new Float64Array(5);
const after = new Float64Array(5);
readCounters(before);
happen(1000);
readCounters(before);
happen(events);
const restless = settle();
readCounters(after);

print(JSON.stringify({
  slots: after[0]! - before[0]!,
  chunkBytes: after[1]! - before[1]!,
  collections: after[2]! - before[2]!,
  restless,
  closed: peers.filter(({ isClosed }) => isClosed).length,
  sent: Array.from(sent),
  received: Array.from(received),
}));
