/**
 * What a configuration means, for `ringbridge check`: which topic becomes which, and what memory a board gives for it.
 */
import type { Configuration, TopicRuleConfiguration } from '../config/configuration.ts';
import { type Gateway, PENDING } from '../gateway/gateway.ts';
import { longestStoredPacket } from '../gateway/packet-limits.ts';
import {
  countsOf, describeShortage, DEVICE_STORE_SIZE, lengthOfStoreTables, type MemoryNeed, objectNeeds, STACK, total,
} from '../io/memory-needs.ts';
import { blockLengthFor } from '../store/format.ts';
import { ERASE_CYCLES, estimateWear } from '../store/wear.ts';
import { Runtime, type RuntimeObserver } from '../io/runtime.ts';
import { keysOfRegion, proposeSizes } from './fit.ts';
import { printable } from './log.ts';
import { createPlatform } from './platform.ts';

/** Bytes that the board reads from a socket at a time (device/main.ts). */
export const DEVICE_LANDING_CAPACITY = 1536;

export { DEVICE_STORE_SIZE };

/** Connections of a board at a time (CONFIG_LWIP_MAX_ACTIVE_TCP in src/device/sdkconfig.defaults). */
export const DEVICE_SOCKETS = 16;

/** Beside the nodes: one that is turned away, and the broker. */
const OTHER_SOCKETS = 2;

const ARROWS = { out: '->', in: '<-', both: '<->' } as const;

/**
 * What a board gives to the program: slots, chunks and stack of XS together, in bytes. On an ESP32 that is what the SDK's own
 * target for it (nodemcu) takes at start, with Wi-Fi: chunks of 78,848 bytes and 4,928 slots, and the stack. On an ESP32-C3
 * it is one block of a fixed size, `creation.static` of manifest.json.
 */
export const BOARDS: Readonly<Record<string, number>> = {
  esp32: 78_848 + 4_928 * 16 + STACK,
  esp32c3: 114_688,
};

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
  const missing = shortage(configuration, board);
  if (missing <= 0)
    return findLackOfSockets(configuration);
  const sizes = proposeSizes(configuration, other => shortage(other, board) <= 0);
  return describeShortage(missing, board, sizes);
}

function findLackOfSockets({ listener }: Configuration): string | undefined {
  const needed = listener.max_connections + OTHER_SOCKETS;
  return needed <= DEVICE_SOCKETS ? undefined : `listener.max_connections: ${listener.max_connections} nodes, one that is turned `
    + `away and the broker need ${needed} sockets, and a board has ${DEVICE_SOCKETS}; `
    + `write ${DEVICE_SOCKETS - OTHER_SOCKETS} or less instead`;
}

function shortage(configuration: Configuration, board: string): number {
  return total(memoryNeeds(configuration)) - BOARDS[board]!;
}

/** What works on this computer and would not on a board. */
export function notesForDevice({ listener }: Configuration): string[] {
  const notes: string[] = [];
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
  const rows = regions.map(({ count, length, name }) => [name, String(count), String(length), String(count * length), keysOfRegion(name)]);
  const all = regions.reduce((sum, { count, length }) => sum + count * length, 0);
  return table('RAM map, the arena of a board', ['region', 'count', 'bytes', 'total', 'key'],
    [...rows, ['all', '', '', String(all), '']], [1, 2, 3]);
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
function memoryNeeds(configuration: Configuration): MemoryNeed[] {
  return [
    { name: 'arena', length: memoryMap(configuration).reduce((sum, { count, length }) => sum + count * length, 0) },
    { name: 'persistent store', length: storeNeeds(configuration) },
    ...objectNeeds(countsOf(configuration)),
  ];
}

/** What the persistent store has beside the arena. */
function storeNeeds(configuration: Configuration): number {
  const { backlog } = createGateway(configuration);
  return backlog === undefined ? 0 : lengthOfStoreTables(configuration,
    backlog.receptions['entries'].byteLength + (backlog.latest?.['entries'].byteLength ?? 0));
}

function describeBoard(configuration: Configuration, board: string): string {
  const needs = memoryNeeds(configuration);
  const rows = needs.map(({ length, name }) => [name, String(length)]);
  return table(`Memory of the board "${board}"`, ['for', 'bytes'], [...rows, ['all', String(total(needs))], ['there are', String(BOARDS[board])]], 1);
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

/** @param numbers columns that are flush right, or all from this one on */
function table(title: string, header: readonly string[], rows: readonly (readonly string[])[], numbers: number | readonly number[] = header.length): string {
  const widths = header.map((name, column) => Math.max(name.length, ...rows.map(row => [...row[column]!].length)));
  const line = (row: readonly string[]): string => `  ${row.map((cell, column) =>
    (typeof numbers === 'number' ? column >= numbers : numbers.includes(column)) ? cell.padStart(widths[column]!) : cell.padEnd(widths[column]!)).join('  ').trimEnd()}`;
  return [`${title}:`, ...[header, ...rows].map(line)].join('\n');
}
