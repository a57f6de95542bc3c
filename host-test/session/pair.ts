/**
 * Test doubles for the session folder: fixed memory with settable texts, an `Output` that records bytes, handlers that
 * log, and a `Pair`: a Client and a Server session joined by a wire with latency and fragmentation, in virtual time.
 *
 * Engine-neutral: no test runner, no platform, so the same scenarios can run inside XS.
 */
import { Arena, ArenaPlan } from '../../src/bytes/arena.ts';
import { decodeUTF8, encodeUTF8, lengthOfUTF8 } from '../../src/bytes/utf8.ts';
import * as Connect from '../../src/packet/connect.ts';
import { DUP } from '../../src/packet/control-packet.ts';
import { OVERSIZE_CLOSE } from '../../src/packet/packet-handler.ts';
import { MessageSpans, Packet, type Message } from '../../src/packet/packet.ts';
import * as ProtocolVersion from '../../src/packet/protocol-version.ts';
import * as ReasonCode from '../../src/packet/reason-code.ts';
import { TopicTable } from '../../src/packet/topic-table.ts';
import { ClientSession, type ClientHandler, type ClientPlan, type ClientSessionSettings } from '../../src/session/client-session.ts';
import { Clock, isDue } from '../../src/session/clock.ts';
import { type NodeOutput, type ServerHandler, ServerRole,
  type ServerSessionSettings } from '../../src/session/server-role.ts';
import { ServerSession } from '../../src/session/server-session.ts';
import { SessionState } from '../../src/session/session-state.ts';
import { QueueLimits, type SessionLimits } from '../../src/session/queue-limits.ts';
import { REFUSED, TAKEN } from '../../src/session/session-role.ts';
import { UpstreamWindow } from '../../src/session/upstream-window.ts';
import type { SessionContext } from '../../src/session/session-role.ts';
import type { Session } from '../../src/session/session.ts';
import { bytesOfHex, hexOfBytes } from '../simulation/hex.ts';
import { Random } from '../simulation/random.ts';

// Bytes

/** '10 0e' to [16, 14]; fields may be set apart by `|`. */
export const bytes = (text: string): number[] => [...bytesOfHex(text.replaceAll('|', ' '))];

/** [16, 14] to '10 0e'. */
export { hexOfBytes as hex };

/** The bytes of an ASCII text as hex. */
export const ascii = (text: string): string => hexOfBytes(Array.from(text, character => character.charCodeAt(0)));

/** A generator of numbers in [0, 1) that repeats for a seed. */
export function seeded(seed: number): () => number {
  const random = new Random(seed);
  return () => random.integer(0, 999_999) / 1_000_000;
}

// Memory

export interface Span {
  readonly offset: number;
  readonly length: number;
}

export interface WorldOptions {
  readonly client?: Partial<ClientSessionSettings>;
  readonly server?: Partial<ServerSessionSettings>;
  readonly limits?: Partial<SessionLimits>;
  readonly stagingCapacity?: number;
  /** What the clock shows at the beginning. */
  readonly now?: number;
}

const TEXT_CAPACITY = 16_384;
/** Places in the pool of Server sessions. */
export const SERVER_SESSION_COUNT = 4;
const TOPIC_COUNT = 16;
const TOPIC_CAPACITY = 32;
/** Parsers of all sessions of a world. */
const READER_COUNT = 16;

const CLIENT_SETTINGS: ClientSessionSettings = {
  maximumPacketSize: 256,
  connackTimeout: 10_000,
  pingrespTimeout: 5_000,
  acknowledgementTimeout: 20_000,
  sendTimeout: 15_000,
  oversize: OVERSIZE_CLOSE,
};

const SERVER_SETTINGS: ServerSessionSettings = {
  maximumPacketSize: 256,
  willCapacity: 64,
  maximumClientIdentifierLength: 100,
  connectTimeout: 8_000,
  sendTimeout: 15_000,
  oversize: OVERSIZE_CLOSE,
  maximumKeepAlive: 65535,
  maximumPublishRate: 0,
  receiveMaximum: 4,
  sessionExpiry: 0xFFFFFFFF,
  storesState: false,
};

