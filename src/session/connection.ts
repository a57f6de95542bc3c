/**
 * One network connection from the first byte to the last, as both roles see it: its state, what is sent at once and
 * kept by nobody, and how it ends. What is kept until it is acknowledged is in session.ts.
 *
 * Knows no socket and no timer: packets go to `output` as they arise, deadlines to the clock.
 */
import { DISCONNECT_LENGTH, DISCONNECT_PACKET } from '../packet/disconnect.ts';
import type { PacketHandler } from '../packet/packet-handler.ts';
import { PacketParser } from '../packet/packet-parser.ts';
import type { Message, Packet } from '../packet/packet.ts';
import { ACKNOWLEDGEMENT_LENGTH, stagePublish } from '../packet/publish.ts';
import { stageWithoutProperties } from '../packet/publish-properties.ts';
import * as ReasonCode from '../packet/reason-code.ts';
import { CLIENT, CLOSED, CONNECTED, FROM_SERVER_OF_5_0, legalTypes, OPENED, SERVER } from './connection-state.ts';
import type { SessionRole } from './session-role.ts';

/** Of a reason code, in the Remaining Length of an acknowledgement: a PUBACK, say, that is or'ed with it. */
const CODE_LENGTH = 1 << 16;

/** Where packets go. The session builds each one in the arena's staging area. */
export interface Output {
  /** Bytes that `send` takes at the moment. */
  readonly room: number;
  /** Takes the first `length` bytes of the staging area, all or none. @returns whether it took them */
  send(length: number): boolean;
  /** Everything that was sent still goes out, then the connection is closed. */
  close(): void;
  /** Milliseconds that bytes have been waiting without the peer taking any; 0 when none wait. */
  stalledFor(now: number): number;
  /** The session reads again: what arrived while it was paused may be delivered. */
  resume(): void;
  /** The session is paused at a message: what has arrived behind that and need not wait for it is delivered. */
  readAhead(): void;
}

/** More than a packet can have. */
export const ANY_LENGTH = 0x1FFFFFFF;
/** As many as there are identifiers. */
export const ANY_NUMBER = 65_535;

export abstract class Connection implements PacketHandler {
  /** A state of connection-state.ts. */
  state = CLOSED;
  readonly parser: PacketParser;
  readonly role: SessionRole;
  /** Of the version of the connection. */
  hasProperties = false;
  protected output!: Output;
  /** When the last packet came; in the Server role, until CONNECT is accepted, when the network connection came up. */
  lastReceivedAt = 0;

  /** @param ringOffset region for the parser's ring */
  protected constructor(role: SessionRole, ringOffset: number) {
    this.role = role;
    this.parser = new PacketParser(this, ringOffset);
  }

  get isConnected(): boolean {
    return this.state === CONNECTED;
  }

  /** Protocol level of the connection, UNKNOWN before CONNECT. */
  get version(): number {
    return this.parser.version;
  }

  /** What the peer takes, in bytes, and messages of QoS 1 and 2 at a time; before 5.0 it has no way to say so. */
  get longestPacket(): number {
    return ANY_LENGTH;
  }

  get receiveMaximum(): number {
    return ANY_NUMBER;
  }

  // What the world did

  /** A network connection stands; packets go to `output` from now on. */
  abstract open(output: Output): void;

  /** The peer has stopped taking what is sent: from now on it is watched. */
  outputWaits(): void {
    const { clock, settings } = this.role;
    this.requestTimeout(clock.now + settings.sendTimeout | 0);
  }

  /** The connection is gone, nothing more can be sent. */
  transportClosed(reasonCode: number): void {
    if (this.state !== CLOSED)
      this.end(reasonCode);
  }

  abstract handleTimeout(): void;

  /** A message is left: what need not wait for it is looked at. */
  readAhead(): void {
    this.output.readAhead();
  }

  /** Asks for a call of that at `moment` or earlier. */
  protected requestTimeout(moment: number): void {
    this.role.clock.request(moment);
  }

  abstract onPublish(packet: Packet): void;

  abstract onPacket(packet: Packet): void;

  onError(reasonCode: number): void {
    this.fail(reasonCode);
  }

  /**
   * Sends a QoS 0 message, which fits the staging area, at once. @returns false, and nothing was sent, when there is
   * no connection or no room
   */
  publish(message: Message): boolean {
    if (this.state !== CONNECTED)
      return false;
    if (this.hasProperties)
      return this.publishForm(message);
    const { role } = this;
    if (!this.output.send(stagePublish(role.arena, message)))
      return false;
    role.lastSentAt = role.clock.now;
    return true;
  }

