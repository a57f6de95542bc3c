/** What `check` proposes for a configuration that does not fit a board does fit, and says only what must be said. */
import { describe, expect, it } from 'vitest';
import { completeConfiguration } from '../../src/config/complete-configuration.ts';
import type { PartialConfiguration } from '../../src/config/configuration.ts';
import { limitConflicts } from '../../src/gateway/packet-limits.ts';
import { memoryMap } from '../../src/host/board-memory.ts';
import { describeConfiguration, findOverflow } from '../../src/host/check.ts';
import { keysOfRegion, proposeSizes } from '../../src/host/fit.ts';

const fitsC3 = (configuration: ReturnType<typeof completeConfiguration>): boolean =>
  findOverflow(configuration, 'esp32c3') === undefined;

const four = Array.from({ length: 4 }, (_, index) => ({ username: `node${index}`, password: 'p' }));

describe('a proposal of sizes', () => {
  it.each<[string, PartialConfiguration]>([
    ['ten nodes at default sizes', { listener: { max_connections: 10 } }],
    ['four nodes at default sizes with a durable store', {
      listener: { users: four }, topic: [{ pattern: '#', direction: 'out' }], store: { durability: 'flash' },
      sensors: [{ name: 'air', type: 'simulated' }],
    }],
    ['the sizes of a PC',
      { listener: { max_connections: 100, max_packet_size: 65_536, max_queued_bytes: 131_072,
        max_retained_bytes: 1_048_576 }, store: { ram: 1_048_576 }, memory: { topics: 1024, topic_length: 256 },
          upstream: { max_packet_size: 65_536 } }],
  ])('makes it fit a C3: %s', (_name, partial) => {
    const before = completeConfiguration(partial);
    expect(fitsC3(before)).toBe(false);
    const proposal = JSON.parse(`{${proposeSizes(before, fitsC3)!}}`) as PartialConfiguration;
    const after = completeConfiguration({
      ...partial, upstream: { ...partial.upstream, ...proposal.upstream },
        listener: { ...partial.listener, ...proposal.listener },
      store: { ...partial.store, ...proposal.store }, memory: { ...partial.memory, ...proposal.memory },
    });
    expect(findOverflow(after, 'esp32c3')).toBeUndefined();
    expect(limitConflicts(after)).toEqual([]); // nor is it refused
  });

  it('leaves the number of nodes alone where smaller buffers are enough', () => {
    expect(proposeSizes(completeConfiguration({ listener: { max_retained_bytes: 20_000 } }),
      fitsC3)).not.toContain('max_connections');
  });

  it('is none where no size helps', () => {
    const sensors = Array.from({ length: 120 }, (_, index) => ({ name: `s${index}`, type: 'simulated' }));
    expect(proposeSizes(completeConfiguration({ sensors }), fitsC3)).toBeUndefined();
  });

  it('stands in the message of check', () => {
    expect(findOverflow(completeConfiguration({ listener: { max_connections: 10 } }),
      'esp32c3')).toMatch(/ bytes too much; with .*"listener": \{.*\} it fits$/);
  });
});

describe('the RAM map', () => {
  it('names a key beside each region that a key can change', () => {
    const configuration =
      completeConfiguration({ listener: { users: four, acl: [{ topic: 'a/#' }] }, topic: [{}, { direction: 'in' }],
        sensors: [{ name: 'a', type: 'simulated' }] });
    const without = memoryMap(configuration).filter(({ name }) => keysOfRegion(name) === '').map(({ name }) => name);
    expect(without).toEqual(['landing']);
    expect(describeConfiguration(configuration,
      'esp32c3')).toMatch(/retained messages +1 +4096 +4096 {2}listener\.max_retained_bytes/);
  });
});
