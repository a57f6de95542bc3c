/** docs/sensors has a page for each type, as the source says (npm run figures), and what it proposes is accepted. */
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it, test } from 'vitest';
import { SENSOR_TYPES, sensorTypeOf } from '../src/config/sensor-types.ts';
import { refusalsOfBoard } from '../src/host/board-reading.ts';
import { readConfiguration } from '../src/host/config.ts';
import { SENSOR_CATALOG } from '../src/host/sensor-catalog.ts';
import { exampleOf, sensorPages } from './sensor-pages.ts';

const folder = fileURLToPath(new URL('../docs/sensors', import.meta.url));
const pages = sensorPages();

if (process.env['FIGURES'] === 'write') {
  mkdirSync(folder, { recursive: true });
  for (const [name, text] of pages)
    writeFileSync(`${folder}/${name}`, text);
}

test('there is a page for each type, and no other', () => {
  expect(readdirSync(folder).sort()).toEqual([...pages.keys()].sort());
  expect(Object.keys(SENSOR_CATALOG).sort()).toEqual([...SENSOR_TYPES].sort());
});

it.each([...pages.keys()])('%s is current (npm run figures)', name => {
  expect(readFileSync(`${folder}/${name}`, 'utf8')).toBe(pages.get(name));
});

describe.each(SENSOR_TYPES)('the page of %s', type => {
  it('proposes what a PC and an ESP32 accept', () => {
    const text = JSON.stringify({ upstream: { address: ['mqtt://10.0.0.1'] }, sensors: [exampleOf(type)] });
    const { configuration, errors } = readConfiguration(text, 'f', {});
    expect(errors).toEqual([]);
    expect(refusalsOfBoard(text, 'f', configuration!, 'esp32')).toEqual([]);
  });

  it('gives a range only for what the part measures', () => {
    const measured = sensorTypeOf(type)!.quantities ?? [];
    const ranged = Object.keys(SENSOR_CATALOG[type]!.ranges ?? {});
    expect(ranged.filter(quantity => !measured.some(name => name === quantity))).toEqual([]);
  });
});
