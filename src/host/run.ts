/**
 * Runs a gateway in this process: from a checked configuration to the ready line, and from a signal to a clean end.
 */
import type { Configuration } from '../config/configuration.ts';
import type { Runtime } from '../io/runtime.ts';
import type { LoadedConfiguration } from './config.ts';
import { addressesOf, type Further, Gateways, type WholePlan } from './gateways.ts';
import { HostGateway } from './host-gateway.ts';
import { type Log, messageOf, ONCE } from './log.ts';
import { dieOf, endNow } from './process-end.ts';
import { takeSignals } from './early-signals.ts';
import { PageChanges } from './page-changes.ts';
import { PageOpening, pageSubject } from './page-opening.ts';
import { causesOf, writtenAfter, type WrittenKeys } from './reload-causes.ts';
import { describeFurther, describeReload } from './reload-texts.ts';
import { ServiceManager } from './service-manager.ts';
import { statusLine } from './status-command.ts';
import { statusFolders } from './status-place.ts';
import { StatusServer } from './status-server.ts';
import { describeStatus } from './status-view.ts';

export interface RunningGateway {
  readonly runtime: Runtime;
  /** In use, even if the configuration said 0. */
  readonly port: number;
  /** Says goodbye to the Server and to the nodes; takes three seconds at most. */
  stop(): Promise<void>;
}

/** What is said after a signal is news each time. */
const NEWS = 'SIGHUP ';
/** Milliseconds from a signal to the end, whatever does not answer; less than signal-guard.ts has. */
const LONGEST_END = 2600;

/** Milliseconds from one attempt to get the listener's port to the next. */
const LISTEN_INTERVAL = 30_000;

/** Milliseconds from one line about the status to the next. */
const REPORT_INTERVAL = 5000;

const FAILURE = 1;

const NOTHING: WrittenKeys = new Map();

/**
 * @param onLost the listener is gone later on
 * @returns when nodes may connect
 * @throws Error whose message says what to do: the port cannot be had, a sensor type does not exist
 */
export async function startGateway(configuration: Configuration, log: Log, onLost: (message: string) => void = () =>
  {}): Promise<RunningGateway> {
  let port = 0;
  let settle!: (error?: Error) => void;
  const listening = new Promise<void>((resolve, reject) => settle = error => error ? reject(error) : resolve());
  const gateway = await HostGateway.create(configuration, log, {
    onListening: actual => {
      port = actual;
      settle();
    },
    onNotListening: message => port === 0 ? settle(new Error(message)) : onLost(message),
  });
  gateway.start();
  try {
    await listening;
  } catch (error) {
    await gateway.stop();
    throw error;
  }
  return { runtime: gateway.runtime, port, stop: () => gateway.stop() };
}

export interface RunOptions {
  /** To end with 1 when the port or the storage cannot be had, instead of going on without. */
  readonly isStrict?: boolean;
  /** Milliseconds. */
  readonly listenInterval?: number;
  /** Of the configuration: `ringbridge status` finds the gateway by it. Without it nobody can ask. */
  readonly file?: string;
  /** Prints a line about the status every five seconds. */
  readonly reports?: boolean;
  /** What of the configuration stands in the file. */
  readonly written?: WrittenKeys | undefined;
  /** Each upstream and each listener but the first one. */
  readonly others?: Further | undefined;
  /** Reads the configuration again. Without it SIGHUP changes nothing. */
  readonly load?: () => LoadedConfiguration;
}

/**
 * Until SIGINT or SIGTERM; a second signal ends at once.
 * @returns the exit code
 */
export function runUntilSignal(configuration: Configuration, log: Log, print: (line: string) => void,
  options: RunOptions = {}): Promise<number> {
  return new Run(configuration, log, print, options).run();
}

