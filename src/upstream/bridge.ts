/**
 * The gateway's upstream side: subscribes what the rules of direction "in" ask for, sends what those of direction "out"
 * let through, and keeps it while the Server is away.
 *
 * QoS 0 goes straight out while the connection is up and nothing waits; everything else goes through the queue, in order.
 * What its rule wants to survive a power cut goes into the store first (upstream/backlog.ts). When there is no room the rule
 * says what is given up (upstream/full-policy.ts); each such message is counted.
 *
 * A message is promised when its sender gave it QoS 1 or 2, as sensors do, and its rule stores. Two things follow, whatever
 * the QoS of the rule: if it cannot go out at once it is kept, and then sent with QoS 1 at least, because only an
 * acknowledgement tells that it may be forgotten; and if there is no room for it, it is not acknowledged. Others of QoS 0
 * pass what waited for the connection.
 */
import { MessageSpans, type Message, type Packet } from '../packet/packet.ts';
import { SUBACK_FAILURE } from '../packet/subscribe.ts';
import type { ClientHandler, ClientSession } from '../session/client-session.ts';
import { OutboundQueue } from '../session/outbound-queue.ts';
import { type Delivery, NOBODY } from '../nodes/delivery.ts';
import * as Event from '../config/events.ts';
import { DROPPED, NOT_WORKING, REFUSED, STORED, type LossObserver, type StoreBacklog } from './backlog.ts';
import { dropExpired, makeRoom } from './room-in-memory.ts';
import type { StorePolicy } from './full-policy.ts';
import { NO_RULE, type TopicMap, UNANSWERED, UNRESOLVED } from './topic-map.ts';

/** Told what becomes of the connection. */
export interface BridgeOwner {
  onUpstreamConnected(): void;
  onUpstreamClosed(reasonCode: number): void;
}

export class Bridge implements ClientHandler, LossObserver {
  readonly outbound: TopicMap;
  readonly inbound: TopicMap;
  session!: ClientSession;
  /** Undefined unless there is a storage. */
  backlog: StoreBacklog | undefined = undefined;
  /** Who sent the message at hand, if it must be recognised when it comes again (upstream/intake.ts); 0: nobody. */
  origin = 0;
  originIdentifier = 0;
  receivedCount = 0;
  /** Messages for the Server that were given up. */
  droppedCount = 0;
  /** Messages of the Server that were too long. */
  oversizeCount = 0;
  private readonly outgoing = new MessageSpans();
  private readonly incoming = new MessageSpans();
  private readonly owner: BridgeOwner;
  private readonly observer: Event.GatewayObserver;
  /** Who gets what arrives from upstream. */
  private readonly delivery: Delivery;
  /** That of `delivery`. */
  private readonly remoteAudience: Int32Array;
  /** For each rule of direction "out". */
  readonly policies: readonly StorePolicy[];
  /** Seconds since 1970, 0 where nobody knows. */
  private readonly date: () => number;
  /** The rule of direction "in" whose subscription is under way or next. */
  private subscribing = 0;
  private isFull = false;

