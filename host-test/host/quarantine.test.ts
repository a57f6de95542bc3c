/** The quarantine of a durable store: it survives, and `ringbridge quarantine` decides about it while nobody runs. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { completeConfiguration } from '../../src/config/complete-configuration.ts';
import type { PartialConfiguration } from '../../src/config/configuration.ts';
import { PC_SIZES } from '../../src/config/defaults.ts';
import { statusOf } from '../../src/gateway/status.ts';
import { FileStorage } from '../../src/host/file-storage.ts';
import { decideQuarantine } from '../../src/host/quarantine.ts';
import { publish } from '../world/packets.ts';
import { oblige, World } from '../world/world.ts';

const folder = mkdtempSync(join(tmpdir(), 'ringbridge-quarantine-'));
afterAll(() => rmSync(folder, { recursive: true }));

const configurationOf = (path: string): PartialConfiguration => ({
  topic: [{ pattern: '#', direction: 'out', qos: 1, remote_prefix: 'up/' }],
  upstream: { restart_timeout: [1, 2], max_topic_levels: 3 },
  store: { durability: 'flash', path, size: 262_144 },
});

/** A Server that closes for "bad", or for nothing. */
function start(path: string, isPicky: boolean): { world: World; taken: string[] } {
  const taken: string[] = [];
  const world = World.connected({
    configuration: configurationOf(path),
    openStorage: ({ path: file, size }, arena, longest) => FileStorage.open(file, size, arena, longest),
    server: (peer, packet) => {
      if (packet.cmd === 'publish' && packet.topic.includes('bad') && isPicky) {
        peer.close();
        return;
      }
      if (packet.cmd === 'publish')
        taken.push(packet.topic);
      oblige(peer, packet);
    },
  });
  return { world, taken };
}

/** Virtual time does not wait for the disk. */
async function pass(world: World, seconds: number): Promise<void> {
  for (let second = 0; second < seconds; ++second) {
    world.run(1000);
    await new Promise(resolve => setTimeout(resolve, 2));
  }
}

async function stop(world: World): Promise<void> {
  await new Promise<void>(resolve => {
    world.runtime.stop(resolve);
    world.run(3000);
  });
}

const topicsOf = ({ clock, runtime: { gateway, sensors, upstream } }: World): string[] =>
  statusOf({ gateway, sensors, upstream }, clock.now).quarantine.messages.map(({ topic }) => topic);

function decide(path: string, action: string, ...numbers: string[]): string[] {
  const lines: string[] = [];
  decideQuarantine(completeConfiguration(configurationOf(path), PC_SIZES), action, numbers, line => lines.push(line));
  return lines;
}

test('what was set aside outlives a restart, is listed, released and deleted', async () => {
  const path = join(folder, 'a.store');
  const { world, taken } = start(path, true);
  const node = world.node('rogue');
  node.send(publish('bad', 'x', { qos: 1, identifier: 1 }));
  await pass(world, 2);
  node.send(publish('a/b/c', 'deep', { qos: 1, identifier: 2 }), publish('good', 'y', { qos: 1, identifier: 3 }));
  await pass(world, 40);
  expect([[...new Set(taken)], topicsOf(world)]).toEqual([['up/good'], ['bad', 'a/b/c']]); // as they came
  expect(() => decide(path, 'list')).toThrow(/if the gateway runs, stop it first/);
  await stop(world);

  const again = start(path, true);
  await pass(again.world, 5);
  expect([topicsOf(again.world), again.taken, again.world.upstreamEndings]).toEqual([['bad', 'a/b/c'], [], []]);
  await stop(again.world);

  const listed = decide(path, 'list');
  expect(listed.map(line => line.split('  ')[1])).toEqual(['"bad"', '"a/b/c"']);
  expect(listed[0]).toMatch(/^\d+ {2}"bad" {2}1 bytes, of node "rogue", by rule "#": the broker closes/); // long gone
  const [bad] = listed.map(line => line.split(' ')[0]!).filter(number => listed.some(line =>
    line.startsWith(`${number} `) && line.includes('"bad"')));
  expect(() => decide(path, 'release')).toThrow('write the numbers');
  expect(() => decide(path, 'delete', '99')).toThrow('there is no message "99"');
  expect(decide(path, 'release', bad!)).toEqual([`released ${bad!}`]);
  expect(decide(path, 'delete', 'all')).toHaveLength(1);
  expect(decide(path, 'list')).toEqual(['the quarantine is empty']);

  const healed = start(path, false);
  await pass(healed.world, 5);
  expect([topicsOf(healed.world), healed.taken]).toEqual([[], ['up/bad']]);
  await stop(healed.world);
});

test('a store that is not there, or in memory only, is told of in one line', () => {
  expect(() => decide(join(folder, 'none.store'), 'list')).toThrow(/there is no store at .*none\.store/);
  expect(() => decideQuarantine(completeConfiguration({}, PC_SIZES), 'list', [], () => {})).toThrow('"ram"');
});
