/**
 * The Server role: one sensor node's connection to the gateway's own listener.
 *
 * Judges the form of CONNECT and of the Client Identifier by itself; who may connect, and which session state belongs
 * to the identifier, is asked of the handler, which answers with `accept` or `refuse`, now or later. Until then
 * nothing that the node sends is looked at [MQTT311-3.1.4-5]. What must be known of the CONNECT afterwards, the
 * identifier and the Will, is copied to regions of this session.
 */
import { propertiesOfConnack, writeConnack, writeConnackAround } from '../packet/connack.ts';
import { CLEAN_START, WILL, WILL_RETAIN, willQoSOf } from '../packet/connect.ts';
import * as ControlPacket from '../packet/control-packet.ts';
import { writeString } from '../packet/data-representation.ts';
import type { MessageSpans, Packet } from '../packet/packet.ts';
import * as Property from '../packet/properties.ts';
import * as ProtocolVersion from '../packet/protocol-version.ts';
import { ACKNOWLEDGEMENT_LENGTH, PUBACK_PACKET, PUBREC_PACKET, UNSUBACK_PACKET } from '../packet/publish.ts';
import * as ReasonCode from '../packet/reason-code.ts';
import { INVALID_TOPIC } from '../packet/topic-table.ts';
import { isAllowedClientIdentifier } from './client-identifier.ts';
import { isDue } from './clock.ts';
import { afterConnack, CONNECTED, CONNECTING, OPENED } from './connection-state.ts';
import { HELD_BY_NODE, HELD_BY_RATE, HELD_BY_WORK } from './holds.ts';
import { expiryInterval, heldReadInterval } from './keep-alive.ts';
import { PublishCredit } from './publish-credit.ts';
import type { NodeOutput, ServerRole } from './server-role.ts';
import { ANY_LENGTH, ANY_NUMBER } from './connection.ts';
import { Session } from './session.ts';
import { LATER } from './session-role.ts';
import type { SessionState } from './session-state.ts';

const ANY_KEEP_ALIVE = 65535;
/** Beside the connect flags: the identifier, or the Keep Alive, is ours. */
const OUR_IDENTIFIER = 0x100;
const OUR_KEEP_ALIVE = 0x200;
/** What a node of 5.0 takes, and seconds from the end of its connection to the Will, in the arena: 4 bytes each. */
const LONGEST_PACKET = 0;
const RECEIVE_MAXIMUM = 4;
const WILL_DELAY = 8;
/** As `sessionExpiry`: never. */
export const FOR_EVER = 0xFFFFFFFF;

export class ServerSession extends Session {
  /** Position in the pool. */
  readonly index: number;
  clientIdentifierLength = 0;
  /** Index of the user in the configuration, -1 for none. */
  user = -1;
  /** A message of this connection was not taken over: no later one is acknowledged. */
  isRefused = false;
  /** Which connection of all nodes this is: a verdict that comes late can tell whether it is still the same one. */
  connectionNumber = 0;
  declare readonly role: ServerRole;
  declare protected output: NodeOutput;
  /** Why nothing is read of the node: bits of holds.ts. */
  private holds = 0;
  /** Of CONNECT; WILL is taken away when there is none any more. */
  private connectFlags = 0;
  /** Seconds, as CONNECT says, or as we do; 0: none. */
  keepAlive = 0;
  /** Seconds for which the session is kept when the connection has ended, as far as the node says; see FOR_EVER. */
  sessionExpiry = 0;

  constructor(role: ServerRole, index: number) {
    super(role, role.ringOffset + index * role.regionLength);
    this.index = index;
    role.sessions[index] = this;
    if (role.settings.maximumPublishRate !== 0)
      role.credits[index] = new PublishCredit(role.settings.maximumPublishRate);
  }

  get clientIdentifierOffset(): number {
    const { role } = this;
    return role.identifierOffset + this.index * role.regionLength;
  }

  override get longestPacket(): number {
    return this.hasProperties ? this.limitAt(LONGEST_PACKET) : ANY_LENGTH;
  }

  override get receiveMaximum(): number {
    return this.hasProperties ? this.limitAt(RECEIVE_MAXIMUM) : ANY_NUMBER;
  }

  /** Seconds from the end of the connection to the Will. */
  get willDelay(): number {
    return this.hasProperties ? this.limitAt(WILL_DELAY) : 0;
  }

