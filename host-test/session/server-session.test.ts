/** The Server role alone: bytes in, bytes out, events. What belongs to rules C1 to C15 is in connect-rules.test.ts. */
import { describe, expect, it } from 'vitest';
import { decodeUTF8 } from '../../src/bytes/utf8.ts';
import { OVERSIZE_DROP } from '../../src/packet/packet-handler.ts';
import type { Packet } from '../../src/packet/packet.ts';
import * as ReasonCode from '../../src/packet/reason-code.ts';
import { CLOSED, CONNECTED, CONNECTING } from '../../src/session/connection-state.ts';
import { ServerSession } from '../../src/session/server-session.ts';
import {
  ascii, bytes, connectedServer, hex, LATER, openedServer, plainConnect, RecordingOutput, REFUSE,
  SERVER_SESSION_COUNT, ServerLog, type WorldOptions,
} from './pair.ts';

/** Client Identifier 'a', Keep Alive 0, Clean Session. */
const CONNECT = plainConnect();
const CONNECT_3_1 = '10 0f 00 06 4d 51 49 73 64 70 03 02 00 00 00 01 61';

const opened = (options: WorldOptions = {}) => openedServer(options, 3);
const connected = (options: WorldOptions = {}, connect = CONNECT) => connectedServer(options, connect, 3);

const withBody = (...parts: string[]): string => {
  const body = bytes(parts.join(''));
  return hex([0x10, body.length, ...body]);
};

describe('CONNECT', () => {
  it('hands user name and password to whoever decides, an empty one and none at all apart', () => {
    const found: number[][] = [];
    for (const packet of [
      CONNECT,
      '10 0f 00 04 4d 51 54 54 04 82 00 00 00 01 61 00 00',
      '10 14 00 04 4d 51 54 54 04 c2 00 00 00 01 61 00 02 75 73 00 01 70',
    ]) {
      const { log, session, world } = opened();
      log.onConnect = (_session: ServerSession, { passwordLength, userNameLength }: Packet) =>
        { found.push([userNameLength, passwordLength]); };
      world.feed(session, packet);
    }
    expect(found).toEqual([[-1, -1], [0, -1], [2, 1]]);
  });

  it('is refused without CONNACK for a reason that has no return code [MQTT311-3.2.2-6]', () => {
    const { log, output, session, world } = opened();
    log.verdict = REFUSE;
    log.refusal = ReasonCode.QUOTA_EXCEEDED;
    world.feed(session, CONNECT);
    expect(output.sent).toEqual([]);
    expect(output.isClosed).toBe(true);
    expect(log.events).toEqual(['connect a', 'closed 0x97']);
  });

  it('cannot be accepted or refused when CONNACK has no room', () => {
    for (const verdict of [0, REFUSE]) {
      const { log, output, session, world } = opened();
      log.verdict = verdict;
      output.room = 3;
      world.feed(session, CONNECT);
      expect(output.sent).toEqual([]);
      expect(log.events).toEqual(['connect a', 'closed 0x104']);
      expect(session.state).toBe(CLOSED);
    }
  });
});