export const LIMITS: SessionLimits = { queueCapacity: 1024, maximumQueuedMessages: 16, maximumInflightMessages: 4 };

/** An arena with room for one session of each role, a session state for each, and texts. */
export class World {
  readonly arena: Arena;
  readonly clock = new Clock();
  readonly context: SessionContext;
  readonly serverSettings: ServerSessionSettings;
  readonly clientPlan: ClientPlan;
  readonly serverOffset: number;
  readonly clientState: SessionState;
  readonly serverState: SessionState;
  private textOffset: number;
  private readonly textEnd: number;

  constructor(options: WorldOptions = {}) {
    this.serverSettings = { ...SERVER_SETTINGS, ...options.server };
    const limits = { ...LIMITS, ...options.limits };
    const plan = new ArenaPlan();
    this.textOffset = plan.reserve('texts', TEXT_CAPACITY);
    this.textEnd = this.textOffset + TEXT_CAPACITY;
    const topics = TopicTable.plan(plan, TOPIC_COUNT, TOPIC_CAPACITY, READER_COUNT);
    const clientState = plan.reserve('client state', QueueLimits.lengthOf({ ...limits, isUpstream: true }));
    const serverState = plan.reserve('server state', QueueLimits.lengthOf(limits));
    this.clientPlan = ClientSession.plan(plan, { ...CLIENT_SETTINGS, ...options.client });
    this.serverOffset = ServerRole.plan(plan, this.serverSettings, SERVER_SESSION_COUNT);
    this.arena = new Arena(plan,
      { landingCapacity: 1024, stagingCapacity: options.stagingCapacity ?? 1024, resizable: false });
    this.arena.bytes.fill(0xA5, this.arena.stagingOffset);
    const topicTable = new TopicTable(this.arena, topics, TOPIC_COUNT, TOPIC_CAPACITY);
    this.context = { arena: this.arena, clock: this.clock, topics: topicTable, packet: new Packet(this.arena) };
    this.clientState =
      new SessionState(new QueueLimits(this.arena, { ...limits, isUpstream: true }), clientState,
        new UpstreamWindow(16));
    this.serverState = new SessionState(new QueueLimits(this.arena, limits), serverState);
    this.clock.now = options.now ?? 0;
  }

  serverRole(handler: ServerHandler): ServerRole {
    return new ServerRole(this.context, this.serverOffset, this.serverSettings, SERVER_SESSION_COUNT, handler);
  }

  /** Keeps a text. */
  text(value: string): Span {
    const offset = this.textOffset;
    const length = lengthOfUTF8(value);
    if (offset + length > this.textEnd)
      throw new RangeError('no room for texts');
    this.textOffset = encodeUTF8(this.arena, offset, value);
    return { offset, length };
  }

  message(topicName: string, payload: string, retain = 0): Message {
    const topic = this.text(topicName);
    const body = this.text(payload);
    return { topicNameOffset: topic.offset, topicNameLength: topic.length, payloadOffset: body.offset,
      payloadLength: body.length, qos: 0, retain, packetIdentifier: 0, propertiesOffset: 0, propertiesLength: 0 };
  }

  /**
   * `parser.receive` in chunks whose sizes `nextSize` names; stops when the session takes no more. @returns how many
   * bytes it took
   */
  feed(session: Session, data: readonly number[] | string, nextSize: () => number = () => Infinity): number {
    const values = typeof data === 'string' ? bytes(data) : data;
    const { arena } = this;
    let at = 0;
    while (at < values.length) {
      const length = Math.min(nextSize(), values.length - at, session.parser.wanted);
      if (length <= 0)
        break;
      for (let index = 0; index < length; ++index)
        arena.bytes[arena.landingOffset + index] = values[at + index]!;
      session.parser.receive(arena.landingOffset, arena.landingOffset + length);
      arena.bytes.fill(0xA5, arena.landingOffset, arena.landingOffset + length);
      at += length;
    }
    return at;
  }
}

