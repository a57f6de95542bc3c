/**
 * What a configuration means, for `ringbridge check`: which topic becomes which, and what memory a board gives for it.
 */
import type { Configuration, TopicRuleConfiguration } from '../config/configuration.ts';
import { type Gateway, PENDING } from '../gateway/gateway.ts';
import { longestStoredPacket } from '../gateway/packet-limits.ts';
import { blockLengthFor } from '../store/format.ts';
import { ERASE_CYCLES, estimateWear } from '../store/wear.ts';
import { Runtime, type RuntimeObserver } from '../io/runtime.ts';
import { printable } from './log.ts';
import { createPlatform } from './platform.ts';

/** Bytes that the board reads from a socket at a time (device/main.ts). */
export const DEVICE_LANDING_CAPACITY = 1536;

/** Of the partition that src/device/partitions.csv gives to the store. A board goes by that, not by `store.size`. */
export const DEVICE_STORE_SIZE = 0xF0000;

/** Sockets of the board, less the listener and the upstream connection. */
const DEVICE_CONNECTIONS = 6;

const ARROWS = { out: '->', in: '<-', both: '<->' } as const;

/** A slot is 16 bytes on a 32-bit processor. */
const STACK = 512 * 16;

/**
 * What a board gives to the program: slots, chunks and stack of XS together, in bytes. On an ESP32 that is what the SDK's own
 * target for it (nodemcu) takes at start, with Wi-Fi: chunks of 78,848 bytes and 4,928 slots, and the stack. On an ESP32-C3
 * it is one block of a fixed size, `creation.static` of manifest.json.
 */
export const BOARDS: Readonly<Record<string, number>> = {
  esp32: 78_848 + 4_928 * 16 + STACK,
  esp32c3: 114_688,
};

/**
 * What stands beside the arena, in bytes of slots and chunks: measured in Moddable's simulator, 32 bit, by four more of each
 * (users with hashed passwords, rules of both directions), and rounded up. To a connection belongs what a node adds when it
 * connects, with its socket; a sensor has room for the driver of a board, which the simulator does not have.
 */
const OBJECTS = { program: 32_500, connection: 1800, session: 320, sensor: 1000, user: 740, access: 460, rule: 750, store: 4600 } as const;

/** Bytes that the store keeps of each block: its sequence, and how many records it has. */
const BLOCK_STATE = 6;

/** Bytes for what comes and goes: lines of the log, name resolution, questions in the local network. */
const WORKING_ROOM = 8192;

/** @param board a name of BOARDS; undefined: a PC, whose memory is not limited */
export function describeConfiguration(configuration: Configuration, board?: string): string {
  const parts = [describeRules(configuration.topic), describeMemory(configuration)];
  if (configuration.store.durability === 'flash')
    parts.push(describeWear(configuration, board === undefined ? configuration.store.size : DEVICE_STORE_SIZE));
  if (board !== undefined)
    parts.push(describeBoard(configuration, board));
  return parts.join('\n\n');
}

/** @returns why the configuration cannot run on the board and what to do; undefined when it can */
export function findOverflow(configuration: Configuration, board: string): string | undefined {
  const missing = memoryNeeds(configuration).reduce((sum, { length }) => sum + length, 0) - BOARDS[board]!;
  return missing <= 0 ? undefined : `does not fit the memory of the board "${board}": ${missing} bytes too much; `
    + 'lower what the RAM map shows as large: listener.max_connections, max_sessions, max_packet_size and max_queued_bytes, '
    + 'upstream.max_packet_size, store.ram, memory.topics';
}

/** What works on this computer and would not on a board. */
export function notesForDevice({ listener }: Configuration): string[] {
  const notes: string[] = [];
  if (listener.max_connections > DEVICE_CONNECTIONS)
    notes.push(`listener.max_connections: a board has room for ${DEVICE_CONNECTIONS}`);
  if (listener.users.some(user => user.password_hash?.startsWith('scrypt')))
    notes.push('listener.users: a board cannot verify scrypt hashes; make others with "ringbridge passwd --device"');
  return notes;
}

function describeRules(rules: readonly TopicRuleConfiguration[]): string {
  if (rules.length === 0)
    return 'Topic rules: none';
  const rows = rules.map(({ direction, local_prefix, pattern, qos, remote_prefix }) =>
    [local_prefix + pattern, ARROWS[direction], remote_prefix + pattern, direction, String(qos)].map(printable));
  return table('Topic rules, the first that matches wins', ['local topic', '', 'remote topic', 'direction', 'QoS'], rows);
}

