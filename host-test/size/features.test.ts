/** The memory of each feature, and the estimate of `ringbridge check`, against what is measured on 32-bit XS. */
import { readFileSync } from 'node:fs';
import { beforeAll, describe, expect, it } from 'vitest';
import { completeConfiguration } from '../../src/config/complete-configuration.ts';
import type { PartialConfiguration } from '../../src/config/configuration.ts';
import { firmwareNeeds, gatewayNeeds, type Need } from '../../src/host/board-memory.ts';
import { CONFIGURATIONS, type FeatureFigures, figuresOf, moduleOf, tableOf } from './features.ts';
import { type Footprint, measureFootprints } from './footprint.mjs';
import { LINKED } from './linked-image.ts';

/** The XS host may have to be built first. */
const TIME_LIMIT = 240_000;
/** Above what is taken; never below. */
const TOLERANCE = 1.04;

const read = (path: string): string => readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8');
const manifest = JSON.parse(read('manifest.json')) as { config: { ringbridge: PartialConfiguration } };
const builtIn = manifest.config.ringbridge;
const sum = (needs: readonly Need[]): number => needs.reduce((total, { length }) => total + length, 0);

/** Configurations in which many features come together. */
const SAMPLES: readonly (readonly [name: string, configuration: PartialConfiguration])[] = [
  ['the defaults', {}],
  ...LINKED.map(({ change, name }) => [`built in: ${name}`, change(builtIn)] as const),
  ['everything at once', {
    name: 'a gateway with a long name',
    upstream: { address: ['mqtt://one', 'mqtt://two'], remote_username: 'somebody' },
    listener: {
      max_connections: 5, max_sessions: 9, max_publish_rate: 5, sys_interval: 0,
      users: [{ username: 'a', password: 'b', mount_point: 'c/' }, { username: 'd', password: 'e' }],
      acl: [{ user: 'a', topic: 'x/%c/#', access: 'read' }, { topic: 'y' }],
    },
    topic: [
      { pattern: 'x/#', direction: 'both', expiry: 5 }, { pattern: 'y', direction: 'in' }, { full: 'latest_per_topic' },
    ],
    sensors: [{ name: 'air', type: 'simulated', format: 'json' }, { name: 'door', type: 'simulated_switch', scale: 2 }],
    store: { durability: 'flash' }, memory: { topics: 128, topic_length: 32 },
  }],
];

let figures: FeatureFigures;
let samples: readonly Footprint[];

beforeAll(async () => {
  const footprints = await measureFootprints([...CONFIGURATIONS, ...SAMPLES.map(([, configuration]) => configuration)]);
  figures = figuresOf(footprints.slice(0, CONFIGURATIONS.length));
  samples = footprints.slice(CONFIGURATIONS.length);
}, TIME_LIMIT);

it('the table and the figures of features are current (npm run features -- --write)', () => {
  expect(read('host-test/size/FEATURES.md')).toBe(tableOf(figures));
  expect(read('src/io/board-memory-figures.ts')).toBe(moduleOf(figures));
});

it('a feature that is said to be off takes nothing', () => {
  expect(figures.rows.filter(({ isFreeWhenOff }) => isFreeWhenOff === false).map(({ id }) => id)).toEqual([]);
  expect(figures.rows.filter(({ isFreeWhenOff }) => isFreeWhenOff).length).toBeGreaterThan(5);
});

const numbered = SAMPLES.map(([name], index) => [name, index] as const);
it.each(numbered)('the estimate of the gateway is right: %s', (_name, index) => {
  const { arenaBytes, heapBytes } = samples[index]!;
  const estimate = sum(gatewayNeeds(completeConfiguration(SAMPLES[index]![1])));
  expect(estimate).toBeGreaterThanOrEqual(arenaBytes + heapBytes);
  expect(estimate).toBeLessThanOrEqual((arenaBytes + heapBytes) * TOLERANCE);
});

describe.each(LINKED)('the image that was linked for a C3, $name', ({ block, change, gateway, kept }) => {
  const [firmware, ...others] = firmwareNeeds(completeConfiguration(change(builtIn)));
  const stack = others.find(({ name }) => name === 'stack')!;

  it('has a firmware as large as estimated', () => {
    expect(firmware!.length).toBeGreaterThanOrEqual(kept - gateway - stack.length);
    expect(gateway + firmware!.length + stack.length).toBeLessThanOrEqual(kept * TOLERANCE);
  });

  it('takes what is estimated of its block, and at most 4 % less', () => {
    const estimate = gateway + firmware!.length + sum(others);
    expect(estimate).toBeGreaterThanOrEqual(block);
    expect(estimate).toBeLessThanOrEqual(block * TOLERANCE);
  });
});
