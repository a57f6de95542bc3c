/** The store's file: made, found again, damaged, of another size, foreign, not to be had. */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, existsSync, linkSync, mkdirSync, mkdtempSync, symlinkSync, readdirSync, readFileSync, rmSync,
  statSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buildSync } from 'esbuild';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Arena, ArenaPlan } from '../../src/bytes/arena.ts';
import { namespaceHere } from '../../src/host/kernel-lock.ts';
import { startOf } from '../../src/host/process-marks.ts';
import { FileStorage } from '../../src/host/file-storage.ts';

let folder: string;
let path: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'ringbridge-store-'));
  path = join(folder, 'store');
});

afterEach(() => rmSync(folder, { recursive: true, force: true }));

const arena = new Arena(new ArenaPlan(), { landingCapacity: 0, stagingCapacity: 256, resizable: false });
const open = (size = 1_048_576, longest = 1000): FileStorage => FileStorage.open(path, size, arena, longest);

function put(storage: FileStorage, position: number, ...values: number[]): void {
  arena.bytes.set(values, arena.stagingOffset);
  storage.program(position, values.length);
}

function get(storage: FileStorage, position: number, length: number): number[] {
  arena.bytes.fill(0xA5, arena.stagingOffset);
  storage.read(position, length);
  return [...arena.bytes.subarray(arena.stagingOffset, arena.stagingOffset + length)];
}

/** A block's header as store/record-format.ts describes it, as far as the file looks at it. */
const header = (blockLength: number): number[] =>
  [0x52, 0x42, 0x53, 0x31, 0, 0, 0, 1, 0, blockLength >> 16, blockLength >> 8 & 255, blockLength & 255];

