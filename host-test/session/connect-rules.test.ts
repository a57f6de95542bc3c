/**
 * Rules C1 to C15 of src/session/CONNECT-RULES.md, one describe a rule, in the
 * role that the rule binds. All expected bytes were written by hand from the specifications.
 */
import { describe, expect, it } from 'vitest';
import { decodeUTF8 } from '../../src/bytes/utf8.ts';
import { MessageSpans } from '../../src/packet/packet.ts';
import * as ProtocolVersion from '../../src/packet/protocol-version.ts';
import * as ReasonCode from '../../src/packet/reason-code.ts';
import { writePublish } from '../../src/packet/publish.ts';
import { CLOSED, CONNECTING } from '../../src/session/connection-state.ts';
import { ServerSession } from '../../src/session/server-session.ts';
import { ascii, bytes, client, hex, LATER, openedServer, Pair, RecordingOutput, REFUSE } from './pair.ts';

const VERSIONS = [
  { name: 'MQTT 3.1', version: ProtocolVersion.MQTT_3_1, protocol: '00 06 4d 51 49 73 64 70 03' },
  { name: 'MQTT 3.1.1', version: ProtocolVersion.MQTT_3_1_1, protocol: '00 04 4d 51 54 54 04' },
];

/** A CONNECT from its parts; only the Remaining Length, which is short here, is computed. */
const connectBytes = (protocol: string, rest: string): string => {
  const body = bytes(protocol + rest);
  return hex([0x10, body.length, ...body]);
};

/** CONNECT with Clean Session, Keep Alive 0 and this identifier, fewer than 100 ASCII characters. */
const connectAs = (protocol: string, identifier: string): string =>
  connectBytes(protocol, `02 00 00 00 ${identifier.length.toString(16).padStart(2, '0')} ${ascii(identifier)}`);

const willOf = (session: ServerSession): MessageSpans => {
  const will = new MessageSpans();
  session.readWill(will);
  return will;
};

