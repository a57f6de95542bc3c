/** The figures for Prometheus: what its own checker says of them, those that find a bottleneck, and the dashboard. */
import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer, type AddressInfo, type Server } from 'node:net';
import { join } from 'node:path';
import { Aedes } from 'aedes';
import { connectAsync } from 'mqtt';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { BOUNDS } from '../../src/session/delivery-times.ts';
import { Absence } from '../../src/host/absence.ts';
import { isTested } from '../programs-here.ts';
import { bundle, Command, Folder } from './command-line.ts';

vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 });

const PATIENCE = { timeout: 50_000, interval: 50 };
const hasPromtool = spawnSync('promtool', ['--version']).status === 0;

const folder = new Folder();
let server: Server;
let broker: Aedes;
let command: Command;
let url: string;
let port: number;

beforeAll(async () => {
  await bundle();
  broker = await Aedes.createBroker();
  server = createServer(socket => broker.handle(socket));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  command = new Command(['run', '--config', folder.write('metrics.json', {
    name: 'greenhouse',
    upstream: { address: [`mqtt://127.0.0.1:${(server.address() as AddressInfo).port}`], restart_timeout: [1, 1],
      probe: { topic: 'own/probe', interval: 1 } },
    listener: { address: '127.0.0.1', port: 0, allow_anonymous: true },
    topic: [{ pattern: '#', direction: 'out', remote_prefix: 'site/"1"/' }, { pattern: 'cmd/#', direction: 'in' }],
    store: { path: join(folder.path, 'metrics.store'), durability: 'flash' },
    page: { port: 0 },
  })]);
  [, url] = await command.find('stdout', /^ready .* page=(http:\S+)\n/m) as unknown as [string, string];
  port = await command.ready();
});
afterAll(() => {
  command.process.kill('SIGKILL');
  broker.close();
  server.close();
  folder.remove();
});

const metrics = async (): Promise<string> => (await fetch(`${url}metrics`)).text();

/** The value of the only sample that begins so. */
async function valueOf(sample: string): Promise<number> {
  const values = (await metrics()).split('\n').filter(line => line.startsWith(sample));
  expect(values, sample).toHaveLength(1);
  return Number(values[0]!.split(' ').at(-1));
}

describe('/metrics', () => {
  it('counts how long messages take, in buckets that grow', async () => {
    await expect.poll(() => valueOf('ringbridge_upstream_connected '), PATIENCE).toBe(1);
    const client = await connectAsync(`mqtt://127.0.0.1:${port}`);
    for (let count = 0; count < 20; ++count)
      await client.publishAsync('a', 'b', { qos: 1 });
    await client.endAsync();
    await expect.poll(() => valueOf('ringbridge_upstream_delivery_seconds_count '), PATIENCE).toBe(20);
    const buckets = (await metrics()).split('\n').filter(line => line.startsWith('ringbridge_upstream_delivery_seconds_bucket'));
    expect(buckets.map(line => /le="(.*)"/.exec(line)![1])).toEqual([...BOUNDS.map(bound => `${bound / 1000}`), '+Inf']);
    const counts = buckets.map(line => Number(line.split(' ')[1]));
    expect(counts).toEqual([...counts].sort((a, b) => a - b));
    expect(counts.at(-1)).toBe(20);
    expect(await valueOf('ringbridge_upstream_delivery_seconds_sum ')).toBeGreaterThan(0);
    expect(await valueOf('ringbridge_store_erasures_total ')).toBeGreaterThanOrEqual(1);
    expect(await valueOf('ringbridge_upstream_messages_repeated_total ')).toBe(0);
    expect(await valueOf('ringbridge_rule_messages_dropped_total{rule="1",direction="in",local="cmd/#",remote="cmd/#",reason="too long"} ')).toBe(0);
  });

  it.runIf(isTested(hasPromtool))('is to the taste of promtool', async () => {
    const { status, stderr, stdout } = spawnSync('promtool', ['check', 'metrics'], { input: await metrics(), encoding: 'utf8' });
    expect([status, stdout + stderr]).toEqual([0, '']);
  });

  it('tells the round trip of the probe', async () => {
    await expect.poll(() => valueOf('ringbridge_upstream_probes_returned_total '), PATIENCE).toBeGreaterThan(0);
    expect(await valueOf('ringbridge_upstream_probe_round_trip_seconds ')).toBeLessThan(60);
    expect(await valueOf('ringbridge_upstream_probes_lost_total ')).toBeGreaterThanOrEqual(0);
  });

  it('counts the seconds without the broker', async () => {
    server.close();
    broker.close();
    await expect.poll(() => valueOf('ringbridge_upstream_absence_seconds '), PATIENCE).toBeGreaterThan(1);
    expect(await valueOf('ringbridge_upstream_offline_seconds_total ')).toBeGreaterThan(1);
    expect(await valueOf('ringbridge_upstream_connected ')).toBe(0);
  });

  it('has each figure that the example of a dashboard asks for', async () => {
    const names = new Set([...(await metrics()).matchAll(/^# TYPE (\S+)/gm)].map(([, name]) => name));
    const dashboard = JSON.parse(readFileSync(new URL('../../src/host/grafana.json', import.meta.url), 'utf8')) as {
      panels: { targets: { expr: string }[] }[]; templating: { list: { query: string }[] };
    };
    const questions = [...dashboard.panels.flatMap(({ targets }) => targets.map(({ expr }) => expr)),
      ...dashboard.templating.list.map(({ query }) => query)];
    const asked = questions.flatMap(question => question.match(/ringbridge_\w+/g) ?? []);
    expect(new Set(asked).size).toBeGreaterThan(10);
    for (const name of asked)
      expect(names, name).toContain(name.replace(/_bucket$/, ''));
  });
});

it('an absence is this time and in all', () => {
  const absence = new Absence(1000);
  for (const [isThere, now] of [[false, 3000], [true, 4000], [true, 9000], [false, 11_500]] as const)
    absence.look(isThere, now);
  expect([absence.seconds, absence.total]).toEqual([2, 4]);
  absence.look(true, 12_000);
  expect([absence.seconds, absence.total]).toEqual([0, 4]);
});
