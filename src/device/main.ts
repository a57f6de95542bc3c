/**
 * The entry point on the ESP32 and in Moddable's simulator: hands the sockets of the platform to the gateway, starts
 * it, and tells it when the network is there. What the two do not have in common is in the module `board`.
 */
import config from 'mc/config';
import Listener from 'embedded:io/socket/listener';
import TCP from 'embedded:io/socket/tcp';
import Time from 'time';
import Timer from 'timer';
import { announce, createNatives, createSensors, openStorage, restart, startNetwork } from 'board';
import { DeviceAuthenticator } from './authentication.ts';
import { attempt, useConfiguration } from './configuration.ts';
import { type Configuration, NOBODY, Runtime, type RuntimeObserver } from './core.ts';
import { describeError, EventLog, log, setLineWriter } from './log.ts';
import {
  codeOfAbort, Diagnosis, NOTHING_AT_HAND, SESSION_AT_HAND, UPSTREAM_AT_HAND,
} from './natives.ts';
import { DeviceResolver } from './resolver.ts';
import { waitForGood } from './wait-for-good.ts';
import { DeviceTimer } from './timer.ts';
import { UPSTREAM } from '../config/events.ts';
import { describeFailure } from '../gateway/event-texts-nodes.ts';
import type { ListenerConstructor, TCPConstructor } from '../io/transport.ts';

/** One segment of the network: more is seldom there at once. */
const LANDING_CAPACITY = 1536;

/** Before another attempt when the gateway cannot start, for the user to read why. */
const RESTART_DELAY = 30_000;

/** Before another attempt to open the listener: sockets may have come free. */
const LISTEN_DELAY = 30_000;

/** Of safe mode, once it works, before the stored configuration is tried again. */
const SAFE_MODE_DURATION = 15 * 60_000;

let running: Runtime | undefined;

const natives = createNatives();

/**
 * Called by XS before it gives up (`defines.xs.abortHook` of the manifest). An exception that has left a callback costs
 * one connection, or, if it comes from a module of the SDK, for instance because of an answer of the network that it
 * cannot read, nothing. Everything else ends the program, and the board restarts.
 */
(globalThis as { abort?: (reason: string, exception: unknown) => boolean }).abort = (reason, exception) => {
  if (reason !== 'unhandled exception' || running === undefined) {
    natives?.ringbridge_note_write(codeOfAbort(reason), noteOf(running?.subjectAtHand)); // allocates nothing
    log(`${reason}: ${describeError(exception)}`);
    return true;
  }
  running.recover(exception);
  return false;
};

function createRuntime(configuration: Configuration, arenaLimit: number): Runtime {
  const events = new EventLog();
  const observer: RuntimeObserver = {
    onListening() { /* the board does not tell */ },
    onListenerError(message) {
      log(`cannot listen: ${message}; the next attempt is in ${LISTEN_DELAY / 1000} seconds`);
      Timer.set(() => runtime.joinNetwork(), LISTEN_DELAY);
    },
    onException: error => log(`defect: ${describeError(error)}`),
    onEvent: (event, subject, detail) => events.report(runtime.gateway, event, subject, detail),
    onStoreRemark: (message, isUsed) => log(isUsed ? message : `${message}; ${describeFailure(runtime.gateway)}`),
    onSensorFailed: (sensor, error) => log(`sensor "${sensor.name}" fails: ${describeError(error)}`),
    onSensorRecovered: sensor => log(`sensor "${sensor.name}" works again`),
    onSensorExpired: sensor =>
      log(`sensor "${sensor.name}" has given no reading for ${sensor.expire_after} seconds: it is unavailable`),
  };
  const createTimer = (onTimer: () => void): DeviceTimer => new DeviceTimer(onTimer);
  const time = (): number => Time.ticks;
  const authenticator = new DeviceAuthenticator(configuration.listener, Math.random, createTimer, time);
  const runtime = new Runtime(configuration, {
    TCP: TCP as TCPConstructor,
    Listener: Listener as ListenerConstructor,
    resolver: new DeviceResolver(error => observer.onException(error)),
    authenticator,
    createSensor: createSensors(natives),
    createTimer,
    time,
    random: Math.random,
    firstIdentifier: Math.random,
    landingCapacity: LANDING_CAPACITY,
    arenaLimit,
    machine,
    resizable: true,
    date,
    openStorage,
    restart,
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

/** What was at hand, for the note that survives the restart. */
function noteOf(subject = NOBODY): number {
  return subject >= 0 ? SESSION_AT_HAND + subject : subject === UPSTREAM ? UPSTREAM_AT_HAND : NOTHING_AT_HAND;
}

/** A new firmware is accepted, else the bootloader goes back to the one before it. */
function acceptImage(): void {
  if (natives?.ringbridge_image_is_on_trial() !== 1)
    return;
  const error = natives.ringbridge_image_accept();
  log(error === 0 ? 'the new firmware works and stays' : `the new firmware cannot be accepted: error ${error}`);
}

/** What can be asked of the board later on. */
let machine: Diagnosis | undefined;

function tellOfStart(): void {
  if (natives === undefined)
    return;
  if (config.serial_log !== 'off')
    setLineWriter(text => natives.ringbridge_log_line(text, Time.ticks));
  machine = new Diagnosis(natives);
  log(machine.startText);
}

run(() => {
  tellOfStart();
  const { plan, used: runtime } = useConfiguration(createRuntime);
  running = runtime;
  const { arena, configuration } = runtime.gateway;
  log(`ringbridge "${configuration.name}", ${arena.length} bytes of arena`);
  runtime.start(false); // readings wait in the store for a network that is not there yet
  waitForGood(() => runtime.isListening, () => {
    attempt(() => plan?.markGood());
    acceptImage();
    if (machine !== undefined)
      log(`memory: ${machine.heapFree} bytes free, ${machine.heapMinimum} at least, ${machine.heapLargest} in one piece`);
    if (plan?.isSafeMode === true)
      Timer.set(restart, SAFE_MODE_DURATION);
  });
  let isNew = true;
  const network = startNetwork(() => {
    runtime.joinNetwork();
    if (isNew) {
      log(`ready listener=:${configuration.listener.port} upstream=${configuration.upstream.address[0]}`);
      announce(configuration.name);
    }
    isNew = false;
  });
  if (machine !== undefined)
    machine.network = network;
});
