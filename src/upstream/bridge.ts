/**
 * The gateway's upstream side: subscribes what the rules of direction "in" ask for, sends what those of direction
 * "out" let through, and keeps it while the Server is away.
 *
 * QoS 0 goes straight out while the connection is up and nothing waits; everything else goes through the queue, in
 * order. What its rule wants to survive a power cut goes into the store first (upstream/backlog.ts). When there is no
 * room the rule says what is given up (upstream/full-policy.ts); each such message is counted.
 *
 * A message is promised when its sender gave it QoS 1 or 2, as sensors do, and its rule stores. Two things follow,
 * whatever the QoS of the rule: if it cannot go out at once it is kept, and then sent with QoS 1 at least, because
 * only an acknowledgement tells that it may be forgotten; and if there is no room for it, it is not acknowledged.
 * Others of QoS 0 pass what waited for the connection.
 */
import * as Event from '../config/events.ts';
import { type Delivery, NOBODY } from '../nodes/delivery.ts';
import type { MessageExpiry } from '../nodes/message-expiry.ts';
import { type Message, MessageSpans, type Packet } from '../packet/packet.ts';
import { selectProperties } from '../packet/property-selection.ts';
import { hasConnackFlags } from '../packet/protocol-version.ts';
import { SUCCESS } from '../packet/reason-code.ts';
import { SUBACK_FAILURE } from '../packet/subscribe.ts';
import type { ClientHandler, ClientSession } from '../session/client-session.ts';
import { NONE, NOT_STORED } from '../session/record-layout.ts';
import { REFUSED, TAKEN } from '../session/session-role.ts';
import { type Aging, SecondsOfPower } from './aging.ts';
import { type Backlog, DROPPED, FULL, NOT_WORKING, STORED } from './backlog.ts';
import type { Crowd } from './crowd.ts';
import type { EarlierSubscriptions } from './earlier-subscriptions.ts';
import type { StorePolicy } from './full-policy.ts';
import { Experiments } from './experiments.ts';
import type { Guard } from './guard.ts';
import * as Loss from './losses.ts';
import type { QuarantinedMessage } from './quarantined-message.ts';
import * as Reason from './quarantine-reasons.ts';
import { Rejections } from './rejections.ts';
import { RetainedTelling } from './retained-telling.ts';
import { Suspects } from './suspects.ts';
import { dropExpired, makeRoom } from './room-in-memory.ts';
import type { ObsoleteFilters } from './obsolete-filters.ts';
import { GUARDED, NO_RULE, type TopicMap, UNANSWERED, UNFIT, UNRESOLVED } from './topic-map.ts';

/** Told what becomes of the connection. */
export interface BridgeOwner {
  /** @returns whether this Server is another one than on the last connection, as far as its address tells */
  onUpstreamConnected(): boolean;
  onUpstreamClosed(reasonCode: number): void;
  /** The packet at hand is one with which the Server refuses or ends the connection. */
  onServerSays?(): void;
}

export interface BridgeSides {
  readonly owner: BridgeOwner;
  readonly observer: Event.GatewayObserver;
  readonly earlier: EarlierSubscriptions;
}

