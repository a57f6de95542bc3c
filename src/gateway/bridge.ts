/**
 * The gateway's upstream side: subscribes what the rules of direction "in" ask for, sends what those of direction "out"
 * let through, and keeps it while the Server is away.
 *
 * QoS 0 goes straight out while the connection is up and nothing waits, and past what waited for the connection; everything
 * else goes through the queue, in order. What its rule wants to survive a power cut goes into the store first
 * (store-backlog.ts). When there is no room the rule says what is given up (store-policy.ts); each such message is counted.
 */
import { MessageSpans, type Message, type Packet } from '../packet/packet.ts';
import { SUBACK_FAILURE } from '../packet/subscribe.ts';
import type { ClientHandler, ClientSession } from '../session/client-session.ts';
import { OutboundQueue } from '../session/outbound-queue.ts';
import * as Event from './events.ts';
import { NOT_WORKING, STORED, type LossObserver, type StoreBacklog } from './store-backlog.ts';
import { dropExpired, makeRoom } from './store-memory.ts';
import type { StorePolicy } from './store-policy.ts';
import { NO_RULE, type TopicMap } from './topic-map.ts';

/** Whether a topic has subscribers here: not known, no, yes. */
export const UNKNOWN = 0;
export const NOBODY = 1;
export const SOMEBODY = 2;

/** Who gets what arrives from upstream. */
export interface BridgeOwner {
  /** A message with its local name; `index` is the number of its remote name. */
  onUpstreamMessage(message: Message, index: number): void;
  onUpstreamConnected(): void;
  onUpstreamClosed(reasonCode: number): void;
}

export class Bridge implements ClientHandler, LossObserver {
  readonly outbound: TopicMap;
  readonly inbound: TopicMap;
  session!: ClientSession;
  /** Undefined unless there is a storage. */
  backlog: StoreBacklog | undefined = undefined;
  /** Who sent the message at hand, if it must be recognised when it comes again (store-intake.ts); 0: nobody. */
  origin = 0;
  originIdentifier = 0;
  receivedCount = 0;
  sentCount = 0;
  droppedCount = 0;
  private readonly outgoing = new MessageSpans();
  private readonly incoming = new MessageSpans();
  private readonly owner: BridgeOwner;
  private readonly observer: Event.GatewayObserver;
  /** Per number of the topic table: whether anybody here would get a message of that remote name. */
  private readonly audience: readonly number[];
  /** For each rule of direction "out". */
  readonly policies: readonly StorePolicy[];
  /** Seconds since 1970, 0 where nobody knows. */
  private readonly date: () => number;
  /** The rule of direction "in" whose subscription is under way or next. */
  private subscribing = 0;
  private isFull = false;

  constructor(outbound: TopicMap, inbound: TopicMap, audience: readonly number[], policies: readonly StorePolicy[], date: () => number, owner: BridgeOwner, observer: Event.GatewayObserver) {
    this.audience = audience;
    this.outbound = outbound;
    this.inbound = inbound;
    this.policies = policies;
    this.date = date;
    this.owner = owner;
    this.observer = observer;
  }

  /** The topic table gives `index` another name. */
  forget(index: number): void {
    this.outbound.forget(index);
    this.inbound.forget(index);
  }

  /**
   * Sends a local message upstream if a rule says so.
   * @param index number of its name in the topic table
   */
  forward(message: Message, index: number): void {
    const rule = this.outbound.find(index, message.topicNameOffset, message.topicNameLength);
    if (rule === NO_RULE)
      return;
    const outbound = this.outbound;
    const outgoing = this.outgoing;
    const session = this.session;
    const topicRule = outbound.rules[rule]!;
    outgoing.topicNameOffset = outbound.mappedOffset;
    outgoing.topicNameLength = outbound.mappedLength;
    outgoing.payloadOffset = message.payloadOffset;
    outgoing.payloadLength = message.payloadLength;
    outgoing.retain = message.retain;
    const qos = message.qos < topicRule.qos ? message.qos : topicRule.qos;
    const queue = session.sessionState!.outbound;
    if (qos === 0 && (queue.count === 0 || session.replayCount > 0 && queue.atMostOnceCount === 0) && session.publish(outgoing)
      || this.enqueue(outgoing, qos, queue, rule)) {
      ++this.sentCount;
      ++topicRule.forwarded;
    } else
      ++topicRule.dropped;
  }