  private get limitsOffset(): number {
    const { role } = this;
    return role.limitsOffset + this.index * role.regionLength;
  }

  private limitAt(field: number): number {
    return this.role.arena.view.getUint32(this.limitsOffset + field);
  }

  /** Undefined: the node may send as fast as it likes. */
  private get credit(): PublishCredit | undefined {
    return this.role.credits[this.index];
  }

  /** Nothing is kept of an older session; before 5.0 nor of this one. */
  get cleanStart(): boolean {
    return (this.connectFlags & CLEAN_START) !== 0;
  }

  /** The session ends with the connection [MQTT5-3.1.2-23]. */
  get isTransient(): boolean {
    return this.sessionExpiry === 0;
  }

  /** Of the node; undefined where the platform does not tell. */
  get remoteAddress(): string | undefined {
    return this.output.remoteAddress;
  }

  /** It has published something on this connection, as far as is known. */
  get hasPublished(): boolean {
    return this.parser.predictedIndex !== INVALID_TOPIC;
  }

  /** Its CONNECT has been judged, and the answer waits. */
  get isPostponed(): boolean {
    return this.role.postponed.has(this.index);
  }

  /** Bytes of a message that goes out at once. */
  get room(): number {
    return this.output.room;
  }

  get hasWill(): boolean {
    return (this.connectFlags & WILL) !== 0;
  }

  forgetWill(): void {
    this.connectFlags &= ~WILL;
  }

  /** A network connection; a CONNECT is expected. */
  open(output: NodeOutput): void {
    const { role } = this;
    const { clock } = role;
    this.begin(output, ProtocolVersion.UNKNOWN);
    this.connectionNumber = ++role.connectionCount;
    this.sessionState = undefined;
    this.clientIdentifierLength = this.connectFlags = this.holds = 0;
    this.hasProperties = false;
    this.user = -1;
    this.isRefused = false;
    this.credit?.reset(clock.now);
    this.requestTimeout(clock.now + role.settings.connectTimeout | 0);
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
    const { queue } = sessionState;
    queue.hasProperties = this.hasProperties || queue.hasProperties && queue.count > 0;
    const { clock } = this.role;
    this.enter(CONNECTED);
    this.lastReceivedAt = clock.now; // a node that waits for a late verdict is not silent
    if (this.keepAlive !== 0)
      this.requestTimeout(clock.now + expiryInterval(this.keepAlive) | 0);
    if (sessionPresent)
      sessionState.queue.rewind();
    this.transmitQueued(); // [MQTT311-4.4.0-1]
  }

  /** After a later `accept`: what arrived behind CONNECT is looked at now. */
  continueReading(): void {
    if (this.holds !== 0)
      return;
    this.parser.resume();
    if (this.isConnected)
      this.output.resume();
  }

  /**
   * Nothing more is read of the node until it is released; the network makes it wait. It is not silent then: its Keep
   * Alive is not judged as long as bytes of it wait, and now and then a packet is read, so that PINGREQ is answered.
   */
  hold(reason: number): void {
    this.holds |= reason;
    this.parser.pause();
    if (this.keepAlive !== 0)
      this.requestTimeout(this.lastReceivedAt + heldReadInterval(this.keepAlive) | 0);
  }

  /** The reason is gone. If it was the last one, reading goes on as soon as the event at hand is over. */
  release(reason: number): void {
    if ((this.holds & reason) === 0)
      return;
    const { role } = this;
    this.holds &= ~reason;
    this.lastReceivedAt = role.clock.now; // a node that was made to wait is not silent
    role.noteReleased(this);
    role.clock.soon();
  }

  /** @param reason one, or several: any of them */
  isHeldBy(reason: number): boolean {
    return (this.holds & reason) !== 0;
  }

  /** For the role: reads on after a hold. */
  readAgain(): void {
    if (this.isConnected && this.output.hasUnread)
      this.continueReading();
    else if (this.isConnected && this.holds === 0)
      this.parser.unpause();
  }

  /**
   * What has arrived of the node and lies here is judged now, whatever the node was made to wait for. A message that
   * waits for another node is not taken, nor those behind it: the node sends them again.
   */
  finishReading(): void {
    this.isRefused ||= this.isHeldBy(HELD_BY_NODE);
    this.holds &= ~HELD_BY_NODE;
    while (this.isConnected && this.parser.hasWaiting && !this.isHeldBy(HELD_BY_WORK))
      this.parser.resume();
  }

