/** The gateway as a service: under systemd, from its package, in a container. */
import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { bundle, Command } from './command-line.ts';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const UNIT = join(ROOT, 'src/host/ringbridge.service');
const PATIENCE = { timeout: 60_000, interval: 20 };
const folder = mkdtempSync(join(tmpdir(), 'ringbridge-service-'));
afterAll(() => rmSync(folder, { recursive: true }));

const CONFIGURATION = join(folder, 'gateway.json');
writeFileSync(CONFIGURATION, JSON.stringify({
  upstream: { address: ['mqtt://127.0.0.1:1'] },
  listener: { address: '127.0.0.1', port: 0, allow_anonymous: true },
  topic: [{ pattern: '#', direction: 'out', remote_prefix: 'a/' }],
  store: { durability: 'ram' },
}), { mode: 0o600 });

describe('the unit of systemd', () => {
  it('has nothing that systemd does not know', () => {
    expect(execFileSync('systemd-analyze', ['verify', UNIT], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] }))
      .toBe('');
  });

  it('is left little that it could do to the computer', () => {
    const text = execFileSync('systemd-analyze', ['security', '--offline=true', '--no-pager', UNIT], { encoding: 'utf8' });
    expect(Number(/exposure level for ringbridge.service: ([\d.]+)/.exec(text)![1])).toBeLessThan(2);
  });

  it('starts a command that there is', () => {
    const command = /^ExecStart=\/usr\/bin\/env ringbridge (.+) \S+$/m.exec(readFileSync(UNIT, 'utf8'))![1];
    expect(command).toBe('run --config');
  });
});

/** The socket at which systemd listens. Node has none of this kind. */
const LISTENER = `
import socket, sys
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
s.bind(sys.argv[1])
print("bound", flush=True)
while True:
    print(s.recv(4096).decode().replace("\\n", ";"), flush=True)
`;

class Manager {
  readonly path = join(folder, `notify-${Math.random()}`);
  readonly lines: string[] = [];
  private readonly listener: ChildProcess = spawn('/usr/bin/python3', ['-c', LISTENER, this.path]);

  constructor() {
    createInterface(this.listener.stdout!).on('line', line => this.lines.push(line));
  }

  /** Without what the command says of itself: whose process it speaks for, and that all has been read. */
  get told(): string[] {
    return this.lines.slice(1).map(line => line.replace(/^MAINPID=\d+;/, '')).filter(line => !line.startsWith('BARRIER='));
  }

  async bound(): Promise<this> {
    await vi.waitFor(() => expect(this.lines).toContain('bound'), PATIENCE);
    return this;
  }

  close(): void {
    this.listener.kill('SIGKILL');
  }
}

describe('what systemd is told', { timeout: 120_000 }, () => {
  const endings: (() => unknown)[] = [];
  beforeAll(bundle);
  afterEach(async () => {
    for (const end of endings.splice(0))
      await end();
  });

  async function start(
    environment: (manager: Manager) => NodeJS.ProcessEnv,
  ): Promise<{ manager: Manager; gateway: Command }> {
    const manager = await new Manager().bound();
    const gateway =
      new Command(['run', '--config', CONFIGURATION], undefined, { ...process.env, ...environment(manager) });
    endings.push(async () => {
      gateway.process.kill('SIGKILL');
      await gateway.exited;
      manager.close();
    });
    await gateway.find('stdout', /^ready /m);
    return { manager, gateway };
  }

  it('is ready with the ready line, then that it lives, then that it stops', async () => {
    const { gateway, manager } =
      await start(({ path }) => ({ NOTIFY_SOCKET: path, WATCHDOG_USEC: '400000' }));
    await vi.waitFor(() => expect(manager.told.filter(line => line === 'WATCHDOG=1').length).toBeGreaterThan(2), PATIENCE);
    expect(manager.told.filter(line => line.startsWith('READY')))
      .toEqual([expect.stringMatching(/^READY=1;STATUS=ready listener=127\.0\.0\.1:\d+ upstream=mqtt:\/\/127\.0\.0\.1:1$/)]);
    gateway.process.kill('SIGTERM');
    expect(await gateway.exited).toBe(0);
    await vi.waitFor(() => expect(manager.told).toContain('STOPPING=1;STATUS=stopping'), PATIENCE);
  });

  it('is nothing of a watchdog that is for another process, or that there is not', async () => {
    for (const watchdog of [{ WATCHDOG_USEC: '20000', WATCHDOG_PID: '1' }, {}]) {
      const { gateway, manager } = await start(({ path }) => ({ NOTIFY_SOCKET: path, ...watchdog }));
      gateway.process.kill('SIGTERM');
      await gateway.exited;
      await vi.waitFor(() => expect(manager.told).toContain('STOPPING=1;STATUS=stopping'), PATIENCE);
      expect(manager.told).not.toContain('WATCHDOG=1');
    }
  });

  it('a manager that is not there is one line, and no end', async () => {
    const { gateway } = await start(() => ({ NOTIFY_SOCKET: join(folder, 'nobody') }));
    await gateway.find('stderr', /warning systemd-notify cannot tell systemd "READY=1": .*NotifyAccess=all/);
    gateway.process.kill('SIGTERM');
    expect(await gateway.exited).toBe(0);
  });
});

