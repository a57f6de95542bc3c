/**
 * The steady states of a gateway, each as something that can be done over and over again: what must not allocate, and
 * whose steps are counted. Run on XS by measure.ts and on Node by host-test/bench. Imports the device bundle's core,
 * and WebSocket, which no board has yet; what the engine provides, a socket and a flash with native methods, comes in
 * as `Engine`.
 *
 * W1 to W6 are the packets with which Moddable's own MQTT clients were measured (COSTS.md).
 */
import { FlashBlocks, RepeatedMessage, type PartialConfiguration, type Platform,
  type Runtime } from '../../src/device/core.ts';
import { CachedArea, ResizedArea } from '../../src/io/exact-area.ts';
import { AREA_LENGTH, WebSocketTCP } from '../../src/io/websocket.ts';
import { ServerOpening } from '../../src/io/websocket-opening.ts';
import { type Engine as Sockets, HandDrivenNetwork, type HandDrivenSocket, socketOf } from '../world/hand-driven.ts';
import { type FlashEngine, openMemoryFlash } from './memory-flash.ts';

export interface Engine extends Sockets, FlashEngine {}

export interface Workload {
  readonly name: string;
  readonly description: string;
  /** Brings the gateway into the steady state; afterwards `run` may be called as often as wanted. */
  prepare(engine: Engine): (count: number) => void;
}

// Packets

/** Bytes of hexadecimal digits and of "text". */
export function bytesOf(...parts: (string | number | Uint8Array)[]): Uint8Array {
  const bytes: number[] = [];
  for (const part of parts)
    if (typeof part === 'number')
      bytes.push(part);
    else if (typeof part === 'string')
      for (let index = 0; index < part.length; ++index)
        bytes.push(part.charCodeAt(index));
    else
      bytes.push(...part);
  return new Uint8Array(bytes);
}

const text = (value: string) => bytesOf(value.length >> 8, value.length & 255, value);
const withLength = (firstByte: number, ...parts: (string | number | Uint8Array)[]) => {
  const body = bytesOf(...parts);
  return body.length < 128 ? bytesOf(firstByte, body.length, body)
    : bytesOf(firstByte, body.length & 127 | 128, body.length >> 7, body);
};
const TOPIC = 'site/room1/temp/0001';
export const publish = (qos: number, identifier: number, topic: string, payloadLength: number, flags = 0) =>
  withLength(0x30 | qos << 1 | flags, text(topic), ...(qos > 0 ? [identifier >> 8, identifier & 255] : []),
    'p'.repeat(payloadLength));
export const connect = (level: number, identifier: string, cleanSession = true) => level === 3
  ? withLength(0x10, text('MQIsdp'), 3, cleanSession ? 2 : 0, 0, 60, text(identifier))
  : withLength(0x10, text('MQTT'), level, cleanSession ? 2 : 0, 0, 60, text(identifier));
export const subscribe = (topic: string, qos: number) => withLength(0x82, 0, 1, text(topic), qos);
export const unsubscribe = (topic: string) => withLength(0xA2, 0, 2, text(topic));
const acknowledgement = (firstByte: number, identifier: number) =>
  bytesOf(firstByte, 2, identifier >> 8, identifier & 255);

/** The 88 bytes of W1. */
export const W1 = publish(0, 0, TOPIC, 64);
export const W2 = publish(0, 0, TOPIC, 1024);
export const W6 = publish(1, 7, TOPIC, 64);

// A gateway whose network is the engine's socket

/** In place of a socket, for a session alone. */
class Drain {
  readonly room = 8192;
  readonly hasUnread = false;
  send(): boolean { return true; }
  close(): void { /* closed */ }
  stalledFor(): number { return 0; }
  resume(): void { /* not paused */ }
  readOne(): void { /* not held */ }
  readAhead(): void { /* not held */ }
  stopSending(): void { /* never stalled */ }
}

/** Bytes that are read at a time. */
const LANDING_CAPACITY = 2048;

/** A round of `fragmented`; what is asked for should be a multiple. */
const PACKETS_IN_PIECES = 100;

