/**
 * What discovery asks the broker for, beside the topic rules: that Home Assistant has started; with
 * `homeassistant.allow_restart` the command to restart; and on the first connection after a start, where no store has
 * kept it, for five seconds what was announced before. Of that only what begins with the identifier of this gateway
 * is taken for ours, and only if its payload says so, as far as there is room for it.
 */
import type { Arena } from '../bytes/arena.ts';
import { equalBytes } from '../bytes/compare.ts';
import { encodeUTF8 } from '../bytes/utf8.ts';
import type { Configuration } from '../config/configuration.ts';
import type { Packet } from '../packet/packet.ts';
import { SUBACK_FAILURE } from '../packet/subscribe.ts';
import type { ClientSession } from '../session/client-session.ts';
import { type Clock, isDue } from '../session/clock.ts';
import { type AnnouncedCards, CARD_HEAD, UNKNOWN_LENGTH, UNKNOWN_MARKS } from './announced-cards.ts';
import { ORIGIN } from './device-texts.ts';
import { filterTexts } from './discovery-plan.ts';
import { SEPARATOR } from './names.ts';

/** The texts, by their places. */
const STATUS = 0;
const OWN = 1;
const RESTART = 2;
const EARLIER = 3;
const ORIGIN_TEXT = 4;
const NOBODY = -1;

/** Milliseconds for which earlier announcements are waited for, and without another one. */
const LISTENING = 5000;
const QUIET = 1000;
/** From the subscription on: what is retained then may be old. */
const OLD = 2000;
/** Of Home Assistant's start: gateways do not all speak at once. */
const LONGEST_JITTER = 4096;
const LEAST_JITTER = 500;

/** What becomes of earlier announcements. */
const UNKNOWN = 0;
const ASKED = 1;
const HEARD = 2;
const ENDING = 3;
const DONE = 4;

const ONLINE = 'online';
const CONFIG = '/config';
const MARK = ':{"p":"';
const QUOTE = 0x22;

export class DiscoveryFilters {
  readonly clock: Clock;
  /** Undefined: there is nothing to restart. */
  onRestart: (() => void) | undefined = undefined;
  private readonly arena: Arena;
  private readonly texts: number;
  private readonly cards: AnnouncedCards;
  private readonly offsets = new Int32Array(ORIGIN_TEXT + 2);
  private isWanted = false;
  private mayRestart = false;
  /** Whose answer is awaited. */
  private pending = NOBODY;
  /** Bits of those that were asked for on this connection. */
  private asked = 0;
  private askedAt = 0;
  private earlier = DONE;
  private endsAt = 0;
  private quietAt = 0;
  private isBirthDue = false;
  private birthAt = 0;
  private salt = 0;

  constructor(arena: Arena, clock: Clock, texts: number, configuration: Configuration, cards: AnnouncedCards) {
    this.arena = arena;
    this.clock = clock;
    this.texts = texts;
    this.cards = cards;
    this.offsets.fill(texts);
    this.write(configuration);
  }

  /** Of another configuration. */
  write(configuration: Configuration): void {
    const { homeassistant } = configuration;
    this.isWanted = homeassistant?.enabled === true;
    this.mayRestart = this.isWanted && homeassistant?.allow_restart === true;
    this.asked = 0;
    const texts = filterTexts(configuration);
    if (texts.length === 0) // what was announced is taken back under the names of before
      return;
    this.salt = configuration.upstream.remote_clientid.length;
    this.arena.bytes.fill(0, this.texts, this.offsets[ORIGIN_TEXT + 1]!);
    let offset = this.texts;
    for (let index = 0; index < texts.length; ++index) {
      this.offsets[index] = offset;
      offset = encodeUTF8(this.arena, offset, texts[index]!);
    }
    this.offsets[texts.length] = offset;
  }