  constructor(outbound: TopicMap, inbound: TopicMap, delivery: Delivery, policies: readonly StorePolicy[], date: () => number, owner: BridgeOwner, observer: Event.GatewayObserver) {
    this.delivery = delivery;
    this.remoteAudience = delivery.remoteAudience;
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
   * @param comesAgain whether its sender sends it again when it is not acknowledged
   * @returns false when it must not be acknowledged, because it was promised and there is no room
   */
  forward(message: Message, index: number, comesAgain: boolean): boolean {
    const outbound = this.outbound;
    let rule = outbound.ruleOf[index]!;
    if (rule < 0) {
      if (rule === UNRESOLVED)
        rule = outbound.resolve(index, message);
      if (rule === NO_RULE)
        return true;
    }
    const outgoing = this.outgoing;
    const topicRule = outbound.rules[rule]!;
    outgoing.topicNameOffset = outbound.placesOffset + index * outbound.placeLength;
    outgoing.topicNameLength = outbound.lengthOf[index]!;
    outgoing.payloadOffset = message.payloadOffset;
    outgoing.payloadLength = message.payloadLength;
    outgoing.retain = message.retain;
    if ((message.qos === 0 || topicRule.qos === 0) && this.session.sessionState!.count === 0 && this.session.publish(outgoing)) {
      ++topicRule.forwarded;
      return true;
    }
    return this.keep(message.qos, rule, comesAgain);
  }

  /** Queues or stores what `outgoing` says, unless it is of QoS 0 and passes what waits. Parameters and result as for `forward` */
  private keep(messageQoS: number, rule: number, comesAgain: boolean): boolean {
    const { session } = this;
    const policy = this.policies[rule]!;
    const queue = session.sessionState!;
    const isPromised = messageQoS !== 0 && policy.keeps;
    let qos = messageQoS < policy.rule.qos ? messageQoS : policy.rule.qos;
    if (isPromised && qos === 0)
      qos = 1;
    const result = qos === 0 && session.replayCount > 0 && queue.atMostOnceCount === 0 && session.publish(this.outgoing)
      ? STORED : this.enqueue(qos, queue, rule, policy);
    if (result === STORED)
      ++policy.rule.forwarded;
    else if (result === REFUSED && isPromised && comesAgain) {
      ++policy.rule.refused;
      return false;
    } else {
      ++policy.rule.dropped;
      this.countDrop(false);
    }
    return true;
  }

  /** Whether some of what was refused would be taken now: enough that it is worth while to ask for it. */
  get hasRoom(): boolean {
    const { backlog } = this;
    const queue = this.session.sessionState!;
    return backlog !== undefined && backlog.store.isWorking ? backlog.store.canAdvance
      : queue.kind.waitingCount === 0 && queue.usedLength * 2 <= queue.capacity && queue.count * 2 <= queue.kind.maximumCount;
  }

  onConnected(_session: ClientSession, sessionPresent: boolean): void {
    const { rules } = this.inbound;
    for (let index = 0; index < rules.length; ++index)
      rules[index]!.granted = UNANSWERED;
    this.subscribing = 0;
    this.isFull = false;
    dropExpired(this.session.sessionState!, this.policies, this.date(), this);
    this.backlog?.commit(); // before anything is sent again
    this.observer.onEvent(Event.UPSTREAM_CONNECTED, Event.UPSTREAM, sessionPresent ? 1 : 0);
    this.owner.onUpstreamConnected();
    this.subscribeNext();
  }

  onMessage(_session: ClientSession, packet: Packet): boolean {
    ++this.receivedCount;
    if (this.remoteAudience[packet.topicIndex] === NOBODY && packet.retain === 0)
      return true; // acknowledged, even if nobody wants it [MQTT311-4.5.0-2]
    const inbound = this.inbound;
    const index = packet.topicIndex;
    let rule = inbound.ruleOf[index]!;
    if (rule === UNRESOLVED)
      rule = inbound.resolve(index, packet);
    if (packet.isOversize) {
      this.countOversize(rule, packet);
      return true;
    }
    if (rule === NO_RULE)
      return true;
    const incoming = this.incoming;
    ++inbound.rules[rule]!.forwarded;
    incoming.topicNameOffset = inbound.placesOffset + index * inbound.placeLength;
    incoming.topicNameLength = inbound.lengthOf[index]!;
    incoming.payloadOffset = packet.payloadOffset;
    incoming.payloadLength = packet.payloadLength;
    incoming.qos = packet.qos;
    incoming.retain = packet.retain;
    this.delivery.deliverFromUpstream(incoming, index);
    return true;
  }

  private countOversize(rule: number, packet: Packet): void {
    ++this.oversizeCount;
    if (rule !== NO_RULE)
      ++this.inbound.rules[rule]!.dropped;
    this.observer.onEvent(Event.OVERSIZE_DROPPED, Event.UPSTREAM, packet.payloadLength);
  }

  onSubscribed(_session: ClientSession, code: number): void {
    const rule = this.inbound.rules[this.subscribing];
    if (rule !== undefined)
      rule.granted = code;
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

  /** @returns STORED, which may mean in memory; REFUSED when there is no room for it now; DROPPED when there never is */
  private enqueue(qos: number, queue: OutboundQueue, rule: number, policy: StorePolicy): number {
    const { backlog, outgoing, session } = this;
    if (qos !== 0 && backlog !== undefined && policy.isStored) {
      const result = backlog.add(outgoing, qos, rule, this.origin, this.originIdentifier);
      if (result !== NOT_WORKING)
        return result;
      if (queue.kind.waitingCount > 0) // in a storage that takes no more: those come first
        return REFUSED;
    }
    // A flood of messages that nobody answers for leaves the last quarter to those that somebody waits for.
    if (qos === 0 && session.isConnected && queue.usedLength * 4 > queue.capacity * 3)
      return REFUSED;
    const time = policy.expiry > 0 ? this.date() : 0;
    queue.kind.rule = rule;
    queue.kind.time = time;
    if (session.enqueue(outgoing, qos)) {
      this.isFull = false;
      return STORED;
    }
    if (!queue.canHold(outgoing, qos))
      return DROPPED;
    // What is in a store that works is not given up for what is not.
    for (let most = queue.count; most > 0 && backlog?.store.isWorking !== true && !policy.refusesNew; --most) {
      if (!makeRoom(queue, outgoing, session.isConnected, policy.keepsLatest, this))
        break;
      queue.kind.rule = rule; // it may have moved another one
      queue.kind.time = time;
      if (session.enqueue(outgoing, qos))
        return STORED;
    }
    return REFUSED;
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