// CONNECT

export interface ConnectOptions {
  readonly version?: number;
  readonly cleanStart?: boolean;
  readonly keepAlive?: number;
  readonly clientIdentifier?: string;
  readonly will?: {
    readonly topicName: string; readonly payload: string; readonly qos?: number; readonly retain?: boolean;
  };
  readonly userName?: string;
  readonly password?: string;
}

export function connectFields(world: World, options: ConnectOptions = {}): Connect.ConnectFields {
  const { will } = options;
  const clientIdentifier = world.text(options.clientIdentifier ?? 'gw');
  const willTopic = world.text(will?.topicName ?? '');
  const willPayload = world.text(will?.payload ?? '');
  const userName = world.text(options.userName ?? '');
  const password = world.text(options.password ?? '');
  let connectFlags = options.cleanStart ?? true ? Connect.CLEAN_START : 0;
  if (will !== undefined)
    connectFlags |= Connect.WILL | (will.qos ?? 0) << Connect.WILL_QOS_SHIFT | (will.retain ? Connect.WILL_RETAIN : 0);
  if (options.userName !== undefined)
    connectFlags |= Connect.USER_NAME;
  if (options.password !== undefined)
    connectFlags |= Connect.PASSWORD;
  return {
    version: options.version ?? ProtocolVersion.MQTT_3_1_1,
    connectFlags,
    keepAlive: options.keepAlive ?? 0,
    clientIdentifierOffset: clientIdentifier.offset,
    clientIdentifierLength: clientIdentifier.length,
    willTopicOffset: willTopic.offset,
    willTopicLength: willTopic.length,
    willPayloadOffset: willPayload.offset,
    willPayloadLength: willPayload.length,
    userNameOffset: userName.offset,
    userNameLength: userName.length,
    passwordOffset: password.offset,
    passwordLength: password.length,
  };
}

// Outputs

/** Keeps what is sent. `capacity` bytes fit before somebody makes `room` again. */
export class RecordingOutput implements NodeOutput {
  readonly sent: number[] = [];
  room = Infinity;
  isClosed = false;
  resumeCount = 0;
  /** When the peer stopped reading; undefined while it reads. */
  stalledSince: number | undefined;
  protected readonly arena: Arena;

  constructor(arena: Arena) {
    this.arena = arena;
  }

  send(length: number): boolean {
    if (this.isClosed)
      throw new Error('sent after close');
    if (length > this.room)
      return false;
    const { bytes: memory, stagingOffset } = this.arena;
    for (let index = 0; index < length; ++index)
      this.accept(memory[stagingOffset + index]!);
    this.room -= length;
    memory.fill(0xA5, stagingOffset, stagingOffset + length);
    return true;
  }

  close(): void {
    if (this.isClosed)
      throw new Error('closed twice');
    this.isClosed = true;
  }

  stalledFor(now: number): number {
    return this.stalledSince === undefined ? 0 : now - this.stalledSince | 0;
  }

  resume(): void {
    ++this.resumeCount;
  }

  /** A node's session looks at these two while it is held. */
  hasUnread = false;
  onReadOne: (() => void) | undefined;

  readOne(): void {
    this.onReadOne?.();
  }

  readAhead(): void { /* nothing waits */ }

  stopSending(): void {
    this.hasUnread = false;
  }

  /** Everything sent since the last call, as hex. */
  take(): string {
    return hexOfBytes(this.sent.splice(0));
  }

  protected accept(value: number): void {
    this.sent.push(value);
  }
}

// Handlers

/** 'qos topic payload' of a message, with marks for RETAIN, DUP and a payload that was skipped. */
function describeMessage(packet: Packet): string {
  const payload = packet.isOversize ? `<${packet.payloadLength} bytes skipped>`
    : decodeUTF8(packet.arena, packet.payloadOffset, packet.payloadLength);
  const marks = (packet.retain !== 0 ? ' retained' : '') + ((packet.flags & DUP) !== 0 ? ' DUP' : '');
  return `${packet.qos} ${decodeUTF8(packet.arena, packet.topicNameOffset, packet.topicNameLength)} ${payload}${marks}`;
}

