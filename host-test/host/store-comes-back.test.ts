/**
 * The file of the store is spoilt under the program as users have it, in a process of its own, while a node is away:
 * its commands and its session are in memory, are written again, and are there after the process has been killed.
 */
import { copyFileSync, rmSync, truncateSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import mqtt, { type MqttClient } from 'mqtt';
import { bundle, Command, Folder } from './command-line.ts';

const folder = new Folder();
const running: Command[] = [];
beforeAll(bundle, 60_000);
afterAll(() => {
  for (const { process } of running)
    process.kill('SIGKILL');
  folder.remove();
});

const COUNT = 10;
const SIZE = 1_048_576;
const VALVE = { clientId: 'valve', clean: false, reconnectPeriod: 0 };

async function start(path: string): Promise<readonly [Command, string]> {
  const command = new Command(['run', '--config', path]);
  running.push(command);
  return [command, `mqtt://127.0.0.1:${await command.ready()}`];
}

const connected = (url: string, options: object): Promise<MqttClient> => mqtt.connectAsync(url, options, false);

test.each([
  ['cut to half', (file: string) => { truncateSync(file, SIZE / 2); }],
  ['cut to nothing', (file: string) => { truncateSync(file, 0); }],
  ['deleted', (file: string) => { rmSync(file); }],
  ['overwritten by an older copy', (file: string) => { copyFileSync(`${file}.backup`, file); }],
] as const)('a file that is %s', { timeout: 120_000, concurrent: true }, async (name, spoil) => {
  const file = join(folder.path, `${name.replaceAll(' ', '-')}.store`);
  const path = folder.write(`${name}.json`, {
    name: 'here', upstream: { address: ['mqtt://127.0.0.1:1'], restart_timeout: [600, 600] },
    listener: { port: 0, address: '127.0.0.1', allow_anonymous: true },
    topic: [{ pattern: 't/#', direction: 'out' }, { pattern: 'cmd/#', direction: 'in' }],
    store: { durability: 'flash', path: file, size: SIZE },
  });
  const [first, url] = await start(path);
  const valve = await connected(url, VALVE);
  await valve.subscribeAsync('cmd/#', { qos: 1 });
  valve.end(true);
  const sender = await connected(url, { clientId: 'sender', reconnectPeriod: 0 });
  copyFileSync(file, `${file}.backup`);
  for (let number = 0; number < COUNT; ++number)
    await sender.publishAsync('cmd/x', `${number}`, { qos: 1 });
  spoil(file);
  await first.find('stderr', /the storage of the store has failed: .*while it was in use/);
  await first.find('stderr', /the storage of the store works again/);
  await sender.publishAsync('cmd/x', `${COUNT}`, { qos: 1 });
  sender.end(true);
  first.process.kill('SIGKILL');
  await first.exited;

  const [, urlAgain] = await start(path);
  const got: string[] = [];
  const again = mqtt.connect(urlAgain, { ...VALVE, manualConnect: true });
  const all = new Promise<void>(resolve => again.on('message', (_topic, payload) => {
    if (got.push(payload.toString()) === COUNT + 1)
      resolve();
  }));
  const present = new Promise<boolean>(resolve => again.on('connect', ({ sessionPresent }) => { resolve(sessionPresent); }));
  again.connect();
  expect(await present).toBe(true);
  await all;
  expect(got).toEqual(Array.from({ length: COUNT + 1 }, (_value, number) => `${number}`));
  again.end(true);
});
