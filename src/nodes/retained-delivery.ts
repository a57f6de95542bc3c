/**
 * Sends retained messages, and figures of the gateway, to nodes that have just subscribed to them [MQTT311-3.3.1-6]:
 * as room comes, and in slices, so that nobody else has to wait for it. Each node has a place in the list of retained
 * messages, from which it goes on for the first of its subscriptions to which some are owed. What changes before its
 * turn is sent as it is then.
 *
 * They take one half of a node's queue at most: the other one is for messages that come meanwhile.
 */
import { END } from '../bytes/packed-records.ts';
import { type Message, MessageSpans } from '../packet/packet.ts';
import { lengthOfPublish } from '../packet/publish.ts';
import { lengthWithProperties } from '../packet/publish-properties.ts';
import { hasWildcard } from '../packet/topic-filter.ts';
import type { Clock } from '../session/clock.ts';
import { CONNECTED } from '../session/connection-state.ts';
import type { ServerRole } from '../session/server-role.ts';
import type { ServerSession } from '../session/server-session.ts';
import type { Delivery } from './delivery.ts';
import { LONGEST_IDENTIFIER } from './found-subscriptions.ts';
import type { NodeState } from './node-state.ts';
import type { NodeStates } from './node-states.ts';
import type { RetainedMessages, RetainedWalker } from './retained.ts';
import { END as NO_SUBSCRIPTION, type Subscriptions } from './subscriptions.ts';
import type { SystemTopics } from './system-topics.ts';

/** Comparisons of a message with a filter, or of a subscription with a node, in one turn. */
export const SLICE = 512;

/** Bytes of a PUBLISH with QoS 0 beside topic, properties and payload, at most; an identifier is one of them. */
const LONGEST_HEAD = 11 + LONGEST_IDENTIFIER;

/**
 * In place of a place: nothing is owed; at the first message; behind them, at the first figure, with smaller numbers
 * for the next ones.
 */
const NOWHERE = -1;
const START = 0;
const FIRST_FIGURE = -2;

export class RetainedDelivery implements RetainedWalker {
  /** Per node: where its next message lies, in the arena. */
  private readonly places: Int32Array;
  private readonly outgoing = new MessageSpans();
  private readonly clock: Clock;
  private readonly role: ServerRole;
  private readonly delivery: Delivery;
  private readonly nodes: NodeStates;
  private readonly retained: RetainedMessages;
  private readonly subscriptions: Subscriptions;
  private readonly figures: SystemTopics;
  /** Comparisons that are left of the slice. */
  private left = 0;
  /** The slice has ended too soon for somebody; with whom the next one begins. */
  private isCut = false;
  private next = 0;

  constructor(role: ServerRole, delivery: Delivery, figures: SystemTopics) {
    const { nodes, retained, subscriptions } = delivery;
    this.clock = role.clock;
    this.role = role;
    this.delivery = delivery;
    this.nodes = nodes;
    this.retained = retained;
    this.subscriptions = subscriptions;
    this.figures = figures;
    this.places = new Int32Array(nodes.states.length).fill(NOWHERE);
    retained.walker = this;
  }

  /** Whether there is anything that could be owed to a new subscription. */
  owes(filterOffset: number): boolean {
    return this.retained.count > 0 || this.figures.countFor(filterOffset) > 0;
  }

  /** A node has made, or made again, the subscription at `at` where that is so. */
  owe(node: NodeState, at: number): void {
    const { places, subscriptions } = this;
    const place = places[node.index]!;
    if (place === NOWHERE) {
      places[node.index] = START;
      ++this.role.owingCount;
    } else if (place !== START && subscriptions.owedTo(node.index) === at)
      subscriptions.oweAgain(at);
  }

  /** A node gives up the subscription at `at`. */
  forget(node: NodeState, at: number): void {
    if (this.places[node.index] !== NOWHERE && this.subscriptions.owedTo(node.index) === at)
      this.places[node.index] = START; // of the next one
  }

  /** All its subscriptions are gone. */
  end(node: NodeState): void {
    if (this.places[node.index] !== NOWHERE) {
      this.places[node.index] = NOWHERE;
      --this.role.owingCount;
    }
  }

  /** A node takes messages again, or there is nothing before them any more. */
  advance(node: NodeState): void {
    if (this.places[node.index] === NOWHERE)
      return;
    this.left = SLICE;
    this.serve(node);
    if (this.isCut)
      this.clock.soon();
  }

