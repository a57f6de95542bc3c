/** Signals, where no listener of the main thread can run, where none listens yet, and where the terminal has gone. */
import { execFileSync, spawn } from 'node:child_process';
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { isTested } from '../programs-here.ts';
import { bundle, BUNDLED_PROGRAM, Command, exchange, Folder } from './command-line.ts';

const LIMIT = 3000;

const folder = new Folder();
const endings: (() => void)[] = [];

beforeAll(async () => {
  await bundle();
  const source = folder.write('held.c', `
    #include <stdio.h>
    #include <string.h>
    #include <sys/syscall.h>
    #include <unistd.h>
    static void hold(int file) {
      char link[64], path[512] = "";
      snprintf(link, 64, "/proc/self/fd/%d", file);
      readlink(link, path, 511);
      if (syscall(SYS_gettid) == getpid() && strstr(path, "held.store") != NULL && access("${folder.path}/slow", F_OK) == 0) {
        write(2, "HELD\\n", 5);
        while (access("${folder.path}/slow", F_OK) == 0)
          sleep(1);
      }
    }
    int fdatasync(int file) { hold(file); return syscall(SYS_fdatasync, file); }
    int fsync(int file) { hold(file); return syscall(SYS_fsync, file); }
    ssize_t pwrite64(int file, const void *bytes, size_t length, off_t at) { hold(file); return syscall(SYS_pwrite64, file, bytes, length, at); }
    ssize_t pread64(int file, void *bytes, size_t length, off_t at) { hold(file); return syscall(SYS_pread64, file, bytes, length, at); }
  `);
  execFileSync('gcc', ['-shared', '-fPIC', '-o', `${folder.path}/held.so`, source]);
});
afterEach(() => {
  for (const end of endings.splice(0))
    end();
  rmSync(`${folder.path}/slow`, { force: true });
});
afterAll(() => folder.remove());

const write = (): string => folder.write('held.json', {
  listener: { port: 0, address: '127.0.0.1', allow_anonymous: true }, topic: [{}],
  store: { durability: 'flash', path: `${folder.path}/held.store` },
});

function start(environment: NodeJS.ProcessEnv = { LD_PRELOAD: `${folder.path}/held.so` }): Command {
  const command = new Command(['run', '--config', write()], undefined, { ...process.env, ...environment });
  endings.push(() => command.process.kill('SIGKILL'));
  return command;
}

/** Returns when a disk holds the main thread of a gateway that serves a node. */
async function startHeld(): Promise<Command> {
  const command = start();
  const port = await command.ready();
  folder.write('slow', '');
  // A message of QoS 1, which goes to the store.
  exchange(port, '10 0d 00 04 4d 51 54 54 04 02 00 3c 00 01 6e 32 06 00 01 61 00 01 78', 8).catch(() => {});
  await command.find('stderr', /HELD/);
  return command;
}

test('SIGTERM ends a gateway whose main thread a disk holds within three seconds', async () => {
  const command = await startHeld();
  const begin = performance.now();
  command.process.kill('SIGTERM');
  expect(await command.exited).toBe('SIGKILL');
  expect(performance.now() - begin).toBeLessThan(LIMIT);
});

test('a second signal ends it at once', async () => {
  const command = await startHeld();
  command.process.kill('SIGTERM');
  const begin = performance.now();
  await new Promise(resolve => setTimeout(resolve, 100)); // two that are pending at a time are one
  command.process.kill('SIGINT');
  expect(await command.exited).toBe('SIGKILL');
  expect(performance.now() - begin).toBeLessThan(1500);
});

test('SIGTERM ends a gateway that a disk holds at its start', async () => {
  folder.write('slow', '');
  const command = start();
  await command.find('stderr', /HELD/);
  const begin = performance.now();
  command.process.kill('SIGTERM');
  expect(await command.exited).toBe('SIGKILL');
  expect(performance.now() - begin).toBeLessThan(LIMIT);
});

/** Sends itself a signal as soon as it listens to it. */
const early = (signal: string): NodeJS.ProcessEnv => ({
  NODE_OPTIONS: `--import data:text/javascript,${encodeURIComponent(
    `process.on("newListener", name => name === "${signal}" && setImmediate(() => process.kill(process.pid, name)))`)}`,
});

test('SIGUSR1 opens no debugger, also before anything is loaded, which one line says', async () => {
  const command = start(early('SIGUSR1'));
  await command.find('stderr', /warning SIGUSR1: nothing is done/);
  await command.ready();
  command.process.kill('SIGUSR1');
  command.process.kill('SIGTERM');
  expect(await command.exited).toBe(0);
  expect(command.stderr).not.toContain('Debugger');
  expect(command.stderr.match(/SIGUSR1/g)).toHaveLength(1);
});

test('SIGUSR2 before the gateway is ready gives the status as soon as there is one', async () => {
  const command = start(early('SIGUSR2'));
  expect(JSON.parse((await command.find('stdout', /^\{.*\}$/m))[0])).toMatchObject({ nodes: [], store: { durable: true } });
});

test('a gateway whose terminal has gone ends with 0', { skip: !isTested(existsSync('/usr/bin/script')) }, async () => {
  const code = `${folder.path}/code`;
  const terminal = spawn('script', ['-qfc',
    `trap '' HUP; ${process.execPath} ${BUNDLED_PROGRAM} run --config ${write()}; echo $? > ${code}`, '/dev/null'], { stdio: ['pipe', 'pipe', 'ignore'] });
  await new Promise<void>(resolve => {
    let text = '';
    terminal.stdout.on('data', chunk => {
      text += String(chunk);
      if (/ready listener=/.test(text))
        resolve();
    });
  });
  const { pid } = JSON.parse(readFileSync(`${folder.path}/held.store.lock`, 'utf8')) as { pid: number };
  terminal.kill('SIGKILL');
  await new Promise(resolve => terminal.on('close', resolve));
  process.kill(pid, 'SIGTERM');
  await expect.poll(() => existsSync(code) && readFileSync(code, 'utf8'), { timeout: 10_000 }).toBe('0\n');
});
