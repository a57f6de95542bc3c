/** Where the store lies on a board, a partition of the flash, and in the simulator, a file that stands for one. */
import { closeSync, existsSync, fstatSync, mkdtempSync, openSync, readFileSync, readSync, rmSync, writeFileSync,
  writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { type Arena, ArenaPlan, Arena as FixedArena } from '../../src/bytes/arena.ts';
import { completeConfiguration } from '../../src/config/complete-configuration.ts';
import { BLOCK_LENGTH, MAGIC } from '../../src/store/record-format.ts';
import { type Directory, FileFlash } from '../../src/device/file-flash.ts';
import { type Flash, FlashBlocks } from '../../src/io/flash-blocks.ts';

const SECTOR = 4096;
const SIZE = 16 * SECTOR;

const partitions = vi.hoisted(() => ({ opened: [] as { path: string; mode: string }[], isThere: true }));

/** As on an ESP32: a partition is found by its label, or it is an error. */
vi.mock('embedded:storage/flash', () => ({
  default: {
    open(options: { path: string; mode: string }): Pick<Flash, 'read' | 'status'> {
      partitions.opened.push(options);
      if (!partitions.isThere)
        throw new Error("can't find partition");
      return { read: view => view.fill(0xFF), status: () =>
        ({ size: 0xF0000, blockLength: SECTOR, blocks: 0xF0000 / SECTOR }) };
    },
  },
}));

function createArena(): Arena {
  return new FixedArena(new ArenaPlan(), { landingCapacity: 64, stagingCapacity: 1024, resizable: true });
}

let folder = '';

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'ringbridge-'));
  partitions.opened.length = 0;
  partitions.isThere = true;
});

afterEach(() => rmSync(folder, { recursive: true }));

/** ECMA-419's files as the SDK has them on a PC. */
const directory: Directory = {
  openFile({ mode, path }) {
    const file = openSync(join(folder, path), mode);
    return {
      read: (view, position) => readSync(file, view, 0, view.byteLength, position),
      write(view, position) {
        writeSync(file, view, 0, view.byteLength, position);
      },
      status: () => fstatSync(file),
      close: () => closeSync(file),
    };
  },
};

const openFile = (size = SIZE, blockLength = SECTOR): FileFlash => new FileFlash(directory, 'store', size, blockLength);
const content = (): Buffer => readFileSync(join(folder, 'store'));

/** A sector that begins a block of the store. */
function blockOf(length: number): Buffer {
  const sector = Buffer.alloc(SECTOR, 0xFF);
  sector.writeUInt32BE(MAGIC);
  sector.writeUInt32BE(length, BLOCK_LENGTH);
  return sector;
}

describe('the file of the simulator', () => {
  test('is made, erased, as long as store.size says in whole sectors', () => {
    const flash = openFile(SIZE + 100);
    expect(flash.status()).toEqual({ size: SIZE, blockLength: SECTOR, blocks: 16 });
    flash.close();
    expect(content()).toEqual(Buffer.alloc(SIZE, 0xFF));
  });

  test('keeps what is written to it, and grows but does not shrink', () => {
    let flash = openFile();
    flash.write(blockOf(SECTOR), SECTOR);
    flash.close();
    flash = openFile(2 * SIZE);
    expect(flash.status().size).toBe(2 * SIZE);
    flash.close();
    flash = openFile(SECTOR);
    expect(flash.status().size).toBe(2 * SIZE);
    const words = new Uint8Array(8);
    flash.read(words, SECTOR);
    expect(Buffer.from(words).toString('latin1', 0, 4)).toBe('RBS2');
    flash.eraseBlock(1);
    flash.close();
    expect(content()).toEqual(Buffer.alloc(2 * SIZE, 0xFF));
  });

  test.each<readonly [string, Buffer]>([
    ['a text', Buffer.from('precious '.repeat(1000))],
    ['a short text', Buffer.from('precious')],
    ['something behind a store', Buffer.concat([blockOf(SECTOR), Buffer.from('precious')])],
    ['a store with longer blocks', Buffer.concat([blockOf(2 * SECTOR), Buffer.alloc(3 * SECTOR, 0xFF)])],
  ])('is left alone when it is no store of ours: %s', (_what, bytes) => {
    writeFileSync(join(folder, 'store'), bytes);
    expect(() => openFile()).toThrow('the file "store" is no store with blocks of 4096 bytes: name another one in store.path, or remove it');
    expect(content()).toEqual(bytes);
  });

  test('may have anything within a block of several sectors', () => {
    writeFileSync(join(folder, 'store'), Buffer.concat([blockOf(2 * SECTOR), Buffer.alloc(SECTOR, 7)]));
    expect(() => openFile(SIZE, 2 * SECTOR)).not.toThrow();
  });

  test('carries the store: bytes come and go through the staging area', () => {
    const arena = createArena();
    const blocks = new FlashBlocks(openFile(), arena, 500);
    expect([blocks.blockLength, blocks.blockCount]).toEqual([SECTOR, 16]);
    arena.bytes.fill(0x5A, arena.stagingOffset, arena.stagingOffset + 12);
    blocks.program(SECTOR + 8, 12);
    arena.bytes.fill(0, arena.stagingOffset, arena.length);
    blocks.read(SECTOR + 4, 20);
    expect([...arena.bytes.subarray(arena.stagingOffset, arena.stagingOffset + 20)])
      .toEqual([...Array<number>(4).fill(0xFF), ...Array<number>(12).fill(0x5A), ...Array<number>(4).fill(0xFF)]);
    blocks.erase(1);
    blocks.close();
    expect(content()).toEqual(Buffer.alloc(SIZE, 0xFF));
  });
});