class Run {
  private readonly configuration: Configuration;
  private readonly log: Log;
  private readonly print: (line: string) => void;
  private readonly options: RunOptions;
  private readonly ended: Promise<number>;
  private end!: (exitCode: number) => void;
  private gateway: Gateways | undefined = undefined;
  private signalCount = 0;
  private limit: NodeJS.Timeout | undefined = undefined;
  private listening: NodeJS.Timeout | undefined = undefined;
  private reporting: NodeJS.Timeout | undefined = undefined;
  private statusServer: StatusServer | undefined = undefined;
  private readonly serviceManager: ServiceManager;
  private isReloadWanted = false;
  private isReloading = false;
  private isQuestionWanted = false;
  /** What stands in the file of what is in force. */
  private written: WrittenKeys;
  /** What the last ready line said. */
  private readyLine = '';
  /** Of the ready line. */
  private listener = 'none';
  private page: PageOpening | undefined = undefined;
  private changes: PageChanges | undefined = undefined;

  constructor(configuration: Configuration, log: Log, print: (line: string) => void, options: RunOptions) {
    this.configuration = configuration;
    this.log = log;
    this.print = print;
    this.options = options;
    this.written = options.written ?? NOTHING;
    this.serviceManager = new ServiceManager(log);
    this.ended = new Promise(resolve => this.end = resolve);
  }

  async run(): Promise<number> {
    const handlers = [['SIGHUP', this.onHangUp], ['SIGINT', this.onSignal], ['SIGTERM', this.onSignal], ['SIGUSR2', this.onQuestion],
      ['uncaughtException', this.onDefect]] as const;
    handlers.forEach(([name, handler]) => process.on(name, handler));
    [this.isReloadWanted, this.isQuestionWanted] = takeSignals();
    try {
      const creating = this.create();
      const gateway = await Promise.race([creating, this.ended.then(() => undefined)]);
      if (gateway === undefined) { // a signal came first
        creating.catch(() => {});
        return await this.ended;
      }
      this.gateway = gateway;
      if (!await this.openPage(gateway))
        this.end(FAILURE);
      gateway.start();
      this.tellStatus();
      if (this.isReloadWanted)
        this.onHangUp();
      if (this.isQuestionWanted)
        this.onQuestion();
      const exitCode = await this.ended;
      await gateway.stop();
      return exitCode;
    } finally {
      void this.serviceManager.close();
      clearTimeout(this.limit);
      clearTimeout(this.listening);
      clearInterval(this.reporting);
      this.statusServer?.close();
      this.page?.close();
      this.changes?.close();
      handlers.forEach(([name, handler]) => process.off(name, handler));
    }
  }

  private create(): Promise<Gateways> {
    const { configuration, log, options } = this;
    return Gateways.create(configuration, options.others ?? {}, log, {
      onListening: port =>
        this.sayReady(this.gateway?.places?.join(',') ?? hostAndPort(configuration.listener.address, port)),
      onNotListening: message => this.onNotListening(message),
      ...options.isStrict === true && { onPortMissing: () => this.end(FAILURE) },
    }, options.isStrict === true ? () => this.end(FAILURE) : undefined);
  }

  /** Readings go out all the same, and what nodes sent before. */
  private onNotListening(message: string): void {
    const { isStrict, listenInterval = LISTEN_INTERVAL } = this.options;
    const { sensors, topic } = this.configuration;
    if (isStrict === true || topic.length === 0 && sensors.length === 0) { // there is nothing else to do
      this.giveUp(message);
      return;
    }
    const text = `${message}; no node can connect until then, tried again every ${listenInterval / 1000} seconds`;
    this.log.write('error', text, text, ONCE);
    this.sayReady('none');
    this.listening = setTimeout(() => this.gateway?.listenAgain(), listenInterval).unref();
  }

  /** Before nodes may connect: the ready line names it. @returns false when that ends the program */
  private async openPage(gateway: Gateways): Promise<boolean> {
    const { configuration, configuration: { page }, log, options } = this;
    if (page === null)
      return true;
    this.changes = options.file === undefined || options.load === undefined ? undefined
      : new PageChanges(options.file, gateway.runtime, log, this.onHangUp, wanted => gateway.planFor(wanted));
    const subject = { ...pageSubject(gateway.first, configuration, page), status: () => gateway.status };
    this.page = new PageOpening(page, subject, log, this.changes?.resources ?? [], () => this.sayReady(this.listener));
    return await this.page.open() || options.isStrict !== true;
  }

