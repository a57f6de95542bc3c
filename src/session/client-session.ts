/**
 * The Client role: the gateway's connection to its upstream Server.
 *
 * `open` sends CONNECT, exactly once per network connection (rules C1, C2). Until the Server has accepted, nothing else
 * is sent. The CONNACK must come within `connackTimeout` (rules C13, C14): if not, the connection is given up and the
 * driver opens a new one. Subscriptions are made one at a time.
 */
import type { Arena, ArenaPlan } from '../bytes/arena.ts';
import {
  CLEAN_START, type ConnectFields, remainingLengthOfConnect, WILL, WILL_QOS_SHIFT, WILL_RETAIN, writeConnect,
} from '../packet/connect.ts';
import * as ControlPacket from '../packet/control-packet.ts';
import type { Packet } from '../packet/packet.ts';
import * as Property from '../packet/properties.ts';
import * as ProtocolVersion from '../packet/protocol-version.ts';
import * as ReasonCode from '../packet/reason-code.ts';
import { NO_LOCAL, RETAIN_AS_PUBLISHED, SUBACK_FAILURE, writeSubscribe,
  writeUnsubscribe } from '../packet/subscribe.ts';
import { isShared } from '../packet/topic-filter.ts';
import { Announcements } from './announcements.ts';
import { isAllowedClientIdentifier } from './client-identifier.ts';
import { isDue } from './clock.ts';
import { ANY_LENGTH, ANY_NUMBER, type Output } from './connection.ts';
import { afterConnack, CLOSED, CONNECTED, CONNECTING, SERVER } from './connection-state.ts';
import { pingInterval } from './keep-alive.ts';
import type { OutboundQueue } from './outbound-queue.ts';
import { NONE, SENT } from './record-layout.ts';
import { Session } from './session.ts';
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
  /** The answer to `subscribe` or `unsubscribe`. @param code granted QoS, or SUBACK_FAILURE or greater */
  onSubscribed(session: ClientSession, code: number): void;
  /** The Server has answered a message otherwise than its QoS asks for; it is taken for delivered. */
  onOddAnswer?(session: ClientSession, answer: number): void;
  /**
   * The Server refuses a message with a reason code of 5.0, which ends the exchange; so the record must not stay as it
   * is: settle it, or take it back. By default it is settled.
   */
  onRefused?(session: ClientSession, record: number, reasonCode: number): void;
  /** The same of what the gateway says about itself. */
  onAnnouncementRefused?(session: ClientSession, reasonCode: number): void;
  /** A message that waited is not sent: it has expired, or is longer than the Server takes. */
  onPassedOver?(session: ClientSession, record: number, isExpired: boolean): void;
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