  /**
   * The message at hand, of QoS 1 or 2, is not taken, which only 5.0 can say [MQTT5-3.4.2-1] [MQTT5-3.5.2-1]
   * [MQTT5-4.3.3-9]. @returns LATER: it has its answer
   */
  decline({ packetIdentifier, qos }: Packet, reasonCode: number): number {
    this.sendCode((qos === 1 ? PUBACK_PACKET : PUBREC_PACKET) | packetIdentifier, reasonCode);
    return LATER;
  }

  /** UNSUBACK [MQTT311-3.10.4-4] [MQTT311-3.10.4-5] [MQTT311-2.3.1-7]. */
  confirm(packetIdentifier: number): void {
    this.sendShort(UNSUBACK_PACKET | packetIdentifier, ACKNOWLEDGEMENT_LENGTH);
  }

  /** Sends what lies in the staging area, the answer to the packet at hand. @returns false: the session has failed */
  answer(type: number, length: number): boolean {
    if (length > this.longestPacket) { // [MQTT5-3.1.2-24]
      this.fail(ReasonCode.PACKET_TOO_LARGE);
      return false;
    }
    return this.send(type, length);
  }

  /**
   * Refuses the CONNECT: with its return code, where its version has one, then by closing [MQTT311-3.2.2-5]
   * [MQTT311-3.2.2-6] [MQTT5-3.2.2-7].
   */
  refuse(reasonCode: number): void {
    if (this.postpones(reasonCode))
      return;
    const returnCode = ProtocolVersion.hasProperties(this.version) ? ReasonCode.toConnackCode(reasonCode)
      : ReasonCode.toReturnCode(reasonCode);
    if (this.state === CONNECTING && returnCode > 0)
      this.sendConnack(returnCode, false);
    super.fail(reasonCode);
  }

  /**
   * Whether the answer to CONNECT has to wait; it is given when its time has come, by `admit` of the handler or by
   * `refuse`. Nothing is read of the node until then.
   * @param verdict SUCCESS, or why it is refused
   */
  postpones(verdict: number): boolean {
    const { index, role, role: { clock, postponed } } = this;
    if (this.state !== CONNECTING || postponed.answering === index || this.clientIdentifierLength === 0)
      return false;
    const delay = role.receiver.delayOf?.(this) ?? 0;
    if (delay === 0)
      return false;
    const moment = clock.now + delay | 0;
    if (postponed.add(index, moment, verdict))
      this.requestTimeout(moment);
    else
      this.giveWay();
    return true;
  }

  /** Somebody needs its place, or there is none: the answer does not wait any longer, it is a refusal. */
  giveWay(): void {
    this.answerConnect(ReasonCode.PLACE_NEEDED);
  }

  /** Makes `will` the Will; its spans lie in the session's own region, until the next CONNECT. */
  readWill(will: MessageSpans): void {
    const { connectFlags, willOffset } = this;
    const { view } = this.role.arena;
    const topic = willOffset + 2;
    const payload = topic + view.getUint16(topic - 2) + 2;
    will.topicNameOffset = topic;
    will.topicNameLength = payload - 2 - topic;
    will.payloadOffset = payload; // rule C11: without the two length bytes
    will.payloadLength = view.getUint16(payload - 2);
    will.propertiesOffset = payload + will.payloadLength + 2;
    will.propertiesLength = view.getUint16(will.propertiesOffset - 2);
    will.qos = willQoSOf(connectFlags);
    will.retain = (connectFlags & WILL_RETAIN) === 0 ? 0 : 1; // [MQTT311-3.1.2-16] [MQTT311-3.1.2-17]
  }

  /**
   * One message counts against `maximumPublishRate`, which is not 0. @returns whether the node is made to wait from
   * now on
   */
  spendCredit(): boolean {
    const { clock } = this.role;
    const credit = this.credit!;
    if (!credit.spend(clock.now))
      return false;
    this.requestTimeout(credit.heldUntil);
    this.holds |= HELD_BY_RATE;
    this.parser.pause();
    if ((credit.heldUntil - clock.now | 0) > heldReadInterval(this.keepAlive)) // rarely: a packet is read before that
      this.hold(HELD_BY_RATE);
    return true;
  }

