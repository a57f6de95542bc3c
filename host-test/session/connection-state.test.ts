/**
 * The state machine by itself, against lists written by hand from MQTT 3.1.1 chapter 3, and then the walk: every state
 * of a session of either role meets every Control Packet, and an illegal one changes nothing but ends the connection.
 */
import { describe, expect, it } from 'vitest';
import * as ControlPacket from '../../src/packet/control-packet.ts';
import * as ReasonCode from '../../src/packet/reason-code.ts';
import { ClientSession } from '../../src/session/client-session.ts';
import {
  afterConnack, CLIENT, CLOSED, CONNECTED, CONNECTING, legalTypes, OPENED, SERVER, STATE_NAMES,
} from '../../src/session/connection-state.ts';
import { ServerSession } from '../../src/session/server-session.ts';
import { bytes, ClientLog, connectFields, LATER, Pair, RecordingOutput, ServerLog, World } from './pair.ts';
import { ILLEGAL, nextState, stateDiagram } from './state-diagram.ts';

const { CONNACK, CONNECT, DISCONNECT, PINGREQ, PINGRESP, PUBACK, PUBCOMP, PUBLISH, PUBREC, PUBREL, SUBACK, SUBSCRIBE,
  UNSUBACK, UNSUBSCRIBE } = ControlPacket;

const STATES = [OPENED, CONNECTING, CONNECTED, CLOSED];
const TYPES = Array.from({ length: 16 }, (_, type) => type);

/** What each sender may send and where it leads; all else is illegal. */
const LEGAL: Record<number, Record<number, Record<number, number>>> = {
  [OPENED]: { [CLIENT]: { [CONNECT]: CONNECTING }, [SERVER]: {} },
  [CONNECTING]: { [CLIENT]: {}, [SERVER]: { [CONNACK]: CONNECTED } },
  [CONNECTED]: {
    [CLIENT]: {
      [PUBLISH]: CONNECTED, [PUBACK]: CONNECTED, [PUBREC]: CONNECTED, [PUBREL]: CONNECTED, [PUBCOMP]: CONNECTED,
      [SUBSCRIBE]: CONNECTED, [UNSUBSCRIBE]: CONNECTED, [PINGREQ]: CONNECTED, [DISCONNECT]: CLOSED,
    },
    [SERVER]: {
      [PUBLISH]: CONNECTED, [PUBACK]: CONNECTED, [PUBREC]: CONNECTED, [PUBREL]: CONNECTED, [PUBCOMP]: CONNECTED,
      [SUBACK]: CONNECTED, [UNSUBACK]: CONNECTED, [PINGRESP]: CONNECTED,
    },
  },
  [CLOSED]: { [CLIENT]: {}, [SERVER]: {} },
};

/** A valid packet of each type; index is the type. */
const PACKETS = [
  '00 00', '10 0d 00 04 4d 51 54 54 04 02 00 00 00 01 61', '20 02 00 00', '30 03 00 01 74', '40 02 00 01',
    '50 02 00 01',
  '62 02 00 01', '70 02 00 01', '82 06 00 01 00 01 66 00', '90 03 00 01 00', 'a2 05 00 01 00 01 66', 'b0 02 00 01',
    'c0 00',
  'd0 00', 'e0 00', 'f0 00',
];

const SENDERS = ['Client', 'Server'];

interface Subject {
  readonly world: World;
  readonly session: ClientSession | ServerSession;
  readonly output: RecordingOutput;
  readonly log: ClientLog | ServerLog;
}

function clientIn(state: number): Subject {
  const world = new World();
  const log = new ClientLog();
  const session =
    new ClientSession(world.context, world.clientPlan, connectFields(world),
      world.clientState, log);
  const output = new RecordingOutput(world.arena);
  if (state !== CLOSED)
    session.open(output);
  if (state === CONNECTED)
    world.feed(session, PACKETS[CONNACK]!);
  return { world, session, output, log };
}

function serverIn(state: number): Subject & { readonly session: ServerSession } {
  const world = new World();
  const log = new ServerLog(world.serverState);
  const session = new ServerSession(world.serverRole(log), 0);
  const output = new RecordingOutput(world.arena);
  if (state !== CLOSED)
    session.open(output);
  if (state === CONNECTING)
    log.verdict = LATER;
  if (state >= CONNECTING && state !== CLOSED)
    world.feed(session, PACKETS[CONNECT]!);
  return { world, session, output, log };
}

