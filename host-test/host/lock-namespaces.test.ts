/** One file has one owner across containers: of processes in PID namespaces, where the number of one is another's. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { linkSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buildSync } from 'esbuild';
import { afterAll, afterEach, beforeEach, describe, expect, it } from 'vitest';
import { FileLock, holderOf } from '../../src/host/file-lock.ts';
import { namespaceHere } from '../../src/host/kernel-lock.ts';
import { startOf } from '../../src/host/process-marks.ts';
import { isTested } from '../programs-here.ts';

const UNSHARE = ['unshare', '--pid', '--fork', '--kill-child', '--mount-proc'];
const canUnshare = spawnSync(UNSHARE[0]!, [...UNSHARE.slice(1), 'true']).status === 0;
const hasFlock = spawnSync('flock', ['--version']).status === 0;
const TIMEOUT = { timeout: 60_000 };

const bundles = mkdtempSync(join(tmpdir(), 'ringbridge-lock-'));
const module = join(bundles, 'file-lock.mjs');
buildSync({ entryPoints: [join(import.meta.dirname, '../../src/host/file-lock.ts')], outfile: module, bundle: true,
  format: 'esm', platform: 'node', logLevel: 'error' });
afterAll(() => rmSync(bundles, { recursive: true }));

let folder: string;
let path: string;
const started: Holder[] = [];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'ringbridge-store-'));
  path = join(folder, 'store');
});

afterEach(async () => {
  await Promise.all(started.splice(0).map(holder => holder.kill()));
  rmSync(folder, { recursive: true });
});

class Holder {
  private readonly process: ChildProcess;
  private readonly exited: Promise<unknown>;

  private constructor(prefix: readonly string[]) {
    const [program, ...args] = [...prefix, process.execPath, join(import.meta.dirname, 'lock-holder.mjs'), module, path];
    this.process = spawn(program!, args, { stdio: ['pipe', 'pipe', 'ignore'] });
    this.exited = once(this.process, 'exit');
  }

  static async start(prefix: readonly string[] = []): Promise<Holder> {
    const holder = new Holder(prefix);
    started.push(holder);
    await holder.answer();
    return holder;
  }

  ask(line: string): Promise<string> {
    const answered = this.answer();
    this.process.stdin!.write(`${line}\n`);
    return answered;
  }

  /** As the kernel does when memory is short: nothing is cleaned up. */
  async kill(): Promise<void> {
    this.process.kill('SIGKILL');
    await this.exited;
  }

  private async answer(): Promise<string> {
    return String((await once(this.process.stdout!, 'data') as [Buffer])[0]).trim();
  }
}

const write = (mark: object): void => writeFileSync(`${path}.lock`, JSON.stringify(mark));

describe.runIf(isTested(canUnshare && hasFlock))('in PID namespaces', () => {
  it.each([['the first', UNSHARE, []], ['the second', [], UNSHARE], ['each', UNSHARE, UNSHARE]])(
    'a store is refused while another process holds it, and free when that is killed: %s in one of its own', TIMEOUT,
    async (_which, one, other) => {
      const first = await Holder.start(one);
      const second = await Holder.start(other);
      expect(await first.ask('get')).toBe('held');
      expect(await second.ask('get')).toMatch(/^refused: .*store is used by process \d+ of another container: stop that gateway, or give this one another store\.path$/);
      expect(holderOf(path)).toMatch(one === UNSHARE ? /^process \d+ of another container$/ : /^process \d+$/);
      await first.kill();
      await expect.poll(() => second.ask('get')).toBe('held');
      await second.ask('leave');
      expect(readdirSync(folder)).toEqual([]);
    });

  it('a store under another name is refused too', TIMEOUT, async () => {
    writeFileSync(path, '');
    linkSync(path, join(folder, 'link'));
    const first = await Holder.start(UNSHARE);
    const second = await Holder.start(UNSHARE);
    await first.ask('get');
    expect(await first.ask(`claim ${path}`)).toBe('held');
    rmSync(`${path}.lock`); // as in another folder, which has none
    expect(await second.ask('get')).toBe('held');
    expect(await second.ask(`claim ${join(folder, 'link')}`)).toMatch(/^refused: .* by a process of another container under another name: stop/);
    await first.kill();
    await expect.poll(() => second.ask(`claim ${join(folder, 'link')}`)).toBe('held');
  });
});

