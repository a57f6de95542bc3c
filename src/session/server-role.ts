/** What the connections of all nodes share: see session-role.ts. */
import type { ArenaPlan } from '../bytes/arena.ts';
import type { Packet } from '../packet/packet.ts';
import { isDue } from './clock.ts';
import { CLIENT, CLOSED } from './connection-state.ts';
import { Deadlines } from './deadlines.ts';
import { FilterRequests } from './filter-requests.ts';
import { PostponedAnswers } from './postponed-answers.ts';
import type { PublishCredit } from './publish-credit.ts';
import type { ServerSession } from './server-session.ts';
import type { Output } from './connection.ts';
import { type SessionContext, SessionRole, type SessionSettings } from './session-role.ts';

/** Who decides; `Session` is server-session.ts's. The packet is valid only during the call. */
export interface ServerHandler<Session = unknown> {
  /** A CONNECT of valid form. Answer with `accept` or `refuse`, at once or later. */
  onConnect(session: Session, packet: Packet): void;
  /** Who it is, is known. @returns milliseconds that the answer to its CONNECT has to wait; default: 0 */
  delayOf?(session: Session): number;
  /** It would have been let in before: its time has come. Answer as to `onConnect`. */
  admit?(session: Session): void;
  /** @returns TAKEN, LATER or REFUSED */
  onMessage(session: Session, packet: Packet): number;
  onReleased?(session: Session, packetIdentifier: number): void;
  /** One filter of a SUBSCRIBE. Sends nothing. @returns the granted QoS, or a reason code of failure */
  onSubscribe(session: Session, packet: Packet): number;
  /** The SUBACK for all filters of a SUBSCRIBE has been sent: time for retained messages. */
  onSubscribed(session: Session): void;
  /** @returns SUCCESS, or NO_SUBSCRIPTION_EXISTED */
  onUnsubscribe(session: Session, packet: Packet): number;
  /** The node has taken, or acknowledged, something of what it was sent. */
  onRoom(session: Session): void;
  /** The connection is over. SUCCESS: the node said DISCONNECT, so there is no Will any more. */
  onClosed(session: Session, reasonCode: number): void;
}

/** The network connection of a node; more than any other it may have to wait. */
export interface NodeOutput extends Output {
  /** Whether something has arrived that the session has not seen yet. */
  readonly hasUnread: boolean;
  /** Of the node; where the platform tells. */
  readonly remoteAddress?: string | undefined;
  /** Brings one packet of that to the session, although it is paused. */
  readOne(): void;
  /**
   * The node takes nothing any more. From now on nothing is sent, and what it has sent before is read, as far as the
   * session takes it.
   */
  stopSending(): void;
}

export interface ServerSessionSettings extends SessionSettings {
  /** Bytes for Will Topic, Will Message and its properties together. */
  readonly willCapacity: number;
  /** Bytes of a Client Identifier. 3.1 has a limit of its own, 23 characters. */
  readonly maximumClientIdentifierLength: number;
  /** Milliseconds from the network connection to CONNECT. */
  readonly connectTimeout: number;
  /** Longest Keep Alive in seconds that is accepted; 65535 accepts any, and 0 as well. */
  readonly maximumKeepAlive: number;
  /** Messages of QoS 1 and 2 that a node may have under way. */
  readonly receiveMaximum: number;
  /** Seconds for which a session is kept at most; 0xFFFFFFFF: for ever. */
  readonly sessionExpiry: number;
  /** Whether what nodes ask for is stored. */
  readonly storesState: boolean;
  /** Messages per second that a node may publish, 0 for any number. */
  readonly maximumPublishRate: number;
}

/** Three lengths of two bytes, in front of Will Topic and Will Message, and of the properties behind them. */
const WILL_LENGTHS = 6;
/** What a node of 5.0 says it takes, and its Will Delay. */
const LIMITS_LENGTH = 12;

/** In place of the index of a session that is released. */
const NOBODY = -1;
const MANY = -2;

/** Bytes of what one session needs of the arena. */
const regionLengthOf = (settings: ServerSessionSettings): number =>
  settings.maximumPacketSize + WILL_LENGTHS + settings.willCapacity + settings.maximumClientIdentifierLength
  + LIMITS_LENGTH;

export class ServerRole extends SessionRole {
  declare readonly receiver: ServerHandler;
  declare readonly settings: ServerSessionSettings;
  /** Per session; empty when nodes may send as fast as they like. */
  readonly credits: PublishCredit[] = [];
  /** In the order of their indices; they enter themselves. */
  readonly sessions: ServerSession[] = [];
  readonly filterRequests: FilterRequests;
  /** Nodes to which retained messages are owed; they are told of room. */
  owingCount = 0;
  readonly postponed = new PostponedAnswers();
  readonly deadlines: Deadlines;
  /** There is no place for a message: not even one packet is read of who is held. */
  hasNoRoom = false;
  /** Index of the session that was held and may read again, as soon as the event at hand is over; or one below 0. */
  private released = NOBODY;
  private nextToRead = 0;
  /**
   * Where the receive ring, the Will, the identifier and the limits of the first session lie; those of the next one
   * `regionLength` behind them.
   */
  readonly ringOffset: number;
  readonly willOffset: number;
  readonly identifierOffset: number;
  readonly limitsOffset: number;
  readonly regionLength: number;

  /** Reserves the regions of `count` sessions, and behind them their deadlines. */
  static plan(plan: ArenaPlan, settings: ServerSessionSettings, count: number): number {
    const offset = plan.reserve('node: receive ring, Will, identifier', regionLengthOf(settings), count);
    plan.reserve('node: deadlines', Deadlines.lengthFor(1), count);
    return offset;
  }

  /** @param regions what `plan` returned for the same settings and so many sessions */
  constructor(context: SessionContext, regions: number, settings: ServerSessionSettings, sessionCount: number,
    handler: ServerHandler) {
    super(context, settings, CLIENT, handler);
    this.ringOffset = regions;
    this.willOffset = regions + settings.maximumPacketSize;
    this.identifierOffset = this.willOffset + WILL_LENGTHS + settings.willCapacity;
    this.limitsOffset = this.identifierOffset + settings.maximumClientIdentifierLength;
    this.regionLength = regionLengthOf(settings);
    this.deadlines = new Deadlines(context.arena, regions + sessionCount * this.regionLength);
    this.filterRequests = new FilterRequests(this);
  }

  /** Lets the sessions that wanted that look at their deadlines, and asks the clock for the next one. */
  handleTimeout(): void {
    const { clock, deadlines, sessions } = this;
    for (let left = deadlines.count; left > 0 && isDue(deadlines.first, clock.now); --left) {
      const session = sessions[deadlines.take()]!;
      if (session.state !== CLOSED)
        session.handleTimeout();
    }
    if (deadlines.count > 0)
      clock.request(deadlines.first);
  }

  /** A session may read again. */
  noteReleased({ index }: ServerSession): void {
    this.released = this.released === NOBODY || this.released === index ? index : MANY;
  }

  /** What was put off until the event at hand was over. */
  handleDeferred(): void {
    const { sessions } = this;
    const { released } = this;
    this.released = NOBODY;
    if (released >= 0)
      sessions[released]!.readAgain();
    else if (released === MANY) {
      const first = this.nextToRead = (this.nextToRead + 1) % sessions.length; // each one is the first in its turn
      for (let step = 0; step < sessions.length; ++step)
        sessions[(first + step) % sessions.length]!.readAgain();
    }
    this.filterRequests.advance();
  }
}