describe('packets right behind CONNECT', () => {
  /** SUBSCRIBE 'f', PUBLISH QoS 1, PINGREQ. */
  const BEHIND = '82 06 00 01 00 01 66 00 32 05 00 01 74 00 02 c0 00';
  const ANSWERS = '90 03 00 01 00 40 02 00 02 d0 00';

  it.each([1, 3, 1000])('wait for a later verdict, then are answered in order (segments of %i)', size => {
    const { log, output, session, world } = opened();
    log.verdict = LATER;
    const stream = bytes(CONNECT + BEHIND);
    const fed = world.feed(session, stream, () => size);
    expect(output.sent).toEqual([]);
    expect(log.events).toEqual(['connect a']);
    expect(log.messages).toEqual([]);
    log.accept(session);
    expect(output.take()).toBe('20 02 00 00');
    session.continueReading();
    expect(output.resumeCount).toBe(1); // so that the rest is read now
    world.feed(session, stream.slice(fed), () => size);
    expect(output.take()).toBe(ANSWERS);
    expect(log.messages).toEqual(['1 t ']);
    world.feed(session, 'c0 00');
    expect(output.take()).toBe('d0 00');
  });

  it('are not read any further; after the verdict the output is told to go on', () => {
    const { log, output, session, world } = opened({ server: { maximumPacketSize: 33 } });
    log.verdict = LATER;
    const pings = 'c0 00'.repeat(20);
    expect(world.feed(session, CONNECT + pings)).toBe(15 + 18)
    expect(session.parser.wanted).toBe(0);
    log.accept(session);
    session.continueReading();
    expect(output.resumeCount).toBe(1);
    world.feed(session, 'c0 00'.repeat(4));
    expect(output.take()).toBe('20 02 00 00' + ' d0 00'.repeat(9 + 4));
  });

  it('half a packet is completed after the verdict', () => {
    const { log, output, session, world } = opened();
    log.verdict = LATER;
    world.feed(session, CONNECT + '32 05 00 01');
    log.accept(session);
    session.continueReading();
    world.feed(session, '74 00 02');
    expect(output.take()).toBe('20 02 00 00 40 02 00 02');
  });

  it.each([ReasonCode.NOT_AUTHORIZED,
    ReasonCode.QUOTA_EXCEEDED])('are never looked at when the CONNECT is refused (0x%s) [MQTT311-3.1.4-5]',
      reasonCode => {
    for (const isLate of [true, false]) {
      const { log, output, session, world } = opened();
      log.verdict = isLate ? LATER : REFUSE;
      log.refusal = reasonCode;
      world.feed(session, CONNECT + BEHIND);
      if (isLate)
        session.refuse(reasonCode);
      session.continueReading();
      world.feed(session, BEHIND);
      expect(output.take()).toBe(reasonCode === ReasonCode.NOT_AUTHORIZED ? '20 02 00 05' : '');
      expect(log.events).toEqual(['connect a', `closed 0x${reasonCode.toString(16)}`]);
      expect(log.messages).toEqual([]);
      expect(output.resumeCount).toBe(0);
    }
  });

  it('that are illegal end the connection after the verdict', () => {
    const { log, output, session, world } = opened();
    log.verdict = LATER;
    world.feed(session, CONNECT + 'd0 00');
    log.accept(session);
    session.continueReading();
    expect(output.take()).toBe('20 02 00 00');
    expect(log.events).toEqual(['connect a', 'closed 0x82']);
    expect(output.resumeCount).toBe(0);
  });

  it('the end of the network connection makes the verdict void', () => {
    const { log, output, session, world } = opened();
    log.verdict = LATER;
    world.feed(session, CONNECT);
    expect(session.state).toBe(CONNECTING);
    session.transportClosed(ReasonCode.NETWORK_CLOSED);
    log.accept(session);
    session.refuse(ReasonCode.NOT_AUTHORIZED);
    expect(output.sent).toEqual([]);
    expect(log.events).toEqual(['connect a', 'closed 0x100']);
  });
});

describe('SUBSCRIBE', () => {
  it('may end the connection with its first retained message', () => {
    const { log, output, session, world } = connected();
    log.onGranted = granted => { granted.fail(ReasonCode.QUOTA_EXCEEDED); };
    world.feed(session, '82 0a 00 01 00 01 66 00 00 01 67 00');
    expect(output.take()).toBe('90 04 00 01 00 00');
    expect(log.events).toEqual(['subscribe f 0', 'subscribe g 0', 'subscribed', 'closed 0x97']);
  });

  it('that cannot be answered for lack of room ends the connection', () => {
    const { log, output, session, world } = connected();
    output.room = 4;
    world.feed(session, '82 06 00 01 00 01 66 00');
    expect(log.events).toEqual(['subscribe f 0', 'closed 0x104']);
  });
});

describe('PINGREQ', () => {
  it('gets PINGRESP [MQTT311-3.12.4-1]', () => {
    const { output, session, world } = connected();
    world.feed(session, 'c0 00 c0 00', () => 1);
    expect(output.take()).toBe('d0 00 d0 00');
  });
});

