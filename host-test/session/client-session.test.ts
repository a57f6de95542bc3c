/** The Client role alone: bytes in, bytes out, events. What belongs to rules C1 to C15 is in connect-rules.test.ts. */
import { describe, expect, it } from 'vitest';
import { OVERSIZE_DROP } from '../../src/packet/packet-handler.ts';
import * as ProtocolVersion from '../../src/packet/protocol-version.ts';
import * as ReasonCode from '../../src/packet/reason-code.ts';
import { ClientSession } from '../../src/session/client-session.ts';
import { CLOSED, CONNECTED, } from '../../src/session/connection-state.ts';
import {
  ascii, bytes, ClientLog, connectedClient, connectFields, type ConnectOptions, openedClient, RecordingOutput,
  World,
} from './pair.ts';

const { MQTT_3_1, MQTT_3_1_1 } = ProtocolVersion;

/** The connection breaks and a new one is accepted. @returns the new output; CONNECT has been taken from it */
function reconnect({ session, world }: ReturnType<typeof connectedClient>, sessionPresent: boolean): RecordingOutput {
  session.transportClosed(ReasonCode.NETWORK_CLOSED);
  const output = new RecordingOutput(world.arena);
  session.open(output);
  output.take();
  world.feed(session, sessionPresent ? '20 02 01 00' : '20 02 00 00');
  return output;
}

describe('CONNACK', () => {
  const reasons: Record<number, number> = { 1: 0x84, 2: 0x85, 3: 0x88, 4: 0x86, 5: 0x87 };

  it('accepts with code 0 and no other: 1 to 5 have their meaning, 6 to 255 are refusals too', () => {
    for (const version of [MQTT_3_1, MQTT_3_1_1])
      for (let code = 0; code < 256; ++code) {
        const { log, output, session, world } = openedClient({ version });
        world.feed(session, [0x20, 0x02, 0x00, code]);
        expect(session.state, `code ${code}`).toBe(code === 0 ? CONNECTED : CLOSED);
        expect(log.events).toEqual([code === 0 ? 'connected'
          : `closed 0x${(reasons[code] ?? ReasonCode.UNKNOWN_RETURN_CODE).toString(16)}`]);
        expect(output.isClosed).toBe(code !== 0);
        expect(output.sent).toEqual([]);
      }
  });

  it('with Session Present after Clean Session is an error [MQTT311-3.2.2-1]', () => {
    const { log, output, session, world } = openedClient({ cleanStart: true });
    world.feed(session, '20 02 01 00');
    expect(log.events).toEqual(['closed 0x106']);
    expect(output.isClosed).toBe(true);
  });

  it('that is half there when the connection ends has not come', () => {
    for (const part of ['', '20', '20 02', '20 02 00']) {
      const { log, session, world } = openedClient();
      world.feed(session, part);
      session.transportClosed(ReasonCode.NETWORK_CLOSED);
      expect(log.events).toEqual(['closed 0x109']);
    }
  });

  it('half received on one connection is not completed by the next', () => {
    const { log, session, world } = openedClient();
    world.feed(session, '20 02 00');
    session.transportClosed(ReasonCode.NETWORK_CLOSED);
    session.open(new RecordingOutput(world.arena));
    world.feed(session, '00');
    expect(log.events).toEqual(['closed 0x109', 'closed 0x81']);
  });

  it.each([
    ['HTTP', ascii('HTTP/1.1 400 Bad Request')], ['SSH', ascii('SSH-2.0-OpenSSH')],
      ['a TLS alert', '15 03 03 00 02 02 46'],
    ['zeros', '00 00 00 00'], ['a PUBLISH', '30 03 00 01 74'], ['ones', 'ff ff ff ff'],
  ])('is not what %s looks like: closed at the first byte, and nothing after it matters [MQTT311-3.2.0-1]',
    (_name, data) => {
    const { log, output, session, world } = openedClient();
    const [first, ...rest] = bytes(data);
    world.feed(session, [first!]);
    expect(session.state).toBe(CLOSED);
    expect(output.isClosed).toBe(true);
    const events = [...log.events];
    world.feed(session, rest);
    world.feed(session, '20 02 00 00');
    expect(log.events).toEqual(events);
    expect(log.events).toHaveLength(1);
    expect(log.messages).toEqual([]);
  });
});

