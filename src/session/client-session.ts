/**
 * The Client role: the gateway's connection to its upstream Server.
 *
 * `open` sends CONNECT, exactly once per network connection (rules C1, C2). Until the Server has accepted, nothing else
 * is sent. The CONNACK must come within `connackTimeout` (rules C13, C14): if not, the connection is given up and the
 * driver opens a new one. Subscriptions are made one at a time.
 */
import type { ArenaPlan } from '../bytes/arena.ts';
import {
  CLEAN_START, type ConnectFields, remainingLengthOfConnect, WILL, WILL_QOS_SHIFT, WILL_RETAIN, writeConnect,
} from '../packet/connect.ts';
import * as ControlPacket from '../packet/control-packet.ts';
import type { Packet } from '../packet/packet.ts';
import * as ProtocolVersion from '../packet/protocol-version.ts';
import * as ReasonCode from '../packet/reason-code.ts';
import { writeSubscribeHeader, writeUnsubscribe } from '../packet/subscribe.ts';
import { Announcements } from './announcements.ts';
import { isAllowedClientIdentifier } from './client-identifier.ts';
import { isDue } from './clock.ts';
import { afterConnack, CLOSED, CONNECTED, CONNECTING, SERVER } from './connection-state.ts';
import { pingInterval } from './keep-alive.ts';
import type { OutboundQueue } from './outbound-queue.ts';
import { NONE, SENT } from './record-layout.ts';
import { Session, type Output } from './session.ts';
import { type SessionContext, SessionRole, type SessionSettings } from './session-role.ts';
import type { SessionState } from './session-state.ts';
import { SubscribeGate } from './subscribe-gate.ts';

const WILL_FLAGS = WILL | WILL_RETAIN | 3 << WILL_QOS_SHIFT;

/** Who uses the connection. The packet is valid only during the call. */
export interface ClientHandler {
  /** Accepted. `sessionPresent`: the Server still knows our subscriptions. */
  onConnected(session: ClientSession, sessionPresent: boolean): void;
  /** @returns TAKEN, LATER or REFUSED of session-role.ts */
  onMessage(session: ClientSession, packet: Packet): number;
  /** The answer to `subscribe` or `unsubscribe`. @param code granted QoS, or SUBACK_FAILURE */
  onSubscribed(session: ClientSession, code: number): void;
  /** The Server has answered a message otherwise than its QoS asks for; it is taken for delivered. */
  onOddAnswer?(session: ClientSession, answer: number): void;
  /** The connection is over. */
  onClosed(session: ClientSession, reasonCode: number): void;
}

export interface ClientSessionSettings extends SessionSettings {
  /** Milliseconds from CONNECT to CONNACK. */
  readonly connackTimeout: number;
  /** Milliseconds from PINGREQ to PINGRESP. */
  readonly pingrespTimeout: number;
  /** Milliseconds from a packet to the one that answers it: PUBACK, PUBREC, PUBREL, PUBCOMP, SUBACK or UNSUBACK. */
  readonly acknowledgementTimeout: number;
}

/** Milliseconds after which an announcement that had no room is tried again. */
const ANNOUNCEMENT_INTERVAL = 50;

export class ClientSession extends Session {
  /** Of the only one of its kind. */
  readonly index = 0;
  /** Which connection to the Server this is. */
  connectionNumber = 0;
  announcements: Announcements;
  private readonly gate: SubscribeGate;
  /** What CONNECT says: on this connection, if it stands. */
  connect: ConnectFields;
  readonly settings: ClientSessionSettings;
  /** CONNECT goes out without its Will. */
  omitsWill = false;
  private readonly handler: ClientHandler;
  /** SUBSCRIBE or UNSUBSCRIBE that has not been answered; 0 for none. */
  private pendingIdentifier = 0;
  private pendingType = 0;
  private awaitsPingresp = false;
  private pingSentAt = 0;
  private openedAt = 0;
  private gatedAt = 0;
  private requestedAt = 0;
  /**
   * How many of the messages that waited may be sent in a second, 0 for any number; and the room that they leave to
   * others.
   */
  replayRate = 0;
  replayReserve = 0;
  private replayCredit = 0;
  private replayedAt = 0;

