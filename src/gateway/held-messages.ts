/**
 * A message of QoS 1 or 2 for a node that is connected and has no room makes its sender wait: it stays where it
 * arrived, is given to nobody and is not acknowledged, and nothing more is read of the sender but acknowledgements and
 * PINGREQ. When all who get it have room, or need not be waited for (receivers-room.ts), it is looked at again as if it
 * had just come.
 *
 * Stands in front of whoever takes messages, and only while some node has little room: else it costs nothing.
 */
import { type Delivery, NOBODY } from '../nodes/delivery.ts';
import { WRITE } from '../nodes/access.ts';
import type { NodeState } from '../nodes/node-state.ts';
import { FROM_SERVER, ReceiversRoom } from '../nodes/receivers-room.ts';
import type { Message, Packet } from '../packet/packet.ts';
import { type Clock, isDue } from '../session/clock.ts';
import type { ClientSession } from '../session/client-session.ts';
import { HELD_BY_NODE, HELD_BY_RATE, HELD_BY_STORE, HELD_BY_WORK } from '../session/holds.ts';
import type { QueueLimits, RoomWatch } from '../session/queue-limits.ts';
import type { ServerRole } from '../session/server-role.ts';
import type { ServerSession } from '../session/server-session.ts';
import { LATER, type MessageHandler, type MessageSource } from '../session/session-role.ts';
import type { Bridge } from '../upstream/bridge.ts';
import { UNRESOLVED } from '../upstream/topic-map.ts';

/** Milliseconds between two looks when nobody has told of room. */
const INTERVAL = 50;
/** Of who waits: index of the session, and since when. */
const FIELDS = 2;
const SINCE = 1;
const OTHER_HOLDS = HELD_BY_RATE | HELD_BY_STORE | HELD_BY_WORK;

export class HeldMessages implements MessageHandler, RoomWatch {
  /** Times that somebody was made to wait. */
  heldCount = 0;
  /** Some node has little room, or had when it was looked at last. */
  private isActive = false;
  /** Who takes the messages of nodes and of the Server. */
  private receiver: MessageHandler;
  private serverReceiver: MessageHandler;
  private readonly role: ServerRole;
  private readonly clock: Clock;
  private readonly bridge: Bridge;
  private readonly delivery: Delivery;
  private readonly room: ReceiversRoom;
  private readonly limits: QueueLimits;
  private readonly growth: number;
  /** Those that wait, in the order in which they have begun to, and their number. */
  private readonly waiting: Int32Array;
  private count = 0;
  /** The message that was looked at last has to wait. */
  private isLeft = false;
  private isAsked = false;
  private dueAt = 0;
  /** Connection with the Server on which its message waits; 0: none does. */
  private serverConnection = 0;

  /** @param growth bytes by which a message can be longer in a queue than it came */
  constructor(role: ServerRole, bridge: Bridge, delivery: Delivery, growth: number) {
    this.growth = growth;
    this.role = role;
    this.clock = role.clock;
    this.bridge = bridge;
    this.delivery = delivery;
    this.receiver = role.acknowledgedReceiver;
    this.serverReceiver = bridge.session.role.acknowledgedReceiver;
    this.room = new ReceiversRoom(delivery, role.clock, role.settings);
    this.waiting = new Int32Array((role.sessions.length + 1) * FIELDS);
    this.limits = delivery.nodes.watchRoom(this);
    role.watch = bridge.session.role.watch = this;
  }

  /** In place of the index of a session: the Server. */
  private get server(): number {
    return this.role.sessions.length;
  }

  /** Messages are taken by these from now on. */
  serve(receiver: MessageHandler, serverReceiver: MessageHandler): void {
    this.receiver = receiver;
    this.serverReceiver = serverReceiver;
    this.place(this.isActive);
  }

  onLittleRoom(): void {
    if (this.isActive)
      return;
    this.place(true);
    this.dueAt = this.clock.now + INTERVAL | 0;
    this.clock.request(this.dueAt);
  }

  onLongerMessage(length: number): void {
    this.limits.expect(length + this.growth);
    if (this.room.isLittle)
      this.onLittleRoom();
  }

  /** A node has come. */
  admit(node: NodeState): void {
    if (!node.queue.hasRoomForAny)
      this.onLittleRoom();
  }

  /** A node has more room than before, or has gone. */
  ask(node: NodeState): void {
    if (this.count === 0 || !this.room.isClaimed(node))
      return;
    this.isAsked = true;
    this.clock.soon();
  }

  onMessage(source: MessageSource, packet: Packet): number {
    if (source === this.bridge.session)
      return this.onServerMessage(this.bridge.session, packet);
    const session = source as ServerSession;
    if (session.isRefused || packet.isOversize || !this.mustWait(session, packet))
      return this.receiver.onMessage(session, packet);
    session.parser.leaveMessage(packet);
    this.isLeft = true;
    if (!session.isHeldBy(HELD_BY_NODE)) {
      this.add(session.index);
      session.hold(HELD_BY_NODE);
    }
    return LATER;
  }

