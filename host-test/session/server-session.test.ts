/** The Server role alone: bytes in, bytes out, events. What belongs to rules C1 to C15 is in connect-rules.test.ts. */
import { describe, expect, it } from 'vitest';
import { decodeUTF8 } from '../../src/bytes/utf8.ts';
import { SUBACK_FAILURE } from '../../src/packet/subscribe.ts';
import { OVERSIZE_DROP } from '../../src/packet/packet-handler.ts';
import type { Packet } from '../../src/packet/packet.ts';
import * as ReasonCode from '../../src/packet/reason-code.ts';
import { CLOSED, CONNECTED, CONNECTING } from '../../src/session/connection-state.ts';
import { ServerSession } from '../../src/session/server-session.ts';
import { ascii, bytes, hex, LATER, RecordingOutput, REFUSE, SERVER_SESSION_COUNT, ServerLog, World, type WorldOptions } from './pair.ts';

/** Client Identifier 'a', Keep Alive 0; with and without Clean Session. */
const CONNECT = '10 0d 00 04 4d 51 54 54 04 02 00 00 00 01 61';
const CONNECT_3_1 = '10 0f 00 06 4d 51 49 73 64 70 03 02 00 00 00 01 61';
const CONNECT_CONTINUED = '10 0d 00 04 4d 51 54 54 04 00 00 00 00 01 61';
const CONNECT_CONTINUED_3_1 = '10 0f 00 06 4d 51 49 73 64 70 03 00 00 00 00 01 61';

function opened(options: WorldOptions = {}) {
  const world = new World(options);
  const log = new ServerLog(world.serverState);
  const session = new ServerSession(world.serverRole(log), 3);
  const output = new RecordingOutput(world.arena);
  session.open(output);
  return { world, log, session, output };
}

function connected(options: WorldOptions = {}, connect = CONNECT) {
  const subject = opened(options);
  subject.world.feed(subject.session, connect);
  subject.output.take();
  subject.log.events.length = 0;
  return subject;
}

const withBody = (...parts: string[]): string => {
  const body = bytes(parts.join(''));
  return hex([0x10, body.length, ...body]);
};

