/**
 * What a gateway counts about itself for whoever looks for a bottleneck, where it has a page that tells: how long
 * messages take, what was given up by rule and reason, erasures of the store.
 */
import type { Gateway } from '../gateway/gateway.ts';
import type { QueueMaker } from '../gateway/gateway-options.ts';
import { MeasuredQueue } from '../session/measured-queue.ts';
import type { BlockStorage } from '../store/block-storage.ts';
import { LossTally } from '../upstream/loss-tally.ts';

export const createQueue: QueueMaker = (...parts) => new MeasuredQueue(...parts);

export class Measures {
  /** Erasures of blocks since the start, in all storages that were opened. */
  erasureCount = 0;

  /** Before the gateway starts. Its queue is one of `createQueue`. */
  begin({ bridge, bridge: { inbound, outbound }, upstreamQueue }: Gateway): void {
    (upstreamQueue as MeasuredQueue).ageOf = takenAt => bridge.backlog?.store.clock.age(takenAt) ?? 0;
    outbound.losses = new LossTally(outbound.rules.length);
    inbound.losses = new LossTally(inbound.rules.length);
  }

  watch<Storage extends BlockStorage>(storage: Storage): Storage {
    const erase = storage.erase.bind(storage);
    storage.erase = block => {
      erase(block);
      ++this.erasureCount;
    };
    return storage;
  }
}
