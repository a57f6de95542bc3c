/**
 * What the nodes say, and where it goes: their messages upstream and to the nodes, as far as their rights, their rate
 * and the room there is allow; what they subscribe to; who comes and goes, to the admission.
 */
import type { Packet } from '../packet/packet.ts';
import * as ReasonCode from '../packet/reason-code.ts';
import { isSystemTopic } from '../packet/topic.ts';
import * as Event from '../config/events.ts';
import type { ServerHandler, ServerRole } from '../session/server-role.ts';
import type { ServerSession } from '../session/server-session.ts';
import { REFUSED, TAKEN } from '../session/session-role.ts';
import type { Access } from '../nodes/access.ts';
import { type Delivery, NOBODY, UNKNOWN } from '../nodes/delivery.ts';
import type { FailingNodes } from '../nodes/failing-nodes.ts';
import type { NodeState } from '../nodes/node-state.ts';
import { DENIED, type NodeSubscriptions } from '../nodes/node-subscriptions.ts';
import type { RetainedDelivery } from '../nodes/retained-delivery.ts';
import type { BackPressure } from '../upstream/back-pressure.ts';
import type { Bridge } from '../upstream/bridge.ts';
import { CROWDED } from '../upstream/crowd.ts';
import type { Guard } from '../upstream/guard.ts';
import type { Router } from '../upstream/intake.ts';
import * as Reason from '../upstream/quarantine-reasons.ts';
import type { Refusals } from '../upstream/refusals.ts';
import { type Admission, nodeOf } from './admission.ts';
import type { HeldMessages } from './held-messages.ts';
import { FORBIDDEN, type Publishing } from './publishing.ts';

/** What the gateway gives to work with. */
export interface RouterParts {
  readonly admission: Admission;
  readonly bridge: Bridge;
  readonly delivery: Delivery;
  readonly failing: FailingNodes;
  readonly held: HeldMessages;
  readonly nodeSubscriptions: NodeSubscriptions;
  readonly observer: Event.GatewayObserver;
  readonly pressure: BackPressure;
  readonly publishing: Publishing;
  readonly refusals: Refusals;
  readonly retainedDelivery: RetainedDelivery;
  readonly serverRole: ServerRole;
}

export class NodeRouter implements ServerHandler<ServerSession>, Router {
  /** For the intake: a node is asked for its message again when there is room. */
  readonly waits = false;
  /** PUBLISH packets taken from nodes. */
  receivedCount = 0;
  /** Messages and subscriptions of nodes that were not allowed, and times that a node was made to wait. */
  deniedCount = 0;
  heldCount = 0;
  limitsRate: boolean;
  /** Undefined: everything is allowed. */
  access: Access | undefined;
  private readonly bridge: Bridge;
  private readonly delivery: Delivery;
  private readonly localAudience: Int32Array; // that of `delivery`
  private readonly parts: RouterParts;

  constructor(parts: RouterParts, limitsRate: boolean) {
    this.parts = parts;
    this.bridge = parts.bridge;
    this.delivery = parts.delivery;
    this.localAudience = parts.delivery.localAudience;
    this.access = parts.delivery.access;
    this.limitsRate = limitsRate;
  }

  onConnect(session: ServerSession, packet: Packet): void {
    this.parts.admission.ask(session, packet);
  }

  delayOf(session: ServerSession): number {
    return this.parts.failing.delayOf(session);
  }

  admit(session: ServerSession): void {
    this.parts.admission.admit(session);
  }

