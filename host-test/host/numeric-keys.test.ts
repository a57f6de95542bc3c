/** Every numeric key of the schema, at its ends and far beyond: neither a stack trace nor a figure that cannot be. */
import { describe, expect, test } from 'vitest';
import { describeConfiguration, findOverflow } from '../../src/host/check.ts';
import { readConfiguration, readSchema } from '../../src/host/config.ts';
import type { Schema } from '../../src/host/config-violations.ts';
import { PC_SIZES } from '../../src/config/defaults.ts';

type Json = Record<string, unknown>;

const NUMERIC: readonly string[] = ['integer', 'number'];
/** Nothing that is printed here is less than 0. */
const IMPOSSIBLE = /[\s([]-\d|NaN|Infinity|undefined/;
const FAR = [2 ** 31 - 1, 2 ** 31, 2 ** 32 - 1, 2 ** 32, 2 ** 53, 1e300];

/** Packets for which the flash of a board is too small. */
const LONG_PACKETS = {
  upstream: { max_packet_size: 300_000 },
  listener: { max_connections: 1, max_packet_size: 300_000, max_queued_bytes: 400_000 },
  topic: [{}],
  store: { ram: 400_000, durability: 'flash', size: 4_294_967_295 },
};
/** For a computer the figures of its own store, for a board those of its flash. */
const BASES: readonly { readonly base: Json; readonly board: string | undefined }[] = [
  { base: { topic: [{}], store: { durability: 'flash' } }, board: undefined }, { base: LONG_PACKETS, board: 'esp32' },
];

/** Of entries whose other keys must be there. */
const COMPANIONS: Readonly<Record<string, Json>> = {
  'upstream.will': { topic: 'a' }, 'upstream.birth': { topic: 'a' },
  'sensors': { name: 'a', type: 'simulated' }, 'tests': { publish: 'a' },
};

interface NumericKey {
  readonly path: readonly string[];
  readonly schema: Schema;
}

function numericKeys(schema: Schema, path: readonly string[] = []): NumericKey[] {
  const own = [schema.type].flat().some(type => NUMERIC.includes(type as string)) ? [{ path, schema }] : [];
  const inner = Object.entries(schema.properties ?? {}).flatMap(([key, child]) => numericKeys(child, [...path, key]));
  return [...own, ...inner, ...schema.items === undefined ? [] : numericKeys(schema.items, [...path, '[]'])];
}

/** The base with this value in it; a list gets as many entries as it must have. */
function withValue(base: unknown, schema: Schema, path: readonly string[], value: number, name = ''): unknown {
  const [step, ...rest] = path;
  if (step === undefined)
    return value;
  if (step === '[]')
    return Array.from({ length: schema.minItems as number | undefined ?? 1 },
      () => withValue({}, schema.items!, rest, value, name));
  const object = { ...COMPANIONS[name], ...base as Json };
  const innerName = name === '' ? step : `${name}.${step}`;
  return { ...object, [step]: withValue(object[step] ?? {}, schema.properties![step]!, rest, value, innerName) };
}

/** What `ringbridge check` would print, errors included. */
function checked(configuration: unknown, board?: string): string {
  const read = readConfiguration(JSON.stringify(configuration), 'f');
  const texts = [...read.errors, ...read.warnings];
  if (read.configuration !== undefined)
    texts.push(describeConfiguration(read.configuration, board),
      board === undefined ? '' : findOverflow(read.configuration, board) ?? '');
  return texts.join('\n');
}

const root = readSchema();

describe('a figure that cannot be is never printed, nothing throws, for', () => {
  const keys = numericKeys(root);
  test.each(keys.map(({ path, schema }) => [path.join('.'), path, schema] as const))('%s', (_, path, schema) => {
    const { maximum, minimum } = schema;
    expect([maximum, minimum].every(Number.isFinite), 'the schema says from where to where').toBe(true);
    const values = [minimum!, maximum!, ...FAR];
    for (const { base, board } of BASES)
      for (const value of values) {
        const text = checked(withValue(base, root, path, value), board).replaceAll(`from ${minimum!} to`, 'from');
        expect(text.split('\n').filter(line => IMPOSSIBLE.test(line)), `${String(value)} with ${JSON.stringify(base)}`)
          .toEqual([]);
      }
  });

  test('all of them at their largest', () => {
    let configuration: unknown = {};
    for (const { path, schema } of keys)
      if (path.length === 2)
        configuration = withValue(configuration, root, path, schema.maximum!);
    expect(checked(configuration)).not.toMatch(IMPOSSIBLE);
    expect(checked(LONG_PACKETS)).not.toMatch(IMPOSSIBLE);
  });
});

test('a store of the largest size keeps the defaults of a small one', () => {
  for (const size of [2 ** 31 - 1, 2 ** 31, 2 ** 32 - 1]) {
    const { configuration, errors } = readConfiguration(JSON.stringify({ store: { durability: 'flash', size } }), 'f');
    expect(errors).toEqual([]);
    expect(configuration!.listener).toMatchObject(PC_SIZES.listener!);
    expect(configuration!.store.quarantine).toEqual(PC_SIZES.store!.quarantine);
  }
});

test('packets for which the flash of a board has no blocks are said so, without figures', () => {
  expect(checked(LONG_PACKETS, 'esp32')).toContain('Store in 983040 bytes of flash: too few for messages as long as listener.max_packet_size and '
    + 'upstream.max_packet_size allow, which need 1572864 bytes');
});