export class Bridge implements ClientHandler, Loss.LossObserver {
  readonly outbound: TopicMap;
  readonly inbound: TopicMap;
  session!: ClientSession;
  guard!: Guard;
  suspects!: Suspects;
  rejections!: Rejections;
  /** Of the configuration. */
  highestQoS = 2;
  private readonly experiments: Experiments;
  /** Whether nodes get no acknowledgement for what should be stored and cannot be. */
  refusesUnstored = false;
  /** Messages of the Server that no rule asks for. */
  unaskedCount = 0;
  private hasToldUnasked = false;
  /** Undefined: no rule lets what has come become too old while it waits for its node. */
  expiry: MessageExpiry | undefined = undefined;
  readonly telling: RetainedTelling;
  readonly earlier: EarlierSubscriptions;
  /** Whether there is to be a storage. */
  isDurable = false;
  /** The storage has failed since the last connection: messages may be lost. */
  storeWasAway = false;
  /** Undefined unless there is a storage. */
  backlog: Backlog | undefined = undefined;
  /** Makes nodes wait when there is little room for what is kept. */
  pressure!: Crowd;
  /** Bytes that may be kept before that has to be asked, and what each message takes beside topic and payload. */
  slack = 0;
  overhead = 0;
  receivedCount = 0;
  /** Messages of QoS 0 that went to the Server without waiting. */
  directCount = 0;
  /** Messages for the Server that were given up. */
  droppedCount = 0;
  /** Of them, those that a storage has lost. */
  unreadableCount = 0;
  /**
   * Messages of nodes that were not taken because the storage does not work, and those in memory that it should keep.
   */
  unstoredRefusals = 0;
  unstoredCount = 0;
  /** Bytes of properties that go with a message, and where those lie that are not all. */
  mostProperties = 0;
  propertiesOffset = 0;
  /** Messages that went to the other side without some of their properties. */
  curtailedCount = 0;
  /** Messages of the Server that were too long. */
  oversizeCount = 0;
  /** Messages of the Server whose name no node may have. */
  unfitCount = 0;
  private readonly outgoing = new MessageSpans();
  /** The message of the Server at hand, with its local name. */
  readonly incoming = new MessageSpans();
  private readonly owner: BridgeOwner;
  private readonly observer: Event.GatewayObserver;
  /** Who gets what arrives from upstream. */
  private readonly delivery: Delivery;
  /** That of `delivery`. */
  private readonly remoteAudience: Int32Array;
  /** For each rule of direction "out". */
  readonly policies: readonly StorePolicy[];
  /** Where no store counts the time. */
  private readonly secondsOfPower = new SecondsOfPower();
  /** The rule of direction "in" whose subscription is under way or next. */
  subscribing = 0;
  /** What is to be unsubscribed first; undefined unless the configuration has been read again. */
  obsolete: ObsoleteFilters | undefined = undefined;
  /** Per reason of losses.ts: what was told of already on this connection. */
  private toldLosses = 0;

  constructor(outbound: TopicMap, inbound: TopicMap, delivery: Delivery, policies: readonly StorePolicy[],
    sides: BridgeSides) {
    this.delivery = delivery;
    this.remoteAudience = delivery.remoteAudience;
    this.outbound = outbound;
    this.inbound = inbound;
    this.policies = policies;
    this.owner = sides.owner;
    this.earlier = sides.earlier;
    this.telling = new RetainedTelling(delivery.retained, outbound, policies, this);
    this.observer = sides.observer;
    this.experiments = new Experiments(this, sides.observer);
  }

  /** For what the Server closes connections is found out with this session. */
  watch(session: ClientSession, guard: Guard, highestQoS: number): void {
    this.session = session;
    this.guard = guard;
    this.highestQoS = highestQoS;
    this.limitQoS(highestQoS);
    this.suspects = new Suspects(session, this.experiments);
    this.rejections = new Rejections(session, this.experiments, this, this.observer);
  }

  /** The rule whose filter is asked for, -1: none. */
  get pendingFilter(): number {
    return this.session.isSubscribing && this.subscribing < this.inbound.rules.length ? this.subscribing : -1;
  }

  /** A message of the quarantine goes to the store again, by a rule of today. @returns whether there is one and room */
  readmit(message: QuarantinedMessage): boolean {
    const { outbound, outgoing } = this;
    const found = outbound.resolve(outbound.uncached, message);
    const rule = found <= GUARDED ? GUARDED - found : found;
    if (rule < 0)
      return false;
    const qos = this.policies[rule]!.qosOf(message.qos);
    outgoing.topicNameOffset = outbound.placesOffset + outbound.uncached * outbound.placeLength;
    outgoing.topicNameLength = outbound.uncachedLength;
    outgoing.payloadOffset = message.payloadOffset;
    outgoing.payloadLength = message.payloadLength;
    outgoing.retain = message.retain;
    outgoing.qos = qos === 0 ? 1 : qos;
    outgoing.propertiesLength = 0;
    return this.enqueue(message, rule, outbound.uncachedHash, message.origin) === STORED;
  }

  /** A message leaves the quarantine for the store. @returns false when it cannot: no rule, no room, no such number */
  putBack(number: number): boolean {
    return this.experiments.putBack(number);
  }

  /** Of what waits, here or in the log, nothing goes out that the Server is known today not to take. */
  setUnfitAside(): void {
    this.experiments.setUnfitAside();
  }

  judge(record: number): void {
    this.experiments.judge(record);
  }

