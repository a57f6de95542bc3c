/**
 * One connection of a gateway as the other side sees it: a node, or the Server upstream. It says what the test tells
 * it to, right or wrong. What arrives is either kept as bytes until the test takes them, in words, or read packet by
 * packet and answered: with mqtt-packet, another program's opinion of what the bytes mean.
 */
import { generate, parser as createParser, type Packet } from 'mqtt-packet';
import { bytesOfHex } from '../simulation/hex.ts';
import type { ScriptedPeer } from '../simulation/scripted-peer.ts';
import type { VirtualClock } from '../simulation/virtual-clock.ts';
import { describePackets } from './packets.ts';

/** Fields for mqtt-packet, bytes, or hexadecimal digits. */
export type Sendable = Packet | Uint8Array | string;

export type PacketHandler = (peer: Peer, packet: Packet) => void;

/** Long enough for any exchange, too short for any time-out. */
export const A_MOMENT = 20;

const bytesOf = (packet: Sendable): Uint8Array =>
  typeof packet === 'string' ? bytesOfHex(packet) : packet instanceof Uint8Array ? packet : generate(packet);

export class Peer {
  readonly socket: ScriptedPeer;
  /** What has arrived, in order; of a peer that answers. */
  readonly packets: Packet[] = [];
  /** When it did, in virtual milliseconds. */
  readonly times: number[] = [];
  /** When the connection was accepted or asked for. */
  readonly openedAt: number;
  nextIdentifier = 1;
  private readonly clock: VirtualClock;
  private saidClosed = false;

  /** @param onPacket makes a peer that answers; without it the peer keeps bytes for `take` */
  constructor(socket: ScriptedPeer, clock: VirtualClock, onPacket?: PacketHandler) {
    this.socket = socket;
    this.clock = clock;
    this.openedAt = clock.time;
    if (onPacket === undefined)
      return;
    const parser = createParser();
    parser.on('packet', packet => {
      this.packets.push(packet);
      this.times.push(clock.time);
      onPacket(this, packet);
    });
    parser.on('error', error => {
      throw error; // what the gateway has sent is not MQTT
    });
    socket.onReceived = () => parser.parse(Buffer.from(socket.takeBytes().buffer));
  }

  /** Sends in one piece, without letting time pass. */
  post(...packets: Sendable[]): this {
    this.socket.sendBytes(new Uint8Array(Buffer.concat(packets.map(bytesOf))));
    return this;
  }

  /** Sends, and lets a moment pass. */
  send(...packets: Sendable[]): this {
    this.post(...packets);
    this.clock.advance(A_MOMENT);
    return this;
  }

  /** What has arrived since the last call, in words; `closed` once at the end. */
  take(): string[] {
    const events = describePackets(this.socket.takeBytes());
    if (this.isClosed && !this.saidClosed) {
      this.saidClosed = true;
      events.push('closed');
    }
    return events;
  }

  /** Sends, and what came back. */
  ask(...packets: Sendable[]): string[] {
    return this.send(...packets).take();
  }

  close(): void {
    this.socket.close();
  }

  /** The network connection ends without DISCONNECT, and a moment passes. */
  vanish(): void {
    this.close();
    this.clock.advance(A_MOMENT);
  }

  get isClosed(): boolean {
    return this.socket.isClosed;
  }

  /** `topic payload` of each PUBLISH that has arrived. */
  get messages(): string[] {
    return this.all('publish').map(({ payload, topic }) => `${topic} ${payload}`);
  }

  all<Command extends Packet['cmd']>(command: Command): Extract<Packet, { cmd: Command }>[] {
    return this.packets.filter(packet => packet.cmd === command) as Extract<Packet, { cmd: Command }>[];
  }

  subscribe(topic: string, qos: 0 | 1 | 2 = 0): void {
    this.post({ cmd: 'subscribe', messageId: this.nextIdentifier++, subscriptions: [{ topic, qos }] });
  }

  publish(topic: string, payload: string | Buffer, qos: 0 | 1 | 2 = 0, retain = false): void {
    const messageId = qos > 0 ? { messageId: this.nextIdentifier++ } : {};
    this.post({ cmd: 'publish', topic, payload, qos, retain, dup: false, ...messageId });
  }
}

/** What a Server does that only lets the gateway in. */
export function accept(peer: Peer, packet: Packet): void {
  if (packet.cmd === 'connect')
    peer.post({ cmd: 'connack', returnCode: 0, sessionPresent: false });
}

/** What a Server does that behaves. */
export function oblige(peer: Peer, packet: Packet): void {
  accept(peer, packet);
  acknowledge(peer, packet);
  if (packet.cmd === 'subscribe') {
    const granted = packet.subscriptions.map(({ qos }) => qos);
    peer.post({ cmd: 'suback', messageId: packet.messageId!, granted });
  } else if (packet.cmd === 'unsubscribe')
    peer.post({ cmd: 'unsuback', messageId: packet.messageId!, granted: [] });
  else if (packet.cmd === 'pingreq')
    peer.post({ cmd: 'pingresp' });
}

/** The part of it that nodes do as well. */
export function acknowledge(peer: Peer, packet: Packet): void {
  const { messageId } = packet;
  if (packet.cmd === 'publish' && packet.qos > 0)
    peer.post({ cmd: packet.qos === 1 ? 'puback' : 'pubrec', messageId: messageId! });
  else if (packet.cmd === 'pubrec')
    peer.post({ cmd: 'pubrel', messageId: messageId! });
  else if (packet.cmd === 'pubrel')
    peer.post({ cmd: 'pubcomp', messageId: messageId! });
}