describe('the file of the store', () => {
  it('is made at its full size, erased, in blocks that hold the longest message', () => {
    const storage = open(1_048_576, 100_000);
    expect(storage.blockLength).toBe(131_072);
    expect(storage.blockCount).toBe(8);
    expect(statSync(path).size).toBe(1_048_576);
    expect(readFileSync(path).every(byte => byte === 0xFF)).toBe(true);
    expect(storage.remark).toBe('');
    storage.close();
  });

  it('keeps what is programmed, and forgets what is erased', () => {
    const first = open();
    put(first, 0, ...header(first.blockLength));
    put(first, first.blockLength + 8, 1, 2, 3, 4);
    put(first, 2 * first.blockLength, 5, 6, 7, 8);
    first.erase(2);
    first.flush();
    first.close();
    const second = open();
    expect(get(second, second.blockLength + 8, 4)).toEqual([1, 2, 3, 4]);
    expect(get(second, 2 * second.blockLength, 4)).toEqual([255, 255, 255, 255]);
    second.close();
  });

  it('grows with store.size, and does not shrink', () => {
    const first = open(65_536 * 16);
    put(first, 0, ...header(first.blockLength));
    first.close();
    const larger = open(65_536 * 32);
    expect(larger.blockCount).toBe(32);
    expect(get(larger, 65_536 * 31, 4)).toEqual([255, 255, 255, 255]);
    larger.close();
    const smaller = open(65_536 * 4);
    expect(smaller.blockCount).toBe(32);
    expect(smaller.remark).toMatch(/larger than store.size/);
    smaller.close();
  });

  it('keeps its blocks when messages may have become longer, and says what that means', () => {
    const first = open(16 * 4096);
    expect(first.blockLength).toBe(4096);
    put(first, 8192, ...header(4096)); // whatever the first blocks hold
    first.close();
    const second = open(1_048_576, 10_000);
    expect(second.blockLength).toBe(4096);
    expect(second.remark).toMatch(/longer messages are not stored/);
    second.close();
  });

  it.each([
    ['a text', Buffer.from('my photographs '.repeat(1000))],
    ['a text that begins as a store does', Buffer.from('RBS\nmy photographs')],
    ['a picture that begins with zeros', Buffer.concat([Buffer.alloc(131_072), Buffer.from('photographs')])],
  ])('that is no store is refused by name, and nothing is touched: %s', (_what, content) => {
    writeFileSync(path, content, { mode: 0o644 });
    const before = statSync(path);
    expect(() => open()).toThrow(`"${path}" is no store: give another store.path, or move it away yourself`);
    expect(readdirSync(folder)).toEqual(['store']);
    expect(readFileSync(path).equals(content)).toBe(true);
    expect(statSync(path)).toMatchObject({ ino: before.ino, mode: before.mode });
  });

  const damaged = Buffer.alloc(8192, 7);
  it.each([
    ['a lock of ours lies beside it', 'store', damaged, true],
    ['it has the name of a store', 'a.store', damaged, false],
    ['it has the length of a new one', 'store', Buffer.alloc(65_536 * 16, 7), false],
  ])('whose headers are all destroyed is moved out of the way, whole, when %s', (_why, name, content, isLocked) => {
    path = join(folder, name);
    for (const number of [1, 2]) {
      writeFileSync(path, content);
      if (isLocked)
        writeFileSync(`${path}.lock`, JSON.stringify({ pid: 4_194_300, started: 'long ago' }));
      const storage = open(65_536 * 16 + 100);
      storage.close();
      expect(storage.remark).toBe(`${path} was no store any more: it is now ${path}.not-a-store-${number}`);
      expect(readFileSync(`${path}.not-a-store-${number}`).equals(content)).toBe(true);
      rmSync(path);
    }
  });

  it.each([['empty', Buffer.alloc(0)], ['zeros', Buffer.alloc(5000)]])('that holds nothing (%s) is used',
    (_name, content) => {
    writeFileSync(path, content);
    const storage = open();
    expect(storage.remark).toBe('');
    expect(get(storage, 0, 4)).toEqual([255, 255, 255, 255]);
    storage.close();
    expect(existsSync(`${path}.not-a-store-1`)).toBe(false);
  });

  it('that somebody cuts off while it is open reads as nothing', () => {
    const storage = open();
    truncateSync(path, 10);
    expect(get(storage, 0, 16).slice(10)).toEqual([0, 0, 0, 0, 0, 0]);
    storage.close();
  });

  it('that was cut off in the middle of a block keeps what is left of it', () => {
    const first = open(16 * 4096);
    put(first, 0, ...header(4096));
    put(first, 5 * 4096, 1, 2, 3, 4);
    first.close();
    truncateSync(path, 5 * 4096 + 100);
    const second = open(16 * 4096);
    expect(second.blockCount).toBe(16);
    expect(get(second, 5 * 4096, 4)).toEqual([1, 2, 3, 4]);
    for (const position of [5 * 4096 + 100, 6 * 4096, 15 * 4096 + 4092])
      expect(get(second, position, 4)).toEqual([255, 255, 255, 255]);
    second.close();
  });

  it('of another version of the format is moved out of the way, whole, and said to be one', () => {
    const old = Buffer.alloc(8192, 7);
    old.write('RBS0', 4096, 'latin1');
    writeFileSync(path, old);
    const storage = open();
    storage.close();
    expect(storage.remark).toMatch(/another version/);
    expect(readFileSync(`${path}.not-a-store-1`).equals(old)).toBe(true);
  });

  it('that cannot be had is an error that says what to do', () => {
    expect(() => FileStorage.open(join(folder, 'no', 'such', 'folder'), 65_536, arena,
      1000)).toThrow(/is in no folder: make the folder of store\.path/);
    expect(existsSync(`${folder}.lock`)).toBe(false);
  });

  it.each([
    ['a folder', () => mkdirSync(path)],
    ['a pipe (FIFO)', () => execFileSync('mkfifo', [path])],
    ['a device', () => symlinkSync('/dev/zero', path)],
  ] as const)('that is %s is an error that says so, and nothing waits for it', (kind, make) => {
    make();
    expect(() => open()).toThrow(new RegExp(`^store\\.path, ".*", is ${kind.replace(/[()]/g, '\\$&')}: give it the name of a regular file$`));
    expect(existsSync(`${path}.lock`)).toBe(false);
  });

  it.each([
    ['a folder', () => mkdirSync(`${path}.lock`)],
    ['a pipe (FIFO)', () => execFileSync('mkfifo', [`${path}.lock`])],
  ] as const)('whose lock is %s is an error that says so, and nothing waits for it', (kind, make) => {
    make();
    expect(() => open()).toThrow(`is ${kind}: remove it`);
    rmSync(`${path}.lock`, { recursive: true });
  });

  it('that somebody else has made empty is for its owner alone when there is something in it', () => {
    writeFileSync(path, '', { mode: 0o644 });
    open().close();
    expect(statSync(path).mode & 0o777).toBe(0o600);
  });

  it('that may only be read is read, and says so; a write fails', () => {
    const first = open();
    put(first, 0, ...header(first.blockLength));
    put(first, 64, 1, 2, 3, 4);
    first.close();
    for (const target of [path, folder])
      chmodSync(target, 0o555);
    asNobody(() => {
      const second = open();
      expect(second.remark).toMatch(/cannot be written \(EACCES\).*is sent, and nothing is written to it; make it writable$/);
      expect(second.blockCount).toBe(16);
      expect(get(second, 64, 4)).toEqual([1, 2, 3, 4]);
      expect(() => put(second, 128, 1, 2, 3, 4)).toThrow(/store" may not be written \(EACCES\)/);
      expect(() => second.erase(1)).toThrow(/may not be written \(EACCES\)/);
      second.close();
      expect(() => FileStorage.open(join(folder, 'new'), 65_536, arena, 1000)).toThrow(/may not be written \(EACCES\): give store\.path/);
    });
    chmodSync(folder, 0o755);
    expect(get(open(), 64, 4)).toEqual([1, 2, 3, 4]);
  });
});

describe('a store that another process uses', () => {
  const lock = (): string => `${path}.lock`;

  it('is refused, with the number of that process and what to do, until it ends', () => {
    const first = open();
    expect(JSON.parse(readFileSync(lock(), 'utf8'))).toMatchObject({ pid: process.pid, started: startOf(process.pid) });
    expect(() => open()).toThrow(`${path} is used by process ${process.pid}: stop that gateway, or give this one another store.path`);
    expect(existsSync(lock())).toBe(true);
    first.close();
    expect(readdirSync(folder)).toEqual(['store']);
    open().close();
  });

  it('is free again when that process was killed', async () => {
    const other = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)']);
    await once(other, 'spawn');
    writeFileSync(lock(), JSON.stringify({ pid: other.pid, started: startOf(other.pid!) }));
    expect(() => open()).toThrow(`process ${other.pid}:`);
    other.kill('SIGKILL');
    await once(other, 'exit');
    open().close();
    expect(readdirSync(folder)).toEqual(['store']);
  });

  it('is free when its number belongs to somebody else by now, or the lock is no lock', () => {
    for (const content of [JSON.stringify({ pid: process.pid, started: 'long ago' }),
      JSON.stringify({ pid: process.ppid, started: 'long ago' }), '', '{', '{"pid":0}', '{"pid":-1,"started":""}',
        'null']) {
      writeFileSync(lock(), content);
      open().close();
      expect(readdirSync(folder)).toEqual(['store']);
    }
  });
});