  /** No message goes out or is asked for with more than this QoS. */
  limitQoS(most: number): void {
    this.outbound.limitQoS(most);
    this.inbound.limitQoS(most);
  }

  /** `index` gets another name. */
  forget(index: number): void {
    this.outbound.forget(index);
    this.inbound.forget(index);
  }

  /**
   * Sends a local message upstream if a rule says so.
   * @param index number of its name in the topic table
   * @param origin identity of the node that sends it again when it is not acknowledged; 0: nobody does
   * @returns REFUSED when it was promised and there is no room; else TAKEN, or CROWDED of back-pressure.ts
   */
  forward(message: Message, index: number, origin: number): number {
    const outbound = this.outbound;
    let rule = outbound.table[index]!;
    if (rule < 0) {
      if (rule === UNRESOLVED)
        rule = outbound.resolve(index, message);
      if (rule <= GUARDED)
        return this.forwardGuarded(message, index, GUARDED - rule, origin);
      if (rule === NO_RULE)
        return TAKEN;
    }
    const outgoing = this.outgoing;
    const topicRule = outbound.rules[rule]!;
    outgoing.topicNameOffset = outbound.placesOffset + index * outbound.placeLength;
    outgoing.topicNameLength = outbound.table[outbound.lengths + index]!;
    outgoing.payloadOffset = message.payloadOffset;
    outgoing.payloadLength = message.payloadLength;
    outgoing.retain = message.retain;
    if ((outgoing.propertiesLength = message.propertiesLength) !== 0)
      this.carry(message, outgoing);
    const { queue } = this.session.sessionState!;
    if ((message.qos === 0 || topicRule.qos === 0) && queue.count === 0 && queue.window!.waitingCount === 0
      && this.session.publish(outgoing)) {
      ++this.directCount;
      ++topicRule.forwarded;
      return TAKEN;
    }
    return this.keep(message, rule, outbound.table[outbound.hashes + index]!, origin);
  }

  /** The same for a message that has to be looked at. */
  private forwardGuarded(message: Message, index: number, rule: number, origin: number): number {
    const { guard, outbound, outgoing } = this;
    const policy = this.policies[rule]!;
    const { queue } = this.session.sessionState!;
    outgoing.topicNameOffset = outbound.placesOffset + index * outbound.placeLength;
    outgoing.topicNameLength = outbound.table[outbound.lengths + index]!;
    outgoing.payloadOffset = message.payloadOffset;
    outgoing.payloadLength = message.payloadLength;
    outgoing.retain = message.retain;
    if ((outgoing.propertiesLength = message.propertiesLength) !== 0)
      this.carry(message, outgoing);
    const { identity, qos } = policy.rule;
    const sender = origin === 0 ? guard.author : origin;
    let reason = guard.reasonFor(outgoing, policy.qosOf(message.qos), sender, identity);
    const slot = queue.window!.slotOf(outbound.table[outbound.hashes + index]!);
    const { probation } = guard;
    const waits = probation.isHolding && probation.holds(sender, rule, slot);
    if (waits && reason === Reason.FINE && !probation.mayCome(probation.find(sender, rule, slot),
      outgoing.topicNameLength + outgoing.payloadLength + this.overhead))
      reason = Reason.ON_PROBATION;
    guard.turnedBack = Reason.FINE;
    if (reason !== Reason.FINE) {
      if (message.qos !== 0 && policy.isStored && origin !== 0 && this.refusesUnstored
        && this.backlog?.store.isWorking !== true) {
        ++this.unstoredRefusals;
        ++policy.rule.refused;
        return REFUSED;
      }
      return guard.turnBack(message, rule, policy, origin,
        guard.describe(sender, identity, this.aging.now, reason));
    }
    if (!guard.isCautious && !waits && (message.qos === 0 || qos === 0) && queue.count === 0
      && queue.window!.waitingCount === 0 && this.session.publish(outgoing)) {
      ++this.directCount;
      ++policy.rule.forwarded;
      return TAKEN;
    }
    return this.keep(message, rule, outbound.table[outbound.hashes + index]!, origin);
  }

