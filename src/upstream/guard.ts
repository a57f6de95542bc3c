/**
 * Stands before the way upstream where not everything may pass: names and lengths that the Server is known not to take,
 * nodes that have used up their share of the quarantine, and, while it is found out for what the Server closes
 * connections (suspects.ts), live messages of QoS 0. While there is nothing of that, topics do not come here at all
 * (`GUARDED`).
 *
 * What must arrive is set aside; of a node without a share left it is not taken, so that it stays there; the rest is
 * dropped. All of it is counted and named.
 */
import * as Event from '../config/events.ts';
import type { NodeStates } from '../nodes/node-states.ts';
import type { Message } from '../packet/packet.ts';
import { REFUSED, TAKEN } from '../session/session-role.ts';
import type { BrokerLimits } from './broker-limits.ts';
import type { StorePolicy } from './full-policy.ts';
import * as Loss from './losses.ts';
import type { Quarantine } from './quarantine.ts';
import type { Suspect } from './quarantined-message.ts';
import * as Reason from './quarantine-reasons.ts';
import { NO_RULE, type TopicMap } from './topic-map.ts';

/** What of a message is not in its spans. Filled again and again. */
export class Circumstances implements Suspect {
  origin = 0;
  rule = 0;
  takenAt = 0;
  reason = Reason.FINE;
}

export interface GuardSides {
  readonly losses: Loss.LossObserver;
  readonly observer: Event.GatewayObserver;
  /** Knows who has which identity. */
  readonly nodes: NodeStates;
}

export class Guard {
  /** It is being found out what the Server closes connections for. */
  isCautious = false;
  /** Identity of the node whose Will is being published, else 0. */
  author = 0;
  /** Why the message that was refused last was refused; FINE: for want of room. */
  turnedBack = Reason.FINE;
  /** The message that an event is about. */
  named: Message;
  limits: BrokerLimits;
  readonly quarantine: Quarantine;
  private readonly map: TopicMap;
  private readonly nodes: NodeStates;
  private readonly losses: Loss.LossObserver;
  private readonly observer: Event.GatewayObserver;
  private readonly circumstances = new Circumstances();

  constructor(map: TopicMap, limits: BrokerLimits, quarantine: Quarantine, sides: GuardSides) {
    this.map = map;
    this.limits = limits;
    this.quarantine = quarantine;
    this.losses = sides.losses;
    this.observer = sides.observer;
    this.nodes = sides.nodes;
    this.named = quarantine.message;
    map.limits = limits;
    this.update();
  }

  /** Whether every message has to be looked at, or only those with certain names. */
  update(): void {
    this.map.guardAll(this.isCautious || this.limits.packetLength !== 0 || this.quarantine.hasFullShare);
  }

  /** @param outgoing as it goes upstream @param rule identity of its rule @returns why it may not, or FINE */
  reasonFor(outgoing: Message, qos: number, origin: number, rule: number): number {
    const reason = this.limits.reasonFor(outgoing, qos);
    return reason === Reason.FINE && this.isShareFull(origin, rule) ? Reason.SHARE_FULL : reason;
  }

  /**
   * A message that may not go upstream. @param message with its local name @param origin as for `Bridge.forward`
   * @returns TAKEN, or REFUSED
   */
  turnBack(message: Message, index: number, policy: StorePolicy, origin: number, circumstances: Suspect): number {
    const { reason } = circumstances;
    const mustArrive = message.qos !== 0 && policy.keeps;
    this.named = message;
    if (mustArrive && reason !== Reason.SHARE_FULL && !this.isShareFull(circumstances.origin, circumstances.rule)
      && this.setAside(message, index, message.qos, circumstances) !== 0)
      return TAKEN;
    if (mustArrive && origin !== 0) {
      ++policy.rule.refused;
      this.turnedBack = reason;
      return REFUSED;
    }
    this.losses.onLost(index, Loss.UNFIT);
    this.observer.onEvent(Event.MESSAGE_UNFIT, index, reason);
    return TAKEN;
  }

  /** @param index of its rule @param qos that it had when it came @returns its number, 0: there is no room at all */
  setAside(message: Message, index: number, qos: number, circumstances: Suspect): number {
    const { quarantine } = this;
    const { givenUpCount } = quarantine;
    this.named = message;
    const { origin } = circumstances;
    const number = quarantine.add(message, qos, circumstances, origin === 0 ? undefined : this.nodes.findName(origin));
    if (number !== 0)
      this.observer.onEvent(Event.MESSAGE_SET_ASIDE, index, circumstances.reason);
    for (let count = givenUpCount; count < quarantine.givenUpCount; ++count)
      this.losses.onLost(NO_RULE, Loss.QUARANTINE_FULL);
    this.update();
    return number;
  }

  /** @returns for `setAside` and `turnBack`, valid until the next call */
  describe(origin: number, rule: number, takenAt: number, reason: number): Circumstances {
    const { circumstances } = this;
    circumstances.origin = origin === 0 ? this.author : origin;
    circumstances.rule = rule;
    circumstances.takenAt = takenAt;
    circumstances.reason = reason;
    return circumstances;
  }

  isShareFull(origin: number, rule: number): boolean {
    const { quarantine } = this;
    return origin !== 0 && quarantine.capacity > 0 && quarantine.countOf(origin, rule) >= quarantine.share;
  }
}
