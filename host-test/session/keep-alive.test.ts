/** Keep Alive in both roles, and the other timeouts that share the clock, at the borders of 32 bits too. */
import { describe, expect, it } from 'vitest';
import * as ReasonCode from '../../src/packet/reason-code.ts';
import { expiryInterval, pingInterval } from '../../src/session/keep-alive.ts';
import { ServerSession } from '../../src/session/server-session.ts';
import {
  connectedClient, connectedServer, openedServer, Pair, plainConnect, RecordingOutput, World,
} from './pair.ts';

const STARTS = [
  { name: 'zero', now: 0 },
  { name: '0x7FFFFFFF', now: 0x7FFFFFFF - 20_000 },
  { name: '0xFFFFFFFF', now: -20_000 },
  { name: '0xFFFFFFFF of an unsigned clock', now: 0xFFFFFFFF - 20_000 },
];

type Subject = ReturnType<typeof connectedClient> | ReturnType<typeof connectedServer>;

/**
 * Jumps from one requested deadline to the next, as a driver does.
 * @returns what was sent, with the time that had passed
 */
function drive(world: World, session: Subject['session'], output: RecordingOutput, milliseconds: number): string[] {
  const { clock } = world;
  const start = clock.now;
  const events: string[] = [];
  for (let steps = 0; clock.isArmed && (clock.deadline - start | 0) <= milliseconds; ++steps) {
    if (steps > 10_000)
      throw new Error('never idle');
    if ((clock.deadline - clock.now | 0) > 0)
      clock.now = clock.deadline;
    clock.isArmed = false;
    if (session instanceof ServerSession)
      session.role.handleTimeout();
    else
      session.handleTimeout();
    const sent = output.take();
    if (sent !== '')
      events.push(`${clock.now - start | 0}: ${sent}`);
  }
  clock.now = start + milliseconds | 0;
  return events;
}

/** The connection lives for all but the last one of so many milliseconds, and ends then. */
function expectEnd(subject: Subject, milliseconds: number, reasonCode: number): void {
  const { log, output, session, world } = subject;
  drive(world, session, output, milliseconds - 1);
  expect(log.events).toEqual([]);
  drive(world, session, output, 1);
  expect(log.events).toEqual([`closed 0x${reasonCode.toString(16)}`]);
}

it('the intervals are three quarters of Keep Alive, and one and a half times that and a second, without overflow', () => {
  expect(pingInterval(60)).toBe(45_000);
  expect(expiryInterval(60)).toBe(91_000);
  expect(expiryInterval(2)).toBe(4_000);
  expect(expiryInterval(65535)).toBe(98_303_500);
});