export interface ClientPlan {
  readonly settings: ClientSessionSettings;
  /** Where the receive ring lies. */
  readonly offset: number;
}

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
  /**
   * The code with which the Server has refused this connection, or ended it (5.0), or 0. While its end is told, the
   * packet at hand is the one that says so.
   */
  toldReason = ReasonCode.SUCCESS;
  /** The Server takes nothing more for the moment: no message of QoS 1 or 2 goes out. */
  isPaused = false;
  /** Messages that had been delivered then: until there are more, they go one at a time. */
  private slowedAt = NONE;
  private readonly handler: ClientHandler;
  /** Seconds that the Server has said on this connection, or NONE. */
  private serverKeepAlive = NONE;
  /** What the Server takes: bytes of a packet, and messages at a time. */
  private mostBytes = ANY_LENGTH;
  private mostMessages = ANY_NUMBER;
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

  static plan(plan: ArenaPlan, settings: ClientSessionSettings): ClientPlan {
    return { settings, offset: plan.reserve('upstream: receive ring', settings.maximumPacketSize) };
  }

  /**
   * @param connect what to say in CONNECT; its spans stay valid @param sessionState one with a window
   * @throws RangeError when that CONNECT is longer than the staging area, or its Client Identifier not allowed
   * (rule C6)
   */
  constructor(context: SessionContext, { offset, settings }: ClientPlan, connect: ConnectFields,
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
    sessionState.queue.limits.forms = this.role.forms;
    sessionState.queue.hasProperties = ProtocolVersion.hasProperties(connect.version);
    this.announcements = new Announcements(context.arena);
    this.gate = new SubscribeGate(context.arena);
  }

  /** A network connection: says CONNECT. */
  open(output: Output): void {
    const { connect, role, sessionState, settings } = this;
    const { arena, clock } = role;
    const { queue } = sessionState!;
    this.hasProperties = ProtocolVersion.hasProperties(connect.version);
    this.begin(output, connect.version);
    this.forgetLimits();
    if (this.hasProperties)
      queue.hasProperties = true;
    this.toldReason = ReasonCode.SUCCESS;
    this.connectionNumber = ++role.connectionCount;
    role.lastSentAt = clock.now;
    this.pendingIdentifier = 0;
    this.awaitsPingresp = false;
    this.openedAt = clock.now;
    const fields = this.omitsWill ? withoutWill(connect) : connect;
    const end = writeConnect(arena, arena.stagingOffset, fields, queue.limits.maximumUnreleased,
      settings.maximumPacketSize);
    if (!this.send(ControlPacket.CONNECT, end - arena.stagingOffset))
      return;
    this.enter(CONNECTING);
    clock.request(clock.now + this.settings.connackTimeout | 0);
  }

  private get keepAlive(): number {
    return this.serverKeepAlive === NONE ? this.connect.keepAlive : this.serverKeepAlive;
  }

  override get longestPacket(): number {
    return this.mostBytes;
  }

  override get receiveMaximum(): number {
    return this.mostMessages;
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

  /** The Server takes nothing more: messages of QoS 1 and 2 wait while `isPaused`, then go one by one at first. */
  slowDown(): void {
    this.isPaused = true;
    this.slowedAt = this.sessionState!.queue.window!.deliveredCount;
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
      if (length > this.longestPacket) {
        announcements.skip();
        continue;
      }
      if (announcements.needsIdentifier && this.sessionState!.queue.inflightCount >= this.receiveMaximum)
        return; // an acknowledgement will come
      if (length > this.output.room) {
        if (!this.isGated)
          clock.request(clock.now + ANNOUNCEMENT_INTERVAL | 0);
        return;
      }
      announcements.stage(announcements.needsIdentifier ? this.sessionState!.queue.nextIdentifier() : 0, clock.now);
      this.applyMask();
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
      if (this.keepAlive !== 0 && this.state === CONNECTED)
        this.checkSilence();
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
          this.role.clock.request(this.role.lastSentAt + pingInterval(this.keepAlive) | 0);
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
      case ControlPacket.DISCONNECT:
        this.handleDisconnect(packet);
        break;
      default:
        if (packet.reasonCode >= ReasonCode.UNSPECIFIED_ERROR && packet.type <= ControlPacket.PUBREC)
          this.handleRefusal(packet);
        else
          this.handleAcknowledgement(packet);
        if (this.hasProperties && !this.announcements.isSettled)
          this.announce(); // it may have waited for this
    }
  }

  /** Nothing more may be sent (5.0 section 3.14). */
  private handleDisconnect({ reasonCode }: Packet): void {
    this.toldReason = reasonCode;
    this.parser.fail();
    this.output.close();
    this.end(reasonCode);
  }

  /**
   * PUBACK or PUBREC of 5.0 that refuses a message: that exchange is over, and no PUBREL follows [MQTT5-4.3.3-4]
   * [MQTT5-4.4.0-2].
   */
  private handleRefusal({ packetIdentifier, reasonCode }: Packet): void {
    const { announcements, handler, sessionState } = this;
    const { queue } = sessionState!;
    const record = queue.findSent(packetIdentifier);
    if (record === NONE || !queue.isUnderWay(record) || queue.stateOf(record) !== SENT) {
      if (announcements.refuse(packetIdentifier))
        handler.onAnnouncementRefused?.(this, reasonCode);
    } else if (handler.onRefused === undefined)
      queue.settle(record);
    else
      handler.onRefused(this, record, reasonCode);
    if (queue.hasUnsent)
      this.transmitQueued();
  }

  /**
   * Not every Server keeps to the QoS of a message. What it has acknowledged in any way is not sent again, and the
   * connection goes on: a deviation from [MQTT311-4.3.2-1] [MQTT311-4.3.3-1] [MQTT311-4.8.0-1] [MQTT5-4.3.2-3]
   * [MQTT5-4.3.3-3].
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
  private checkSilence(): void {
    const { lastReceivedAt, role: { clock, lastSentAt } } = this;
    const now = clock.now;
    const interval = pingInterval(this.keepAlive);
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
      this.toldReason = reasonCode;
      this.fail(reasonCode);
      return;
    }
    const cleanStart = (connect.connectFlags & CLEAN_START) !== 0;
    if (packet.sessionPresent && cleanStart) { // [MQTT311-3.2.2-1] [MQTT5-3.2.2-4]
      this.fail(ReasonCode.SESSION_PRESENT_UNEXPECTED);
      return;
    }
    this.enter(CONNECTED);
    const { queue } = sessionState!;
    if (this.hasProperties)
      this.takeLimits(packet);
    else
      queue.hasProperties &&= queue.count > 0;
    if (packet.sessionPresent) {
      queue.rewind(); // [MQTT311-4.4.0-1]
      sessionState!.renewReceived(this.role.clock.now);
    } else if (cleanStart || ProtocolVersion.hasConnackFlags(connect.version)) {
      queue.restart(); // [MQTT5-3.2.2-5]
      sessionState!.receivedCount = 0;
    } else { // 3.1 does not say whether the session was there
      queue.repeat();
      sessionState!.renewReceived(this.role.clock.now);
    }
    this.awaitRelease();
    this.role.clock.request(this.role.clock.now + pingInterval(this.keepAlive) | 0);
    this.announcements.begin(packet.sessionPresent || !cleanStart && !ProtocolVersion.hasConnackFlags(connect.version),
      this.hasProperties, this.role.maximumQoS);
    this.handler.onConnected(this, packet.sessionPresent);
    this.writable();
    this.announce();
  }

  /** Those of an earlier connection bind nobody: the send quota starts anew as well [MQTT5-3.3.4-7]. */
  private forgetLimits(): void {
    const { role } = this;
    this.serverKeepAlive = NONE;
    this.mostBytes = ANY_LENGTH;
    this.mostMessages = ANY_NUMBER;
    role.maximumQoS = 2;
    role.publishMask = 0xFF;
  }

  /** What the Server takes, as CONNACK of 5.0 says. Topic Aliases are not used [MQTT5-3.2.2-17] [MQTT5-3.2.2-18]. */
  private takeLimits({ properties }: Packet): void {
    const { role, role: { arena } } = this;
    // [MQTT5-3.1.2-21] [MQTT5-3.2.2-21]
    this.serverKeepAlive = properties.numberOf(arena, Property.SERVER_KEEP_ALIVE, NONE);
    this.mostMessages = properties.numberOf(arena, Property.RECEIVE_MAXIMUM, ANY_NUMBER);
    this.mostBytes = Math.min(ANY_LENGTH,
      properties.numberOf(arena, Property.MAXIMUM_PACKET_SIZE, ANY_LENGTH));
    role.maximumQoS = properties.numberOf(arena, Property.MAXIMUM_QOS, 2); // [MQTT5-3.2.2-11]
    if (properties.numberOf(arena, Property.RETAIN_AVAILABLE, 1) === 0) // [MQTT5-3.2.2-14]
      role.publishMask = 0xFF & ~ControlPacket.RETAIN;
  }

  private applyMask(): void {
    const { arena: { bytes, stagingOffset }, publishMask } = this.role;
    bytes[stagingOffset] = bytes[stagingOffset]! & publishMask;
  }

  /** What the gateway says about itself is one of the messages that the Server takes at a time. */
  protected override get quota(): number {
    const { announcements, receiveMaximum } = this;
    if (this.isPaused)
      return 0;
    if (this.slowedAt === this.sessionState!.queue.window!.deliveredCount)
      return 1;
    return announcements.isSettled ? receiveMaximum : receiveMaximum - 1;
  }

  protected override passOver(queue: OutboundQueue, record: number, isExpired: boolean): void {
    this.handler.onPassedOver?.(this, record, isExpired);
    queue.settle(record);
  }

  protected override isReceivedElsewhere(identifier: number): boolean {
    return this.announcements.isReleased(identifier);
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

  private request(type: number, topicFilterOffset: number, topicFilterLength: number, qos: number): boolean {
    const { connect: { version }, role: { arena } } = this;
    const start = arena.stagingOffset;
    if (this.state !== CONNECTED || this.isSubscribing || topicFilterLength + 11 > arena.stagingCapacity)
      return false;
    const packetIdentifier = this.sessionState!.queue.nextIdentifier();
    const filter = { version, packetIdentifier, topicFilterOffset, topicFilterLength };
    const end = type === ControlPacket.UNSUBSCRIBE ? writeUnsubscribe(arena, start, filter)
      : writeSubscribe(arena, start, filter,
        this.hasProperties ? optionsFor(arena, topicFilterOffset, topicFilterLength) | qos : qos);
    if (end - start > this.longestPacket) { // [MQTT5-3.2.2-15]: as if it had been refused
      this.handler.onSubscribed(this, SUBACK_FAILURE);
      return true;
    }
    if (!this.send(type, end - start))
      return false;
    this.pendingIdentifier = packetIdentifier;
    this.pendingType = type;
    this.requestedAt = this.role.clock.now;
    this.awaitAcknowledgement();
    return true;
  }
}

/**
 * What is asked for beside the QoS: nothing of what the gateway itself has published, which would be an echo, and
 * whether a message is retained state, as whoever has published it says. No Local is not for Shared Subscriptions
 * [MQTT5-3.8.3-4].
 */
const optionsFor = (arena: Arena, offset: number, length: number): number =>
  isShared(arena, offset, length) ? RETAIN_AS_PUBLISHED : RETAIN_AS_PUBLISHED | NO_LOCAL;

const withoutWill = (connect: ConnectFields): ConnectFields =>
  ({ ...connect, connectFlags: connect.connectFlags & ~WILL_FLAGS });