describe('opening', () => {
  it('fails when the output has no room for CONNECT, without sending a part of it', () => {
    const world = new World();
    const log = new ClientLog();
    const session =
      new ClientSession(world.context, world.clientPlan, connectFields(world),
        world.clientState, log);
    const output = new RecordingOutput(world.arena);
    output.room = 15;
    session.open(output);
    expect(output.sent).toEqual([]);
    expect(log.events).toEqual(['closed 0x104']);
    expect(session.state).toBe(CLOSED);
  });

  it('is not possible with a CONNECT that is longer than the packet buffer: the constructor says so', () => {
    const world = new World({ stagingCapacity: 64 });
    const make = (length: number) => new ClientSession(world.context, world.clientPlan,
      connectFields(world, { clientIdentifier: 'x'.repeat(length) }), world.clientState, new ClientLog());
    expect(() => make(48)).toThrow(RangeError);
    expect(() => make(20)).not.toThrow();
  });

  it('reports the end of the network connection with the reason it is given, before and after CONNACK', () => {
    const { log, session, world } = openedClient();
    session.transportClosed(ReasonCode.NETWORK_UNREACHABLE);
    expect(log.events).toEqual(['closed 0x107']);
    session.transportClosed(ReasonCode.NETWORK_CLOSED); // once
    expect(log.events).toHaveLength(1);
    session.open(new RecordingOutput(world.arena));
    world.feed(session, '20 02 00 00');
    session.transportClosed(ReasonCode.NETWORK_CLOSED);
    expect(log.events.slice(1)).toEqual(['connected', 'closed 0x100']);
  });
});

describe('closing', () => {
  it('says DISCONNECT, closes, and sends nothing afterwards [MQTT311-3.14.4-1] [MQTT311-3.14.4-2]', () => {
    const { log, output, session, world } = connectedClient();
    session.disconnect();
    expect(output.take()).toBe('e0 00');
    expect(output.isClosed).toBe(true);
    expect(log.events).toEqual(['closed 0x0']);
    expect(session.publish(world.message('t', 'x'))).toBe(false);
    session.disconnect();
    session.writable();
    session.handleTimeout();
    expect(output.sent).toEqual([]);
    expect(log.events).toHaveLength(1);
  });

  it('does not say DISCONNECT before CONNACK', () => {
    const { log, output, session } = openedClient();
    session.disconnect();
    expect(output.sent).toEqual([]);
    expect(output.isClosed).toBe(true);
    expect(log.events).toEqual(['closed 0x0']);
  });

  it('looks at nothing that arrives afterwards', () => {
    const { log, session, world } = connectedClient();
    session.disconnect();
    world.feed(session, '32 05 00 01 74 00 01');
    expect(log.messages).toEqual([]);
  });
});

