/** From upstream to the nodes: rules of direction "in". */
import { describe, expect, it } from 'vitest';
import { accept, World } from '../world/world.ts';
import { publish, subscribe } from '../world/packets.ts';

describe('a message from upstream', () => {
  const world = () => {
    const made = World.quiet({ topic: [{ pattern: '#', direction: 'in', qos: 2, local_prefix: '',
      remote_prefix: 'site/' }] }, { server: accept });
    const say = (...packets: Uint8Array[]): void => {
      for (const packet of packets)
        made.uplink.post(packet);
      made.run();
    };
    return { world: made, say };
  };

  it.each([[0, 2, 0], [1, 2, 1], [2, 1, 1],
    [2, 2, 2]])('of QoS %i reaches a subscription of QoS %i with QoS %i, under its local name',
      (published, asked, expected) => {
    const { say, world: made } = world();
    const node = made.node('n', {}, subscribe(1, 'cmd/+', asked));
    say(publish('site/cmd/a', 'x', { qos: published, identifier: 9 }));
    expect(node.take()).toEqual([`PUBLISH cmd/a=x q${expected}${expected > 0 ? ' #1' : ''}`]);
  });

  it('that was retained there reaches a node that subscribes later', () => {
    const { say, world: made } = world();
    say(publish('site/state', 'on', { retain: true }));
    expect(made.node('early').ask(subscribe(1, 'state', 1))).toEqual(['SUBACK #1 1', 'PUBLISH state=on q0 retain']);
  });

  it('which replaces a retained one comes with RETAIN 0, and is what a later node gets [MQTT311-3.3.1-9]', () => {
    const { say, world: made } = world();
    say(publish('site/state', 'on', { retain: true }), publish('site/event', 'once'));
    for (const payload of ['off', 'on', 'broken'])
      say(publish('site/state', payload, { qos: 1 }));
    expect(made.node('later').ask(subscribe(1, '#', 0))).toEqual(['SUBACK #1 0', 'PUBLISH state=broken q0 retain']);
    say(publish('site/state', ''));
    expect(made.node('last').ask(subscribe(1, '#', 0))).toEqual(['SUBACK #1 0']);
  });

  it('waits for a node that is away, if it has QoS 1 or 2 and a session', () => {
    const { say, world: made } = world();
    made.node('n', { clean: false }, subscribe(1, '#', 2)).vanish();
    say(publish('site/a', '0'), publish('site/a', '1', { qos: 1 }), publish('site/a', '2', { qos: 2, identifier: 2 }));
    expect(made.connect('n', { clean: false })[1]).toEqual(['CONNACK 0 present', 'PUBLISH a=1 q1 #1',
      'PUBLISH a=2 q2 #2']);
  });

  it('is not sent back there, and nodes go on among themselves when upstream is gone', () => {
    const { say, world: made } = world();
    const node = made.node('n', {}, subscribe(1, '#', 0));
    node.take();
    say(publish('site/a', 'x'));
    expect([made.uplink.packets.map(({ cmd }) => cmd), node.take()]).toEqual([['connect', 'subscribe'],
      ['PUBLISH a=x q0']]);
    made.uplink.close();
    made.run(5000);
    expect(node.ask(publish('b', 'y'))).toEqual(['PUBLISH b=y q0']);
  });
});
