/**
 * Work that must not cost more for what else there is: subscriptions, topics, nodes, retained messages. Imports what
 * workloads.ts imports.
 */
import type { PartialConfiguration } from '../../src/device/core.ts';
import type { HandDrivenSocket } from '../world/hand-driven.ts';
import { bytesOf, connect, type Engine, publish, Setup, subscribe, unsubscribe } from './workloads.ts';

export interface Prepared {
  /** Of what is measured, in one call of `run`. */
  readonly rounds: number;
  run(): void;
}

export interface Work {
  readonly name: string;
  /** How many others there are, from few to many: the last may cost half as much again as the first. */
  readonly counts: readonly number[];
  /** Steps that each other may cost beside that; default: none. */
  readonly stepsPerOther?: number;
  prepare(engine: Engine, others: number): Prepared;
}

/** Nodes that share the subscriptions. */
const READERS = 20;
/** Messages that are measured. */
const MESSAGES = 1000;
export const PAYLOAD = 16;

const digits = (number: number): string => `0000${number}`.slice(-5);
export const nameOf = (number: number): string => `plant/line${number % 7}/${digits(number)}/state`;
const wildOf = (number: number): string => `plant/+/${digits(number)}/#`;
export const many = (count: number, textOf: (number: number) => string): string[] =>
  Array.from({ length: count }, (_, index) => textOf(index));

export const roomFor = (subscriptions: number, topics: number, nodes = READERS + 4): PartialConfiguration => ({
  upstream: { keepalive_interval: 0 },
  listener: { max_connections: nodes, max_subscriptions: subscriptions + 64,
    max_subscription_bytes: 40 * subscriptions + 4096, sys_interval: 0, max_packet_size: 256, max_queued_bytes: 512 },
  memory: { topics, topic_length: 64 },
});

/** The power of two that has room for so many topics, and a few more. */
const placesFor = (topics: number): number => {
  let places = 32;
  while (places < topics + 16)
    places *= 2;
  return places;
};

/** The nodes that have subscribed to these filters, in turn. */
function connectReaders(setup: Setup, filters: readonly string[]): HandDrivenSocket[] {
  const readers = Array.from({ length: READERS }, (_, index) => setup.connectNode(4, `reader${index}`));
  filters.forEach((filter, index) => setup.receive(readers[index % READERS]!, subscribe(filter, 0)));
  return readers;
}

/** Says the packets to the node, one by one. */
export function saying(engine: Engine, node: HandDrivenSocket, packets: readonly Uint8Array[], rounds = packets.length):
  Prepared {
  const onReadable = node.options.onReadable!;
  const bytes = bytesOf(...packets);
  const lengths = packets.map(({ length }) => length);
  return {
    rounds,
    run() {
      engine.feed(bytes);
      for (let index = 0; index < lengths.length; ++index)
        onReadable.call(node, lengths[index]!);
    },
  };
}

/** Messages whose topics are spread over so many; no two in a row have the same one. */
const messagesOf = (topics: number): Uint8Array[] =>
  many(MESSAGES, index => nameOf(index * 7 % topics)).map(topic => publish(0, 0, topic, PAYLOAD));