describe.each(STARTS)('from $name on', ({ now }) => {
  it('a quiet client pings at three quarters of Keep Alive, again and again [MQTT311-3.1.2-23]', () => {
    const { output, session, world } = connectedClient({ keepAlive: 20, now });
    const start = world.clock.now;
    for (let round = 1; round <= 4; ++round) {
      const before = world.clock.now - start | 0;
      expect(drive(world, session, output, 15_000 - before % 15_000)).toEqual([`${15_000 - before % 15_000}: c0 00`]);
      world.feed(session, 'd0 00');
    }
  });

  it('a client that gets no PINGRESP gives up after the time that is set', () => {
    const subject = connectedClient({ keepAlive: 20, now });
    const { output, session, world } = subject;
    drive(world, session, output, 15_000);
    expectEnd(subject, 5_000, ReasonCode.PINGRESP_TIMEOUT);
    expect(output.isClosed).toBe(true);
  });

  it('a PINGRESP in the last millisecond is in time', () => {
    const { log, output, session, world } = connectedClient({ keepAlive: 20, now });
    drive(world, session, output, 15_000);
    drive(world, session, output, 4_999);
    world.feed(session, 'd0 00');
    drive(world, session, output, 1);
    expect(log.events).toEqual([]);
  });

  it('a server closes after one and a half times Keep Alive and a second without a packet [MQTT311-3.1.2-24]', () => {
    const subject = connectedServer({ now }, plainConnect(20));
    const { output } = subject;
    expectEnd(subject, 31_000, ReasonCode.KEEP_ALIVE_TIMEOUT);
    expect(output.isClosed).toBe(true);
    expect(output.take()).toBe('');
  });

  it('any packet starts the time of the server anew', () => {
    const subject = connectedServer({ now }, plainConnect(20));
    const { output, session, world } = subject;
    drive(world, session, output, 29_000);
    world.feed(session, '30 03 00 01 74');
    expectEnd(subject, 31_000, ReasonCode.KEEP_ALIVE_TIMEOUT);
  });

  it('two quiet sides stay connected for a day', () => {
    const pair = new Pair({ keepAlive: 20, latency: 300, now });
    pair.connect();
    pair.drive(86_400_000);
    expect([pair.client.isConnected, pair.server.isConnected]).toEqual([true, true]);
    expect(pair.clientLog.events).toEqual(['connected']);
  });

  it('a peer that has vanished is found by both sides', () => {
    const pair = new Pair({ keepAlive: 20, now });
    pair.connect();
    const { client, server } = pair;
    pair.isSilent = true;
    pair.drive(20_000);
    expect(client.isConnected).toBe(false);
    expect(pair.clientLog.reasonCode).toBe(ReasonCode.PINGRESP_TIMEOUT);
    pair.drive(11_000);
    expect(server.isConnected).toBe(false);
    expect(pair.serverLog.reasonCode).toBe(ReasonCode.KEEP_ALIVE_TIMEOUT);
  });
});

