/**
 * The Server role: one sensor node's connection to the gateway's own listener.
 *
 * Judges the form of CONNECT and of the Client Identifier by itself; who may connect, and which session state belongs to
 * the identifier, is asked of the handler, which answers with `accept` or `refuse`, now or later. Until then nothing that
 * the node sends is looked at [MQTT311-3.1.4-5]. What must be known of the CONNECT afterwards, the identifier and the
 * Will, is copied to regions of this session.
 */
import type { ArenaPlan } from '../bytes/arena.ts';
import { CLEAN_START, WILL, WILL_RETAIN, willQoSOf, writeConnack } from '../packet/connect.ts';
import * as ControlPacket from '../packet/control-packet.ts';
import type { MessageSpans, Packet } from '../packet/packet.ts';
import * as ProtocolVersion from '../packet/protocol-version.ts';
import { UNSUBACK_PACKET } from '../packet/publish.ts';
import * as ReasonCode from '../packet/reason-code.ts';
import { nextTopicFilter, writeSubackHeader } from '../packet/subscribe.ts';
import { isAllowedClientIdentifier } from './client-identifier.ts';
import { isDue } from './clock.ts';
import { afterConnack, CLIENT, CLOSED, CONNECTED, CONNECTING, OPENED } from './connection-state.ts';
import { expiryInterval } from './keep-alive.ts';
import { Session, type Output, type SessionContext } from './session.ts';
import type { SessionState } from './session-state.ts';

/** Who decides. The packet is valid only during the call. */
export interface ServerHandler {
  /** A CONNECT of valid form. Answer with `accept` or `refuse`, at once or later. */
  onConnect(session: ServerSession, packet: Packet): void;
  /** @returns whether the message has been taken over, so that it is acknowledged at once */
  onMessage(session: ServerSession, packet: Packet): boolean;
  /** One filter of a SUBSCRIBE. Sends nothing. @returns the granted QoS or SUBACK_FAILURE */
  onSubscribe(session: ServerSession, packet: Packet): number;
  /** The same filter again, after SUBACK, granted or not: time for retained messages. */
  onSubscribed(session: ServerSession, packet: Packet): void;
  onUnsubscribe(session: ServerSession, packet: Packet): void;
  /** The connection is over. SUCCESS: the node said DISCONNECT, so there is no Will any more. */
  onClosed(session: ServerSession, reasonCode: number): void;
}

export interface ServerSessionSettings {
  /** Longest packet that a node may send, and length of its receive ring. */
  readonly maximumPacketSize: number;
  /** Bytes for Will Topic and Will Message together. */
  readonly willCapacity: number;
  /** Bytes of a Client Identifier. 3.1 has a limit of its own, 23 characters. */
  readonly maximumClientIdentifierLength: number;
  /** Milliseconds from the network connection to CONNECT, and to the verdict on it. */
  readonly connectTimeout: number;
  /** Milliseconds that a node may refuse to take what is sent to it. */
  readonly sendTimeout: number;
  /** OVERSIZE_CLOSE or OVERSIZE_DROP of packet-parser.ts. */
  readonly oversize: number;
  /** Longest Keep Alive in seconds that is accepted; 65535 accepts any, and 0 as well. */
  readonly maximumKeepAlive: number;
  /** Messages per second that a node may publish, 0 for any number. */
  readonly maximumPublishRate: number;
}

const ANY_KEEP_ALIVE = 65535;

/** Credit for one message. */
const TOKEN = 1000;
/** Shortest time for which nothing is read of a node that sends too fast, in milliseconds: not a timer for each message. */
const SHORTEST_HOLD = 20;

export class ServerSession extends Session {
  /** Position in the pool. */
  readonly index: number;
  hasWill = false;
  cleanStart = true;
  clientIdentifierLength = 0;
  readonly clientIdentifierOffset: number;
  /** Index of the user in the configuration, -1 for none. */
  user = -1;
  /** A message of this connection was not taken over: no later one is acknowledged. */
  isRefused = false;
  /** When the network connection came up. */
  openedAt = 0;
  /** Packets received, PUBLISH not included. */
  receivedPacketCount = 0;
  /** Network connections so far: a verdict that comes late can tell whether it is still the same one. */
  connectionCount = 0;
  private willTopicLength = 0;
  private willPayloadLength = 0;
  /** The flags of CONNECT, which say the rest of the Will. */
  private connectFlags = 0;
  declare protected readonly receiver: ServerHandler;
  private readonly settings: ServerSessionSettings;
  private keepAlive = 0;
  /** In thousandths of a message; at most a second's worth. */
  private credit = 0;
  private creditedAt = 0;
  /** Nothing is read until `heldUntil`. */
  private isHeld = false;
  private heldUntil = 0;

