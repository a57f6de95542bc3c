/**
 * What every test that runs a whole gateway passes to it unless it says otherwise. Runs on XS too, so it imports
 * nothing of Node.
 */
import type { Platform, RuntimeObserver } from '../../src/device/core.ts';

export type Network = Pick<Platform, 'TCP' | 'Listener' | 'resolver' | 'createTimer' | 'time'>;

/** A platform on this network: everybody is let in, every sensor reads 21.375, chance has no say. */
export function testPlatform(network: Network, parts: Partial<Platform> = {}): Platform {
  return {
    ...network,
    authenticator: { authenticate: () => 0 },
    createSensor: () => ({ read: () => 21.375 }),
    random: () => 0.5,
    landingCapacity: 1536,
    resizable: true,
    ...parts,
  };
}

/** Keeps nothing; what must not happen in a test ends it. */
export const silentObserver: RuntimeObserver = {
  onEvent() { /* told in integers: costs nothing */ },
  onSensorFailed() { /* most tests have sensors that work */ },
  onSensorRecovered() { /* the same */ },
  onListening() { /* at once */ },
  onListenerError(message) { throw new Error(message); },
  onException(error) { throw error; },
};
