/**
 * The entry point on the ESP32 and in Moddable's simulator: hands the sockets of the platform to the gateway, starts
 * it, and tells it when the network is there. What the two do not have in common is in the module `board`.
 */
import Listener from 'embedded:io/socket/listener';
import TCP from 'embedded:io/socket/tcp';
import Time from 'time';
import Timer from 'timer';
import { announce, createSensors, openStorage, restart, startNetwork } from 'board';
import { DeviceAuthenticator } from './authentication.ts';
import { useConfiguration } from './configuration.ts';
import { type Configuration, Runtime, type RuntimeObserver } from './core.ts';
import { describeError, EventLog, log } from './log.ts';
import { DeviceResolver } from './resolver.ts';
import { DeviceTimer } from './timer.ts';
import type { ListenerConstructor, TCPConstructor } from '../io/transport.ts';

/** One segment of the network: more is seldom there at once. */
const LANDING_CAPACITY = 1536;

/** Before another attempt when the gateway cannot start, for the user to read why. */
const RESTART_DELAY = 30_000;

/** Before another attempt to open the listener: sockets may have come free. */
const LISTEN_DELAY = 30_000;

let running: Runtime | undefined;

/**
 * Called by XS before it gives up (`defines.xs.abortHook` of the manifest). An exception that has left a callback costs
 * one connection, or, if it comes from a module of the SDK, for instance because of an answer of the network that it
 * cannot read, nothing. Everything else ends the program, and the board restarts.
 */
(globalThis as { abort?: (reason: string, exception: unknown) => boolean }).abort = (reason, exception) => {
  if (reason !== 'unhandled exception' || running === undefined) {
    log(`${reason}: ${describeError(exception)}`);
    return true;
  }
  running.recover(exception);
  return false;
};

function createRuntime(configuration: Configuration): Runtime {
  const events = new EventLog();
  const observer: RuntimeObserver = {
    onListening() { /* the board does not tell */ },
    onListenerError(message) {
      log(`cannot listen: ${message}; the next attempt is in ${LISTEN_DELAY / 1000} seconds`);
      Timer.set(() => runtime.joinNetwork(), LISTEN_DELAY);
    },
    onException: error => log(`defect: ${describeError(error)}`),
    onEvent: (event, subject, detail) => events.report(runtime.gateway, event, subject, detail),
    onStoreRemark: (message, isUsed) => log(isUsed ? message : `messages are kept in memory only: ${message}`),
    onSensorFailed: (sensor, error) => log(`sensor "${sensor.name}" fails: ${describeError(error)}`),
    onSensorRecovered: sensor => log(`sensor "${sensor.name}" works again`),
    onSensorExpired: sensor => log(`sensor "${sensor.name}" has given no reading for ${sensor.expire_after} seconds: it is unavailable`),
  };
  const createTimer = (onTimer: () => void): DeviceTimer => new DeviceTimer(onTimer);
  const time = (): number => Time.ticks;
  const authenticator = new DeviceAuthenticator(configuration.listener, Math.random, createTimer, time);
  const runtime = new Runtime(configuration, {
    TCP: TCP as TCPConstructor,
    Listener: Listener as ListenerConstructor,
    resolver: new DeviceResolver(error => observer.onException(error)),
    authenticator,
    createSensor: createSensors(),
    createTimer,
    time,
    random: Math.random,
    firstIdentifier: Math.random,
    landingCapacity: LANDING_CAPACITY,
    resizable: true,
    date,
    openStorage,
  }, observer);
  authenticator.runtime = runtime;
  return runtime;
}

/** Nobody has set the clock of a board that thinks it is earlier: 1 January 2024. */
const EARLIEST_DATE = 1_704_067_200;

function date(): number {
  const seconds = Math.floor(Date.now() / 1000);
  return seconds < EARLIEST_DATE ? 0 : seconds;
}

function run(start: () => void): void {
  try {
    start();
  } catch (error) {
    log(`not started: ${describeError(error)}`);
    Timer.set(restart, RESTART_DELAY);
  }
}

run(() => {
  const runtime = running = useConfiguration(createRuntime);
  const { arena, configuration } = runtime.gateway;
  log(`ringbridge "${configuration.name}", ${arena.length} bytes of arena`);
  runtime.start(false); // readings wait in the store for a network that is not there yet
  let isNew = true;
  startNetwork(() => {
    runtime.joinNetwork();
    if (isNew) {
      log(`ready listener=:${configuration.listener.port} upstream=${configuration.upstream.address[0]}`);
      announce(configuration.name);
    }
    isNew = false;
  });
});