describe('the package, as the Dockerfile makes and installs it', { timeout: 300_000 }, () => {
  const source = join(folder, 'source');
  const packed = join(folder, 'packed');
  const prefix = join(folder, 'prefix');
  const ringbridge = join(prefix, 'bin/ringbridge');

  /** Without what asks for root, in folders of the test. */
  beforeAll(() => {
    for (const file of execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard'],
      { cwd: ROOT, encoding: 'utf8' }).split('\n'))
      if (file !== '' && existsSync(join(ROOT, file))) {
        mkdirSync(dirname(join(source, file)), { recursive: true });
        copyFileSync(join(ROOT, file), join(source, file));
      }
    mkdirSync(packed);
    const steps = readFileSync(join(ROOT, 'src/host/Dockerfile'), 'utf8').split('\n')
      .filter(line => line.startsWith('RUN ') && !line.includes('install -d')).map(line => line.slice('RUN '.length));
    expect(steps).toHaveLength(4);
    for (const step of steps)
      execFileSync('sh', ['-c', step.replaceAll('/tmp', packed)], {
        cwd: source, stdio: ['ignore', 'ignore', 'inherit'],
        env: { ...process.env, npm_config_prefix: prefix, npm_config_prefer_offline: 'true' },
      });
  }, 300_000);

  it('is a command that works without the repository', () => {
    rmSync(source, { recursive: true });
    const version = (JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as { version: string }).version;
    expect(execFileSync(ringbridge, ['check', '--pc', CONFIGURATION], { encoding: 'utf8' })).toContain('#');
    const installed = join(prefix, 'lib/node_modules/ringbridge');
    expect(JSON.parse(readFileSync(join(installed, 'package.json'), 'utf8'))).toMatchObject({ version });
    for (const absent of ['host-test', 'src/demo', 'dist/demo', 'node_modules/aedes', 'node_modules/typescript'])
      expect(existsSync(join(installed, absent)), absent).toBe(false);
    expect(existsSync(join(installed, 'src/host/ringbridge.service'))).toBe(true);
  });

  it('says with npm start what there is instead of the demo, and runs a gateway with arguments', async () => {
    const cwd = join(prefix, 'lib/node_modules/ringbridge');
    const { status, stderr } = spawnSync('npm', ['start', '--silent'], { cwd, encoding: 'utf8' });
    expect([status, stderr]).toEqual([2, expect.stringContaining('"npm start -- --config FILE" runs a gateway')]);
    const gateway = spawn('npm', ['start', '--silent', '--', '--config', CONFIGURATION], { cwd, detached: true });
    let output = '';
    gateway.stdout.setEncoding('utf8').on('data', (text: string) => output += text);
    await vi.waitFor(() => expect(output).toMatch(/^ready listener=127\.0\.0\.1:\d+/m), PATIENCE);
    process.kill(-gateway.pid!, 'SIGTERM');
    await new Promise(resolve => gateway.once('exit', resolve));
  });

  it('runs', async () => {
    const gateway = spawn(ringbridge, ['run', '--config', CONFIGURATION], { stdio: ['ignore', 'pipe', 'inherit'] });
    let output = '';
    gateway.stdout.setEncoding('utf8').on('data', (text: string) => output += text);
    await vi.waitFor(() => expect(output).toMatch(/^ready listener=127\.0\.0\.1:\d+/m), PATIENCE);
    gateway.kill('SIGTERM');
    await new Promise(resolve => gateway.once('exit', resolve));
    expect(gateway.exitCode).toBe(0);
  });
});
