/**
 * What a configuration means, for `ringbridge check`: which topic becomes which, and what memory a board gives for it.
 */
import type { Configuration, TopicRuleConfiguration } from '../gateway/configuration.ts';
import { PENDING } from '../gateway/gateway.ts';
import { Runtime, type RuntimeObserver } from '../io/runtime.ts';
import { printable } from './log.ts';
import { createPlatform } from './platform.ts';

/** Bytes that the board reads from a socket at a time (device/main.ts). */
export const DEVICE_LANDING_CAPACITY = 1536;

/** Sockets of the board, less the listener and the upstream connection. */
const DEVICE_CONNECTIONS = 6;

const ARROWS = { out: '->', in: '<-', both: '<->' } as const;

export function describeConfiguration(configuration: Configuration): string {
  return `${describeRules(configuration.topic)}\n\n${describeMemory(configuration)}`;
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
  return table('RAM map of a board', ['region', 'count', 'bytes', 'total'], [...rows, ['all', '', '', String(total)]], 1);
}

/** The regions of the arena as a board lays them out; those of one name are one line. */
export function memoryMap(configuration: Configuration): { name: string; count: number; length: number }[] {
  const silent: RuntimeObserver = {
    onEvent() {}, onException() {}, onListenerError() {}, onListening() {}, onSensorFailed() {}, onSensorRecovered() {},
  };
  const platform = { ...createPlatform({ authenticate: () => PENDING }), landingCapacity: DEVICE_LANDING_CAPACITY, resizable: true };
  const lines = new Map<string, { name: string; count: number; length: number }>();
  for (const { count, length, name } of new Runtime(configuration, platform, silent).gateway.regions) {
    const line = lines.get(name);
    if (line === undefined)
      lines.set(name, { name, count, length });
    else { // topic rules have one region each
      line.length = line.length * line.count + length * count;
      line.count = 1;
    }
  }
  return [...lines.values()].filter(({ count, length }) => count * length > 0);
}

/** @param numbersFrom columns from here on are flush right */
function table(title: string, header: readonly string[], rows: readonly (readonly string[])[], numbersFrom = header.length): string {
  const widths = header.map((name, column) => Math.max(name.length, ...rows.map(row => [...row[column]!].length)));
  const line = (row: readonly string[]): string => `  ${row.map((cell, column) =>
    column >= numbersFrom ? cell.padStart(widths[column]!) : cell.padEnd(widths[column]!)).join('  ').trimEnd()}`;
  return [`${title}:`, ...[header, ...rows].map(line)].join('\n');
}
