/** As flat-works.ts: what happens to a node, and what passes with time, beside many nodes. */
import type { PartialConfiguration } from '../../src/device/core.ts';
import { many, nameOf, PAYLOAD, roomFor, saying, type Work } from './flat-works.ts';
import { bytesOf, connect, connect5, type Engine, publish, Setup, subscribe, subscribe5 } from './workloads.ts';

const ROUNDS = 20;
const FEW_AND_MANY = [10, 1000];
const DISCONNECT = bytesOf(0xE0, 0);
/** CONNECT of 5.0 with Clean Start and Session Expiry Interval 1; the identifier has four characters. */
const connectForASecond = (identifier: string): Uint8Array =>
  bytesOf(0x10, 22, 0, 4, 'MQTT', 5, 2, 0, 60, 5, 0x11, 0, 0, 0, 1, 0, 4, identifier);

const room = (others: number, listener: PartialConfiguration['listener'] = {}): PartialConfiguration => {
  const { listener: usual, ...rest } = roomFor(others + 64, 32, others + 4);
  return { ...rest, listener: { ...usual, ...listener } };
};

/** Nodes that subscribe to a topic each. */
function connectOthers(setup: Setup, count: number): Setup {
  setup.connectUpstream(0);
  for (let index = 0; index < count; ++index) {
    setup.connectNode(4, `other${index}`, subscribe(nameOf(index), 1));
    setup.settle();
  }
  return setup;
}

const repeating = (rounds: number, round: (number: number) => void) =>
  ({ rounds, run() { for (let number = 0; number < rounds; ++number) round(number); } });

/** The same packets on a new connection, again and again. */
const connecting = (setup: Setup, packets: Uint8Array, seconds = 0) => repeating(ROUNDS, () => {
  setup.acceptNode(packets);
  setup.wait(seconds * 1000);
});

