/**
 * Figures of the gateway as messages for nodes, under Mosquitto's names: `$SYS/broker/...`. Sent every
 * `listener.sys_interval` seconds to those who have subscribed, and at once, as retained messages, to whoever subscribes.
 * They are not kept among the retained messages, do not wait for a node that is away (QoS 0), and never go upstream.
 *
 * Of Mosquitto's topics those are here whose figures mean something on a figures, `bytes/...` only where the platform
 * counts bytes. What Mosquitto does not count has names of our own: clients/refused, clients/malformed, messages/denied and
 * messages/held.
 */
import type { Arena, ArenaPlan } from '../bytes/arena.ts';
import { writeDecimal, writeDigits } from '../bytes/decimal.ts';
import { encodeUTF8, lengthOfUTF8 } from '../bytes/utf8.ts';
import { MessageSpans, type Packet } from '../packet/packet.ts';
import { DOLLAR } from '../packet/topic.ts';
import { matchesTopicFilter } from '../packet/topic-filter.ts';
import { isDue, type Clock } from '../session/clock.ts';
import type { OutboundQueue } from '../session/outbound-queue.ts';
import type { ServerRole } from '../session/server-role.ts';
import type { Delivery } from './delivery.ts';
import type { EndingCounts } from './disconnect-reasons.ts';
import type { NodeState, NodeStates } from './node-states.ts';
import type { RetainedMessages } from './retained.ts';
import type { Subscriptions } from './subscriptions.ts';

/** The same as in package.json; a test compares them. */
export const VERSION = '0.1.0';

const PREFIX = '$SYS/broker/';
const SPOKEN_VERSION = `ringbridge version ${VERSION}`;
const SECONDS = ' seconds';

const VERSION_TOPIC = 0;
const UPTIME = 1;

/** The order of `figureOf`. */
const NAMES: readonly string[] = Object.freeze([
  'version', 'uptime', 'clients/connected', 'clients/disconnected', 'clients/total', 'clients/maximum', 'messages/received', 'messages/sent',
  'publish/messages/received', 'publish/messages/sent', 'publish/messages/dropped', 'subscriptions/count', 'retained messages/count',
  'store/messages/count', 'store/messages/bytes', 'messages/inflight', 'clients/expired', 'clients/refused', 'clients/malformed', 'messages/denied',
  'messages/held', 'bytes/received', 'bytes/sent',
]);
const BYTES_RECEIVED = 21;

/** Counts whose growth per minute is told, as a moving average; and the number of each in NAMES. */
const LOADS: readonly string[] = Object.freeze([
  'load/messages/received/', 'load/messages/sent/', 'load/publish/received/', 'load/publish/sent/', 'load/publish/dropped/', 'load/sockets/',
  'load/bytes/received/', 'load/bytes/sent/',
]);
/** Network connections of nodes; not a figure of its own. */
const SOCKETS = -1;
/** Of `sumOfQueues`. */
const COUNT = 0;
const LENGTH = 1;
const INFLIGHT = 2;
const LOAD_SOURCES: readonly number[] = Object.freeze([6, 7, 8, 9, 10, SOCKETS, BYTES_RECEIVED, BYTES_RECEIVED + 1]);
/** Minutes over which is averaged. */
const WINDOWS: readonly number[] = Object.freeze([1, 5, 15]);
const WINDOW_COUNT = 3;
const UNIT = 'min';
const MINUTE = 60_000;

const LONGEST_FIGURE = 16;
const LONGEST_WINDOW = 5;

/** Bytes that have come and gone over all network connections. */
export interface Traffic {
  readonly receivedBytes: number;
  readonly sentBytes: number;
}

/** Where the figures come from. */
export interface Figures {
  readonly arena: Arena;
  readonly clock: Clock;
  readonly delivery: Delivery;
  readonly endings: EndingCounts;
  readonly nodes: NodeStates;
  readonly retained: RetainedMessages;
  readonly serverRole: ServerRole;
  readonly subscriptions: Subscriptions;
  /** What waits for the Server. */
  readonly upstreamQueue: OutboundQueue;
  readonly connectedCount: number;
  readonly maximumConnectedCount: number;
  readonly receivedCount: number;
  readonly deniedCount: number;
  readonly heldCount: number;
  readonly evictedCount: number;
}