export class Setup extends HandDrivenNetwork<HandDrivenSocket> {
  readonly runtime: Runtime;
  readonly upstream: HandDrivenSocket;
  private readonly engine: Engine;

  constructor(engine: Engine, configuration: PartialConfiguration, parts: Partial<Platform> = {}) {
    const users = configuration.listener?.users?.length ?? 0;
    super(socketOf(engine), {
      authenticator: {
        authenticate(session) {
          session.user = users - 1;
          return 0;
        },
      },
      landingCapacity: LANDING_CAPACITY,
      resizable: engine.resizable ?? true,
      date: () => 1_800_000_000,
      openStorage: (_store, arena, longestPacket) =>
        new FlashBlocks(openMemoryFlash(engine), arena, longestPacket),
      ...parts,
    });
    this.engine = engine;
    // W2 and the burst come at once: a packet, and what is read at a time, may be as long as the landing area.
    this.runtime =
      this.start({ ...configuration, upstream: { max_packet_size: LANDING_CAPACITY, ...configuration.upstream } });
    this.wait(0);
    this.upstream = this.newest;
  }

  receive(socket: HandDrivenSocket, bytes: Uint8Array): void {
    this.engine.feed(bytes);
    socket.options.onReadable!.call(socket, bytes.length); // not `readable`: the call would be counted
  }

  /** The Server accepts, and grants what the rules ask for. */
  connectUpstream(subscriptions: number): this {
    const { upstream } = this;
    upstream.writable();
    this.receive(upstream, bytesOf(0x20, 2, 0, 0));
    for (let identifier = 1; identifier <= subscriptions; ++identifier)
      this.receive(upstream, bytesOf(0x90, 3, 0, identifier, 1));
    return this;
  }

  connectNode(level: number, identifier: string, ...packets: Uint8Array[]): HandDrivenSocket {
    return this.acceptNode(connect(level, identifier), ...packets);
  }

  /** A network connection from a node, on which these packets arrive. */
  acceptNode(...packets: Uint8Array[]): HandDrivenSocket {
    const socket = this.accept(new this.socketClass({}));
    socket.writable();
    for (const packet of packets)
      this.receive(socket, packet);
    return socket;
  }
}

const REQUEST = bytesOf('GET /mqtt HTTP/1.1\r\nHost: h\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n'
  + 'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Protocol: mqtt\r\nSec-WebSocket-Version: 13\r\n\r\n');
const MASK = bytesOf(0xA1, 0xB2, 0xC3, 0xD4);

/** A frame of a client; its payload is shorter than 126 bytes. */
const frame = (firstByte: number, payload: Uint8Array): Uint8Array =>
  bytesOf(firstByte, payload.length | 128, MASK, payload.map((byte, index) => byte ^ MASK[index % 4]!));

/** A gateway whose nodes come within WebSocket. */
class WebSocketSetup extends Setup {
  constructor(engine: Engine, configuration: PartialConfiguration) {
    const below = { TCP: undefined! as Platform['TCP'] };
    const opening = new ServerOpening({ acceptFor: () => 's3pPLMBiTxaQ9kYGzzhZRbK+xOo=', judgeOrigin: () => '' });
    const area = engine.resizable ?? true ? new ResizedArea(AREA_LENGTH) : new CachedArea(AREA_LENGTH);
    super(engine, configuration, {
      nodeTCP: class extends WebSocketTCP {
        constructor(options: ConstructorParameters<Platform['TCP']>[0]) {
          super(options, {
            TCP: below.TCP, area,
            defer() { throw new Error('everything is read at once'); },
            onViolation(_address, violation) { throw new Error(violation); },
          }, opening);
        }
      },
    });
    below.TCP = this.platform.TCP;
  }

  /** @returns the socket below */
  override connectNode(level: number, identifier: string, ...packets: Uint8Array[]): HandDrivenSocket {
    return this.acceptNode(REQUEST, ...[connect(level, identifier), ...packets].map(packet => frame(0x82, packet)));
  }
}