  /** Which properties of a message go with it to the other side: all, if there is room for them. */
  private carry(message: Message, other: MessageSpans): void {
    const { mostProperties, propertiesOffset, session: { role: { arena } } } = this;
    other.propertiesOffset = message.propertiesOffset;
    if (message.propertiesLength <= mostProperties)
      return;
    if (mostProperties === 0) { // the version has none
      other.propertiesLength = 0;
      return;
    }
    other.propertiesOffset = propertiesOffset;
    other.propertiesLength = selectProperties(arena, message, propertiesOffset, mostProperties) - propertiesOffset;
    ++this.curtailedCount;
  }

  /**
   * Queues or stores what `outgoing` says, unless it is of QoS 0 and passes what waits. @param hash of the local
   * topic
   */
  private keep(message: Message, rule: number, hash: number, origin: number): number {
    const { outgoing, session } = this;
    const policy = this.policies[rule]!;
    const isPromised = message.qos !== 0 && policy.keeps;
    const qos = outgoing.qos = policy.qosOf(message.qos);
    const window = session.sessionState!.queue.window!;
    if (qos === 0 && (this.guard.isCautious || this.mustWait(rule, hash, origin)))
      outgoing.qos = 1; // only an acknowledgement tells that it was not the one
    const isDirect = outgoing.qos === 0 && window.replayTotal > 0 && window.atMostOnceCount === 0
      && session.publish(outgoing);
    if (isDirect)
      ++this.directCount;
    const result = isDirect ? STORED : this.enqueue(message, rule, hash, origin);
    if (result === STORED) {
      ++policy.rule.forwarded;
      return (this.slack -= outgoing.payloadLength + outgoing.topicNameLength + this.overhead) >= 0 ? TAKEN
        : this.pressure.weigh(outgoing,
          outgoing.qos !== 0 && policy.isStored && this.backlog?.store.isWorking === true);
    }
    if (result !== DROPPED && isPromised && origin !== 0) {
      ++policy.rule.refused;
      return REFUSED;
    }
    ++policy.rule.dropped;
    this.countDrop(result === DROPPED ? Loss.TOO_LONG : Loss.NO_ROOM, rule);
    return TAKEN;
  }

  private mustWait(rule: number, hash: number, origin: number): boolean {
    const { guard: { author, probation }, session } = this;
    const { queue } = session.sessionState!;
    const sender = origin === 0 ? author : origin;
    const slot = queue.window!.slotOf(hash);
    return probation.isHolding && probation.holds(sender, rule, slot)
      || queue.window!.heldCount > 0 && queue.hasHeld(sender, slot, NONE);
  }

  /** Whether some of what was refused would be taken now: enough that it is worth while to ask for it. */
  get hasRoom(): boolean {
    const { backlog } = this;
    const { queue } = this.session.sessionState!;
    if (backlog !== undefined && backlog.store.isWorking)
      return backlog.hasRoom;
    return !this.refusesUnstored && queue.window!.waitingCount === 0 && queue.usedLength * 2 <= queue.capacity
      && queue.count * 2 <= queue.limits.maximumCount;
  }

  onConnected(_session: ClientSession, sessionPresent: boolean): void {
    const { rules } = this.inbound;
    for (let index = 0; index < rules.length; ++index)
      rules[index]!.granted = UNANSWERED;
    this.subscribing = this.slack = 0;
    this.obsolete?.begin();
    this.toldLosses = 0;
    dropExpired(this.session.sessionState!.queue, this.policies, this.aging, this);
    this.backlog?.commit();
    this.experiments.connected();
    this.experiments.setUnfitAside();
    this.observer.onEvent(Event.UPSTREAM_CONNECTED, Event.UPSTREAM, sessionPresent ? 1 : 0);
    this.rejections.connected();
    this.suspects.connected();
    this.delivery.isRetainTold = this.session.hasProperties;
    const isElsewhere = this.owner.onUpstreamConnected();
    if (!sessionPresent)
      this.session.closeGate();
    this.hasToldUnasked = false;
    this.earlier.begin(sessionPresent || !this.session.cleanStart && !hasConnackFlags(this.session.version),
      this.backlog?.store);
    const lacksStore = this.isDurable && this.backlog?.store.isWorking !== true;
    this.telling.begin(this.session, sessionPresent, isElsewhere || lacksStore || this.storeWasAway);
    this.storeWasAway = false;
    this.subscribeNext();
  }