  onReleased(source: MessageSource, packetIdentifier: number): void {
    const receiver = source === this.bridge.session ? this.serverReceiver : this.receiver;
    receiver.onReleased?.(source, packetIdentifier);
  }

  handleDeferred(): void {
    if (this.isAsked)
      this.look();
  }

  handleTimeout(): void {
    if (!this.isActive)
      return;
    if (isDue(this.dueAt, this.clock.now))
      this.look();
    if (this.isActive)
      this.clock.request(this.dueAt);
  }

  // How it is done

  private onServerMessage(session: ClientSession, packet: Packet): number {
    if (packet.isOversize || !this.mustServerWait(packet))
      return this.serverReceiver.onMessage(session, packet);
    session.parser.leaveMessage(packet);
    this.isLeft = true;
    if (this.serverConnection !== session.connectionNumber) {
      this.serverConnection = session.connectionNumber;
      this.add(this.server);
    }
    return LATER;
  }

  private place(isActive: boolean): void {
    const { bridge: { session }, role, role: { sessions } } = this;
    this.isActive = isActive;
    role.leaveMessages(isActive);
    session.role.leaveMessages(isActive);
    role.acknowledgedReceiver = isActive ? this : this.receiver;
    session.role.acknowledgedReceiver = isActive ? this : this.serverReceiver;
    session.parser.prepareToLeave();
    for (let index = 0; index < sessions.length; ++index)
      sessions[index]!.parser.prepareToLeave();
  }

  private mustWait(session: ServerSession, packet: Packet): boolean {
    const { access, localAudience } = this.delivery;
    const node = session.sessionState as NodeState;
    let message: Message = packet;
    if (access === undefined || access.mountLengths[node.index] === 0) {
      if (localAudience[packet.topicIndex] === NOBODY)
        return false;
    } else {
      if (!access.mountMessage(node, packet))
        return false;
      message = access.mounted;
    }
    return (access === undefined || access.allows(node, this.delivery.uncachedTopic, message.topicNameOffset,
      message.topicNameLength, WRITE)) && this.room.isLackingFor(message, node.index);
  }

  private mustServerWait(packet: Packet): boolean {
    const { bridge: { inbound, incoming } } = this;
    const index = packet.topicIndex;
    const rule = inbound.table[index]! === UNRESOLVED ? inbound.resolve(index, packet) : inbound.table[index]!;
    if (rule < 0)
      return false;
    incoming.topicNameOffset = inbound.placesOffset + index * inbound.placeLength;
    incoming.topicNameLength = inbound.table[inbound.lengths + index]!;
    incoming.payloadLength = packet.payloadLength;
    incoming.qos = packet.qos;
    incoming.propertiesLength = packet.propertiesLength;
    return this.room.isLackingFor(incoming, FROM_SERVER);
  }

  /** Somebody begins to wait: as the last one, unless it has a place from an earlier connection. */
  private add(source: number): void {
    const { clock, waiting } = this;
    const end = this.count * FIELDS;
    let at = 0;
    ++this.heldCount;
    while (at < end && waiting[at] !== source)
      at += FIELDS;
    waiting[at + SINCE] = clock.now;
    if (at < end)
      return;
    waiting[at] = source;
    ++this.count;
    ++this.role.owingCount;
    clock.request(this.dueAt);
  }

  /** Each one that waits has its turn. */
  private look(): void {
    const { clock: { now }, room, server, waiting } = this;
    const before = this.count;
    let isServerFree = false;
    this.isAsked = false;
    this.dueAt = now + INTERVAL | 0;
    room.forgetClaims();
    room.isWaiting = true;
    this.count = 0;
    for (let index = 0; index < before; ++index) {
      const source = waiting[index * FIELDS]!, since = waiting[index * FIELDS + SINCE]!;
      room.isOld = (now - since | 0) >= this.role.settings.sendTimeout;
      if (source === server ? this.retryServer() : this.retry(this.role.sessions[source]!)) {
        waiting[this.count * FIELDS] = source;
        waiting[this.count++ * FIELDS + SINCE] = since;
      } else
        isServerFree ||= source === server;
    }
    this.role.owingCount -= before - this.count;
    room.isOld = room.isWaiting = false;
    if (isServerFree) {
      this.serverConnection = 0;
      this.bridge.session.readOn();
    }
    if (this.count === 0 && !room.isLittle)
      this.place(false);
  }

  /** @returns whether it waits on */
  private retry(session: ServerSession): boolean {
    if (!session.isConnected || !session.isHeldBy(HELD_BY_NODE))
      return false;
    this.isLeft = false;
    session.readAhead();
    if (session.isHeldBy(OTHER_HOLDS))
      return session.isConnected;
    session.parser.receiveOne();
    if (!this.isLeft && session.isConnected)
      session.release(HELD_BY_NODE);
    return this.isLeft;
  }

  /** @returns whether it waits on */
  private retryServer(): boolean {
    const { bridge: { session } } = this;
    if (!session.isConnected || session.connectionNumber !== this.serverConnection)
      return false;
    this.isLeft = false;
    session.readAhead();
    session.parser.receiveOne();
    return this.isLeft;
  }
}
