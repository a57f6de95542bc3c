/**
 * A gateway with a persistent store between nodes that never forget and a Server that never forgets, without a
 * network: bytes go from one to the other in order, and whatever has not arrived when the power fails is lost.
 *
 * The nodes and the Server are written anew from the specification, with plain arrays and sets; only the gateway is
 * ours.
 */
import { ArenaPlan } from '../../src/bytes/arena.ts';
import { completeConfiguration } from '../../src/config/complete-configuration.ts';
import type { PartialConfiguration } from '../../src/config/configuration.ts';
import { Gateway } from '../../src/gateway/gateway.ts';
import { RepeatedMessage } from '../../src/packet/packet.ts';
import type { NodeOutput } from '../../src/session/server-role.ts';
import type { ServerSession } from '../../src/session/server-session.ts';
import type { Session } from '../../src/session/session.ts';
import * as ReasonCode from '../../src/packet/reason-code.ts';
import { type CutOptions, FlashMedium, SimulatedFlash } from './simulated-flash.ts';

export const word = (value: number): number[] => [value >> 8, value & 0xFF];
export const text = (value: string): number[] => [...word(value.length), ...Buffer.from(value, 'latin1')];
export const packet = (first: number, body: number[]): number[] =>
  [first, ...body.length < 128 ? [body.length] : [body.length & 127 | 128, body.length >> 7], ...body];
export const publish = (topic: string, payload: string, qos: number, identifier: number, flags: number): number[] =>
  packet(0x30 | qos << 1 | flags,
    [...text(topic), ...qos > 0 ? word(identifier) : [], ...Buffer.from(payload, 'latin1')]);

/** Splits a stream of whole packets. */
export function split(stream: number[]): number[][] {
  const packets: number[][] = [];
  for (let at = 0; at < stream.length;) {
    let length = stream[at + 1]!;
    let header = 2;
    if (length > 127) {
      length = (length & 127) + stream[at + 2]! * 128;
      header = 3;
    }
    packets.push([stream[at]!, ...stream.slice(at + header, at + header + length)]);
    at += header + length;
  }
  return packets;
}

export interface Delivery {
  readonly topic: string;
  readonly payload: string;
  readonly qos: number;
  readonly retain: boolean;
  readonly isDuplicate: boolean;
}

/** A Server that keeps its sessions for ever and gives each QoS 2 identifier one message until it is released. */
export class ServerModel {
  readonly delivered: Delivery[] = [];
  /** Whether it remembers the gateway's session. */
  keepsSession = true;
  /** Takes messages, but its answers to them are lost. */
  isMute = false;
  pubrelCount = 0;
  /** What came last under each identifier: the PUBLISH without its fixed header. */
  readonly identifiers = new Map<number, Buffer>();
  private hasSession = false;
  private readonly unreleased = new Set<number>();

  get unreleasedCount(): number {
    return this.unreleased.size;
  }

  answer(packet: number[]): number[] {
    const [first = 0, ...body] = packet;
    const answer = this.respond(first, body);
    return this.isMute && first >> 4 === 3 ? [] : answer;
  }

  private respond(first: number, body: number[]): number[] {
    const identifier = (body[0]! << 8 | body[1]!);
    switch (first >> 4) {
      case 1: {
        const present = this.hasSession && this.keepsSession;
        if (!present)
          this.unreleased.clear();
        this.hasSession = true;
        return [0x20, 2, present ? 1 : 0, 0];
      }
      case 3: return this.take(first, body);
      case 6:
        ++this.pubrelCount;
        this.unreleased.delete(identifier);
        return [0x70, 2, ...word(identifier)];
      case 8: return [0x90, 3, ...word(identifier), 1];
      case 12: return [0xD0, 0];
      default: return [];
    }
  }