  onConnected(_session: ClientSession, sessionPresent: boolean): void {
    this.subscribing = 0;
    dropExpired(this.session.sessionState!.outbound, this.policies, this.date(), this);
    this.backlog?.commit(); // before anything is sent again
    this.observer.onEvent(Event.UPSTREAM_CONNECTED, Event.UPSTREAM, sessionPresent ? 1 : 0);
    this.owner.onUpstreamConnected();
    this.subscribeNext();
  }

  onMessage(_session: ClientSession, packet: Packet): boolean {
    ++this.receivedCount;
    if (this.audience[packet.topicIndex] === NOBODY && packet.retain === 0)
      return true; // acknowledged, even if nobody wants it [MQTT311-4.5.0-2]
    if (packet.isOversize) {
      ++this.droppedCount;
      this.observer.onEvent(Event.OVERSIZE_DROPPED, Event.UPSTREAM, packet.payloadLength);
      return true;
    }
    const index = packet.topicIndex;
    const inbound = this.inbound;
    const incoming = this.incoming;
    const rule = inbound.find(index, packet.topicNameOffset, packet.topicNameLength);
    if (rule === NO_RULE)
      return true;
    ++inbound.rules[rule]!.forwarded;
    incoming.topicNameOffset = inbound.mappedOffset;
    incoming.topicNameLength = inbound.mappedLength;
    incoming.payloadOffset = packet.payloadOffset;
    incoming.payloadLength = packet.payloadLength;
    incoming.qos = packet.qos;
    incoming.retain = packet.retain;
    this.owner.onUpstreamMessage(incoming, index);
    return true;
  }

  onSubscribed(_session: ClientSession, code: number): void {
    if (code === SUBACK_FAILURE)
      this.observer.onEvent(Event.SUBSCRIPTION_REFUSED, this.subscribing, code);
    ++this.subscribing;
    this.subscribeNext();
  }

  onClosed(_session: ClientSession, reasonCode: number): void {
    this.backlog?.closed();
    this.observer.onEvent(Event.UPSTREAM_CLOSED, Event.UPSTREAM, reasonCode);
    this.owner.onUpstreamClosed(reasonCode);
  }

  private subscribeNext(): void {
    const rule = this.inbound.rules[this.subscribing];
    if (rule !== undefined)
      this.session.subscribe(rule.filterOffset, rule.filterLength, rule.qos);
  }

  /** A message that had been taken is given up. */
  onLost(rule: number, isExpired: boolean): void {
    const policy = this.policies[rule];
    if (policy !== undefined) {
      ++policy.rule.dropped;
      if (isExpired)
        ++policy.expired;
    }
    this.countDrop(isExpired);
  }

  private enqueue(message: Message, qos: number, queue: OutboundQueue, rule: number): boolean {
    const { backlog, session } = this;
    const policy = this.policies[rule]!;
    if (qos !== 0 && backlog !== undefined && policy.isStored) {
      const result = backlog.add(message, qos, rule, this.origin, this.originIdentifier);
      if (result === STORED)
        return true;
      if (result !== NOT_WORKING) {
        this.countDrop(false);
        return false;
      }
    }
    queue.rule = rule;
    if (policy.expiry > 0)
      queue.time = this.date();
    if (queue.canHold(message, qos)) {
      if (session.enqueue(message, qos)) {
        this.isFull = false;
        return true;
      }
      // What is in the store is not given up for what is not.
      for (let most = queue.count; most > 0 && backlog === undefined && policy.full !== 'drop_newest'; --most) {
        if (!makeRoom(queue, message, session.isConnected, policy.full === 'latest_per_topic', this))
          break;
        queue.rule = rule;
        if (session.enqueue(message, qos))
          return true;
      }
    }
    this.countDrop(false);
    return false;
  }

  /** One line when it begins, not one per message. */
  private countDrop(isExpired: boolean): void {
    ++this.droppedCount;
    if (this.isFull || isExpired)
      return;
    this.isFull = true;
    this.observer.onEvent(Event.STORE_FULL, Event.UPSTREAM, this.droppedCount);
  }
}