describe('SUBSCRIBE and UNSUBSCRIBE', () => {
  function subscribing(options: ConnectOptions = {}) {
    const subject = connectedClient(options);
    const filter = subject.world.text('a/+');
    expect(subject.session.subscribe(filter.offset, filter.length, 1)).toBe(true);
    return { ...subject, filter };
  }

  it('ask for one filter with a fresh identifier each [MQTT311-2.3.1-1] [MQTT311-2.3.1-2] [MQTT311-3.8.1-1]', () => {
    const { filter, log, output, session, world } = subscribing();
    expect(output.take()).toBe('82 08 00 01 00 03 61 2f 2b 01');
    expect(session.isSubscribing).toBe(true);
    world.feed(session, '90 03 00 01 01');
    expect(session.isSubscribing).toBe(false);
    session.unsubscribe(filter.offset, filter.length);
    expect(output.take()).toBe('a2 07 00 02 00 03 61 2f 2b');
    world.feed(session, 'b0 02 00 02');
    expect(log.events).toEqual(['subscribed 1', 'subscribed 0']);
  });

  it('are made one at a time', () => {
    const { filter, output, session } = subscribing();
    output.take();
    expect(session.subscribe(filter.offset, filter.length, 0)).toBe(false);
    expect(session.unsubscribe(filter.offset, filter.length)).toBe(false);
    expect(output.sent).toEqual([]);
  });

  it('may be refused, which ends nothing', () => {
    const { log, session, world } = subscribing();
    world.feed(session, '90 03 00 01 80');
    expect(log.events).toEqual(['subscribed 128']);
    expect(session.isConnected).toBe(true);
  });

  it.each(['90 04 00 01 00 00', '90 02 00 01', '90 03 00 01 03',
    '90 03 00 01 7f'])('are not answered by a SUBACK with the wrong number or value of codes (%s) [MQTT311-3.8.4-5] [MQTT311-3.9.3-2]', packet => {
    const { log, session, world } = subscribing();
    world.feed(session, packet);
    expect(log.events).toEqual(['closed 0x81']);
  });

  it('are not answered by a packet with another identifier', () => {
    const { log, session, world } = subscribing();
    world.feed(session, '90 03 00 02 01 b0 02 00 02');
    expect(session.isSubscribing).toBe(true);
    expect(log.events).toEqual([]);
    world.feed(session, '90 03 00 01 01');
    expect(log.events).toEqual(['subscribed 1']);
    world.feed(session, '90 03 00 01 01'); // once
    expect(log.events).toEqual(['subscribed 1']);
  });

  it('are not answered by each other', () => {
    const { filter, log, session, world } = subscribing();
    world.feed(session, 'b0 02 00 01');
    expect(log.events).toEqual([]);
    expect(session.isSubscribing).toBe(true);
    world.feed(session, '90 03 00 01 02');
    session.unsubscribe(filter.offset, filter.length);
    world.feed(session, '90 03 00 02 00');
    expect(log.events).toEqual(['subscribed 2']);
    expect(session.isSubscribing).toBe(true);
  });

  it('that were not answered are forgotten when the connection ends', () => {
    const subject = subscribing();
    const output = reconnect(subject, false);
    expect(subject.session.isSubscribing).toBe(false);
    subject.session.subscribe(subject.filter.offset, subject.filter.length, 0);
    expect(output.take()).toBe('82 08 00 02 00 03 61 2f 2b 00');
    subject.world.feed(subject.session, '90 03 00 01 01');
    expect(subject.session.isSubscribing).toBe(true);
  });
});