  onMessage(_session: ClientSession, packet: Packet): number {
    ++this.receivedCount;
    if (this.remoteAudience[packet.topicIndex] === NOBODY && packet.retain === 0)
      return TAKEN; // acknowledged, even if nobody wants it [MQTT311-4.5.0-2]
    const inbound = this.inbound;
    const index = packet.topicIndex;
    let rule = inbound.table[index]!;
    if (rule === UNRESOLVED)
      rule = inbound.resolve(index, packet);
    if (packet.isOversize) {
      this.countOversize(rule, packet);
      return TAKEN;
    }
    if (rule < 0) {
      if (rule === UNFIT)
        this.countUnfit(packet);
      else
        this.countUnasked();
      return TAKEN;
    }
    const incoming = this.incoming;
    const topicRule = inbound.rules[rule]!;
    ++topicRule.forwarded;
    incoming.topicNameOffset = inbound.placesOffset + index * inbound.placeLength;
    incoming.topicNameLength = inbound.table[inbound.lengths + index]!;
    incoming.payloadOffset = packet.payloadOffset;
    incoming.payloadLength = packet.payloadLength;
    incoming.qos = packet.qos;
    incoming.retain = packet.retain;
    if ((incoming.propertiesLength = packet.propertiesLength) !== 0)
      this.carry(packet, incoming);
    const { expiry } = this;
    if (expiry === undefined || topicRule.configuration.expiry === 0)
      this.delivery.deliverFromUpstream(incoming, index);
    else {
      expiry.begin(topicRule.identity, topicRule.configuration.expiry);
      this.delivery.deliverFromUpstream(incoming, index);
      expiry.end();
    }
    return TAKEN;
  }

  private countOversize(rule: number, packet: Packet): void {
    ++this.oversizeCount;
    if (rule >= 0)
      ++this.inbound.rules[rule]!.dropped;
    this.observer.onEvent(Event.OVERSIZE_DROPPED, Event.UPSTREAM, packet.payloadLength);
  }

  /** A node that got it would close its connection, and get it again. */
  private countUnfit(packet: Packet): void {
    ++this.unfitCount;
    this.observer.onEvent(Event.UNFIT_TOPIC, Event.UPSTREAM, packet.topicNameLength);
  }

  /** What no rule asks for: of a subscription that an earlier configuration has made, for instance. */
  private countUnasked(): void {
    ++this.unaskedCount;
    if (this.hasToldUnasked)
      return;
    this.hasToldUnasked = true;
    this.observer.onEvent(Event.UNASKED, Event.UPSTREAM, 0);
  }

  onSubscribed(_session: ClientSession, code: number): void {
    if (this.obsolete?.takesAnswer() === true) {
      this.subscribeNext();
      return;
    }
    const rule = this.inbound.rules[this.subscribing];
    if (rule === undefined)
      this.earlier.answered(this.backlog?.store);
    else {
      rule.granted = code < SUBACK_FAILURE ? code : SUBACK_FAILURE;
      if (code >= SUBACK_FAILURE)
        this.observer.onEvent(Event.SUBSCRIPTION_REFUSED, this.subscribing, code);
      ++this.subscribing;
    }
    this.subscribeNext();
  }

  onOddAnswer(_session: ClientSession, answer: number): void {
    this.experiments.oddAnswer(answer);
  }

  onRefused(_session: ClientSession, record: number, reasonCode: number): void {
    this.rejections.refused(record, reasonCode);
  }

  onAnnouncementRefused({ announcements }: ClientSession): void {
    if (announcements.wasBirth)
      this.experiments.setBirthAside();
  }

  onPassedOver({ sessionState }: ClientSession, record: number, isExpired: boolean): void {
    this.onLost(sessionState!.queue.ruleOf(record), isExpired ? Loss.EXPIRED : Loss.UNFIT);
  }

  onClosed(_session: ClientSession, reasonCode: number): void {
    if (this.session.toldReason !== SUCCESS)
      this.owner.onServerSays?.();
    this.backlog?.closed();
    this.telling.closed(this.session.role.clock.now);
    this.suspects.closed(reasonCode);
    this.observer.onEvent(Event.UPSTREAM_CLOSED, Event.UPSTREAM, reasonCode);
    this.owner.onUpstreamClosed(reasonCode);
  }

