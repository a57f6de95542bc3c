/**
 * What the Client and the Server role say alike over a network connection (connection.ts) and keep until it is
 * acknowledged: messages of QoS 1 and 2, in both directions.
 *
 * Four kinds of methods, called in this order:
 *   getters                  any time
 *   what the world did       open(output), parser.receive(offset, end), writable(), handleTimeout(), transportClosed()
 *   what the program wants   publish(...), enqueue(...), acknowledge(...), fail(reasonCode); each role adds its own
 *   what to do next          packets go to `output` as they arise, deadlines to `clock`, events to the role's handler
 *
 * `clock.now` is set by the driver before each call. A handler may call anything but `parser.receive`. After
 * `onClosed` the session is CLOSED and may be opened again: session objects are pooled, one per possible connection.
 *
 * Knows no socket, no timer and no topic policy.
 */
import * as ControlPacket from '../packet/control-packet.ts';
import type { Message, Packet } from '../packet/packet.ts';
import {
  ACKNOWLEDGEMENT_LENGTH, PUBACK_PACKET, PUBCOMP_PACKET, PUBREC_PACKET, PUBREL_PACKET,
} from '../packet/publish.ts';
import * as ReasonCode from '../packet/reason-code.ts';
import { Connection } from './connection.ts';
import { CLIENT, CONNECTED } from './connection-state.ts';
import type { OutboundQueue } from './outbound-queue.ts';
import { NOT_SENT } from './message-forms.ts';
import { NONE, RELEASED } from './record-layout.ts';
import { TAKEN } from './session-role.ts';
import type { SessionState } from './session-state.ts';

/** Bytes by which a packet can grow when it is written in the form of 5.0. */
const LONGER_FORM = 2;

export abstract class Session extends Connection {
  /** Undefined between connections in the Server role: nobody has said CONNECT yet. */
  sessionState: SessionState | undefined = undefined;

  // What the world did

  /** There is more room in `output`. */
  writable(): void {
    this.transmitQueued();
  }

  /** A valid PUBLISH. QoS 1 and 2 are acknowledged when the message has been taken over [MQTT311-3.3.4-1]. */
  onPublish(packet: Packet): void {
    this.lastReceivedAt = this.role.clock.now;
    if (packet.qos === 0)
      this.role.receiver.onMessage(this, packet);
    else if (packet.qos === 2)
      this.onExactlyOnce(packet);
    else if (this.role.acknowledgedReceiver.onMessage(this, packet) === TAKEN)
      this.sendShort(PUBACK_PACKET | packet.packetIdentifier, ACKNOWLEDGEMENT_LENGTH);
  }

  /** A PUBLISH with QoS 2: the message is handed over once, however often it comes. */
  private onExactlyOnce(packet: Packet): void {
    const identifier = packet.packetIdentifier;
    const sessionState = this.sessionState!;
    if (sessionState.hasReceived(identifier)) // [MQTT311-4.3.3-2]
      this.sendShort(PUBREC_PACKET | identifier, ACKNOWLEDGEMENT_LENGTH);
    else if (!sessionState.hasRoomForReceived)
      this.fail(ReasonCode.RECEIVE_MAXIMUM_EXCEEDED);
    else if (this.role.acknowledgedReceiver.onMessage(this, packet) === TAKEN)
      this.acknowledge(identifier, 2);
  }

  // What the program wants

  /**
   * Keeps a message of any QoS until it has been sent and acknowledged. @returns false when the queue is full:
   * nothing has changed
   */
  enqueue(message: Message, qos: number): boolean {
    const { queue } = this.sessionState!;
    if (qos !== 0 && this.state === CONNECTED && queue.canSendNext) { // the usual case: it need not wait
      const length = queue.hasProperties ? this.appendForm(queue, message, qos)
        : queue.appendSent(message, qos, this.output.room, this.role.clock.now);
      if (length > 0) {
        this.sentAnew(queue);
        this.role.lastSentAt = this.role.clock.now;
        return this.output.send(length);
      }
    }
    if (queue.append(message, qos) === NONE)
      return false;
    this.transmitQueued();
    return true;
  }