  /** Whatever breaks a rule costs the connection that it came on, and no other [MQTT311-4.8.0-1]. */
  override fail(reasonCode: number): void {
    // Of an unknown level not even the rest of CONNECT can be read, but the node is told so [MQTT311-3.1.2-2]; one of
    // 5.0 is told whatever is wrong with it.
    if (this.state === OPENED && (reasonCode === ReasonCode.UNSUPPORTED_PROTOCOL_VERSION
      || ProtocolVersion.hasProperties(this.version))) {
      this.enter(CONNECTING);
      this.refuse(reasonCode);
    } else
      super.fail(reasonCode);
  }

  protected override requestTimeout(moment: number): void {
    const role = this.role;
    if (role.deadlines.request(this.index, moment))
      role.clock.request(moment);
  }

  /** A node that has said CONNECT and waits for the verdict on it is not judged: the time is ours. */
  handleTimeout(): void {
    if (this.state === CONNECTED)
      this.judgeConnected();
    else if (this.state === OPENED)
      this.judgeSilence(this.role.settings.connectTimeout, ReasonCode.CONNECT_TIMEOUT);
    else if (this.isPostponed)
      this.answerPostponed();
  }

  onPacket(packet: Packet): void {
    const { role } = this;
    if (this.state === CONNECTED) // CONNECT does not buy time for the verdict on it
      this.lastReceivedAt = role.clock.now;
    ++role.receivedPacketCount;
    switch (packet.type) {
      case ControlPacket.PINGREQ: // [MQTT311-3.12.4-1]
        this.sendShort(ControlPacket.PINGRESP << 28, ControlPacket.EMPTY_PACKET_LENGTH);
        break;
      case ControlPacket.CONNECT:
        this.handleConnect(packet);
        break;
      case ControlPacket.SUBSCRIBE:
      case ControlPacket.UNSUBSCRIBE:
        role.filterRequests.handle(this, packet);
        break;
      case ControlPacket.DISCONNECT:
        this.handleDisconnect(packet);
        break;
      default:
        this.handleAcknowledgement(packet);
        if (role.owingCount !== 0 && this.isConnected)
          role.receiver.onRoom(this);
    }
  }

  override writable(): void {
    this.transmitQueued();
    if (this.role.owingCount !== 0 && this.isConnected)
      this.role.receiver.onRoom(this);
  }

  protected closed(reasonCode: number): void {
    this.role.receiver.onClosed(this, reasonCode);
    this.isRefused = false;
  }

  private handleDisconnect({ arena, properties, reasonCode }: Packet): void {
    const expiry = properties.numberOf(arena, Property.SESSION_EXPIRY_INTERVAL, this.sessionExpiry);
    if (expiry !== 0 && this.sessionExpiry === 0) { // a session that ends with its connection stays one
      this.fail(ReasonCode.PROTOCOL_ERROR);
      return;
    }
    this.sessionExpiry = expiry;
    if (reasonCode === ReasonCode.SUCCESS) // [MQTT311-3.14.4-3] [MQTT5-3.14.4-3]
      this.forgetWill();
    this.fail(ReasonCode.SUCCESS);
  }

  private judgeConnected(): void {
    const { credit, keepAlive } = this;
    this.checkStall();
    if (credit !== undefined && credit.isHeld)
      this.releaseRate(credit);
    if (keepAlive === 0 || this.state !== CONNECTED)
      return;
    if (this.holds !== 0 && this.output.hasUnread)
      this.readSometimes();
    else
      this.judgeSilence(expiryInterval(keepAlive), ReasonCode.KEEP_ALIVE_TIMEOUT);
  }

  private answerPostponed(): void {
    const { index, role: { clock, postponed } } = this;
    const moment = postponed.momentOf(index);
    if (isDue(moment, clock.now))
      this.answerConnect(postponed.verdictOf(index));
    else
      this.requestTimeout(moment);
  }

  /** Answers the CONNECT now. */
  private answerConnect(verdict: number): void {
    const { index, role, role: { postponed } } = this;
    postponed.remove(index);
    postponed.answering = index;
    if (verdict === ReasonCode.SUCCESS)
      role.receiver.admit!(this);
    else
      this.refuse(verdict);
    postponed.answering = -1;
    if (this.isConnected)
      this.continueReading();
  }

