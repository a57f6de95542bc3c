/**
 * Figures of the gateway as messages for nodes, under Mosquitto's names: `$SYS/broker/...`. Sent every
 * `listener.sys_interval` seconds to those who have subscribed, and at once, as retained messages, to whoever subscribes.
 * They are not kept among the retained messages, do not wait for a node that is away (QoS 0), and never go upstream.
 *
 * Of Mosquitto's topics only those are here whose figures mean something on a gateway; `load/...` and `bytes/...` are not.
 */
import type { Arena, ArenaPlan } from '../bytes/arena.ts';
import { encodeUTF8, lengthOfUTF8 } from '../bytes/utf8.ts';
import { MessageSpans, type Packet } from '../packet/packet.ts';
import { matchesTopicFilter } from '../packet/topic.ts';
import { isDue, type Clock } from '../session/clock.ts';
import type { Delivery } from './delivery.ts';
import type { Gateway } from './gateway.ts';
import type { NodeState } from './node-states.ts';

/** The same as in package.json; a test compares them. */
export const VERSION = '0.1.0';

const PREFIX = '$SYS/broker/';
const SPOKEN_VERSION = `ringbridge version ${VERSION}`;
const SECONDS = ' seconds';
const DOLLAR = 0x24;
const WORD_SYS = 0x5359532F; // "SYS/"

const VERSION_TOPIC = 0;
const UPTIME = 1;

/** The order of `figureOf`. */
const NAMES: readonly string[] = Object.freeze([
  'version', 'uptime', 'clients/connected', 'clients/disconnected', 'clients/total', 'clients/maximum', 'messages/received', 'messages/sent',
  'publish/messages/received', 'publish/messages/sent', 'publish/messages/dropped', 'subscriptions/count', 'retained messages/count',
  'store/messages/count', 'store/messages/bytes',
]);

const LONGEST_FIGURE = 16;

/** What only the gateway itself may publish. */
export function isSystemTopic(arena: Arena, offset: number, length: number): boolean {
  return arena.bytes[offset] === DOLLAR && length >= 5 && arena.view.getInt32(offset + 1) === WORD_SYS;
}

export class SystemTopics {
  /** Seconds since the start, counted at each round. */
  uptime = 0;
  private readonly arena: Arena;
  private readonly gateway: Gateway;
  private readonly clock: Clock;
  private readonly interval: number;
  private readonly message = new MessageSpans();
  private readonly nameOffsets: number[] = [];
  private readonly nameLengths: number[] = [];
  private readonly versionOffset: number;
  private readonly versionLength: number;
  private readonly secondsOffset: number;
  private readonly figureOffset: number;
  private lastAt: number;
  private dueAt: number;
  private milliseconds = 0;

  static plan(plan: ArenaPlan): number {
    const length = NAMES.reduce((sum, name) => sum + lengthOfUTF8(PREFIX + name), lengthOfUTF8(SPOKEN_VERSION + SECONDS));
    return plan.reserve('$SYS topics', length + LONGEST_FIGURE + SECONDS.length);
  }

