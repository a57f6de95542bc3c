/**
 * Tells Home Assistant by its MQTT discovery which devices there are: retained, with QoS 1, one message at a time, each
 * when the one before it is acknowledged. Due is everything on a connection that is not known to continue and on the
 * first one after a start; again some seconds after Home Assistant has said that it has started; what has changed
 * when the configuration is read again. What was announced and is not there any more is taken back: a device by an
 * empty message, a component by its mark alone.
 *
 * Messages are put together from the pieces of device-texts.ts in one buffer, never in the middle of an event. Knows
 * what was told from announced-cards.ts; where that is in memory, it asks the broker on its first connection.
 */
import type { Arena } from '../bytes/arena.ts';
import { equalBytes } from '../bytes/compare.ts';
import { encodeUTF8, lengthOfUTF8 } from '../bytes/utf8.ts';
import type { Configuration } from '../config/configuration.ts';
import * as Event from '../config/events.ts';
import type { Machine } from '../nodes/system-figures.ts';
import { PlainSpans } from '../packet/packet.ts';
import type { Further } from '../session/announcements.ts';
import type { ClientSession } from '../session/client-session.ts';
import { type Clock, isDue } from '../session/clock.ts';
import type { StateMap } from '../store/state-map.ts';
import { AnnouncedCards, CARD_HEAD } from './announced-cards.ts';
import { AnnouncementWriter } from './announcement-writer.ts';
import type { Device } from './device-texts.ts';
import { devicesOf } from './devices.ts';
import { DiscoveryFilters } from './discovery-filters.ts';
import type { DiscoveryPlan } from './discovery-plan.ts';

/** What the message is that was put together last. */
const NOTHING = -1;
const REMOVAL = -2;

/** Connections in a row that have ended while the same message was under way: the broker will not have it. */
const STRIKES = 3;

/** Told when Home Assistant has been told everything: what was published before that, it may not have seen. */
export interface Teller {
  tellAgain(): void;
}

/** Milliseconds that Home Assistant has to subscribe to what it has been told of. */
const SETTLING = 2000;

export interface DiscoveryContext {
  readonly arena: Arena;
  readonly clock: Clock;
  /** Undefined: it runs on a computer. */
  readonly machine: Machine | undefined;
  readonly observer: Event.GatewayObserver;
}

export class Discovery implements Further {
  readonly filters: DiscoveryFilters;
  readonly cards: AnnouncedCards;
  offered: PlainSpans | undefined = undefined;
  isUnderWay = false;
  /** Undefined: nobody. */
  teller: Teller | undefined = undefined;
  private readonly arena: Arena;
  private readonly plan: DiscoveryPlan;
  private readonly writer: AnnouncementWriter;
  private readonly isBoard: boolean;
  private readonly observer: Event.GatewayObserver;
  private devices: readonly Device[];
  /** Of each device: whether it is to be announced. */
  private due: Uint8Array;
  private readonly message = new PlainSpans();
  /** Index of the device that the message is about, REMOVAL or NOTHING. */
  private subject = NOTHING;
  /** The device has components that this message takes back. */
  private hasMarks = false;
  private mayHaveGone = true;
  private isFirst = true;
  private isEnding = false;
  private strikes = 0;
  /** Told in this round. */
  private roundCount = 0;
  private tellAgainAt = 0;
  private isTellingAgain = false;

  constructor({ arena, clock, machine, observer }: DiscoveryContext, plan: DiscoveryPlan,
    configuration: Configuration) {
    const isBoard = machine !== undefined;
    this.arena = arena;
    this.plan = plan;
    this.isBoard = isBoard;
    this.observer = observer;
    this.writer = new AnnouncementWriter(arena, plan.card);
    this.cards = new AnnouncedCards(arena, plan.cards);
    this.filters = new DiscoveryFilters(arena, clock, plan.texts, configuration, this.cards);
    this.devices = devicesOf(configuration, isBoard).list;
    this.due = new Uint8Array(this.devices.length).fill(1);
    this.message.qos = this.message.retain = 1;
  }

  /** Another configuration is in force. */
  reload(configuration: Configuration): void {
    const old = this.devices;
    const wasDue = this.due;
    this.devices = devicesOf(configuration, this.isBoard).list;
    this.due = new Uint8Array(this.devices.length);
    for (let index = 0; index < this.devices.length; ++index) {
      const at = indexOfTopic(old, this.devices[index]!.topic);
      this.due[index] = at >= 0 && wasDue[at] === 0 && isSame(old[at]!, this.devices[index]!) ? 0 : 1;
    }
    if (this.subject >= 0) // it is of before, and of one that may have another place now
      this.subject = REMOVAL;
    this.mayHaveGone = true;
    this.filters.write(configuration);
    this.filters.clock.soon();
  }

  /** The gateway is about to go: nothing is said any more. */
  end(): void {
    this.isEnding = true;
  }

  /** All are announced again. */
  tellAll(): void {
    this.due.fill(1);
    this.mayHaveGone = true;
  }

  // Further

  begin(mayContinue: boolean): boolean {
    const { isUnderWay } = this;
    this.isEnding = false;
    if (!mayContinue || this.isFirst)
      this.tellAll();
    this.filters.begin(this.isFirst && this.cards.memory !== undefined);
    this.isFirst = false;
    if (!isUnderWay)
      this.strikes = 0;
    else if (++this.strikes >= STRIKES) {
      this.strikes = 0;
      this.refused();
      return false;
    }
    if (!mayContinue || !isUnderWay)
      this.subject = NOTHING;
    return true;
  }