describe('messages on their way out', () => {
  it('QoS 0 goes at once and is never kept [MQTT311-4.3.1-1] [MQTT311-2.3.1-5]', () => {
    const { output, session, world } = connectedClient();
    expect(session.publish(world.message('t', 'x', 1))).toBe(true);
    expect(output.take()).toBe('31 04 00 01 74 78');
    expect(world.clientState.queue.count).toBe(0);
  });

  it('QoS 0 is refused, and nothing sent, without room', () => {
    const { output, session, world } = connectedClient();
    output.room = 5;
    expect(session.publish(world.message('t', 'x'))).toBe(false);
    output.room = 6;
    expect(session.publish(world.message('t', 'x'))).toBe(true);
    expect(output.take()).toBe('30 04 00 01 74 78');
    expect(session.isConnected).toBe(true);
  });

  it('QoS 1 is kept until PUBACK [MQTT311-4.3.2-1]', () => {
    const { output, session, world } = connectedClient();
    session.enqueue(world.message('t', 'x'), 1);
    expect(output.take()).toBe('32 06 00 01 74 00 01 78');
    expect(world.clientState.queue.count).toBe(1);
    world.feed(session, '40 02 00 01');
    expect(world.clientState.queue.count).toBe(0);
    expect(output.sent).toEqual([]);
  });

  it('QoS 2 is kept until PUBCOMP [MQTT311-4.3.3-1]', () => {
    const { output, session, world } = connectedClient();
    session.enqueue(world.message('t', 'x'), 2);
    expect(output.take()).toBe('34 06 00 01 74 00 01 78');
    world.feed(session, '50 02 00 01');
    expect(output.take()).toBe('62 02 00 01');
    expect(world.clientState.queue.count).toBe(1);
    world.feed(session, '70 02 00 01');
    expect(world.clientState.queue.count).toBe(0);
    expect(output.sent).toEqual([]);
  });

  it('an acknowledgement that nothing awaits frees nothing and ends nothing', () => {
    const { output, session, world } = connectedClient();
    session.enqueue(world.message('t', 'a'), 1);
    session.enqueue(world.message('t', 'b'), 2);
    output.take();
    world.feed(session, '40 02 00 09 70 02 00 09 70 02 00 01'); // unknown; PUBCOMP for QoS 1
    expect(world.clientState.queue.count).toBe(2);
    expect(world.clientState.queue.inflightCount).toBe(2);
    world.feed(session, '40 02 00 01 40 02 00 01');
    expect(world.clientState.queue.inflightCount).toBe(1);
    expect(session.isConnected).toBe(true);
    expect(output.sent).toEqual([]);
  });

  it.each([['PUBACK', 2, '40 02 00 01', ''], ['PUBCOMP before PUBREL', 2, '70 02 00 01', ''],
    ['PUBREC', 1, '50 02 00 01', '62 02 00 01']])('%s for QoS %i, from a Server, is taken for delivered', (...cases) => {
    const [, qos, answer, expected] = cases;
    const { output, session, world } = connectedClient();
    session.enqueue(world.message('t', 'a'), qos);
    output.take();
    world.feed(session, answer);
    expect([world.clientState.queue.count, output.take(), session.isConnected]).toEqual([0, expected, true]);
  });

  it('a PUBREC that nothing awaits is answered with PUBREL, so that the receiver can forget it', () => {
    const { output, session, world } = connectedClient();
    world.feed(session, '50 02 12 34');
    expect(output.take()).toBe('62 02 12 34');
    expect(world.clientState.queue.count).toBe(0);
  });

  it('a repeated PUBREC gets PUBREL again', () => {
    const { output, session, world } = connectedClient();
    session.enqueue(world.message('t', 'x'), 2);
    output.take();
    world.feed(session, '50 02 00 01 50 02 00 01');
    expect(output.take()).toBe('62 02 00 01 62 02 00 01');
    world.feed(session, '70 02 00 01');
    expect(world.clientState.queue.count).toBe(0);
  });

  it('PUBREL follows the order of the PUBRECs [MQTT311-4.6.0-4]', () => {
    const { output, session, world } = connectedClient();
    for (const payload of ['a', 'b', 'c'])
      session.enqueue(world.message('t', payload), 2);
    output.take();
    world.feed(session, '50 02 00 02 50 02 00 01 50 02 00 03');
    expect(output.take()).toBe('62 02 00 02 62 02 00 01 62 02 00 03');
  });

  it('acknowledged out of order, they are freed all the same', () => {
    const { session, world } = connectedClient();
    for (const payload of ['a', 'b', 'c'])
      session.enqueue(world.message('t', payload), 1);
    world.feed(session, '40 02 00 03 40 02 00 02 40 02 00 01');
    expect(world.clientState.queue.count).toBe(0);
    expect(world.clientState.queue.usedLength).toBe(0);
  });

  it('no more than the inflight limit are unacknowledged; each acknowledgement lets one out', () => {
    const { output, session, world } = connectedClient({ limits: { maximumInflightMessages: 2 } });
    for (const payload of ['a', 'b', 'c', 'd'])
      session.enqueue(world.message('t', payload), 1);
    expect(output.take()).toBe('32 06 00 01 74 00 01 61 32 06 00 01 74 00 02 62');
    world.feed(session, '40 02 00 02');
    expect(output.take()).toBe('32 06 00 01 74 00 03 63');
    world.feed(session, '40 02 00 01');
    expect(output.take()).toBe('32 06 00 01 74 00 04 64');
  });

  it('PUBREC does not make room in the window, PUBCOMP does', () => {
    const { output, session, world } = connectedClient({ limits: { maximumInflightMessages: 1 } });
    session.enqueue(world.message('t', 'a'), 2);
    session.enqueue(world.message('t', 'b'), 2);
    output.take();
    world.feed(session, '50 02 00 01');
    expect(output.take()).toBe('62 02 00 01');
    world.feed(session, '70 02 00 01');
    expect(output.take()).toBe('34 06 00 01 74 00 02 62');
  });

  it('a QoS 0 message in the queue keeps its place behind the ones before it', () => {
    const { output, session, world } = connectedClient({ limits: { maximumInflightMessages: 1 } });
    session.enqueue(world.message('t', 'a'), 1);
    session.enqueue(world.message('t', 'b'), 1);
    session.enqueue(world.message('t', 'c'), 0);
    output.take();
    world.feed(session, '40 02 00 01');
    expect(output.take()).toBe('32 06 00 01 74 00 02 62 30 04 00 01 74 63');
    expect(world.clientState.queue.count).toBe(2);
  });

  it('a full queue refuses, and what it holds is sent as it was', () => {
    const { output, session, world } = openedClient({ limits: { maximumQueuedMessages: 2 } });
    expect([1, 2, 3].map(index => session.enqueue(world.message('t', `${index}`), 1))).toEqual([true, true, false]);
    expect(world.clientState.queue.count).toBe(2);
    world.feed(session, '20 02 00 00');
    expect(output.take()).toBe('32 06 00 01 74 00 01 31 32 06 00 01 74 00 02 32');
  });

  it('wait for room in the output, and go on when it says so', () => {
    const { output, session, world } = connectedClient();
    output.room = 8;
    for (const payload of ['a', 'b', 'c'])
      session.enqueue(world.message('t', payload), 1);
    expect(output.take()).toBe('32 06 00 01 74 00 01 61');
    output.room = 7; // one byte short
    session.writable();
    expect(output.sent).toEqual([]);
    output.room = 16;
    session.writable();
    expect(output.take()).toBe('32 06 00 01 74 00 02 62 32 06 00 01 74 00 03 63');
    expect(session.isConnected).toBe(true);
  });

  it('enqueued by the handler in onConnected, they follow those of the old connection', () => {
    const log = new class extends ClientLog {
      override onConnected(session: ClientSession, sessionPresent: boolean): void {
        super.onConnected(session, sessionPresent);
        session.enqueue(world.message('t', 'new'), 1);
      }
    }();
    const { output, session, world } = openedClient({}, log);
    session.enqueue(world.message('t', 'old'), 1);
    world.feed(session, '20 02 00 00');
    expect(output.take()).toBe('32 08 00 01 74 00 01 6f 6c 64 32 08 00 01 74 00 02 6e 65 77');
  });
});

