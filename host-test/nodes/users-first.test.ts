/** Nodes without user hold no place that one with a user needs. */
import { expect, test } from 'vitest';
import { connect, PINGREQ } from '../world/packets.ts';
import { World } from '../world/world.ts';

test('when all places are taken, a node with a user gets that of the node without that was silent longest', () => {
  const world = World.connected({
    configuration: { listener: { max_connections: 2, allow_anonymous: true, users: [{ username: 'anna' }, { username: 'bert' }] } },
    authenticator: {
      authenticate: (session, { arena, userNameLength, userNameOffset: at }) => {
        const name = Buffer.from(arena.bytes.subarray(at, at + Math.max(userNameLength, 0))).toString();
        session.user = ['anna', 'bert'].indexOf(name);
        return 0;
      },
    },
  });
  const [silent, lively] = [world.node('a'), world.node('b')];
  world.run(1000);
  lively.ask(PINGREQ);
  expect(world.open().ask(connect('c'))).toEqual(['CONNACK 3', 'closed']); // nobody without user is better than another one
  expect(world.open().ask(connect('d', { user: 'anna' }))).toEqual(['CONNACK 0']);
  expect(silent.take()).toEqual(['closed']);
  expect(world.open().ask(connect('e', { user: 'bert' }))).toEqual(['CONNACK 0']);
  expect(lively.take()).toEqual(['closed']);
  expect(world.open().ask(connect('f', { user: 'anna' }))).toEqual(['CONNACK 3', 'closed']);
});
