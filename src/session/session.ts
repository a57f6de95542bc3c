/**
 * One network connection from the first byte to the last: what the Client and the Server role share.
 *
 * Four kinds of methods, called in this order:
 *   getters                  any time
 *   what the world did       open(output), parser.receive(offset, length), writable(), handleTimeout(), transportClosed()
 *   what the program wants   publish(...), enqueue(...), acknowledge(...), fail(reasonCode); each role adds its own
 *   what to do next          packets go to `output` as they arise, deadlines to `clock`, events to the role's handler
 *
 * `clock.now` is set by the driver before each call. A handler may call anything but `parser.receive`. After `onClosed` the
 * session is CLOSED and may be opened again: session objects are pooled, one per possible connection.
 *
 * Knows no socket, no timer and no topic policy.
 */
import type { Arena } from '../bytes/arena.ts';
import { RingBuffer } from '../bytes/ring-buffer.ts';
import * as ControlPacket from '../packet/control-packet.ts';
import { PacketParser, type PacketHandler } from '../packet/packet-parser.ts';
import type { Message, Packet } from '../packet/packet.ts';
import { PUBACK_PACKET, PUBCOMP_PACKET, PUBREC_PACKET, PUBREL_PACKET, stagePublish } from '../packet/publish.ts';
import * as ReasonCode from '../packet/reason-code.ts';
import type { TopicTable } from '../packet/topic-table.ts';
import type { Clock } from './clock.ts';
import { CLIENT, CLOSED, CONNECTED, legalTypes, OPENED, SERVER } from './connection-state.ts';
import { NONE, QUEUED, RELEASED } from './outbound-queue.ts';
import type { SessionState } from './session-state.ts';

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
}

/** What all sessions of a program share. */
export interface SessionContext {
  readonly arena: Arena;
  readonly clock: Clock;
  readonly topics: TopicTable;
  readonly packet: Packet;
}

/** Who gets the messages. */
export interface MessageHandler {
  /** @returns whether the message has been taken over, so that it is acknowledged at once */
  onMessage(session: Session, packet: Packet): boolean;
  /** PUBREL: the sender of a QoS 2 message will not send it again. */
  onReleased?(session: Session, packetIdentifier: number): void;
}

export abstract class Session implements PacketHandler {
  /** A state of connection-state.ts. */
  state = CLOSED;
  /** Undefined between connections in the Server role: nobody has said CONNECT yet. */
  sessionState: SessionState | undefined = undefined;
  readonly parser: PacketParser;
  protected readonly arena: Arena;
  protected readonly clock: Clock;
  protected readonly packet: Packet;
  protected output!: Output;
  protected lastSentAt = 0;
  protected lastReceivedAt = 0;
  /** Bit n: a packet of type n may be sent now. */
  private sendableTypes = 0;
  /** Packets sent, PUBLISH not included. */
  sentPacketCount = 0;
  /** When an acknowledgement last came, or began to be awaited. */
  protected lastProgressAt = 0;
  /** Messages that waited when this connection came up, and have not been sent on it. */
  replayCount = 0;
  /** How many of them may be sent in a second, 0 for any number; and the room that they leave to others. */
  replayRate = 0;
  replayReserve = 0;
  /** The peer may remember QoS 2 identifiers that we do not. */
  protected isInDoubt = false;
  private replayCredit = 0;
  private replayedAt = 0;
  /** CLIENT or SERVER of connection-state.ts: whose packets arrive here. */
  private readonly peer: number;
  protected readonly receiver: MessageHandler;
  /** Who takes over messages of QoS 1 and 2, if not the same one. */
  keeper: MessageHandler;

  protected constructor(context: SessionContext, ringOffset: number, ringCapacity: number, peer: number, receiver: MessageHandler) {
    this.arena = context.arena;
    this.clock = context.clock;
    this.packet = context.packet;
    this.peer = peer;
    this.receiver = this.keeper = receiver;
    this.parser = new PacketParser(context.packet, context.topics, new RingBuffer(context.arena, ringOffset, ringCapacity), this);
  }

  get isConnected(): boolean {
    return this.state === CONNECTED;
  }

  /** Protocol level of the connection, UNKNOWN before CONNECT. */
  get version(): number {
    return this.parser.version;
  }

  // What the world did

  /** A network connection stands; packets go to `output` from now on. */
  abstract open(output: Output): void;

  /** There is more room in `output`. */
  writable(): void {
    if (this.state === CONNECTED)
      this.transmitQueued();
  }

  /** The connection is gone, nothing more can be sent. */
  transportClosed(reasonCode: number): void {
    if (this.state !== CLOSED)
      this.end(reasonCode);
  }

  abstract handleTimeout(): void;