describe('after a reconnect', () => {
  function withThree(options: ConnectOptions) {
    const subject = connectedClient(options);
    const { output, session, world } = subject;
    session.enqueue(world.message('t', 'a'), 1);
    session.enqueue(world.message('t', 'b'), 2);
    session.enqueue(world.message('t', 'c'), 2);
    world.feed(session, '50 02 00 02'); // b is known to the server
    output.take();
    return subject;
  }

  it('with the session, what is unacknowledged is sent again, in order, with DUP and the same identifiers [MQTT311-4.4.0-1] [MQTT311-3.3.1-1] [MQTT311-4.6.0-1]', () => {
    const output = reconnect(withThree({ cleanStart: false }), true);
    expect(output.take()).toBe('3a 06 00 01 74 00 01 61 62 02 00 02 3c 06 00 01 74 00 03 63');
  });

  it('without the session, what is not acknowledged to the end is new, PUBREC or not: no DUP [MQTT311-3.2.2-3]', () => {
    const subject = withThree({ cleanStart: false });
    const output = reconnect(subject, false);
    expect(output.take()).toBe('32 06 00 01 74 00 01 61 34 06 00 01 74 00 02 62 34 06 00 01 74 00 03 63');
    subject.world.feed(subject.session, '40 02 00 01 50 02 00 02 70 02 00 02 50 02 00 03 70 02 00 03');
    expect(subject.world.clientState.queue.count).toBe(0);
  });

  it('with Clean Session the messages survive in the same way [MQTT311-3.1.2-6]', () => {
    expect(reconnect(withThree({ cleanStart: true }),
      false).take()).toBe('32 06 00 01 74 00 01 61 34 06 00 01 74 00 02 62 34 06 00 01 74 00 03 63');
  });

  it('in 3.1, which does not say whether the session is there, all is repeated with DUP, PUBREC or not', () => {
    expect(reconnect(withThree({ cleanStart: false, version: MQTT_3_1 }),
      false).take()).toBe('3a 06 00 01 74 00 01 61 3c 06 00 01 74 00 02 62 3c 06 00 01 74 00 03 63');
  });

  it('the inflight limit counts what is sent again', () => {
    const subject = connectedClient({ cleanStart: false, limits: { maximumInflightMessages: 1 } });
    const { session, world } = subject;
    session.enqueue(world.message('t', 'a'), 1);
    session.enqueue(world.message('t', 'b'), 1);
    const output = reconnect(subject, true);
    expect(output.take()).toBe('3a 06 00 01 74 00 01 61');
    world.feed(session, '40 02 00 01');
    expect(output.take()).toBe('32 06 00 01 74 00 02 62');
  });

  it('a QoS 2 message that came in is remembered with the session, and forgotten without', () => {
    for (const [sessionPresent, count] of [[true, 1], [false, 2]] as const) {
      const subject = connectedClient({ cleanStart: false });
      subject.world.feed(subject.session, '34 06 00 01 74 00 07 78');
      reconnect(subject, sessionPresent);
      subject.world.feed(subject.session, '3c 06 00 01 74 00 07 78');
      expect(subject.log.messages).toHaveLength(count);
    }
  });
});

