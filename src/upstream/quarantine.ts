/**
 * Messages that the Server will not have. They stay until somebody decides: released, they go by the rules of that day,
 * with their local topic. Of fixed size. A quarter of it is the share of one node and rule; who has used it up is
 * refused at the listener. When all of it is full the oldest message is given up, and counted.
 *
 * They lie in the arena, one after the other, or in the map of the store where that is durable.
 *
 *   | origin (4) | rule (4) | taken at (4) | length of topic (2) | flags (1) | reason (1) | topic | payload |
 *   and if there is a node, and room: its Client Identifier | length of that (2)
 */
import type { Arena, ArenaPlan } from '../bytes/arena.ts';
import type { Message } from '../packet/packet.ts';
import type { Store } from '../store/message-store.ts';
import type { NodeState } from '../nodes/node-state.ts';
import { QUARANTINED, QUARANTINED_OF_NODE } from '../store/record-format.ts';
import { QuarantinedMessage, type Suspect } from './quarantined-message.ts';

export const HEADER_LENGTH = 16;
export const RULE = 4;
const TAKEN_AT = 8;
const TOPIC_LENGTH = 12;
const FLAGS = 14;
const REASON = 15;
/** Beside the QoS. */
const RETAIN_FLAG = 4;
const NODE_FLAG = 8;
const NAME_LENGTH = 2;
/** Its part of the map of a store. */
export const MAP_SHIFT = 2;

/** Of `entries`: number, bytes << 1 | whether it says who its node is, origin and rule, in turn. */
const FIELDS = 4;
const LENGTH = 1;
const ORIGIN = 2;
const RULE_FIELD = 3;
/** Such a message has another kind in the map. */
const NAMED = 1;

export class Quarantine {
  count = 0;
  /** Bytes. */
  usedLength = 0;
  /** Since the start. */
  setAsideCount = 0;
  givenUpCount = 0;
  /** What `read` has read. */
  readonly message = new QuarantinedMessage();
  readonly capacity: number;
  readonly length: number;
  /** Where they are; undefined: in memory. */
  store: Store | undefined = undefined;
  private readonly arena: Arena;
  private readonly offset: number;
  private readonly isDurable: boolean;
  /** Bytes of one that has room. */
  private readonly longest: number;
  private readonly entries: Uint32Array;
  lastNumber = 0;

  /** @param longest topic and payload of a message together: one must fit, however small the quarantine is */
  static plan(plan: ArenaPlan, size: readonly [number, number], longest: number, isDurable: boolean): number {
    const one = HEADER_LENGTH + longest;
    return plan.reserve('quarantine', size[0] === 0 ? 0 : isDurable || size[1] < one ? one : size[1]);
  }

  /** @param isDurable they are in the map of the store, and only there; memory has room for one */
  constructor(arena: Arena, offset: number, size: readonly [number, number], longest: number, isDurable: boolean) {
    const capacity = size[0];
    const one = HEADER_LENGTH + longest;
    this.arena = arena;
    this.offset = offset;
    this.isDurable = isDurable;
    this.longest = one;
    this.length = capacity === 0 ? 0 : size[1] < one ? one : size[1];
    this.capacity = capacity;
    this.entries = new Uint32Array(capacity * FIELDS);
  }

  /** Bytes that it may have. In the map of a store a quarter at most: the rest is for what nodes must be promised. */
  get room(): number {
    const state = this.isDurable ? this.store?.state : undefined;
    return state === undefined ? this.length : Math.min(this.length, state.capacity >> MAP_SHIFT);
  }

  /** Messages of one node and rule. */
  get share(): number {
    return this.capacity < 4 ? this.capacity : this.capacity >> 2;
  }

  countOf(origin: number, rule: number): number {
    const { entries } = this;
    let count = 0;
    for (let index = 0, at = 0; index < this.count; ++index, at += FIELDS)
      if (entries[at + ORIGIN] === origin >>> 0 && entries[at + RULE_FIELD] === rule >>> 0)
        ++count;
    return count;
  }