describe('one file has one owner, however it is named', () => {
  it('by a symbolic link, to the file or to its folder', () => {
    const first = open();
    const link = join(folder, 'link');
    symlinkSync(path, link);
    const other = join(folder, 'folder');
    symlinkSync(folder, other);
    for (const name of [link, join(other, 'store')])
      expect(() => FileStorage.open(name, 1_048_576, arena, 1000)).toThrow(/is used by process/);
    first.close();
    FileStorage.open(link, 1_048_576, arena, 1000).close();
  });

  it.each([['a file of somebody else', 'photographs'], ['an empty file', ''], ['nothing', undefined]])(
    'but never by a symbolic link to %s, which is not touched', (_what, content) => {
      const precious = join(folder, 'precious');
      if (content !== undefined)
        writeFileSync(precious, content, { mode: 0o644 });
      const link = join(folder, 'link');
      symlinkSync(precious, link);
      expect(() => FileStorage.open(link, 65_536, arena, 1000)).toThrow('is a symbolic link that leads to no store');
      expect(existsSync(precious) ? readFileSync(precious, 'utf8') : undefined).toBe(content);
      expect(readdirSync(folder).filter(name => name !== 'link' && name !== 'precious')).toEqual([]);
    });

  it('by a hard link, in this process or in another one', async () => {
    const first = open();
    const link = join(mkdtempSync(join(tmpdir(), 'ringbridge-link-')), 'store');
    linkSync(path, link);
    expect(() => FileStorage.open(link, 1_048_576, arena, 1000)).toThrow(/is used by process \d+ under another name/);
    first.close();
    FileStorage.open(link, 1_048_576, arena, 1000).close();
    const other =
      spawn(process.execPath,
        ['-e', `require('fs').openSync(${JSON.stringify(path)}, 'r+'); process.stdout.write('open'); process.stdin.resume()`], { stdio: 'pipe' });
    await once(other.stdout, 'data');
    expect(() => FileStorage.open(link, 1_048_576, arena,
      1000)).toThrow(`is used by process ${other.pid} under another name`);
    other.stdin.end();
    await once(other, 'exit');
    FileStorage.open(link, 1_048_576, arena, 1000).close();
    rmSync(join(link, '..'), { recursive: true });
  });

  it('and may be read by a backup meanwhile', async () => {
    open().close();
    const other =
      spawn(process.execPath,
        ['-e', `require('fs').openSync(${JSON.stringify(path)}, 'r'); process.stdout.write('open'); process.stdin.resume()`], { stdio: 'pipe' });
    await once(other.stdout, 'data');
    open().close();
    other.stdin.end();
    await once(other, 'exit');
  });

  it('is not held by a process that is dead but not collected by its parent', async () => {
    // The shell becomes a program, before its child ends, that never waits for its child.
    const parent = spawn('sh', ['-c', 'sleep 0.3 & echo $!; exec sleep 30'], { stdio: 'pipe' });
    const pid = Number(String((await once(parent.stdout, 'data') as [Buffer])[0]));
    await expect.poll(() => readFileSync(`/proc/${pid}/stat`, 'latin1'), { timeout: 30_000 }).toMatch(/\) Z /);
    writeFileSync(`${path}.lock`, JSON.stringify({ pid, started: startOf(pid) }));
    open().close();
    parent.kill('SIGKILL');
    await once(parent, 'exit');
  });

  it('has a lock that follows no link, and that only its owner can read', () => {
    const precious = join(folder, 'precious');
    writeFileSync(precious, 'photographs');
    const own = [process.pid, ...namespaceHere().match(/\d+/g) ?? []].join('-');
    symlinkSync(precious, `${path}.lock.${own}`);
    const first = open();
    expect(statSync(`${path}.lock`).mode & 0o777).toBe(0o600);
    expect(statSync(path).mode & 0o777).toBe(0o600);
    first.close();
    symlinkSync(precious, `${path}.lock`);
    open().close();
    expect(readFileSync(precious, 'utf8')).toBe('photographs');
    expect(readdirSync(folder).sort()).toEqual(['precious', 'store']);
  });

  it('of six processes that find a stale lock has exactly one, every time', { timeout: 60_000 }, async () => {
    const elsewhere = mkdtempSync(join(tmpdir(), 'ringbridge-lock-'));
    const module = join(elsewhere, 'file-lock.mjs');
    buildSync({ entryPoints: [join(import.meta.dirname, '../../src/host/file-lock.ts')], outfile: module, bundle: true,
      format: 'esm', platform: 'node', logLevel: 'error' });
    const processes = Array.from({ length: 6 }, () =>
      spawn(process.execPath, [join(import.meta.dirname, 'lock-holder.mjs'), module, path],
        { stdio: ['pipe', 'pipe', 'ignore'] }));
    const answer = async (other: ChildProcess): Promise<string> =>
      String((await once(other.stdout!, 'data') as [Buffer])[0]).trim();
    const ask = (line: string): Promise<string[]> => Promise.all(processes.map(other => {
      const answered = answer(other);
      other.stdin!.write(`${line}\n`);
      return answered;
    }));
    try {
      await Promise.all(processes.map(answer));
      for (let trial = 0; trial < 40; ++trial) {
        writeFileSync(`${path}.lock`, JSON.stringify({ pid: 4_194_300, started: 'long ago' }));
        const answers = await ask('get');
        expect(answers.filter(text => text === 'held').length).toBe(1);
        expect(answers.filter(text => text.includes('is used by process')).length).toBe(5);
        await ask('leave');
        expect(readdirSync(folder)).toEqual([]);
      }
    } finally {
      const exits = processes.map(other => once(other, 'exit'));
      for (const other of processes)
        other.stdin!.end();
      await Promise.all(exits);
      rmSync(elsewhere, { recursive: true });
    }
  });
});

