/**
 * The file of the store is removed, renamed, replaced or cut off while a gateway uses it: that storage has failed, by
 * name, within a second or at the next flush; what was in it is in the file that is used then, or in one beside it.
 */
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, statSync,
  truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeEach, describe, expect, it, vi } from 'vitest';
import * as Event from '../../src/config/events.ts';
import { adviceOf } from '../../src/gateway/advice.ts';
import { FileStorage } from '../../src/host/file-storage.ts';
import { publish, subscribe } from '../world/packets.ts';
import { World } from '../world/world.ts';

vi.setConfig({ testTimeout: 60_000 });

const folder = mkdtempSync(join(tmpdir(), 'ringbridge-lost-'));
const home = join(folder, 'home');
const path = join(home, 'store');
const SIZE = 65_536;
const COUNT = 12;

beforeEach(() => {
  rmSync(home, { recursive: true, force: true });
  mkdirSync(home);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** A gateway whose broker is away, with a file that is flushed at once. */
function start(configuration = {}): World {
  return World.quiet({ topic: [{}], store: { durability: 'flash', path, size: SIZE, on_failure: 'refuse' }, ...configuration }, {
    openStorage: (_store, arena, longest) => {
      const storage = FileStorage.open(path, SIZE, arena, longest);
      storage.flush = () => {
        storage.synchronize();
        return true;
      };
      return storage;
    },
  });
}

/** @returns the identifiers that were acknowledged */
function send(world: World, name: string, from: number, count: number): number[] {
  const node = world.node(name);
  return Array.from({ length: count }, (_value, index) => from + index).filter(identifier =>
    node.ask(publish('t', `${identifier}`, { qos: 1, identifier })).some(event => /^PUBACK/.test(event)));
}

const waiting = (world: World): number => world.gateway.durableStore!.backlog.store.queue.pendingCount;
const failure = (world: World): string => world.eventTexts.find(text => text.includes('has failed')) ?? '';
const isWorking = (world: World): boolean => world.gateway.durableStore!.backlog.store.isWorking;

/** What a gateway of tomorrow finds. */
function restart(world?: World): number {
  world?.gateway.durableStore!.backlog.store.close();
  const next = start();
  const count = waiting(next);
  next.gateway.durableStore!.backlog.store.close();
  return count;
}

/** Messages that are counted as lost, or in memory. */
const accountedFor = ({ gateway: { bridge, upstreamQueue } }: World): number =>
  bridge.droppedCount + upstreamQueue.pendingCount;

describe.each([
  ['removed', () => { rmSync(path); }, 'has been removed or renamed'],
  ['renamed', () => { renameSync(path, `${path}.old`); }, 'has been removed or renamed'],
] as const)('a file that is %s', (_name, lose, text) => {
  it('is noticed at the next message: that gets no acknowledgement, and what was acknowledged is in a new file', () => {
    const world = start();
    expect(send(world, 'one', 1, COUNT)).toHaveLength(COUNT);
    lose();
    expect(send(world, 'two', 100, 3)).toEqual([]);
    expect(isWorking(world)).toBe(false);
    expect(failure(world)).toContain(`"${path}" ${text} while it was in use: what was in it is in a new file of that name`);
    expect(world.events.filter(({ event }) => event === Event.STORE_FAILED)).toHaveLength(1);
    world.run(32_000);
    expect(isWorking(world)).toBe(true);
    expect(world.eventTexts).toContain('the storage of the store works again');
    expect(send(world, 'three', 200, 5)).toHaveLength(5);
    expect(restart(world)).toBeGreaterThanOrEqual(COUNT + 5);
  });

  it('is noticed within a second when nobody sends, and told by the status', () => {
    const world = start();
    send(world, 'one', 1, COUNT);
    world.run(5000);
    expect(isWorking(world)).toBe(true);
    lose();
    world.run(1100);
    expect(isWorking(world)).toBe(false);
    expect(adviceOf(world.runtime, world.gateway.clock.now)).toContain(`"${path}" ${text}`);
    expect(restart(world)).toBe(COUNT); // also without another attempt
  });
});

it('a file that is replaced by an empty store: what was in it lies beside it, and is named', () => {
  const other = join(home, 'other');
  writeFileSync(other, new Uint8Array(SIZE).fill(0xFF));
  const world = start();
  send(world, 'one', 1, COUNT);
  renameSync(other, path);
  world.run(1100);
  expect(failure(world)).toContain(`"${path}" has been replaced by another file while it was in use: what was in it is in "${path}.replaced-1"`);
  world.run(32_000);
  expect(isWorking(world)).toBe(true);
  expect(send(world, 'two', 100, 5)).toHaveLength(5);
  expect(restart(world)).toBe(5);
  copyFileSync(`${path}.replaced-1`, path);
  expect(restart()).toBe(COUNT);
  expect(statSync(`${path}.replaced-1`).mode & 0o077).toBe(0);
});

it('a file that is replaced while nothing has been written to it leaves nothing behind', () => {
  const world = start({ topic: [] });
  const other = join(home, 'other');
  writeFileSync(other, new Uint8Array(SIZE).fill(0xFF));
  const isEmpty = readFileSync(path).every(byte => byte === 0xFF);
  renameSync(other, path);
  world.run(1100);
  expect(failure(world)).toContain('has been replaced by another file');
  expect(readdirSync(home).filter(name => name.includes('replaced'))).toHaveLength(isEmpty ? 0 : 1);
});

it('a file that is cut off: what lay there is counted as lost, what comes then is kept', () => {
  const world = start();
  send(world, 'one', 1, COUNT);
  truncateSync(path, 50);
  world.run(1100);
  expect(failure(world)).toContain(`"${path}" has been cut off while it was in use: what lay there is lost`);
  world.run(32_000);
  expect(isWorking(world)).toBe(true);
  expect(world.gateway.bridge.droppedCount).toBeGreaterThan(0);
  expect(accountedFor(world)).toBe(COUNT);
  expect(send(world, 'two', 100, 5)).toHaveLength(5);
  expect(restart(world)).toBe(5);
});

it('a folder that is removed: nothing is taken, and said, until there is one', () => {
  const world = start();
  send(world, 'one', 1, COUNT);
  rmSync(home, { recursive: true });
  expect(send(world, 'two', 100, 3)).toEqual([]);
  expect(failure(world)).toContain('and what was in it could not be saved: ENOENT');
  world.run(32_000);
  expect(isWorking(world)).toBe(false);
  mkdirSync(home);
  world.run(32_000);
  expect(isWorking(world)).toBe(true);
  expect(existsSync(path)).toBe(true);
  expect(accountedFor(world)).toBe(COUNT + 1); // the one on which it was noticed was written
  expect(send(world, 'three', 200, 5)).toHaveLength(5);
});

it('a file whose size grows, whose time changes, or that gets a second name is the same', () => {
  const world = start();
  send(world, 'one', 1, COUNT);
  writeFileSync(path, 'x', { flag: 'a' });
  world.run(3000);
  expect(send(world, 'two', 100, 3)).toHaveLength(3);
  expect(isWorking(world)).toBe(true);
});

describe.each([
  ['cut to half', () => { truncateSync(path, SIZE / 2); }],
  ['cut to nothing', () => { truncateSync(path, 0); }],
  ['removed', () => { rmSync(path); }],
  ['overwritten by an older copy, as cp does', () => { copyFileSync(`${path}.backup`, path); }],
  ['replaced by an older copy', () => { renameSync(`${path}.backup`, path); }],
] as const)('a file that is %s while a node is away', (_name, lose) => {
  it('costs no command and no session, and what cannot be had is counted for its rule', () => {
    const configuration = {
      topic: [{ pattern: 't/#', direction: 'out' as const }, { pattern: 'cmd/#', direction: 'in' as const }],
      listener: { max_queued_messages: 50 },
    };
    const world = start(configuration);
    const valve = world.node('valve', { clean: false }, subscribe(1, 'cmd/#', 1));
    valve.vanish();
    const sender = world.node('sender', { clean: false });
    const command = (identifier: number): void => {
      expect(sender.ask(publish('cmd/x', `c${identifier}`, { qos: 1, identifier })).join()).toContain('PUBACK');
    };
    for (let identifier = 1; identifier <= 5; ++identifier)
      command(identifier);
    copyFileSync(path, `${path}.backup`);
    for (let identifier = 6; identifier <= 10; ++identifier)
      command(identifier);
    for (let identifier = 20; identifier < 26; ++identifier)
      expect(sender.ask(publish('t/x', `${identifier}`, { qos: 1, identifier })).join()).toContain('PUBACK');
    lose();
    world.run(1100);
    expect(isWorking(world), failure(world)).toBe(false);
    world.run(32_000);
    expect(isWorking(world)).toBe(true);
    const rule = world.gateway.bridge.outbound.rules[0]!;
    expect(rule.dropped).toBe(world.gateway.bridge.droppedCount);
    expect(rule.dropped + world.gateway.waiting.pendingCount).toBe(6);
    if (rule.dropped > 0)
      expect(world.eventTexts.join('\n')).toMatch(new RegExp(`lost ${rule.dropped} messages of topic rule "t/#", which were in the storage of the store alone`));
    expect(adviceOf(world.runtime, world.gateway.clock.now)).not.toContain('raise store.size');
    world.gateway.durableStore!.backlog.store.close();

    const next = start(configuration);
    const again = next.client('valve', { clean: false });
    next.run(200);
    expect(again.all('connack').map(({ sessionPresent }) => sessionPresent)).toEqual([true]);
    expect(again.messages).toEqual(Array.from({ length: 10 }, (_value, index) => `cmd/x c${index + 1}`));
    next.gateway.durableStore!.backlog.store.close();
  });
});