  /** A valid PUBLISH. QoS 1 and 2 are acknowledged when the message has been taken over [MQTT311-3.3.4-1]. */
  onPublish(packet: Packet): void {
    this.lastReceivedAt = this.clock.now;
    const qos = packet.qos;
    if (qos === 0) {
      this.receiver.onMessage(this, packet);
      return;
    }
    const identifier = packet.packetIdentifier;
    if (qos === 2) {
      const sessionState = this.sessionState!;
      if (sessionState.hasReceived(identifier)) { // [MQTT311-4.3.3-2]
        this.sendAcknowledgement(PUBREC_PACKET, identifier);
        return;
      }
      if (sessionState.receivedCount === sessionState.maximumUnreleased) {
        this.fail(ReasonCode.RECEIVE_MAXIMUM_EXCEEDED);
        return;
      }
    }
    if (this.keeper.onMessage(this, packet))
      if (qos === 1)
        this.sendAcknowledgement(PUBACK_PACKET, identifier);
      else
        this.acknowledge(identifier, qos);
  }

  abstract onPacket(packet: Packet): void;

  onError(reasonCode: number): void {
    this.fail(reasonCode);
  }

  // What the program wants

  /** Sends a QoS 0 message, which fits the staging area, at once. @returns false, and nothing was sent, when there is no connection or no room */
  publish(message: Message): boolean {
    if (this.state !== CONNECTED)
      return false;
    if (!this.output.send(stagePublish(this.arena, message)))
      return false;
    this.lastSentAt = this.clock.now;
    return true;
  }

  /** Keeps a message of any QoS until it has been sent and acknowledged. @returns false when the queue is full: nothing has changed */
  enqueue(message: Message, qos: number): boolean {
    if (!this.sessionState!.outbound.append(message, qos))
      return false;
    if (this.state === CONNECTED)
      this.transmitQueued();
    return true;
  }

  /** Acknowledges a message that the handler took over later than in `onMessage`. */
  acknowledge(packetIdentifier: number, qos: number): void {
    if (this.state !== CONNECTED)
      return;
    if (qos === 1)
      this.sendAcknowledgement(PUBACK_PACKET, packetIdentifier);
    else if (this.sessionState!.hasReceived(packetIdentifier) || this.sessionState!.addReceived(packetIdentifier))
      this.sendAcknowledgement(PUBREC_PACKET, packetIdentifier);
    else
      this.fail(ReasonCode.RECEIVE_MAXIMUM_EXCEEDED);
  }

  /** Sends the PUBREL that the journal of the queue has held back. */
  sendRelease(packetIdentifier: number): void {
    if (this.state === CONNECTED)
      this.sendAcknowledgement(PUBREL_PACKET, packetIdentifier);
  }

  /** The only way into failure: the peer broke a rule or ran out of time. */
  fail(reasonCode: number): void {
    this.parser.fail(reasonCode);
    if (this.state !== CLOSED) {
      this.output.close();
      this.end(reasonCode);
    }
  }

  // For the roles

  protected abstract closed(reasonCode: number): void;

  /** From now on an acknowledgement is owed to us. */
  protected awaitAcknowledgement(): void {
    this.lastProgressAt = this.clock.now;
  }

  /** Fails when the peer has not taken anything for `sendTimeout`; else asks to be called when that will be so. */
  protected checkStall(sendTimeout: number): void {
    const { clock } = this;
    const stalled = this.output.stalledFor(clock.now);
    if (stalled >= sendTimeout)
      this.fail(ReasonCode.SEND_TIMEOUT);
    else if (stalled > 0)
      clock.request(clock.now + sendTimeout - stalled | 0);
  }

  protected begin(output: Output, version: number): void {
    this.output = output;
    this.lastSentAt = this.lastReceivedAt = this.lastProgressAt = this.clock.now;
    this.parser.reset(0, version);
    this.enter(OPENED);
  }

  protected enter(state: number): void {
    this.state = state;
    this.parser.acceptedTypes = legalTypes(state, this.peer);
    this.sendableTypes = legalTypes(state, this.peer === SERVER ? CLIENT : SERVER);
  }

  /** Ends the connection without sending anything. */
  protected end(reasonCode: number): void {
    this.enter(CLOSED);
    this.parser.fail(reasonCode);
    this.closed(reasonCode);
  }

  /**
   * Sends `length` bytes of the staging area as a packet of `type`.
   * @returns false when the peer does not take what we send; the session has failed then
   */
  protected send(type: number, length: number): boolean {
    if ((this.sendableTypes >> type & 1) === 0)
      return false;
    this.lastSentAt = this.clock.now;
    ++this.sentPacketCount;
    if (this.output.send(length))
      return true;
    this.fail(ReasonCode.SEND_TIMEOUT);
    return false;
  }

