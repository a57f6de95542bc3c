/** The memory of a board is what its firmware is built with, and the configuration that is built in fits. */
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { completeConfiguration, type PartialConfiguration } from '../../src/gateway/configuration.ts';
import { BOARDS, findOverflow, memoryMap } from '../../src/host/check.ts';

interface Creation { static?: number; chunk: { initial: number }; heap: { initial: number }; stack: number }

const manifest = JSON.parse(readFileSync(new URL('../../manifest.json', import.meta.url), 'utf8')) as {
  config: { ringbridge: PartialConfiguration };
  creation: Creation;
  platforms: Record<string, { creation?: Creation }>;
};

const SLOT = 16;

test('an ESP32-C3 has the block that its manifest names', () => {
  expect(BOARDS['esp32c3']).toBe(manifest.platforms['esp32/esp32c3']!.creation!.static);
});

test('an ESP32 has at least what its manifest takes at start', () => {
  const { chunk, heap, stack } = manifest.creation;
  expect(BOARDS['esp32']).toBeGreaterThanOrEqual(chunk.initial + (heap.initial + stack) * SLOT);
});

test.each(Object.keys(BOARDS))('the built-in configuration fits the board "%s"', board => {
  expect(findOverflow(completeConfiguration(manifest.config.ringbridge), board)).toBeUndefined();
});

test('the defaults fit an ESP32', () => {
  expect(findOverflow(completeConfiguration({}), 'esp32')).toBeUndefined();
});

test('the arena fits exactly, and not with one word more', () => {
  const overflowOf = (ram: number): string | undefined => findOverflow(completeConfiguration({ store: { ram } }), 'esp32');
  const lengthOf = (ram: number): number => memoryMap(completeConfiguration({ store: { ram } })).reduce((sum, { count, length }) => sum + count * length, 0);
  const tooMuch = Number(/(\d+) bytes too much/.exec(overflowOf(100_000)!)![1]);
  const fitting = 100_000 - tooMuch;
  expect(lengthOf(100_000) - lengthOf(fitting)).toBe(tooMuch);
  expect(overflowOf(fitting)).toBeUndefined();
  expect(overflowOf(fitting + 4)).toContain(' 4 bytes too much'); // a part of the store is whole words
});

test.each<readonly [string, PartialConfiguration]>([
  ['sensors', { sensors: Array.from({ length: 80 }, (_, index) => ({ name: `s${index}`, type: 'simulated', interval: 1 })) as PartialConfiguration['sensors'] & object }],
  ['users', { listener: { users: Array.from({ length: 90 }, (_, index) => ({ username: `u${index}`, password: 'p' })) } }],
  ['topic rules', { topic: Array.from({ length: 90 }, (_, index) => ({ pattern: `t${index}`, direction: 'out' as const })) }],
])('objects count as well as the arena: %s', (_name, partial) => {
  expect(findOverflow(completeConfiguration({ ...partial, store: { ram: 8192 } }), 'esp32')).toContain('bytes too much');
});
