import { describe, test } from 'vitest';
import { SimulatedNetwork } from '../simulation/simulated-network.ts';
import type { DirectionFaults } from '../simulation/simulated-link.ts';
import { transportContract, type TransportEnvironment } from './transport-contract.ts';

const ADDRESS = '10.0.0.1';

const environmentWith = (faults: Partial<DirectionFaults>): TransportEnvironment => {
  const network = new SimulatedNetwork();
  network.onLink = link => link.set(faults);
  const host = network.addHost(ADDRESS);
  return {
    TCP: host.TCP,
    address: ADDRESS,
    closedPort: 9,
    async listen(onReadable) {
      const listener = new host.Listener({ port: 0, onReadable });
      return { listener, port: listener.port };
    },
    async until(condition) {
      network.clock.runUntil(condition, 10_000_000);
    },
    async settle() {
      network.run(1000);
    },
  };
};

const links: Record<string, Partial<DirectionFaults>> = {
  'a good link': {},
  'fragments of 1 byte': { fragmentLength: 1 },
  'fragments of random length': { fragmentLength: 37, isFragmentLengthRandom: true },
  'everything of 20 ms at once': { coalescing: 20 },
  'a slow link with jitter': { bytesPerSecond: 20_000, latency: 30, jitter: 60 },
};

for (const [name, faults] of Object.entries(links)) {
  describe(`simulated socket over ${name}`, () => {
    for (const [rule, check] of Object.entries(transportContract))
      test(rule, () => check(environmentWith(faults)), 30_000);
  });
}