const fromWebSocket = (name: string, description: string, bytes: Uint8Array): Workload => ({
  name,
  description,
  prepare: engine => {
    const setup = new WebSocketSetup(engine, NO_RULES).connectUpstream(0);
    return delivering(engine, setup.connectNode(4, 'node1'), bytes);
  },
});

const OUT_AND_IN: PartialConfiguration = {
  topic: [
    { pattern: 'site/#', direction: 'out', qos: 2, local_prefix: '', remote_prefix: 'gateway/' },
    { pattern: '#', direction: 'in', qos: 2, local_prefix: '', remote_prefix: '' },
  ],
};

const NO_RULES: PartialConfiguration = {};

/** Delivers `bytes`, one whole packet or some that belong together, per round. */
function delivering(engine: Engine, socket: HandDrivenSocket, bytes: Uint8Array): (count: number) => void {
  const onReadable = socket.options.onReadable!;
  const { length } = bytes;
  return count => {
    engine.feed(bytes);
    for (let round = 0; round < count; ++round)
      onReadable.call(socket, length);
  };
}

const fromUpstream =
  (name: string, description: string, bytes: Uint8Array, version: 'mqttv31' | 'mqttv311' = 'mqttv311'): Workload => ({
  name,
  description,
  prepare(engine) {
    const setup =
      new Setup(engine,
        { ...OUT_AND_IN, upstream: { bridge_protocol_version: version, max_packet_size: 2048 } }).connectUpstream(1);
    return delivering(engine, setup.upstream, bytes);
  },
});

const fromNode =
  (name: string, description: string, bytes: Uint8Array, level = 4, configuration = NO_RULES): Workload => ({
  name,
  description,
  prepare(engine) {
    const setup = new Setup(engine, configuration).connectUpstream(configuration === OUT_AND_IN ? 1 : 0);
    return delivering(engine, setup.connectNode(level, 'node1'), bytes);
  },
});

/** Bytes of many packets, to be delivered in pieces of 1 to 37 bytes: the same ones in every run, chosen before. */
function fragmented(engine: Engine, socket: HandDrivenSocket, packet: Uint8Array): (count: number) => void {
  const onReadable = socket.options.onReadable!;
  const pieces: number[] = [];
  for (let left = PACKETS_IN_PIECES * packet.length, seed = 1; left > 0; left -= pieces[pieces.length - 1]!) {
    seed = seed * 75 % 65537;
    pieces.push(Math.min(1 + seed % 37, left));
  }
  const pieceCount = pieces.length;
  return count => {
    engine.feed(packet);
    for (let left = count; left > 0; left -= PACKETS_IN_PIECES)
      for (let at = 0; at < pieceCount; ++at)
        onReadable.call(socket, pieces[at]!);
  };
}

const toReader = (name: string, description: string, bytes: Uint8Array, qos: number): Workload => ({
  name,
  description,
  prepare(engine) {
    const setup = new Setup(engine, OUT_AND_IN).connectUpstream(1);
    const reader = setup.connectNode(4, 'reader', subscribe('site/#', qos));
    return qos === 0 ? delivering(engine, setup.upstream, bytes)
      : acknowledging(engine, setup.upstream, bytes, reader, { firstBytes: [0x40], first: 1 });
  },
});

/** A sensor is read once a second. @param isKept whether its rule has readings kept until they are acknowledged */
const sampling =
  (name: string, description: string, isKept: boolean, format: 'number' | 'json' = 'number'): Workload => ({
  name,
  description,
  prepare(engine) {
    const setup = new Setup(engine, {
      topic: [{ pattern: '#', direction: 'out', qos: 0, local_prefix: '', remote_prefix: 'gateway/', store: isKept }],
      upstream: { keepalive_interval: 0 },
      sensors: [{ name: 'air', type: 'simulated', topic: 'site/air', interval: 1, format }],
    }).connectUpstream(0);
    const { upstream } = setup;
    const puback = acknowledgement(0x40, 0);
    let identifier = 0;
    return count => {
      for (let round = 0; round < count; ++round) {
        setup.wait(1000);
        if (!isKept)
          continue;
        identifier = identifier === 65535 ? 1 : identifier + 1;
        puback[2] = identifier >> 8;
        puback[3] = identifier;
        setup.receive(upstream, puback);
      }
    };
  },
});

