/**
 * Runs a gateway in this process: from a checked configuration to the ready line, and from a signal to a clean end.
 */
import type { Configuration } from '../config/configuration.ts';
import { parseAddress } from '../config/upstream-address.ts';
import { statusOf } from '../gateway/status.ts';
import { Runtime } from '../io/runtime.ts';
import { PasswordAuthenticator } from './authentication.ts';
import type { Log } from './log.ts';
import { LogObserver } from './log-observer.ts';
import { createPlatform } from './platform.ts';

export interface RunningGateway {
  readonly runtime: Runtime;
  /** In use, even if the configuration said 0. */
  readonly port: number;
  /** Says goodbye to the Server and to the nodes; takes three seconds at most. */
  stop(): Promise<void>;
}

/** Milliseconds from a signal to the end, whatever does not answer. */
const LONGEST_END = 2800;

/** The log is asked this often, in milliseconds, for what it has only counted. */
const FLUSH_INTERVAL = 60_000;

/**
 * @param onLost the listener is gone later on
 * @returns when nodes may connect
 * @throws Error whose message says what to do: the port cannot be had, a sensor type does not exist
 */
export async function startGateway(configuration: Configuration, log: Log, onLost: (message: string) => void = () =>
  {}): Promise<RunningGateway> {
  const authenticator = await PasswordAuthenticator.create(configuration.listener);
  return new Promise((resolve, reject) => {
    const flushing = setInterval(() => log.flush(), FLUSH_INTERVAL).unref();
    const stop = (): Promise<void> => new Promise(onStopped => {
      clearInterval(flushing);
      runtime.stop(onStopped);
    });
    let isListening = false;
    const observer = new LogObserver(log, {
      onListening: port => {
        isListening = true;
        resolve({ runtime, port, stop });
      },
      onListenerError: message => {
        if (isListening)
          onLost(message);
        else
          void stop().then(() => reject(new Error(message)));
      },
    });
    const runtime = new Runtime(withoutPasswords(configuration), createPlatform(authenticator), observer);
    observer.runtime = authenticator.runtime = runtime;
    runtime.start();
  });
}

/**
 * Until SIGINT or SIGTERM; a second signal ends at once.
 * @returns the exit code
 */
export async function runUntilSignal(configuration: Configuration, log: Log, print: (line: string) =>
  void): Promise<number> {
  let end!: (exitCode: number) => void;
  const ended = new Promise<number>(resolve => end = resolve);
  let signalCount = 0;
  let limit: NodeJS.Timeout | undefined;
  const onSignal = (signal: NodeJS.Signals): void => {
    if (++signalCount > 1)
      process.exit(signal === 'SIGINT' ? 130 : 143);
    log.write('info', `${signal}: stopping`);
    end(0);
    limit = setTimeout(() => process.exit(0), LONGEST_END).unref();
  };
  let running: RunningGateway | undefined = undefined;
  // A defect that shows in one connection's event costs that connection; before the gateway runs it ends the program.
  const onDefect = (error: unknown): void => {
    if (running === undefined)
      throw error;
    running.runtime.recover(error);
  };
  const onQuestion = (): void => {
    if (running !== undefined)
      print(JSON.stringify(statusOf(running.runtime, performance.now() | 0, Math.floor(Date.now() / 1000))));
  };
  process.on('SIGINT', onSignal).on('SIGTERM', onSignal).on('SIGUSR2', onQuestion).on('uncaughtException', onDefect);
  try {
    const starting = startGateway(configuration, log, message => {
      log.write('error', message);
      end(1);
    });
    running = await Promise.race([starting, ended.then(() => undefined)]);
    if (running === undefined) { // a signal came first
      void starting.then(late => late.stop(), () => {});
      return await ended;
    }
    const { address } = configuration.listener;
    print(`ready listener=${address}:${running.port} upstream=${configuration.upstream.address.map(urlOf).join(',')}`);
    const exitCode = await ended;
    await running.stop();
    return exitCode;
  } finally {
    clearTimeout(limit);
    process.off('SIGINT', onSignal).off('SIGTERM', onSignal).off('SIGUSR2', onQuestion).off('uncaughtException',
      onDefect);
  }
}

const urlOf = (address: string): string => {
  const { host, port } = parseAddress(address);
  return `mqtt://${host}:${port}`;
};

/** The authenticator has what it needs; nobody else needs it. */
const withoutPasswords = (configuration: Configuration): Configuration => ({
  ...configuration,
  listener: { ...configuration.listener,
    users: configuration.listener.users.map(({ mount_point = '', username }) => ({ username, mount_point })) },
});