/** Logs what happens to a Client. */
export class ClientLog implements ClientHandler {
  readonly events: string[] = [];
  readonly messages: string[] = [];
  /** Answer of `onMessage`. */
  takesMessages = true;
  reasonCode = -1;

  onConnected(_session: ClientSession, sessionPresent: boolean): void {
    this.events.push(sessionPresent ? 'connected, session present' : 'connected');
  }

  onMessage(_session: ClientSession, packet: Packet): number {
    this.messages.push(describeMessage(packet));
    return this.takesMessages ? TAKEN : REFUSED;
  }

  onSubscribed(_session: ClientSession, code: number): void {
    this.events.push(`subscribed ${code}`);
  }

  onClosed(_session: ClientSession, reasonCode: number): void {
    this.reasonCode = reasonCode;
    this.events.push(`closed 0x${reasonCode.toString(16)}`);
  }
}

const ACCEPT = 0;
export const REFUSE = 1;
export const LATER = 2;

/** Logs what happens to a Server and decides as told; keeps one session state, as if there were one identifier. */
export class ServerLog implements ServerHandler {
  readonly events: string[] = [];
  readonly messages: string[] = [];
  verdict = ACCEPT;
  refusal = ReasonCode.NOT_AUTHORIZED;
  takesMessages = true;
  /** Whether a session was stored by an earlier connection. */
  hasSession = false;
  reasonCode = -1;
  /** 'topic payload qos retain' of the Will that the closing left behind. */
  will = '';
  /** Answer to a filter. */
  grant: (filter: string, qos: number) => number = (_filter, qos) => qos;
  /** Called for a filter after SUBACK. */
  onGranted: (session: ServerSession) => void = () => {};
  private readonly sessionState: SessionState;

  constructor(sessionState: SessionState) {
    this.sessionState = sessionState;
  }

  onConnect(session: ServerSession, packet: Packet): void {
    this.events.push(`connect ${decodeUTF8(packet.arena, packet.clientIdentifierOffset, packet.clientIdentifierLength)}`);
    if (this.verdict === ACCEPT)
      this.accept(session);
    else if (this.verdict === REFUSE)
      session.refuse(this.refusal);
  }

  accept(session: ServerSession): void {
    if (session.cleanStart)
      this.sessionState.forget();
    const sessionPresent = !session.cleanStart && this.hasSession;
    this.hasSession = !session.cleanStart;
    session.accept(this.sessionState, sessionPresent);
  }

  onMessage(_session: ServerSession, packet: Packet): number {
    this.messages.push(describeMessage(packet));
    return this.takesMessages ? TAKEN : REFUSED;
  }

  onSubscribe(_session: ServerSession, packet: Packet): number {
    const filter = decodeUTF8(packet.arena, packet.topicFilterOffset, packet.topicFilterLength);
    this.events.push(`subscribe ${filter} ${packet.qos}`);
    return this.grant(filter, packet.qos);
  }

  onSubscribed(session: ServerSession): void {
    this.events.push('subscribed');
    this.onGranted(session);
  }

  onRoom(): void { /* no retained messages here */ }

  onUnsubscribe(_session: ServerSession, packet: Packet): number {
    this.events.push(`unsubscribe ${decodeUTF8(packet.arena, packet.topicFilterOffset, packet.topicFilterLength)}`);
    return ReasonCode.SUCCESS;
  }

  onClosed(session: ServerSession, reasonCode: number): void {
    this.reasonCode = reasonCode;
    this.events.push(`closed 0x${reasonCode.toString(16)}`);
    if (session.hasWill) {
      const { role: { arena } } = session as unknown as { role: ServerRole };
      const will = new MessageSpans();
      session.readWill(will);
      const { payloadLength, payloadOffset, qos, retain, topicNameLength, topicNameOffset } = will;
      this.will = `${decodeUTF8(arena, topicNameOffset, topicNameLength)} ${decodeUTF8(arena, payloadOffset, payloadLength)} ${qos} ${retain}`;
    }
  }
}