  /** The same to a peer that speaks 5.0. */
  private publishForm(message: Message): boolean {
    const { role } = this;
    const { arena } = role;
    const length = message.propertiesLength === 0 ? stageWithoutProperties(arena, message) : role.forms.stage(message);
    if (length > this.longestPacket)
      return true; // as if it had been sent [MQTT5-3.1.2-24] [MQTT5-3.1.2-25]
    if (role.publishMask !== 0xFF)
      arena.bytes[arena.stagingOffset] = arena.bytes[arena.stagingOffset]! & role.publishMask;
    if (!this.output.send(length))
      return false;
    role.lastSentAt = role.clock.now;
    return true;
  }

  /** The only way into failure: the peer broke a rule or ran out of time. */
  fail(reasonCode: number): void {
    this.parser.fail();
    if (this.state !== CLOSED) {
      if (this.hasProperties && this.state === CONNECTED)
        this.sayWhy(reasonCode);
      this.output.close();
      this.end(reasonCode);
    }
  }

  /**
   * DISCONNECT of 5.0, the last packet [MQTT5-3.14.4-1] [MQTT5-3.14.4-2]; not for a normal end, nor when nothing can be
   * sent. [MQTT5-3.14.0-1] [MQTT5-3.14.2-2] [MQTT5-4.13.2-1]
   */
  private sayWhy(reasonCode: number): void {
    const code = ReasonCode.toDisconnectCode(reasonCode);
    if (code === ReasonCode.SUCCESS)
      return;
    const { role: { arena } } = this;
    arena.view.setInt32(arena.stagingOffset, DISCONNECT_PACKET | code << 8);
    ++this.role.sentPacketCount;
    this.output.send(DISCONNECT_LENGTH);
  }

  // For the roles

  protected abstract closed(reasonCode: number): void;

  /** Gives up when the peer has not taken anything for `sendTimeout`; else asks to be called when that will be so. */
  protected checkStall(): void {
    const { role } = this;
    const stalled = this.output.stalledFor(role.clock.now);
    if (stalled === 0)
      return;
    const { clock, settings: { sendTimeout } } = role;
    if (stalled >= sendTimeout)
      this.giveUpSending();
    else
      this.requestTimeout(clock.now + sendTimeout - stalled | 0);
  }

  /** The peer takes nothing of what is sent to it. */
  protected giveUpSending(): void {
    this.fail(ReasonCode.SEND_TIMEOUT);
  }

  protected begin(output: Output, version: number): void {
    this.output = output;
    this.lastReceivedAt = this.role.clock.now;
    this.parser.reset(0, version);
    this.enter(OPENED);
  }

  protected enter(state: number): void {
    if (this.state === CLOSED)
      ++this.role.openCount;
    if (state === CLOSED)
      --this.role.openCount;
    this.state = state;
    this.parser.acceptedTypes = legalTypes(state, this.role.peer);
    if (this.hasProperties && state === CONNECTED && this.role.peer === SERVER)
      this.parser.acceptedTypes |= FROM_SERVER_OF_5_0;
  }

  /** Ends the connection without sending anything. */
  protected end(reasonCode: number): void {
    this.enter(CLOSED);
    this.parser.fail();
    this.closed(reasonCode);
  }

  /**
   * Sends `length` bytes of the staging area as a packet of `type`.
   * @returns false when the peer does not take what we send; the session has failed then
   */
  protected send(type: number, length: number): boolean {
    const { role } = this;
    // Once CONNECTED, whatever a role sends is legal; before, it is CONNECT or CONNACK or nothing.
    if (this.state !== CONNECTED && (legalTypes(this.state, role.peer === SERVER ? CLIENT : SERVER) >> type & 1) === 0)
      return false;
    role.lastSentAt = role.clock.now;
    ++role.sentPacketCount;
    if (this.output.send(length))
      return true;
    this.fail(ReasonCode.SEND_TIMEOUT);
    return false;
  }

  /**
   * Sends the first `length` bytes of `packet`: an acknowledgement (publish.ts), or PINGREQ, PINGRESP or DISCONNECT,
   * which are empty. All of them are legal while CONNECTED and only then; `send` written out for them, the hot path
   * of QoS 1.
   */
  protected sendShort(packet: number, length: number): boolean {
    if (this.state !== CONNECTED)
      return false;
    const role = this.role;
    role.arena.view.setInt32(role.arena.stagingOffset, packet);
    role.lastSentAt = role.clock.now;
    ++role.sentPacketCount;
    if (this.output.send(length))
      return true;
    this.fail(ReasonCode.SEND_TIMEOUT);
    return false;
  }

  /** Sends an acknowledgement of 5.0 with a reason code, and without properties. */
  protected sendCode(packet: number, reasonCode: number): void {
    const { arena: { bytes, stagingOffset } } = this.role;
    bytes[stagingOffset + ACKNOWLEDGEMENT_LENGTH] = reasonCode;
    this.sendShort(packet + CODE_LENGTH, ACKNOWLEDGEMENT_LENGTH + 1);
  }
}