  private take(first: number, body: number[]): number[] {
    const qos = first >> 1 & 3;
    const length = body[0]! << 8 | body[1]!;
    const rest = 2 + length + (qos > 0 ? 2 : 0);
    const identifier = body[2 + length]! << 8 | body[3 + length]!;
    const delivery = {
      topic: Buffer.from(body.slice(2, 2 + length)).toString('latin1'),
        payload: Buffer.from(body.slice(rest)).toString('latin1'),
      qos, retain: (first & 1) === 1, isDuplicate: (first & 8) !== 0,
    };
    if (qos < 2 || !this.unreleased.has(identifier))
      this.delivered.push(delivery);
    this.identifiers.set(identifier, Buffer.from(body));
    if (qos === 0)
      return [];
    if (qos === 2)
      this.unreleased.add(identifier);
    return [qos === 1 ? 0x40 : 0x50, 2, ...word(identifier)];
  }
}

export interface SentMessage {
  readonly topic: string;
  readonly payload: string;
  readonly qos: number;
  readonly retain: boolean;
  identifier: number;
  wasSent: boolean;
  /** PUBACK or PUBREC has come: the gateway has taken it over. */
  isTaken: boolean;
  isDone: boolean;
}

/** A Client that repeats, with DUP, what was not acknowledged. */
export class NodeModel {
  readonly name: string;
  readonly messages: SentMessage[] = [];
  /** Whether it does without a session that is kept. */
  isClean = false;
  private identifier = 0;

  constructor(name: string) {
    this.name = name;
  }

  connect(): number[] {
    return packet(0x10, [...text('MQTT'), 4, this.isClean ? 2 : 0, 0, 0, ...text(this.name)]);
  }

  add(topic: string, payload: string, qos: number, retain = false): number[] {
    const message =
      { topic, payload, qos, retain, identifier: qos > 0 ? this.identifier = this.identifier % 65535 + 1 : 0,
        wasSent: false, isTaken: qos === 0, isDone: qos === 0 };
    this.messages.push(message);
    return this.bytesOf(message);
  }

  /** CONNACK has come. @returns what it says after that */
  connected(_sessionPresent: boolean): number[] {
    return this.resume();
  }

  /** What it sends again. */
  resume(): number[] {
    return this.messages.filter(({ isDone }) => !isDone).flatMap(message =>
      message.isTaken ? [0x62, 2, ...word(message.identifier)] : this.bytesOf(message));
  }

  answer([first = 0, ...body]: number[]): number[] {
    const identifier = body[0]! << 8 | body[1]!;
    const message = this.messages.find(one => one.identifier === identifier && !one.isDone);
    if (message === undefined)
      return first >> 4 === 5 ? [0x62, 2, ...word(identifier)] : [];
    switch (first >> 4) {
      case 4: message.isTaken = message.isDone = true; return [];
      case 5: message.isTaken = true; return [0x62, 2, ...word(identifier)];
      case 7: message.isDone = true; return [];
      default: return [];
    }
  }

  private bytesOf(message: SentMessage): number[] {
    const { identifier, payload, qos, retain, topic } = message;
    const bytes = publish(topic, payload, qos, identifier, (message.wasSent && qos > 0 ? 8 : 0) | (retain ? 1 : 0));
    message.wasSent = true;
    return bytes;
  }
}

/** Takes what a session sends, as long as there is power. */
class Wire implements NodeOutput {
  sent: number[] = [];
  /** What has come, and waits until the session reads on. */
  readonly unread: number[] = [];
  room = 100_000;
  isClosed = false;
  private readonly world: StoreWorld;
  private readonly session: Session;

  constructor(world: StoreWorld, session: Session) {
    this.world = world;
    this.session = session;
  }

  send(length: number): boolean {
    const { bytes, stagingOffset } = this.world.gateway.arena;
    this.world.onSend?.(this.session === this.world.gateway.upstream,
      Buffer.from(bytes.subarray(stagingOffset, stagingOffset + length)));
    if (this.world.hasPower)
      this.sent.push(...bytes.subarray(stagingOffset, stagingOffset + length));
    bytes.fill(0xA5, stagingOffset, stagingOffset + length);
    return true;
  }