export class SystemTopics {
  /** Seconds since the start, counted at each round. */
  uptime = 0;
  private readonly arena: Arena;
  private readonly figures: Figures;
  private readonly traffic: Traffic | undefined;
  private readonly clock: Clock;
  private readonly interval: number;
  private readonly message = new MessageSpans();
  private readonly nameOffsets: number[] = [];
  private readonly nameLengths: number[] = [];
  private readonly versionOffset: number;
  private readonly versionLength: number;
  private readonly secondsOffset: number;
  private readonly unitOffset: number;
  private readonly figureOffset: number;
  /** Names are put together behind the prefix; see `message`. */
  private readonly prefixEnd: number;
  private readonly nameCount: number;
  /** Names and loads. */
  private readonly topicCount: number;
  private readonly decays: readonly number[];
  private readonly averages: number[];
  private readonly lastCounts: number[];
  private lastAt: number;
  private dueAt: number;
  private milliseconds = 0;

  static plan(plan: ArenaPlan): number {
    const lengths = NAMES.concat(LOADS).map(lengthOfUTF8);
    const length = lengths.reduce((sum, each) => sum + each, lengthOfUTF8(PREFIX + SPOKEN_VERSION + SECONDS + UNIT));
    const longest = lengths.reduce((most, each) => Math.max(most, each), 0);
    return plan.reserve('$SYS topics', length + longest + LONGEST_WINDOW + LONGEST_FIGURE + SECONDS.length);
  }