  /** The node has so many milliseconds for its next packet; if bytes of it wait here, it is not slow. */
  private judgeSilence(patience: number, reasonCode: number): void {
    const { clock } = this.role;
    const deadline = this.lastReceivedAt + patience | 0;
    if (!isDue(deadline, clock.now))
      this.requestTimeout(deadline);
    else if (this.state === CONNECTED && this.output.hasUnread)
      this.requestTimeout(clock.now + heldReadInterval(this.keepAlive) | 0);
    else
      this.fail(reasonCode);
  }

  /** Reads on when the time has come. */
  private releaseRate(credit: PublishCredit): void {
    const { clock } = this.role;
    if (!credit.release(clock.now)) {
      this.requestTimeout(credit.heldUntil);
      return;
    }
    this.holds &= ~HELD_BY_RATE;
    this.lastReceivedAt = clock.now; // a node that was made to wait is not silent
    this.continueReading();
  }

  /** What the node has sent is judged first; it may have said DISCONNECT. */
  protected override giveUpSending(): void {
    if (this.output.hasUnread)
      this.output.stopSending();
    if (!this.output.hasUnread)
      super.giveUpSending();
  }

  /** Bytes of a held node wait here: a packet is looked at now and then. */
  private readSometimes(): void {
    const { clock } = this.role;
    const interval = heldReadInterval(this.keepAlive);
    if (!this.isHeldBy(HELD_BY_WORK) && !this.role.hasNoRoom && isDue(this.lastReceivedAt + interval | 0, clock.now))
      this.output.readOne();
    this.requestTimeout(clock.now + interval | 0);
  }

  /** The Will is stored if, and only if, the CONNECT is accepted (3.1.1 section 3.1.2.5). */
  protected override end(reasonCode: number): void {
    if (this.state !== CONNECTED)
      this.forgetWill();
    this.role.postponed.remove(this.index);
    super.end(reasonCode);
  }

  private get willOffset(): number {
    const { role } = this;
    return role.willOffset + this.index * role.regionLength;
  }

  private sendConnack(returnCode: number, sessionPresent: boolean): boolean {
    const { version, role: { arena, arena: { stagingOffset } } } = this;
    const end = ProtocolVersion.hasProperties(version)
      ? writeConnackAround(arena, stagingOffset, returnCode, sessionPresent,
        returnCode === 0 ? this.writeLimits(propertiesOfConnack(stagingOffset)) : propertiesOfConnack(stagingOffset))
      : writeConnack(arena, stagingOffset, version, returnCode, sessionPresent);
    if (end - stagingOffset > this.longestPacket) { // the node cannot be told anything
      super.fail(ReasonCode.PACKET_TOO_LARGE);
      return false;
    }
    return this.send(ControlPacket.CONNACK, end - stagingOffset)
      && afterConnack(returnCode === 0 ? 0 : ReasonCode.UNSPECIFIED_ERROR) === CONNECTED;
  }

  /** What the node has to keep to, as properties of CONNACK. @returns the offset after them */
  private writeLimits(at: number): number {
    const { role: { arena, settings } } = this;
    at = Property.writeTwoBytes(arena, at, Property.RECEIVE_MAXIMUM, settings.receiveMaximum);
    at = Property.writeFourBytes(arena, at, Property.MAXIMUM_PACKET_SIZE, settings.maximumPacketSize);
    if (settings.sessionExpiry < this.sessionExpiry)
      at = Property.writeFourBytes(arena, at, Property.SESSION_EXPIRY_INTERVAL, settings.sessionExpiry);
    if ((this.connectFlags & OUR_KEEP_ALIVE) !== 0) // [MQTT5-3.2.2-22]
      at = Property.writeTwoBytes(arena, at, Property.SERVER_KEEP_ALIVE, this.keepAlive);
    if ((this.connectFlags & OUR_IDENTIFIER) !== 0) { // [MQTT5-3.1.3-7] [MQTT5-3.2.2-16]
      arena.bytes[at] = Property.ASSIGNED_CLIENT_IDENTIFIER;
      at = writeString(arena, at + 1, this.clientIdentifierOffset, this.clientIdentifierLength);
    }
    at = Property.writeFlag(arena, at, Property.SUBSCRIPTION_IDENTIFIER_AVAILABLE, 0);
    return Property.writeFlag(arena, at, Property.SHARED_SUBSCRIPTION_AVAILABLE, 0);
  }