  static plan(plan: ArenaPlan, settings: ClientSessionSettings): number {
    return plan.reserve('upstream: receive ring', settings.maximumPacketSize);
  }

  /**
   * @param offset what `plan` returned for the same settings @param connect what to say in CONNECT; its spans stay
   * valid @param sessionState one with a window @throws RangeError when that CONNECT is longer than the staging area,
   * or its Client Identifier not allowed (rule C6)
   */
  constructor(context: SessionContext, offset: number, settings: ClientSessionSettings, connect: ConnectFields,
    sessionState: SessionState, handler: ClientHandler) {
    super(new SessionRole(context, settings, SERVER, handler), offset);
    if (remainingLengthOfConnect(connect) + 5 > context.arena.stagingCapacity)
      throw new RangeError('the CONNECT packet (identifier, Will, user name and password) is longer than the packet buffer');
    if (!isAllowedClientIdentifier(context.arena, connect.clientIdentifierOffset, connect.clientIdentifierLength,
      connect.version, (connect.connectFlags & CLEAN_START) !== 0))
      throw new RangeError('the client identifier must have 1 to 23 characters in MQTT 3.1, and in 3.1.1 may only be empty with a clean session');
    this.settings = settings;
    this.connect = connect;
    this.handler = handler;
    this.sessionState = sessionState;
    this.announcements = new Announcements(context.arena);
    this.gate = new SubscribeGate(context.arena);
  }

  /** A network connection: says CONNECT. */
  open(output: Output): void {
    const { connect, role } = this;
    const { arena, clock } = role;
    this.begin(output, connect.version);
    this.connectionNumber = ++role.connectionCount;
    role.lastSentAt = clock.now;
    this.pendingIdentifier = 0;
    this.awaitsPingresp = false;
    this.openedAt = clock.now;
    const fields = this.omitsWill ? withoutWill(connect) : connect;
    if (!this.send(ControlPacket.CONNECT, writeConnect(arena, arena.stagingOffset, fields) - arena.stagingOffset))
      return;
    this.enter(CONNECTING);
    clock.request(clock.now + this.settings.connackTimeout | 0);
  }

  get hasWill(): boolean {
    return (this.connect.connectFlags & WILL) !== 0;
  }

  /** Clean Session: the Server keeps nothing. */
  get cleanStart(): boolean {
    return (this.connect.connectFlags & CLEAN_START) !== 0;
  }

  get isTransient(): boolean {
    return this.cleanStart;
  }

  /** True while an answer to the last `subscribe` or `unsubscribe` is awaited; then neither may be called. */
  get isSubscribing(): boolean {
    return this.pendingIdentifier !== 0;
  }

  /** Asks for one Topic Filter; `onSubscribed` brings the answer. @returns false when that is not possible now */
  subscribe(filterOffset: number, filterLength: number, qos: number): boolean {
    return this.request(ControlPacket.SUBSCRIBE, filterOffset, filterLength, qos);
  }

  unsubscribe(filterOffset: number, filterLength: number): boolean {
    return this.request(ControlPacket.UNSUBSCRIBE, filterOffset, filterLength, 0);
  }

  /** Milliseconds for which the Server has owed an acknowledgement; 0 when it owes none. */
  owedFor(now: number): number {
    if (this.state !== CONNECTED)
      return 0;
    const { queue } = this.sessionState!;
    const longest = queue.longestWait(now, queue.inflightCount);
    const requested = this.pendingIdentifier === 0 ? 0 : now - this.requestedAt | 0;
    return Math.max(longest, requested, this.announcements.owedFor(now));
  }

  /** Whether messages wait until the Server has answered what was subscribed; see subscribe-gate.ts. */
  get isGated(): boolean {
    return this.output === this.gate;
  }

  /** Messages wait from now on, for as long as the Server may take to answer at most. */
  closeGate(): void {
    this.gate.output = this.output;
    this.output = this.gate;
    this.gatedAt = this.role.clock.now;
  }

  /** The Server has answered all of it: what waits goes out. */
  openGate(): void {
    if (!this.isGated)
      return;
    this.output = this.gate.output;
    this.announce();
    this.writable();
  }