  /** Reserves the regions of `count` sessions. */
  static plan(plan: ArenaPlan, settings: ServerSessionSettings, count: number): number {
    return plan.reserve('node: receive ring, Will, identifier', ServerSession.regionLength(settings), count);
  }

  private static regionLength(settings: ServerSessionSettings): number {
    return settings.maximumPacketSize + settings.willCapacity + settings.maximumClientIdentifierLength;
  }

  /** @param regions what `plan` returned for the same settings @param index which of them is this session's */
  constructor(context: SessionContext, index: number, regions: number, settings: ServerSessionSettings, handler: ServerHandler) {
    const offset = regions + index * ServerSession.regionLength(settings);
    super(context, offset, settings.maximumPacketSize, CLIENT, handler);
    this.index = index;
    this.clientIdentifierOffset = offset + settings.maximumPacketSize + settings.willCapacity;
    this.settings = settings;
    this.parser.oversize = settings.oversize;
  }

  /** A network connection; a CONNECT is expected. */
  open(output: Output): void {
    this.begin(output, ProtocolVersion.UNKNOWN);
    ++this.connectionCount;
    this.openedAt = this.clock.now;
    this.sessionState = undefined;
    this.hasWill = false;
    this.clientIdentifierLength = 0;
    this.user = -1;
    this.isHeld = this.isRefused = false;
    this.credit = this.settings.maximumPublishRate * TOKEN;
    this.creditedAt = this.clock.now;
    this.clock.request(this.openedAt + this.settings.connectTimeout | 0);
  }

  /**
   * Lets the node in [MQTT311-3.1.4-4]. The handler has ended an older connection of the same identifier before
   * [MQTT311-3.1.4-2]. Call `continueReading` afterwards if `onConnect` has returned in the meantime.
   */
  accept(sessionState: SessionState, sessionPresent: boolean): void {
    if (this.state !== CONNECTING)
      return;
    this.sessionState = sessionState;
    this.parser.unpause();
    if (!this.sendConnack(0, sessionPresent))
      return;
    this.enter(CONNECTED);
    this.lastReceivedAt = this.clock.now; // a node that waits for a late verdict is not silent
    if (this.keepAlive !== 0)
      this.clock.request(this.clock.now + expiryInterval(this.keepAlive) | 0);
    if (sessionPresent)
      sessionState.outbound.rewind();
    this.transmitQueued(); // [MQTT311-4.4.0-1]
  }

  /** After a later `accept`: what arrived behind CONNECT is looked at now. */
  continueReading(): void {
    this.parser.resume();
    if (this.isConnected)
      this.output.resume();
  }

  /** Refuses the CONNECT: with its return code, where 3.x has one, then by closing [MQTT311-3.2.2-5] [MQTT311-3.2.2-6]. */
  refuse(reasonCode: number): void {
    const returnCode = ReasonCode.toReturnCode(reasonCode);
    if (this.state === CONNECTING && returnCode > 0)
      this.sendConnack(returnCode, false);
    super.fail(reasonCode);
  }

  /** Makes `will` the Will; its spans lie in the session's own region, until the next CONNECT. */
  readWill(will: MessageSpans): void {
    const { connectFlags, willOffset, willTopicLength } = this;
    will.topicNameOffset = willOffset;
    will.topicNameLength = willTopicLength;
    will.payloadOffset = willOffset + willTopicLength; // rule C11: without the two length bytes
    will.payloadLength = this.willPayloadLength;
    will.qos = willQoSOf(connectFlags);
    will.retain = (connectFlags & WILL_RETAIN) === 0 ? 0 : 1; // [MQTT311-3.1.2-16] [MQTT311-3.1.2-17]
  }

