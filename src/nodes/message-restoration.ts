/** Brings messages back that wait for nodes, from the log of the store, in the order of their numbers. */
import type { Arena } from '../bytes/arena.ts';
import { PlainSpans } from '../packet/packet.ts';
import { IDENTIFIER_RANGE } from '../session/identifier-ranges.ts';
import { NONE, RELEASED, SENT } from '../session/record-layout.ts';
import type { StoredQueue } from '../session/stored-queue.ts';
import type { Store } from '../store/message-store.ts';
import { DOWN_NUMBER, DOWN_RULE, LONGEST_DOWN_PROPERTIES } from '../store/record-format.ts';
import { RECEIVED, type StoredMessage } from '../store/stored-message.ts';
import { type Access, READ } from './access.ts';
import type { Delivery } from './delivery.ts';
import type { MessageExpiry } from './message-expiry.ts';
import type { NodeState } from './node-state.ts';
import type { NodeStates } from './node-states.ts';
import type { StoredMessages } from './stored-messages.ts';
import type { StoredSessions } from './stored-sessions.ts';

/** The one destination of a message. */
const NODE = 0;
/** Number and position. */
const FIELDS = 2;

export interface MessageRestorationParts {
  readonly store: Store;
  readonly nodes: NodeStates;
  readonly delivery: Delivery;
  access: Access | undefined;
  readonly sessions: StoredSessions;
  readonly messages: StoredMessages;
  readonly messageExpiry: MessageExpiry | undefined;
}

export class MessageRestoration {
  private readonly parts: MessageRestorationParts;
  private readonly arena: Arena;
  private readonly message = new PlainSpans();
  /** Of messages that were found in the log: number and position. */
  private found: Uint32Array | undefined = undefined;
  private foundCount = 0;

  constructor(parts: MessageRestorationParts) {
    this.parts = parts;
    this.arena = parts.store.arena;
  }

  begin(): void {
    this.foundCount = 0;
  }

  /** A message was found in the log that is not settled. */
  onMessage({ position, propertiesOffset }: StoredMessage): void {
    const old = this.found;
    if (old === undefined || this.foundCount * FIELDS === old.length) {
      const longer = this.found = new Uint32Array(Math.max(32, this.foundCount * FIELDS * 2));
      if (old !== undefined)
        longer.set(old);
    }
    const found = this.found!;
    const number = this.arena.view.getUint32(propertiesOffset + DOWN_NUMBER);
    let at = this.foundCount++ * FIELDS;
    for (; at > 0 && found[at - FIELDS]! > number; at -= FIELDS) { // only what was moved is not in order
      found[at] = found[at - FIELDS]!;
      found[at + 1] = found[at - 1]!;
    }
    found[at] = number;
    found[at + 1] = position;
    this.parts.messages.reach(number);
  }

  /** Gives them to their nodes. @returns how many are for nobody of today */
  restore(): number {
    const { found, foundCount, parts: { store: { queue } } } = this;
    let droppedCount = 0;
    for (let index = 0; index < foundCount; ++index) {
      const position = found![index * FIELDS + 1]!;
      if (!queue.load(position) || this.restoreMessage(queue.record))
        continue;
      queue.giveUp(position, NODE);
      ++droppedCount;
    }
    this.found = undefined;
    return droppedCount;
  }

  /** @returns false when it is not for any node of today */
  private restoreMessage(stored: StoredMessage): boolean {
    const { message, parts: { messages, nodes, sessions } } = this;
    const node = nodes.identities.find(stored.origin);
    if (node === undefined || !sessions.isKept(node))
      return false;
    const queue = node.queue as StoredQueue;
    const known = queue.findStored(stored.position);
    if (known !== NONE) {
      messages.add(queue.lengthOf(known));
      this.complete(stored, queue, known);
      return true;
    }
    const mountLength = this.mountLengthFor(node, stored);
    if (mountLength < 0)
      return false;
    message.topicNameOffset = stored.topicNameOffset + mountLength;
    message.topicNameLength = stored.topicNameLength - mountLength;
    message.payloadOffset = stored.payloadOffset;
    message.payloadLength = stored.payloadLength;
    message.retain = stored.retain;
    if (!this.isInTime(node, stored))
      return true; // it is counted
    const record = queue.appendStored(message, stored.qos, stored.position);
    this.parts.messageExpiry?.end();
    if (record === NONE)
      return false;
    messages.add(queue.lengthOf(record));
    const identifier = stored.identifiers[NODE]!;
    if (identifier !== 0) {
      const isReceived = stored.qos === 2 && (stored.states[NODE]! & RECEIVED) !== 0;
      queue.identify(record, identifier, isReceived ? RELEASED : SENT);
      queue.continueIdentifiers(identifier | IDENTIFIER_RANGE - 1);
    }
    return true;
  }

  /** Whether it may still wait; what has been sent may: its node may know it. */
  private isInTime(node: NodeState, stored: StoredMessage): boolean {
    const { arena: { view }, parts: { messageExpiry, store } } = this;
    const { deadline, identifiers, position, propertiesLength, propertiesOffset, takenAt } = stored;
    if (messageExpiry === undefined || deadline === 0 || identifiers[NODE] !== 0
      || propertiesLength < LONGEST_DOWN_PROPERTIES
      || messageExpiry.restore(view.getInt32(propertiesOffset + DOWN_RULE), deadline - takenAt,
        store.clock.age(takenAt), node))
      return true;
    store.queue.giveUp(position, NODE);
    return false;
  }

  /** What became of a message of the queue while its record could not be written is written. */
  private complete({ identifiers, position, states }: StoredMessage, queue: StoredQueue, record: number): void {
    const { store: { queue: log } } = this.parts;
    const identifier = queue.identifierOf(record);
    if (queue.qosOf(record) !== 2 || identifier === 0)
      return;
    if (identifiers[NODE] === 0)
      log.underWay(position, NODE, identifier, true);
    if (queue.stateOf(record) === RELEASED && (states[NODE]! & RECEIVED) === 0)
      log.received(position, NODE);
  }

  /** @returns bytes of the topic that the node does not see; -1 when it may not read it */
  private mountLengthFor(node: NodeState, { topicNameLength, topicNameOffset }: StoredMessage): number {
    const { access, delivery } = this.parts;
    if (access === undefined)
      return 0;
    const mountLength = access.mountLengths[node.index]!;
    return access.isBelow(node, topicNameOffset, topicNameLength)
      && (mountLength === 0 || access.isInside(node, topicNameOffset, topicNameLength))
      && access.allows(node, delivery.uncachedTopic, topicNameOffset, topicNameLength, READ) ? mountLength : -1;
  }
}