/** All that an illegal packet must leave alone. */
const snapshot = ({ session, world }: Subject): unknown => [
  world.clientState.queue.count, world.clientState.queue.usedLength, world.clientState.receivedCount,
  world.serverState.queue.count, world.serverState.queue.usedLength, world.serverState.receivedCount,
  session.sessionState, session.version, world.clock.isArmed, world.clock.deadline,
];

describe('the table', () => {
  it('allows exactly what the specification allows, for each state, sender and type', () => {
    for (const state of STATES)
      for (const sender of [CLIENT, SERVER])
        for (const type of TYPES)
          expect(nextState(state, sender, type),
            `${STATE_NAMES[state]} ${SENDERS[sender]} ${ControlPacket.NAMES[type]}`)
            .toBe(LEGAL[state]![sender]![type] ?? ILLEGAL);
  });

  it('gives the same answers as a mask of types', () => {
    for (const state of STATES)
      for (const sender of [CLIENT, SERVER])
        expect(legalTypes(state, sender)).toBe(Object.keys(LEGAL[state]![sender]!).reduce((mask, type) =>
          mask | 1 << Number(type), 0));
  });

  it('ends the connection after a CONNACK that refuses, with whatever code [MQTT311-3.2.2-5]', () => {
    expect(afterConnack(ReasonCode.SUCCESS)).toBe(CONNECTED);
    for (let code = 1; code < 256; ++code)
      expect(afterConnack(ReasonCode.fromReturnCode(code))).toBe(CLOSED);
  });

  it('lets nothing out of CLOSED', () => {
    expect(legalTypes(CLOSED, CLIENT) | legalTypes(CLOSED, SERVER)).toBe(0);
  });
});

describe.each([
  { role: 'Client', make: clientIn, peer: SERVER, states: [CONNECTING, CONNECTED, CLOSED] },
  { role: 'Server', make: serverIn, peer: CLIENT, states: [OPENED, CONNECTED, CLOSED] },
])('a session in the $role role', ({ make, peer, states }) => {
  const cases = states.flatMap(state => TYPES.map(type => ({
    state, type, stateName: STATE_NAMES[state], typeName: ControlPacket.NAMES[type],
      expected: LEGAL[state]![peer]![type] ?? ILLEGAL,
  })));

  it.each(cases.filter(({ expected }) =>
    expected !== ILLEGAL))('takes $typeName in $stateName and is in the state of the table then',
      ({ expected, state, type }) => {
    const subject = make(state);
    expect(subject.session.state).toBe(state);
    subject.world.feed(subject.session, PACKETS[type]!);
    if (type === CONNECT) // the handler of this test accepts at once
      expected = LEGAL[expected]![SERVER]![CONNACK]!;
    expect(subject.session.state).toBe(expected);
    expect(subject.session.parser.wanted < 0).toBe(expected === CLOSED);
    expect(subject.output.isClosed).toBe(expected === CLOSED);
  });

  it.each(cases.filter(({ expected, state }) => expected === ILLEGAL
    && state !== CLOSED))('ends at the first byte of $typeName in $stateName and changes nothing else [MQTT311-4.8.0-1]', ({ state, type }) => {
    const subject = make(state);
    const { log, output, session, world } = subject;
    output.take();
    const before = snapshot(subject);
    const events = log.events.length;
    const packet = bytes(PACKETS[type]!);
    world.feed(session, packet.slice(0, 1));
    const reasonCode = type === 0 || type === 15 ? ReasonCode.MALFORMED_PACKET : ReasonCode.PROTOCOL_ERROR;
    expect(session.state).toBe(CLOSED);
    expect(session.parser.wanted).toBe(-1);
    expect(log.events.slice(events)).toEqual([`closed 0x${reasonCode.toString(16)}`]);
    expect(log.messages).toEqual([]);
    expect(output.sent).toEqual([]);
    expect(output.isClosed).toBe(true);
    expect(snapshot(subject)).toEqual(before);

    // The error is sticky: neither the rest, nor anything legal before, nor a timeout, nor another failure changes it.
    world.feed(session, packet.slice(1));
    for (const other of PACKETS)
      world.feed(session, other);
    session.handleTimeout();
    session.writable();
    session.fail(ReasonCode.QUOTA_EXCEEDED);
    session.transportClosed(ReasonCode.NETWORK_CLOSED);
    expect(session.parser.wanted).toBe(-1);
    expect(log.events).toHaveLength(events + 1);
    expect(output.sent).toEqual([]);
    expect(snapshot(subject)).toEqual(before);
  });

  it.each(cases.filter(({ state }) => state === CLOSED))('ignores $typeName in CLOSED', ({ type }) => {
    const subject = make(CLOSED);
    subject.world.feed(subject.session, PACKETS[type]!);
    expect(subject.session.state).toBe(CLOSED);
    expect(subject.log.events).toEqual([]);
    expect(subject.log.messages).toEqual([]);
    expect(subject.output.sent).toEqual([]);
  });
});