export const workloads: readonly Workload[] = [
  fromUpstream('W1',
    'receive a PUBLISH of 88 bytes, QoS 0, from upstream, under a rule, for which no node has subscribed', W1),
  fromUpstream('W2', 'as W1 with a payload of 1024 bytes', W2),
  {
    name: 'W3',
    description: 'as W1, in pieces of 1 to 37 bytes',
    prepare(engine) {
      const setup = new Setup(engine, OUT_AND_IN).connectUpstream(1);
      return fragmented(engine, setup.upstream, W1);
    },
  },
  {
    name: 'W4',
    description: 'publish such a message upstream, topic mapped by a rule',
    prepare(engine) {
      const setup = new Setup(engine, OUT_AND_IN).connectUpstream(1);
      const { gateway } = setup.runtime;
      const message = new RepeatedMessage(); // as a sensor does
      const at = gateway.arena.landingOffset;
      gateway.arena.bytes.set(W1, at);
      message.rename(at + 4, TOPIC.length);
      message.payloadOffset = at + 4 + TOPIC.length;
      message.payloadLength = 64;
      return count => {
        for (let round = 0; round < count; ++round)
          gateway.publish(message);
      };
    },
  },
  fromUpstream('W5', 'receive a PINGRESP', bytesOf(0xD0, 0)),
  fromUpstream('W6', 'as W1 with QoS 1, PUBACK sent', W6),

  toReader('upstream to node, QoS 0', 'as W1, delivered to the node that has subscribed', W1, 0),
  toReader('upstream to node, QoS 1', 'as W6, delivered with QoS 1 and acknowledged on both sides', W6, 1),
  fromUpstream('upstream 3.1', 'as W1 with MQTT 3.1', W1, 'mqttv31'),
  fromUpstream('upstream QoS 2', 'PUBLISH with QoS 2 and its PUBREL from upstream',
    bytesOf(publish(2, 9, TOPIC, 64), acknowledgement(0x62, 9))),
  fromUpstream('upstream, mixed', 'four packets in one piece, whose topics and lengths take turns',
    bytesOf(publish(0, 0, 'site/room1/temp/0001', 64), publish(0, 0, 'site/room2/humidity/0014', 5),
      publish(0, 0, 'site/r3/t', 4), publish(0, 0, 'site/room1/temp/0002', 160))),
  fromUpstream('upstream burst', 'sixteen packets of W1 in one piece', bytesOf(...new Array<Uint8Array>(16).fill(W1))),
  fromNode('node QoS 0', 'PUBLISH from a node, no rule', W1),
  fromNode('node QoS 0, 3.1', 'the same with MQTT 3.1', W1, 3),
  fromNode('node QoS 1', 'PUBLISH with QoS 1 from a node, PUBACK sent', W6),
  fromNode('node QoS 2', 'PUBLISH with QoS 2 and PUBREL from a node',
    bytesOf(publish(2, 9, TOPIC, 64), acknowledgement(0x62, 9))),
  fromNode('node PINGREQ', 'PINGREQ from a node, PINGRESP sent', bytesOf(0xC0, 0)),
  fromNode('node to upstream, QoS 0', 'PUBLISH from a node, through a rule, to upstream', W1, 4, OUT_AND_IN),
  fromNode('node subscribes', 'SUBSCRIBE and UNSUBSCRIBE', bytesOf(subscribe('a/+/b', 1), unsubscribe('a/+/b'))),
  fromNode('node, new topics', 'PUBLISH with two topics that are too long for the topic table',
    bytesOf(publish(0, 0, 'x'.repeat(100), 8), publish(0, 0, 'y'.repeat(100), 8))),
  fromNode('node, retained', 'retained PUBLISH, then its deletion',
    bytesOf(publish(0, 0, TOPIC, 16, 1), publish(0, 0, TOPIC, 0, 1))),
  {
    name: 'node to upstream, QoS 1',
    description: 'PUBLISH with QoS 1 from a node, through rule and queue, acknowledged by upstream',
    prepare: engine => acknowledgedForward(engine, 1),
  },
  {
    name: 'node to upstream, QoS 2',
    description: 'the same with QoS 2 on both sides',
    prepare: engine => acknowledgedForward(engine, 2),
  },
  {
    name: 'node to node, QoS 0',
    description: 'PUBLISH from a node, delivered to another one',
    prepare(engine) {
      const setup = new Setup(engine, NO_RULES).connectUpstream(0);
      setup.connectNode(4, 'reader', subscribe('site/#', 0));
      return delivering(engine, setup.connectNode(4, 'writer'), W1);
    },
  },
  {
    name: 'node to node, QoS 1',
    description: 'PUBLISH with QoS 1 from a node, delivered to another one, both acknowledged',
    prepare(engine) {
      const setup = new Setup(engine, NO_RULES).connectUpstream(0);
      const reader = setup.connectNode(4, 'reader', subscribe('site/#', 1));
      const writer = setup.connectNode(4, 'writer');
      return acknowledging(engine, writer, W6, reader, { firstBytes: [0x40], first: 1 });
    },
  },
  {
    name: 'queue full',
    description: 'PUBLISH with QoS 1 from a node while upstream is away and the store is full',
    prepare(engine) {
      const setup = new Setup(engine, { ...OUT_AND_IN, store: { ram: 1024 } });
      return delivering(engine, setup.connectNode(4, 'node1'), W6);
    },
  },
  {
    name: 'oversize dropped',
    description: 'a PUBLISH that is longer than the ring, skipped and acknowledged',
    prepare(engine) {
      const setup = new Setup(engine, { listener: { max_packet_size: 128, oversize: 'drop' } }).connectUpstream(0);
      return delivering(engine, setup.connectNode(4, 'node1'), publish(1, 5, TOPIC, 512));
    },
  },
  {
    name: 'keep alive',
    description: 'a minute passes: PINGREQ, PINGRESP',
    prepare(engine) {
      const setup = new Setup(engine, NO_RULES).connectUpstream(0);
      const { upstream } = setup;
      const onReadable = upstream.options.onReadable!;
      const pingresp = bytesOf(0xD0, 0);
      return count => {
        engine.feed(pingresp);
        for (let round = 0; round < count; ++round) {
          setup.wait(45_000);
          onReadable.call(upstream, 2);
        }
      };
    },
  },
  sampling('sensor', 'a reading becomes a payload and goes upstream', false),
  sampling('sensor, JSON', 'a reading becomes JSON with its time', false, 'json'),
  sampling('sensor, kept', 'a reading with QoS 1, through the queue and acknowledged', true),
  {
    name: 'rejected packet',
    description: 'a node connects, sends a malformed packet and is closed: the session, without the socket',
    prepare(engine) {
      const setup = new Setup(engine, NO_RULES).connectUpstream(0);
      const { arena, sessions } = setup.runtime.gateway;
      const session = sessions[0]!;
      const output = new Drain();
      const packets = bytesOf(connect(4, 'node1'), publish(3, 1, TOPIC, 4));
      return count => {
        arena.bytes.set(packets, arena.landingOffset);
        for (let round = 0; round < count; ++round) {
          session.open(output);
          session.parser.receive(arena.landingOffset, arena.landingOffset + packets.length);
        }
      };
    },
  },
  {
    name: 'server: retained delivery',
    description: 'SUBSCRIBE, a retained message, UNSUBSCRIBE',
    prepare(engine) {
      const setup = new Setup(engine, NO_RULES).connectUpstream(0);
      return delivering(engine, setup.connectNode(4, 'node1', publish(0, 0, TOPIC, 16, 1)),
        bytesOf(subscribe('site/#', 0), unsubscribe('site/#')));
    },
  },
  {
    name: 'server: Will',
    description: 'a node connects and vanishes, its Will reaches another one: the session, without the socket',
    prepare(engine) {
      const setup = new Setup(engine, NO_RULES).connectUpstream(0);
      setup.connectNode(4, 'reader', subscribe('site/#', 0));
      const { arena, sessions } = setup.runtime.gateway;
      const session = sessions[1]!;
      const output = new Drain();
      const packet = withLength(0x10, text('MQTT'), 4, 6, 0, 60, text('node1'), text(TOPIC), text('gone'));
      return count => {
        for (let round = 0; round < count; ++round) {
          arena.bytes.set(packet, arena.landingOffset);
          session.open(output);
          session.parser.receive(arena.landingOffset, arena.landingOffset + packet.length);
          session.transportClosed(0x100);
        }
      };
    },
  },
  fromWebSocket('WebSocket: node QoS 0', 'W1 from a node, in a frame', frame(0x82, W1)),
  fromWebSocket('WebSocket: node QoS 1', 'W6 from a node in two fragments with a Ping between, Pong and PUBACK sent',
    bytesOf(frame(0x02, W6.subarray(0, 40)), frame(0x89, bytesOf('hello')), frame(0x80, W6.subarray(40)))),
  {
    name: 'WebSocket: to node',
    description: 'W1 from upstream, delivered to a node in a frame',
    prepare(engine) {
      const setup = new WebSocketSetup(engine, OUT_AND_IN).connectUpstream(1);
      setup.connectNode(4, 'reader', subscribe('site/#', 0));
      return delivering(engine, setup.upstream, W1);
    },
  },
  fromNode('server: right known', 'PUBLISH from a node that may, by listener.acl', W1, 4,
    { listener: { acl: [{ topic: 'site/%c/#', access: 'read' }, { topic: 'site/#', access: 'write' }] } }),
  fromNode('server: right denied', 'PUBLISH from a node that may not', W1, 4,
    { listener: { acl: [{ topic: 'site/%c/#' }] } }),
  fromNode('server: right judged', 'PUBLISH with two topics that are too long for the topic table, rights judged anew',
    bytesOf(publish(0, 0, 'x'.repeat(100), 8), publish(0, 0, 'y'.repeat(100), 8)), 4,
      { listener: { acl: [{ topic: '%c/#' }, { topic: '#' }] } }),
  fromNode('server: mount point', 'PUBLISH from a node that has a mount point', W1, 4,
    { listener: { users: [{ username: 'anna', password: '', mount_point: 'mount/%u/' }] } }),
  {
    name: 'server: rate limit',
    description: 'a message from a node that may send one a second: held, and released a second later',
    prepare(engine) {
      const setup =
        new Setup(engine,
          { upstream: { keepalive_interval: 0 },
            listener: { max_publish_rate: 1, sys_interval: 0 } }).connectUpstream(0);
      const deliver = delivering(engine, setup.connectNode(4, 'node1'), W1);
      return count => {
        for (let round = 0; round < count; ++round) {
          deliver(1);
          setup.wait(1000);
        }
      };
    },
  },
  {
    name: 'server: $SYS',
    description: 'ten seconds pass: all figures to one node, which says PINGREQ',
    prepare(engine) {
      const setup = new Setup(engine, { upstream: { keepalive_interval: 0 } }).connectUpstream(0);
      const deliver = delivering(engine, setup.connectNode(4, 'node1', subscribe('$SYS/#', 0)), bytesOf(0xC0, 0));
      return count => {
        for (let round = 0; round < count; ++round) {
          setup.wait(10_000);
          deliver(1);
        }
      };
    },
  },
  {
    name: 'server: eight nodes',
    description: 'sizes of a board, eight persistent sessions with Wills; each node sends its neighbour a command with QoS 1, both acknowledged, and a reading upstream; a second passes',
    prepare: eightNodes,
  },
  {
    name: 'store append',
    description: 'PUBLISH with QoS 1 from a node into the store, then upstream, then both acknowledged',
    prepare(engine) {
      const { deliver, acknowledge } = storing(engine, 8192, 1);
      return count => {
        for (let round = 0; round < count; ++round) {
          deliver();
          acknowledge();
        }
      };
    },
  },
  {
    name: 'store append, QoS 2',
    description: 'the same with QoS 2 on both sides',
    prepare(engine) {
      const { deliver, acknowledge } = storing(engine, 8192, 2);
      return count => {
        for (let round = 0; round < count; ++round) {
          deliver();
          acknowledge();
        }
      };
    },
  },
  {
    name: 'store replay',
    description: 'the same with QoS 1 while so much waits that each message is read from the flash before it is sent',
    prepare(engine) {
      const { deliver, acknowledge } = storing(engine, 1024, 1);
      for (let waiting = 0; waiting < 100; ++waiting)
        deliver();
      return count => {
        for (let round = 0; round < count; ++round) {
          deliver();
          acknowledge();
        }
      };
    },
  },
  {
    name: 'store drop',
    description: 'PUBLISH with QoS 1 from a node into a full store while upstream is away: the oldest block is given up and erased now and then',
    prepare(engine) {
      return filling(storing(engine, 1024, 1, 'drop_oldest'));
    },
  },
  {
    name: 'store drop, latest',
    description: 'the same while the last message of each topic is kept',
    prepare(engine) {
      return filling(storing(engine, 1024, 1, 'latest_per_topic'));
    },
  },
  {
    name: 'store refuses',
    description: 'the same while nothing is given up: the message is not acknowledged, and a millisecond passes',
    prepare(engine) {
      const { deliver, wait } = storing(engine, 1024, 1, 'drop_newest');
      return filling({
        deliver() {
          deliver();
          wait(1);
        },
      });
    },
  },
];