  /** Says what the announcements are at, as far as answers and room allow. */
  announce(): void {
    const { announcements, role: { clock } } = this;
    for (let length = announcements.nextLength; length > 0 && this.isConnected; length = announcements.nextLength) {
      if (length > this.output.room) {
        if (!this.isGated)
          clock.request(clock.now + ANNOUNCEMENT_INTERVAL | 0);
        return;
      }
      announcements.stage(announcements.needsIdentifier ? this.sessionState!.queue.nextIdentifier() : 0, clock.now);
      this.role.lastSentAt = clock.now;
      this.output.send(length);
      this.awaitAcknowledgement();
    }
  }

  /** Before `disconnect`. All that waits may go out. */
  sayFarewell(): void {
    this.announcements.end();
    this.openGate();
    this.announce();
  }

  /** Before `disconnect`: whether all that there was to say has been said, and answered. */
  get isSettled(): boolean {
    const { queue } = this.sessionState!;
    return this.state !== CONNECTED || this.announcements.isSettled && !queue.hasUnsent && queue.inflightCount === 0;
  }

  /** Says DISCONNECT, so that the Server publishes no Will, and closes [MQTT311-3.14.4-1] [MQTT311-3.14.4-2]. */
  disconnect(): void {
    if (this.state === CONNECTED)
      this.sendShort(ControlPacket.DISCONNECT << 28, ControlPacket.EMPTY_PACKET_LENGTH);
    this.fail(ReasonCode.SUCCESS);
  }

  handleTimeout(): void {
    const { settings, state } = this;
    if (state === CLOSED)
      return;
    this.checkStall();
    if (this.state !== state)
      return;
    if (state === CONNECTING)
      this.checkDeadline(this.openedAt + settings.connackTimeout | 0, ReasonCode.CONNACK_TIMEOUT);
    else {
      this.checkGate();
      this.announce();
      this.checkAcknowledgements();
      if (this.connect.keepAlive !== 0 && this.state === CONNECTED)
        this.keepAlive();
      if (this.sessionState!.queue.window!.replayTotal > 0)
        this.writable();
    }
  }

  /** After a message was left: what has arrived since is looked at. */
  readOn(): void {
    this.parser.resume();
    if (this.isConnected)
      this.output.resume();
  }

  override transportClosed(reasonCode: number): void {
    super.transportClosed(this.state === CONNECTING && reasonCode === ReasonCode.NETWORK_CLOSED
      ? ReasonCode.CLOSED_BEFORE_CONNACK : reasonCode);
  }

  onPacket(packet: Packet): void {
    this.lastReceivedAt = this.role.clock.now;
    switch (packet.type) {
      case ControlPacket.PINGRESP:
        if (this.awaitsPingresp) {
          this.awaitsPingresp = false;
          this.role.clock.request(this.role.lastSentAt + pingInterval(this.connect.keepAlive) | 0);
        }
        break;
      case ControlPacket.CONNACK:
        this.handleConnack(packet);
        break;
      case ControlPacket.SUBACK:
        this.handleSuback(packet);
        break;
      case ControlPacket.UNSUBACK:
        if (this.answersRequest(packet, ControlPacket.UNSUBSCRIBE))
          this.handler.onSubscribed(this, 0);
        break;
      default:
        this.handleAcknowledgement(packet);
    }
  }

  /**
   * Not every Server keeps to the QoS of a message. What it has acknowledged in any way is not sent again, and the
   * connection goes on: a deviation from [MQTT311-4.3.2-1] [MQTT311-4.3.3-1] [MQTT311-4.8.0-1].
   */
  protected override takesAnswer(type: number, identifier: number): boolean {
    const { queue } = this.sessionState!;
    const record = queue.findSent(identifier);
    if (record === NONE || !queue.isUnderWay(record) || queue.stateOf(record) !== SENT)
      return false;
    if (type !== ControlPacket.PUBREC && queue.qosOf(record) !== 2 || type === ControlPacket.PUBREC
      && queue.qosOf(record) !== 1)
      return false;
    ++queue.window!.deliveredCount;
    queue.settle(record);
    this.handler.onOddAnswer?.(this, type);
    return true;
  }

  protected closed(reasonCode: number): void {
    this.handler.onClosed(this, reasonCode);
  }