describe('a Server session in CONNECTING', () => {
  it.each(TYPES)('keeps a packet of type %i unread until the verdict [MQTT311-3.1.4-5]', type => {
    const { log, output, session, world } = serverIn(CONNECTING);
    world.feed(session, PACKETS[type]!);
    expect(session.state).toBe(CONNECTING);
    expect(session.parser.wanted).toBe(0);
    expect(log.events).toEqual(['connect a']);
    expect(output.sent).toEqual([]);
    session.refuse(ReasonCode.NOT_AUTHORIZED);
    session.continueReading();
    expect(session.state).toBe(CLOSED);
    expect(output.take()).toBe('20 02 00 05');
    expect(log.events).toEqual(['connect a', 'closed 0x87']);
    expect(log.messages).toEqual([]);
  });
});

describe('a real handshake', () => {
  it('leads both sides to the states of the table', () => {
    const pair = new Pair({ latency: 10, nextSize: () => 1 });
    expect([pair.client.state, pair.server.state]).toEqual([CLOSED, CLOSED]);
    pair.open();
    const connecting = nextState(OPENED, CLIENT, CONNECT);
    expect([pair.client.state, pair.server.state]).toEqual([connecting, OPENED]);
    pair.settle();
    const connected = nextState(connecting, SERVER, CONNACK);
    expect([pair.client.state, pair.server.state]).toEqual([connected, connected]);
    expect(pair.client.parser.acceptedTypes).toBe(legalTypes(connected, SERVER));
    expect(pair.server.parser.acceptedTypes).toBe(legalTypes(connected, CLIENT));
    pair.client.disconnect();
    pair.settle();
    const closed = nextState(connected, CLIENT, DISCONNECT);
    expect([pair.client.state, pair.server.state]).toEqual([closed, closed]);
    expect(pair.client.parser.acceptedTypes | pair.server.parser.acceptedTypes).toBe(0);
  });

  it('leads to the same state as one that was refused and then repeated on the same objects', () => {
    const pair = new Pair();
    pair.serverLog.verdict = 1;
    pair.connect();
    expect([pair.client.state, pair.server.state]).toEqual([CLOSED, CLOSED]);
    pair.serverLog.verdict = 0;
    pair.connect();
    expect([pair.client.state, pair.server.state]).toEqual([CONNECTED, CONNECTED]);
  });
});

describe('the diagram', () => {
  const diagram = stateDiagram();

  it('contains each transition of the table, and no packet that it does not allow', () => {
    for (const state of STATES)
      for (const sender of [CLIENT, SERVER]) {
        const arrows =
          diagram.split('\n').filter(line => line.startsWith(`    ${STATE_NAMES[state]} --> `)
            && line.includes(`: ${SENDERS[sender]} sends `));
        for (const type of TYPES) {
          const next = LEGAL[state]![sender]![type];
          const name = new RegExp(`[ ]${ControlPacket.NAMES[type]!.replace(/[()]/g, '\\$&')}(,| \\(|$)`);
          const found = arrows.filter(line => name.test(line));
          if (next === undefined)
            expect(found).toEqual([]);
          else
            expect(found.some(line => line.includes(`--> ${STATE_NAMES[next]}:`)),
              `${STATE_NAMES[state]} ${ControlPacket.NAMES[type]}`).toBe(true);
        }
      }
  });

  it('is this text', () => {
    expect(diagram).toBe(`stateDiagram-v2
    [*] --> OPENED: network connection
    OPENED --> CONNECTING: Client sends CONNECT
    CONNECTING --> CONNECTED: Server sends CONNACK (accepted)
    CONNECTING --> CLOSED: Server sends CONNACK (refused)
    CONNECTED --> CONNECTED: Client sends PUBLISH, PUBACK, PUBREC, PUBREL, PUBCOMP, SUBSCRIBE, UNSUBSCRIBE, PINGREQ
    CONNECTED --> CLOSED: Client sends DISCONNECT
    CONNECTED --> CONNECTED: Server sends PUBLISH, PUBACK, PUBREC, PUBREL, PUBCOMP, SUBACK, UNSUBACK, PINGRESP
    CLOSED --> [*]
    note right of CLOSED
        Any packet without an arrow is a protocol error and leads here,
        like a timeout and the loss of the network connection.
    end note
`);
  });
});
