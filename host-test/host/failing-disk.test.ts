/** A disk that fails to take what was written, after which the system shows what was there before. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it, vi } from 'vitest';
import { Arena, ArenaPlan } from '../../src/bytes/arena.ts';
import { FileStorage } from '../../src/host/file-storage.ts';

const disk = vi.hoisted(() => ({ fail: undefined as (() => void) | undefined }));

vi.mock('node:fs', async importOriginal => {
  const original = await importOriginal<typeof import('node:fs')>();
  return {
    ...original,
    fdatasync: (_file: number, done: (error: Error | null) => void) => {
      disk.fail?.();
      done(disk.fail === undefined ? null : new Error('EIO'));
    },
    fdatasyncSync: () => {
      disk.fail?.();
      if (disk.fail !== undefined)
        throw new Error('EIO');
    },
  };
});

const folder = mkdtempSync(join(tmpdir(), 'ringbridge-disk-'));
const path = join(folder, 'store');
afterAll(() => rmSync(folder, { recursive: true, force: true }));

it('leaves what was written since the last flush that it took, and nothing else, in the file', () => {
  const arena = new Arena(new ArenaPlan(), { landingCapacity: 0, stagingCapacity: 256, resizable: false });
  const storage = FileStorage.open(path, 65_536, arena, 1000);
  const results: boolean[] = [];
  storage.onFlushed = isDurable => { results.push(isDurable); };
  const put = (position: number, value: number): void => {
    arena.view.setUint32(arena.stagingOffset, value);
    storage.program(position, 4);
  };
  const get = (position: number): number => {
    storage.read(position, 4);
    return arena.view.getUint32(arena.stagingOffset);
  };
  put(0, 1);
  storage.flush();
  const before = readFileSync(path);
  disk.fail = () => writeFileSync(path, before, { flag: 'r+' });
  put(0, 0);
  put(4, 2);
  storage.flush();
  expect([get(0), get(4)]).toEqual([0, 2]);
  expect(() => storage.synchronize()).toThrow('EIO');
  expect([get(0), get(4)]).toEqual([0, 2]);
  disk.fail = undefined;
  storage.synchronize();
  disk.fail = () => { writeFileSync(path, before, { flag: 'r+' }); };
  put(8, 3);
  storage.flush();
  expect([get(4), get(8)], 'what was confirmed is not written again').toEqual([0xFFFFFFFF, 3]);
  expect(results).toEqual([true, false, false]);
  storage.close();
});
