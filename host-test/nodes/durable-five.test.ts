/** What a node of MQTT 5.0 finds again after a power cut. */
import { expect, it } from 'vitest';
import { FlashMedium, SimulatedFlash } from '../simulation/simulated-flash.ts';
import { ask5, connect5, publish5, subscribe5, take5 } from '../world/packets-of-five.ts';
import { World } from '../world/world.ts';

const USER_PROPERTY = '2600016b000176';

function lifeOn(medium: FlashMedium): World {
  return World.quiet({ store: { durability: 'flash' } },
    { openStorage: (_store, arena) => new SimulatedFlash(arena, medium) });
}

it.each([['with properties', USER_PROPERTY, ` {${USER_PROPERTY}}`], ['without', '', '']])(
  'a Will %s is published as it was said, and one without them after it, too', (_name, properties, shown) => {
  const medium = new FlashMedium(4096, 12);
  ask5(lifeOn(medium).open(), connect5('a', { keepAlive: 10, will: { topic: 'will', payload: 'gone', properties } }));
  const world = lifeOn(medium);
  const reader = world.open();
  ask5(reader, connect5('r'), subscribe5(1, 'will', 0));
  // another Will with properties is at hand in between
  ask5(world.open(), connect5('b', { will: { topic: 'other', payload: 'x', properties: '03000162' } }));
  world.run(20_000);
  expect(take5(reader)).toEqual([`PUBLISH will=gone q0${shown}`]);
});

it('the options of a subscription are kept, and retained messages with their properties', () => {
  const medium = new FlashMedium(4096, 12);
  const session = { clean: false, properties: '1100000064' };
  const before = lifeOn(medium);
  ask5(before.open(), connect5('a', session), subscribe5(1, 't', 0x0C),
    publish5('kept', 'x', USER_PROPERTY, { qos: 1, retain: true }));
  before.run(1000);
  const world = lifeOn(medium);
  const node = world.open();
  expect(ask5(node, connect5('a', session))[0]).toContain('present');
  node.send(publish5('t', 'own'));
  expect(take5(node)).toEqual([]); // No Local
  const writer = world.open();
  ask5(writer, connect5('w'), publish5('t', 'retained', '', { retain: true }));
  expect(take5(node)).toEqual(['PUBLISH t=retained q0 retain']);
  expect(ask5(writer, subscribe5(1, 'kept', 0)).at(-1)).toBe(`PUBLISH kept=x q0 retain {${USER_PROPERTY}}`);
});
