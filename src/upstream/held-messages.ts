/**
 * Messages of QoS 1 and 2 for which a node that is connected has no room: whoever has sent one waits, and nothing is
 * read of it; the message stays in the ring of its parser, and is not acknowledged before all have it.
 *
 * A node waits as long as the receiver takes something: when that takes nothing for `listener.send_timeout` the message
 * is given up for it, and so are those behind it until it takes something again. Nobody waits for itself, nor for one
 * that waits: neither would be read any more.
 *
 * From the Server everybody is to get something, so for one node that waits for a second at most, and after that for a
 * tenth of the time; as long as the node takes 100 messages per second or more it does not count as waiting.
 */
import type { Message, Packet } from '../packet/packet.ts';
import { MessageSpans } from '../packet/packet.ts';
import { INVALID_TOPIC, type TopicTable } from '../packet/topic-table.ts';
import { OPTIONS_QOS, RETAIN_AS_PUBLISHED } from '../packet/subscribe.ts';
import { type Clock, isDue } from '../session/clock.ts';
import { HELD_BY_NODE } from '../session/holds.ts';
import type { ServerRole } from '../session/server-role.ts';
import type { ServerSession } from '../session/server-session.ts';
import { LATER, REFUSED, TAKEN } from '../session/session-role.ts';
import type { Delivery } from '../nodes/delivery.ts';
import type { WaitingRoom } from '../nodes/waiting-room.ts';
import type { NodeState } from '../nodes/node-state.ts';
import type { Bridge } from './bridge.ts';
import { HeldNotes } from './held-notes.ts';
import { HeldReceivers } from './held-receivers.ts';

/** Milliseconds between two looks when nobody has told of room. */
const INTERVAL = 50;
/** Of the Server. */
const PATIENCE = 1000;
const NOBODY = -1;

export class HeldMessages implements WaitingRoom {
  /** Times that somebody was made to wait. */
  heldCount = 0;
  /** Messages that wait. */
  private count = 0;
  private isAsked = false;
  private dueAt = 0;
  private next = 0;
  /** Whose message is delivered once more. */
  private retrying = NOBODY;
  private readonly delivery: Delivery;
  private readonly bridge: Bridge;
  private readonly topics: TopicTable;
  private readonly sessions: readonly ServerSession[];
  /** In place of the index of a session: the Server. */
  private readonly server: number;
  private readonly outgoing = new MessageSpans();
  private readonly notes: HeldNotes;
  /** Bits of nodes, so many words: which of them the message at hand has no room in, and each one that waits. */
  private readonly words: number;
  private readonly owed: Int32Array;
  private readonly waiting: Int32Array;
  private readonly receivers: HeldReceivers;

  constructor(delivery: Delivery, bridge: Bridge, topics: TopicTable, sessions: readonly ServerSession[]) {
    const nodeCount = delivery.nodes.states.length;
    this.delivery = delivery;
    this.bridge = bridge;
    this.topics = topics;
    this.sessions = sessions;
    this.server = sessions.length;
    this.words = nodeCount + 31 >> 5;
    this.notes = new HeldNotes(sessions.length + 1);
    this.owed = new Int32Array(this.words);
    this.waiting = new Int32Array(this.words * (sessions.length + 1));
    this.receivers = new HeldReceivers(delivery.nodes.states);
  }

  /** A node has no room for the message at hand. @returns whether that can wait */
  owe(node: NodeState, message: Message, qos: number): boolean {
    const { index, queue, session } = node;
    if (session === undefined || !queue.canHold(message, qos))
      return false;
    this.receivers.watch(index, queue.progress ^ session.connectionNumber << 20, this.now);
    this.owed[index >> 5]! |= 1 << index;
    this.delivery.verdict = LATER;
    return true;
  }

  /** Nobody can be made to wait for the message at hand. */
  giveUp(): void {
    if (this.delivery.verdict !== TAKEN)
      this.settle(0, NOBODY);
    this.delivery.verdict = TAKEN;
  }

  /** A node has sent the message at hand. @returns LATER: it waits; TAKEN: it has been given up */
  hold(session: ServerSession, packet: Packet): number {
    const { states } = this.delivery.nodes;
    const isFirst = this.retrying !== session.index;
    const own = (session.sessionState as NodeState).index;
    this.delivery.verdict = TAKEN;
    for (let index = 0; isFirst && index < states.length; ++index)
      if (this.isOwed(index) && (index === own || states[index]!.session?.isHeldBy(HELD_BY_NODE) === true))
        this.drop(states[index]!);
    if (!this.settle(session.role.settings.sendTimeout, session.index))
      return TAKEN;
    if (isFirst) {
      this.note(session.index, session.connectionNumber, packet);
      session.parser.leaveMessage(packet);
      session.hold(HELD_BY_NODE);
    }
    return LATER;
  }