export const WORKS: readonly Work[] = [
  {
    name: 'a message to the reader of its topic, beside other subscriptions and as many topics',
    counts: [10, 10_000],
    prepare(engine, others) {
      const setup = new Setup(engine, roomFor(others, placesFor(others))).connectUpstream(0);
      connectReaders(setup, many(others, nameOf));
      return saying(engine, setup.connectNode(4, 'writer'), messagesOf(others));
    },
  },
  {
    name: 'a message of a topic that is not remembered, beside other subscriptions',
    counts: [10, 10_000],
    prepare(engine, others) {
      const setup = new Setup(engine, { ...roomFor(others, 1), memory: { topics: 1, topic_length: 8 } })
        .connectUpstream(0);
      connectReaders(setup, many(others, nameOf));
      return saying(engine, setup.connectNode(4, 'writer'), messagesOf(others));
    },
  },
  {
    name: 'a message to the reader of its topic, beside other subscriptions with wildcards',
    counts: [10, 10_000],
    prepare(engine, others) {
      const setup = new Setup(engine, roomFor(others, placesFor(others))).connectUpstream(0);
      connectReaders(setup, many(others, wildOf));
      return saying(engine, setup.connectNode(4, 'writer'), messagesOf(others));
    },
  },
  {
    name: 'a message to two readers, beside other subscriptions',
    counts: [10, 10_000],
    prepare(engine, others) {
      const setup = new Setup(engine, roomFor(others, 32)).connectUpstream(0);
      connectReaders(setup, many(others, wildOf)).slice(0, 2)
        .forEach(reader => setup.receive(reader, subscribe('both/of/them', 0)));
      return saying(engine, setup.connectNode(4, 'writer'),
        many(MESSAGES, () => 'both/of/them').map(topic => publish(0, 0, topic, PAYLOAD)));
    },
  },
  {
    name: 'a message, a thousand topics in 1,024 places',
    counts: [100, 1000],
    prepare(engine, others) {
      const setup = new Setup(engine, roomFor(READERS, 1024)).connectUpstream(0);
      return saying(engine, setup.connectNode(4, 'writer'), messagesOf(others));
    },
  },
  {
    name: 'a message of one of a hundred topics while another node subscribes to what is none of them, and back',
    counts: [0, 1],
    prepare(engine, others) {
      const setup = new Setup(engine, roomFor(1000, 256)).connectUpstream(0);
      connectReaders(setup, many(1000, index => index % 2 === 0 ? nameOf(index) : wildOf(index)));
      const writer = setup.connectNode(4, 'writer'), other = setup.connectNode(4, 'other');
      const messages = saying(engine, writer, messagesOf(100));
      const changes = saying(engine, other, [subscribe('quite/+/another', 0), unsubscribe('quite/+/another'),
        subscribe('quite/another', 0), unsubscribe('quite/another')]);
      return { rounds: MESSAGES, run() {
        for (let change = 0; change < others; ++change)
          changes.run();
        messages.run();
      } };
    },
  },
  {
    name: 'SUBSCRIBE and UNSUBSCRIBE, beside other subscriptions',
    counts: [10, 10_000],
    prepare(engine, others) {
      const setup = new Setup(engine, roomFor(others, 32)).connectUpstream(0);
      connectReaders(setup, many(others, index => index % 2 === 0 ? nameOf(index) : wildOf(index)));
      const filters = many(100, index => index % 2 === 0 ? `one/more/${index}` : `one/+/${index}/#`);
      return saying(engine, setup.connectNode(4, 'node'),
        filters.flatMap(filter => [subscribe(filter, 0), unsubscribe(filter)]), 100);
    },
  },
  {
    name: 'SUBSCRIBE to what is retained and UNSUBSCRIBE, beside other retained messages',
    counts: [10, 1000],
    prepare(engine, others) {
      const room = roomFor(64, 32);
      const setup = new Setup(engine, { ...room, listener: { ...room.listener, max_retained_messages: others + 8,
        max_retained_bytes: 64 * others + 1024 } }).connectUpstream(0);
      const writer = setup.connectNode(4, 'writer');
      many(others, nameOf).forEach(topic => setup.receive(writer, publish(0, 0, topic, PAYLOAD, 1)));
      const said = saying(engine, setup.connectNode(4, 'node'), [subscribe(nameOf(3), 0), unsubscribe(nameOf(3))]);
      return { rounds: 50, run() {
        for (let round = 0; round < 50; ++round) {
          said.run();
          setup.settle();
        }
      } };
    },
  },
  {
    name: 'CONNECT and DISCONNECT of a node with a subscription, beside other nodes',
    counts: [10, 1000],
    prepare(engine, others) {
      const setup = new Setup(engine, roomFor(others + 64, 32, others + 4)).connectUpstream(0);
      for (let index = 0; index < others; ++index)
        setup.connectNode(4, `other${index}`, subscribe(nameOf(index), 0));
      const packets = bytesOf(connect(4, 'node'), subscribe('one/more', 0), 0xE0, 0);
      return { rounds: 50, run() {
        for (let round = 0; round < 50; ++round) {
          setup.acceptNode(packets);
          setup.settle();
        }
      } };
    },
  },
  {
    name: 'a second that passes, beside nodes of which nothing is due',
    counts: [10, 1000],
    prepare(engine, others) {
      const setup = new Setup(engine, {
        ...roomFor(64, 32, others + 4),
        sensors: [{ name: 'air', type: 'simulated', topic: 'site/air', interval: 1 }],
      }).connectUpstream(0);
      for (let index = 0; index < others; ++index)
        setup.connectNode(4, `other${index}`);
      return { rounds: 20, run() {
        for (let round = 0; round < 20; ++round)
          setup.wait(1000);
      } };
    },
  },
  {
    name: 'a message of a new topic, beside other nodes',
    counts: [10, 1000],
    prepare(engine, others) {
      const setup = new Setup(engine, roomFor(64, 32, others + 4)).connectUpstream(0);
      for (let index = 0; index < others; ++index)
        setup.connectNode(4, `other${index}`, publish(0, 0, nameOf(index), PAYLOAD));
      return saying(engine, setup.connectNode(4, 'writer'),
        many(400, nameOf).map(topic => publish(0, 0, topic, PAYLOAD)));
    },
  },
];
