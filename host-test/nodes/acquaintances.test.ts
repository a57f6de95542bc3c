import { expect, it } from 'vitest';
import { Acquaintances } from '../../src/nodes/acquaintances.ts';
import { Clock } from '../../src/session/clock.ts';

const MINUTE = 60_000;
const DAY = 86_400_000;

/** Some seconds after the first node has come. @param now where the clock stands then */
function start(now = 0): { clock: Clock; nodes: Acquaintances } {
  const clock = new Clock();
  clock.now = now - 20_000 | 0;
  const nodes = new Acquaintances(4, clock);
  nodes.came(1);
  clock.now = now;
  return { clock, nodes };
}

it('whoever comes within seconds after the start is known at once', () => {
  const { nodes } = start();
  expect([nodes.isKnown(1), nodes.isKnown(3)]).toEqual([true, false]);
});

it.each([0, 0x7FFFFFFF - 30_000, -30_000])('a node is known when it has been there for a minute (clock at %i)', now => {
  const { clock, nodes } = start(now);
  nodes.came(3);
  expect(nodes.isKnown(3)).toBe(false);
  clock.now = now + MINUTE | 0;
  expect(nodes.isKnown(3)).toBe(true);
});

it('a node that has gone is known when it comes back after a minute', () => {
  const { clock, nodes } = start();
  nodes.came(3);
  nodes.left(3);
  clock.now += 2 * MINUTE;
  expect(nodes.isKnown(3)).toBe(false);
  nodes.came(3);
  nodes.left(3);
  expect(nodes.isKnown(3)).toBe(true);
});

it('others that come once are never known, and take no place from those that are', () => {
  const { clock, nodes } = start();
  for (let identity = 3; identity < 10_000; identity += 2) {
    nodes.came(identity);
    nodes.left(identity);
    clock.now += 1000;
    expect(nodes.isKnown(identity)).toBe(false);
  }
  expect(nodes.isKnown(1)).toBe(true);
});

it('a node that was away for a day gives its place to others', () => {
  const { clock, nodes } = start();
  for (let identity = 3; identity < 200; identity += 2)
    nodes.came(identity);
  clock.now += MINUTE;
  for (let identity = 1; identity < 200; identity += 2)
    nodes.left(identity);
  clock.now += DAY;
  nodes.came(1001);
  clock.now += MINUTE;
  expect(nodes.isKnown(1001)).toBe(true);
});