  /** The next slice, for all nodes. */
  handleDeferred(): void {
    if (!this.isCut)
      return;
    const { nodes: { states }, places } = this;
    this.isCut = false;
    this.left = SLICE;
    for (let step = 0; step < states.length && this.left > 0; ++step) {
      const index = this.next = (this.next + 1) % states.length;
      if (places[index] !== NOWHERE)
        this.serve(states[index]!);
    }
    if (this.left <= 0 && this.role.owingCount > 0)
      this.isCut = true;
    if (this.isCut)
      this.clock.soon();
  }

  onMoved(at: number, distance: number): void {
    const { places } = this;
    if (this.role.owingCount > 0)
      for (let index = 0; index < places.length; ++index)
        if (places[index]! > at)
          places[index]! += distance;
  }

  /** For a node to which something is owed. */
  private serve(node: NodeState): void {
    const { places, subscriptions } = this;
    const { index, session } = node;
    while (session !== undefined && session.state === CONNECTED) {
      const filter = subscriptions.owedTo(index);
      if (filter !== NO_SUBSCRIPTION) {
        if (!this.sendOwed(node, session, filter))
          return;
        subscriptions.settle(filter);
      }
      if (filter === NO_SUBSCRIPTION || subscriptions.owedCount === 0) {
        this.end(node);
        return;
      }
      places[index] = START;
      this.left -= subscriptions.countOf(index) >> 2; // a look at one is short
    }
  }

  /** @returns whether all has been sent that is owed for the subscription at `filter` */
  private sendOwed(node: NodeState, session: ServerSession, filter: number): boolean {
    const { delivery, places, retained, subscriptions } = this;
    const { index } = node;
    const offset = subscriptions.filterOffsetOf(filter);
    const length = subscriptions.filterLengthOf(filter);
    const place = places[index]!;
    let at = place === START ? retained.first : place < START || place === retained.end ? END : place;
    if (at !== END && !hasWildcard(delivery.arena, offset, length)) { // one at most, which is found
      at = retained.locate(offset, length);
      if (at !== END && !this.sendOne(node, session, at, filter))
        return false;
      at = END;
    }
    while (at !== END) {
      places[index] = at;
      if (--this.left < 0)
        return this.cut();
      if (retained.matches(at, offset, length) && !this.sendOne(node, session, at, filter))
        return false;
      at = retained.after(at);
    }
    return this.figures.countFor(offset) === 0
      || this.sendFigures(node, session, filter, place < START ? FIRST_FIGURE - place : 0);
  }

  /** @returns whether nothing is left to do for the message at `at`, and others may be sent */
  private sendOne(node: NodeState, session: ServerSession, at: number, filter: number): boolean {
    const { outgoing } = this;
    if (!this.retained.readLive(at, outgoing))
      return true;
    if (this.subscriptions.qosOf(filter) === 0 || outgoing.qos === 0 ? isTooLong(outgoing, session)
      : !hasPlaceFor(node))
      return false;
    this.delivery.sendBy(node, filter, outgoing);
    return session.state === CONNECTED;
  }

  /** The same for figures, from number `topic` on. */
  private sendFigures(node: NodeState, session: ServerSession, filter: number, topic: number): boolean {
    const { figures, places, subscriptions } = this;
    const offset = subscriptions.filterOffsetOf(filter);
    const length = subscriptions.filterLengthOf(filter);
    for (const count = figures.countFor(offset); topic < count; ++topic) {
      places[node.index] = FIRST_FIGURE - topic;
      if (--this.left < 0)
        return this.cut();
      const message = figures.match(topic, offset, length);
      if (message === undefined)
        continue;
      if (isTooLong(message, session))
        return false;
      this.delivery.sendBy(node, filter, message);
      if (session.state !== CONNECTED)
        return false;
    }
    return true;
  }

  private cut(): boolean {
    this.isCut = true;
    return false;
  }
}

/** Whether a message of QoS 0 does not find room just now. */
const isTooLong = (message: Message, { hasProperties, room }: ServerSession): boolean =>
  message.topicNameLength + message.propertiesLength + message.payloadLength + LONGEST_HEAD > room
  && (hasProperties ? lengthWithProperties(message, 0) + LONGEST_IDENTIFIER : lengthOfPublish(message, 0)) > room;

/** Whether the queue of a node takes a retained message, and has room left for others. */
const hasPlaceFor = ({ queue: { count, limits: { capacity, maximumCount }, usedLength } }: NodeState): boolean =>
  count === 0 || usedLength * 2 <= capacity && count * 2 <= maximumCount;