  /** Whether there is room for so many bytes of topic and payload, and nothing gives way for them. */
  hasRoom(length: number): boolean {
    return this.count < this.capacity && this.usedLength + HEADER_LENGTH + length <= this.room;
  }

  /** Of the node and rule of the message at `index`. */
  private countOfSame(index: number): number {
    return this.countOf(this.originOf(index), this.ruleOf(index));
  }

  /** Whether some node has used up its share. */
  get hasFullShare(): boolean {
    return this.fullShare >= 0;
  }

  /** @returns the index of a message of such a node, or -1 */
  get fullShare(): number {
    for (let index = 0; index < this.count; ++index)
      if (this.originOf(index) !== 0 && this.countOfSame(index) >= this.share)
        return index;
    return -1;
  }

  /**
   * Takes a message; the oldest ones give way if there is no room. @param qos that it had when it came @param node
   * whose it is, if that is known @returns its number; 0 when it has not been taken: it is too long, or the storage
   * does not work
   */
  add(message: Message, qos: number, suspect: Suspect, node: NodeState | undefined): number {
    const { arena: { bytes, view } } = this;
    const { payloadLength, topicNameLength } = message;
    let length = HEADER_LENGTH + topicNameLength + payloadLength;
    const nameLength = node === undefined ? 0 : node.identifierLength === 0 ? node.formerLength : node.identifierLength;
    const isNamed = nameLength > 0 && length + nameLength + NAME_LENGTH <= this.longest;
    if (isNamed)
      length += nameLength + NAME_LENGTH;
    if (length > this.length || this.isDurable && this.store?.state === undefined)
      return 0;
    const room = Math.max(this.room, length);
    while (this.count === this.capacity || this.usedLength + length > room)
      this.giveUpOldest();
    const at = this.isDurable ? this.offset : this.offset + this.usedLength;
    view.setUint32(at, suspect.origin);
    view.setUint32(at + RULE, suspect.rule);
    view.setUint32(at + TAKEN_AT, suspect.takenAt);
    view.setUint16(at + TOPIC_LENGTH, topicNameLength);
    bytes[at + FLAGS] = qos | (message.retain === 0 ? 0 : RETAIN_FLAG) | (isNamed ? NODE_FLAG : 0);
    bytes[at + REASON] = suspect.reason;
    const topic = at + HEADER_LENGTH;
    bytes.copyWithin(topic, message.topicNameOffset, message.topicNameOffset + topicNameLength);
    bytes.copyWithin(topic + topicNameLength, message.payloadOffset, message.payloadOffset + payloadLength);
    if (isNamed) {
      bytes.copyWithin(at + length - NAME_LENGTH - nameLength, node!.identifierOffset,
        node!.identifierOffset + nameLength);
      view.setUint16(at + length - NAME_LENGTH, nameLength);
    }
    const number = this.lastNumber + 1;
    const kind = isNamed ? QUARANTINED_OF_NODE : QUARANTINED;
    if (this.isDurable)
      while (!this.store!.state!.put(kind, number, at, length)) { // the map is shared: it may be full first
        if (this.count === 0 || !this.store!.isWorking)
          return 0;
        this.giveUpOldest();
      }
    ++this.setAsideCount;
    this.enter(number, at, length);
    return number;
  }

  /** Fills `message`, whose spans are valid until the next call. */
  read(index: number): QuarantinedMessage {
    const { arena: { bytes, view }, message } = this;
    const at = this.locate(index);
    message.number = this.numberOf(index);
    message.origin = this.originOf(index);
    message.rule = this.ruleOf(index);
    message.takenAt = view.getUint32(at + TAKEN_AT);
    message.qos = bytes[at + FLAGS]! & 3;
    message.retain = (bytes[at + FLAGS]! & RETAIN_FLAG) === 0 ? 0 : 1;
    message.reason = bytes[at + REASON]!;
    message.topicNameOffset = at + HEADER_LENGTH;
    message.topicNameLength = view.getUint16(at + TOPIC_LENGTH);
    message.payloadOffset = message.topicNameOffset + message.topicNameLength;
    const end = at + this.lengthOf(index);
    const isNamed = this.isNamed(index);
    message.nameLength = isNamed ? view.getUint16(end - NAME_LENGTH) : 0;
    message.nameOffset = isNamed ? end - NAME_LENGTH - message.nameLength : end;
    message.payloadLength = message.nameOffset - message.payloadOffset;
    return message;
  }