  close(): void {
    this.isClosed = true;
  }

  stalledFor(): number {
    return 0;
  }

  get hasUnread(): boolean {
    return this.unread.length > 0 || this.session.parser.hasWaiting;
  }

  resume(): void {
    while (this.session.parser.wanted > 0 && this.unread.length > 0 && this.world.hasPower)
      this.bring(this.session.parser.wanted);
  }

  readOne(): void {
    const { parser } = this.session;
    const hadWaiting = parser.hasWaiting;
    if (hadWaiting)
      parser.receiveOne();
    for (let isFirst = !hadWaiting; this.unread.length > 0 && (isFirst || parser.missing !== 0); isFirst = false)
      this.bring(parser.width);
  }

  readAhead(): void {
    const { arena } = this.world.gateway;
    const { parser } = this.session;
    const piece = this.unread.splice(0, parser.width);
    if (piece.length > 0) {
      arena.bytes.set(piece, arena.landingOffset);
      parser.add(arena.landingOffset, arena.landingOffset + piece.length);
    }
    parser.receiveAnswers();
  }

  stopSending(): void { /* it takes everything */ }

  private bring(length: number): void {
    const { arena } = this.world.gateway;
    const piece = this.unread.splice(0, length);
    arena.bytes.set(piece, arena.landingOffset);
    this.session.parser.receive(arena.landingOffset, arena.landingOffset + piece.length);
  }
}

export const TINY: PartialConfiguration = {
  upstream: { max_inflight_messages: 4, max_packet_size: 256, keepalive_interval: 0 },
  listener: { max_connections: 2, max_packet_size: 256, max_inflight_messages: 100, allow_anonymous: true,
    max_queued_bytes: 256, max_retained_bytes: 256, max_subscription_bytes: 128, sys_interval: 0 },
  topic: [{ pattern: '#', direction: 'out', qos: 2, local_prefix: '', remote_prefix: 'up/' }],
  memory: { topics: 8, topic_length: 32 },
  store: { ram: 400, durability: 'flash', on_failure: 'memory' },
};

const READING_CAPACITY = 256;
const MOST_SECONDS = 100;

/** Each life begins with other packet identifiers. */
let lives = 1;

/** One life of the gateway. Several of them share a medium, a Server and nodes. */
export class StoreWorld {
  readonly gateway: Gateway;
  readonly flash: SimulatedFlash;
  readonly server: ServerModel;
  readonly nodes: readonly NodeModel[];
  readonly events: number[] = [];
  /** Packets that nodes have got, as hexadecimal. */
  readonly toNodes: string[][];
  seconds: number;
  /** Bytes that the upstream connection takes at a time; from the next `openUpstream` on. */
  upstreamRoom = 100_000;
  /** Told of each packet that a session sends. */
  onSend: ((isUpstream: boolean, packet: Buffer) => void) | undefined;
  /** The network is faster than the timer: what has arrived is handled before what is due. */
  isLazy = false;
  private readonly readingOffset: number;
  private upstream: Wire | undefined;
  private readonly wires: (Wire | undefined)[];
  /** Per node: the session that it uses. */
  private readonly seats: number[];

  constructor(medium: FlashMedium, server: ServerModel, nodes: readonly NodeModel[],
    { seconds = 1_800_000_000, ...cut }: CutOptions & { seconds?: number | undefined } = {},
    configuration: PartialConfiguration = TINY) {
    this.server = server;
    this.nodes = nodes;
    this.seconds = seconds;
    this.wires = nodes.map(() => undefined);
    this.seats = nodes.map((_node, index) => index);
    this.toNodes = nodes.map(() => []);
    const plan = new ArenaPlan();
    this.readingOffset = plan.reserve('a reading', READING_CAPACITY);
    this.gateway = new Gateway(completeConfiguration(configuration), {
      authenticator: { authenticate: () => ReasonCode.SUCCESS },
      observer: { onEvent: event => { this.events.push(event); } },
      landingCapacity: 4096,
      plan,
      resizable: false,
      date: () => this.seconds,
      firstIdentifier: () => lives++ * 0.37 % 1,
    });
    this.flash = new SimulatedFlash(this.gateway.arena, medium, cut);
    this.gateway.openStore(this.flash);
  }