  /** The Server has. */
  holdServer(packet: Packet): number {
    const { bridge: { session }, server } = this;
    const isFirst = this.retrying !== server;
    this.delivery.verdict = TAKEN;
    const { states } = this.delivery.nodes;
    for (let index = 0; index < states.length; ++index)
      if (this.isOwed(index)) {
        if (!this.receivers.charge(index, !isFirst, this.now))
          this.drop(states[index]!);
      }
    if (!this.settle(PATIENCE, server))
      return TAKEN;
    if (isFirst) {
      this.note(server, session.connectionNumber, packet);
      session.parser.leaveMessage(packet);
    }
    return LATER;
  }

  /** Of a node whose messages are refused, a message. @returns REFUSED, unless it is the one that has waited */
  redeliver(session: ServerSession, packet: Packet): number {
    if (this.retrying !== session.index)
      return REFUSED;
    const node = session.sessionState as NodeState;
    const { access } = this.delivery;
    let message: Message = packet;
    let index = packet.topicIndex;
    if (access !== undefined && access.mountLengths[node.index] !== 0) {
      if (!access.mountMessage(node, packet))
        return TAKEN;
      message = access.mounted;
      index = this.indexOf(message);
    }
    this.deliver(message, index, node.index);
    return this.delivery.verdict === TAKEN ? TAKEN : this.hold(session, packet);
  }

  /** As that of `Delivery`, for a message that has waited. */
  deliverFromUpstream(message: Message, index: number): number {
    const { bridge, delivery } = this;
    --bridge.receivedCount; // it has been counted
    --bridge.inbound.rules[bridge.inbound.table[index]!]!.forwarded;
    this.deliver(message, this.indexOf(message), NOBODY);
    return delivery.verdict;
  }

  /** There is room somewhere, perhaps. */
  ask(): void {
    if (this.count === 0)
      return;
    this.isAsked = true;
    this.clock.soon();
  }

  handleDeferred(): void {
    if (this.isAsked)
      this.look();
  }

  handleTimeout(): void {
    if (this.count === 0)
      return;
    if (isDue(this.dueAt, this.now))
      this.look();
    if (this.count > 0)
      this.clock.request(this.dueAt);
  }

  // How it is done

  private get clock(): Clock {
    return this.bridge.session.role.clock;
  }

  private get now(): number {
    return this.clock.now;
  }

  private isOwed(index: number): boolean {
    return (this.owed[index >> 5]! >> index & 1) !== 0;
  }

  private drop(node: NodeState): void {
    const { index, session } = node;
    this.owed[index >> 5]! &= ~(1 << index);
    if (session === undefined)
      ++this.delivery.droppedCount;
    else
      this.delivery.drop(session, 1);
  }

  /**
   * Gives the message at hand up for the nodes that have taken nothing for so long, and notes the others for who has
   * sent it. @returns whether there are any
   */
  private settle(patience: number, source: number): boolean {
    const { delivery: { nodes: { states } }, owed, receivers, waiting, words } = this;
    let isAny = false;
    for (let index = 0; index < states.length; ++index)
      if (this.isOwed(index)) {
        if (receivers.idleFor(index, this.now) >= patience)
          this.drop(states[index]!);
        else
          isAny = true;
      }
    for (let word = 0; word < words; ++word) {
      if (source !== NOBODY)
        waiting[source * words + word] = owed[word]!;
      owed[word] = 0;
    }
    return isAny;
  }

  private note(source: number, connection: number, packet: Packet): void {
    this.notes.add(source, connection, packet);
    ++this.heldCount;
    if (this.count++ === 0)
      this.dueAt = this.now + INTERVAL | 0;
    ++this.role.owingCount;
    this.clock.request(this.dueAt);
  }

  private get role(): ServerRole {
    return this.sessions[0]!.role;
  }

  private forget(source: number): void {
    this.notes.remove(source);
    --this.count;
    --this.role.owingCount;
  }

  /** What was noted becomes the packet at hand. @returns its end */
  private recall(source: number, start: number, packet: Packet): number {
    const end = this.notes.recall(source, start, packet);
    packet.topicIndex = this.indexOf(packet);
    return end;
  }