describe.each(VERSIONS)('$name', ({ version, protocol }) => {
  describe('C1: the Client asks for a connection with CONNECT as the first packet', () => {
    it('C1 client: sends CONNECT at once, and nothing more until CONNACK [MQTT311-3.1.0-1]', () => {
      const { world, output, session } = client({ version, keepAlive: 60 });
      expect(output.sent).toEqual([]);
      session.open(output);
      expect(output.take()).toBe(connectBytes(protocol, '02 00 3c 00 02 67 77'));
      expect(session.state).toBe(CONNECTING);
      const message = world.message('t', 'x');
      const filter = world.text('f');
      expect(session.publish(message)).toBe(false);
      expect(session.subscribe(filter.offset, filter.length, 0)).toBe(false);
      expect(session.enqueue(message, 1)).toBe(true); // kept, not sent
      session.writable();
      expect(output.sent).toEqual([]);
    });
  });

  describe('C2: CONNECT is sent exactly once over a network connection', () => {
    it('C2 client: one CONNECT stands on the wire of each of three connections, however long each lives', () => {
      const pair = new Pair({ version, keepAlive: 60 });
      for (let connection = 0; connection < 3; ++connection) {
        pair.open();
        pair.drive(600_000);
        expect(pair.client.isConnected).toBe(true);
        const sent = hex(pair.toServer.sent);
        expect(sent.startsWith(connectBytes(protocol, '02 00 3c 00 02 67 77') + ' c0 00')).toBe(true);
        expect(sent.split('4d 51').length - 1).toBe(1);
        pair.cut();
      }
      expect(pair.serverLog.events.filter(event => event === 'connect gw')).toHaveLength(3);
    });
  });

  describe('C3: a second CONNECT is ignored as a request, and the client is disconnected', () => {
    it('C3 server: disconnects without a second CONNACK and without telling who decides [MQTT311-3.1.0-2]', () => {
      const { log, output, session, world } = openedServer();
      world.feed(session, connectAs(protocol, 'a'));
      expect(output.take()).toBe('20 02 00 00');
      world.feed(session, connectAs(protocol, 'b'));
      expect(output.take()).toBe('');
      expect(output.isClosed).toBe(true);
      expect(log.events).toEqual(['connect a', 'closed 0x82']);
    });

    it('C3 server: a second CONNECT that arrives while the first is judged disconnects after the verdict', () => {
      const { log, output, session, world } = openedServer();
      log.verdict = LATER;
      world.feed(session, connectAs(protocol, 'a') + connectAs(protocol, 'b'));
      expect(session.state).toBe(CONNECTING);
      log.accept(session);
      session.continueReading();
      expect(output.take()).toBe('20 02 00 00');
      expect(log.events).toEqual(['connect a', 'closed 0x82']);
    });
  });

  describe('C4: CONNECT has a fixed header, a variable header and a payload, and a response', () => {
    it('C4 client: writes the three parts with every optional field', () => {
      const { output, session } = client({
        version, keepAlive: 258, cleanStart: false, clientIdentifier: 'c1', userName: 'u', password: 'pw',
        will: { topicName: 'w/t', payload: 'bye', qos: 2, retain: true },
      });
      session.open(output);
      expect(output.take()).toBe(connectBytes(protocol,
        // flags 1111 0100: user name, password, Will RETAIN, Will QoS 2, Will, no Clean Session
        'f4 | 01 02 | 00 02 63 31 | 00 03 77 2f 74 | 00 03 62 79 65 | 00 01 75 | 00 02 70 77'));
    });
  });

  describe('C5: the payload holds Client Identifier, and with a Will its Topic and Message after that', () => {
    const will = { topicName: 'de', payload: 'f' };
    it.each([
      ['one string without Will', {}, '02 | 00 00 | 00 03 61 62 63'],
      ['three strings with a Will [MQTT311-3.1.3-1] [MQTT311-3.1.2-9]', { will },
        '06 | 00 00 | 00 03 61 62 63 | 00 02 64 65 | 00 01 66'],
      ['user name and password after the Will', { will, userName: 'u', password: 'p' },
        'c6 | 00 00 | 00 03 61 62 63 | 00 02 64 65 | 00 01 66 | 00 01 75 | 00 01 70'],
    ])('C5 client: writes %s', (_name, options, written) => {
      const { output, session } = client({ version, clientIdentifier: 'abc', ...options });
      session.open(output);
      expect(output.take()).toBe(connectBytes(protocol, written));
    });
  });

  describe('C6: the Client Identifier is 1 to 23 characters long and identifies the client', () => {
    it.each([1, 2, 22, 23])('C6 server: accepts %i characters [MQTT311-3.1.3-5]', length => {
      const { log, output, session, world } = openedServer();
      const identifier = 'Zz9'.repeat(8).slice(0, length);
      world.feed(session, connectAs(protocol, identifier));
      expect(output.take()).toBe('20 02 00 00');
      expect(log.events).toEqual([`connect ${identifier}`]);
      expect(decodeUTF8(world.arena, session.clientIdentifierOffset, session.clientIdentifierLength)).toBe(identifier);
    });
  });

  describe('C7: the Client Identifier is the key of the session state, not the socket', () => {
    it('C7 server: message identifiers of QoS 2 outlive the network connection [MQTT311-3.1.3-2]', () => {
      const { log, output, session, world } = openedServer();
      const connect = connectBytes(protocol, '00 00 00 00 01 61');
      world.feed(session, connect + '34 06 00 01 74 00 07 78');
      expect(output.take()).toBe('20 02 00 00 50 02 00 07');
      session.transportClosed(ReasonCode.NETWORK_CLOSED);

      const second = new RecordingOutput(world.arena);
      session.open(second);
      expect(session.sessionState).toBe(undefined); // hangs on the identifier, which nobody has said yet
      world.feed(session, connect + '3c 06 00 01 74 00 07 78');
      expect(session.sessionState).toBe(world.serverState);
      expect(second.take()).toBe(`20 02 ${version === ProtocolVersion.MQTT_3_1 ? '00' : '01'} 00 50 02 00 07`);
      expect(log.messages).toEqual(['2 t x']); // once
    });
  });

  describe('C8: an identifier of more than 23 characters gets return code 2', () => {
    it('C8 server: characters are counted, not bytes: 23 characters of three bytes are welcome', () => {
      const { log, output, session, world } = openedServer();
      const identifier = '€'.repeat(23);
      world.feed(session, connectBytes(protocol, '02 00 00 00 45' + 'e2 82 ac'.repeat(23)));
      expect(output.take()).toBe('20 02 00 00');
      expect(log.events).toEqual([`connect ${identifier}`]);
    });
  });

  describe('C9: the Will is published to its topic, at Will QoS and with Will RETAIN', () => {
    it.each([
      { flags: '06', qos: 0, retain: 0 }, { flags: '0e', qos: 1, retain: 0 }, { flags: '16', qos: 2, retain: 0 },
      { flags: '26', qos: 0, retain: 1 }, { flags: '2e', qos: 1, retain: 1 }, { flags: '36', qos: 2, retain: 1 },
    ])('C9: $flags means QoS $qos, RETAIN $retain [MQTT311-3.1.2-16] [MQTT311-3.1.2-17]', ({ flags, qos, retain }) => {
      const wire = connectBytes(protocol, `${flags} 00 00 | 00 01 61 | 00 03 77 2f 74 | 00 02 68 69`);
      const will = { topicName: 'w/t', payload: 'hi', qos, retain: retain === 1 };
      const speaker = client({ version, clientIdentifier: 'a', will });
      speaker.session.open(speaker.output);
      expect(speaker.output.take()).toBe(wire);

      const { log, session, world } = openedServer();
      world.feed(session, wire);
      session.transportClosed(ReasonCode.NETWORK_CLOSED);
      expect(log.will).toBe(`w/t hi ${qos} ${retain}`);
    });
  });

  describe('C11: only the bytes of the Will Message are published, not its length bytes', () => {
    it('C11 server: a PUBLISH of the stored Will ends with the two bytes of the message', () => {
      const { session, world } = openedServer();
      world.feed(session, connectBytes(protocol, '06 00 00 | 00 01 61 | 00 01 77 | 00 02 68 69'));
      world.arena.bytes.fill(0xA5, world.arena.stagingOffset);
      const start = world.arena.stagingOffset;
      const end = writePublish(world.arena, start, willOf(session), 0, 0);
      expect(hex(world.arena.bytes.subarray(start, end))).toBe('30 05 00 01 77 68 69');
    });

    it('C11 server: a Will Message that is not UTF-8, or empty, is kept byte for byte', () => {
      const cases = [['00 03 00 ff fe', '30 06 00 01 77 00 ff fe'], ['00 00', '30 03 00 01 77']] as const;
      for (const [field, published] of cases) {
        const { session, world } = openedServer();
        world.feed(session, connectBytes(protocol, `06 00 00 | 00 01 61 | 00 01 77 | ${field}`));
        const start = world.arena.stagingOffset;
        expect(session.hasWill).toBe(true);
        const end = writePublish(world.arena, start, willOf(session), 0, 0);
        expect(hex(world.arena.bytes.subarray(start, end))).toBe(published);
      }
    });
  });

  describe('C12: the Server answers CONNECT with CONNACK', () => {
    it('C12 server: CONNACK is the first packet that it sends [MQTT311-3.2.0-1] [MQTT311-3.1.4-4]', () => {
      const { output, session, world } = openedServer();
      expect(output.sent).toEqual([]);
      world.feed(session, connectAs(protocol, 'a'));
      expect(output.take()).toBe('20 02 00 00');
    });

    it.each([
      [1, ReasonCode.UNSUPPORTED_PROTOCOL_VERSION], [2, ReasonCode.CLIENT_IDENTIFIER_NOT_VALID],
      [3, ReasonCode.SERVER_UNAVAILABLE],
      [4, ReasonCode.BAD_USER_NAME_OR_PASSWORD], [5, ReasonCode.NOT_AUTHORIZED],
    ])('C12 server: refuses with return code %i, then closes [MQTT311-3.2.2-5]', (returnCode, reasonCode) => {
      const { log, output, session, world } = openedServer();
      log.verdict = REFUSE;
      log.refusal = reasonCode;
      world.feed(session, connectAs(protocol, 'a'));
      expect(output.take()).toBe(`20 02 00 0${returnCode}`);
      expect(output.isClosed).toBe(true);
      expect(log.reasonCode).toBe(reasonCode);
    });
  });

  describe('C13: without CONNACK in time the client closes the socket and starts the session again', () => {
    it('C13 client: closes when the time is up, and a new network connection brings a new CONNECT', () => {
      const { log, output, session, world } = client({ version });
      session.open(output);
      const connect = output.take();
      expect(world.clock.isArmed).toBe(true);
      expect(world.clock.deadline).toBe(10_000);
      world.clock.now = 9_999;
      session.handleTimeout();
      expect(output.isClosed).toBe(false);
      world.clock.now = 10_000;
      session.handleTimeout();
      expect(output.isClosed).toBe(true);
      expect(log.events).toEqual(['closed 0x102']);

      const second = new RecordingOutput(world.arena);
      session.open(second);
      expect(second.take()).toBe(connect);
      world.feed(session, '20 02 00 00');
      expect(session.isConnected).toBe(true);
    });

    it('C13 client: a CONNACK that comes too late changes nothing', () => {
      const { log, output, session, world } = client({ version });
      session.open(output);
      world.clock.now = 10_000;
      session.handleTimeout();
      world.feed(session, '20 02 00 00');
      expect(session.state).toBe(CLOSED);
      expect(log.events).toEqual(['closed 0x102']);
    });

    it('C13 client: half a CONNACK does not stop the clock', () => {
      const { log, output, session, world } = client({ version });
      session.open(output);
      world.clock.now = 9_000;
      world.feed(session, '20 02 00');
      world.clock.now = 10_000;
      session.handleTimeout();
      expect(log.events).toEqual(['closed 0x102']);
    });

    it('C13 client: a CONNACK in the last millisecond is taken', () => {
      const { log, output, session, world } = client({ version });
      session.open(output);
      world.clock.now = 9_999;
      world.feed(session, '20 02 00 00');
      world.clock.now = 10_000;
      session.handleTimeout();
      expect(log.events).toEqual(['connected']);
    });
  });

  describe('C14: the reasonable time is a setting', () => {
    it.each([500, 30_000, 120_000])('C14 client: waits %i ms when told so', connackTimeout => {
      const pair = new Pair({ version, client: { connackTimeout }, server: { connectTimeout: 1_000_000 } });
      pair.serverLog.verdict = LATER;
      pair.open();
      pair.drive(connackTimeout - 1);
      expect(pair.clientLog.events).toEqual([]);
      pair.drive(1);
      expect(pair.clientLog.events).toEqual(['closed 0x102']);
    });
  });

  describe('C15: CONNACK is only sent by the Server in response to CONNECT', () => {
    it('C15 client: a second CONNACK is a protocol error [MQTT311-4.8.0-1]', () => {
      const { log, output, session, world } = client({ version });
      session.open(output);
      world.feed(session, '20 02 00 00');
      expect(log.events).toEqual(['connected']);
      world.feed(session, '20'); // its first byte is enough
      expect(output.isClosed).toBe(true);
      expect(log.events).toEqual(['connected', 'closed 0x82']);
    });

    it('C15 server: a CONNACK from a client is a protocol error, before and after CONNECT', () => {
      for (const before of ['', connectAs(protocol, 'a')]) {
        const { log, output, session, world } = openedServer();
        world.feed(session, before);
        world.feed(session, '20 02 00 00');
        expect(output.isClosed).toBe(true);
        expect(log.reasonCode).toBe(ReasonCode.PROTOCOL_ERROR);
      }
    });

    it('C15 server: accept and refuse send nothing when no CONNECT is waiting', () => {
      const { log, output, session, world } = openedServer();
      session.accept(world.serverState, false);
      expect(output.sent).toEqual([]);
      world.feed(session, connectAs(protocol, 'a'));
      output.take();
      session.accept(world.serverState, false);
      expect(output.sent).toEqual([]);
      session.refuse(ReasonCode.NOT_AUTHORIZED); // closes, but says nothing
      expect(output.sent).toEqual([]);
      expect(output.isClosed).toBe(true);
      expect(log.reasonCode).toBe(ReasonCode.NOT_AUTHORIZED);
    });
  });
});

