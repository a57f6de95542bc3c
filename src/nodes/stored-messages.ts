/**
 * Messages of QoS 1 and 2 for nodes whose sessions are kept, in the log of the store. Each record is for one node; the
 * node's queue in memory has the same messages, so nothing is read back but at start. There they are put in the order
 * of their numbers: a record that makes room for others moves to the tail of the log.
 */
import type { Arena, ArenaPlan } from '../bytes/arena.ts';
import type { Message } from '../packet/packet.ts';
import type { Clock } from '../session/clock.ts';
import type { NodeJournal } from '../session/node-journal.ts';
import type { StoredQueue } from '../session/stored-queue.ts';
import { TOO_LONG } from '../store/message-queue.ts';
import type { Store } from '../store/message-store.ts';
import { DOWN_PROPERTIES, DOWN_RULE, lengthOfMessage, LONGEST_DOWN_PROPERTIES } from '../store/record-format.ts';
import { MESSAGE_DOWN, MessageFields } from '../store/stored-message.ts';
import { StoreStamps } from '../store/store-stamps.ts';
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

/** Puts a message into the log, and makes room for it as far as `store.full` allows. @returns as `MessageQueue.push` */
export interface MessageLog {
  pushDown(fields: MessageFields): number;
}

export class StoredMessages extends StoreStamps implements NodeJournal {
  /** Messages that wait for nodes, and bytes that they take about. */
  count = 0;
  usedLength = 0;
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
    const { arena: { view }, atHand, fields, propertiesOffset, store } = this;
    const queue = node.queue as StoredQueue;
    if (!store.isWorking)
      return UNSTORED;
    // The other half is for messages up, and for room to move.
    if (this.usedLength + OVERHEAD + queue.lengthOf(record) > store.queue.capacity >>> 1)
      return HALF_FULL;
    store.advanceClock(this.clock.now);
    view.setUint32(propertiesOffset, ++this.lastNumber);
    view.setUint32(propertiesOffset + 4, 0);
    fields.kind = MESSAGE_DOWN;
    fields.topicNameOffset = message.topicNameOffset - mountLength;
    fields.topicNameLength = message.topicNameLength + mountLength;
    fields.payloadOffset = message.payloadOffset;
    fields.payloadLength = message.payloadLength;
    fields.propertiesOffset = propertiesOffset;
    fields.propertiesLength = DOWN_PROPERTIES;
    fields.qos = queue.qosOf(record);
    fields.retain = message.retain;
    fields.takenAt = store.clock.now;
    fields.deadline = 0;
    const { age } = queue.limits;
    if (age !== undefined && age.lifetime > 0) {
      view.setInt32(propertiesOffset + DOWN_RULE, age.rule);
      fields.propertiesLength = LONGEST_DOWN_PROPERTIES;
      fields.deadline = fields.takenAt + age.lifetime;
    }
    fields.rule = atHand.sender;
    fields.origin = node.identity;
    fields.originIdentifier = atHand.identifier;
    const position = this.log.pushDown(fields);
    if (position <= 0)
      return !store.isWorking ? UNSTORED : position === TOO_LONG ? UNFIT : FULL;
    this.add(queue.lengthOf(record));
    queue.store(record, position);
    atHand.stored(node.identity, position);
    this.clock.soon();
    return position;
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
    this.store.queue.done(position, NODE);
  }
}
