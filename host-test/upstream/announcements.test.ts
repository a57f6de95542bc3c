/** What the gateway says to the Server about itself: birth, and at a clean stop what its Will says. */
import { describe, expect, it } from 'vitest';
import type { PartialConfiguration } from '../../src/config/configuration.ts';
import type { PacketHandler } from '../world/peer.ts';
import { oblige, World, type WorldOptions } from '../world/world.ts';

type Upstream = NonNullable<PartialConfiguration['upstream']>;

const WILL = { topic: 'status', payload: 'offline', qos: 1, retain: true };

/** A Server that still has the session, and does everything but answer a PUBLISH if it is told so. */
const continuing = (answersPublish = true): PacketHandler => (peer, packet) => {
  if (packet.cmd === 'connect')
    peer.post({ cmd: 'connack', returnCode: 0, sessionPresent: true });
  else if (packet.cmd !== 'publish' || answersPublish)
    oblige(peer, packet);
};

const connected = (upstream: Upstream = { will: WILL }, options: WorldOptions = {}): World =>
  World.connected({ ...options, configuration: { ...options.configuration, upstream } });

/** What was said on the newest connection: topic, payload, QoS, retain. */
const said = (world: World): string[] => world.uplink.all('publish').map(({ dup, payload, qos, retain, topic }) =>
  `${topic} ${payload} q${qos}${retain ? ' retain' : ''}${dup ? ' dup' : ''}`);

function reconnect(world: World): void {
  world.uplink.close();
  world.until(() => !world.isConnected);
  world.until(() => world.isConnected);
  world.run(50);
}

/** @returns milliseconds from `stop` to its end */
function stop(world: World): number {
  const begin = world.clock.time;
  let end: number | undefined;
  world.runtime.stop(() => { end = world.clock.time; });
  world.until(() => end !== undefined, 10_000);
  world.run(100);
  return end! - begin;
}

describe('the birth', () => {
  it.each<[string, Upstream, string[]]>([
    ['has the topic, QoS and retain of the Will, and says online', { will: WILL }, ['status online q1 retain']],
    ['takes from the Will what is not given',
      { will: WILL, birth: { payload: 'up' } }, ['status up q1 retain']],
    ['may have all that is its own',
      { will: WILL, birth: { topic: 'b', payload: 'x', qos: 2, retain: false } }, ['b x q2']],
    ['needs no Will', { birth: { topic: 'b', payload: 'x' } }, ['b x q0']],
    ['is not said when it is null', { will: WILL, birth: null }, []],
    ['is not said without a Will', {}, []],
  ])('%s', (_name, upstream, expected) => {
    const world = connected(upstream);
    expect(said(world)).toEqual(expected);
    expect(world.gateway.upstream.announcements.isSettled).toBe(true);
  });

  it('is said after each connection, whether the Server has the session or not', () => {
    const world = connected();
    reconnect(world);
    world.server = continuing();
    reconnect(world);
    expect(world.uplinks.map(uplink => uplink.messages)).toEqual(Array(3).fill(['status online']));
  });

  it('is said when the last subscription is answered, so that nothing is promised that does not work yet', () => {
    const world = connected();
    expect(world.uplink.packets.map(({ cmd }) => cmd)).toEqual(['connect', 'subscribe', 'publish']);
  });

  it('comes though the queue is full of what waits, and repeats of what is under way come first', () => {
    const world = connected({ will: WILL }, { server: continuing(false), configuration: { store: { ram: 2300, full: 'drop_newest' } } });
    const node = world.client('n');
    for (let count = 0; count < 40; ++count)
      node.publish('a', Buffer.alloc(100, 0x61), 1);
    world.run(1000); // the node is made to wait before the last place is taken
    expect(world.gateway.pressure.heldCount).toBeGreaterThan(0);
    const underWay = said(world).length - 1;
    world.server = continuing();
    reconnect(world);
    expect(said(world).slice(0, underWay).every(text => /^up\/a a+ q1 dup$/.test(text))).toBe(true);
    expect(said(world)).toContain('status online q1 retain');
  });

  it.each([1, 2] as const)('of QoS %i that was not acknowledged is repeated when the session goes on, then said anew', qos => {
    const world = connected({ will: { ...WILL, qos } }, { server: continuing(false) });
    const { messageId } = world.uplink.all('publish')[0]!;
    world.server = continuing();
    reconnect(world);
    expect(said(world)).toEqual([`status online q${qos} retain dup`, `status online q${qos} retain`]);
    expect(world.uplink.all('publish')[0]!.messageId).toBe(messageId);
    expect(world.gateway.upstream.announcements.isSettled).toBe(true);
  });

  it('of QoS 2 that the Server has received goes on with PUBREL', () => {
    let answers = true;
    const world = connected({ will: { ...WILL, qos: 2 } }, { server: (peer, packet) => {
      if (packet.cmd === 'pubrel' && !answers)
        return;
      continuing()(peer, packet);
    } });
    answers = false;
    reconnect(world);
    expect(world.gateway.upstream.announcements.isSettled).toBe(false);
    answers = true;
    reconnect(world);
    expect(world.uplink.packets.map(({ cmd }) => cmd).filter(cmd => /^pub/.test(cmd)))
      .toEqual(['pubrel', 'publish', 'pubrel']);
  });

  it('that the Server does not acknowledge costs the connection after acknowledgement_timeout, as any message does', () => {
    const world = connected({ will: WILL, acknowledgement_timeout: 5 }, { server: continuing(false) });
    world.run(4500);
    expect(world.upstreamEndings).toEqual([]);
    world.run(1000);
    expect(world.upstreamEndings.length).toBe(1);
  });
});