  /** @param offset what `plan` returned @param interval milliseconds, 0 for never */
  constructor(gateway: Gateway, offset: number, interval: number) {
    const arena = this.arena = gateway.arena;
    this.gateway = gateway;
    this.clock = gateway.clock;
    this.interval = interval;
    NAMES.forEach(name => {
      const end = encodeUTF8(arena, offset, PREFIX + name);
      this.nameOffsets.push(offset);
      this.nameLengths.push(end - offset);
      offset = end;
    });
    this.versionOffset = offset;
    this.secondsOffset = encodeUTF8(arena, offset, SPOKEN_VERSION);
    this.versionLength = this.secondsOffset - offset;
    this.figureOffset = encodeUTF8(arena, this.secondsOffset, SECONDS);
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
      for (let topic = this.gateway.subscriptions.hasDollarFilter() ? 0 : NAMES.length; topic < NAMES.length; ++topic)
        this.gateway.delivery.deliverFigure(this.compose(topic, 0));
    }
    clock.request(this.dueAt);
  }

  /** Sends the figures that match a filter to the node that has just subscribed to it. */
  sendFigures(delivery: Delivery, node: NodeState, { topicFilterLength, topicFilterOffset }: Packet): void {
    if (this.interval === 0 || this.arena.bytes[topicFilterOffset] !== DOLLAR)
      return;
    this.countTime();
    for (let topic = 0; topic < NAMES.length; ++topic)
      if (matchesTopicFilter(this.arena, topicFilterOffset, topicFilterLength, this.nameOffsets[topic]!, this.nameLengths[topic]!))
        delivery.sendFigure(node, this.compose(topic, 1));
  }

  private countTime(): void {
    const { now } = this.clock;
    this.milliseconds += now - this.lastAt | 0;
    this.lastAt = now;
    this.uptime = (this.milliseconds - this.milliseconds % 1000) / 1000;
  }

  private compose(topic: number, retain: number): MessageSpans {
    const { message } = this;
    message.topicNameOffset = this.nameOffsets[topic]!;
    message.topicNameLength = this.nameLengths[topic]!;
    message.retain = retain;
    if (topic === VERSION_TOPIC) {
      message.payloadOffset = this.versionOffset;
      message.payloadLength = this.versionLength;
      return message;
    }
    let end = writeWhole(this.arena, this.figureOffset, topic === UPTIME ? this.uptime : figureOf(this.gateway, topic));
    if (topic === UPTIME) {
      this.arena.bytes.copyWithin(end, this.secondsOffset, this.figureOffset);
      end += this.figureOffset - this.secondsOffset;
    }
    message.payloadOffset = this.figureOffset;
    message.payloadLength = end - this.figureOffset;
    return message;
  }
}

/** In the order of NAMES. */
function figureOf(gateway: Gateway, topic: number): number {
  switch (topic) {
    case 2: return gateway.connectedCount;
    case 3: return gateway.nodes.knownCount - gateway.connectedCount;
    case 4: return gateway.nodes.knownCount;
    case 5: return gateway.maximumConnectedCount;
    case 6: return gateway.receivedCount + controlPackets(gateway, false);
    case 7: return gateway.delivery.sentCount + controlPackets(gateway, true);
    case 8: return gateway.receivedCount;
    case 9: return gateway.delivery.sentCount;
    case 10: return gateway.delivery.droppedCount;
    case 11: return gateway.subscriptions.count;
    case 12: return gateway.retained.count;
    case 13: return gateway.retained.count + queued(gateway, false);
    default: return gateway.retained.usedLength + queued(gateway, true);
  }
}

/** Packets other than PUBLISH. */
function controlPackets({ sessions }: Gateway, isSent: boolean): number {
  let sum = 0;
  for (let index = 0; index < sessions.length; ++index)
    sum += isSent ? sessions[index]!.sentPacketCount : sessions[index]!.receivedPacketCount;
  return sum;
}

/** What waits for nodes and for the Server, in messages or in bytes. */
function queued({ nodes: { states }, upstream }: Gateway, inBytes: boolean): number {
  const { outbound } = upstream.sessionState!;
  let sum = inBytes ? outbound.usedLength : outbound.count;
  for (let index = 0; index < states.length; ++index)
    sum += inBytes ? states[index]!.outbound.usedLength : states[index]!.outbound.count;
  return sum;
}

/** @param value whole, from 0 to 2^53 @returns the offset behind its digits */
function writeWhole(arena: Arena, offset: number, value: number): number {
  const { bytes } = arena;
  let end = offset + 1;
  for (let rest = value; rest >= 10; rest = (rest - rest % 10) / 10)
    ++end;
  for (let at = end - 1; at >= offset; --at) {
    bytes[at] = 0x30 + value % 10;
    value = (value - value % 10) / 10;
  }
  return end;
}