/** Fills the store before anything is measured. */
function filling({ deliver }: { deliver: () => void }): (count: number) => void {
  const deliverMany = (count: number): void => {
    for (let round = 0; round < count; ++round)
      deliver();
  };
  deliverMany(1000);
  return deliverMany;
}

/** The test of the test: a handler that makes one object per packet. */
export const ALLOCATING: Workload = {
  name: 'allocating',
  description: 'as W1, with a clock that makes an object',
  prepare(engine) {
    const setup = new Setup(engine, OUT_AND_IN, { time: () => ({ now: 1 }).now }).connectUpstream(1);
    return delivering(engine, setup.upstream, W1);
  },
};

/**
 * Each round delivers `bytes` to `from`, then to `to` the acknowledgements of what the gateway sent it, one by one,
 * under the identifier that the gateway uses next: they count up from `first` and wrap.
 */
function acknowledging(engine: Engine, from: HandDrivenSocket, bytes: Uint8Array, to: HandDrivenSocket,
  { first, firstBytes }: { firstBytes: readonly number[]; first: number }): (count: number) => void {
  const script = bytesOf(bytes, ...firstBytes.map(firstByte => acknowledgement(firstByte, 0)));
  const deliver = from.options.onReadable!;
  const acknowledge = to.options.onReadable!;
  let identifier = first;
  return count => {
    for (let round = 0; round < count; ++round) {
      for (let at = bytes.length; at < script.length; at += 4) {
        script[at + 2] = identifier >> 8;
        script[at + 3] = identifier;
      }
      identifier = identifier === 65535 ? 1 : identifier + 1;
      engine.feed(script);
      deliver.call(from, bytes.length);
      for (let at = bytes.length; at < script.length; at += 4)
        acknowledge.call(to, 4);
    }
  };
}