describe('a clean stop', () => {
  it('says what the Will says, waits for the acknowledgement, then says DISCONNECT', () => {
    const world = connected();
    expect(stop(world)).toBeLessThan(500);
    expect(said(world)).toEqual(['status online q1 retain', 'status offline q1 retain']);
    expect(world.uplink.packets.at(-1)!.cmd).toBe('disconnect');
  });

  it('says it under the topic of the birth as well, if that is another one', () => {
    const world = connected({ will: { ...WILL, qos: 2 }, birth: { topic: 'alive', payload: '1', qos: 0 } });
    stop(world);
    expect(said(world)).toEqual(['alive 1 q0 retain', 'status offline q2 retain', 'alive offline q0 retain']);
    expect(world.uplink.packets.at(-1)!.cmd).toBe('disconnect');
  });

  it.each<[string, Upstream]>([
    ['a birth and no Will', { birth: { topic: 'b', payload: 'x' } }], ['no birth', { will: WILL, birth: null }],
  ])('with %s says nothing but DISCONNECT', (_name, upstream) => {
    const world = connected(upstream);
    const before = said(world);
    stop(world);
    expect(said(world)).toEqual(before);
    expect(world.uplink.packets.at(-1)!.cmd).toBe('disconnect');
  });

  it('lets out first what waits for room in the window: readings, the availability of sensors, the Wills of nodes', () => {
    const world = connected({ will: WILL, max_inflight_messages: 1 }, { configuration: {
      sensors: [{ name: 's', type: 'x', interval: 60, expire_after: 100 }, { name: 't', type: 'x', interval: 60 }],
    } });
    world.client('n', { will: { topic: 'n/status', payload: 'gone', qos: 1, retain: true } });
    expect(world.uplink.messages).toContain('up/s/availability online');
    expect(stop(world)).toBeLessThan(500);
    const { messages } = world.uplink;
    expect(messages.slice(-3).sort()).toEqual(['status offline', 'up/n/status gone', 'up/s/availability offline']);
    expect(messages.some(message => message.includes('t/availability'))).toBe(false);
    expect(world.uplink.packets.at(-1)!.cmd).toBe('disconnect');
  });

  it('says DISCONNECT after two seconds to a Server that answers nothing, and is over within three', () => {
    const world = connected();
    world.server = () => {};
    const took = stop(world);
    expect(took).toBeGreaterThanOrEqual(2000);
    expect(took).toBeLessThan(3000);
    expect(said(world).at(-1)).toBe('status offline q1 retain');
    expect(world.uplink.packets.at(-1)!.cmd).toBe('disconnect');
  });

  it('is over within three seconds though the Server does not even read', () => {
    const world = connected({ will: WILL }, { configuration: { store: { ram: 60_000 } } });
    world.uplink.socket.stopReading();
    const node = world.client('n');
    for (let count = 0; count < 40; ++count)
      node.publish('a', Buffer.alloc(1000, 0x61), 1);
    world.run(500);
    expect(stop(world)).toBeLessThan(3000);
    world.run(60_000);
    expect(world.uplinks.length).toBe(1);
  });

  it('before the subscriptions are answered says it all the same', () => {
    const world = new World({
      server: (peer, packet) => packet.cmd === 'subscribe' || oblige(peer, packet),
      configuration: { upstream: { will: WILL } },
    });
    world.runtime.start();
    world.until(() => world.isConnected);
    world.run(50);
    expect(said(world)).toEqual([]);
    expect(stop(world)).toBeLessThan(500);
    expect(said(world)).toEqual(['status offline q1 retain']);
  });

  it('whose connection ends meanwhile makes no other one', () => {
    const world = connected();
    world.server = () => {};
    world.clock.schedule(300, () => world.uplink.close());
    expect(stop(world)).toBeLessThan(500);
    world.run(60_000);
    expect(world.uplinks.length).toBe(1);
  });

  it('without a connection is over at once', () => {
    const world = new World({ server: null, configuration: { upstream: { will: WILL } } });
    world.runtime.start();
    world.run(100);
    expect(stop(world)).toBe(0);
  });
});

