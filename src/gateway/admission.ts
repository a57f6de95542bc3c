/**
 * Who of the nodes is here: lets a node in once it has said who it is, ends the connection that it takes over, and
 * says what of a node is kept when it goes, and for how long. Knows nothing of messages but that a Will is due.
 */
import { equalBytes } from '../bytes/compare.ts';
import type { MessageSpans, Packet } from '../packet/packet.ts';
import * as ReasonCode from '../packet/reason-code.ts';
import * as Event from '../config/events.ts';
import { POSTPONED_PLACES } from '../session/postponed-answers.ts';
import type { ServerRole } from '../session/server-role.ts';
import type { ServerSession } from '../session/server-session.ts';
import type { Acquaintances } from '../nodes/acquaintances.ts';
import type { Delivery } from '../nodes/delivery.ts';
import type { EndingCounts } from '../nodes/disconnect-reasons.ts';
import type { DurableNodes } from '../nodes/durable-nodes.ts';
import type { FailingNodes } from '../nodes/failing-nodes.ts';
import type { NodeState } from '../nodes/node-state.ts';
import type { NodeStates } from '../nodes/node-states.ts';
import type { NodeSubscriptions } from '../nodes/node-subscriptions.ts';
import type { WillPublisher } from '../nodes/restoration-parts.ts';
import type { SessionExpiry } from '../nodes/session-expiry.ts';
import type { TakeOvers } from '../nodes/take-overs.ts';
import type { BackPressure } from '../upstream/back-pressure.ts';
import { type Authenticator, PENDING } from './gateway-options.ts';
import type { HeldMessages } from './held-messages.ts';
import type { Wills } from './wills.ts';

/** What the gateway gives to work with. */
export interface AdmissionParts {
  readonly acquaintances: Acquaintances;
  readonly delivery: Delivery;
  readonly durable: DurableNodes | undefined;
  readonly endings: EndingCounts;
  readonly expiry: SessionExpiry;
  readonly failing: FailingNodes;
  readonly nodes: NodeStates;
  readonly nodeSubscriptions: NodeSubscriptions;
  readonly observer: Event.GatewayObserver;
  readonly held: HeldMessages;
  readonly pressure: BackPressure;
  readonly serverRole: ServerRole;
  readonly takeOvers: TakeOvers;
  readonly wills: Wills;
}

/** Whose session it is; undefined until it is let in. The gateway gives sessions no other states. */
export const nodeOf = (session: ServerSession): NodeState | undefined => session.sessionState as NodeState | undefined;

export class Admission implements WillPublisher {
  connectedCount = 0;
  maximumConnectedCount = 0;
  /** Sessions of absent nodes that made room. */
  evictedCount = 0;
  /** Sessions of nodes that were away for too long. */
  expiredCount = 0;
  authenticator: Authenticator;
  private readonly parts: AdmissionParts;

  constructor(parts: AdmissionParts, authenticator: Authenticator) {
    this.parts = parts;
    this.authenticator = authenticator;
  }

  /** A CONNECT of valid form. */
  ask(session: ServerSession, packet: Packet): void {
    const verdict = this.authenticator.authenticate(session, packet);
    if (verdict === ReasonCode.SUCCESS)
      this.admit(session);
    else if (verdict !== PENDING)
      session.refuse(verdict);
  }

  /** The node is who it says. Afterwards, if the verdict was PENDING, call `session.continueReading()`. */
  admit(session: ServerSession): void {
    const { parts, parts: { durable, nodes } } = this;
    if (parts.serverRole.postponed.count > 0)
      this.endPostponed(session);
    if (session.postpones(ReasonCode.SUCCESS))
      return;
    if (session.clientIdentifierLength === 0)
      nodes.assignIdentifier(session);
    const { clientIdentifierLength: length, clientIdentifierOffset: identifier } = session;
    const old = nodes.find(identifier, length);
    // A session belongs to its user; one of a node without user gives way to whoever has a name and a password.
    const isOwn = old === undefined || old.user === session.user;
    if (!isOwn && old.user >= 0) {
      session.refuse(ReasonCode.NOT_AUTHORIZED);
      return;
    }
    old?.session?.finishReading();
    if (old?.session !== undefined)
      this.takeOver(old, old.session, session);
    if (session.user >= 0 && this.isFull)
      this.makeRoom();
    let node = nodes.find(identifier, length); // [MQTT311-3.1.3-2]
    const sessionPresent = node !== undefined && isOwn
      && !session.cleanStart // [MQTT311-3.1.2-4] [MQTT311-3.1.4-3] [MQTT311-3.2.2-3]
      && durable?.isOnlyWill(node) !== true;
    node ??= nodes.findRoom(session.user, parts.delivery.subscriptions, old);
    if (node === undefined || this.isFull) {
      session.refuse(ReasonCode.SERVER_UNAVAILABLE);
      return;
    }
    if (old === undefined && node.identifierLength !== 0) {
      ++this.evictedCount;
      parts.observer.onEvent(Event.SESSION_EVICTED, session.index, node.index);
      durable?.giveWay(node);
    }
    if (parts.wills.delayed.count > 0) // [MQTT5-3.1.3-9]
      parts.wills.endDelay(node, sessionPresent);
    if (!sessionPresent) { // [MQTT311-3.1.2-6]
      parts.nodeSubscriptions.removeAll(node);
      nodes.release(node); // all but its retained messages, which are nobody's [MQTT311-3.1.2-7]
      nodes.name(node, identifier, length, session.user);
      const { access } = parts.delivery;
      if (access !== undefined && !access.enter(node)) {
        nodes.release(node);
        session.refuse(ReasonCode.NOT_AUTHORIZED);
        return;
      }
    }
    if (durable !== undefined && !durable.admit(node, session)) {
      if (!sessionPresent)
        this.forgetNode(node);
      session.refuse(durable.isWorking ? ReasonCode.STORE_FULL : ReasonCode.STORE_UNAVAILABLE);
      return;
    }
    nodes.connect(node, session);
    parts.acquaintances.came(node.identity);
    if (++this.connectedCount > this.maximumConnectedCount)
      this.maximumConnectedCount = this.connectedCount;
    parts.failing.accepted(session);
    session.accept(node, sessionPresent);
    if (!session.isConnected)
      return;
    parts.observer.onEvent(Event.NODE_CONNECTED, session.index, session.version);
    parts.held.admit(node);
    parts.pressure.admit(session);
    session.writable();
  }