// One session of each role by itself

/** A Client; `open` with `output` makes it send CONNECT. */
export function client(options: ConnectOptions & WorldOptions = {}, log = new ClientLog()) {
  const world = new World(options);
  const { clientPlan, clientState, context } = world;
  const fields = connectFields(world, options);
  const session = new ClientSession(context, clientPlan, fields, clientState, log);
  return { world, log, session, output: new RecordingOutput(world.arena) };
}

/** The same, whose CONNECT has been sent and taken. */
export function openedClient(options: ConnectOptions & WorldOptions = {}, log = new ClientLog()) {
  const subject = client(options, log);
  subject.session.open(subject.output);
  subject.output.take();
  return subject;
}

/** The same, accepted. */
export function connectedClient(options: ConnectOptions & WorldOptions = {}, log = new ClientLog()) {
  const subject = openedClient(options, log);
  subject.world.feed(subject.session, '20 02 00 00');
  log.events.length = 0;
  return subject;
}

/** CONNECT of 3.1.1 with Client Identifier 'a', Clean Session, and this Keep Alive. */
export const plainConnect = (keepAlive = 0): string =>
  `10 0d 00 04 4d 51 54 54 04 02 ${keepAlive.toString(16).padStart(4, '0')} 00 01 61`;

/** A Server on a new network connection. */
export function openedServer(options: WorldOptions = {}, index = 0) {
  const world = new World(options);
  const log = new ServerLog(world.serverState);
  const session = new ServerSession(world.serverRole(log), index);
  const output = new RecordingOutput(world.arena);
  session.open(output);
  return { world, log, session, output };
}

/** The same, whose node has been accepted. */
export function connectedServer(options: WorldOptions = {}, connect = plainConnect(), index = 0) {
  const subject = openedServer(options, index);
  subject.world.feed(subject.session, connect);
  subject.output.take();
  subject.log.events.length = 0;
  return subject;
}

// The pair

/** One direction of the wire: bytes under way and when each arrives. */
class WireOutput extends RecordingOutput {
  readonly arrivals: number[] = [];
  readonly underWay: number[] = [];
  private readonly pair: Pair;

  constructor(arena: Arena, pair: Pair) {
    super(arena);
    this.pair = pair;
  }

  protected override accept(value: number): void {
    super.accept(value);
    this.underWay.push(value);
    this.arrivals.push(this.pair.world.clock.now + this.pair.latency | 0);
  }
}

export interface PairOptions extends WorldOptions, ConnectOptions {
  /** Milliseconds from one side to the other. */
  readonly latency?: number;
  /** Size of the next segment; called for each one. */
  readonly nextSize?: () => number;
}

/** No scenario needs more steps than this. */
const STEP_LIMIT = 200_000;

export class Pair {
  readonly world: World;
  readonly client: ClientSession;
  readonly server: ServerSession;
  readonly clientLog = new ClientLog();
  readonly serverLog: ServerLog;
  readonly latency: number;
  /** What the present connection's sides have sent. */
  toServer: WireOutput;
  toClient: WireOutput;
  /** The connection breaks when so many bytes have arrived at this side. */
  serverLimit = Infinity;
  clientLimit = Infinity;
  private serverCount = 0;
  private clientCount = 0;
  /** Nothing arrives any more, and nobody is told. */
  isSilent = false;
  private isJoined = false;
  private readonly nextSize: () => number;

  constructor(options: PairOptions = {}) {
    const world = this.world = new World(options);
    this.latency = options.latency ?? 0;
    this.nextSize = options.nextSize ?? (() => Infinity);
    this.serverLog = new ServerLog(world.serverState);
    this.client =
      new ClientSession(world.context, world.clientPlan, connectFields(world, options),
        world.clientState, this.clientLog);
    const role = world.serverRole(this.serverLog);
    this.server = new ServerSession(role, 0);
    world.serverState.queue.limits.forms = role.forms;
    this.toServer = this.toClient = new WireOutput(world.arena, this);
  }

