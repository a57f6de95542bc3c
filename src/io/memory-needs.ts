/**
 * What a gateway takes of a board's memory beside the arena, in bytes of slots and chunks: measured in Moddable's simulator,
 * 32 bit, by four more of each (users with hashed passwords, rules of both directions), and rounded up. To a connection belongs
 * what a node adds when it connects, with its socket; a sensor has room for the driver of a board, which the simulator does
 * not have. `ringbridge check` and the board itself compute with the same figures.
 */
import type { Configuration } from '../config/configuration.ts';
import { longestStoredPacket } from '../gateway/packet-limits.ts';
import { blockLengthFor } from '../store/format.ts';

const EACH = Object.freeze({ connection: 1800, session: 320, user: 740, access: 460, rule: 750, sensor: 1000 });
const PROGRAM = 32_500;
const STORE = 4600;

/** A slot is 16 bytes on a 32-bit processor. */
export const STACK = 512 * 16;

/** For what comes and goes: lines of the log, name resolution, questions in the local network. */
const WORKING_ROOM = 8192;

/** Bytes that the store keeps of each block: its sequence, and how many records it has. */
const BLOCK_STATE = 6;

const MOST_RECEPTIONS = 4096;
const RECEPTION = 12;
const LATEST = 512 * 8;

/** Of the partition that src/device/partitions.csv gives to the store. A board goes by that, not by `store.size`. */
export const DEVICE_STORE_SIZE = 0xF0000;

/** How many there are of what takes memory. */
export interface ObjectCounts {
  readonly connections: number;
  readonly sessions: number;
  readonly users: number;
  readonly access: number;
  readonly rules: number;
  readonly sensors: number;
}

export interface MemoryNeed {
  readonly name: string;
  readonly length: number;
}

export function countsOf({ listener, sensors, topic }: Configuration): ObjectCounts {
  return {
    connections: listener.max_connections, sessions: listener.max_sessions, users: listener.users.length,
    access: listener.acl.length, rules: topic.length, sensors: sensors.length,
  };
}

export function objectNeeds({ access, connections, rules, sensors, sessions, users }: ObjectCounts): MemoryNeed[] {
  return [
    { name: 'program', length: PROGRAM },
    { name: 'connections', length: EACH.connection * connections },
    { name: 'sessions', length: EACH.session * sessions },
    { name: 'users and their rights', length: EACH.user * users + EACH.access * access },
    { name: 'topic rules', length: EACH.rule * rules },
    { name: 'sensors', length: EACH.sensor * sensors },
    { name: 'stack', length: STACK },
    { name: 'working room', length: WORKING_ROOM },
  ];
}

/** Of a board whose tables nobody has made yet: what was received with QoS 2, and the newest record of each topic. */
export function mostStoreTables({ listener, store, topic }: Configuration): number {
  const receptions = Math.min(listener.max_connections * listener.max_unreleased_messages, MOST_RECEPTIONS);
  const keepsLatest = topic.some(({ full }) => (full ?? store.full) === 'latest_per_topic');
  return receptions * RECEPTION + (keepsLatest ? LATEST : 0);
}

/** @param tables bytes of the lists of the store that have a fixed size */
export function lengthOfStoreTables(configuration: Configuration, tables: number): number {
  const blockCount = Math.floor(DEVICE_STORE_SIZE / blockLengthFor(longestStoredPacket(configuration)));
  return STORE + BLOCK_STATE * blockCount + tables;
}

export const total = (needs: readonly MemoryNeed[]): number => needs.reduce((sum, { length }) => sum + length, 0);

/** @param sizes with which it fits, which a board cannot work out. In the words of `ringbridge check` and of a board. */
export const describeShortage = (missing: number, board: string, sizes?: string): string =>
  `does not fit the memory of the board "${board}": ${missing} bytes too much; `
  + (sizes !== undefined ? `with ${sizes} it fits`
    : 'lower what the RAM map shows as large: listener.max_connections, max_sessions, max_packet_size and max_queued_bytes, '
    + 'upstream.max_packet_size, store.ram, memory.topics');
