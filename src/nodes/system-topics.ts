/**
 * Figures of the gateway as messages for nodes, under Mosquitto's names: `$SYS/broker/...`. Sent every
 * `listener.sys_interval` seconds to those who have subscribed, and at once, as retained messages, to whoever
 * subscribes. They are not kept among the retained messages and do not wait for a node that is away (QoS 0). Upstream
 * they go only where a topic rule asks for them by name (upstream/figure-forwarding.ts).
 *
 * Of Mosquitto's topics those are here whose figures mean something in a gateway, `bytes/...` only where the platform
 * counts bytes. What Mosquitto does not count has names of our own.
 *
 * The rounds also keep the time since the start, and how many messages were given up in the last minutes.
 */
import type { Arena, ArenaPlan } from '../bytes/arena.ts';
import { MAXIMUM_DECIMAL_LENGTH, writeDecimal, writeDigits } from '../bytes/decimal.ts';
import { encodeUTF8, lengthOfUTF8 } from '../bytes/utf8.ts';
import { type Message, MessageSpans } from '../packet/packet.ts';
import { DOLLAR } from '../packet/topic.ts';
import { matchesTopicFilter } from '../packet/topic-filter.ts';
import { isDue, type Clock } from '../session/clock.ts';
import { LoadAverages, MINUTE, WINDOW_COUNT, WINDOWS } from './load-averages.ts';
import { RecentCount } from './recent-count.ts';
import { type Figure, type Figures, FIGURES, LOADS, type Traffic } from './system-figures.ts';

/** The same as in package.json; a test compares them. */
export const VERSION = '0.1.0';

const PREFIX = '$SYS/broker/';
const SPOKEN_VERSION = `ringbridge version ${VERSION}`;
const SECONDS = ' seconds';

const VERSION_TOPIC = 0;
const UPTIME = 1;
const FIRST_FIGURE = 2;
const VERSION_NAME = 'version';
const UPTIME_NAME = 'uptime';

const UNIT = 'min';
/** Milliseconds between rounds where nobody wants figures. */
const SILENT_INTERVAL = MINUTE;
const LONGEST_WINDOW = 5;

const NO_TRAFFIC: Traffic = Object.freeze({ receivedBytes: 0, sentBytes: 0 });

/** Names of topics, and beginnings of names. */
const namesOf = (figures: readonly Figure[], loads: readonly Figure[]): string[] =>
  [VERSION_NAME, UPTIME_NAME, ...figures.map(({ name }) => name), ...loads.map(({ name }) => name)];

/** Of an interval of 0, which means never: from one count to the next. */
const intervalFor = (interval: number): number => interval === 0 ? SILENT_INTERVAL : interval;

/** Where figures go besides. */
export interface FigureOutlet {
  /** Whether any is wanted now. */
  readonly wantsFigures: boolean;
  /** What each is compared with. */
  readonly ruleCount: number;
  sendFigure(message: Message): void;
}

/** Looks at topics in one turn, and how many of them it is worth to find out who reads one, or to send it. */
const SLICE = 512;
const COST = 32;

/** Who reads a topic: not known, nobody, somebody. */
const UNKNOWN = 0;
const UNREAD = 1;
const READ = 2;

export class SystemTopics {
  /** Seconds since the start, counted at each round. */
  uptime = 0;
  private readonly arena: Arena;
  private readonly figures: Figures;
  private readonly traffic: Traffic;
  private readonly clock: Clock;
  /** Nobody gets figures. */
  isSilent: boolean;
  outlet: FigureOutlet | undefined = undefined;
  interval: number;
  private readonly counts: readonly Figure[];
  private readonly loads: readonly Figure[];
  /** Messages for the Server, and for or from nodes, that were given up in the last minutes. */
  readonly recentlyGivenUp = new RecentCount();
  readonly recentlyDropped = new RecentCount();
  /** Messages of the Server that were too long. */
  readonly recentlyTooLong = new RecentCount();
  private readonly message = new MessageSpans();
  private readonly nameOffsets: number[] = [];
  private readonly nameLengths: number[] = [];
  private readonly versionOffset: number;
  private readonly versionLength: number;
  private readonly secondsOffset: number;
  private readonly unitOffset: number;
  private readonly figureOffset: number;
  /** Names are put together after the prefix; see `message`. */
  private readonly prefixEnd: number;
  private readonly nameCount: number;
  /** Of names, and of all windows of the loads. */
  private readonly topicCount: number;
  private readonly averages: LoadAverages;
  private lastAt: number;
  dueAt: number;
  private milliseconds = 0;
  /** Per topic: whether anybody has subscribed to it, as of `revision` of the subscriptions. */
  private readonly readership: Uint8Array;
  private revision = 0;
  /** The topic that comes next in the round that is under way; `topicCount` when none is. */
  private next: number;
  private isForOutlet = false;