  /** The last connection is there to tell a surplus node that it is one. */
  private get isFull(): boolean {
    return this.connectedCount >= this.parts.serverRole.sessions.length - 1;
  }

  /** For a node that has a user: of those that have none, the one that has been silent longest goes. */
  private makeRoom(): void {
    const { sessions } = this.parts.serverRole;
    let silent: ServerSession | undefined;
    for (let index = 0; index < sessions.length; ++index) {
      const session = sessions[index]!;
      if (session.isConnected && session.user < 0
        && (silent === undefined || (session.lastReceivedAt - silent.lastReceivedAt | 0) < 0))
        silent = session;
    }
    silent?.fail(ReasonCode.PLACE_NEEDED);
  }

  /** Its identifier is in use: the older connection ends [MQTT311-3.1.4-2]. */
  private takeOver({ index }: NodeState, loser: ServerSession, winner: ServerSession): void {
    const { observer, serverRole: { clock }, takeOvers } = this.parts;
    takeOvers.add(index, clock.now, loser.remoteAddress, winner.remoteAddress);
    if (takeOvers.isFoughtOver(index, clock.now))
      observer.onEvent(Event.IDENTIFIER_FOUGHT_OVER, winner.index, index);
    loser.fail(ReasonCode.SESSION_TAKEN_OVER);
  }

  /** An older connection of the same identifier that still waits for its answer would take over from the newer one. */
  private endPostponed(session: ServerSession): void {
    const { arena, postponed, sessions } = this.parts.serverRole;
    const { clientIdentifierLength: length, clientIdentifierOffset: identifier, user } = session;
    for (let place = 0; postponed.count > 0 && place < POSTPONED_PLACES; ++place) {
      const index = postponed.sessionAt(place);
      const other = index < 0 ? undefined : sessions[index];
      if (other !== undefined && other.clientIdentifierLength === length && (other.user === user || other.user < 0)
        && equalBytes(arena, other.clientIdentifierOffset, identifier, length))
        other.fail(ReasonCode.SESSION_TAKEN_OVER);
    }
  }

  /** The connection is over, of a node or of somebody who never was let in. */
  leave(session: ServerSession, reasonCode: number): void {
    const { parts } = this;
    const node = nodeOf(session);
    let isDelayed = false;
    parts.endings.add(reasonCode);
    if (node === undefined) {
      ++parts.endings.refusedCount;
      parts.observer.onEvent(Event.NODE_REFUSED, session.index, reasonCode);
      parts.failing.ended(session, -1, reasonCode);
      return;
    }
    --this.connectedCount;
    parts.held.ask(node);
    parts.nodes.disconnect(node);
    parts.acquaintances.left(node.identity);
    if (session.isTransient) // [MQTT311-4.1.0-1]
      parts.nodeSubscriptions.removeAll(node);
    parts.observer.onEvent(Event.NODE_CLOSED, session.index, reasonCode);
    parts.failing.ended(session, node.index, reasonCode);
    if (session.hasWill) // rule C10; DISCONNECT has removed it [MQTT311-3.14.4-3]
      isDelayed = parts.wills.leave(session, node);
    parts.durable?.leave(node, isDelayed);
    if (session.isTransient)
      parts.nodes.release(node);
    else
      parts.expiry.leave(node, parts.expiry.now, session.sessionExpiry);
  }

  /** Ends the sessions of nodes that were away for too long. */
  handleTimeout(): void {
    const { durable, expiry, observer, wills } = this.parts;
    for (let node = expiry.findExpired(); node !== undefined; node = expiry.findExpired()) {
      ++this.expiredCount;
      observer.onEvent(Event.SESSION_EXPIRED, Event.UPSTREAM, node.index);
      durable?.giveWay(node);
      if (wills.delayed.count > 0)
        wills.endDelay(node, false);
      this.forgetNode(node);
    }
  }

  // WillPublisher

  publishStoredWill(node: NodeState, will: MessageSpans): void {
    this.parts.wills.publishStored(node, will);
  }

  delaysWill(node: NodeState): boolean {
    return this.parts.wills.delays(node);
  }

  forgetNode(node: NodeState): void {
    this.parts.nodeSubscriptions.removeAll(node);
    this.parts.nodes.release(node);
  }
}