  /** Each packet is a new message [MQTT311-4.3.2-2]; what QoS 2 repeats, the session has kept back. */
  onMessage(session: ServerSession, packet: Packet): number {
    if (packet.qos !== 0 && session.isRefused) // acknowledgements keep their order
      return REFUSED;
    ++this.receivedCount;
    if (this.limitsRate && session.spendCredit()) {
      ++this.heldCount;
      this.parts.observer.onEvent(Event.RATE_LIMITED, session.index, 0);
    }
    if (packet.isOversize) {
      ++this.delivery.droppedCount;
      this.parts.observer.onEvent(Event.OVERSIZE_DROPPED, session.index, packet.payloadLength);
      return TAKEN;
    }
    const { access } = this;
    const index = packet.topicIndex;
    const origin = (session.sessionState as NodeState).identity;
    if (access === undefined) {
      if (this.localAudience[index] === UNKNOWN && this.delivery.rejects(session, packet, index))
        return session.hasProperties && packet.qos !== 0
          && isSystemTopic(packet.arena, packet.topicNameOffset, packet.topicNameLength)
          ? session.decline(packet, ReasonCode.NOT_AUTHORIZED) : TAKEN; // by nobody: the session is over
      const taken = this.bridge.forward(packet, index, origin); // as `Publishing.publish`, with a call less
      if (taken !== TAKEN && this.makeWait(session, taken) === REFUSED)
        return REFUSED;
      if (this.localAudience[index] !== NOBODY || packet.retain !== 0)
        this.delivery.deliver(packet, index, (session.sessionState as NodeState).index);
      return TAKEN;
    }
    const verdict = this.parts.publishing.publishFor(nodeOf(session)!, packet, index, access, origin);
    if (verdict === TAKEN)
      return TAKEN;
    if (verdict !== FORBIDDEN)
      return this.makeWait(session, verdict);
    this.deny(session, Event.FORBIDDEN_PUBLISH);
    if (session.hasProperties && packet.qos !== 0)
      return session.decline(packet, ReasonCode.NOT_AUTHORIZED);
    return TAKEN; // before 5.0 forbidden ones are acknowledged all the same [MQTT311-3.3.5-2]
  }

  /** A message of the node could not be taken, or is one of many that wait. @returns REFUSED or TAKEN */
  private makeWait(session: ServerSession, verdict: number): number {
    if (verdict === REFUSED)
      return this.refuse(session);
    if (verdict === CROWDED)
      this.parts.pressure.press(session);
    return TAKEN;
  }

  /** Nothing more can be taken over for the moment. */
  onFull(session: ServerSession): void {
    this.parts.pressure.fillUp(session);
  }

  refuse(session: ServerSession): number {
    const { guard } = this.bridge;
    if (guard.turnedBack !== Reason.FINE)
      return this.turnBack(session, guard);
    return this.parts.refusals.add(session);
  }

  identityOf(session: ServerSession): number {
    return nodeOf(session)!.identity;
  }

  onSubscribe(session: ServerSession, packet: Packet): number {
    const code = this.parts.nodeSubscriptions.add(session, nodeOf(session)!, packet);
    if (code !== DENIED)
      return code;
    this.deny(session, Event.FORBIDDEN_SUBSCRIBE);
    return ReasonCode.NOT_AUTHORIZED;
  }

  onSubscribed(session: ServerSession): void {
    if (this.parts.serverRole.owingCount > 0)
      this.parts.retainedDelivery.advance(nodeOf(session)!);
  }

  onRoom(session: ServerSession): void {
    this.parts.held.ask(nodeOf(session)!);
    this.parts.retainedDelivery.advance(nodeOf(session)!);
  }

  onUnsubscribe(session: ServerSession, packet: Packet): number {
    return this.parts.nodeSubscriptions.remove(nodeOf(session)!, packet);
  }

  onClosed(session: ServerSession, reasonCode: number): void {
    this.parts.admission.leave(session, reasonCode);
  }

  /** A message of the node cannot go upstream, nor be set aside: the node keeps it, and loses its connection for it. */
  private turnBack(session: ServerSession, guard: Guard): number {
    const reason = guard.turnedBack;
    this.parts.observer.onEvent(Event.MESSAGE_TURNED_BACK, session.index, reason);
    this.parts.failing.turnedBack = reason;
    session.fail(reason === Reason.PACKET_TOO_LONG ? ReasonCode.PACKET_TOO_LARGE
      : reason >= Reason.SHARE_FULL ? ReasonCode.QUOTA_EXCEEDED : ReasonCode.TOPIC_NAME_INVALID);
    guard.turnedBack = Reason.FINE;
    return REFUSED;
  }

  private deny(session: ServerSession, what: number): void {
    ++this.deniedCount;
    this.parts.observer.onEvent(Event.ACCESS_DENIED, session.index, what);
  }
}
