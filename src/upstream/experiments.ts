/** Does what is decided about suspects (suspects.ts): sets messages and filters aside, puts back, lowers the QoS. */
import * as Event from '../config/events.ts';
import { PUBACK } from '../packet/control-packet.ts';
import { MessageSpans } from '../packet/packet.ts';
import { readKept } from '../session/message-forms.ts';
import { DONE, NONE, RELEASED } from '../session/record-layout.ts';
import type { ClientSession } from '../session/client-session.ts';
import type { Aging } from './aging.ts';
import type { Backlog } from './backlog.ts';
import type { Guard } from './guard.ts';
import { makeWay } from './log-clearance.ts';
import * as Loss from './losses.ts';
import type { QuarantinedMessage } from './quarantined-message.ts';
import { FINE } from './quarantine-reasons.ts';
import type { TopicMap } from './topic-map.ts';
import type { Court } from './court.ts';
import type { Probation } from './probation.ts';

/** What a Server does otherwise than MQTT says: details of BROKER_DEVIATES. The others are packet types. */
const SESSION_LIES = 16;
export const SILENT_ON_QOS_2 = 17;
export const CLOSES_ON_QOS_2 = 18;
export const WILL_SET_ASIDE = 19;
export const BIRTH_SET_ASIDE = 20;

/** The part of the bridge that is needed for it. */
export interface Subject {
  readonly session: ClientSession;
  readonly guard: Guard;
  readonly backlog: Backlog | undefined;
  readonly aging: Aging;
  readonly outbound: TopicMap;
  readonly inbound: TopicMap;
  readonly pendingFilter: number;
  readonly highestQoS: number;
  limitQoS(most: number): void;
  readmit(message: QuarantinedMessage): boolean;
  onLost(rule: number, reason: number): void;
  subscribeNext(): void;
}

export class Experiments implements Court {
  private readonly bridge: Subject;
  private readonly observer: Event.GatewayObserver;
  private readonly message = new MessageSpans();
  /** What was told of already: bits. */
  private told = 0;
  /** Highest QoS of the present connection, and of all that follow. */
  private learnedQoS = 2;

  constructor(bridge: Subject, observer: Event.GatewayObserver) {
    this.bridge = bridge;
    this.observer = observer;
  }

  get probation(): Probation {
    return this.bridge.guard.probation;
  }

  remind(): void {
    const { guard, session } = this.bridge;
    guard.remind(session.role.clock.now);
  }

  makeWay(): void {
    const { backlog } = this.bridge;
    if (backlog !== undefined)
      makeWay(backlog, this.bridge.guard, this);
  }

  setCautious(isCautious: boolean): void {
    const { guard } = this.bridge;
    guard.isCautious = isCautious;
    guard.update();
  }

  setAside(record: number, reason: number): number {
    const { message } = this;
    const { aging, backlog, guard, outbound, session } = this.bridge;
    const { queue } = session.sessionState!;
    if (queue.stateOf(record) === RELEASED) { // the Server has it, or had it
      queue.forgetReceived(record);
      this.tell(SESSION_LIES);
      return 0;
    }
    const index = queue.ruleOf(record);
    const rule = outbound.rules[index]!;
    const qos = queue.qosOf(record);
    readKept(queue.limits.arena, record + queue.limits.headerLength, queue.lengthOf(record), message);
    message.topicNameLength = outbound.unmap(rule, message.topicNameOffset, message.topicNameLength);
    message.topicNameOffset = outbound.placesOffset + outbound.uncached * outbound.placeLength;
    const time = queue.timeOf(record);
    const number = guard.setAside(message, index, qos,
      guard.describe(queue.originOf(record), rule.identity, time === 0 ? aging.now : time, reason));
    if (number !== 0) {
      backlog?.store.settle();
      queue.settle(record);
    }
    return number;
  }

  /**
   * Messages of the queue that are not under way, and that the Server is known today not to take, are set aside: they
   * were let in when less was known.
   */
  setUnfitAside(): void {
    const { queue } = this.bridge.session.sessionState!;
    for (let record = queue.following(NONE), next = NONE; record !== NONE; record = next) {
      next = queue.following(record);
      this.judge(record);
      if (queue.count === 0)
        return; // what followed was done
    }
  }

  /** The same for one of them. */
  judge(record: number): void {
    const { bridge: { guard, outbound, session }, message } = this;
    const { queue } = session.sessionState!;
    const index = queue.ruleOf(record);
    const state = queue.stateOf(record);
    if (state === DONE || state === RELEASED || queue.isUnderWay(record) || index >= outbound.rules.length)
      return;
    const qos = queue.qosOf(record);
    readKept(queue.limits.arena, record + queue.limits.headerLength, queue.lengthOf(record), message);
    const reason = guard.limits.reasonFor(message, qos);
    if (reason === FINE || qos !== 0 && this.setAside(record, reason) !== 0)
      return;
    queue.settle(record); // there is no quarantine, or it need not arrive
    this.bridge.onLost(index, Loss.UNFIT);
  }

  putBack(number: number): boolean {
    const { guard, guard: { quarantine } } = this.bridge;
    const index = quarantine.indexOf(number);
    if (index < 0 || !this.bridge.readmit(quarantine.read(index)))
      return false;
    quarantine.removeAt(quarantine.indexOf(number));
    guard.update();
    return true;
  }

  setFilterAside(rule: number, reason: number): void {
    this.bridge.inbound.rules[rule]!.isSetAside = true;
    this.observer.onEvent(Event.FILTER_SET_ASIDE, rule, reason);
    this.bridge.subscribeNext();
  }

  setBirthAside(): void {
    this.bridge.session.announcements.setBirthAside();
    this.tell(BIRTH_SET_ASIDE);
  }

  get pendingFilter(): number {
    return this.bridge.pendingFilter;
  }

  isShareFull(origin: number, rule: number): boolean {
    const { guard, outbound } = this.bridge;
    return guard.isShareFull(origin, outbound.rules[rule]!.identity);
  }

  lowerQoS(isSilent: boolean): void {
    this.learnedQoS = 1;
    this.bridge.limitQoS(Math.min(1, this.bridge.highestQoS));
    this.tell(isSilent ? SILENT_ON_QOS_2 : CLOSES_ON_QOS_2);
  }

  onCause(cause: number, rule: number): void {
    this.observer.onEvent(Event.UPSTREAM_CAUSE, rule, cause);
  }

  /** What was learned for one connection is forgotten with it. */
  connected(): void {
    const { guard, highestQoS, session } = this.bridge;
    this.bridge.limitQoS(Math.min(this.learnedQoS, highestQoS, session.role.maximumQoS));
    guard.limits.learn(session.longestPacket, session.hasProperties);
    guard.update();
    if (session.omitsWill)
      this.tell(WILL_SET_ASIDE);
  }

  /** @param answer type of the packet with which a message was acknowledged that asks for another one */
  oddAnswer(answer: number): void {
    const { bridge } = this;
    if (answer === PUBACK) { // PUBACK: the Server makes QoS 1 of QoS 2
      bridge.limitQoS(1);
      bridge.session.sessionState!.queue.lowerQoS();
    }
    this.tell(answer);
  }

  private tell(deviation: number): void {
    if ((this.told >> deviation & 1) !== 0)
      return;
    this.told |= 1 << deviation;
    this.observer.onEvent(Event.BROKER_DEVIATES, Event.UPSTREAM, deviation);
  }
}