  /** @returns as `OutboundQueue.appendSent`; 0 as well when it has to be looked at before it is sent */
  private appendForm(queue: OutboundQueue, message: Message, qos: number): number {
    const { longestPacket, output: { room }, role: { arena: { bytes, stagingOffset }, clock, maximumQoS, publishMask } }
      = this;
    if (!this.hasProperties || message.propertiesLength !== 0 || qos > maximumQoS || queue.inflightCount >= this.quota)
      return 0;
    const length = queue.appendSentForm(message, qos, room < longestPacket ? room : longestPacket, clock.now);
    bytes[stagingOffset] = bytes[stagingOffset]! & publishMask;
    return length;
  }

  /** Sends what waits, if it may be sent now. */
  sendQueued(): void {
    this.transmitQueued();
  }

  /** Acknowledges a message that the handler took over later than in `onMessage`. */
  acknowledge(packetIdentifier: number, qos: number): void {
    if (this.state !== CONNECTED)
      return;
    if (qos === 1)
      this.sendShort(PUBACK_PACKET | packetIdentifier, ACKNOWLEDGEMENT_LENGTH);
    else if (this.sessionState!.hasReceived(packetIdentifier)
      || this.sessionState!.addReceived(packetIdentifier, this.role.clock.now)) {
      this.sendShort(PUBREC_PACKET | packetIdentifier, ACKNOWLEDGEMENT_LENGTH);
      this.awaitRelease();
    } else
      this.fail(ReasonCode.RECEIVE_MAXIMUM_EXCEEDED);
  }

  /** Sends the PUBREL that the journal of the queue has held back. */
  sendRelease(packetIdentifier: number): void {
    if (this.state === CONNECTED)
      this.sendShort(PUBREL_PACKET | packetIdentifier, ACKNOWLEDGEMENT_LENGTH);
  }

  // For the roles

  // Only the Client role minds how long an acknowledgement takes, and paces what waited for the connection.

  /** A message of QoS 1 or 2 that need not wait is going out. */
  protected sentAnew(_queue: OutboundQueue): void { /* see above */ }

  /** PUBREL is owed to us. */
  protected awaitRelease(): void { /* see above */ }

  /** `record` of the queue is going out. */
  protected sending(_queue: OutboundQueue, _record: number): void { /* see above */ }

  /** An acknowledgement that the QoS of its message does not ask for. @returns whether it counts all the same */
  protected takesAnswer(_type: number, _identifier: number): boolean {
    return false;
  }

  /** PUBREL is going out for `record`. */
  protected releasing(_queue: OutboundQueue, _record: number): void { /* see above */ }

  /** Messages of QoS 1 and 2 that the peer takes at a time from the queue. */
  protected get quota(): number {
    return this.receiveMaximum;
  }

  /** A record is not sent: it has expired, or is longer than what the peer takes. */
  protected passOver(queue: OutboundQueue, record: number, _isExpired: boolean): void {
    queue.settle(record);
  }

  /** Whether PUBREC has come for a message that is not in the queue. */
  protected isReceivedElsewhere(_identifier: number): boolean {
    return false;
  }

  /** What has to be sent next, NONE for nothing. */
  protected nextRecord(queue: OutboundQueue): number {
    return queue.peek();
  }

  /** Sends what waits, as far as the peer's window, the inflight limit and the room allow. */
  protected transmitQueued(): void {
    if (this.state !== CONNECTED)
      return;
    const { role } = this;
    const { queue } = this.sessionState!;
    if (queue.hasProperties) {
      this.transmitForms(queue);
      return;
    }
    for (let record = this.nextRecord(queue); record !== NONE; record = this.nextRecord(queue)) {
      if (queue.qosOf(record) !== 0 && queue.inflightCount >= queue.limits.maximumInflight)
        return;
      const length = queue.lengthToSend(record);
      if (length > this.output.room)
        return;
      queue.stage(record, length);
      this.sending(queue, record);
      queue.markSent(record);
      role.lastSentAt = role.clock.now;
      this.output.send(length);
    }
  }