  static plan(plan: ArenaPlan): number {
    const lengths = namesOf(FIGURES, LOADS).map(lengthOfUTF8);
    const length = lengths.reduce((sum, each) => sum + each, lengthOfUTF8(PREFIX + SPOKEN_VERSION + SECONDS + UNIT));
    const longest = lengths.reduce((most, each) => Math.max(most, each), 0);
    return plan.reserve('$SYS topics', length + longest + LONGEST_WINDOW + MAXIMUM_DECIMAL_LENGTH + SECONDS.length);
  }

  /**
   * @param offset what `plan` returned
   * @param interval milliseconds, 0 for never
   * @param traffic undefined: nobody counts bytes
   */
  constructor(figures: Figures, offset: number, interval: number, traffic: Traffic | undefined) {
    const arena = this.arena = figures.arena;
    this.figures = figures;
    this.traffic = traffic ?? NO_TRAFFIC;
    this.clock = figures.clock;
    this.isSilent = interval === 0;
    this.interval = intervalFor(interval);
    const isThere = ({ isMachine, isTraffic }: Figure): boolean =>
      (isTraffic === undefined || traffic !== undefined) && (isMachine === undefined || figures.machine !== undefined);
    this.counts = FIGURES.filter(isThere);
    this.loads = LOADS.filter(isThere);
    this.nameCount = FIRST_FIGURE + this.counts.length;
    this.topicCount = this.nameCount + this.loads.length * WINDOW_COUNT;
    namesOf(this.counts, this.loads).forEach(name => {
      const end = encodeUTF8(arena, offset, name);
      this.nameOffsets.push(offset);
      this.nameLengths.push(end - offset);
      offset = end;
    });
    this.versionOffset = offset;
    this.secondsOffset = encodeUTF8(arena, offset, SPOKEN_VERSION);
    this.versionLength = this.secondsOffset - offset;
    this.unitOffset = encodeUTF8(arena, this.secondsOffset, SECONDS);
    this.figureOffset = encodeUTF8(arena, this.unitOffset, UNIT);
    this.message.topicNameOffset = this.figureOffset + MAXIMUM_DECIMAL_LENGTH + SECONDS.length;
    this.prefixEnd = encodeUTF8(arena, this.message.topicNameOffset, PREFIX);
    this.averages = new LoadAverages(this.loads, this.interval);
    this.lastAt = this.dueAt = this.clock.now;
    this.next = this.topicCount;
    this.readership = new Uint8Array(this.topicCount);
  }

  /** From now on time counts. */
  start(): void {
    this.lastAt = this.clock.now;
    this.dueAt = this.lastAt + this.interval | 0;
    this.clock.request(this.dueAt);
  }

  handleTimeout(): void {
    const { clock } = this;
    if (isDue(this.dueAt, clock.now)) {
      const { delivery, subscriptions, waiting } = this.figures;
      this.dueAt = clock.now + this.interval | 0;
      this.countTime();
      this.recentlyGivenUp.update(waiting.givenUpCount, this.uptime);
      this.recentlyDropped.update(delivery.droppedCount, this.uptime);
      this.recentlyTooLong.update(waiting.oversizeCount, this.uptime);
      if (!this.isSilent) {
        this.averages.update(this.figures, this.traffic);
        this.isForOutlet = this.outlet?.wantsFigures === true;
        this.next = this.isForOutlet || subscriptions.dollarCount > 0 ? 0 : this.topicCount;
        this.deliverSome();
      }
    }
    if (!this.isSilent) // what is only counted can wait for another reason to wake up
      clock.request(this.dueAt);
  }

  /** @param interval milliseconds, 0 for never */
  setInterval(interval: number): void {
    this.interval = intervalFor(interval);
    this.averages.setInterval(this.interval);
  }

  /** The next slice of a round. */
  handleDeferred(): void {
    if (this.next < this.topicCount)
      this.deliverSome();
  }

