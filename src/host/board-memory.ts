/**
 * What memory a board gives for a configuration: the arena as a board lays it out, and what is beside it
 * (io/memory-needs.ts).
 */
import type { Configuration } from '../config/configuration.ts';
import { PENDING } from '../gateway/gateway.ts';
import { firmwareNeeds, type Need, objectNeeds } from '../io/memory-needs.ts';
import { Runtime, type RuntimeObserver } from '../io/runtime.ts';
import { createPlatform } from './platform.ts';

/** Bytes that the board reads from a socket at a time (device/main.ts). */
const LANDING_CAPACITY = 1536;

export const memoryNeeds = (configuration: Configuration): Need[] =>
  [...gatewayNeeds(configuration), ...firmwareNeeds(configuration)];

export const gatewayNeeds = (configuration: Configuration): Need[] => [
  { name: 'arena', length: memoryMap(configuration).reduce((sum, { count, length }) => sum + count * length, 0) },
  ...objectNeeds(configuration),
];

export { BOARDS, firmwareNeeds, type Need } from '../io/memory-needs.ts';

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
