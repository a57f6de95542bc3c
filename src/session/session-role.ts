/**
 * What the sessions of one role of a program share, so that each of them keeps only what is its own: what they work
 * with, who is told, and what is counted of them together. A program has one role for the nodes' connections, and one
 * for its own connection to a Server.
 */
import type { Arena } from '../bytes/arena.ts';
import { RingSpace } from '../bytes/ring-buffer.ts';
import type { ParserContext, ParserSettings } from '../packet/packet-handler.ts';
import type { Packet } from '../packet/packet.ts';
import type { TopicTable } from '../packet/topic-table.ts';
import type { Clock } from './clock.ts';
import { MessageForms } from './message-forms.ts';
import type { RoomWatch } from './queue-limits.ts';

/** What all sessions of a program share. */
export interface SessionContext {
  readonly arena: Arena;
  readonly clock: Clock;
  readonly topics: TopicTable;
  readonly packet: Packet;
}

/** What whoever gets a message may do with the session that it came by. */
export interface MessageSource {
  /** Acknowledges a message later than by a verdict. */
  acknowledge(packetIdentifier: number, qos: number): void;
  fail(reasonCode: number): void;
}

/** Verdicts on an incoming message. */
/** It has been taken over, and is acknowledged at once. */
export const TAKEN = 1;
/** It has been taken over as far as memory goes; who did so acknowledges it (`Session.acknowledge`) when it may be. */
export const LATER = 0;
/** It has not been taken over, and must not be acknowledged. */
export const REFUSED = -1;

/** Who gets the messages. */
export interface MessageHandler {
  /** @returns TAKEN, LATER or REFUSED */
  onMessage(session: MessageSource, packet: Packet): number;
  /** PUBREL: the sender of a QoS 2 message will not send it again. */
  onReleased?(session: MessageSource, packetIdentifier: number): void;
}

export interface SessionSettings extends ParserSettings {
  /** Milliseconds that the peer may refuse to take what is sent to it. */
  readonly sendTimeout: number;
}

/** A message that is longer by less than this is told of with those before. */
const LENGTH_STEP = 63;

export class SessionRole implements SessionContext, ParserContext {
  readonly clock: Clock;
  readonly receiver: MessageHandler;
  /** Who takes over messages of QoS 1 and 2, if not the same one. */
  acknowledgedReceiver: MessageHandler;
  readonly arena: Arena;
  /** Sessions that are not CLOSED. */
  openCount = 0;
  /** When one of them last sent a packet. */
  lastSentAt = 0;
  /** Packets sent, and received by a Server, PUBLISH not included; network connections. */
  sentPacketCount = 0;
  receivedPacketCount = 0;
  connectionCount = 0;
  readonly packet: Packet;
  readonly topics: TopicTable;
  readonly settings: SessionSettings;
  readonly ringSpace: RingSpace;
  readonly readLength: number;
  /** CLIENT or SERVER of connection-state.ts: whose packets arrive here. */
  readonly peer: number;
  readonly forms: MessageForms;
  /** Of a peer of 5.0: the highest QoS that it takes, and what is left of the first byte of a PUBLISH to it. */
  maximumQoS = 2;
  publishMask = 0xFF;
  noteAbove = 0;
  leavesMessages = false;
  /** Bytes of the longest PUBLISH that has come, or more. */
  private longestMessage = 0;
  /** Told of a longer one. */
  watch: RoomWatch | undefined = undefined;

  constructor(context: SessionContext, settings: SessionSettings, peer: number, receiver: MessageHandler) {
    this.clock = context.clock;
    this.receiver = this.acknowledgedReceiver = receiver;
    this.arena = context.arena;
    this.packet = context.packet;
    this.topics = context.topics;
    this.settings = settings;
    this.ringSpace = new RingSpace(context.arena, settings.maximumPacketSize);
    const { landingCapacity } = context.arena;
    this.readLength = settings.maximumPacketSize < landingCapacity ? settings.maximumPacketSize : landingCapacity;
    this.peer = peer;
    this.forms = new MessageForms(context.arena, context.clock);
  }

  noteLength(length: number): void {
    if (length <= this.longestMessage)
      return;
    this.longestMessage = Math.min(length | LENGTH_STEP, this.settings.maximumPacketSize);
    this.leaveMessages(this.leavesMessages);
    this.watch?.onLongerMessage(this.longestMessage);
  }

  /** Whether a PUBLISH may be left from now on. */
  leaveMessages(mayLeave: boolean): void {
    this.leavesMessages = mayLeave;
    this.noteAbove = mayLeave ? 0 : this.longestMessage;
  }
}