  /**
   * One message counts against `maximumPublishRate`, which is not 0. When the credit is used up nothing is read of this
   * node for a moment: the network makes it wait. @returns whether that begins now
   */
  spendCredit(): boolean {
    const { clock, settings } = this;
    const rate = settings.maximumPublishRate;
    const elapsed = clock.now - this.creditedAt | 0;
    const credit = this.credit + (elapsed < 1000 ? elapsed : 1000) * rate;
    this.creditedAt = clock.now;
    this.credit = (credit < rate * TOKEN ? credit : rate * TOKEN) - TOKEN;
    if (this.credit >= TOKEN || this.isHeld)
      return false;
    const wait = (TOKEN - this.credit + rate - 1) / rate | 0;
    this.isHeld = true;
    this.heldUntil = clock.now + (wait > SHORTEST_HOLD ? wait : SHORTEST_HOLD) | 0;
    clock.request(this.heldUntil);
    this.parser.pause();
    return true;
  }

  /** Whatever breaks a rule costs the connection that it came on, and no other [MQTT311-4.8.0-1]. */
  override fail(reasonCode: number): void {
    // Of an unknown level not even the rest of CONNECT can be read, but the node is told so [MQTT311-3.1.2-2].
    if (reasonCode === ReasonCode.UNSUPPORTED_PROTOCOL_VERSION && this.state === OPENED) {
      this.enter(CONNECTING);
      this.refuse(reasonCode);
    } else
      super.fail(reasonCode);
  }

  handleTimeout(): void {
    if (this.state === CLOSED)
      return;
    const now = this.clock.now;
    let deadline = this.openedAt + this.settings.connectTimeout | 0;
    let reasonCode = ReasonCode.CONNECT_TIMEOUT;
    if (this.state === CONNECTED) {
      this.checkStall(this.settings.sendTimeout);
      if (this.isHeld)
        this.release();
      if (this.state !== CONNECTED || this.keepAlive === 0)
        return;
      deadline = this.lastReceivedAt + expiryInterval(this.keepAlive) | 0;
      reasonCode = ReasonCode.KEEP_ALIVE_TIMEOUT;
    }
    if (isDue(deadline, now))
      this.fail(reasonCode);
    else
      this.clock.request(deadline);
  }

  onPacket(packet: Packet): void {
    this.lastReceivedAt = this.clock.now;
    ++this.receivedPacketCount;
    switch (packet.type) {
      case ControlPacket.PINGREQ: // [MQTT311-3.12.4-1]
        this.sendEmpty(ControlPacket.PINGRESP);
        break;
      case ControlPacket.CONNECT:
        this.handleConnect(packet);
        break;
      case ControlPacket.SUBSCRIBE:
        this.handleSubscribe(packet);
        break;
      case ControlPacket.UNSUBSCRIBE:
        while (nextTopicFilter(packet)) // [MQTT311-3.10.4-6]
          this.receiver.onUnsubscribe(this, packet);
        this.sendAcknowledgement(UNSUBACK_PACKET, packet.packetIdentifier); // [MQTT311-3.10.4-4] [MQTT311-3.10.4-5] [MQTT311-2.3.1-7]
        break;
      case ControlPacket.DISCONNECT: // [MQTT311-3.14.4-3]
        this.hasWill = false;
        this.fail(ReasonCode.SUCCESS);
        break;
      default:
        this.handleAcknowledgement(packet);
    }
  }

  protected closed(reasonCode: number): void {
    this.isRefused = false;
    this.receiver.onClosed(this, reasonCode);
  }

  /** Reads on when the time has come. */
  private release(): void {
    const { clock } = this;
    if (!isDue(this.heldUntil, clock.now)) {
      clock.request(this.heldUntil);
      return;
    }
    this.isHeld = false;
    this.lastReceivedAt = clock.now; // a node that was made to wait is not silent
    this.continueReading();
  }

  /** The Will is stored if, and only if, the CONNECT is accepted (3.1.1 section 3.1.2.5). */
  protected override end(reasonCode: number): void {
    if (this.state !== CONNECTED)
      this.hasWill = false;
    super.end(reasonCode);
  }

