/**
 * Programs that a test starts, and what they say. A test waits for lines of output, never for time to pass; every
 * program ends with the scene that started it, and what they all said becomes part of the error when the scene fails.
 *
 * Knows nothing of MQTT.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

/** Longest wait for anything, in milliseconds; reached only when something is wrong. */
export const PATIENCE = 20_000;
/** Debian keeps servers where an ordinary user's path does not lead. */
const PATH = `${process.env['PATH'] ?? ''}:/usr/sbin:/sbin`;

export interface Exit {
  code: number | null;
  signal: NodeJS.Signals | null;
}

interface Waiter {
  pattern: RegExp;
  from: number;
  resolve(line: string): void;
  reject(error: Error): void;
  timer: NodeJS.Timeout;
}

/** Should a test run out of time, nobody else would end them. */
const running = new Set<ChildProcess>();
process.on('exit', () => {
  for (const child of running)
    child.kill('SIGKILL');
});

export class Program {
  readonly name: string;
  /** Both streams. */
  readonly lines: string[] = [];
  private readonly ended: Promise<Exit>;
  private readonly child: ChildProcess;
  private waiters: Waiter[] = [];
  private hasEnded = false;

  /** @param takesInput whether `write` is used; else it finds an end of input at once */
  constructor(name: string, command: string, args: readonly string[], transcript: string[], takesInput = false) {
    this.name = name;
    const child = this.child =
      spawn(command, args, { env: { ...process.env, PATH }, stdio: [takesInput ? 'pipe' : 'ignore', 'pipe', 'pipe'] });
    child.stdin?.on('error', () => {}); // it has ended
    running.add(child);
    for (const stream of [child.stdout!, child.stderr!])
      createInterface({ input: stream }).on('line', line => {
        this.lines.push(line);
        transcript.push(`${name}: ${line}`);
        this.settle();
      });
    this.ended = new Promise((resolve, reject) => {
      child.on('error', error => {
        this.end();
        reject(new Error(`${name}: ${error.message}`));
      });
      child.on('close', (code, signal) => {
        transcript.push(`${name}: ends, ${signal ?? `code ${code}`}`);
        this.end();
        resolve({ code, signal });
      });
    });
    this.ended.catch(() => {}); // whoever waits for it is told all the same
  }

  /** How many lines there are: a later `line` may ask for those behind. */
  get mark(): number {
    return this.lines.length;
  }

  /**
   * The first line that matches, among those from number `from` on. @throws Error when the program ends without it,
   * or takes too long
   */
  line(pattern: RegExp, from = 0): Promise<string> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        this.waiters = this.waiters.filter(other => other !== waiter);
        reject(new Error(`${this.name} has not said ${pattern} within ${PATIENCE} ms`));
      }, PATIENCE);
      const waiter: Waiter = { pattern, from, resolve, reject, timer };
      this.waiters.push(waiter);
      this.settle();
    });
  }

  /** A line of input. */
  write(line: string): void {
    this.child.stdin!.write(`${line}\n`);
  }

  /** How many of the lines so far match. */
  count(pattern: RegExp): number {
    return this.lines.filter(line => pattern.test(line)).length;
  }

  kill(signal: NodeJS.Signals): void {
    this.child.kill(signal);
  }

  /** Waits until the program has ended and all it said has been read. */
  exit(): Promise<Exit> {
    return patiently(`${this.name} ends`, this.ended);
  }

  /** Ends the program, if it has not ended, and waits for that. */
  async stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<Exit> {
    this.kill(signal);
    return this.exit();
  }

  private settle(): void {
    this.waiters = this.waiters.filter(({ from, pattern, resolve, timer }) => {
      const found = this.lines.slice(from).find(line => pattern.test(line));
      if (found === undefined)
        return true;
      clearTimeout(timer);
      resolve(found);
      return false;
    });
  }

  private end(): void {
    this.hasEnded = true;
    running.delete(this.child);
    this.settle();
    for (const { pattern, reject, timer } of this.waiters.splice(0)) {
      clearTimeout(timer);
      reject(new Error(`${this.name} has ended without saying ${pattern}`));
    }
  }

  get isRunning(): boolean {
    return !this.hasEnded;
  }
}

/** Everything that one test has started. */
export class Scene {
  readonly directory: string;
  readonly transcript: string[] = [];
  private readonly programs: Program[] = [];
  private readonly endings: (() => unknown)[] = [];

  private constructor(directory: string) {
    this.directory = directory;
  }

  /** For several tests; whoever opens it ends it. */
  static async open(): Promise<Scene> {
    return new Scene(await mkdtemp(join(tmpdir(), 'ringbridge-')));
  }

  /** Plays a scene. @throws what `play` throws, with the transcript */
  static async play(play: (scene: Scene) => Promise<void>): Promise<void> {
    const scene = await Scene.open();
    try {
      await play(scene);
    } catch (error) {
      if (error instanceof Error)
        error.message += `\n\n${scene.transcript.join('\n')}\n`;
      throw error;
    } finally {
      await scene.end();
    }
  }

  start(name: string, command: string, ...args: string[]): Program {
    return this.run(name, command, args, false);
  }

  /** One that reads what `write` sends. */
  startWithInput(name: string, command: string, ...args: string[]): Program {
    return this.run(name, command, args, true);
  }

  private run(name: string, command: string, args: string[], takesInput: boolean): Program {
    this.transcript.push(`${name}: ${command} ${args.join(' ')}`);
    const program = new Program(name, command, args, this.transcript, takesInput);
    this.programs.push(program);
    return program;
  }

  /** To be done when the scene is over, whatever has happened. */
  finally(ending: () => unknown): void {
    this.endings.push(ending);
  }

  async end(): Promise<void> {
    for (const ending of this.endings)
      await ending();
    await Promise.allSettled(this.programs.filter(program => program.isRunning).map(program =>
      program.stop('SIGKILL')));
    await rm(this.directory, { recursive: true, force: true });
  }
}

/** Waits for a promise, but not for ever. */
export async function patiently<Result>(what: string, promise: Promise<Result>): Promise<Result> {
  let timer: NodeJS.Timeout | undefined;
  const tooLong = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error(`${what}: not within ${PATIENCE} ms`)), PATIENCE);
  });
  try {
    return await Promise.race([promise, tooLong]);
  } finally {
    clearTimeout(timer);
  }
}
