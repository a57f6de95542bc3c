/**
 * Messages of QoS 1 and 2 for nodes whose sessions are kept, in the log of the store. Each record is for one node; the
 * node's queue in memory has the same messages, so nothing is read back but at start. There they are put in the order
 * of their numbers: a record that makes room for others moves to the tail of the log.
 */
import type { Arena, ArenaPlan } from '../bytes/arena.ts';
import type { Message } from '../packet/packet.ts';
import type { Clock } from '../session/clock.ts';
import type { MessageAge } from '../session/message-age.ts';
import type { NodeJournal } from '../session/node-journal.ts';
import { DOUBT, RELEASED } from '../session/record-layout.ts';
import type { StoredQueue } from '../session/stored-queue.ts';
import { TOO_LONG } from '../store/message-queue.ts';
import type { Store } from '../store/message-store.ts';
import { DOWN_PROPERTIES, DOWN_RULE, lengthOfMessage, LONGEST_DOWN_PROPERTIES } from '../store/record-format.ts';
import { MESSAGE_DOWN, MessageFields } from '../store/stored-message.ts';
import { StoreStamps } from '../store/store-stamps.ts';
import type { AwaitingNodes } from './awaiting-nodes.ts';
import type { NodeState } from './node-state.ts';

/** Identity of the Server as one who sends; those of nodes are odd. */
export const SERVER_IDENTITY = 2;

/**
 * Results of `push` that are no positions: there is no storage that works; half of the log is full of messages for
 * nodes; all of it is, of messages that must be kept; no block is long enough.
 */
export const UNSTORED = 0;
const HALF_FULL = -1;
const FULL = -2;
const UNFIT = -3;

/** The one destination of a message. */
const NODE = 0;
/** Bytes that a record has beside the packet of its message. */
const OVERHEAD = lengthOfMessage(DOWN_PROPERTIES, 1);

/** Knows who sends the message at hand with QoS 2, and for whom it has been stored already: it may come again. */
export interface MessageAtHand {
  /** 0: nobody. */
  readonly sender: number;
  readonly identifier: number;
  isStoredFor(destination: number): boolean;
  stored(destination: number, position: number): void;
}

/** Knows which messages of QoS 2 may come again, by the places of their records. */
export interface OriginIndex {
  /** @returns the index of the one whose record was at `position`, or -1: nobody will send it again */
  indexOfStored(position: number): number;
  originAt(index: number): number;
  identifierAt(index: number): number;
  /** Its record is there now. */
  moveTo(index: number, position: number): void;
}

/** Puts a message into the log, and makes room for it as far as `store.full` allows. @returns as `MessageQueue.push` */
export interface MessageLog {
  pushDown(fields: MessageFields): number;
}

/** What is known of a message beside what the queue says. */
export interface Again {
  readonly origins: OriginIndex;
  /** Index in it, or -1. */
  origin: number;
  /** Its `takenAt` is the age in seconds; undefined: it may wait for ever. */
  age: MessageAge | undefined;
}

export class StoredMessages extends StoreStamps implements NodeJournal {
  /** Messages that wait for nodes, and bytes that they take about. */
  count = 0;
  usedLength = 0;
  /** Nodes whose queues wait for something to be durable. */
  awaiting!: AwaitingNodes;
  /** What numbers have gone up to. */
  private lastNumber = 0;
  private readonly fields = new MessageFields();
  private readonly arena: Arena;
  private readonly clock: Clock;
  private readonly log: MessageLog;
  private readonly atHand: MessageAtHand;
  private readonly propertiesOffset: number;

  static plan(plan: ArenaPlan): number {
    return plan.reserve('store: number of a message', LONGEST_DOWN_PROPERTIES);
  }

  constructor(store: Store, clock: Clock, log: MessageLog, atHand: MessageAtHand, propertiesOffset: number) {
    super(store);
    this.arena = store.arena;
    this.clock = clock;
    this.log = log;
    this.atHand = atHand;
    this.propertiesOffset = propertiesOffset;
  }

  /** Another storage is opened. */
  reset(): void {
    this.count = this.usedLength = 0;
  }