  get hasPower(): boolean {
    return !this.flash.isDead;
  }

  get queue() {
    return this.gateway.upstreamQueue;
  }

  get waitingCount(): number {
    return this.queue.count + this.queue.window!.waitingCount;
  }

  connectUpstream(): void {
    this.openUpstream();
    this.settle();
  }

  /** Nothing of it has arrived yet. */
  openUpstream(): void {
    if (this.upstream === undefined && this.hasPower)
      this.gateway.upstream.open(this.upstream = new Wire(this, this.gateway.upstream));
    if (this.upstream !== undefined)
      this.upstream.room = this.upstreamRoom;
  }

  /** So many packets of the upstream connection arrive, and are answered, before any timer. */
  exchange(count: number): void {
    while (count-- > 0 && this.hasPower)
      this.deliver();
  }

  cutUpstream(): void {
    if (this.upstream === undefined)
      return;
    this.upstream = undefined;
    this.gateway.upstream.transportClosed(ReasonCode.NETWORK_CLOSED);
  }

  connectNode(index: number): void {
    this.openNode(index);
    this.settle();
  }

  /** Nothing of what it is sent after CONNACK has arrived yet. */
  openNode(index: number): void {
    if (this.wires[index] !== undefined || !this.hasPower)
      return;
    const session = this.sessionOf(index);
    session.open(this.wires[index] = new Wire(this, session));
    this.feed(session, this.nodes[index]!.connect());
    const [connack] = split(this.wires[index]!.sent.splice(0, 4)); // what follows it arrives later
    if (connack?.[0] !== 0x20 || connack[2] !== 0) {
      this.wires[index] = undefined;
      return;
    }
    this.feed(session, this.nodes[index]!.connected(connack[1] === 1));
  }

  cutNode(index: number): void {
    if (this.wires[index] === undefined)
      return;
    this.wires[index] = undefined;
    this.sessionOf(index).transportClosed(ReasonCode.NETWORK_CLOSED);
  }

  /**
   * Several messages in one segment. Without power nobody sends: what the nodes hold back must fit the store in the
   * next life.
   */
  send(index: number, ...messages: [topic: string, payload: string, qos: number, retain?: boolean][]): void {
    if (!this.hasPower)
      return;
    const bytes = messages.flatMap(message => this.nodes[index]!.add(...message));
    if (this.wires[index] !== undefined)
      this.feed(this.sessionOf(index), bytes);
  }

  /** What the Server says by itself; it is lost without a connection or power. */
  fromServer(bytes: number[]): void {
    if (this.upstream !== undefined && this.hasPower)
      this.feed(this.gateway.upstream, bytes);
  }

  /** A message of the gateway itself, as sensors make them. */
  takeReading(topic: string, payload: string): void {
    const { bytes } = this.gateway.arena;
    bytes.set(Buffer.from(topic + payload, 'latin1'), this.readingOffset);
    const reading = new RepeatedMessage();
    reading.rename(this.readingOffset, topic.length);
    reading.payloadOffset = this.readingOffset + topic.length;
    reading.payloadLength = payload.length;
    reading.qos = 2;
    this.gateway.publish(reading);
  }

  /** What a node sends that is no message. */
  say(index: number, ...bytes: number[]): void {
    this.feed(this.sessionOf(index), bytes);
    this.settle();
  }

  /** The connection of a node is not there any more, and the gateway does not know: the next one is another. */
  forgetWire(index: number): void {
    const { seats } = this;
    this.wires[index] = undefined;
    seats[index] = this.gateway.sessions.findIndex((_session, seat) => !seats.includes(seat));
  }