describe('subscriptions come first', () => {
  /** A Server that answers SUBSCRIBE when `grant` is called. */
  function slow(sessionPresent: boolean) {
    const world = new World({ server: (peer, packet) => {
      if (packet.cmd === 'connect')
        peer.post({ cmd: 'connack', returnCode: 0, sessionPresent });
      else if (packet.cmd !== 'subscribe')
        oblige(peer, packet);
    } });
    world.runtime.start();
    const node = world.client('n');
    node.publish('waited', '1', 1);
    world.until(() => world.isConnected);
    world.run(50);
    return { grant: () => {
      const { messageId } = world.uplink.all('subscribe').at(-1)!;
      world.uplink.post({ cmd: 'suback', messageId: messageId!, granted: [2] });
      world.run(50);
    }, node, world };
  }

  it('on a session that is not known to continue: no message of any QoS leaves before the last answer', () => {
    const { grant, node, world } = slow(false);
    ([0, 1, 2] as const).forEach(qos => node.publish(`live/${qos}`, 'x', qos));
    world.run(500);
    expect(world.uplink.messages).toEqual([]);
    grant();
    expect(world.uplink.messages.sort()).toEqual(['up/live/0 x', 'up/live/1 x', 'up/live/2 x', 'up/waited 1']);
    node.publish('after', 'x', 0);
    world.run(50);
    expect(world.uplink.messages.at(-1)).toBe('up/after x');
  });

  it('so a command arrives though the next message costs the connection', () => {
    const { grant, node, world } = slow(false);
    node.subscribe('#', 1);
    world.run(50);
    grant();
    world.uplink.publish('down/valve', 'close', 1);
    world.server = peer => peer.close();
    world.run(50);
    expect(node.messages).toContain('valve close');
  });

  it('on a session that goes on messages need not wait', () => {
    const { world } = slow(true);
    expect(world.uplink.messages).toEqual(['up/waited 1']);
  });

  it('PINGREQ and acknowledgements do not wait', () => {
    const { world } = slow(false);
    world.uplink.publish('down/a', 'x', 1);
    world.run(50);
    expect(world.uplink.all('puback').length).toBe(1);
    world.run(50_000);
    expect(world.uplink.all('pingreq').length).toBeGreaterThan(0);
  });
});