describe('a flush', () => {
  it('is off the main thread, tells once, and what is closed meanwhile is closed after it', async () => {
    const storage = open();
    const told: boolean[] = [];
    storage.onFlushed = isDurable => told.push(isDurable);
    put(storage, 64, 1, 2, 3, 4);
    expect(storage.flush()).toBe(false);
    expect(told).toEqual([]);
    await expect.poll(() => told, { timeout: 30_000 }).toEqual([true]);
    storage.synchronize();
    storage.flush();
    storage.close();
    await new Promise(resolve => setTimeout(resolve, 100));
    expect(told).toEqual([true]);
  });
});

describe('a store of a later version', () => {
  it('is left alone, and said to be one', () => {
    const later = Buffer.alloc(8192, 7);
    later.write('RBS3', 4096, 'latin1');
    writeFileSync(path, later);
    expect(() => open()).toThrow(/later version of this program, and nothing of it is touched/);
    expect(readFileSync(path).equals(later)).toBe(true);
    expect(readdirSync(folder)).toEqual(['store']);
  });
});

/** Root may write everything; so these things are done as somebody else, if the tests run as root. */
function asNobody(act: () => void): void {
  if (process.geteuid?.() !== 0) {
    act();
    return;
  }
  process.seteuid!(65_534);
  try {
    act();
  } finally {
    process.seteuid!(0);
  }
}