describe('messages that come in', () => {
  it('QoS 0, 1 and 2 are acknowledged by nothing, PUBACK and PUBREC [MQTT311-3.3.4-1] [MQTT311-2.3.1-6]', () => {
    const { log, output, session, world } = connectedClient();
    world.feed(session, '30 04 00 01 74 61');
    expect(output.take()).toBe('');
    world.feed(session, '33 06 00 01 74 00 0a 62');
    expect(output.take()).toBe('40 02 00 0a');
    world.feed(session, '34 06 00 01 74 00 0b 63');
    expect(output.take()).toBe('50 02 00 0b');
    world.feed(session, '62 02 00 0b');
    expect(output.take()).toBe('70 02 00 0b');
    expect(log.messages).toEqual(['0 t a', '1 t b retained', '2 t c']);
  });

  it('QoS 2 is delivered once until PUBREL; then its identifier means a new message, whatever DUP [MQTT311-4.3.3-2]',
    () => {
    const { log, output, session, world } = connectedClient();
    world.feed(session, '34 06 00 01 74 00 07 61 3c 06 00 01 74 00 07 61');
    expect(output.take()).toBe('50 02 00 07 50 02 00 07');
    expect(log.messages).toEqual(['2 t a']);
    world.feed(session, '62 02 00 07 3c 06 00 01 74 00 07 62');
    expect(output.take()).toBe('70 02 00 07 50 02 00 07');
    expect(log.messages).toEqual(['2 t a', '2 t b DUP']);
  });

  it('QoS 1 is delivered each time: after PUBACK the identifier is new [MQTT311-4.3.2-2]', () => {
    const { log, output, session, world } = connectedClient();
    world.feed(session, '32 06 00 01 74 00 07 61 3a 06 00 01 74 00 07 61');
    expect(output.take()).toBe('40 02 00 07 40 02 00 07');
    expect(log.messages).toEqual(['1 t a', '1 t a DUP']);
  });

  it('a PUBREL that nothing awaits is answered with PUBCOMP', () => {
    const { output, session, world } = connectedClient();
    world.feed(session, '62 02 00 09');
    expect(output.take()).toBe('70 02 00 09');
  });

  it('acknowledgements follow the order of the messages [MQTT311-4.6.0-2] [MQTT311-4.6.0-3]', () => {
    const { output, session, world } = connectedClient();
    world.feed(session, '32 05 00 01 74 00 03 34 05 00 01 74 00 01 32 05 00 01 74 00 02 34 05 00 01 74 00 04');
    expect(output.take()).toBe('40 02 00 03 50 02 00 01 40 02 00 02 50 02 00 04');
  });

  it('that the handler does not take over are not acknowledged, until it says so', () => {
    const { log, output, session, world } = connectedClient();
    log.takesMessages = false;
    world.feed(session, '32 05 00 01 74 00 03 34 05 00 01 74 00 04');
    expect(output.sent).toEqual([]);
    session.acknowledge(3, 1);
    session.acknowledge(4, 2);
    expect(output.take()).toBe('40 02 00 03 50 02 00 04');
    world.feed(session, '3c 05 00 01 74 00 04');
    expect(log.messages).toHaveLength(2); // QoS 2: not a second time
  });

  it('an acknowledgement that the handler gives twice leaves nothing behind', () => {
    const { log, output, session, world } = connectedClient();
    log.takesMessages = false;
    world.feed(session, '34 05 00 01 74 00 04');
    session.acknowledge(4, 2);
    session.acknowledge(4, 2);
    expect(output.take()).toBe('50 02 00 04 50 02 00 04');
    world.feed(session, '62 02 00 04');
    expect(world.clientState.receivedCount).toBe(0);
  });

  it('an acknowledgement after the end of the connection does nothing', () => {
    const { log, output, session, world } = connectedClient();
    log.takesMessages = false;
    world.feed(session, '34 05 00 01 74 00 04');
    session.transportClosed(ReasonCode.NETWORK_CLOSED);
    session.acknowledge(4, 2);
    expect(output.sent).toEqual([]);
    expect(world.clientState.receivedCount).toBe(0);
  });

  it('more unreleased QoS 2 messages than allowed end the connection; those before are kept', () => {
    const { log, output, session, world } = connectedClient({ limits: { maximumInflightMessages: 2 } });
    world.feed(session, '34 05 00 01 74 00 01 34 05 00 01 74 00 02 34 05 00 01 74 00 03');
    expect(log.events).toEqual(['closed 0x93']);
    expect(log.messages).toHaveLength(2);
    expect(output.take()).toBe('50 02 00 01 50 02 00 02');
    expect(world.clientState.receivedCount).toBe(2);
  });

  it('more deferred QoS 2 messages than allowed end the connection when the one too many is acknowledged', () => {
    const { log, session, world } = connectedClient({ limits: { maximumInflightMessages: 1 } });
    log.takesMessages = false;
    world.feed(session, '34 05 00 01 74 00 01 34 05 00 01 74 00 02');
    session.acknowledge(1, 2);
    session.acknowledge(2, 2);
    expect(log.events).toEqual(['closed 0x93']);
  });

  it('that cannot be acknowledged for lack of room end the connection; QoS 2 is remembered as delivered', () => {
    const { log, output, session, world } = connectedClient();
    output.room = 3;
    world.feed(session, '34 05 00 01 74 00 07 30 03 00 01 74');
    expect(log.events).toEqual(['closed 0x104']);
    expect(log.messages).toEqual(['2 t ']); // what follows is not looked at
    expect(output.sent).toEqual([]);
    expect(world.clientState.hasReceived(7)).toBe(true);
  });
});