  private sessionOf(index: number): ServerSession {
    return this.gateway.sessions[this.seats[index]!]!;
  }

  isNodeConnected(index: number): boolean {
    return this.wires[index] !== undefined;
  }

  /** Time passes, and whatever was sent arrives, one packet at a time, until nothing is under way. */
  settle(): void {
    for (let step = 0; step < 100_000; ++step)
      if (!this.step())
        return;
    throw new Error('never idle');
  }

  /** A millisecond of that. @returns whether anything has happened */
  step(): boolean {
    if (!this.hasPower)
      return false;
    const { clock } = this.gateway;
    clock.now = clock.now + 1 | 0;
    if (this.isLazy && this.deliver())
      return true;
    const isPressing = clock.isPressing;
    if (isPressing) {
      clock.isPressing = false;
      this.gateway.commit();
      this.gateway.handleDeferred();
    }
    const isDue = clock.isArmed && (clock.now - clock.deadline | 0) >= 0;
    if (isDue) {
      clock.isArmed = false;
      this.gateway.handleTimeout();
    }
    return this.deliver() || isDue || isPressing;
  }

  /** The storage has failed: another one takes its place. */
  replaceStorage(medium = new FlashMedium(512, 12)): void {
    this.gateway.durableStore!.backlog.store.close();
    this.gateway.openStore(new SimulatedFlash(this.gateway.arena, medium));
  }

  /** So many seconds pass, in which nothing happens. */
  pass(seconds: number): void {
    const { clock } = this.gateway;
    clock.now = clock.now + seconds * 1000 | 0;
    this.seconds += seconds;
    this.settle();
  }

  /** `milliseconds` pass, in steps of 20. */
  wait(milliseconds: number): void {
    for (const { clock } = this.gateway; milliseconds > 0; milliseconds -= 20) {
      clock.now = clock.now + 20 | 0;
      this.settle();
    }
  }

  /** The power is gone, but what had been sent before arrives all the same. */
  arriveLate(): void {
    for (const packet of split(this.upstream?.sent.splice(0) ?? []))
      this.server.answer(packet);
    this.wires.forEach((wire, index) => {
      for (const packet of split(wire?.sent.splice(0) ?? []))
        this.nodes[index]!.answer(packet);
    });
  }

  /** Everything connects and everything arrives, also what others go before for some seconds. */
  finish(nodes = true): void {
    this.connectUpstream();
    if (nodes)
      this.nodes.forEach((_node, index) => this.connectNode(index));
    this.settle();
    const { probation } = this.gateway.bridge.guard;
    if (!probation.isHolding)
      return;
    for (let left = MOST_SECONDS; left > 0 && probation.isHolding; --left)
      this.pass(1);
    this.pass(1); // nodes that have been made to wait go on
    this.pass(1);
  }

  private deliver(): boolean {
    let moved = false;
    const { upstream } = this;
    if (upstream !== undefined && upstream.sent.length > 0) {
      moved = true;
      const [first = [], ...rest] = split(upstream.sent.splice(0));
      upstream.sent.unshift(...rest.flatMap(([type = 0, ...body]) => packet(type, body)));
      this.feed(this.gateway.upstream, this.server.answer(first));
    }
    this.wires.forEach((wire, index) => {
      if (wire === undefined || wire.sent.length === 0)
        return;
      moved = true;
      for (const one of split(wire.sent.splice(0))) {
        this.toNodes[index]!.push(Buffer.from(one).toString('hex'));
        this.feed(this.sessionOf(index), this.nodes[index]!.answer(one));
      }
    });
    this.wires.forEach((wire, index) => {
      if (wire?.isClosed === true)
        this.wires[index] = undefined;
    });
    return moved;
  }

  private feed(session: Session, bytes: number[]): void {
    const wire = session === this.gateway.upstream ? this.upstream
      : this.wires[this.seats.indexOf((session as ServerSession).index)];
    if (wire === undefined)
      return;
    wire.unread.push(...bytes);
    wire.resume();
  }
}