function eightNodes(engine: Engine): (count: number) => void {
  const setup = new Setup(engine, {
    upstream: { keepalive_interval: 0 },
    listener: { max_connections: 8 },
    topic: [{ pattern: 'site/#', direction: 'out', qos: 0, local_prefix: '', remote_prefix: 'gateway/', store: false }],
  }).connectUpstream(0);
  const names = Array.from({ length: 8 }, (_, index) => `node${index}`);
  const nodes = names.map(name => setup.acceptNode(
    withLength(0x10, text('MQTT'), 4, 4, 0, 0, text(name), text('gone'), text(name)), subscribe(`command/${name}`, 1)));
  const callbacks = nodes.map(({ options }) => options.onReadable!);
  const scripts = names.map((name, index) => bytesOf(
    publish(1, 7, `command/${names[(index + 1) % 8]!}`, 16), publish(0, 0, `site/${name}/temperature`, 64),
      acknowledgement(0x40, 0)));
  let identifier = 1;
  return count => {
    for (let round = 0; round < count; ++round) {
      for (let index = 0; index < 8; ++index) {
        const script = scripts[index]!;
        const length = script.length;
        const neighbour = (index + 1) % 8;
        script[length - 2] = identifier >> 8;
        script[length - 1] = identifier;
        engine.feed(script);
        callbacks[index]!.call(nodes[index]!, length - 4);
        callbacks[neighbour]!.call(nodes[neighbour]!, 4);
      }
      identifier = identifier === 65535 ? 1 : identifier + 1;
      setup.wait(1000);
    }
    const { connectedCount, delivery, nodes: { states } } = setup.runtime.gateway;
    for (let index = 0; index < states.length; ++index)
      if (connectedCount !== 8 || delivery.droppedCount !== 0 || states[index]!.queue.count !== 0)
        throw new Error('the eight nodes were not served');
  };
}

