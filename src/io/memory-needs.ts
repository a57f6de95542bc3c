/**
 * What a configuration takes of a board's memory beside the arena: objects of the gateway by what they take on 32-bit
 * XS (board-memory-figures.ts, measured by `npm run features`), and what the rest of the firmware takes, measured by
 * hand. `ringbridge check` and the board itself compute with the same figures.
 */
import type { Configuration } from '../config/configuration.ts';
import { FEATURES, type FeatureId, lengthOfTexts } from './board-features.ts';
import { FEATURE_LENGTHS, PROGRAM_LENGTH } from './board-memory-figures.ts';

/** A slot is 16 bytes on a 32-bit processor. */
const SLOT = 16;
/** `creation.stack` of manifest.json. */
const STACK = 512 * SLOT;

/**
 * What a board gives to the program: slots, chunks and stack of XS together, in bytes. On an ESP32 that is what the
 * SDK's own target for it (nodemcu) takes at start, with Wi-Fi: chunks of 78,848 bytes and 4,928 slots, and the stack;
 * its targets for an ESP32-C6, S2 and S3 take the same.
 * On an ESP32-C3 it is one block of a fixed size, `creation.static` of manifest.json.
 */
const USUAL = 78_848 + 4_928 * SLOT + STACK;
export const BOARDS: Readonly<Record<string, number>> = Object.freeze({
  esp32: USUAL, esp32c3: 114_688, esp32c6: USUAL, esp32s2: USUAL, esp32s3: USUAL,
});

/**
 * Bytes of slots and chunks that the firmware keeps beside the gateway: main, log, authenticator, Wi-Fi, the name in
 * the local network, sockets, the SDK's set-up. Measured on 28 November 2026: host-test/size/linked-image.ts.
 */
const FIRMWARE = Object.freeze({ program: 11_900, connection: SLOT, user: 330, passwordHash: 290, flash: 32 } as const);

/** Not measured: what the SDK keeps of a pin or a bus for what is wired to the board. */
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

/** What the gateway takes beside the arena. */
export function objectNeeds(configuration: Configuration): Need[] {
  const parts = new Map<string, number>();
  for (const id of Object.keys(FEATURES) as FeatureId[]) {
    const { count, part } = FEATURES[id];
    parts.set(part, (parts.get(part) ?? 0) + count(configuration) * FEATURE_LENGTHS[id]);
  }
  return [
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

export const total = (needs: readonly Need[]): number => needs.reduce((sum, { length }) => sum + length, 0);

/** @param sizes with which it fits, which a board cannot work out */
export const describeShortage = (missing: number, board: string, sizes?: string): string =>
  `does not fit the memory of the board "${board}": ${missing} bytes too much; `
  + (sizes !== undefined ? `with ${sizes} it fits`
    : 'lower what the RAM map shows as large: listener.max_connections, max_sessions, max_packet_size and max_queued_bytes, '
    + 'upstream.max_packet_size, store.ram, memory.topics');