  /**
   * Stores a message for a node.
   * @param mountLength bytes of its mount point, which lie before the topic @param record of its queue, which has it
   * already
   * @returns UNSTORED, HALF_FULL, FULL, UNFIT, or the position, which the queue knows then
   */
  push(node: NodeState, message: Message, record: number, mountLength: number): number {
    const { atHand, fields, store } = this;
    const queue = node.queue as StoredQueue;
    if (!store.isWorking)
      return UNSTORED;
    if (!this.hasShareFor(queue, record))
      return HALF_FULL;
    store.advanceClock(this.clock.now);
    this.fill(node, message, record, this.nextNumber());
    fields.topicNameOffset = message.topicNameOffset - mountLength;
    fields.topicNameLength = message.topicNameLength + mountLength;
    const { age } = queue.limits;
    if (age !== undefined && age.lifetime > 0)
      this.limit(age, store.clock.now);
    fields.rule = atHand.sender;
    fields.originIdentifier = atHand.identifier;
    fields.identifier = 0;
    const position = this.log.pushDown(fields);
    if (position <= 0)
      return !store.isWorking ? UNSTORED : position === TOO_LONG ? UNFIT : FULL;
    this.add(queue.lengthOf(record));
    queue.store(record, position);
    atHand.stored(node.identity, position);
    this.clock.soon();
    return position;
  }

  /**
   * Stores a message that is in the queue of its node and in no log. Nothing makes room for it.
   * @param message with its mount point
   * @returns whether it is stored
   */
  pushAgain(node: NodeState, message: Message, record: number, number: number, { age, origin, origins }: Again):
    boolean {
    const { fields, store, store: { queue: log } } = this;
    const queue = node.queue as StoredQueue;
    if (!this.hasShareFor(queue, record))
      return false;
    this.fill(node, message, record, number);
    fields.topicNameOffset = message.topicNameOffset;
    fields.topicNameLength = message.topicNameLength;
    if (age !== undefined && age.lifetime > 0)
      this.limit(age, Math.max(0, store.clock.now - age.takenAt));
    fields.rule = origin < 0 ? 0 : origins.originAt(origin);
    fields.originIdentifier = origin < 0 ? 0 : origins.identifierAt(origin);
    fields.identifier = queue.identifierOf(record);
    const position = log.push(fields);
    if (position <= 0)
      return false;
    if (queue.stateOf(record) === RELEASED)
      log.received(position, NODE);
    if (origin >= 0)
      origins.moveTo(origin, position);
    this.add(queue.lengthOf(record));
    queue.store(record, position);
    this.clock.soon();
    return true;
  }

  nextNumber(): number {
    return ++this.lastNumber;
  }

  /** The other half of the log is for messages up, and for room to move. */
  private hasShareFor(queue: StoredQueue, record: number): boolean {
    return this.usedLength + OVERHEAD + queue.lengthOf(record) <= this.store.queue.capacity >>> 1;
  }

  private fill(node: NodeState, message: Message, record: number, number: number): void {
    const { arena: { view }, fields, propertiesOffset, store } = this;
    view.setUint32(propertiesOffset, number);
    view.setUint32(propertiesOffset + 4, 0);
    fields.kind = MESSAGE_DOWN;
    fields.payloadOffset = message.payloadOffset;
    fields.payloadLength = message.payloadLength;
    fields.propertiesOffset = propertiesOffset;
    fields.propertiesLength = DOWN_PROPERTIES;
    fields.qos = node.queue.qosOf(record);
    fields.retain = message.retain;
    fields.takenAt = store.clock.now;
    fields.deadline = 0;
    fields.origin = node.identity;
  }

  private limit({ lifetime, rule }: MessageAge, takenAt: number): void {
    const { arena: { view }, fields, propertiesOffset } = this;
    view.setInt32(propertiesOffset + DOWN_RULE, rule);
    fields.propertiesLength = LONGEST_DOWN_PROPERTIES;
    fields.takenAt = takenAt;
    fields.deadline = takenAt + lifetime;
  }

  /** A message has been found that is in the queue of its node now. */
  add(packetLength: number): void {
    ++this.count;
    this.usedLength += OVERHEAD + packetLength;
  }

  /** A record has another place now. @returns whether it is of this node */
  move(node: NodeState, from: number, to: number): boolean {
    return (node.queue as StoredQueue).move(from, to);
  }

  /** A number was found. */
  reach(number: number): void {
    if (number > this.lastNumber)
      this.lastNumber = number;
  }

  // NodeJournal

  awaitDurable(index: number): void {
    this.awaiting.add(index);
  }

  underWay(position: number, identifier: number, qos: number): void {
    this.store.queue.underWay(position, NODE, identifier, qos === 2);
    if (qos === 2)
      this.clock.soon();
  }

  received(position: number): void {
    this.store.queue.received(position, NODE);
    this.clock.soon();
  }

  done(position: number, packetLength: number): void {
    --this.count;
    this.usedLength -= OVERHEAD + packetLength;
    if ((position & DOUBT) === 0 || !this.store.isWorking)
      this.store.queue.done(position & ~DOUBT, NODE);
  }
}