describe('DISCONNECT', () => {
  it('ends the connection without an error, and what follows is not looked at', () => {
    const { log, output, session, world } = connected();
    world.feed(session, 'e0 00 32 05 00 01 74 00 02 ' + CONNECT);
    expect(output.sent).toEqual([]);
    expect(output.isClosed).toBe(true);
    expect(log.events).toEqual(['closed 0x0']);
    expect(log.messages).toEqual([]);
  });
});

describe('messages', () => {
  it('longer than the ring are handed over without payload, acknowledged and skipped, if the setting says so', () => {
    const { log, output, session, world } = connected({ server: { maximumPacketSize: 32, oversize: OVERSIZE_DROP } });
    world.feed(session, [0x32, 0x69, 0x00, 0x01, 0x74, 0x00, 0x05, ...new Array<number>(100).fill(0x30), 0xC0, 0x00],
      () => 5);
    expect(log.messages).toEqual(['1 t <100 bytes skipped>']);
    expect(output.take()).toBe('40 02 00 05 d0 00');
  });

  it('wait in the queue while the node does not take them, but an acknowledgement must go out', () => {
    const { log, output, session, world } = connected();
    output.room = 3;
    expect(session.enqueue(world.message('t', 'a'), 1)).toBe(true);
    expect(session.isConnected).toBe(true);
    world.feed(session, '32 05 00 01 74 00 01');
    expect(log.events).toEqual(['closed 0x104']);
    expect(world.serverState.queue.count).toBe(1);
  });
});

describe('the end of a connection', () => {
  it('leaves an object that serves the next connection as if it were new', () => {
    const { log, output, session, world } =
      connected({}, '10 12 00 04 4d 51 54 54 04 06 00 05 00 01 61 00 01 77 00 00');
    world.feed(session, '32 05 00'); // half a packet
    session.fail(ReasonCode.ADMINISTRATIVE_ACTION);
    expect(output.isClosed).toBe(true);
    log.events.length = 0;
    const second = new RecordingOutput(world.arena);
    session.open(second);
    expect([session.hasWill, session.clientIdentifierLength, session.user, session.version]).toEqual([false, 0, -1, 0]);
    world.feed(session, CONNECT_3_1);
    expect(second.take()).toBe('20 02 00 00');
    expect(session.state).toBe(CONNECTED);
    expect(session.index).toBe(3);
    expect(log.events).toEqual(['connect a']);
  });
});

it('the sessions of a pool, and the ring, Will and identifier of each, share no memory', () => {
  const { world } = opened({ server: { maximumPacketSize: 64, willCapacity: 10, maximumClientIdentifierLength: 12 } });
  const pool = Array.from({ length: SERVER_SESSION_COUNT }, (_, index) => {
    const log = new ServerLog(world.serverState);
    const session = new ServerSession(world.serverRole(log), index);
    expect(session.clientIdentifierOffset).toBe(world.serverOffset + index * (64 + 6 + 10 + 12 + 12) + 64 + 6 + 10);
    session.open(new RecordingOutput(world.arena));
    return { log, session, letter: 'abcd'.charAt(index) };
  });
  for (const { letter, session } of pool)
    world.feed(session,
      withBody('00 04 4d 51 54 54 04', '06 00 00 00 0c', ascii(letter.repeat(12)), '00 05', ascii(letter.repeat(5)),
        '00 05', ascii(letter.repeat(5))));
  for (const { letter, session } of pool) // 63 of 64 bytes of a packet lie in the ring
    world.feed(session, `30 3e 00 01 74 ${ascii(letter.toUpperCase().repeat(58))}`);
  for (const { letter, log, session } of pool) {
    expect(decodeUTF8(world.arena, session.clientIdentifierOffset,
      session.clientIdentifierLength)).toBe(letter.repeat(12));
    world.feed(session, ascii('.'));
    expect(log.messages).toEqual([`0 t ${letter.toUpperCase().repeat(58)}.`]);
    session.transportClosed(ReasonCode.NETWORK_CLOSED);
    expect(log.will).toBe(`${letter.repeat(5)} ${letter.repeat(5)} 0 0`);
  }
});