describe('CONNECT', () => {
  it.each([0, 1, 2, 5, 6, 127, 0x85])('of level %i is answered with exactly 20 02 00 01, then closed [MQTT311-3.1.2-2]', level => {
    for (const size of [1, 1000]) {
      const { log, output, session, world } = opened();
      world.feed(session, withBody('00 04 4d 51 54 54', hex([level]), '02 00 00 00 01 61'), () => size);
      expect(output.take()).toBe('20 02 00 01');
      expect(output.isClosed).toBe(true);
      expect(log.events).toEqual(['closed 0x84']);
    }
  });

  it('of MQTT 5.0, as a real client sends it with properties, gets return code 1', () => {
    const { output, session, world } = opened();
    world.feed(session, '10 18 00 04 4d 51 54 54 05 02 00 3c 05 11 00 00 00 0a 00 06 63 6c 69 65 6e 74');
    expect(output.take()).toBe('20 02 00 01');
    expect(output.isClosed).toBe(true);
  });

  it('with the name of one version and the level of the other gets return code 1', () => {
    for (const packet of [withBody('00 04 4d 51 54 54 03', '02 00 00 00 01 61'), withBody('00 06 4d 51 49 73 64 70 04', '02 00 00 00 01 61')]) {
      const { output, session, world } = opened();
      world.feed(session, packet);
      expect(output.take()).toBe('20 02 00 01');
      expect(output.isClosed).toBe(true);
    }
  });

  it.each(['MQTX', 'mqtt', 'MQIsdq', 'HTTP', 'MQT', 'MQTTT'])('with the protocol name %s is closed without CONNACK [MQTT311-3.1.2-1]', name => {
    const { log, output, session, world } = opened();
    world.feed(session, withBody('00', hex([name.length]), ascii(name), '04 02 00 00 00 01 61'));
    expect(output.sent).toEqual([]);
    expect(output.isClosed).toBe(true);
    expect(log.events).toEqual(['closed 0x82']);
  });

  it('of a bridge, with bit 7 of the level, is welcome', () => {
    const { log, output, session, world } = opened();
    world.feed(session, withBody('00 04 4d 51 54 54 84', '02 00 00 00 01 61'));
    expect(output.take()).toBe('20 02 00 00');
    expect(log.events).toEqual(['connect a']);
    expect(session.version).toBe(4);
  });

  it.each([
    ['the reserved connect flag [MQTT311-3.1.2-3]', '10 0d 00 04 4d 51 54 54 04 03 00 00 00 01 61'],
    ['a password without user name [MQTT311-3.1.2-22]', '10 10 00 04 4d 51 54 54 04 42 00 00 00 01 61 00 01 70'],
    ['header flags [MQTT311-2.2.2-2]', '11 0d 00 04 4d 51 54 54 04 02 00 00 00 01 61'],
    ['U+0000 in the identifier [MQTT311-1.5.3-2]', '10 0d 00 04 4d 51 54 54 04 02 00 00 00 01 00'],
    ['a surrogate in the identifier [MQTT311-1.5.3-1]', '10 0f 00 04 4d 51 54 54 04 02 00 00 00 03 ed a0 80'],
    ['a wildcard in the Will Topic [MQTT311-4.7.1-1]', '10 12 00 04 4d 51 54 54 04 06 00 00 00 01 61 00 01 23 00 00'],
  ])('with %s is closed without CONNACK [MQTT311-3.1.4-1]', (_name, packet) => {
    const { log, output, session, world } = opened();
    world.feed(session, packet);
    expect(output.sent).toEqual([]);
    expect(output.isClosed).toBe(true);
    expect(log.events).toEqual(['closed 0x81']);
  });

  it('longer than the ring is closed without CONNACK', () => {
    const { log, output, session, world } = opened({ server: { maximumPacketSize: 64 } });
    world.feed(session, '10 80 01');
    expect(output.sent).toEqual([]);
    expect(log.events).toEqual(['closed 0x95']);
  });

  it('that arrives in pieces of any size is judged once', () => {
    for (let size = 1; size <= 15; ++size) {
      const { log, output, session, world } = opened();
      world.feed(session, CONNECT, () => size);
      expect(log.events).toEqual(['connect a']);
      expect(output.take()).toBe('20 02 00 00');
    }
  });

  it.each([
    { keepAlive: '00 3c', answer: '00' }, { keepAlive: '00 01', answer: '00' }, { keepAlive: '00 3d', answer: '02' },
    { keepAlive: 'ff ff', answer: '02' }, { keepAlive: '00 00', answer: '02' },
  ])('with Keep Alive $keepAlive and a limit of 60 s gets return code $answer', ({ answer, keepAlive }) => {
    const { output, session, world } = opened({ server: { maximumKeepAlive: 60 } });
    world.feed(session, withBody('00 04 4d 51 54 54 04', '02', keepAlive, '00 01 61'));
    expect(output.take()).toBe(`20 02 00 ${answer}`);
    expect(output.isClosed).toBe(answer !== '00');
  });

  it('with a Will that does not fit gets return code 3; one byte less is welcome', () => {
    for (const [length, answer] of [[8, '03'], [7, '00']] as const) {
      const { log, output, session, world } = opened({ server: { willCapacity: 8 } });
      world.feed(session, withBody('00 04 4d 51 54 54 04', '06 00 00 00 01 61 00 01 77', hex([0, length]), '78'.repeat(length)));
      expect(output.take()).toBe(`20 02 00 ${answer}`);
      session.transportClosed(ReasonCode.NETWORK_CLOSED);
      expect(log.will).toBe(answer === '00' ? 'w xxxxxxx 0 0' : '');
    }
  });

  it('hands user name and password to whoever decides, an empty one and none at all apart', () => {
    const found: number[][] = [];
    for (const packet of [
      CONNECT,
      '10 0f 00 04 4d 51 54 54 04 82 00 00 00 01 61 00 00',
      '10 14 00 04 4d 51 54 54 04 c2 00 00 00 01 61 00 02 75 73 00 01 70',
    ]) {
      const { log, session, world } = opened();
      log.onConnect = (_session: ServerSession, { passwordLength, userNameLength }: Packet) => { found.push([userNameLength, passwordLength]); };
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

describe('CONNACK', () => {
  it('says Session Present 1 for a stored session without Clean Session in 3.1.1, never in 3.1 [MQTT311-3.2.2-2]', () => {
    for (const [connect, flag] of [[CONNECT_CONTINUED, '01'], [CONNECT_CONTINUED_3_1, '00']] as const) {
      const { log, output, session, world } = opened();
      log.hasSession = true;
      world.feed(session, connect);
      expect(output.take()).toBe(`20 02 ${flag} 00`);
    }
  });

  it('says Session Present 0 without a stored session, and with Clean Session [MQTT311-3.2.2-3] [MQTT311-3.2.2-1]', () => {
    const first = opened();
    first.world.feed(first.session, CONNECT_CONTINUED);
    expect(first.output.take()).toBe('20 02 00 00');
    const second = opened();
    second.log.hasSession = true;
    second.world.feed(second.session, CONNECT);
    expect(second.output.take()).toBe('20 02 00 00');
  });

  it('comes before what is stored for the node, which follows by itself, with DUP where it was sent before [MQTT311-3.2.0-1] [MQTT311-4.4.0-1] [MQTT311-3.1.2-5]', () => {
    for (const [connect, flag] of [[CONNECT_CONTINUED, '01'], [CONNECT_CONTINUED_3_1, '00']] as const) {
      const { log, output, session, world } = connected({}, connect);
      session.enqueue(world.message('t', 'a'), 1);
      expect(output.take()).toBe('32 06 00 01 74 00 01 61');
      session.transportClosed(ReasonCode.NETWORK_CLOSED);
      expect(log.reasonCode).toBe(ReasonCode.NETWORK_CLOSED);
      world.serverState.queue.append(world.message('t', 'b'), 1); // while nobody is there
      const second = new RecordingOutput(world.arena);
      session.open(second);
      world.feed(session, connect);
      expect(second.take()).toBe(`20 02 ${flag} 00 3a 06 00 01 74 00 01 61 32 06 00 01 74 00 02 62`);
    }
  });

  it('with Clean Session nothing of an older session follows [MQTT311-3.1.2-6]', () => {
    const { output, session, world } = connected({}, CONNECT_CONTINUED);
    session.enqueue(world.message('t', 'a'), 1);
    world.feed(session, '34 05 00 01 74 00 07');
    output.take();
    session.transportClosed(ReasonCode.NETWORK_CLOSED);
    const second = new RecordingOutput(world.arena);
    session.open(second);
    world.feed(session, CONNECT);
    expect(second.take()).toBe('20 02 00 00');
    expect(world.serverState.receivedCount).toBe(0);
  });
});

describe('packets right behind CONNECT', () => {
  /** SUBSCRIBE 'f', PUBLISH QoS 1, PINGREQ. */
  const BEHIND = '82 06 00 01 00 01 66 00 32 05 00 01 74 00 02 c0 00';
  const ANSWERS = '90 03 00 01 00 40 02 00 02 d0 00';

  it.each([1, 3, 1000])('are answered after CONNACK when the verdict comes at once (segments of %i)', size => {
    const { output, session, world } = opened();
    world.feed(session, CONNECT + BEHIND, () => size);
    expect(output.take()).toBe('20 02 00 00 ' + ANSWERS);
  });

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

  it.each([ReasonCode.NOT_AUTHORIZED, ReasonCode.QUOTA_EXCEEDED])('are never looked at when the CONNECT is refused (0x%s) [MQTT311-3.1.4-5]', reasonCode => {
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
  it('with several filters gets one SUBACK with a code for each, in their order [MQTT311-3.8.4-1] [MQTT311-3.8.4-4] [MQTT311-3.8.4-5] [MQTT311-3.9.3-1]', () => {
    const { log, output, session, world } = connected();
    log.grant = (filter, qos) => filter === 'no' ? SUBACK_FAILURE : Math.min(qos, 1);
    world.feed(session, '82 13 12 34 00 01 66 00 00 02 6e 6f 02 00 01 23 02 00 01 2b 01');
    expect(output.take()).toBe('90 06 12 34 00 80 01 01');
    expect(log.events).toEqual(['subscribe f 0', 'subscribe no 2', 'subscribe # 2', 'subscribe + 1', 'subscribed f', 'subscribed no', 'subscribed #', 'subscribed +']);
  });

  it('refused in 3.1, which knows no failure code, is answered as asked for', () => {
    const { log, output, session, world } = connected({}, CONNECT_3_1);
    log.grant = () => SUBACK_FAILURE;
    world.feed(session, '82 06 00 01 00 01 66 02');
    expect(output.take()).toBe('90 03 00 01 02');
  });

  it('is answered before the retained messages that it brings [MQTT311-3.3.1-8]', () => {
    const { log, output, session, world } = connected();
    log.onGranted = (granted, filter) => { granted.publish(world.message(filter, 'kept', 1)); };
    world.feed(session, '82 0a 00 01 00 01 66 00 00 01 67 00');
    expect(output.take()).toBe('90 04 00 01 00 00 31 07 00 01 66 6b 65 70 74 31 07 00 01 67 6b 65 70 74');
  });

  it('stops telling of retained messages when the first one ends the connection', () => {
    const { log, output, session, world } = connected();
    log.onGranted = granted => { granted.fail(ReasonCode.QUOTA_EXCEEDED); };
    world.feed(session, '82 0a 00 01 00 01 66 00 00 01 67 00');
    expect(output.take()).toBe('90 04 00 01 00 00');
    expect(log.events).toEqual(['subscribe f 0', 'subscribe g 0', 'subscribed f', 'closed 0x97']);
  });

  it.each([
    ['no filter [MQTT311-3.8.3-3]', '82 02 00 01', 0x82],
    ['identifier 0 [MQTT311-2.3.1-1]', '82 06 00 00 00 01 66 00', 0x82],
    ['QoS 3 [MQTT311-3.8.3-4]', '82 0a 00 01 00 01 66 00 00 01 67 03', 0x81],
    ['reserved bits of the QoS byte', '82 06 00 01 00 01 66 04', 0x81],
    ['wrong header flags [MQTT311-3.8.1-1]', '80 06 00 01 00 01 66 00', 0x81],
    ['an empty second filter [MQTT311-4.7.3-1]', '82 09 00 01 00 01 66 00 00 00 00', 0x81],
    ['a wildcard in the middle [MQTT311-4.7.1-2]', '82 0b 00 01 00 01 66 00 00 02 23 61 00', 0x81],
    ['a filter without QoS', '82 05 00 01 00 01 66', 0x81],
  ])('with %s ends the connection before anyone hears of it', (_name, packet, reasonCode) => {
    const { log, output, session, world } = connected();
    world.feed(session, packet);
    expect(log.events).toEqual([`closed 0x${reasonCode.toString(16)}`]);
    expect(output.sent).toEqual([]);
  });

  it('that cannot be answered for lack of room ends the connection', () => {
    const { log, output, session, world } = connected();
    output.room = 4;
    world.feed(session, '82 06 00 01 00 01 66 00');
    expect(log.events).toEqual(['subscribe f 0', 'closed 0x104']);
  });
});

describe('UNSUBSCRIBE', () => {
  it('with several filters gets one UNSUBACK, whether they existed or not [MQTT311-3.10.4-4] [MQTT311-3.10.4-5] [MQTT311-3.10.4-6]', () => {
    const { log, output, session, world } = connected();
    world.feed(session, 'a2 08 12 34 00 01 66 00 01 67');
    expect(output.take()).toBe('b0 02 12 34');
    expect(log.events).toEqual(['unsubscribe f', 'unsubscribe g']);
  });

  it.each([
    ['no filter [MQTT311-3.10.3-2]', 'a2 02 00 01', 0x82], ['wrong header flags [MQTT311-3.10.1-1]', 'a0 05 00 01 00 01 66', 0x81],
  ])('with %s ends the connection', (_name, packet, reasonCode) => {
    const { log, output, session, world } = connected();
    world.feed(session, packet);
    expect(log.events).toEqual([`closed 0x${reasonCode.toString(16)}`]);
    expect(output.sent).toEqual([]);
  });
});

describe('PINGREQ', () => {
  it('gets PINGRESP [MQTT311-3.12.4-1]', () => {
    const { output, session, world } = connected();
    world.feed(session, 'c0 00 c0 00', () => 1);
    expect(output.take()).toBe('d0 00 d0 00');
  });

  it.each(['c0 01 00', 'c1 00'])('of a wrong form (%s) is malformed', packet => {
    const { log, session, world } = connected();
    world.feed(session, packet);
    expect(log.events).toEqual(['closed 0x81']);
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

  it.each(['e1 00', 'e0 01 00'])('of a wrong form (%s) does not discard the Will [MQTT311-3.14.1-1]', packet => {
    const { log, session, world } = connected({}, '10 12 00 04 4d 51 54 54 04 06 00 00 00 01 61 00 01 77 00 00');
    world.feed(session, packet);
    expect(log.events).toEqual(['closed 0x81']);
    expect(log.will).toBe('w  0 0');
  });
});

describe('messages', () => {
  it('of a node are acknowledged by QoS [MQTT311-3.3.4-1]', () => {
    const { log, output, session, world } = connected();
    world.feed(session, '31 04 00 01 74 61 32 06 00 01 74 00 01 62 34 06 00 01 74 00 02 63 62 02 00 02');
    expect(output.take()).toBe('40 02 00 01 50 02 00 02 70 02 00 02');
    expect(log.messages).toEqual(['0 t a retained', '1 t b', '2 t c']);
  });

  it('of QoS 2 are not delivered twice, over reconnects too [MQTT311-4.3.3-2]', () => {
    const { log, output, session, world } = connected({}, CONNECT_CONTINUED);
    world.feed(session, '34 06 00 01 74 00 02 63 3c 06 00 01 74 00 02 63');
    expect(output.take()).toBe('50 02 00 02 50 02 00 02');
    session.transportClosed(ReasonCode.NETWORK_CLOSED);
    const second = new RecordingOutput(world.arena);
    session.open(second);
    world.feed(session, CONNECT_CONTINUED + '3c 06 00 01 74 00 02 63 62 02 00 02');
    expect(second.take()).toBe('20 02 01 00 50 02 00 02 70 02 00 02');
    expect(log.messages).toEqual(['2 t c']);
  });

  it('to a node keep their identifiers and are freed by its acknowledgements [MQTT311-2.3.1-4]', () => {
    const { output, session, world } = connected();
    session.enqueue(world.message('t', 'a'), 1);
    session.enqueue(world.message('t', 'b'), 2);
    expect(output.take()).toBe('32 06 00 01 74 00 01 61 34 06 00 01 74 00 02 62');
    world.feed(session, '50 02 00 02 40 02 00 01 40 02 00 05 70 02 00 02');
    expect(output.take()).toBe('62 02 00 02');
    expect(world.serverState.queue.count).toBe(0);
  });

  it('longer than the ring are handed over without payload, acknowledged and skipped, if the setting says so', () => {
    const { log, output, session, world } = connected({ server: { maximumPacketSize: 32, oversize: OVERSIZE_DROP } });
    world.feed(session, [0x32, 0x69, 0x00, 0x01, 0x74, 0x00, 0x05, ...new Array<number>(100).fill(0x30), 0xC0, 0x00], () => 5);
    expect(log.messages).toEqual(['1 t <100 bytes skipped>']);
    expect(output.take()).toBe('40 02 00 05 d0 00');
  });

  it('longer than the ring end the connection, if the setting says so', () => {
    const { log, session, world } = connected({ server: { maximumPacketSize: 32 } });
    world.feed(session, '32 69 00 01 74 00 05');
    expect(log.events).toEqual(['closed 0x95']);
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
  it('by the gateway sends nothing in 3.x: there is no DISCONNECT of a server', () => {
    const { log, output, session } = connected();
    session.fail(ReasonCode.SESSION_TAKEN_OVER);
    expect(output.sent).toEqual([]);
    expect(output.isClosed).toBe(true);
    expect(log.events).toEqual(['closed 0x8e']);
  });

  it('leaves an object that serves the next connection as if it were new', () => {
    const { log, output, session, world } = connected({}, '10 12 00 04 4d 51 54 54 04 06 00 05 00 01 61 00 01 77 00 00');
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
    expect(session.clientIdentifierOffset).toBe(world.serverOffset + index * (64 + 4 + 10 + 12) + 64 + 4 + 10);
    session.open(new RecordingOutput(world.arena));
    return { log, session, letter: 'abcd'.charAt(index) };
  });
  for (const { letter, session } of pool)
    world.feed(session, withBody('00 04 4d 51 54 54 04', '06 00 00 00 0c', ascii(letter.repeat(12)), '00 05', ascii(letter.repeat(5)), '00 05', ascii(letter.repeat(5))));
  for (const { letter, session } of pool) // 63 of 64 bytes of a packet lie in the ring
    world.feed(session, `30 3e 00 01 74 ${ascii(letter.toUpperCase().repeat(58))}`);
  for (const { letter, log, session } of pool) {
    expect(decodeUTF8(world.arena, session.clientIdentifierOffset, session.clientIdentifierLength)).toBe(letter.repeat(12));
    world.feed(session, ascii('.'));
    expect(log.messages).toEqual([`0 t ${letter.toUpperCase().repeat(58)}.`]);
    session.transportClosed(ReasonCode.NETWORK_CLOSED);
    expect(log.will).toBe(`${letter.repeat(5)} ${letter.repeat(5)} 0 0`);
  }
});
