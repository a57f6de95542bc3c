/** A disk that takes nothing for a while, or has no room, with a file of the store on it, and is well again. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it, vi } from 'vitest';
import { statusOf } from '../../src/gateway/status.ts';
import { FileStorage } from '../../src/host/file-storage.ts';
import { publish, subscribe } from '../world/packets.ts';
import { World } from '../world/world.ts';

const disk = vi.hoisted(() => ({ code: '' }));

vi.mock('node:fs', async importOriginal => {
  const original = await importOriginal<typeof import('node:fs')>();
  const fail = (call: string): void => {
    if (disk.code !== '')
      throw Object.assign(new Error(`${disk.code}: ${call}`), { code: disk.code });
  };
  return {
    ...original,
    writeSync: (...parameters: Parameters<typeof original.writeSync>) => {
      fail('write');
      return original.writeSync(...parameters);
    },
    fdatasyncSync: (file: number) => {
      fail('fdatasync');
      original.fdatasyncSync(file);
    },
    fsyncSync: (file: number) => {
      fail('fsync');
      original.fsyncSync(file);
    },
  };
});

vi.setConfig({ testTimeout: 60_000 });
const folder = mkdtempSync(join(tmpdir(), 'ringbridge-back-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function start(path: string): World {
  return World.quiet({
    topic: [{ pattern: 't/#', direction: 'out' }, { pattern: 'cmd/#', direction: 'in' }],
    store: { durability: 'flash', path, size: 65_536, on_failure: 'memory' },
  }, {
    openStorage: (_store, arena, longest) => {
      const storage = FileStorage.open(path, 65_536, arena, longest);
      storage.flush = () => {
        storage.synchronize();
        return true;
      };
      return storage;
    },
  });
}

const storeOf = (world: World) => statusOf(world.runtime, world.gateway.clock.now).store;

it.each(['EIO', 'ENOSPC'])('%s for half a minute: what was taken meanwhile is in the file afterwards, and what was ended is not', code => {
  const world = start(join(folder, code));
  const kept = { clean: false };
  world.node('valve', kept, subscribe(1, 'cmd/#', 1)).vanish();
  world.node('gone', kept, subscribe(1, 'cmd/#', 1)).vanish();
  const sender = world.node('sender', kept);
  const say = (topic: string, payload: string, identifier: number, retain = false): void => {
    expect(sender.ask(publish(topic, payload, { qos: 1, identifier, retain })).join()).toContain('PUBACK');
  };
  say('cmd/x', 'before', 1);
  say('t/x', 'before', 2);
  say('state/a', 'on', 3, true);
  say('state/b', 'on', 4, true);
  expect([storeOf(world).durable, storeOf(world).inMemory]).toEqual([true, 0]);

  disk.code = code;
  say('cmd/x', 'meanwhile', 5);
  say('t/x', 'meanwhile', 6);
  say('t/x', 'and more', 7);
  say('state/a', '', 8, true);
  say('state/b', 'off', 9, true);
  world.node('gone', { clean: true }).vanish();
  expect(storeOf(world).durable).toBe(false);
  expect(storeOf(world).inMemory).toBeGreaterThanOrEqual(3); // the one on which it was noticed may be in the file
  disk.code = '';
  world.run(32_000);
  expect([storeOf(world).durable, storeOf(world).inMemory, storeOf(world).count]).toEqual([true, 0, 3]);
  expect(world.gateway.bridge.droppedCount).toBe(0);
  world.gateway.durableStore!.backlog.store.close();

  const next = start(join(folder, code));
  expect(next.gateway.waiting.pendingCount).toBe(3);
  const valve = next.client('valve', kept);
  const gone = next.client('gone', kept);
  valve.subscribe('state/#', 1);
  next.run(500);
  expect(valve.messages).toEqual(['cmd/x before', 'cmd/x meanwhile', 'state/b off']);
  expect(gone.all('connack').map(({ sessionPresent }) => sessionPresent)).toEqual([false]);
  expect(gone.messages).toEqual([]);
  next.gateway.durableStore!.backlog.store.close();
});