  /** On a connection on which no answer is awaited. */
  subscribeNext(): void {
    if (!this.session.isConnected || this.session.isSubscribing || this.suspects.holdsFilters)
      return;
    if (this.obsolete?.unsubscribeNext() === true)
      return;
    const { rules } = this.inbound;
    while (this.subscribing < rules.length
      && (rules[this.subscribing]!.granted !== UNANSWERED || rules[this.subscribing]!.isSetAside))
      ++this.subscribing;
    const rule = rules[this.subscribing];
    if (rule !== undefined)
      this.session.subscribe(rule.filterOffset, rule.filterLength, rule.qos);
    else {
      this.session.openGate();
      this.earlier.askNext(this.session);
    }
  }

  /** A message that had been taken is given up. */
  onLost(rule: number, reason: number, count = 1): void {
    const policy = this.policies[rule];
    if (policy !== undefined) {
      policy.rule.dropped += count;
      if (reason === Loss.EXPIRED)
        policy.expired += count;
    }
    if (reason === Loss.UNREADABLE) {
      this.droppedCount += count;
      this.unreadableCount += count;
      this.observer.onEvent(Event.LOST_WITH_STORAGE, policy === undefined ? NO_RULE : rule, count);
    } else
      this.countDrop(reason, policy === undefined ? NO_RULE : rule);
  }

  /** The clock by which messages grow old. */
  get aging(): Aging {
    const { backlog, secondsOfPower, session } = this;
    if (backlog !== undefined) {
      backlog.store.advanceClock(session.role.clock.now);
      return backlog.store.clock;
    }
    secondsOfPower.advance(session.role.clock.now);
    return secondsOfPower;
  }

  /** @returns STORED, which may mean in memory; FULL when there is no room for it now; DROPPED when there never is */
  private enqueue(message: Message, rule: number, hash: number, origin: number): number {
    const { backlog, outgoing, session } = this;
    const policy = this.policies[rule]!;
    const { qos } = outgoing;
    const { queue } = session.sessionState!;
    const window = queue.window!;
    if (qos !== 0 && policy.isStored) {
      const result = backlog === undefined ? NOT_WORKING
        : backlog.add(message, outgoing, rule, hash, origin === 0 ? this.guard.author : origin);
      const isRefused = origin !== 0 && this.refusesUnstored;
      // One that comes again, or on which the failure is noticed, has a record: nobody knows whether that is durable.
      if (result !== NOT_WORKING && (result !== STORED || !isRefused || backlog!.store.isWorking))
        return result;
      if (isRefused) {
        ++this.unstoredRefusals;
        return FULL;
      }
      // Of its topic some may wait in a storage that takes no more: those come first.
      if (window.waitingCount > 0 && window.isOccupied(window.slotOf(hash)) && !backlog!.drain(message, rule))
        return FULL;
      ++this.unstoredCount;
    }
    if (backlog !== undefined)
      this.slack = 0; // it is about the log
    // Nobody can be made to wait for it: it leaves the last quarter to those that somebody waits for.
    if (qos === 0 && origin === 0 && session.isConnected && queue.usedLength * 4 > queue.capacity * 3)
      return FULL;
    const time = policy.expiry > 0 ? this.aging.now : 0;
    const slot = window.slotOf(hash);
    const waits = this.mustWait(rule, hash, origin);
    for (let left = queue.count; ; --left) {
      window.position = NOT_STORED; // each time: making room may have moved another message
      window.time = time;
      window.rule = rule;
      window.slot = slot;
      window.origin = origin === 0 ? this.guard.author : origin;
      if (waits ? queue.appendHeld(outgoing, qos) : session.enqueue(outgoing, qos))
        return STORED;
      if (!queue.canHold(outgoing, qos))
        return DROPPED;
      if (queue.closeHoles())
        continue;
      // What is in a store that works is not given up for what is not.
      if (left <= 0 || policy.refusesNew || backlog?.store.isWorking === true
        || !makeRoom(queue, outgoing, session.isConnected, policy.keepsLatest, this))
        return FULL;
    }
  }

  /** One line for each reason when it begins, not one per message. */
  private countDrop(reason: number, rule: number): void {
    ++this.droppedCount;
    const bit = 1 << reason;
    if ((this.toldLosses & bit) !== 0)
      return;
    this.toldLosses |= bit;
    if (reason === Loss.NO_ROOM)
      this.observer.onEvent(Event.STORE_FULL, Event.UPSTREAM, this.droppedCount);
    else
      this.observer.onEvent(Event.MESSAGE_LOST, rule, reason);
  }
}