  private giveUp(message: string): void {
    this.log.write('error', message);
    this.end(FAILURE);
  }

  private sayReady(listener: string): void {
    this.listener = listener;
    const page = this.page?.url === undefined ? '' : ` page=${this.page.url}`;
    const { further = [] } = this.options.others ?? {};
    const upstream = addressesOf([this.configuration, ...further.map(({ configuration }) => configuration)]);
    const line = `ready listener=${listener} upstream=${upstream}${page}`;
    if (line !== this.readyLine) {
      this.print(line);
      this.serviceManager.ready(line);
    }
    this.readyLine = line;
  }

  private readonly onSignal = (signal: NodeJS.Signals): void => {
    if (++this.signalCount > 1) {
      dieOf(signal);
      return;
    }
    this.log.write('info', `${signal}: stopping`);
    this.serviceManager.stopping();
    this.end(0);
    this.limit = setTimeout(() => {
      process.exitCode = 0;
      endNow();
    }, LONGEST_END).unref();
  };

  /** A defect that shows in one connection's event costs that one; before the gateway runs it ends the program. */
  private readonly onDefect = (error: unknown): void => {
    if (this.gateway === undefined)
      throw error;
    this.gateway.runtime.recover(error);
  };

  /** One after the other: a signal that comes meanwhile is not lost, two are one. */
  private readonly onHangUp = (): void => {
    this.isReloadWanted = true;
    if (this.gateway !== undefined && !this.isReloading && this.signalCount === 0)
      void this.reload(this.gateway);
  };

  private async reload(gateway: Gateways): Promise<void> {
    const { log, options: { load } } = this;
    this.isReloading = true;
    while (this.isReloadWanted && this.signalCount === 0) {
      this.isReloadWanted = false;
      const { configuration, errors, warnings, written = NOTHING, ...others } =
        load?.() ?? { configuration: undefined, errors: [], warnings: [] };
      errors.forEach(error => log.write('error', error, NEWS + error));
      warnings.forEach(warning => log.write('warning', warning, NEWS + warning));
      if (configuration === undefined)
        log.write('error', 'SIGHUP: nothing has changed: the configuration has errors', NEWS);
      else
        try {
          this.describe(await gateway.reload(configuration, others), written)
            .forEach(({ level, text }) => log.write(level, `SIGHUP: ${text}`, NEWS + text));
        } catch (error) {
          log.write('error', `SIGHUP: nothing has changed: ${messageOf(error)}`, NEWS);
        }
      this.page?.reload();
      log.forget(NEWS);
    }
    this.isReloading = false;
  }

  private describe(plan: WholePlan, written: WrittenKeys): ReturnType<typeof describeReload> {
    const before = this.written;
    this.written = writtenAfter(before, written, plan.refusals.map(({ path }) => path));
    return [...describeReload(plan, path => causesOf(path, before, written)), ...describeFurther(plan)];
  }

  /** To whoever asks, and unasked if that is wanted. */
  private tellStatus(): void {
    const { configuration: { store }, log, options: { file, reports } } = this;
    if (file !== undefined)
      this.statusServer = new StatusServer(statusFolders(file, store), file, () => statusLine(this.gateway!.status),
        reason => log.write('info', `"ringbridge status" cannot reach this gateway: ${reason}; `
          + 'let it write to $XDG_RUNTIME_DIR, $RUNTIME_DIRECTORY or the folder of its configuration'));
    if (reports === true)
      this.reporting = setInterval(() => this.print(`status ${describeStatus(this.gateway!.status)}`), REPORT_INTERVAL).unref();
  }

  private readonly onQuestion = (): void => {
    this.isQuestionWanted = this.gateway === undefined;
    if (this.gateway !== undefined)
      this.print(statusLine(this.gateway.status));
  };
}

const hostAndPort = (host: string, port: number): string => `${host.includes(':') ? `[${host}]` : host}:${port}`;