  /** The rules of 3.1.1 section 3.1.2.10 from the Client's side [MQTT311-3.1.2-23]; also finds a peer that vanished. */
  private keepAlive(): void {
    const { lastReceivedAt, role: { clock, lastSentAt } } = this;
    const now = clock.now;
    const interval = pingInterval(this.connect.keepAlive);
    if (this.awaitsPingresp) {
      this.checkDeadline(this.pingSentAt + this.settings.pingrespTimeout | 0, ReasonCode.PINGRESP_TIMEOUT);
      if (this.state === CLOSED)
        return;
    }
    // While a PINGRESP is awaited only our own silence counts: it must stay shorter than Keep Alive all the same.
    const quietSince = this.awaitsPingresp || (lastSentAt - lastReceivedAt | 0) < 0 ? lastSentAt : lastReceivedAt;
    const pingAt = quietSince + interval | 0;
    if (!isDue(pingAt, now)) {
      clock.request(pingAt);
      return;
    }
    if (!this.sendShort(ControlPacket.PINGREQ << 28, ControlPacket.EMPTY_PACKET_LENGTH))
      return;
    clock.request(now + interval | 0);
    if (this.awaitsPingresp)
      return;
    this.awaitsPingresp = true;
    this.pingSentAt = now;
    clock.request(now + this.settings.pingrespTimeout | 0);
  }

  private checkDeadline(deadline: number, reasonCode: number): void {
    if (isDue(deadline, this.role.clock.now))
      this.fail(reasonCode);
    else
      this.role.clock.request(deadline);
  }

  private handleConnack(packet: Packet): void {
    const { connect, sessionState } = this;
    const { reasonCode } = packet;
    if (afterConnack(reasonCode) === CLOSED) {
      this.fail(reasonCode);
      return;
    }
    const cleanStart = (connect.connectFlags & CLEAN_START) !== 0;
    if (packet.sessionPresent && cleanStart) { // [MQTT311-3.2.2-1]
      this.fail(ReasonCode.SESSION_PRESENT_UNEXPECTED);
      return;
    }
    this.enter(CONNECTED);
    const { queue } = sessionState!;
    if (packet.sessionPresent) {
      queue.rewind(); // [MQTT311-4.4.0-1]
      sessionState!.renewReceived(this.role.clock.now);
    } else if (cleanStart || ProtocolVersion.hasConnackFlags(connect.version)) {
      queue.restart();
      sessionState!.receivedCount = 0;
    } else { // 3.1 does not say whether the session was there
      queue.repeat();
      sessionState!.renewReceived(this.role.clock.now);
    }
    this.awaitRelease();
    this.role.clock.request(this.role.clock.now + pingInterval(connect.keepAlive) | 0);
    this.announcements.begin(packet.sessionPresent || !cleanStart && !ProtocolVersion.hasConnackFlags(connect.version));
    this.handler.onConnected(this, packet.sessionPresent);
    this.writable();
    this.announce();
  }

  /** A Server that does not answer what was subscribed gets messages all the same, and has as long again to answer. */
  private checkGate(): void {
    if (!this.isGated)
      return;
    const { clock } = this.role;
    const deadline = this.gatedAt + this.settings.acknowledgementTimeout | 0;
    if (!isDue(deadline, clock.now)) {
      clock.request(deadline);
      return;
    }
    this.requestedAt = clock.now;
    this.openGate();
  }

  private handleSuback(packet: Packet): void {
    if (!this.answersRequest(packet, ControlPacket.SUBSCRIBE))
      return;
    if (packet.payloadLength !== 1) // [MQTT311-3.8.4-5]
      this.fail(ReasonCode.MALFORMED_PACKET);
    else
      this.handler.onSubscribed(this, this.role.arena.bytes[packet.payloadOffset]!);
  }

  /**
   * @returns whether this is the answer to the pending request of `type`; one of an earlier life of the session frees
   * nothing
   */
  private answersRequest(packet: Packet, type: number): boolean {
    if (packet.packetIdentifier !== this.pendingIdentifier || type !== this.pendingType)
      return false;
    this.pendingIdentifier = 0;
    return true;
  }

  // Each acknowledgement that is owed to us has a deadline of its own; the clock is asked for the first of them.