  private handleConnect(packet: Packet): void {
    const { version } = packet;
    const { role } = this;
    this.enter(CONNECTING);
    this.parser.speak(version);
    this.parser.pause();
    this.connectFlags = packet.connectFlags;
    this.keepAlive = packet.keepAlive;
    this.sessionExpiry = this.cleanStart ? 0 : FOR_EVER;
    const { maximumKeepAlive } = role.settings;
    const keepsTooQuiet = maximumKeepAlive !== ANY_KEEP_ALIVE
      && (this.keepAlive === 0 || this.keepAlive > maximumKeepAlive);
    this.hasProperties = this.parser.hasProperties;
    if (this.hasProperties && !this.takeLimits(packet, keepsTooQuiet))
      return;
    if (!this.isValidIdentifier(packet)) {
      this.refuse(ReasonCode.CLIENT_IDENTIFIER_NOT_VALID);
      return;
    }
    const length = this.clientIdentifierLength = packet.clientIdentifierLength;
    role.arena.bytes.copyWithin(this.clientIdentifierOffset, packet.clientIdentifierOffset,
      packet.clientIdentifierOffset + length);
    // 3.x has no way to tell a Client to be more lively; Mosquitto refuses its identifier, and so do we.
    if (keepsTooQuiet && !this.hasProperties)
      this.refuse(ReasonCode.CLIENT_IDENTIFIER_NOT_VALID);
    else if (!this.storeWill(packet))
      this.refuse(ReasonCode.WILL_TOO_LONG);
    else
      role.receiver.onConnect(this, packet);
  }

  /** What a CONNECT of 5.0 says of the session and of what the node takes. @returns false when it has been refused */
  private takeLimits(packet: Packet, keepsTooQuiet: boolean): boolean {
    const { arena, clientIdentifierLength, properties, willDelay } = packet;
    if (clientIdentifierLength === 0)
      this.connectFlags |= OUR_IDENTIFIER;
    if (keepsTooQuiet) {
      this.connectFlags |= OUR_KEEP_ALIVE;
      this.keepAlive = this.role.settings.maximumKeepAlive;
    }
    this.sessionExpiry = properties.numberOf(arena, Property.SESSION_EXPIRY_INTERVAL, 0);
    const { view } = arena;
    const { limitsOffset } = this;
    view.setUint32(limitsOffset + LONGEST_PACKET,
      properties.numberOf(arena, Property.MAXIMUM_PACKET_SIZE, ANY_LENGTH));
    view.setUint32(limitsOffset + RECEIVE_MAXIMUM, properties.numberOf(arena, Property.RECEIVE_MAXIMUM, ANY_NUMBER));
    view.setUint32(limitsOffset + WILL_DELAY, willDelay);
    if (!properties.has(Property.AUTHENTICATION_METHOD))
      return true;
    this.refuse(ReasonCode.BAD_AUTHENTICATION_METHOD); // [MQTT5-4.12.0-1]
    return false;
  }

  /** Rules C6 and C8; [MQTT311-3.1.3-5] [MQTT311-3.1.3-8] [MQTT311-3.1.3-9]. */
  private isValidIdentifier(packet: Packet): boolean {
    const { clientIdentifierLength, clientIdentifierOffset, version } = packet;
    const { arena, settings } = this.role;
    return clientIdentifierLength <= settings.maximumClientIdentifierLength
      && isAllowedClientIdentifier(arena, clientIdentifierOffset, clientIdentifierLength, version, this.cleanStart);
  }

  /**
   * Keeps topic and payload for the day the connection breaks [MQTT311-3.1.2-8]. @returns false when they are too
   * long
   */
  private storeWill(packet: Packet): boolean {
    if ((packet.connectFlags & WILL) === 0) // [MQTT311-3.1.2-12]
      return true;
    const { willPayloadLength, willPayloadOffset, willPropertiesLength, willPropertiesOffset, willTopicLength,
      willTopicOffset } = packet;
    const { arena, settings } = this.role;
    if (willTopicLength + willPayloadLength + willPropertiesLength > settings.willCapacity)
      return false;
    // One behind the other, each with its length in front, as they lie in the packet; then the properties.
    arena.bytes.copyWithin(this.willOffset, willTopicOffset - 2, willPayloadOffset + willPayloadLength);
    writeString(arena, this.willOffset + 4 + willTopicLength + willPayloadLength, willPropertiesOffset,
      willPropertiesLength);
    return true;
  }
}
