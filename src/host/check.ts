/**
 * What a configuration means, for `ringbridge check`: which topic becomes which, and what memory a board gives for it.
 */
import type { Configuration, TopicRuleConfiguration } from '../config/configuration.ts';
import { longestStoredPacket } from '../gateway/packet-limits.ts';
import { blockLengthFor, FEWEST_BLOCKS } from '../store/record-format.ts';
import { ERASE_CYCLES, estimateLife, estimateWear, type Storage } from '../store/wear.ts';
import { STATE_SHARE, stateNeeds } from '../gateway/state-limits.ts';
import { DEVICE_STORE_SIZE } from '../io/board-features.ts';
import { describeShortage, total } from '../io/memory-needs.ts';
import { BOARDS, memoryMap, memoryNeeds } from './board-memory.ts';
import { keysOfRegion, proposeSizes } from './fit.ts';
import { printable } from './log.ts';

/** Connections of a board at a time (CONFIG_LWIP_MAX_ACTIVE_TCP in src/device/sdkconfig.defaults). */
export const DEVICE_SOCKETS = 16;

/** Beside the nodes: one that is turned away, and the broker. */
const OTHER_SOCKETS = 2;

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
  const missing = shortage(configuration, board);
  if (missing <= 0)
    return findLackOfSockets(configuration);
  const sizes = proposeSizes(configuration, other => shortage(other, board) <= 0);
  return describeShortage(missing, board, sizes);
}

function findLackOfSockets({ listener }: Configuration): string | undefined {
  const needed = listener.max_connections + OTHER_SOCKETS;
  return needed <= DEVICE_SOCKETS ? undefined
    : `listener.max_connections: ${listener.max_connections} nodes, one that is turned `
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

/** @param whose behind the heading: of a further upstream */
export function describeRules(rules: readonly TopicRuleConfiguration[], whose = ''): string {
  if (rules.length === 0)
    return `Topic rules${whose}: none`;
  const rows = rules.map(({ direction, local_prefix, pattern, qos, remote_prefix }) =>
    [local_prefix + pattern, ARROWS[direction], remote_prefix + pattern, direction, String(qos)].map(printable));
  return table(`Topic rules${whose}, the first that matches wins`, ['local topic', '', 'remote topic', 'direction', 'QoS'],
    rows);
}

function describeMemory(configuration: Configuration): string {
  const regions = memoryMap(configuration);
  const rows = regions.map(({ count, length, name }) =>
    [name, String(count), String(length), String(count * length), keysOfRegion(name)]);
  const all = regions.reduce((sum, { count, length }) => sum + count * length, 0);
  return table('RAM map, the arena of a board', ['region', 'count', 'bytes', 'total', 'key'],
    [...rows, ['all', '', '', String(all), '']], [1, 2, 3]);
}

/** Bytes of topic and payload for which the wear is told. */
const TYPICAL_CONTENT = 64;
const SECONDS_PER_DAY = 86_400;

/** What a message costs a board's flash, and how long that lasts. */
function describeWear(configuration: Configuration, size: number): string {
  const blockLength = blockLengthFor(longestStoredPacket(configuration));
  if (size < FEWEST_BLOCKS * blockLength)
    return `Store in ${size} bytes of flash: too few for messages as long as listener.max_packet_size and `
      + `upstream.max_packet_size allow, which need ${FEWEST_BLOCKS * blockLength} bytes`;
  const rows = [false, true].map(isExactlyOnce => {
    const wear = estimateWear({ size, blockLength, stateShare: STATE_SHARE }, TYPICAL_CONTENT, 1, isExactlyOnce);
    return [isExactlyOnce ? '2, from a node' : '1', wear.programsPerMessage.toFixed(2),
      wear.erasuresPerMessage.toFixed(3), String(wear.capacity), wear.years.toFixed(0)];
  });
  return table(`Store in ${size} bytes of flash that lasts ${ERASE_CYCLES} erasures, topic and payload of ${TYPICAL_CONTENT} bytes, `
    + '1 message per second',
    ['QoS', 'writes per message', 'erasures per message', 'messages that fit', 'years of life'], rows, 1)
    + `\n\n${describeLife(configuration, { size, blockLength, stateShare: STATE_SHARE })}`;
}

/** How long the flash lasts at the rates of the configuration, with as much state as its limits let in. */
function describeLife(configuration: Configuration, storage: Storage): string {
  const { down, retained, up } = configuration.store.messages_per_second;
  const life = estimateLife(storage, TYPICAL_CONTENT, { up, down, retained }, stateNeeds(configuration).total);
  const row = (area: string, erasures: number, years: number): string[] =>
    [area, (erasures * SECONDS_PER_DAY).toFixed(1), years === Infinity ? 'for ever' : years.toFixed(1)];
  return table(`Life of that flash at ${up} messages up, ${down} down and ${retained} retained changes per second `
    + '(store.messages_per_second)', ['part', 'erasures of a block per day', 'years'],
  [row('messages', life.queueErasures, life.queueYears), row('state', life.mapErasures, life.mapYears)], 1);
}

function describeBoard(configuration: Configuration, board: string): string {
  const needs = memoryNeeds(configuration);
  const rows = needs.map(({ length, name }) => [name, String(length)]);
  const sums = [['all', String(total(needs))], ['there are', String(BOARDS[board])]];
  return table(`Memory of the board "${board}"`, ['for', 'bytes'], [...rows, ...sums], 1);
}

/** @param numbers columns that are flush right, or all from this one on */
function table(title: string, header: readonly string[], rows: readonly (readonly string[])[],
  numbers: number | readonly number[] = header.length): string {
  const widths = header.map((name, column) => Math.max(name.length, ...rows.map(row => [...row[column]!].length)));
  const line = (row: readonly string[]): string => `  ${row.map((cell, column) =>
    (typeof numbers === 'number' ? column >= numbers : numbers.includes(column)) ? cell.padStart(widths[column]!)
      : cell.padEnd(widths[column]!)).join('  ').trimEnd()}`;
  return [`${title}:`, ...[header, ...rows].map(line)].join('\n');
}