  /** @param offset what `plan` returned @param interval milliseconds, 0 for never @param traffic undefined: nobody counts bytes */
  constructor(figures: Figures, offset: number, interval: number, traffic: Traffic | undefined) {
    this.traffic = traffic;
    const arena = this.arena = figures.arena;
    this.figures = figures;
    this.clock = figures.clock;
    this.interval = interval;
    const rest = traffic === undefined ? 2 : 0;
    this.nameCount = NAMES.length - rest;
    this.topicCount = this.nameCount + (LOADS.length - rest) * WINDOW_COUNT;
    NAMES.slice(0, this.nameCount).concat(LOADS.slice(0, LOADS.length - rest)).forEach(name => {
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
    this.message.topicNameOffset = this.figureOffset + LONGEST_FIGURE + SECONDS.length;
    this.prefixEnd = encodeUTF8(arena, this.message.topicNameOffset, PREFIX);
    this.decays = WINDOWS.map(minutes => Math.exp(-interval / (minutes * MINUTE)));
    this.averages = new Array<number>(LOADS.length * WINDOW_COUNT).fill(0);
    this.lastCounts = new Array<number>(LOADS.length).fill(0);
    this.lastAt = this.dueAt = this.clock.now;
  }

  /** From now on time counts. */
  start(): void {
    if (this.interval === 0)
      return;
    this.lastAt = this.clock.now;
    this.dueAt = this.lastAt + this.interval | 0;
    this.clock.request(this.dueAt);
  }

  handleTimeout(): void {
    const { clock } = this;
    if (this.interval === 0)
      return;
    if (isDue(this.dueAt, clock.now)) {
      this.dueAt = clock.now + this.interval | 0;
      this.countTime();
      this.averageLoads();
      for (let topic = this.figures.subscriptions.hasDollarFilter() ? 0 : this.topicCount; topic < this.topicCount; ++topic) {
        this.nameTopic(topic);
        this.figures.delivery.deliverFigure(this.compose(topic, 0));
      }
    }
    clock.request(this.dueAt);
  }

  /** Sends the figures that match a filter to the node that has just subscribed to it. */
  sendFigures(delivery: Delivery, node: NodeState, packet: Packet): void {
    const { topicFilterLength, topicFilterOffset } = packet;
    if (this.interval === 0 || this.arena.bytes[topicFilterOffset] !== DOLLAR)
      return;
    this.countTime();
    const { message } = this;
    for (let topic = 0; topic < this.topicCount; ++topic) {
      this.nameTopic(topic);
      if (matchesTopicFilter(this.arena, topicFilterOffset, topicFilterLength, message.topicNameOffset, message.topicNameLength))
        delivery.sendFigure(node, this.compose(topic, 1));
    }
  }

  private countTime(): void {
    const { now } = this.clock;
    this.milliseconds += now - this.lastAt | 0;
    this.lastAt = now;
    this.uptime = (this.milliseconds - this.milliseconds % 1000) / 1000;
  }

  /** As Mosquitto does: what was counted since the last round, as a rate per minute, enters an average that forgets exponentially. */
  private averageLoads(): void {
    const { averages, decays, figures, lastCounts } = this;
    const count = (this.topicCount - this.nameCount) / WINDOW_COUNT;
    let at = 0;
    for (let load = 0; load < count; ++load) {
      const source = LOAD_SOURCES[load]!;
      const total = source === SOCKETS ? figures.serverRole.connectionCount : figureOf(figures, this.traffic, source);
      const rate = (total - lastCounts[load]!) * MINUTE / this.interval;
      lastCounts[load] = total;
      for (let window = 0; window < WINDOW_COUNT; ++window, ++at)
        averages[at] = rate + (averages[at]! - rate) * decays[window]!;
    }
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
    let end = topic >= this.nameCount ? writeDecimal(this.arena, this.figureOffset, this.averages[topic - this.nameCount]!, 2)
      : writeDigits(this.arena.bytes, this.figureOffset, topic === UPTIME ? this.uptime : figureOf(this.figures, this.traffic, topic), 1);
    if (topic === UPTIME) {
      this.arena.bytes.copyWithin(end, this.secondsOffset, this.unitOffset);
      end += this.unitOffset - this.secondsOffset;
    }
    message.payloadOffset = this.figureOffset;
    message.payloadLength = end - this.figureOffset;
    return message;
  }
}

/** In the order of NAMES. */
function figureOf(figures: Figures, traffic: Traffic | undefined, topic: number): number {
  switch (topic) {
    case 2: return figures.connectedCount;
    case 3: return figures.nodes.knownCount - figures.connectedCount;
    case 4: return figures.nodes.knownCount;
    case 5: return figures.maximumConnectedCount;
    case 6: return figures.receivedCount + figures.serverRole.receivedPacketCount;
    case 7: return figures.delivery.sentCount + figures.serverRole.sentPacketCount;
    case 8: return figures.receivedCount;
    case 9: return figures.delivery.sentCount;
    case 10: return figures.delivery.droppedCount;
    case 11: return figures.subscriptions.count;
    case 12: return figures.retained.count;
    case 13: return figures.retained.count + sumOfQueues(figures, COUNT);
    case 14: return figures.retained.usedLength + sumOfQueues(figures, LENGTH);
    case 15: return sumOfQueues(figures, INFLIGHT);
    case 16: return figures.evictedCount;
    case 17: return figures.endings.refusedCount + figures.endings.turnedAwayCount;
    case 18: return figures.endings.brokenRuleCount;
    case 19: return figures.deniedCount;
    case 20: return figures.heldCount;
    case BYTES_RECEIVED: return traffic!.receivedBytes;
    default: return traffic!.sentBytes;
  }
}

/** What waits for nodes and for the Server: messages, bytes, or messages that have been sent and are not acknowledged. */
function sumOfQueues(figures: Figures, what: number): number {
  const { states } = figures.nodes;
  let sum = measure(figures.upstreamQueue, what);
  for (let index = 0; index < states.length; ++index)
    sum += measure(states[index]!.queue, what);
  return sum;
}

const measure = (queue: OutboundQueue, what: number): number =>
  what === COUNT ? queue.count : what === LENGTH ? queue.usedLength : queue.inflightCount;
