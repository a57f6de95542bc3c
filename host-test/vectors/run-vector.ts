/**
 * Runs bytes through a parser and keeps a log: one line per packet, then `error 0x..` if it ended in one. Engine-
 * neutral, so that Node and XS compare the same lines.
 *
 * Bytes go through the landing area, as io does it: never more than the parser wants at a time, and what has been
 * received is overwritten at once, the staging area too. Guards lie around the parser's ring and the topic table.
 */
import { Arena, ArenaPlan } from '../../src/bytes/arena.ts';
import { RingSpace } from '../../src/bytes/ring-buffer.ts';
import * as ControlPacket from '../../src/packet/control-packet.ts';
import { Packet } from '../../src/packet/packet.ts';
import { OVERSIZE_CLOSE, type PacketHandler, type ParserContext } from '../../src/packet/packet-handler.ts';
import { PacketParser } from '../../src/packet/packet-parser.ts';
import * as ProtocolVersion from '../../src/packet/protocol-version.ts';
import { SUCCESS } from '../../src/packet/reason-code.ts';
import { TopicTable, type TopicTableOwner } from '../../src/packet/topic-table.ts';
import { describe, fieldsOf, textOf } from './event-log.ts';
import type { Sender } from './vector.ts';
import { NOT_WRITABLE, writePacket } from './write-packet.ts';

/** Who may send what, from the column "Direction of flow" of table 2.1 of MQTT 3.1.1. */
const BOTH = 1 << 3 | 1 << 4 | 1 << 5 | 1 << 6 | 1 << 7;
const CLIENT_TYPES = BOTH | 1 << 1 | 1 << 8 | 1 << 10 | 1 << 12 | 1 << 14;
export const SERVER_TYPES = BOTH | 1 << 2 | 1 << 9 | 1 << 11 | 1 << 13;

const POISON = 0xA5;
const GUARD_LENGTH = 16;

export interface MachineOptions {
  /** Capacity of the parser's ring. */
  readonly maximumPacketSize: number;
  /** Default: the same. */
  readonly landingCapacity?: number;
  readonly topicCount?: number;
  readonly topicCapacity?: number;
  readonly oversize?: number;
  /** Default: no, which is much faster on Node. */
  readonly resizable?: boolean;
  /** Room for one packet written by our writers; 0 for none. */
  readonly outputCapacity?: number;
}

export interface RunOptions {
  /** Cut the bytes in fragments of this length, */
  readonly every?: number;
  /** or cut them here. Default: one fragment. */
  readonly cuts?: readonly number[];
  /** Pause after every so many packets; resumed when there are more bytes to feed. */
  readonly pauseEvery?: number;
}

export class VectorMachine implements PacketHandler, TopicTableOwner {
  readonly log: string[] = [];
  /** What the parser reported; SUCCESS while it has not. */
  reasonCode = SUCCESS;
  /** How many bytes had been fed when the parser failed, in whole fragments; -1: it did not. */
  failedAfter = -1;
  /** What our writers made of the last packet; undefined when they cannot, or there is no room for output. */
  written: Uint8Array | undefined;
  readonly arena: Arena;
  readonly role: ParserContext;
  readonly parser: PacketParser;
  readonly maximumPacketSize: number;
  /** Pause after every so many packets; 0: never. */
  pauseEvery = 0;
  readonly topics: TopicTable;
  private readonly guards: readonly number[];
  private readonly output: number;
  private readonly outputCapacity: number;
  /** What the numbers of the topic table stand for, as far as its owner has been told. */
  private readonly names: (string | undefined)[] = [];
  private fed = 0;

  constructor(options: MachineOptions) {
    const { maximumPacketSize, landingCapacity = maximumPacketSize, topicCount = 4, topicCapacity = 16,
      outputCapacity = 0, oversize = OVERSIZE_CLOSE } = options;
    const plan = new ArenaPlan();
    const guards = [plan.reserve('guard', GUARD_LENGTH)];
    const ringOffset = plan.reserve('ring', maximumPacketSize);
    guards.push(plan.reserve('guard', GUARD_LENGTH));
    const topicsOffset = TopicTable.plan(plan, topicCount, topicCapacity, 1);
    guards.push(plan.reserve('guard', GUARD_LENGTH));
    this.output = plan.reserve('output', outputCapacity);
    guards.push(plan.reserve('guard', GUARD_LENGTH));
    const arena = this.arena =
      new Arena(plan,
        { landingCapacity, stagingCapacity: Math.max(maximumPacketSize, 8), resizable: options.resizable ?? false });
    for (const guard of guards)
      arena.bytes.fill(POISON, guard, guard + GUARD_LENGTH);
    arena.bytes.fill(POISON, ringOffset, ringOffset + maximumPacketSize);
    arena.bytes.fill(POISON, arena.landingOffset);
    this.guards = guards;
    this.maximumPacketSize = maximumPacketSize;
    this.outputCapacity = outputCapacity;
    this.topics = new TopicTable(arena, topicsOffset, topicCount, topicCapacity);
    this.topics.owner = this;
    this.role = { packet: new Packet(arena), topics: this.topics, settings: { maximumPacketSize, oversize },
      ringSpace: new RingSpace(arena, maximumPacketSize),
      readLength: Math.min(maximumPacketSize, arena.landingCapacity),
      noteAbove: maximumPacketSize, noteLength() { /* known */ }, leavesMessages: false };
    this.parser = new PacketParser(this, ringOffset);
  }

