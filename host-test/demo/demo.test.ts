/**
 * The demo as users have it: the built program, in a process of its own, once with a pipe and once in a terminal.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { connect } from 'node:net';
import { fileURLToPath } from 'node:url';
import { afterEach, describe, expect, test } from 'vitest';

const PROGRAM = fileURLToPath(new URL('../../dist/demo/main.js', import.meta.url));

/** Milliseconds for anything that the demo is to say. */
const PATIENCE = 30_000;

const running: ChildProcess[] = [];
afterEach(() => {
  for (const child of running.splice(0))
    child.kill('SIGKILL');
});

class Demo {
  output = '';
  readonly process: ChildProcess;
  readonly exited: Promise<number | string>;
  private readonly waiting = new Set<() => void>();

  constructor(command: string, args: readonly string[], environment: Record<string, string> = {}) {
    this.process =
      spawn(command, args, { stdio: ['pipe', 'pipe', 'inherit'], env: { ...process.env, ...environment } });
    running.push(this.process);
    this.process.stdout!.setEncoding('utf8').on('data', (text: string) => {
      this.output += text;
      this.waiting.forEach(check => check());
    });
    this.exited = once(this.process, 'close').then(([code, signal]) => {
      this.waiting.forEach(check => check());
      return (code ?? signal) as number | string;
    });
  }

  /** @returns the first match behind `from` @throws when the process ends before, or time is up: with the output */
  find(pattern: RegExp, from = 0): Promise<RegExpExecArray> {
    return new Promise((resolve, reject) => {
      const timeout = setTimeout(() => reject(new Error(`has not said ${pattern}:\n${this.output}`)), PATIENCE);
      const check = (): void => {
        const match = pattern.exec(this.output.slice(from));
        if (match === null && this.process.exitCode === null && this.process.signalCode === null)
          return;
        clearTimeout(timeout);
        this.waiting.delete(check);
        if (match === null)
          reject(new Error(`ended without ${pattern}:\n${this.output}`));
        else
          resolve(match);
      };
      this.waiting.add(check);
      check();
    });
  }
}

/** In a pseudo-terminal of this size. */
function startInTerminal(environment: Record<string, string> = {}): Demo {
  const command = `stty rows 30 cols 100 && exec '${process.execPath}' '${PROGRAM}'`;
  const args = process.platform === 'darwin' ? ['-q', '/dev/null', 'sh', '-c', command]
    : ['-qec', command, '/dev/null'];
  return new Demo('script', args, { TERM: 'xterm', NO_COLOR: '', ...environment });
}

async function isListening(port: number): Promise<boolean> {
  const socket = connect(port, '127.0.0.1');
  try {
    await once(socket, 'connect');
    return true;
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}

describe('the demo', { timeout: 2 * PATIENCE }, () => {
  test.each(['SIGINT',
    'SIGTERM'] as const)('brings a message to the broker within ten seconds, and ends cleanly at %s', async signal => {
    const startedAt = performance.now();
    const demo = new Demo(process.execPath, [PROGRAM]);
    const ready = await demo.find(/^ready listener=127\.0\.0\.1:(\d+) upstream=mqtt:\/\/127\.0\.0\.1:(\d+) page=http:\/\/127\.0\.0\.1:\d+\/$/m);
    const ports = ready.slice(1).map(Number);
    await demo.find(/info first message at the broker, [\d.]+ s after the start: demo\/\S+ \S+\n/);
    expect(performance.now() - startedAt).toBeLessThan(10_000);
    await demo.find(new RegExp(`^watch: mosquitto_sub -h 127\\.0\\.0\\.1 -p ${ports[1]} -t 'demo/#' -v$`, 'm'));
    await demo.find(new RegExp(`^send: mosquitto_pub -h 127\\.0\\.0\\.1 -p ${ports[0]} -t hello -m world$`, 'm'));
    for (const port of ports)
      expect(await isListening(port)).toBe(true);

    const stoppedAt = performance.now();
    demo.process.kill(signal);
    expect(await demo.exited).toBe(0);
    expect(performance.now() - stoppedAt).toBeLessThan(2000);
    expect(demo.output).toMatch(/\nstopped after 0:00:\d\d: \d+ messages reached the broker, 0 dropped\n$/);
    for (const port of ports)
      expect(await isListening(port)).toBe(false);
  });

  test('connects three nodes, of which one vanishes, leaves its Will at the broker and comes back', async () => {
    const demo = new Demo(process.execPath, [PROGRAM]);
    await demo.find(/info node "weather" .*connected with MQTT 3\.1\.1\n/);
    await demo.find(/info node "door" .*connected with MQTT 3\.1\n/);
    await demo.find(/info node "rover" .*connected with MQTT 3\.1\.1\n/);
    await demo.find(/info the Will has arrived at the broker: demo\/rover\/status gone\n/);
    const status = await demo.find(/^status upstream: connected; nodes: [23] of \d; store: .* 0 dropped; broker: .*$/m);
    for (const topic of ['air/temperature', 'pump/running', 'weather/humidity', 'door/state', 'rover/battery',
      'rover/status'])
      expect(status[0]).toContain(` demo/${topic}=`);
    await demo.find(/rover" from \S+ connected[^]*rover" from \S+ connected/);
    expect(demo.output).not.toMatch(/[\x00-\x09\x0b-\x1f]/);
    demo.process.kill('SIGINT');
    expect(await demo.exited).toBe(0);
    expect(demo.output).toMatch(/node "weather" .*is gone: normal disconnection/);
  });

  test('takes a terminal over, obeys its keys, and gives it back', async () => {
    const demo = startInTerminal();
    await demo.find(/u: pull the upstream plug/);
    await demo.find(/first message at the broker/);
    let seen = demo.output.length;
    demo.process.stdin!.write('u');
    await demo.find(/u: put the upstream plug back/, seen);
    await demo.find(/[1-9]\d* messages, .*0 dropped/, seen);
    seen = demo.output.length;
    demo.process.stdin!.write('u');
    await demo.find(/all that waited has arrived: [1-9]\d* messages, 0 dropped/, seen);
    seen = demo.output.length;
    demo.process.stdin!.write('n');
    await demo.find(/gone without DISCONNECT, back in \d s/, seen);
    demo.process.stdin!.write('q');
    expect(await demo.exited).toBe(0);

    const modes = [...demo.output.matchAll(/\x1b\[\?(\d+[hl])/g)].map(match => match[1]);
    expect(modes).toEqual(['1049h', '25l', '25h', '1049l']);
    const frames = demo.output.split('\x1b[H').slice(1).map(frame => frame.split('\x1b[J')[0]!);
    expect(frames.length).toBeGreaterThan(4);
    for (const frame of frames) {
      const lines = frame.replace(/\x1b\[[\d;]*[mK]/g, '').split('\n');
      expect(lines.length).toBeLessThanOrEqual(30);
      for (const line of lines)
        expect(line.replaceAll('\r', '').length).toBeLessThan(100);
    }
    expect(demo.output).toMatch(/\x1b\[\?1049lstopped after [^\x1b]*$/);
  });

  test('has no colours when NO_COLOR is set, and ends at Ctrl-C', async () => {
    const demo = startInTerminal({ NO_COLOR: '1' });
    await demo.find(/first message at the broker/);
    demo.process.stdin!.write('\x03');
    expect(await demo.exited).toBe(0);
    expect(demo.output).not.toMatch(/\x1b\[[\d;]*m/);
  });
});