describe('a lock of another PID namespace', () => {
  const namespace = 'pid:[1]';

  it.runIf(isTested(hasFlock))('holds as long as the kernel says that its process lives, whatever number it has', TIMEOUT, async () => {
    const holder = await Holder.start();
    await holder.ask('get');
    write({ ...JSON.parse(readFileSync(`${path}.lock`, 'utf8')) as object, namespace, pid: 4_194_300 });
    expect(() => new FileLock(path)).toThrow(`${path} is used by process 4194300 of another container: stop that gateway`);
    await holder.kill();
    new FileLock(path).release();
    expect(readdirSync(folder)).toEqual([]);
  });

  it.runIf(isTested(hasFlock))('is void when the kernel knows of nobody, though a process of that number runs', () => {
    write({ pid: process.pid, started: startOf(process.pid), namespace, flock: true });
    expect(holderOf(path)).toBeUndefined();
    new FileLock(path).release();
  });

  it('that the kernel does not keep counts as held, and the message says how to remove it', () => {
    write({ pid: 4_194_300, started: startOf(process.pid), namespace, flock: false });
    const before = readFileSync(`${path}.lock`);
    expect(() => new FileLock(path)).toThrow(`is used by process 4194300 of another container, or was when that was killed, which cannot be told here: if no gateway uses it, remove "${path}.lock"`);
    expect(holderOf(path)).toBe(`process 4194300 of another container, or was: if no gateway uses it, remove "${path}.lock"`);
    expect(readdirSync(folder)).toEqual(['store.lock']);
    expect(readFileSync(`${path}.lock`).equals(before)).toBe(true);
  });

  it('is void when the computer has started since', () => {
    write({ pid: 1, started: '00000000-0000-0000-0000-000000000000 1', namespace, flock: false });
    new FileLock(path).release();
    expect(readdirSync(folder)).toEqual([]);
  });
});

describe('without the program flock', () => {
  const search = process.env['PATH'];
  beforeEach(() => process.env['PATH'] = join(folder, 'nothing'));
  afterEach(() => process.env['PATH'] = search);

  it('a process of the same namespace is known by its number and its start', () => {
    const lock = new FileLock(path);
    expect(JSON.parse(readFileSync(`${path}.lock`, 'utf8'))).toMatchObject({ namespace: namespaceHere(), flock: false });
    expect(() => new FileLock(path)).toThrow(`is used by process ${process.pid}: stop`);
    lock.release();
    write({ pid: process.pid, started: 'long ago', namespace: namespaceHere(), flock: false });
    new FileLock(path).release();
    expect(readdirSync(folder)).toEqual([]);
  });
});

it('of six processes that find a lock whose process was killed exactly one has it, every time', TIMEOUT, async () => {
  const holders = await Promise.all(Array.from({ length: 6 }, () => Holder.start()));
  for (let trial = 0; trial < 10; ++trial) {
    write({ pid: process.pid, started: startOf(process.pid), namespace: namespaceHere(), flock: hasFlock });
    if (!hasFlock)
      write({ pid: 4_194_300, started: 'long ago' });
    const answers = await Promise.all(holders.map(holder => holder.ask('get')));
    expect(answers.filter(text => text === 'held').length).toBe(1);
    expect(answers.filter(text => text.includes('is used by process')).length).toBe(5);
    await Promise.all(holders.map(holder => holder.ask('leave')));
    expect(readdirSync(folder)).toEqual([]);
  }
});
