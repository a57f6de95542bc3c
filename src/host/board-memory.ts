/**
 * What memory a board gives for a configuration, as far as it can be known here: the arena exactly, as a board lays it
 * out; objects of the gateway by what they take on 32-bit XS (board-memory-figures.ts, measured by `npm run features`);
 * and what the rest of the firmware takes, measured by hand.
 */
import type { Configuration } from '../config/configuration.ts';
import { PENDING } from '../gateway/gateway.ts';
import { Runtime, type RuntimeObserver } from '../io/runtime.ts';
import { FEATURES, type FeatureId, lengthOfTexts } from './board-features.ts';
import { FEATURE_LENGTHS, PROGRAM_LENGTH } from './board-memory-figures.ts';
import { createPlatform } from './platform.ts';

/** Bytes that the board reads from a socket at a time (device/main.ts). */
const LANDING_CAPACITY = 1536;

/** A slot is 16 bytes on a 32-bit processor. */
const SLOT = 16;
/** `creation.stack` of manifest.json. */
const STACK = 512 * SLOT;

/**
 * What a board gives to the program: slots, chunks and stack of XS together, in bytes. On an ESP32 that is what the
 * SDK's own target for it (nodemcu) takes at start, with Wi-Fi: chunks of 78,848 bytes and 4,928 slots, and the stack.
 * On an ESP32-C3 it is one block of a fixed size, `creation.static` of manifest.json.
 */
export const BOARDS: Readonly<Record<string, number>> = {
  esp32: 78_848 + 4_928 * SLOT + STACK,
  esp32c3: 114_688,
};

/**
 * Bytes of slots and chunks that the firmware keeps beside the gateway: main, log, authenticator, Wi-Fi, the name in
 * the local network, sockets, the SDK's set-up. Measured on 28 November 2026: host-test/size/linked-image.ts.
 */
const FIRMWARE = { program: 11_900, connection: SLOT, user: 330, passwordHash: 290, flash: 32 } as const;

/** Not measured: a driver of the SDK for what is wired to the board, beyond a simulated sensor. */
const DRIVER = 256;

/**
 * What comes and goes: lines of the log, name resolution, questions in the local network; and what the two heaps have
 * grown too much. What is left of reading the configuration comes on top; it is about twice its texts.
 */
const WORKING_ROOM = 4960;

export interface Need {
  readonly name: string;
  readonly length: number;
}

/** What the program takes of a board's memory. */
export const memoryNeeds = (configuration: Configuration): Need[] =>
  [...gatewayNeeds(configuration), ...firmwareNeeds(configuration)];

export function gatewayNeeds(configuration: Configuration): Need[] {
  const parts = new Map<string, number>();
  for (const id of Object.keys(FEATURES) as FeatureId[]) {
    const { count, part } = FEATURES[id];
    parts.set(part, (parts.get(part) ?? 0) + count(configuration) * FEATURE_LENGTHS[id]);
  }
  return [
    { name: 'arena', length: memoryMap(configuration).reduce((sum, { count, length }) => sum + count * length, 0) },
    { name: 'gateway', length: PROGRAM_LENGTH },
    ...[...parts].map(([name, length]) => ({ name, length: Math.ceil(length) })),
    { name: 'texts of the configuration', length: lengthOfTexts(configuration) },
  ];
}

export function firmwareNeeds(configuration: Configuration): Need[] {
  const { listener: { max_connections, users }, sensors, store } = configuration;
  const hashes = users.filter(({ password_hash }) => password_hash !== undefined).length;
  const drivers = sensors.filter(({ type }) => !type.startsWith('simulated')).length;
  return [
    { name: 'rest of the firmware', length: FIRMWARE.program + FIRMWARE.connection * max_connections
      + FIRMWARE.user * users.length + FIRMWARE.passwordHash * hashes + DRIVER * drivers
      + (store.durability === 'flash' ? FIRMWARE.flash : 0) },
    { name: 'stack', length: STACK },
    { name: 'working room', length: WORKING_ROOM + 2 * lengthOfTexts(configuration) },
  ];
}

/** The regions of the arena as a board lays them out; those of one name are one line. */
export function memoryMap(configuration: Configuration): { name: string; count: number; length: number }[] {
  const lines = new Map<string, { name: string; count: number; length: number }>();
  layOut(configuration, regions => {
    for (const { count, length, name } of regions) {
      const line = lines.get(name);
      if (line === undefined)
        lines.set(name, { name, count, length });
      else { // topic rules have one region each
        line.length = line.length * line.count + length * count;
        line.count = 1;
      }
    }
  });
  return [...lines.values()].filter(({ count, length }) => count * length > 0);
}

function layOut(configuration: Configuration, onPlanned: NonNullable<RuntimeObserver['onPlanned']>): void {
  const silent: RuntimeObserver = {
    onPlanned, onEvent() {}, onException() {}, onListenerError() {}, onListening() {},
    onSensorFailed() {}, onSensorRecovered() {},
  };
  const authenticator = { authenticate: () => PENDING };
  const platform = { ...createPlatform(authenticator), landingCapacity: LANDING_CAPACITY, resizable: true };
  new Runtime(configuration, platform, silent);
}