  /** A connection is accepted. @param isAsking whether it is to be found out what was announced before */
  begin(isAsking: boolean): void {
    this.asked = 0;
    this.pending = NOBODY;
    if (isAsking || this.earlier <= HEARD)
      this.earlier = UNKNOWN;
  }

  /** Whether announcements must wait: what was announced before is still being told. */
  get isListening(): boolean {
    return this.earlier < HEARD || this.earlier === HEARD && !isDue(this.quietAt, this.clock.now)
      && !isDue(this.endsAt, this.clock.now);
  }

  /** Asks for the next filter, if there is one, on a connection on which no answer is awaited. */
  askNext(session: ClientSession): void {
    const { clock: { now }, earlier, next } = this;
    if (next === NOBODY)
      return;
    const offset = this.offsets[next]!;
    const length = this.offsets[next + 1]! - offset;
    this.pending = next;
    this.askedAt = now;
    if (next !== EARLIER)
      this.asked |= 1 << next;
    else
      this.earlier = earlier === UNKNOWN ? ASKED : DONE;
    if (next === EARLIER ? earlier === UNKNOWN : this.isWanted)
      session.subscribe(offset, length, 0);
    else
      session.unsubscribe(offset, length);
  }

  /** What is to be subscribed now, or, of what is not wanted, unsubscribed. */
  private get next(): number {
    const { asked, earlier } = this;
    return (asked & 1 << STATUS) === 0 ? STATUS
      : this.mayRestart && this.onRestart !== undefined && (asked & 1 << RESTART) === 0 ? RESTART
      : earlier === UNKNOWN || earlier === ENDING ? EARLIER : NOBODY;
  }

  /** @returns whether the answer is for us */
  takesAnswer(code: number): boolean {
    const { clock, pending } = this;
    if (pending === NOBODY)
      return false;
    this.pending = NOBODY;
    if (pending === EARLIER && this.earlier === ASKED) {
      this.earlier = code < SUBACK_FAILURE ? HEARD : DONE;
      this.endsAt = clock.now + LISTENING | 0;
      this.quietAt = clock.now + QUIET | 0;
      clock.request(this.quietAt);
    }
    clock.soon();
    return true;
  }

  /** @returns whether there is something to be asked for */
  handleTimeout(): boolean {
    const { clock } = this;
    if (this.isBirthDue)
      clock.request(this.birthAt);
    if (this.earlier === HEARD && isDue(this.endsAt, clock.now))
      this.earlier = ENDING;
    else if (this.earlier === HEARD)
      clock.request(isDue(this.quietAt, clock.now) ? this.endsAt : this.quietAt);
    return this.next !== NOBODY;
  }

  /** Whether Home Assistant has started, a moment ago; once. */
  takeBirth(): boolean {
    if (!this.isBirthDue || !isDue(this.birthAt, this.clock.now))
      return false;
    this.isBirthDue = false;
    return true;
  }

  /** A message of the Server. @returns whether it was asked for here */
  receive(session: ClientSession, packet: Packet): boolean {
    if (this.isText(STATUS, packet.topicNameOffset, packet.topicNameLength)) {
      this.hearStatus(session, packet);
      return this.isWanted;
    }
    if (this.isRestart(packet.topicNameOffset, packet.topicNameLength)) {
      if (packet.retain === 0)
        this.onRestart!();
      return true;
    }
    if (this.earlier === DONE || !this.isAnnouncement(packet))
      return false;
    if (this.earlier <= HEARD && packet.retain !== 0)
      this.hearEarlier(packet);
    return true;
  }

  /** Whether a topic at the broker is that of the command to restart, if there is one. */
  isRestart(offset: number, length: number): boolean {
    return this.mayRestart && this.onRestart !== undefined && this.isText(RESTART, offset, length);
  }