export const WORKS_AMONG_NODES: readonly Work[] = [
  {
    name: 'a message to one of so many nodes, each with a topic of its own',
    counts: FEW_AND_MANY,
    prepare(engine, others) {
      const setup = connectOthers(new Setup(engine, { ...room(others), memory: { topics: 2048, topic_length: 64 } }),
        others);
      return saying(engine, setup.connectNode(4, 'writer'),
        many(200, index => nameOf(index * 7 % 10)).map(topic => publish(0, 0, topic, PAYLOAD)));
    },
  },
  {
    name: 'a message to a group of so many nodes',
    counts: FEW_AND_MANY,
    prepare(engine, others) {
      const setup = new Setup(engine, room(others)).connectUpstream(0);
      for (let index = 0; index < others; ++index) {
        setup.connectNode(4, `other${index}`, subscribe('$share/group/one/#', 0));
        setup.settle();
      }
      return saying(engine, setup.connectNode(4, 'writer'), many(200, () => 'one').map(topic =>
        publish(0, 0, topic, PAYLOAD)));
    },
  },
  {
    name: 'a message to a node of 5.0 that has so many subscriptions with identifiers',
    counts: FEW_AND_MANY,
    prepare(engine, others) {
      const setup = new Setup(engine, { ...room(others), memory: { topics: 2048, topic_length: 64 } })
        .connectUpstream(0);
      const reader = setup.acceptNode(connect5('reader'));
      for (let index = 0; index < others; ++index) {
        setup.receive(reader, subscribe5(index % 127 + 1, nameOf(index), 0));
        setup.settle();
      }
      return saying(engine, setup.connectNode(4, 'writer'), many(200, index => nameOf(index * 7 % 10)).map(topic =>
        publish(0, 0, topic, PAYLOAD)));
    },
  },
  {
    name: 'a node takes the connection of its name, beside other nodes',
    counts: FEW_AND_MANY,
    prepare(engine, others) {
      const setup = connectOthers(new Setup(engine, room(others)), others);
      setup.connectNode(4, 'node');
      const packet = connect(4, 'node');
      return repeating(ROUNDS, () => {
        setup.wait(70_000); // not one that is fought over
        setup.acceptNode(packet);
      });
    },
  },
  {
    name: 'a node comes back to its session and goes, beside sessions of absent nodes',
    counts: FEW_AND_MANY,
    prepare(engine, others) {
      const setup = new Setup(engine, room(others)).connectUpstream(0);
      for (let index = 0; index < others; ++index)
        setup.acceptNode(connect(4, `other${index}`, false), DISCONNECT);
      return connecting(setup, bytesOf(connect(4, 'node', false), DISCONNECT));
    },
  },
  {
    name: 'a session ends a second after its connection, beside sessions of absent nodes',
    counts: FEW_AND_MANY,
    prepare(engine, others) {
      const setup = new Setup(engine, room(others)).connectUpstream(0);
      for (let index = 0; index < others; ++index)
        setup.acceptNode(connect(4, `other${index}`, false), DISCONNECT);
      return connecting(setup, bytesOf(connectForASecond('node'), DISCONNECT), 3);
    },
  },
  {
    name: 'a session ends, of so many that end at a time',
    counts: FEW_AND_MANY,
    prepare(engine, others) {
      const setup = new Setup(engine, room(others)).connectUpstream(0);
      const packets = many(others, index => `${index + 1000}`).map(name =>
        bytesOf(connectForASecond(name), DISCONNECT));
      return { rounds: others, run() {
        for (const packet of packets)
          setup.acceptNode(packet);
        setup.wait(3000);
      } };
    },
  },
  {
    name: 'a node that sends too fast is held, and released a second later, beside other nodes',
    counts: FEW_AND_MANY,
    prepare(engine, others) {
      const setup = connectOthers(new Setup(engine, room(others, { max_publish_rate: 1 })), others);
      const writer = setup.connectNode(4, 'writer');
      const packet = publish(0, 0, 'one/more', PAYLOAD);
      return repeating(ROUNDS, () => {
        setup.receive(writer, packet);
        setup.wait(1000);
      });
    },
  },
  {
    name: 'CONNECT and DISCONNECT while a broken node waits for CONNACK, beside other nodes',
    counts: FEW_AND_MANY,
    prepare(engine, others) {
      const setup = connectOthers(new Setup(engine, room(others)), others);
      for (let times = 0; times < 4; ++times)
        setup.acceptNode(bytesOf(connect(4, 'broken'), 0xF0, 0));
      if (setup.runtime.gateway.serverRole.postponed.count !== 1)
        throw new Error('it does not wait');
      return connecting(setup, bytesOf(connect(4, 'node'), DISCONNECT));
    },
  },
  {
    name: 'all figures of $SYS to one node, beside other nodes',
    counts: FEW_AND_MANY,
    stepsPerOther: 35, // a look at its queue, less than its own keep-alive takes in that time
    prepare(engine, others) {
      const setup = connectOthers(new Setup(engine, room(others, { sys_interval: 1 })), others);
      const reader = setup.connectNode(4, 'reader', subscribe('$SYS/#', 0));
      return repeating(ROUNDS, () => {
        setup.receive(reader, bytesOf(0xC0, 0));
        setup.wait(1000);
      });
    },
  },
  {
    name: 'a retained message of another length, beside other retained messages',
    counts: FEW_AND_MANY,
    prepare(engine, others) {
      const setup = new Setup(engine, room(16, { max_retained_messages: others + 8,
        max_retained_bytes: 64 * others + 1024 })).connectUpstream(0);
      const writer = setup.connectNode(4, 'writer');
      many(others, nameOf).forEach(topic => setup.receive(writer, publish(0, 0, topic, PAYLOAD, 1)));
      return saying(engine, writer, many(100, nameOf).map((_, index) =>
        publish(0, 0, nameOf(index % 10), PAYLOAD + index % 3 * 8, 1)));
    },
  },
  {
    name: 'with a store on flash: CONNECT, SUBSCRIBE and DISCONNECT, beside other nodes',
    counts: FEW_AND_MANY,
    prepare(engine, others) {
      const setup = connectOthers(durable(engine, others), others);
      return connecting(setup, bytesOf(connect(4, 'node'), subscribe('one/more', 1), DISCONNECT));
    },
  },
];

function durable(engine: Engine, others: number): Setup {
  return new Setup(engine, { ...room(others), store: { durability: 'flash', ram: 8192 } });
}
