/**
 * What a configuration means, for `ringbridge check`: which topic becomes which, and what memory a board gives for it.
 */
import type { Configuration, TopicRuleConfiguration } from '../config/configuration.ts';
import { longestStoredPacket } from '../gateway/packet-limits.ts';
import { blockLengthFor } from '../store/format.ts';
import { ERASE_CYCLES, estimateWear } from '../store/wear.ts';
import { DEVICE_STORE_SIZE } from './board-features.ts';
import { BOARDS, memoryMap, memoryNeeds } from './board-memory.ts';
import { printable } from './log.ts';

/** Sockets of the board, less the listener and the upstream connection. */
const DEVICE_CONNECTIONS = 6;

const ARROWS = { out: '->', in: '<-', both: '<->' } as const;

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

function describeBoard(configuration: Configuration, board: string): string {
  const needs = memoryNeeds(configuration);
  const rows = needs.map(({ length, name }) => [name, String(length)]);
  const total = needs.reduce((sum, { length }) => sum + length, 0);
  return table(`Memory of the board "${board}"`, ['for', 'bytes'], [...rows, ['all', String(total)], ['there are', String(BOARDS[board])]], 1);
}

/** @param numbersFrom columns from here on are flush right */
function table(title: string, header: readonly string[], rows: readonly (readonly string[])[], numbersFrom = header.length): string {
  const widths = header.map((name, column) => Math.max(name.length, ...rows.map(row => [...row[column]!].length)));
  const line = (row: readonly string[]): string => `  ${row.map((cell, column) =>
    column >= numbersFrom ? cell.padStart(widths[column]!) : cell.padEnd(widths[column]!)).join('  ').trimEnd()}`;
  return [`${title}:`, ...[header, ...rows].map(line)].join('\n');
}