  /** `send` written out, this is the hot path of QoS 1. @param packet one of the constants of publish.ts */
  protected sendAcknowledgement(packet: number, packetIdentifier: number): void {
    if ((this.sendableTypes >> (packet >>> 28) & 1) === 0)
      return;
    const arena = this.arena;
    arena.view.setInt32(arena.stagingOffset, packet | packetIdentifier);
    this.lastSentAt = this.clock.now;
    ++this.sentPacketCount;
    if (!this.output.send(4))
      this.fail(ReasonCode.SEND_TIMEOUT);
  }

  /** PINGREQ, PINGRESP or DISCONNECT. */
  protected sendEmpty(type: number): boolean {
    this.arena.view.setUint16(this.arena.stagingOffset, type << 12);
    return this.send(type, 2);
  }

  /** Sends what waits, as far as the peer's window, the inflight limit and the room allow. */
  protected transmitQueued(): void {
    const { arena, output } = this;
    const { maximumInflight, outbound } = this.sessionState!;
    while (this.state === CONNECTED) {
      if (!outbound.hasUnsent && outbound.waitingCount > 0)
        outbound.journal!.refill();
      const record = outbound.peek();
      if (record === NONE)
        return;
      const needsAcknowledgement = outbound.qosOf(record) !== 0;
      if (needsAcknowledgement && outbound.inflightCount >= maximumInflight)
        return;
      const isReleased = outbound.stateOf(record) === RELEASED;
      const length = isReleased ? 4 : outbound.lengthOf(record);
      if (length + (this.isInDoubt ? 4 : 0) > output.room)
        return;
      if (this.replayCount > 0 && !this.mayReplay(record))
        return;
      if (this.isInDoubt)
        this.freeIdentifier(record);
      if (needsAcknowledgement && outbound.inflightCount === 0)
        this.awaitAcknowledgement();
      if (isReleased)
        arena.view.setInt32(arena.stagingOffset, PUBREL_PACKET | outbound.identifierOf(record));
      else
        outbound.stage(record, length);
      outbound.markSent(record);
      this.lastSentAt = this.clock.now;
      output.send(length);
    }
  }

  /**
   * A Server that knows us from before we started may hold a QoS 2 message of the identifier that this one was given, not
   * released, and would take the new message for that one. PUBREL before it cannot do harm.
   */
  private freeIdentifier(record: number): void {
    const { arena, output } = this;
    const { outbound } = this.sessionState!;
    const identifier = outbound.identifierOf(record);
    if (outbound.qosOf(record) !== 2 || outbound.stateOf(record) !== QUEUED || identifier < outbound.firstInDoubt)
      return;
    arena.view.setInt32(arena.stagingOffset, PUBREL_PACKET | identifier);
    output.send(4);
  }

  /** Paces what waited, so that what is new gets through between. */
  private mayReplay(record: number): boolean {
    const { clock, output, replayRate } = this;
    const { outbound } = this.sessionState!;
    if (this.replayCount > outbound.unsentTotal) // some were given up
      this.replayCount = outbound.unsentTotal;
    // With something in flight an acknowledgement will come, and with it another turn.
    if (outbound.inflightCount > 0 && outbound.lengthOf(record) + this.replayReserve > output.room)
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

  /** PUBACK, PUBREC, PUBREL and PUBCOMP are the same in both roles. One that nothing awaits is ignored, it frees nothing. */
  protected handleAcknowledgement(packet: Packet): void {
    const { outbound } = this.sessionState!;
    const identifier = packet.packetIdentifier;
    this.lastProgressAt = this.clock.now;
    let isAwaited = true;
    switch (packet.type) {
      case ControlPacket.PUBACK:
        isAwaited = outbound.complete(identifier, 1);
        break;
      case ControlPacket.PUBREC:
        // Answered even when unknown: else a receiver that remembers more than we do would wait for ever.
        if (!outbound.release(identifier) && this.isOutOfTurn(identifier)) {
          this.fail(ReasonCode.PROTOCOL_ERROR);
          return;
        }
        if (outbound.journal === undefined || !outbound.journal.isReleasing(identifier))
          this.sendAcknowledgement(PUBREL_PACKET, identifier);
        return;
      case ControlPacket.PUBREL:
        this.sessionState!.removeReceived(identifier);
        this.keeper.onReleased?.(this, identifier);
        this.sendAcknowledgement(PUBCOMP_PACKET, identifier);
        return;
      case ControlPacket.PUBCOMP:
        isAwaited = outbound.complete(identifier, 2);
    }
    if (!isAwaited && this.isOutOfTurn(identifier))
      this.fail(ReasonCode.PROTOCOL_ERROR);
    else if (outbound.hasUnsent || outbound.waitingCount > 0)
      this.transmitQueued();
  }

  /** The acknowledgement of another QoS, or too early. A node loses its connection for it [MQTT311-4.8.0-1]; the Server's is ignored. */
  private isOutOfTurn(identifier: number): boolean {
    return this.peer === CLIENT && this.sessionState!.outbound.isInflight(identifier);
  }
}
