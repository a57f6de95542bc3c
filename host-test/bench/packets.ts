/**
 * Parsing and generating on Node, ours against mqtt-packet: the same packets, the same process, rounds in turn,
 * medians.
 *
 * Both get the chunks as a socket of Node gives them, as Buffers. mqtt-packet keeps the chunk; ours copies it into
 * the landing area first. Both generators are given what they like best, a packet object and spans; mqtt-packet gives
 * a Buffer, and ours copies what it has built into one, as its socket does. Both count the payload bytes they have
 * seen.
 *
 * A packet of ours is spans of memory, theirs holds a string and a Buffer. What ours costs when its handler makes
 * those too, which a gateway never needs, is a third subject.
 */
import mqttPacket, { type IPublishPacket } from 'mqtt-packet';
import { Arena, ArenaPlan } from '../../src/bytes/arena.ts';
import { RingSpace } from '../../src/bytes/ring-buffer.ts';
import { MessageSpans, Packet } from '../../src/packet/packet.ts';
import { OVERSIZE_CLOSE, type PacketHandler, type ParserContext } from '../../src/packet/packet-handler.ts';
import { PacketParser } from '../../src/packet/packet-parser.ts';
import { writePublish } from '../../src/packet/publish.ts';
import { TopicTable } from '../../src/packet/topic-table.ts';
import { SERVER_TYPES } from '../vectors/run-vector.ts';
import { bytesOf, W1, W2, W6 } from '../xs/workloads.ts';
import { compare, type Figure, type Subject } from './figures.ts';

const RING_CAPACITY = 4096;
const LANDING_CAPACITY = 16_384;
const TOPIC_OFFSET = 4;
const TOPIC_LENGTH = 20;

interface ParseWorkload {
  readonly name: string;
  readonly chunks: readonly Buffer[];
  readonly packetCount: number;
}

/** A Buffer of its own for each chunk, as a socket gives them. */
const chunkOf = (bytes: Uint8Array): Buffer => Buffer.from(bytes);

/** W1 with 32 topics in turn: nothing repeats from one packet to the next. */
const manyTopics = (): Uint8Array[] => Array.from({ length: 32 }, (_, index) => {
  const packet = W1.slice();
  packet[TOPIC_OFFSET + TOPIC_LENGTH - 1] = 0x41 + index;
  return packet;
});

function pieces(packet: Uint8Array, packetCount: number): Buffer[] {
  const stream = Buffer.alloc(packet.length * packetCount);
  for (let index = 0; index < packetCount; ++index)
    stream.set(packet, index * packet.length);
  const chunks: Buffer[] = [];
  let seed = 1;
  for (let at = 0; at < stream.length;) {
    seed = seed * 75 % 65537;
    const end = Math.min(stream.length, at + 1 + seed % 37);
    chunks.push(chunkOf(stream.subarray(at, end)));
    at = end;
  }
  return chunks;
}

const parseWorkloads = (): ParseWorkload[] => [
  { name: 'W1', chunks: [chunkOf(W1)], packetCount: 1 },
  { name: 'W1, 32 topics', chunks: manyTopics().map(chunkOf), packetCount: 32 },
  { name: 'W1, 16 in a chunk', chunks: [chunkOf(bytesOf(...new Array<Uint8Array>(16).fill(W1)))], packetCount: 16 },
  { name: 'W2', chunks: [chunkOf(W2)], packetCount: 1 },
  { name: 'W3', chunks: pieces(W1, 500), packetCount: 500 },
  { name: 'W6', chunks: [chunkOf(W6)], packetCount: 1 },
];

class OurParser implements PacketHandler {
  seen = 0;
  private readonly arena: Arena;
  readonly role: ParserContext;
  private readonly parser: PacketParser;
  /** The arena, if the handler is to make a string and a Buffer of each packet. */
  private readonly copied: Buffer | undefined;

  constructor(isCopying: boolean) {
    const plan = new ArenaPlan();
    const ring = plan.reserve('ring', RING_CAPACITY);
    const table = TopicTable.plan(plan, 64, 96, 1);
    const arena = this.arena =
      new Arena(plan, { landingCapacity: LANDING_CAPACITY, stagingCapacity: RING_CAPACITY, resizable: false });
    this.copied = isCopying ? Buffer.from(arena.buffer) : undefined;
    this.role = { packet: new Packet(arena), topics: new TopicTable(arena, table, 64, 96),
      settings: { maximumPacketSize: RING_CAPACITY, oversize: OVERSIZE_CLOSE },
      ringSpace: new RingSpace(arena, RING_CAPACITY), readLength: Math.min(RING_CAPACITY, arena.landingCapacity),
      noteAbove: RING_CAPACITY, noteLength() { /* known */ }, leavesMessages: false };
    this.parser = new PacketParser(this, ring);
    this.parser.reset(SERVER_TYPES, 4);
  }

  run(chunks: readonly Buffer[], count: number): void {
    const { arena: { bytes, landingOffset }, parser } = this;
    for (let round = 0; round < count; ++round)
      for (let index = 0; index < chunks.length; ++index) {
        const chunk = chunks[index]!;
        bytes.set(chunk, landingOffset);
        parser.receive(landingOffset, landingOffset + chunk.length);
      }
  }