  /** A new connection to `sender`, whose first byte tells whether its version is known yet. */
  start(sender: Sender, version: number, firstByte: number | undefined): void {
    const isConnect = firstByte !== undefined && firstByte >> 4 === ControlPacket.CONNECT;
    const types = sender === 'client' ? CLIENT_TYPES
      : ProtocolVersion.hasProperties(version) ? SERVER_TYPES | 1 << ControlPacket.DISCONNECT : SERVER_TYPES;
    this.parser.reset(types, isConnect ? ProtocolVersion.UNKNOWN : version);
    this.log.length = 0;
    this.fed = 0;
    this.failedAfter = -1;
    this.reasonCode = SUCCESS;
    this.pauseEvery = 0;
    this.written = undefined;
  }

  /** Feeds [`from`, `to`) of `source` as one fragment. */
  feed(source: Uint8Array, from: number, to: number): void {
    const { arena, parser } = this;
    const { bytes, landingOffset } = arena;
    while (from < to && parser.wanted >= 0) {
      if (this.isPaused) {
        parser.resume();
        continue;
      }
      const length = to - from < parser.wanted ? to - from : parser.wanted;
      for (let index = 0; index < length; ++index)
        bytes[landingOffset + index] = source[from + index]!;
      parser.receive(landingOffset, landingOffset + length);
      bytes.fill(POISON, landingOffset, landingOffset + length);
      if (arena.stagingCapacity <= 4096)
        bytes.fill(POISON, arena.stagingOffset);
      from += length;
      this.fed += length;
    }
    if (parser.wanted < 0 && this.failedAfter < 0)
      this.failedAfter = this.fed;
  }

  /** Feeds all bytes, then goes on until nothing is paused. @returns the log, which the next run reuses */
  run(source: Uint8Array, sender: Sender, version: number, options: RunOptions = {}): readonly string[] {
    const parser = this.parser;
    this.start(sender, version, source[0]);
    this.pauseEvery = options.pauseEvery ?? 0;
    if (options.every !== undefined)
      for (let at = 0; at < source.length; at += options.every)
        this.feed(source, at, Math.min(at + options.every, source.length));
    else {
      let from = 0;
      for (const cut of options.cuts ?? []) {
        this.feed(source, from, cut);
        from = cut;
      }
      this.feed(source, from, source.length);
    }
    while (this.isPaused)
      parser.resume();
    if (this.reasonCode !== SUCCESS)
      this.log.push(`error 0x${this.reasonCode.toString(16)}`);
    if (this.reasonCode !== SUCCESS !== parser.wanted < 0)
      this.log.push('but parsing has ended without an error, or not ended with one');
    return this.log;
  }

  /**
   * A parser that has not failed wants bytes unless it is paused: its ring has room for the packet that it waits for.
   */
  get isPaused(): boolean {
    return this.parser.wanted === 0;
  }

  /** Whether nothing has been written outside the ring, the table and the output. */
  get guardsAreIntact(): boolean {
    for (const guard of this.guards)
      for (let index = 0; index < GUARD_LENGTH; ++index)
        if (this.arena.bytes[guard + index] !== POISON)
          return false;
    return true;
  }

  onPublish(packet: Packet): void {
    const { bytes } = packet.arena;
    const name = textOf(bytes, packet.topicNameOffset, packet.topicNameLength);
    const known = this.names[packet.topicIndex];
    if (known !== undefined && known !== name)
      this.log.push(`this number of the topic table stands for ${known}`);
    this.names[packet.topicIndex] = name;
    const { topics } = this;
    if (packet.topicIndex !== topics.uncached) {
      const place = topics.placeOf(packet.topicIndex);
      const kept = textOf(bytes, place + 2, bytes[place]! << 8 | bytes[place + 1]!);
      if (kept !== name)
        this.log.push(`the topic table has ${kept} under the number of ${name}`);
    }
    packet.type = ControlPacket.PUBLISH; // which only we want to read
    this.onPacket(packet);
  }

  onPacket(packet: Packet): void {
    const { log, parser } = this;
    log.push(describe(fieldsOf(packet)));
    if (packet.type === ControlPacket.CONNECT)
      parser.speak(packet.version); // as a session does
    if (this.outputCapacity > 0)
      this.write(packet);
    if (this.pauseEvery > 0 && log.length % this.pauseEvery === 0)
      parser.pause();
  }

  onTopicReplaced(index: number): void {
    this.names[index] = undefined;
  }

  onError(reasonCode: number): void {
    if (this.reasonCode !== SUCCESS)
      this.log.push('a second error');
    this.reasonCode = reasonCode;
  }

  private write(packet: Packet): void {
    const bytes = this.arena.bytes;
    bytes.fill(POISON, this.output, this.output + this.outputCapacity);
    const end = writePacket(packet, this.output);
    this.written = end === NOT_WRITABLE ? undefined : bytes.slice(this.output, end);
    for (let at = end === NOT_WRITABLE ? this.output : end; at < this.output + this.outputCapacity; ++at)
      if (bytes[at] !== POISON)
        this.log.push('a writer wrote behind the end that it returned');
  }
}