  private get willOffset(): number {
    return this.clientIdentifierOffset - this.settings.willCapacity;
  }

  private sendConnack(returnCode: number, sessionPresent: boolean): boolean {
    const { arena, parser } = this;
    const length = writeConnack(arena, arena.stagingOffset, parser.version, returnCode, sessionPresent) - arena.stagingOffset;
    return this.send(ControlPacket.CONNACK, length) && afterConnack(ReasonCode.fromReturnCode(returnCode)) === CONNECTED;
  }

  private handleConnect(packet: Packet): void {
    const { version } = packet;
    this.enter(CONNECTING);
    this.parser.version = version;
    this.parser.pause();
    this.cleanStart = (packet.connectFlags & CLEAN_START) !== 0;
    this.keepAlive = packet.keepAlive;
    const { maximumKeepAlive } = this.settings;
    const keepsTooQuiet = maximumKeepAlive !== ANY_KEEP_ALIVE && (this.keepAlive === 0 || this.keepAlive > maximumKeepAlive);
    // 3.x has no way to tell a Client to be more lively; Mosquitto refuses its identifier, and so do we.
    if (keepsTooQuiet || !this.isValidIdentifier(packet))
      this.refuse(ReasonCode.CLIENT_IDENTIFIER_NOT_VALID);
    else if (!this.storeWill(packet))
      this.refuse(ReasonCode.SERVER_UNAVAILABLE);
    else {
      const length = this.clientIdentifierLength = packet.clientIdentifierLength;
      this.arena.bytes.copyWithin(this.clientIdentifierOffset, packet.clientIdentifierOffset, packet.clientIdentifierOffset + length);
      this.receiver.onConnect(this, packet);
    }
  }

  /** Rules C6 and C8; [MQTT311-3.1.3-5] [MQTT311-3.1.3-8] [MQTT311-3.1.3-9]. */
  private isValidIdentifier(packet: Packet): boolean {
    const { clientIdentifierLength, clientIdentifierOffset, version } = packet;
    return clientIdentifierLength <= this.settings.maximumClientIdentifierLength
      && isAllowedClientIdentifier(this.arena, clientIdentifierOffset, clientIdentifierLength, version, this.cleanStart);
  }

  /** Keeps topic and payload for the day the connection breaks [MQTT311-3.1.2-8]. @returns false when they are too long */
  private storeWill(packet: Packet): boolean {
    if ((packet.connectFlags & WILL) === 0) // [MQTT311-3.1.2-12]
      return true;
    const { willPayloadLength, willTopicLength } = packet;
    if (willTopicLength + willPayloadLength > this.settings.willCapacity)
      return false;
    const willOffset = this.willOffset;
    const bytes = this.arena.bytes;
    bytes.copyWithin(willOffset, packet.willTopicOffset, packet.willTopicOffset + willTopicLength);
    bytes.copyWithin(willOffset + willTopicLength, packet.willPayloadOffset, packet.willPayloadOffset + willPayloadLength);
    this.willTopicLength = willTopicLength;
    this.willPayloadLength = willPayloadLength;
    this.connectFlags = packet.connectFlags;
    this.hasWill = true;
    return true;
  }

  /** All filters, then one SUBACK for them [MQTT311-3.8.4-1] [MQTT311-3.8.4-4], then retained messages. */
  private handleSubscribe(packet: Packet): void {
    const { arena, receiver } = this;
    const { bytes, stagingOffset } = arena;
    const payloadOffset = packet.payloadOffset;
    const codes = writeSubackHeader(arena, stagingOffset, packet.packetIdentifier, packet.topicFilterCount); // [MQTT311-3.8.4-2] [MQTT311-2.3.1-7]
    let at = codes;
    while (nextTopicFilter(packet)) {
      const code = receiver.onSubscribe(this, packet);
      bytes[at++] = code > 2 && !ProtocolVersion.hasSubackFailure(packet.version) ? packet.qos : code;
    }
    if (!this.send(ControlPacket.SUBACK, at - stagingOffset))
      return;
    packet.payloadOffset = payloadOffset;
    while (this.state === CONNECTED && nextTopicFilter(packet))
      receiver.onSubscribed(this, packet);
  }
}