  /** A new network connection; CONNECT is under way afterwards. */
  open(): void {
    this.toServer = new WireOutput(this.world.arena, this);
    this.toClient = new WireOutput(this.world.arena, this);
    this.serverCount = this.clientCount = 0;
    this.isJoined = true;
    this.server.open(this.toClient);
    this.client.open(this.toServer);
  }

  /** Opens and lets the handshake happen. */
  connect(): void {
    this.open();
    this.settle();
  }

  /** The network connection breaks: what is under way is lost. */
  cut(): void {
    if (!this.isJoined)
      return;
    this.isJoined = false;
    this.toServer.underWay.length = this.toServer.arrivals.length = 0;
    this.toClient.underWay.length = this.toClient.arrivals.length = 0;
    this.client.transportClosed(ReasonCode.NETWORK_CLOSED);
    this.server.transportClosed(ReasonCode.NETWORK_CLOSED);
  }

  /** Delivers until nothing is under way that its receiver would take; time moves only as far as the wire needs. */
  settle(): void {
    for (let step = 0; step < STEP_LIMIT; ++step) {
      if (this.deliver())
        continue;
      const arrival = this.nextArrival();
      if (arrival === undefined)
        return;
      this.world.clock.now = arrival;
    }
    throw new Error('never idle');
  }

  /** Lets `milliseconds` pass: jumps from one arrival or requested deadline to the next. */
  drive(milliseconds: number): void {
    const { clock } = this.world;
    const end = clock.now + milliseconds | 0;
    for (let step = 0; step < STEP_LIMIT; ++step) {
      if (this.deliver())
        continue;
      if (clock.isArmed && isDue(clock.deadline, clock.now)) {
        clock.isArmed = false;
        this.client.handleTimeout();
        this.server.role.handleTimeout();
        continue;
      }
      if (isDue(end, clock.now))
        return;
      let next = end;
      const arrival = this.nextArrival();
      if (arrival !== undefined && isDue(arrival, next))
        next = arrival;
      if (clock.isArmed && isDue(clock.deadline, next))
        next = clock.deadline;
      clock.now = next;
    }
    throw new Error('never idle');
  }

  /**
   * When the next bytes come; undefined when none are under way. Those that a paused receiver leaves in the wire do
   * not count.
   */
  private nextArrival(): number | undefined {
    const { now } = this.world.clock;
    let next: number | undefined;
    for (const { arrivals } of [this.toServer, this.toClient])
      if (arrivals.length > 0 && !isDue(arrivals[0]!, now) && (next === undefined || isDue(arrivals[0]!, next)))
        next = arrivals[0]!;
    return next;
  }

  /** @returns whether anything moved */
  private deliver(): boolean {
    if (!this.isJoined || this.isSilent)
      return false;
    const toServer = this.segment(this.toServer, this.server, this.serverLimit - this.serverCount);
    this.serverCount += toServer;
    const toClient = this.segment(this.toClient, this.client, this.clientLimit - this.clientCount);
    this.clientCount += toClient;
    if (this.serverCount >= this.serverLimit || this.clientCount >= this.clientLimit) {
      this.serverLimit = this.clientLimit = Infinity;
      this.cut();
      return true;
    }
    if (toServer + toClient > 0)
      return true;
    // A side that has closed is seen by the other one when everything before it has arrived.
    if (this.toServer.isClosed && this.toServer.underWay.length === 0 || this.toClient.isClosed
      && this.toClient.underWay.length === 0) {
      this.cut();
      return true;
    }
    return false;
  }

  private segment(wire: WireOutput, receiver: Session, limit: number): number {
    const { now } = this.world.clock;
    let due = 0;
    while (due < wire.arrivals.length && isDue(wire.arrivals[due]!, now))
      ++due;
    const length = Math.min(due, limit, this.nextSize());
    if (length <= 0)
      return 0;
    const taken = this.world.feed(receiver, wire.underWay.slice(0, length));
    wire.underWay.splice(0, taken);
    wire.arrivals.splice(0, taken);
    return taken;
  }
}
