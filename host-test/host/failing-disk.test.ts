/** A disk that fails: to take what was written, after which the system shows what was there before; or to read. */
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it, vi } from 'vitest';
import { Arena, ArenaPlan } from '../../src/bytes/arena.ts';
import { FileStorage } from '../../src/host/file-storage.ts';
import { BLOCK_HEADER_LENGTH, BLOCK_LENGTH, MAGIC } from '../../src/store/record-format.ts';

const disk = vi.hoisted(() => ({ fail: undefined as (() => void) | undefined, cannotRead: false, cannotTell: false }));

vi.mock('node:fs', async importOriginal => {
  const original = await importOriginal<typeof import('node:fs')>();
  return {
    ...original,
    readSync: (...parameters: Parameters<typeof original.readSync>) => {
      if (disk.cannotRead)
        throw new Error('EIO: i/o error, read');
      return original.readSync(...parameters);
    },
    statSync: (...parameters: Parameters<typeof original.statSync>) => {
      if (disk.cannotTell)
        throw new Error('EIO: i/o error, stat');
      return original.statSync(...parameters);
    },
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

it.each([['cannotRead', 'EIO: i/o error, read'], ['cannotTell', 'EIO: i/o error, stat']] as const)(
  'leaves a store where it is that a passing error (%s) keeps from being looked at, and opens it afterwards',
  (error, text) => {
    const arena = new Arena(new ArenaPlan(), { landingCapacity: 0, stagingCapacity: 256, resizable: false });
    const file = join(folder, error);
    const made = FileStorage.open(file, 65_536, arena, 1000);
    made.close();
    const block = Buffer.alloc(BLOCK_HEADER_LENGTH);
    block.writeUInt32BE(MAGIC);
    block.writeUInt32BE(made.blockLength, BLOCK_LENGTH);
    writeFileSync(file, block, { flag: 'r+' });
    const before = readFileSync(file);
    const folderBefore = readdirSync(folder);
    disk[error] = true;
    expect(() => FileStorage.open(file, 65_536, arena, 1000)).toThrow(text);
    disk[error] = false;
    expect(readdirSync(folder)).toEqual(folderBefore);
    expect(readFileSync(file).equals(before)).toBe(true);
    const storage = FileStorage.open(file, 65_536, arena, 1000);
    expect(storage.remark).toBe('');
    storage.close();
  });
