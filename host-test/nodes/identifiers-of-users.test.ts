/** A client identifier belongs to whoever has a name and a password, and not to a node without user that came first. */
import { expect, it } from 'vitest';
import { publish, subscribe } from '../world/packets.ts';
import { World } from '../world/world.ts';

const world = (): World => World.quiet({ listener: { users: [{ username: 'anna' }, { username: 'bert' }] } });

it('the node of a user takes its identifier from a node without user, and inherits nothing of it', () => {
  const { gateway, node, connect } = bound(world());
  const stranger = node('n', { clean: false }, subscribe(1, 'secret/#', 1));
  const [owner, answer] = connect('n', { user: 'anna', clean: false });
  expect([stranger.take(), answer]).toEqual([['closed'], ['CONNACK 0']]);
  expect([gateway.subscriptions.count, gateway.nodes.knownCount, gateway.connectedCount]).toEqual([0, 1, 1]);
  expect(owner.ask(publish('secret/a', 'x'))).toEqual([]);
});

it('it does so, too, when the node without user is away', () => {
  const { connect, node } = bound(world());
  node('n', { clean: false }, subscribe(1, '#', 1)).vanish();
  expect(connect('n', { user: 'anna', clean: false })[1]).toEqual(['CONNACK 0']);
  expect(connect('n', { user: 'anna', clean: false })[1]).toEqual(['CONNACK 0 present']);
});

it('nobody takes an identifier from the node of a user: no other user, and no node without one', () => {
  const { connect, node } = bound(world());
  const owner = node('n', { user: 'anna', clean: false });
  for (const options of [{ user: 'bert' }, {}])
    expect(connect('n', options)[1]).toEqual(['CONNACK 5', 'closed']);
  expect(owner.ask(subscribe(1, 'a', 0))).toEqual(['SUBACK #1 0']);
});

function bound(it: World) {
  return { gateway: it.gateway, node: it.node.bind(it), connect: it.connect.bind(it) };
}