function acknowledgedForward(engine: Engine, qos: number): (count: number) => void {
  const setup = new Setup(engine, OUT_AND_IN).connectUpstream(1);
  const node = setup.connectNode(4, 'node1');
  const packet = qos === 1 ? W6 : bytesOf(publish(2, 9, TOPIC, 64), acknowledgement(0x62, 9));
  // Identifier 1 went into the subscription.
  return acknowledging(engine, node, packet, setup.upstream,
    { firstBytes: qos === 1 ? [0x40] : [0x50, 0x70], first: 2 });
}

/**
 * A gateway with a persistent store. `deliver`: a message from a node, up to its acknowledgement; `acknowledge`: of
 * the oldest one upstream.
 */
function storing(engine: Engine, ram: number, qos: number,
  full?: 'drop_oldest' | 'drop_newest' | 'latest_per_topic'): { deliver: () => void; acknowledge: () =>
    void; wait: (milliseconds: number) => void } {
  const isConnected = full === undefined;
  const setup =
    new Setup(engine,
      { ...OUT_AND_IN, store: { ram, durability: 'flash', full: full ?? 'drop_oldest' },
        upstream: { keepalive_interval: 0 }, listener: { sys_interval: 0 } });
  if (isConnected)
    setup.connectUpstream(0);
  const node = setup.connectNode(4, 'node1');
  const { upstream } = setup;
  const onNode = node.options.onReadable!;
  const onUpstream = upstream.options.onReadable!;
  const packet = qos === 1 ? W6 : publish(2, 9, TOPIC, 64);
  const pubrel = acknowledgement(0x62, 9);
  const acknowledgements = (qos === 1 ? [0x40] : [0x50, 0x70]).map(firstByte => acknowledgement(firstByte, 0));
  let identifier = 1;
  if (isConnected)
    setup.receive(upstream, bytesOf(0x90, 3, 0, 1, 1)); // the subscription has the first identifier
  return {
    wait: milliseconds => setup.wait(milliseconds),
    deliver() {
      engine.feed(packet);
      onNode.call(node, packet.length);
      setup.settle();
      if (qos === 2) {
        engine.feed(pubrel);
        onNode.call(node, 4);
      }
    },
    acknowledge() {
      identifier = identifier === 65535 ? 1 : identifier + 1;
      for (let index = 0; index < acknowledgements.length; ++index) {
        acknowledgements[index]![2] = identifier >> 8;
        acknowledgements[index]![3] = identifier;
        engine.feed(acknowledgements[index]!);
        onUpstream.call(upstream, 4);
        setup.settle();
      }
    },
  };
}