  /** @returns indices in the order in which the messages came; for whoever reads them */
  inOrder(): number[] {
    const times = Array.from({ length: this.count }, (_, index) => this.read(index).takenAt);
    return [...times.keys()].sort((one, other) => times[one]! - times[other]!
      || this.numberOf(one) - this.numberOf(other));
  }

  /** @returns the index of the message with this number, or -1 */
  indexOf(number: number): number {
    for (let index = 0; index < this.count; ++index)
      if (this.numberOf(index) === number)
        return index;
    return -1;
  }

  removeAt(index: number): void {
    const length = this.lengthOf(index);
    if (this.isDurable)
      this.store?.state?.remove(this.kindOf(index), this.numberOf(index));
    else {
      const at = this.locate(index);
      this.arena.bytes.copyWithin(at, at + length, this.offset + this.usedLength);
    }
    this.forgetAt(index);
  }

  /** Removes the message at `index` from what is known, not from the store. */
  forgetAt(index: number): void {
    const length = this.lengthOf(index);
    this.entries.copyWithin(index * FIELDS, (index + 1) * FIELDS, this.count * FIELDS);
    this.usedLength -= length;
    --this.count;
  }

  /** What is in a storage is told anew: nothing is known. */
  clear(): void {
    this.count = this.usedLength = 0;
  }

  /** Of those that have more than their share, if there are any: nobody's flood costs others their messages. */
  private giveUpOldest(): void {
    ++this.givenUpCount;
    let oldest = 0;
    let isOver = false;
    for (let index = 0; index < this.count; ++index) { // what was found at start has any order
      const isOverShare = this.countOfSame(index) > this.share;
      if (isOverShare && !isOver || isOverShare === isOver && this.numberOf(index) < this.numberOf(oldest)) {
        oldest = index;
        isOver = isOverShare;
      }
    }
    this.removeAt(oldest);
  }

  /** @returns where the message lies in memory; one of the store is brought there */
  private locate(index: number): number {
    const { arena: { bytes }, offset } = this;
    if (this.isDurable) {
      const from = this.store?.state?.load(this.kindOf(index), this.numberOf(index)) ?? 0;
      if (from === 0)
        bytes.fill(0, offset, offset + HEADER_LENGTH); // unreadable
      else
        bytes.copyWithin(offset, from, from + this.lengthOf(index));
      return offset;
    }
    let at = offset;
    for (let before = 0; before < index; ++before)
      at += this.lengthOf(before);
    return at;
  }

  private numberOf(index: number): number {
    return this.entries[index * FIELDS]!;
  }

  originOf(index: number): number {
    return this.entries[index * FIELDS + ORIGIN]!;
  }

  lengthOf(index: number): number {
    return this.entries[index * FIELDS + LENGTH]! >>> 1;
  }

  /** Identity of the rule by which it came. */
  ruleOf(index: number): number {
    return this.entries[index * FIELDS + RULE_FIELD]!;
  }

  private isNamed(index: number): boolean {
    return (this.entries[index * FIELDS + LENGTH]! & NAMED) !== 0;
  }

  kindOf(index: number): number {
    return this.isNamed(index) ? QUARANTINED_OF_NODE : QUARANTINED;
  }

  /** A message with this number, as it lies at `at`, is there. */
  enter(number: number, at: number, length: number): void {
    const { arena: { bytes, view }, entries } = this;
    const entry = this.count * FIELDS;
    entries[entry] = number;
    entries[entry + LENGTH] = length << 1 | ((bytes[at + FLAGS]! & NODE_FLAG) === 0 ? 0 : NAMED);
    entries[entry + ORIGIN] = view.getUint32(at);
    entries[entry + RULE_FIELD] = view.getUint32(at + RULE);
    this.usedLength += length;
    this.lastNumber = number > this.lastNumber ? number : this.lastNumber;
    ++this.count;
  }
}
