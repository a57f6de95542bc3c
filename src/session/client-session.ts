/**
 * The Client role: the gateway's connection to its upstream Server.
 *
 * `open` sends CONNECT, exactly once per network connection (rules C1, C2). Until the Server has accepted, nothing else
 * is sent. The CONNACK must come within `connackTimeout` (rules C13, C14): if not, the connection is given up and the
 * driver opens a new one. Subscriptions are made one at a time.
 */
import type { ArenaPlan } from '../bytes/arena.ts';
import { CLEAN_START, type ConnectFields, remainingLengthOfConnect, writeConnect } from '../packet/connect.ts';
import * as ControlPacket from '../packet/control-packet.ts';
import type { Packet } from '../packet/packet.ts';
import * as ProtocolVersion from '../packet/protocol-version.ts';
import { ACKNOWLEDGEMENT_LENGTH, PUBREL_PACKET } from '../packet/publish.ts';
import * as ReasonCode from '../packet/reason-code.ts';
import { writeSubscribeHeader, writeUnsubscribe } from '../packet/subscribe.ts';
import { isAllowedClientIdentifier } from './client-identifier.ts';
import { isDue } from './clock.ts';
import { afterConnack, CLOSED, CONNECTED, CONNECTING, SERVER } from './connection-state.ts';
import { pingInterval } from './keep-alive.ts';
import { QUEUED } from './outbound-queue.ts';
import { Session, type Output } from './session.ts';
import { type SessionContext, SessionRole, type SessionSettings } from './session-role.ts';
import type { SessionState } from './session-state.ts';

/** Who uses the connection. The packet is valid only during the call. */
export interface ClientHandler {
  /** Accepted. `sessionPresent`: the Server still knows our subscriptions. */
  onConnected(session: ClientSession, sessionPresent: boolean): void;
  /** @returns whether the message has been taken over, so that it is acknowledged at once */
  onMessage(session: ClientSession, packet: Packet): boolean;
  /** The answer to `subscribe` or `unsubscribe`. @param code granted QoS, or SUBACK_FAILURE */
  onSubscribed(session: ClientSession, code: number): void;
  /** The connection is over. */
  onClosed(session: ClientSession, reasonCode: number): void;
}

export interface ClientSessionSettings extends SessionSettings {
  /** Milliseconds from CONNECT to CONNACK. */
  readonly connackTimeout: number;
  /** Milliseconds from PINGREQ to PINGRESP. */
  readonly pingrespTimeout: number;
  /** Milliseconds without any progress while an acknowledgement is owed to us. */
  readonly acknowledgementTimeout: number;
}

export class ClientSession extends Session {
  private readonly connect: ConnectFields;
  private readonly settings: ClientSessionSettings;
  private readonly handler: ClientHandler;
  /** SUBSCRIBE or UNSUBSCRIBE that has not been answered; 0 for none. */
  private pendingIdentifier = 0;
  private pendingType = 0;
  private awaitsPingresp = false;
  private pingSentAt = 0;
  private openedAt = 0;
  private hasConnected = false;
  /** When an acknowledgement last came, or began to be awaited. */
  private lastProgressAt = 0;
  /** Messages that waited when this connection came up, and have not been sent on it. */
  replayCount = 0;
  /** How many of them may be sent in a second, 0 for any number; and the room that they leave to others. */
  replayRate = 0;
  replayReserve = 0;
  private replayCredit = 0;
  private replayedAt = 0;
  /** The Server may remember QoS 2 identifiers that we do not. */
  private isInDoubt = false;
  /** From this identifier on, one of an earlier life of the program is not known here. */
  firstInDoubt: number;

  static plan(plan: ArenaPlan, settings: ClientSessionSettings): number {
    return plan.reserve('upstream: receive ring', settings.maximumPacketSize);
  }

  /**
   * @param offset what `plan` returned for the same settings
   * @param connect what to say in CONNECT; its spans stay valid
   * @throws RangeError when that CONNECT is longer than the staging area, or its Client Identifier not allowed (rule C6)
   */
  constructor(context: SessionContext, offset: number, settings: ClientSessionSettings, connect: ConnectFields, sessionState: SessionState, handler: ClientHandler) {
    super(new SessionRole(context, settings, SERVER, handler), offset);
    if (remainingLengthOfConnect(connect) + 5 > context.arena.stagingCapacity)
      throw new RangeError('the CONNECT packet (identifier, Will, user name and password) is longer than the packet buffer');
    if (!isAllowedClientIdentifier(context.arena, connect.clientIdentifierOffset, connect.clientIdentifierLength, connect.version, (connect.connectFlags & CLEAN_START) !== 0))
      throw new RangeError('the client identifier must have 1 to 23 characters in MQTT 3.1, and in 3.1.1 may only be empty with a clean session');
    this.settings = settings;
    this.connect = connect;
    this.handler = handler;
    this.sessionState = sessionState;
    this.firstInDoubt = sessionState.kind.firstIdentifier;
  }

