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
import * as ReasonCode from '../packet/reason-code.ts';
import { writeSubscribe, writeUnsubscribe } from '../packet/subscribe.ts';
import { isAllowedClientIdentifier } from './client-identifier.ts';
import { isDue } from './clock.ts';
import { afterConnack, CLOSED, CONNECTED, CONNECTING, SERVER } from './connection-state.ts';
import { pingInterval } from './keep-alive.ts';
import { Session, type Output, type SessionContext } from './session.ts';
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

export interface ClientSessionSettings {
  /** Longest packet that the Server may send, and length of the receive ring. */
  readonly maximumPacketSize: number;
  /** Milliseconds from CONNECT to CONNACK. */
  readonly connackTimeout: number;
  /** Milliseconds from PINGREQ to PINGRESP. */
  readonly pingrespTimeout: number;
  /** Milliseconds without any progress while an acknowledgement is owed to us. */
  readonly acknowledgementTimeout: number;
  /** Milliseconds that the Server may refuse to take what is sent to it. */
  readonly sendTimeout: number;
  /** OVERSIZE_CLOSE or OVERSIZE_DROP of packet-parser.ts. */
  readonly oversize: number;
}

export class ClientSession extends Session {
  private readonly connect: ConnectFields;
  private readonly settings: ClientSessionSettings;
  declare protected readonly receiver: ClientHandler;
  /** SUBSCRIBE or UNSUBSCRIBE that has not been answered; 0 for none. */
  private pendingIdentifier = 0;
  private pendingType = 0;
  private awaitsPingresp = false;
  private pingSentAt = 0;
  private openedAt = 0;
  private hasConnected = false;

  static plan(plan: ArenaPlan, settings: ClientSessionSettings): number {
    return plan.reserve('upstream: receive ring', settings.maximumPacketSize);
  }

  /**
   * @param offset what `plan` returned for the same settings
   * @param connect what to say in CONNECT; its spans stay valid
   * @throws RangeError when that CONNECT is longer than the staging area, or its Client Identifier not allowed (rule C6)
   */
  constructor(context: SessionContext, offset: number, settings: ClientSessionSettings, connect: ConnectFields, sessionState: SessionState, handler: ClientHandler) {
    super(context, offset, settings.maximumPacketSize, SERVER, handler);
    if (remainingLengthOfConnect(connect) + 5 > context.arena.stagingCapacity)
      throw new RangeError('the CONNECT packet (identifier, Will, user name and password) is longer than the packet buffer');
    if (!isAllowedClientIdentifier(context.arena, connect.clientIdentifierOffset, connect.clientIdentifierLength, connect.version, (connect.connectFlags & CLEAN_START) !== 0))
      throw new RangeError('the client identifier must have 1 to 23 characters in MQTT 3.1, and in 3.1.1 may only be empty with a clean session');
    this.settings = settings;
    this.connect = connect;
    this.sessionState = sessionState;
    this.parser.oversize = settings.oversize;
  }

  /** A network connection: says CONNECT. */
  open(output: Output): void {
    const { arena, clock, connect } = this;
    this.begin(output, connect.version);
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

  /** Says DISCONNECT, so that the Server publishes no Will, and closes [MQTT311-3.14.4-1] [MQTT311-3.14.4-2]. */
  disconnect(): void {
    if (this.state === CONNECTED)
      this.sendEmpty(ControlPacket.DISCONNECT);
    this.fail(ReasonCode.SUCCESS);
  }

  handleTimeout(): void {
    const { settings, state } = this;
    if (state === CLOSED)
      return;
    this.checkStall(settings.sendTimeout);
    if (this.state !== state)
      return;
    if (state === CONNECTING)
      this.checkDeadline(this.openedAt + settings.connackTimeout | 0, ReasonCode.CONNACK_TIMEOUT);
    else {
      if (this.pendingIdentifier !== 0 || this.sessionState!.outbound.inflightCount > 0)
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
    this.lastReceivedAt = this.clock.now;
    switch (packet.type) {
      case ControlPacket.PINGRESP:
        if (this.awaitsPingresp) {
          this.awaitsPingresp = false;
          this.clock.request(this.lastSentAt + pingInterval(this.connect.keepAlive) | 0);
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
          this.receiver.onSubscribed(this, 0);
        break;
      default:
        this.handleAcknowledgement(packet);
    }
  }

  protected closed(reasonCode: number): void {
    this.receiver.onClosed(this, reasonCode);
  }

  /** The rules of 3.1.1 section 3.1.2.10 from the Client's side [MQTT311-3.1.2-23]; also finds a peer that vanished. */
  private keepAlive(): void {
    const { clock, lastReceivedAt, lastSentAt } = this;
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
    if (!this.sendEmpty(ControlPacket.PINGREQ))
      return;
    clock.request(now + interval | 0);
    if (this.awaitsPingresp)
      return;
    this.awaitsPingresp = true;
    this.pingSentAt = now;
    clock.request(now + this.settings.pingrespTimeout | 0);
  }

  private checkDeadline(deadline: number, reasonCode: number): void {
    if (isDue(deadline, this.clock.now))
      this.fail(reasonCode);
    else
      this.clock.request(deadline);
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
    this.isInDoubt = isContinued && (this.isInDoubt || !this.hasConnected) && sessionState!.outbound.turnCount < 2;
    this.hasConnected = true;
    if (isContinued)
      sessionState!.outbound.rewind(); // [MQTT311-4.4.0-1]
    else {
      sessionState!.outbound.restart();
      sessionState!.receivedCount = 0;
    }
    this.replayCount = sessionState!.outbound.unsentTotal;
    this.clock.request(this.clock.now + pingInterval(connect.keepAlive) | 0);
    this.receiver.onConnected(this, packet.sessionPresent);
    this.writable();
  }

  private handleSuback(packet: Packet): void {
    if (!this.answersRequest(packet, ControlPacket.SUBSCRIBE))
      return;
    if (packet.payloadLength !== 1) // [MQTT311-3.8.4-5]
      this.fail(ReasonCode.MALFORMED_PACKET);
    else
      this.receiver.onSubscribed(this, this.arena.bytes[packet.payloadOffset]!);
  }

  /** @returns whether this is the answer to the pending request of `type`; one of an earlier life of the session frees nothing */
  private answersRequest(packet: Packet, type: number): boolean {
    if (packet.packetIdentifier !== this.pendingIdentifier || type !== this.pendingType)
      return false;
    this.pendingIdentifier = 0;
    this.lastProgressAt = this.clock.now;
    return true;
  }

  protected override awaitAcknowledgement(): void {
    super.awaitAcknowledgement();
    this.clock.request(this.clock.now + this.settings.acknowledgementTimeout | 0);
  }

  private request(type: number, filterOffset: number, filterLength: number, qos: number): boolean {
    const { arena } = this;
    const start = arena.stagingOffset;
    if (this.state !== CONNECTED || this.isSubscribing || filterLength + 10 > arena.stagingCapacity)
      return false;
    const identifier = this.sessionState!.outbound.nextIdentifier();
    const end = type === ControlPacket.SUBSCRIBE
      ? writeSubscribe(arena, start, identifier, filterOffset, filterLength, qos)
      : writeUnsubscribe(arena, start, identifier, filterOffset, filterLength);
    if (!this.send(type, end - start))
      return false;
    this.pendingIdentifier = identifier;
    this.pendingType = type;
    this.awaitAcknowledgement();
    return true;
  }
}