  /** How many topics a subscription to the filter at `filterOffset` may be about: none, unless it begins with `$`. */
  countFor(filterOffset: number): number {
    return this.isSilent || this.arena.bytes[filterOffset] !== DOLLAR ? 0 : this.topicCount;
  }

  /**
   * The figure under a topic, as retained, if its name matches the filter of a node that has just subscribed; else
   * undefined.
   */
  match(topic: number, filterOffset: number, filterLength: number): MessageSpans | undefined {
    const { message } = this;
    this.nameTopic(topic);
    if (!matchesTopicFilter(this.arena, filterOffset, filterLength, message.topicNameOffset, message.topicNameLength))
      return undefined;
    if (topic === UPTIME)
      this.countTime();
    return this.compose(topic, 1);
  }

  /** The figures that somebody has subscribed to, as many as a slice has. */
  private deliverSome(): void {
    const { clock, figures: { delivery, subscriptions: { dollarRevision } }, isForOutlet, message, outlet } = this;
    const { readership } = this;
    if (this.revision !== dollarRevision)
      readership.fill(UNKNOWN);
    this.revision = dollarRevision;
    for (let left = SLICE; left > 0 && this.next < this.topicCount; --left) {
      const topic = this.next++;
      if (readership[topic] === UNREAD && !isForOutlet)
        continue;
      this.nameTopic(topic);
      left -= isForOutlet ? COST + outlet!.ruleCount : COST;
      if (readership[topic] === UNKNOWN)
        readership[topic] = delivery.hasReader(message) ? READ : UNREAD;
      if (readership[topic] === UNREAD && !isForOutlet)
        continue;
      const figure = this.compose(topic, 0);
      if (readership[topic] === READ)
        delivery.deliverFigure(figure);
      if (!isForOutlet)
        continue;
      figure.retain = 1;
      outlet!.sendFigure(figure);
    }
    if (this.next < this.topicCount)
      clock.soon();
  }

  /** @param now the time of the clock, which itself only knows when the last event was */
  secondsSinceStart(now: number): number {
    return Math.floor((this.milliseconds + (now - this.lastAt | 0)) / 1000);
  }

  private countTime(): void {
    const { now } = this.clock;
    this.milliseconds += now - this.lastAt | 0;
    this.lastAt = now;
    this.uptime = (this.milliseconds - this.milliseconds % 1000) / 1000;
  }

  /** Puts the name of a topic into the message at hand. */
  private nameTopic(topic: number): void {
    const { arena, message, nameCount } = this;
    const load = topic - nameCount;
    const name = load < 0 ? topic : nameCount + (load - load % WINDOW_COUNT) / WINDOW_COUNT;
    const offset = this.nameOffsets[name]!;
    const length = this.nameLengths[name]!;
    arena.bytes.copyWithin(this.prefixEnd, offset, offset + length);
    let end = this.prefixEnd + length;
    if (load >= 0) {
      end = writeDigits(arena.bytes, end, WINDOWS[load % WINDOW_COUNT]!, 1);
      arena.bytes.copyWithin(end, this.unitOffset, this.figureOffset);
      end += this.figureOffset - this.unitOffset;
    }
    message.topicNameLength = end - message.topicNameOffset;
  }

  /** The value of the topic that has been named. */
  private compose(topic: number, retain: number): MessageSpans {
    const { message } = this;
    message.retain = retain;
    if (topic === VERSION_TOPIC) {
      message.payloadOffset = this.versionOffset;
      message.payloadLength = this.versionLength;
      return message;
    }
    const { arena, figureOffset } = this;
    let end = figureOffset;
    if (topic === UPTIME) {
      end = writeDigits(arena.bytes, figureOffset, this.uptime, 1);
      arena.bytes.copyWithin(end, this.secondsOffset, this.unitOffset);
      end += this.unitOffset - this.secondsOffset;
    } else if (topic >= this.nameCount)
      end = writeDecimal(arena, figureOffset, this.averages.averages[topic - this.nameCount]!, 2);
    else
      end = writeDigits(arena.bytes, figureOffset, this.counts[topic - FIRST_FIGURE]!.of(this.figures, this.traffic),
        1);
    message.payloadOffset = figureOffset;
    message.payloadLength = end - figureOffset;
    return message;
  }
}