describe('C6 and C8 where the versions differ', () => {
  const mqtt31 = VERSIONS[0]!;

  it('C8 server: 24 characters of two bytes get return code 2 in 3.1, 23 do not', () => {
    for (const [count, answer] of [[24, '02'], [23, '00']] as const) {
      const { output, session, world } = openedServer();
      world.feed(session, connectBytes(mqtt31.protocol, `02 00 00 00 ${hex([count * 2])} ${'c3 a4'.repeat(count)}`));
      expect(output.take()).toBe(`20 02 00 ${answer}`);
    }
  });

  it('C6 client: 3.1 does not let itself be made with an identifier of 0 or 24 characters', () => {
    for (const clientIdentifier of ['', 'x'.repeat(24), '€'.repeat(24)])
      expect(() => client({ version: mqtt31.version, clientIdentifier }), clientIdentifier).toThrow(RangeError);
    expect(() => client({ version: ProtocolVersion.MQTT_3_1, clientIdentifier: '€'.repeat(23) })).not.toThrow();
  });

  it('C6 client: 3.1.1 is not made without identifier and without Clean Session [MQTT311-3.1.3-7]', () => {
    const version = ProtocolVersion.MQTT_3_1_1;
    expect(() => client({ version, clientIdentifier: '', cleanStart: false })).toThrow(RangeError);
    expect(() => client({ version, clientIdentifier: '', cleanStart: true })).not.toThrow();
    expect(() => client({ version, clientIdentifier: 'x'.repeat(24) })).not.toThrow();
  });
});