function describeMemory(configuration: Configuration): string {
  const regions = memoryMap(configuration);
  const rows = regions.map(({ count, length, name }) => [name, String(count), String(length), String(count * length)]);
  const total = regions.reduce((sum, { count, length }) => sum + count * length, 0);
  return table('RAM map, the arena of a board', ['region', 'count', 'bytes', 'total'], [...rows, ['all', '', '', String(total)]], 1);
}

/** Bytes of the PUBLISH packet for which the wear is told: a short topic, a short payload. */
const TYPICAL_PACKET = 100;

/** What a message costs a board's flash, and how long that lasts. */
function describeWear(configuration: Configuration, size: number): string {
  const rows = [false, true].map(isExactlyOnce => {
    const wear = estimateWear(size, blockLengthFor(longestStoredPacket(configuration)), TYPICAL_PACKET, 1, isExactlyOnce);
    return [isExactlyOnce ? '2, from a node' : '1', wear.programsPerMessage.toFixed(2), wear.erasuresPerMessage.toFixed(3), String(wear.capacity), wear.years.toFixed(0)];
  });
  return table(`Store in ${size} bytes of flash that lasts ${ERASE_CYCLES} erasures, packets of ${TYPICAL_PACKET} bytes, 1 message per second`,
    ['QoS', 'writes per message', 'erasures per message', 'messages that fit', 'years of life'], rows, 1);
}

/** What the program takes of a board's memory. */
function memoryNeeds(configuration: Configuration): { name: string; length: number }[] {
  const { listener, sensors, topic } = configuration;
  return [
    { name: 'arena', length: memoryMap(configuration).reduce((sum, { count, length }) => sum + count * length, 0) },
    { name: 'program', length: OBJECTS.program },
    { name: 'connections', length: OBJECTS.connection * listener.max_connections },
    { name: 'sessions', length: OBJECTS.session * listener.max_sessions },
    { name: 'users and their rights', length: OBJECTS.user * listener.users.length + OBJECTS.access * listener.acl.length },
    { name: 'topic rules', length: OBJECTS.rule * topic.length },
    { name: 'sensors', length: OBJECTS.sensor * sensors.length },
    { name: 'persistent store', length: lengthOfStoreTables(configuration) },
    { name: 'stack', length: STACK },
    { name: 'working room', length: WORKING_ROOM },
  ];
}

/** What the persistent store has beside the arena. */
function lengthOfStoreTables(configuration: Configuration): number {
  const { durableStore } = createGateway(configuration);
  if (durableStore === undefined)
    return 0;
  const blockCount = Math.floor(DEVICE_STORE_SIZE / blockLengthFor(longestStoredPacket(configuration)));
  return OBJECTS.store + BLOCK_STATE * blockCount + durableStore.tableLength;
}

function describeBoard(configuration: Configuration, board: string): string {
  const needs = memoryNeeds(configuration);
  const rows = needs.map(({ length, name }) => [name, String(length)]);
  const total = needs.reduce((sum, { length }) => sum + length, 0);
  return table(`Memory of the board "${board}"`, ['for', 'bytes'], [...rows, ['all', String(total)], ['there are', String(BOARDS[board])]], 1);
}

/** As a board lays it out. */
function createGateway(configuration: Configuration, onPlanned: RuntimeObserver['onPlanned'] = () => {}): Gateway {
  const silent: RuntimeObserver = {
    onPlanned, onEvent() {}, onException() {}, onListenerError() {}, onListening() {}, onSensorFailed() {}, onSensorRecovered() {},
  };
  const platform = { ...createPlatform({ authenticate: () => PENDING }), landingCapacity: DEVICE_LANDING_CAPACITY, resizable: true };
  return new Runtime(configuration, platform, silent).gateway;
}

/** The regions of the arena as a board lays them out; those of one name are one line. */
export function memoryMap(configuration: Configuration): { name: string; count: number; length: number }[] {
  const lines = new Map<string, { name: string; count: number; length: number }>();
  createGateway(configuration, regions => {
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

/** @param numbersFrom columns from here on are flush right */
function table(title: string, header: readonly string[], rows: readonly (readonly string[])[], numbersFrom = header.length): string {
  const widths = header.map((name, column) => Math.max(name.length, ...rows.map(row => [...row[column]!].length)));
  const line = (row: readonly string[]): string => `  ${row.map((cell, column) =>
    column >= numbersFrom ? cell.padStart(widths[column]!) : cell.padEnd(widths[column]!)).join('  ').trimEnd()}`;
  return [`${title}:`, ...[header, ...rows].map(line)].join('\n');
}