  private checkAcknowledgements(): void {
    const { clock } = this.role;
    const { acknowledgementTimeout } = this.settings;
    const { queue, receivedCount } = this.sessionState!;
    let longest = queue.inflightCount === 0 ? NONE : queue.longestWait(clock.now, queue.inflightCount);
    if (this.pendingIdentifier !== 0)
      longest = Math.max(longest, clock.now - this.requestedAt | 0);
    longest = Math.max(longest, this.announcements.owedFor(clock.now));
    if (receivedCount > 0)
      longest = Math.max(longest, clock.now - this.sessionState!.oldestReceivedAt | 0);
    if (longest >= acknowledgementTimeout)
      this.fail(ReasonCode.ACKNOWLEDGEMENT_TIMEOUT);
    else if (longest !== NONE)
      clock.request(clock.now + acknowledgementTimeout - longest | 0);
  }

  private awaitAcknowledgement(): void {
    const { clock } = this.role;
    clock.request(clock.now + this.settings.acknowledgementTimeout | 0);
  }

  protected override sentAnew(queue: OutboundQueue): void {
    if (queue.inflightCount === 1)
      this.awaitAcknowledgement();
  }

  protected override sending(queue: OutboundQueue, record: number): void {
    if (queue.qosOf(record) !== 0) {
      queue.noteSent(record, this.role.clock.now);
      if (queue.inflightCount === 0)
        this.awaitAcknowledgement();
    }
    if (this.replayRate > 0 && queue.isReplayed(record))
      this.replayCredit -= 1000;
  }

  protected override releasing(queue: OutboundQueue, record: number): void {
    queue.noteSent(record, this.role.clock.now);
  }

  protected override awaitRelease(): void {
    if (this.sessionState!.receivedCount === 1)
      this.awaitAcknowledgement();
  }

  protected override nextRecord(queue: OutboundQueue): number {
    const record = queue.peek();
    return record === NONE || !queue.isReplayed(record) || this.mayReplay(queue, record) ? record : queue.peekFresh();
  }

  protected override isOutOfTurn(type: number, identifier: number): boolean {
    this.announcements.acknowledge(type, identifier);
    this.announce();
    return false;
  }

  /** Paces what waited, so that what is new gets through between. */
  private mayReplay(queue: OutboundQueue, record: number): boolean {
    const { output, replayRate, role: { clock } } = this;
    // With something in flight an acknowledgement will come, and with it another turn.
    if (queue.inflightCount > 0 && queue.lengthOf(record) + this.replayReserve > output.room)
      return false;
    if (replayRate === 0)
      return true;
    // In thousandths of a message; no more than 100 milliseconds are made up for.
    const elapsed = clock.now - this.replayedAt | 0;
    this.replayedAt = clock.now;
    const credit = this.replayCredit + (elapsed >= 0 && elapsed < 100 ? elapsed : 100) * replayRate;
    const most = replayRate < 20 ? 1000 : replayRate * 50;
    this.replayCredit = credit < most ? credit : most;
    if (this.replayCredit >= 1000)
      return true;
    clock.request(clock.now + (1000 - this.replayCredit) / replayRate + 1 | 0);
    return false;
  }

  private request(type: number, filterOffset: number, filterLength: number, qos: number): boolean {
    const { arena } = this.role;
    const start = arena.stagingOffset;
    if (this.state !== CONNECTED || this.isSubscribing || filterLength + 10 > arena.stagingCapacity)
      return false;
    const identifier = this.sessionState!.queue.nextIdentifier();
    let end: number;
    if (type === ControlPacket.SUBSCRIBE) {
      end = writeSubscribeHeader(arena, start, identifier, filterOffset, filterLength);
      arena.bytes[end++] = qos;
    } else
      end = writeUnsubscribe(arena, start, identifier, filterOffset, filterLength);
    if (!this.send(type, end - start))
      return false;
    this.pendingIdentifier = identifier;
    this.pendingType = type;
    this.requestedAt = this.role.clock.now;
    this.awaitAcknowledgement();
    return true;
  }
}

const withoutWill = (connect: ConnectFields): ConnectFields =>
  ({ ...connect, connectFlags: connect.connectFlags & ~WILL_FLAGS });