  settled(isTaken: boolean): void {
    const { cards, message: { payloadLength, topicNameLength, topicNameOffset }, subject } = this;
    this.strikes = 0;
    if (!isTaken) {
      this.refused();
      return;
    }
    ++this.roundCount;
    this.subject = NOTHING;
    if (payloadLength === 0)
      cards.remove(topicNameOffset, topicNameLength);
    else if (subject >= 0) {
      this.due[subject] = this.hasMarks ? 1 : 0;
      if (this.hasMarks)
        cards.put(this.plan.card, this.writer.writeCard(this.devices[subject]!));
    }
    this.filters.clock.soon();
  }

  /** The Server will not have it: it is not said any more on this connection, nor before anything changes. */
  private refused(): void {
    const { subject } = this;
    this.subject = NOTHING;
    if (subject >= 0)
      this.due[subject] = 0;
    else
      this.mayHaveGone = false;
    this.observer.onEvent(Event.DISCOVERY_REFUSED, Event.UPSTREAM, subject);
    this.filters.clock.soon();
  }

  /** Goes on; not in the middle of an event. @param state the map of the store, where it works */
  advance(session: ClientSession, state: StateMap | undefined): void {
    const { cards, filters } = this;
    const { clock } = session.role;
    if (this.isTellingAgain && isDue(this.tellAgainAt, clock.now)) {
      this.isTellingAgain = false;
      this.teller?.tellAgain();
    } else if (this.isTellingAgain)
      clock.request(this.tellAgainAt);
    if (!session.isConnected || this.isEnding)
      return;
    if (cards.memory === undefined && cards.state === undefined && state !== undefined) // what is told is noted
      this.tellAll();
    cards.state = state;
    if (filters.takeBirth())
      this.tellAll();
    if (this.subject !== NOTHING || filters.isListening)
      return;
    if (this.compose()) {
      this.offered = this.message;
      session.announce();
    } else if (this.roundCount > 0) {
      this.observer.onEvent(Event.DISCOVERY_TOLD, Event.UPSTREAM, this.roundCount);
      this.roundCount = 0;
      this.isTellingAgain = true;
      this.tellAgainAt = clock.now + SETTLING | 0;
      clock.request(this.tellAgainAt);
    }
  }

  private compose(): boolean {
    const { cards, devices, due } = this;
    if (this.mayHaveGone)
      for (let isThere = cards.first(); isThere; isThere = cards.next())
        if (!this.isOfToday()) {
          this.composeRemoval(cards.topicOffset, cards.topicLength);
          return true;
        }
    this.mayHaveGone = false;
    for (let index = 0; index < devices.length; ++index)
      if (due[index] === 1) {
        this.composeDevice(index);
        if (this.subject !== NOTHING)
          return true;
      }
    return false;
  }

  /** Whether the card at hand is of a device that is still there. */
  private isOfToday(): boolean {
    const { arena, cards: { topicLength, topicOffset }, devices, plan: { payload } } = this;
    for (let index = 0; index < devices.length; ++index) {
      const { topic } = devices[index]!;
      if (lengthOfUTF8(topic) === topicLength) {
        encodeUTF8(arena, payload, topic);
        if (equalBytes(arena, payload, topicOffset, topicLength))
          return true;
      }
    }
    return false;
  }

  private composeRemoval(topicOffset: number, topicLength: number): void {
    const { arena, message, plan: { payload } } = this;
    arena.bytes.copyWithin(payload, topicOffset, topicOffset + topicLength);
    message.topicNameOffset = payload;
    message.topicNameLength = topicLength;
    message.payloadOffset = payload + topicLength;
    message.payloadLength = 0;
    this.subject = REMOVAL;
  }

  private composeDevice(index: number): void {
    const { arena, cards, message, plan: { card, longestCard, longestPayload, payload }, writer } = this;
    const device = this.devices[index]!;
    const length = writer.lengthOf(device);
    let left = longestPayload - lengthOfUTF8(device.topic) - length;
    if (left < 0) { // of a configuration that was read later, with another max_payload
      this.subject = index;
      this.refused();
      return;
    }
    const cardLength = writer.writeCard(device);
    const topicLength = arena.view.getUint16(card);
    // What is there besides is taken back by this message; then it is announced once more.
    cards.read(card + CARD_HEAD, topicLength);
    let union = card + cardLength;
    if (cards.hasUnknownMarks && cards.payloadLength !== length) { // whatever it had goes, and it comes anew
      this.composeRemoval(card + CARD_HEAD, topicLength);
      return;
    }
    for (let mark = cards.offset + CARD_HEAD + topicLength, end = cards.endOfMarks; mark < end;) {
      const own = writer.lengthOfMark(mark, end);
      if (!writer.hasMark(mark, own, card + cardLength)) {
        left -= own + 2;
        if (union + own > card + 2 * longestCard || left < 0) { // there is no room: all of it goes, and comes anew
          this.composeRemoval(card + CARD_HEAD, topicLength);
          return;
        }
        arena.bytes.copyWithin(union, mark, mark + own);
        union += own;
      }
      mark += own;
    }
    cards.put(card, union - card);
    this.hasMarks = union > card + cardLength;
    message.topicNameOffset = payload;
    message.topicNameLength = topicLength;
    message.payloadOffset = encodeUTF8(arena, payload, device.topic);
    message.payloadLength = writer.writePayload(device, message.payloadOffset, card + cardLength, union)
      - message.payloadOffset;
    this.subject = index;
  }
}

function indexOfTopic(devices: readonly Device[], topic: string): number {
  for (let index = 0; index < devices.length; ++index)
    if (devices[index]!.topic === topic)
      return index;
  return -1;
}

const isSame = (a: Device, b: Device): boolean => a.head === b.head && a.components.length === b.components.length
  && a.components.every(({ mark, rest }, index) => mark === b.components[index]!.mark
    && rest === b.components[index]!.rest);