  private indexOf({ topicNameLength, topicNameOffset }: Message): number {
    const index = this.topics.indexOf(topicNameOffset, topicNameLength);
    return index === INVALID_TOPIC ? this.topics.uncached : index;
  }

  /** Each one that waits has its turn as the first. */
  private look(): void {
    const { notes, server } = this;
    this.isAsked = false;
    this.dueAt = this.now + INTERVAL | 0;
    if (this.count === 0)
      return;
    this.next = (this.next + 1) % (server + 1);
    for (let step = 0; step <= server; ++step) {
      const source = (this.next + step) % (server + 1);
      if (!notes.has(source))
        continue;
      if (source === server)
        this.retryServer();
      else
        this.retry(this.sessions[source]!);
    }
  }

  private retry(session: ServerSession): void {
    const { index, parser, role: { packet } } = session;
    if (!session.isConnected || !this.notes.isOf(index, session.connectionNumber)) {
      this.forget(index);
      return;
    }
    const { isRefused } = session;
    const end = this.recall(index, parser.keptOffset, packet);
    const { packetIdentifier, qos } = packet;
    session.isRefused = true; // so that it comes to `redeliver`
    this.retrying = index;
    let verdict = session.role.acknowledgedReceiver.onMessage(session, packet);
    if (verdict === TAKEN && this.isWaiting(index)) // of a QoS 2 message all has been stored that was to be
      verdict = this.redeliver(session, packet);
    this.retrying = NOBODY;
    packet.propertiesLength = 0;
    if (verdict !== REFUSED)
      session.isRefused = isRefused;
    if (verdict === LATER && this.isWaiting(index))
      return;
    this.forget(index);
    if (verdict === TAKEN)
      session.acknowledge(packetIdentifier, qos);
    if (!session.isConnected)
      return;
    parser.forgetKept(end);
    session.release(HELD_BY_NODE);
  }

  private retryServer(): void {
    const { bridge, bridge: { session }, server } = this;
    const { parser, role: { packet } } = session;
    if (!session.isConnected || !this.notes.isOf(server, session.connectionNumber)) {
      this.forget(server);
      return;
    }
    const end = this.recall(server, parser.keptOffset, packet);
    const { packetIdentifier, qos } = packet;
    this.retrying = server;
    bridge.inlet = this;
    let verdict = session.role.acknowledgedReceiver.onMessage(session, packet);
    if (verdict === TAKEN && this.isWaiting(server))
      verdict = bridge.onMessage(session, packet);
    bridge.inlet = this.delivery;
    this.retrying = NOBODY;
    packet.propertiesLength = 0;
    if (verdict === LATER && this.isWaiting(server))
      return;
    this.forget(server);
    if (verdict === TAKEN)
      session.acknowledge(packetIdentifier, qos);
    if (!session.isConnected)
      return;
    parser.forgetKept(end);
    session.readOn();
  }

  /** Whether a node still waits for its message; if not, somebody else acknowledges that. */
  private isWaiting(source: number): boolean {
    const { waiting, words } = this;
    for (let word = 0; word < words; ++word)
      if (waiting[source * words + word] !== 0)
        return true;
    return false;
  }

  /** Gives a message that has waited to the nodes that have not got it. */
  private deliver(message: Message, index: number, publisher: number): void {
    const { delivery, delivery: { nodes: { states }, subscriptions }, outgoing, retrying, waiting, words } = this;
    const { granted, matched } = subscriptions;
    const first = retrying * words;
    outgoing.topicNameOffset = message.topicNameOffset;
    outgoing.topicNameLength = message.topicNameLength;
    outgoing.payloadOffset = message.payloadOffset;
    outgoing.payloadLength = message.payloadLength;
    outgoing.qos = message.qos;
    if ((outgoing.propertiesLength = message.propertiesLength) !== 0)
      outgoing.propertiesOffset = message.propertiesOffset;
    subscriptions.publisher = publisher;
    subscriptions.match(message.topicNameOffset, message.topicNameLength);
    for (let at = 0; at < subscriptions.matchedCount; ++at) {
      const node = matched[at]!;
      if ((waiting[first + (node >> 5)]! >> node & 1) === 0)
        continue;
      outgoing.retain = (granted[node]! & RETAIN_AS_PUBLISHED) === 0 ? 0 : message.retain;
      delivery.sendAllowed(states[node]!, outgoing, index, granted[node]! & OPTIONS_QOS);
    }
    subscriptions.forgetMatch();
    for (let word = 0; word < words; ++word)
      waiting[first + word] = 0; // `settle` notes those that still wait
  }
}