describe('the partition of a board', () => {
  const open = async (path: string, longestPacket = 500) => {
    const { openFlashStorage } = await import('../../src/device/flash-storage.ts');
    return openFlashStorage(completeConfiguration({ store: { path } }).store, createArena(), longestPacket);
  };

  test.each([
    ['store', 'store'], ['store_2', 'store_2'], ['./ringbridge.store', 'store'], ['/var/lib/store', 'store'],
    ['nvs', 'store'], ['running', 'store'], ['nextota', 'store'], ['xs', 'store'],
      ['store-with-a-name-too-long', 'store'],
  ])('for store.path "%s" is "%s": what belongs to the system is out of reach', async (path, label) => {
    await open(path);
    expect(partitions.opened).toEqual([{ path: label, mode: 'r+' }]);
  });

  test('has blocks of its sectors, of several for long messages', async () => {
    expect(await open('store')).toMatchObject({ blockLength: SECTOR, blockCount: 240 });
    expect(await open('store', 5000)).toMatchObject({ blockLength: 2 * SECTOR, blockCount: 120 });
  });

  test.each(['RBS1', 'RBS2'])('keeps the blocks that %s has, whatever the longest message is', magic => {
    const flash: Flash = {
      read(view, offset) {
        view.fill(0xFF);
        if (offset === 2 * SECTOR)
          view.set([...Buffer.from(magic), 0, 0, 0, 1, 0, 0, 0x20, 0]);
      },
      write() {}, eraseBlock() {}, close() {},
      status: () => ({ size: SIZE, blockLength: SECTOR, blocks: 16 }),
    };
    expect(new FlashBlocks(flash, createArena(), 100)).toMatchObject({ blockLength: 2 * SECTOR,
      blockCount: 8, remark: '' });
    expect(new FlashBlocks(flash, createArena(),
      10_000).remark).toMatch(/blocks of 8192 bytes: longer messages are not stored/);
  });

  test('is named when it is missing', async () => {
    partitions.isThere = false;
    await expect(open('store')).rejects.toThrow('no flash partition "store": add one to the partition table (data, any subtype, 64 KB or more)');
  });

  test('is in the table of partitions that the manifest names, after the program and within 4 MB', () => {
    const root = new URL('../../', import.meta.url);
    const manifest =
      JSON.parse(readFileSync(new URL('manifest.json', root), 'utf8')) as { build: Record<string, string> };
    expect(manifest.build['PARTITIONS_FILE']).toBe('./src/device/partitions.csv');
    const table = new URL('src/device/partitions.csv', root);
    expect(existsSync(table)).toBe(true);
    const rows = readFileSync(table, 'utf8').split('\n').filter(line => line !== '' && !line.startsWith('#'))
      .map(line => line.split(',').map(cell => cell.trim()));
    let end = 0;
    for (const [, type, , offset, size] of rows) {
      expect(Number(offset)).toBeGreaterThanOrEqual(end);
      expect(Number(offset) % (type === 'app' ? 0x10000 : SECTOR)).toBe(0);
      end = Number(offset) + Number(size);
    }
    expect(end).toBeLessThanOrEqual(4 * 1024 * 1024);
    expect(rows.find(([label]) => label === 'store')!.slice(1, 2)).toEqual(['data']);
  });
});
