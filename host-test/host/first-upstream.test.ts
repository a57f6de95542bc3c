/** Whose store it is, where there are several upstreams: what waits for one of them never goes to another one. */
import { existsSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { completeConfiguration } from '../../src/config/complete-configuration.ts';
import { claimStore, findLeftStores } from '../../src/host/first-upstream.ts';

let folder: string;
const storeAt = (durability: 'ram' | 'flash' = 'flash') =>
  completeConfiguration({ store: { durability, path: join(folder, 's.store') } }).store;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'ringbridge-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

it('a store keeps the name of the first upstream, and is refused to another one', () => {
  claimStore(storeAt(), 'home');
  claimStore(storeAt(), 'home');
  expect(readFileSync(join(folder, 's.store.upstream'), 'utf8')).toBe('home\n');
  expect(() => claimStore(storeAt(), 'cloud')).toThrow('holds what waits for upstream "home", and the first upstream is "cloud" now: '
    + 'put "home" first again');
});

it('nothing is noted for memory, nor for an upstream without a name', () => {
  claimStore(storeAt('ram'), 'home');
  claimStore(storeAt(), '');
  expect(existsSync(join(folder, 's.store.upstream'))).toBe(false);
});

it('a link in its place is not followed', () => {
  writeFileSync(join(folder, 'other'), 'home\n');
  symlinkSync(join(folder, 'other'), join(folder, 's.store.upstream'));
  expect(() => claimStore(storeAt(), 'home')).toThrow('cannot be read');
});

it('a file that is no store is nobody\'s left store', () => {
  writeFileSync(join(folder, 's.store-cloud'), 'text');
  expect(findLeftStores(storeAt(), [])).toEqual([]);
});
