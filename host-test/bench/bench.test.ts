/** The benchmark prints what machines expect, and the first target on Node holds with much to spare. */
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { workloads } from '../xs/workloads.ts';
import type { Figure } from './figures.ts';
import { hasMosquitto } from './mosquitto-bridge.ts';
import { RECORDED } from './recorded.ts';

const TIME_LIMIT = 240_000;
const KEYS = ['engine', 'workload', 'subject', 'steps', 'slots', 'chunkBytes', 'collections', 'nsPerPacket'];

const bench = (...args: string[]): Promise<{ code: number; stderr: string; stdout: string }> => new Promise(resolve => {
  execFile(process.execPath, [fileURLToPath(new URL('bench.mjs', import.meta.url)), ...args], { maxBuffer: 1 << 24 },
    (error, stdout, stderr) =>
    resolve({ code: typeof error?.code === 'number' ? error.code : 0, stderr, stdout }));
});

async function figures(...args: string[]): Promise<Figure[]> {
  const { code, stderr, stdout } = await bench('--json', ...args);
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  const lines = stdout.trimEnd().split('\n').map(line => JSON.parse(line) as Figure);
  for (const line of lines)
    expect(Object.keys(line)).toEqual(expect.arrayContaining(KEYS));
  return lines;
}

test('on Node: parses and generates at least three times as fast as mqtt-packet, and bridges for less', async () => {
  const found = await figures('--engine', 'node', '--seconds', '0.1');
  const ratio = (workload: string, subject: string): number => {
    const nanoseconds = (name: string): number =>
      found.find(figure => figure.workload === workload && figure.subject === name)!.nsPerPacket!;
    return nanoseconds(subject) / nanoseconds('ringbridge');
  };
  for (const workload of ['parse W1', 'parse W1, 32 topics', 'parse W3', 'generate W1'])
    expect(ratio(workload, 'mqtt-packet'), workload).toBeGreaterThan(3);
  for (const workload of ['bridge, QoS 0', 'bridge, QoS 1'])
    for (const subject of ['aedes + MQTT.js', 'MQTT.js'])
      expect(ratio(workload, subject), `${workload}, ${subject}`).toBeGreaterThan(1);
  expect(found.filter(({ workload }) => workload === 'bridge with store, QoS 1').map(({ subject }) => subject)).toEqual(
    hasMosquitto() ? ['ringbridge', 'mosquitto', 'mosquitto, each change'] : ['ringbridge']);
}, TIME_LIMIT);

test('on XS: every workload, and the recorded figures beside those of the same name', async () => {
  const found = await figures('--engine', 'xs32');
  const subjects = [...new Set(RECORDED.map(({ subject }) => subject))];
  expect(found.filter(({ subject }) => subject === 'ringbridge').map(({ workload }) =>
    workload)).toEqual(workloads.map(({ name }) => name));
  expect(found.filter(({ subject }) => subject !== 'ringbridge')).toHaveLength(RECORDED.length);
  for (const workload of ['W1', 'W2', 'W3', 'W4', 'W5', 'W6'])
    for (const subject of subjects)
      expect(found.filter(figure => figure.workload === workload && figure.subject === subject),
        `${workload}, ${subject}`).toHaveLength(1);
}, TIME_LIMIT);

test('a wrong engine or duration is told', async () => {
  for (const args of [['--engine', 'v8'], ['--seconds', '0'], ['--second', '1']])
    expect(await bench(...args)).toMatchObject({ code: 2, stdout: '',
      stderr: expect.stringContaining('usage: npm run bench') as string });
});
