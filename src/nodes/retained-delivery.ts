/**
 * Sends retained messages, and figures of the gateway, to nodes that have just subscribed to them [MQTT311-3.3.1-6]: as room
 * comes, and in slices, so that nobody else has to wait for it. Each node has a place in the list of retained messages, from
 * which it goes on for the first of its subscriptions to which some are owed. What changes before its turn is sent as it is
 * then.
 *
 * They take one half of a node's queue at most: the other one is for messages that come meanwhile.
 */
import { END } from '../bytes/packed-records.ts';
import { MessageSpans } from '../packet/packet.ts';
import { lengthOfPublish } from '../packet/publish.ts';
import type { Clock } from '../session/clock.ts';
import type { ServerRole } from '../session/server-role.ts';
import type { ServerSession } from '../session/server-session.ts';
import type { Delivery } from './delivery.ts';
import type { NodeState, NodeStates } from './node-states.ts';
import type { RetainedMessages, RetainedWalker } from './retained.ts';
import type { Subscriptions } from './subscriptions.ts';
import type { SystemTopics } from './system-topics.ts';

/** Comparisons of a message with a filter, or of a subscription with a node, in one turn. */
export const SLICE = 512;

/** In place of a place: nothing is owed; at the first message; behind them, at the first figure, with smaller numbers for the next ones. */
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
    this.left = SLICE;
    this.serve(node);
    if (this.isCut)
      this.clock.soon();
  }

  /** The next slice, for all nodes. */
  handleDeferred(): void {
    const { nodes: { states }, places } = this;
    if (!this.isCut)
      return;
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

  private serve(node: NodeState): void {
    const { places, subscriptions } = this;
    const { index, session } = node;
    while (places[index] !== NOWHERE && session !== undefined && session.isConnected) {
      const filter = subscriptions.owedCount === 0 ? END : subscriptions.owedTo(index);
      this.left -= subscriptions.count >> 2; // a look at one is short
      if (filter === END)
        this.end(node);
      else if (!this.sendOwed(node, session, filter))
        return;
      else {
        subscriptions.settle(filter);
        places[index] = START;
      }
    }
  }

  /** @returns whether all has been sent that is owed for the subscription at `filter` */
  private sendOwed(node: NodeState, session: ServerSession, filter: number): boolean {
    const { outgoing, places, retained, subscriptions } = this;
    const { index } = node;
    const offset = subscriptions.filterOffsetOf(filter);
    const length = subscriptions.filterLengthOf(filter);
    let at = places[index]!;
    if (at === START)
      at = places[index] = retained.first;
    while (at > START && at !== retained.end) {
      if (--this.left < 0)
        return this.cut();
      if (retained.matches(at, offset, length, outgoing)) {
        const granted = subscriptions.qosOf(filter);
        if (!this.hasRoom(node, session, granted))
          return false;
        this.delivery.sendRetained(node, outgoing, granted);
        if (!session.isConnected)
          return false;
      }
      at = places[index] = retained.after(at);
    }
    const count = this.figures.countFor(offset);
    for (let topic = at > START || at === END ? 0 : FIRST_FIGURE - at; topic < count; ++topic) {
      places[index] = FIRST_FIGURE - topic;
      if (--this.left < 0)
        return this.cut();
      const message = this.figures.match(topic, offset, length);
      if (message === undefined)
        continue;
      if (session.room < lengthOfPublish(message, 0))
        return false;
      this.delivery.sendFigure(node, message);
      if (!session.isConnected)
        return false;
    }
    return true;
  }

  private cut(): boolean {
    this.isCut = true;
    return false;
  }

  /** Whether the node takes the message at hand, and has room left for others. */
  private hasRoom(node: NodeState, session: ServerSession, granted: number): boolean {
    const { outgoing } = this;
    if (granted === 0 || outgoing.qos === 0)
      return session.room >= lengthOfPublish(outgoing, 0);
    const { queue } = node;
    const { capacity, maximumCount } = queue.limits;
    return queue.count === 0 || queue.usedLength * 2 <= capacity && queue.count * 2 <= maximumCount;
  }
}