describe('a client', () => {
  it('with Keep Alive 0 never pings and never gives up', () => {
    const { log, output, session, world } = connectedClient({ keepAlive: 0 });
    expect(drive(world, session, output, 100_000_000)).toEqual([]);
    for (let hour = 0; hour < 48; ++hour) {
      world.clock.now += 3_600_000;
      session.handleTimeout();
    }
    expect(output.sent).toEqual([]);
    expect(log.events).toEqual([]);
  });

  it('that hears but does not speak pings all the same', () => {
    const { output, session, world } = connectedClient({ keepAlive: 20 });
    const sent: string[] = [];
    for (let second = 1; second <= 16; ++second) {
      sent.push(...drive(world, session, output, 1000));
      world.feed(session, '30 03 00 01 74');
    }
    expect(sent.map(event => event.slice(-5))).toEqual(['c0 00']);
  });

  it.each(['publish', 'enqueue', 'acknowledge'] as const)('that hears, and speaks by %s, does not ping', means => {
    const { output, session, world } = connectedClient({ keepAlive: 20 });
    const message = world.message('t', 'x');
    for (let second = 1; second <= 40; ++second) {
      expect(drive(world, session, output, 1000)).toEqual([]);
      if (means === 'publish')
        session.publish(message);
      else if (means === 'enqueue')
        session.enqueue(message, 0);
      world.feed(session, means === 'acknowledge' ? '32 05 00 01 74 00 01' : '30 03 00 01 74');
      expect(output.take()).not.toBe('');
    }
  });

  it('is not excused by messages that found no room: then it finds that it cannot speak', () => {
    const { log, output, session, world } = connectedClient({ keepAlive: 20 });
    output.room = 0;
    for (let second = 1; second <= 16; ++second) {
      expect(session.publish(world.message('t', 'x'))).toBe(false);
      drive(world, session, output, 1000);
      world.feed(session, '30 03 00 01 74');
    }
    expect(log.reasonCode).toBe(ReasonCode.SEND_TIMEOUT);
  });

  it('that speaks but hears nothing asks for a sign of life', () => {
    const { output, session, world } = connectedClient({ keepAlive: 20 });
    const message = world.message('t', 'x');
    let pings = 0;
    for (let second = 1; second <= 16; ++second) {
      pings += drive(world, session, output, 1000).length;
      session.publish(message);
      output.take();
    }
    expect(pings).toBe(1);
  });

  it('is not silent longer than Keep Alive while it waits longer for a PINGRESP [MQTT311-3.1.2-23]', () => {
    const { log, output, session, world } = connectedClient({ keepAlive: 10, client: { pingrespTimeout: 30_000 } });
    const sent = drive(world, session, output, 37_499).map(event => Number(event.split(':')[0]));
    expect(log.events).toEqual([]);
    let last = 0;
    for (const moment of [...sent, 37_499]) {
      expect(moment - last).toBeLessThanOrEqual(10_000);
      last = moment;
    }
    drive(world, session, output, 1);
    expect(log.events).toEqual(['closed 0x103']); // 7.5 s + 30 s: counted from the first PINGREQ
  });

  it('pings in time again after a fast PINGRESP, however long it would have waited for a slow one', () => {
    const { output, session, world } = connectedClient({ keepAlive: 10, client: { pingrespTimeout: 60_000 } });
    expect(drive(world, session, output, 7_500)).toEqual(['7500: c0 00']);
    world.feed(session, 'd0 00');
    expect(drive(world, session, output, 7_500)).toEqual(['7500: c0 00']);
  });

  it('does not wait for the PINGRESP of an older connection', () => {
    const { log, output, session, world } = connectedClient({ keepAlive: 20 });
    drive(world, session, output, 15_000);
    session.transportClosed(ReasonCode.NETWORK_CLOSED);
    const second = new RecordingOutput(world.arena);
    session.open(second);
    world.feed(session, '20 02 00 00');
    second.take();
    expect(drive(world, session, second, 14_999)).toEqual([]);
    expect(drive(world, session, second, 1)).toEqual(['1: c0 00']);
    expect(log.events).toEqual(['closed 0x100', 'connected']);
  });

  it('gives up when an acknowledgement does not come, without Keep Alive too', () => {
    for (const keepAlive of [0, 600]) {
      const subject = connectedClient({ keepAlive });
      const { output, session, world } = subject;
      drive(world, session, output, 5_000);
      session.enqueue(world.message('t', 'x'), 1);
      expectEnd(subject, 20_000, ReasonCode.ACKNOWLEDGEMENT_TIMEOUT);
    }
  });

  it('gives up when SUBACK or UNSUBACK does not come', () => {
    for (const request of ['subscribe', 'unsubscribe'] as const) {
      const subject = connectedClient({ keepAlive: 0 });
      const { session, world } = subject;
      const filter = world.text('f');
      session[request](filter.offset, filter.length, 1);
      expectEnd(subject, 20_000, ReasonCode.ACKNOWLEDGEMENT_TIMEOUT);
    }
  });

  it('gives each acknowledgement a time of its own: one for another message does not prolong it', () => {
    const subject = connectedClient({ keepAlive: 0 });
    const { output, session, world } = subject;
    session.enqueue(world.message('t', 'x'), 1);
    drive(world, session, output, 5_000);
    session.enqueue(world.message('t', 'y'), 1);
    drive(world, session, output, 14_000);
    world.feed(session, '40 02 00 01');
    expectEnd(subject, 6_000, ReasonCode.ACKNOWLEDGEMENT_TIMEOUT);
  });

  it.each([['PUBREC', []],
    ['PUBCOMP', [0x50, 2, 0, 1]]])('notices a missing %s while other messages are acknowledged', (_name, before) => {
    const { log, output, session, world } = connectedClient({ keepAlive: 0 });
    session.enqueue(world.message('t', 'x'), 2);
    world.feed(session, before);
    for (let identifier = 2; identifier < 22; ++identifier) {
      session.enqueue(world.message('t', 'y'), 1);
      drive(world, session, output, 999);
      world.feed(session, [0x40, 2, 0, identifier]);
    }
    expect(session.isConnected).toBe(true);
    drive(world, session, output, 20);
    expect(log.reasonCode).toBe(ReasonCode.ACKNOWLEDGEMENT_TIMEOUT);
  });

  it('notices a missing PUBREL while other messages come', () => {
    const { log, output, session, world } = connectedClient({ keepAlive: 0 });
    world.feed(session, '34 06 00 01 74 00 07 78');
    for (let second = 0; second < 19; ++second) {
      drive(world, session, output, 1000);
      world.feed(session, '34 06 00 01 74 00 08 78 62 02 00 08');
    }
    drive(world, session, output, 999);
    expect(session.isConnected).toBe(true);
    drive(world, session, output, 1);
    expect(log.reasonCode).toBe(ReasonCode.ACKNOWLEDGEMENT_TIMEOUT);
  });

  it('notices a missing SUBACK while messages are acknowledged', () => {
    const { log, output, session, world } = connectedClient({ keepAlive: 0 });
    const { length, offset } = world.text('t');
    session.subscribe(offset, length, 1);
    for (let identifier = 2; identifier < 22; ++identifier) {
      session.enqueue(world.message('t', 'y'), 1);
      drive(world, session, output, 999);
      world.feed(session, [0x40, 2, 0, identifier]);
    }
    expect(session.isConnected).toBe(true);
    drive(world, session, output, 20);
    expect(log.reasonCode).toBe(ReasonCode.ACKNOWLEDGEMENT_TIMEOUT);
  });

  it('gives up on a server that does not take what is sent, and keeps watching until then', () => {
    const subject = connectedClient({ keepAlive: 0 });
    const { output, session, world } = subject;
    output.stalledSince = world.clock.now;
    world.clock.now += 1;
    session.handleTimeout();
    expect(world.clock.isArmed).toBe(true);
    expectEnd(subject, 14_999, ReasonCode.SEND_TIMEOUT);
  });
});