describe('a message that is longer than the ring', () => {
  /** QoS 1, identifier 5, topic 't', 100 bytes of payload: 3 + 5 + 100 - 1 bytes in all; then QoS 0 'x'. */
  const long = [0x32, 0x69, 0x00, 0x01, 0x74, 0x00, 0x05, ...new Array<number>(100).fill(0x30),
    ...bytes('30 04 00 01 74 78')];

  it.each([1, 7,
    1000])('is handed over without its payload, acknowledged and skipped, if the setting says so (segments of %i)',
      size => {
    const { log, output, session, world } =
      connectedClient({ client: { maximumPacketSize: 64, oversize: OVERSIZE_DROP } });
    world.feed(session, long, () => size);
    expect(log.messages).toEqual(['1 t <100 bytes skipped>', '0 t x']);
    expect(output.take()).toBe('40 02 00 05');
    expect(session.isConnected).toBe(true);
  });

  it('is remembered at QoS 2 like any other', () => {
    const { log, output, session, world } =
      connectedClient({ client: { maximumPacketSize: 64, oversize: OVERSIZE_DROP } });
    const qos2 = [0x34, ...long.slice(1)];
    world.feed(session, [...qos2, 0x3C, ...qos2.slice(1)]);
    expect(log.messages).toEqual(['2 t <100 bytes skipped>', '0 t x', '0 t x']);
    expect(output.take()).toBe('50 02 00 05 50 02 00 05');
  });

  it('ends the connection, if the setting says so', () => {
    const { log, output, session, world } = connectedClient({ client: { maximumPacketSize: 64 } });
    world.feed(session, long);
    expect(log.events).toEqual(['closed 0x95']);
    expect(log.messages).toEqual([]);
    expect(output.sent).toEqual([]);
  });
});