  /** A network connection: says CONNECT. */
  open(output: Output): void {
    const { connect, role } = this;
    const { arena, clock } = role;
    this.begin(output, connect.version);
    role.lastSentAt = this.lastProgressAt = clock.now;
    this.pendingIdentifier = 0;
    this.awaitsPingresp = false;
    this.openedAt = clock.now;
    if (!this.send(ControlPacket.CONNECT, writeConnect(arena, arena.stagingOffset, connect) - arena.stagingOffset))
      return;
    this.enter(CONNECTING);
    clock.request(clock.now + this.settings.connackTimeout | 0);
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

  /** Milliseconds for which the Server has acknowledged nothing although it owes something; 0 when it owes nothing. */
  owedFor(now: number): number {
    const owes = this.pendingIdentifier !== 0 || this.sessionState!.inflightCount > 0;
    return this.state === CONNECTED && owes ? now - this.lastProgressAt | 0 : 0;
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
      if (this.pendingIdentifier !== 0 || this.sessionState!.inflightCount > 0)
        this.checkDeadline(this.lastProgressAt + settings.acknowledgementTimeout | 0, ReasonCode.ACKNOWLEDGEMENT_TIMEOUT);
      if (this.connect.keepAlive !== 0 && this.state === CONNECTED)
        this.keepAlive();
      if (this.replayCount > 0)
        this.writable();
    }
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
        this.lastProgressAt = this.lastReceivedAt;
        this.handleAcknowledgement(packet);
    }
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
    // 3.1 does not say whether the session was there: without Clean Session it must be taken for so.
    const isContinued = packet.sessionPresent || !cleanStart && !ProtocolVersion.hasConnackFlags(connect.version);
    this.isInDoubt = isContinued && (this.isInDoubt || !this.hasConnected) && sessionState!.turnCount < 2;
    this.hasConnected = true;
    if (isContinued)
      sessionState!.rewind(); // [MQTT311-4.4.0-1]
    else {
      sessionState!.restart();
      sessionState!.receivedCount = 0;
    }
    this.replayCount = sessionState!.unsentTotal;
    this.role.clock.request(this.role.clock.now + pingInterval(connect.keepAlive) | 0);
    this.handler.onConnected(this, packet.sessionPresent);
    this.writable();
  }

  private handleSuback(packet: Packet): void {
    if (!this.answersRequest(packet, ControlPacket.SUBSCRIBE))
      return;
    if (packet.payloadLength !== 1) // [MQTT311-3.8.4-5]
      this.fail(ReasonCode.MALFORMED_PACKET);
    else
      this.handler.onSubscribed(this, this.role.arena.bytes[packet.payloadOffset]!);
  }

  /** @returns whether this is the answer to the pending request of `type`; one of an earlier life of the session frees nothing */
  private answersRequest(packet: Packet, type: number): boolean {
    if (packet.packetIdentifier !== this.pendingIdentifier || type !== this.pendingType)
      return false;
    this.pendingIdentifier = 0;
    this.lastProgressAt = this.role.clock.now;
    return true;
  }

  protected override awaitAcknowledgement(): void {
    const { clock } = this.role;
    this.lastProgressAt = clock.now;
    clock.request(clock.now + this.settings.acknowledgementTimeout | 0);
  }

  protected override get isClear(): boolean {
    return !this.isInDoubt && this.replayCount === 0;
  }

  protected override mayTransmit(record: number, length: number): boolean {
    if (length + (this.isInDoubt ? ACKNOWLEDGEMENT_LENGTH : 0) > this.output.room || this.replayCount > 0 && !this.mayReplay(record))
      return false;
    if (this.isInDoubt)
      this.freeIdentifier(record);
    return true;
  }

  /**
   * A Server that knows us from before we started may hold a QoS 2 message of the identifier that this one was given, not
   * released, and would take the new message for that one. PUBREL before it cannot do harm.
   */
  private freeIdentifier(record: number): void {
    const { output, role: { arena } } = this;
    const queue = this.sessionState!;
    const identifier = queue.identifierOf(record);
    if (queue.qosOf(record) !== 2 || queue.stateOf(record) !== QUEUED || identifier < this.firstInDoubt)
      return;
    arena.view.setInt32(arena.stagingOffset, PUBREL_PACKET | identifier);
    output.send(ACKNOWLEDGEMENT_LENGTH);
  }

  /** Paces what waited, so that what is new gets through between. */
  private mayReplay(record: number): boolean {
    const { output, replayRate, role: { clock } } = this;
    const queue = this.sessionState!;
    if (this.replayCount > queue.unsentTotal) // some were given up
      this.replayCount = queue.unsentTotal;
    // With something in flight an acknowledgement will come, and with it another turn.
    if (queue.inflightCount > 0 && queue.lengthOf(record) + this.replayReserve > output.room)
      return false;
    if (replayRate > 0) { // in thousandths of a message; no more than 100 milliseconds are made up for
      const elapsed = clock.now - this.replayedAt | 0;
      this.replayedAt = clock.now;
      const credit = this.replayCredit + (elapsed < 100 ? elapsed : 100) * replayRate;
      const most = replayRate < 20 ? 1000 : replayRate * 50;
      this.replayCredit = credit < most ? credit : most;
      if (this.replayCredit < 1000) {
        clock.request(clock.now + (1000 - this.replayCredit) / replayRate + 1 | 0);
        return false;
      }
      this.replayCredit -= 1000;
    }
    --this.replayCount;
    return true;
  }

  private request(type: number, filterOffset: number, filterLength: number, qos: number): boolean {
    const { arena } = this.role;
    const start = arena.stagingOffset;
    if (this.state !== CONNECTED || this.isSubscribing || filterLength + 10 > arena.stagingCapacity)
      return false;
    const identifier = this.sessionState!.nextIdentifier();
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
    this.awaitAcknowledgement();
    return true;
  }
}