describe('a server', () => {
  it('with Keep Alive 0 waits for ever', () => {
    const { log, output, session, world } = connectedServer({}, plainConnect(0));
    drive(world, session, output, 1_000_000_000);
    session.handleTimeout();
    expect(log.events).toEqual([]);
  });

  it('counts packets, not bytes: one that trickles in does not keep the connection alive [MQTT311-3.1.2-24]', () => {
    const { log, output, session, world } = connectedServer({}, plainConnect(20));
    for (const byte of ['30', '04', '00', '01']) {
      drive(world, session, output, 7_000);
      world.feed(session, byte);
    }
    drive(world, session, output, 3_000);
    expect(log.reasonCode).toBe(ReasonCode.KEEP_ALIVE_TIMEOUT);
  });

  it('gives up on a node that does not take what is sent, and keeps watching until then', () => {
    for (const keepAlive of [0, 600]) {
      const subject = connectedServer({}, plainConnect(keepAlive));
      const { output, session, world } = subject;
      output.stalledSince = world.clock.now;
      world.clock.now += 1;
      session.handleTimeout();
      expectEnd(subject, 14_999, ReasonCode.SEND_TIMEOUT);
    }
  });

  it('closes when CONNECT does not come in time, and sends nothing', () => {
    const subject = openedServer();
    const { output, session, world } = subject;
    world.feed(session, '10 0d 00 04'); // half a CONNECT does not help
    expectEnd(subject, 8_000, ReasonCode.CONNECT_TIMEOUT);
    expect(output.sent).toEqual([]);
    expect(output.isClosed).toBe(true);
  });

  it('does not close a node that waits for the verdict, however long that takes', () => {
    const { log, output, session, world } = openedServer();
    log.verdict = 2;
    world.feed(session, '10 0d 00 04 4d 51 54 54 04 02 00 0a 00 01 61');
    drive(world, session, output, 600_000);
    expect(log.events).toEqual(['connect a']);
    log.accept(session);
    expect(output.take()).toBe('20 02 00 00');
  });

  it('does not count the time of its own late verdict as silence of the node', () => {
    const { log, output, session, world } = openedServer();
    log.verdict = 2;
    world.feed(session, '10 0d 00 04 4d 51 54 54 04 02 00 01 00 01 61'); // Keep Alive: 1 s
    world.clock.now = 5_000;
    log.accept(session);
    session.handleTimeout();
    expect(session.isConnected).toBe(true);
    drive(world, session, output, 2_499);
    expect(session.isConnected).toBe(true);
    drive(world, session, output, 1);
    expect(log.reasonCode).toBe(ReasonCode.KEEP_ALIVE_TIMEOUT);
  });
});