  onPublish(packet: Packet): void {
    if (this.copied === undefined)
      this.seen += packet.payloadLength;
    else
      this.seen += this.copy(this.copied, packet);
  }

  private copy(memory: Buffer, packet: Packet): number {
    const { payloadLength, payloadOffset, topicNameLength, topicNameOffset } = packet;
    const topic = memory.toString('utf8', topicNameOffset, topicNameOffset + topicNameLength);
    const payload = Buffer.from(memory.subarray(payloadOffset, payloadOffset + payloadLength));
    return topic.length > 0 ? payload.length : 0;
  }

  onPacket(): void {
    throw new Error('only PUBLISH is sent here');
  }

  onError(reasonCode: number): void {
    throw new Error(`parsing failed: ${reasonCode}`);
  }
}

class TheirParser {
  seen = 0;
  private readonly parser = mqttPacket.parser({ protocolVersion: 4 });

  constructor() {
    this.parser.on('packet', packet => this.seen += (packet as IPublishPacket).payload.length);
    this.parser.on('error', (error: unknown) => { throw error as Error; });
  }

  run(chunks: readonly Buffer[], count: number): void {
    const { parser } = this;
    for (let round = 0; round < count; ++round)
      for (let index = 0; index < chunks.length; ++index)
        parser.parse(chunks[index]!);
  }
}

export function* compareParsing(seconds: number): Generator<Figure> {
  const ours = new OurParser(false);
  const copying = new OurParser(true);
  const theirs = new TheirParser();
  for (const { chunks, name, packetCount } of parseWorkloads()) {
    const subject = (subjectName: string, parser: OurParser | TheirParser): Subject => ({
      name: subjectName, packetCount, run: count => parser.run(chunks, count), result: () => parser.seen,
    });
    yield* compare(`parse ${name}`,
      [subject('ringbridge', ours), subject('mqtt-packet', theirs), subject('ringbridge, copied out', copying)],
        seconds);
  }
}

const generateWorkloads: readonly { readonly name: string; readonly packet: Uint8Array; readonly qos: 0 | 1 }[] = [
  { name: 'W1', packet: W1, qos: 0 },
  { name: 'W2', packet: W2, qos: 0 },
  { name: 'W6', packet: W6, qos: 1 },
];

export function* compareGenerating(seconds: number): Generator<Figure> {
  for (const { name, packet, qos } of generateWorkloads)
    yield* compare(`generate ${name}`, [ourGenerator(packet, qos), theirGenerator(packet, qos)], seconds);
}

/** Where the payload of one of the packets above begins. */
const payloadOffset = (packet: Uint8Array, qos: number): number =>
  (packet.length < 130 ? 2 : 3) + 2 + TOPIC_LENGTH + (qos > 0 ? 2 : 0);

function ourGenerator(packet: Uint8Array, qos: number): Subject {
  const plan = new ArenaPlan();
  const source = plan.reserve('message', packet.length);
  const arena = new Arena(plan, { landingCapacity: 0, stagingCapacity: packet.length, resizable: false });
  arena.bytes.set(packet, source);
  const message = new MessageSpans();
  message.payloadOffset = source + payloadOffset(packet, qos);
  message.payloadLength = packet.length - payloadOffset(packet, qos);
  message.topicNameLength = TOPIC_LENGTH;
  message.topicNameOffset = message.payloadOffset - (qos > 0 ? 2 : 0) - TOPIC_LENGTH;
  const { stagingOffset } = arena;
  const staged = arena.bytes.subarray(stagingOffset, stagingOffset + packet.length); // as io/exact-view.ts keeps one
  const output = Buffer.alloc(packet.length);
  let written = 0;
  const run = (count: number): void => {
    for (let round = 0; round < count; ++round) {
      const length = writePublish(arena, stagingOffset, message, qos, 7) - stagingOffset;
      output.set(staged, 0);
      written += length;
    }
  };
  run(1);
  checkSame(output, packet);
  return { name: 'ringbridge', packetCount: 1, run, result: () => written - packet.length };
}

function theirGenerator(packet: Uint8Array, qos: 0 | 1): Subject {
  const at = payloadOffset(packet, qos);
  const object: IPublishPacket = {
    cmd: 'publish', topic: 'site/room1/temp/0001', payload: Buffer.from(packet.subarray(at)), qos, dup: false,
      retain: false,
    ...qos === 0 ? {} : { messageId: 7 },
  };
  let written = 0;
  const run = (count: number): void => {
    for (let round = 0; round < count; ++round)
      written += mqttPacket.generate(object).length;
  };
  checkSame(mqttPacket.generate(object), packet);
  return { name: 'mqtt-packet', packetCount: 1, run, result: () => written };
}

function checkSame(generated: Uint8Array, packet: Uint8Array): void {
  if (Buffer.compare(generated, packet) !== 0)
    throw new Error(`what was generated is not the packet: ${Buffer.from(generated).toString('hex')}`);
}