  private hearStatus({ hasProperties }: ClientSession, packet: Packet): void {
    const { arena, clock, salt } = this;
    const isOld = packet.retain !== 0 && (!hasProperties || (clock.now - this.askedAt | 0) < OLD);
    if (isOld || packet.isOversize || !isText(arena, packet.payloadOffset, packet.payloadLength, ONLINE)
      || this.isBirthDue)
      return;
    this.isBirthDue = true;
    this.birthAt = clock.now + LEAST_JITTER + (Math.imul(clock.now ^ salt, 0x9E3779B1 | 0) >>> 20) % LONGEST_JITTER | 0;
    clock.request(this.birthAt);
  }

  private isAnnouncement({ topicNameLength, topicNameOffset }: Packet): boolean {
    // <discovery_topic>/device/ is what the filter says up to its wildcard.
    const offset = this.offsets[EARLIER]!;
    const head = this.offsets[ORIGIN_TEXT]! - offset - CONFIG.length - 1;
    return topicNameLength > head + CONFIG.length && equalBytes(this.arena, offset, topicNameOffset, head)
      && isText(this.arena, topicNameOffset + topicNameLength - CONFIG.length, CONFIG.length, CONFIG);
  }

  /** An announcement that the broker has kept: if it is ours, it is noted. */
  private hearEarlier(packet: Packet): void {
    const { arena, cards, clock } = this;
    const { payloadLength, topicNameLength, topicNameOffset } = packet;
    this.quietAt = clock.now + QUIET | 0;
    const own = this.offsets[RESTART]! - this.offsets[OWN]!;
    const rest = topicNameLength - CONFIG.length - own;
    if (rest < 0 || payloadLength === 0 || !equalBytes(arena, this.offsets[OWN]!, topicNameOffset, own)
      || rest > 0 && (rest < SEPARATOR.length
        || !isText(arena, topicNameOffset + own, SEPARATOR.length, SEPARATOR)))
      return;
    if (!packet.isOversize && (payloadLength < ORIGIN.length
      || !equalBytes(arena, this.offsets[ORIGIN_TEXT]!, packet.payloadOffset, ORIGIN.length)))
      return;
    if (CARD_HEAD + topicNameLength + UNKNOWN_LENGTH > cards.longest)
      return;
    this.keep(packet, cards.offset);
  }

  private keep(packet: Packet, card: number): void {
    const { arena, arena: { bytes }, cards } = this;
    const { payloadOffset: start, topicNameLength, topicNameOffset } = packet;
    const limit = card + cards.longest;
    let end = card + CARD_HEAD + topicNameLength;
    arena.view.setUint16(card, topicNameLength);
    bytes.copyWithin(card + CARD_HEAD, topicNameOffset, topicNameOffset + topicNameLength);
    if (packet.isOversize) {
      bytes[end] = UNKNOWN_MARKS;
      arena.view.setUint32(end + 1, packet.payloadLength);
      cards.keepAtHand(end + UNKNOWN_LENGTH - card);
      return;
    }
    const last = start + packet.payloadLength - MARK.length;
    for (let at = start; at < last; ++at) {
      if (bytes[at] !== 0x3A || !isText(arena, at, MARK.length, MARK))
        continue;
      let key = at - 2; // before the quote that ends it
      while (key > start && bytes[key] !== QUOTE)
        --key;
      let close = at + MARK.length;
      while (close < last && bytes[close] !== QUOTE)
        ++close;
      const length = close + 1 - key;
      if (end + length > limit)
        break;
      bytes.copyWithin(end, key, key + length);
      end += length;
    }
    cards.keepAtHand(end - card);
  }

  private isText(text: number, offset: number, length: number): boolean {
    const own = this.offsets[text]!;
    return this.offsets[text + 1]! - own === length && equalBytes(this.arena, own, offset, length);
  }
}

/** Whether these bytes are a text of ASCII. */
function isText({ bytes }: Arena, offset: number, length: number, text: string): boolean {
  if (length !== text.length)
    return false;
  for (let index = 0; index < length; ++index)
    if (bytes[offset + index] !== text.charCodeAt(index))
      return false;
  return true;
}
