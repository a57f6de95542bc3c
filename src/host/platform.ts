/**
 * What io/runtime.ts needs from a platform, on Node: sockets over node:net, the system's resolver, and simulated
 * sensors, because a PC has no pins.
 */
import type { Authenticator } from '../gateway/gateway.ts';
import type { Platform } from '../io/platform.ts';
import { SimulatedSensors } from '../simulated/simulated-buses.ts';
import { FileStorage } from './file-storage.ts';
import { Listener } from './listener.ts';
import { HostResolver } from './resolver.ts';
import { TCP, TRAFFIC } from './tcp.ts';
import { HostTimer } from './timer.ts';

/** Node hands over up to 64 KB at a time; a quarter of that costs few calls and little memory. */
const LANDING_CAPACITY = 16_384;

/** A computer whose calendar is before this program was written has not asked the network yet. */
const EARLIEST = Date.UTC(2026, 0);

export function createPlatform(authenticator: Authenticator): Platform {
  const sensors = new SimulatedSensors(Math.random, () => performance.now());
  return {
    TCP,
    Listener,
    resolver: new HostResolver(),
    authenticator,
    createSensor: configuration => sensors.create(configuration),
    createTimer: onTimer => new HostTimer(onTimer),
    time: () => performance.now(),
    random: Math.random,
    firstIdentifier: Math.random,
    landingCapacity: LANDING_CAPACITY,
    traffic: TRAFFIC,
    resizable: false,
    date: () => Date.now() < EARLIEST ? 0 : Math.floor(Date.now() / 1000),
    orderCounters: 4096,
    openStorage: ({ path, size }, arena, longestPacket) => FileStorage.open(path, size, arena, longestPacket),
  };
}
