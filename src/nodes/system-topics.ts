/**
 * Figures of the gateway as messages for nodes, under Mosquitto's names: `$SYS/broker/...`. Every
 * `listener.sys_interval` seconds those who have subscribed are sent what is not what it was; whoever subscribes gets
 * them at once, as retained messages. They are not kept among the retained messages and do not wait for a node that is
 * away (QoS 0). Upstream they go only where a topic rule asks for them by name (upstream/figure-forwarding.ts).
 *
 * Of Mosquitto's topics those are here whose figures mean something in a gateway, `bytes/...` only where the platform
 * counts bytes. What Mosquitto does not count has names of our own.
 *
 * The rounds also keep the time since the start, and how many messages were given up in the last minutes.
 */
import type { Arena } from '../bytes/arena.ts';
import type { Message, PlainSpans } from '../packet/packet.ts';
import { DOLLAR } from '../packet/topic.ts';
import { matchesTopicFilter } from '../packet/topic-filter.ts';
import { isDue, type Clock } from '../session/clock.ts';
import { NOBODY, UNKNOWN } from './delivery.ts';
import { LoadAverages, MINUTE, WINDOW_COUNT } from './load-averages.ts';
import { RecentCount } from './recent-count.ts';
import { type Figure, type Figures, FIGURES, LOADS, type Traffic } from './system-figures.ts';
import { FIRST_FIGURE, SystemMessages, UPTIME } from './system-messages.ts';

/** Milliseconds between rounds where nobody wants figures. */
const SILENT_INTERVAL = MINUTE;

const NO_TRAFFIC: Traffic = Object.freeze({ receivedBytes: 0, sentBytes: 0 });

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

/** A figure that has not been told since its readers are others; none is negative. */
const UNTOLD = -1;

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
  /** Of the figures, those from one on that are not there. */
  private readonly missingFrom: number;
  private readonly missingCount: number;
  private readonly loads: readonly Figure[];
  /** Messages for the Server, and for or from nodes, that were given up in the last minutes. */
  readonly recentlyGivenUp = new RecentCount();
  readonly recentlyUnreadable = new RecentCount();
  readonly recentlyDropped = new RecentCount();
  /** Messages of the Server that were too long. */
  readonly recentlyTooLong = new RecentCount();
  private readonly messages: SystemMessages;
  private readonly nameCount: number;
  /** With those of all windows of the loads. */
  private readonly topicCount: number;
  private readonly averages: LoadAverages;
  private lastAt: number;
  dueAt: number;
  private milliseconds = 0;
  /**
   * Per topic: who has subscribed to it, as of `revision` of the subscriptions; then per topic what they were told
   * last, in its lowest 31 bits.
   */
  private readonly readers: Int32Array;
  private revision = 0;
  /** The topic that comes next in the round that is under way; `topicCount` when none is. */
  private next: number;
  private isForOutlet = false;

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
    const figureCount = FIGURES.filter(isThere).length;
    this.missingCount = FIGURES.length - figureCount;
    this.missingFrom = FIGURES.findIndex(figure => !isThere(figure));
    if (this.missingCount === 0)
      this.missingFrom = FIGURES.length;
    this.loads = LOADS.filter(isThere);
    this.nameCount = FIRST_FIGURE + figureCount;
    this.topicCount = this.nameCount + this.loads.length * WINDOW_COUNT;
    this.messages = new SystemMessages(arena, offset, [...FIGURES, ...LOADS].filter(isThere).map(({ name }) => name),
      this.nameCount);
    this.averages = new LoadAverages(this.loads, this.interval);
    this.lastAt = this.dueAt = this.clock.now;
    this.next = this.topicCount;
    this.readers = new Int32Array(2 * this.topicCount);
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
      this.recentlyUnreadable.update(waiting.unreadableCount, this.uptime);
      this.recentlyDropped.update(delivery.droppedCount, this.uptime);
      this.recentlyTooLong.update(waiting.oversizeCount, this.uptime);
      if (!this.isSilent) {
        this.averages.update(this.figures, this.traffic);
        this.isForOutlet = this.outlet?.wantsFigures === true;
        this.next = this.isForOutlet || subscriptions.dollarCount > 0 ? 0 : this.topicCount;
        this.figures.queues.isOld = true;
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
  match(topic: number, filterOffset: number, filterLength: number): PlainSpans | undefined {
    const { messages, messages: { message } } = this;
    messages.name(topic);
    if (!matchesTopicFilter(this.arena, filterOffset, filterLength, message.topicNameOffset, message.topicNameLength))
      return undefined;
    if (topic === UPTIME)
      this.countTime();
    this.figures.queues.isOld = true;
    messages.compose(topic, this.valueOf(topic));
    message.retain = 1;
    return message;
  }

  /** The figures that somebody has subscribed to and that are not what they were, as many as a slice has. */
  private deliverSome(): void {
    const { clock, figures: { delivery, subscriptions: { dollarRevision } }, isForOutlet, messages, outlet } = this;
    const { readers, topicCount } = this;
    const { message } = messages;
    if (this.revision !== dollarRevision) {
      readers.fill(UNKNOWN, 0, topicCount);
      readers.fill(UNTOLD, topicCount);
    }
    this.revision = dollarRevision;
    for (let left = SLICE; left > 0 && this.next < topicCount; --left) {
      const topic = this.next++;
      if (readers[topic] === NOBODY && !isForOutlet)
        continue;
      const value = this.valueOf(topic);
      const isNew = readers[topicCount + topic] !== (value & 0x7FFFFFFF);
      if (!isNew && !isForOutlet)
        continue;
      left -= isForOutlet ? COST + outlet!.ruleCount : COST;
      messages.name(topic);
      if (readers[topic] === UNKNOWN)
        readers[topic] = delivery.findReaders(message);
      if (readers[topic] === NOBODY && !isForOutlet)
        continue;
      messages.compose(topic, value);
      if (isNew && readers[topic] !== NOBODY) {
        readers[topicCount + topic] = value & 0x7FFFFFFF;
        delivery.deliverFigure(message, readers[topic]!);
      }
      if (!isForOutlet)
        continue;
      message.retain = 1;
      outlet!.sendFigure(message);
    }
    if (this.next < topicCount)
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

  /** Of those that are there. */
  private figureAt(index: number): Figure {
    return FIGURES[index < this.missingFrom ? index : index + this.missingCount]!;
  }

  /** Of a load, in hundredths. */
  private valueOf(topic: number): number {
    if (topic < FIRST_FIGURE)
      return topic === UPTIME ? this.uptime : 0;
    return topic < this.nameCount ? this.figureAt(topic - FIRST_FIGURE).of(this.figures, this.traffic)
      : Math.floor(this.averages.averages[topic - this.nameCount]! * 100 + 0.5);
  }
}