  /**
   * The same for a queue with messages in the form of 5.0, and within what the peer takes [MQTT5-3.3.4-9]
   * [MQTT5-4.9.0-1] [MQTT5-4.9.0-2]: nothing but PUBLISH waits for its quota [MQTT5-3.3.4-10] [MQTT5-4.9.0-3].
   */
  private transmitForms(queue: OutboundQueue): void {
    const { longestPacket, quota, role } = this;
    const { arena: { bytes, stagingOffset }, clock, maximumQoS, publishMask } = role;
    const { maximumInflight } = queue.limits;
    const most = maximumInflight < quota ? maximumInflight : quota;
    for (let record = this.nextRecord(queue); record !== NONE; record = this.nextRecord(queue)) {
      if (queue.qosOf(record) !== 0 && queue.inflightCount >= most && queue.stateOf(record) !== RELEASED
        || queue.lengthToSend(record) + LONGER_FORM > this.output.room)
        return;
      if (queue.qosOf(record) > maximumQoS && queue.stateOf(record) !== RELEASED)
        queue.lower(record, maximumQoS);
      const length = queue.stageForm(record, this.hasProperties);
      if (length === NOT_SENT || length > longestPacket) { // [MQTT5-3.1.2-24] [MQTT5-3.1.2-25] [MQTT5-3.2.2-15]
        this.passOver(queue, record, length === NOT_SENT);
        continue;
      }
      bytes[stagingOffset] = bytes[stagingOffset]! & publishMask; // of PUBREL it leaves all
      this.sending(queue, record);
      queue.markSent(record);
      role.lastSentAt = clock.now;
      this.output.send(length);
    }
  }

  /**
   * PUBACK, PUBREC, PUBREL and PUBCOMP are the same in both roles. One that nothing awaits is ignored, it frees
   * nothing.
   */
  protected handleAcknowledgement(packet: Packet): void {
    const { queue } = this.sessionState!;
    const identifier = packet.packetIdentifier;
    let isAwaited = true;
    switch (packet.type) {
      case ControlPacket.PUBACK:
        isAwaited = queue.complete(identifier, 1);
        break;
      case ControlPacket.PUBREC:
        if (packet.reasonCode < ReasonCode.UNSPECIFIED_ERROR) {
          this.handleReceived(queue, identifier);
          return;
        }
        queue.refuse(identifier);
        break;
      case ControlPacket.PUBREL:
        if (this.hasProperties && !this.sessionState!.hasReceived(identifier)) {
          this.role.acknowledgedReceiver.onReleased?.(this, identifier);
          this.sendCode(PUBCOMP_PACKET | identifier, ReasonCode.PACKET_IDENTIFIER_NOT_FOUND);
          return;
        }
        this.sessionState!.removeReceived(identifier);
        this.role.acknowledgedReceiver.onReleased?.(this, identifier);
        this.sendShort(PUBCOMP_PACKET | identifier, ACKNOWLEDGEMENT_LENGTH);
        return;
      case ControlPacket.PUBCOMP:
        isAwaited = queue.complete(identifier, 2);
    }
    if (!isAwaited && !this.takesAnswer(packet.type, identifier) && this.isOutOfTurn(packet.type, identifier))
      this.fail(ReasonCode.PROTOCOL_ERROR);
    else if (queue.hasUnsent)
      this.transmitQueued();
  }

  /** PUBREC. Answered even when unknown: else a receiver that remembers more than we do would wait for ever. */
  private handleReceived(queue: OutboundQueue, identifier: number): void {
    const record = queue.release(identifier);
    if (record === NONE && !this.takesAnswer(ControlPacket.PUBREC, identifier)
      && this.isOutOfTurn(ControlPacket.PUBREC, identifier)) {
      this.fail(ReasonCode.PROTOCOL_ERROR);
      return;
    }
    if (record !== NONE)
      this.releasing(queue, record);
    else if (this.hasProperties && !this.isReceivedElsewhere(identifier)) {
      this.sendCode(PUBREL_PACKET | identifier, ReasonCode.PACKET_IDENTIFIER_NOT_FOUND);
      return;
    }
    if (queue.releases?.isReleasing(identifier) !== true)
      this.sendShort(PUBREL_PACKET | identifier, ACKNOWLEDGEMENT_LENGTH);
  }

  /**
   * The acknowledgement of another QoS, or too early. A node loses its connection for it [MQTT311-4.8.0-1]; the
   * Server's is ignored.
   */
  protected isOutOfTurn(_type: number, identifier: number): boolean {
    return this.role.peer === CLIENT && this.sessionState!.queue.isInflight(identifier);
  }
}
