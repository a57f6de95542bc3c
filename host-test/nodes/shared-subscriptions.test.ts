/** MQTT 3.1 and 3.1.1 have no shared subscriptions, so nobody is told that there were some. */
import { describe, expect, it } from 'vitest';
import { publish, subscribe } from '../world/packets.ts';
import { World } from '../world/world.ts';

const told = (world: World): string[] => world.eventTexts.filter(text => text.includes('$share'));

describe('a filter that begins with $share/', () => {
  it.each(['$share/group/a', '$share/g/#', '$share/',
    '$share//a'])('%s is refused with 0x80 in 3.1.1, and said once in the log', filter => {
    const world = World.quiet();
    const node = world.node('n');
    expect(node.ask(subscribe(1, filter, 1))).toEqual(['SUBACK #1 80']);
    expect(node.ask(subscribe(2, filter, 1))).toEqual(['SUBACK #2 80']);
    expect(world.gateway.subscriptions.count).toBe(0);
    expect(told(world).length).toBe(1);
  });

  it('is granted in 3.1, which has no code for a refusal, and said in the log', () => {
    const world = World.quiet();
    const node = world.node('n', { level: 3 });
    expect(node.ask(subscribe(1, '$share/g/a', 1))).toEqual(['SUBACK #1 1']);
    expect(node.ask(publish('a', 'x'))).toEqual([]);
    expect(told(world).length).toBe(1);
  });

  it('is told from names that only look alike', () => {
    const world = World.quiet();
    const node = world.node('n');
    expect(node.ask(subscribe(1, '$share', 1))).toEqual(['SUBACK #1 1']);
    expect(node.ask(subscribe(2, '$shared/a', 1))).toEqual(['SUBACK #2 1']);
    expect(node.ask(subscribe(3, 'a/$share/b', 1))).toEqual(['SUBACK #3 1']);
    expect(told(world)).toEqual([]);
  });
});
