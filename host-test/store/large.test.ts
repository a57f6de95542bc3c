/** A store of nearly 4 GB: positions and lengths beyond 31 bits mean the same as small ones. */
import { expect, it } from 'vitest';
import type { Arena } from '../../src/bytes/arena.ts';
import type { BlockStorage } from '../../src/store/block-storage.ts';
import { publish, subscribe } from '../world/packets.ts';
import { World } from '../world/world.ts';

const BLOCK_LENGTH = 2 ** 20;
const BLOCK_COUNT = 4095;
const ERASED = 0xFFFFFFFF;

/** Keeps only the words that are not erased. */
class SparseStorage implements BlockStorage {
  readonly blockLength = BLOCK_LENGTH;
  readonly blockCount = BLOCK_COUNT;
  readonly remark = '';
  onFlushed: ((isDurable: boolean) => void) | undefined = undefined;
  private readonly arena: Arena;
  private readonly words: Map<number, number>;

  constructor(arena: Arena, words: Map<number, number>) {
    this.arena = arena;
    this.words = words;
  }

  read(position: number, length: number): void {
    for (let at = 0; at < length; at += 4)
      this.arena.view.setUint32(this.arena.stagingOffset + at, this.words.get(position + at) ?? ERASED);
  }

  program(position: number, length: number): void {
    for (let at = 0; at < length; at += 4)
      this.words.set(position + at, this.arena.view.getUint32(this.arena.stagingOffset + at));
  }

  erase(block: number): void {
    for (const position of this.words.keys())
      if (Math.floor(position / BLOCK_LENGTH) === block)
        this.words.delete(position);
  }

  flush(): boolean {
    return true;
  }

  synchronize(): void { /* it is */ }
  close(): void { /* nothing to release */ }
}

const KEPT = { clean: false };

it('keeps sessions, retained messages and messages for nodes over a power cut, as a small one does', () => {
  const words = new Map<number, number>();
  const live = (): World => World.quiet({ store: { durability: 'flash', size: BLOCK_LENGTH * BLOCK_COUNT } },
    { openStorage: (_store, arena) => new SparseStorage(arena, words) });
  let world = live();
  const [valve, answer] = world.connect('valve', KEPT);
  expect(answer).toEqual(['CONNACK 0']);
  expect(valve.ask(subscribe(1, 'cmd/#', 1))).toEqual(['SUBACK #1 1']);
  valve.vanish();
  const other = world.node('other');
  other.send(publish('cmd/a', 'open', { qos: 1, identifier: 1 }), publish('cmd/b', 'kept', { qos: 1, identifier: 2, retain: true }));
  expect(world.gateway.delivery.droppedCount).toBe(0);
  expect(Math.max(...words.keys())).toBeGreaterThan(2 ** 31);

  world = live();
  expect(world.connect('valve', KEPT)[1]).toEqual(['CONNACK 0 present', 'PUBLISH cmd/a=open q1 #1', 'PUBLISH cmd/b=kept q1 #2']);
  expect(world.node('new').ask(subscribe(1, 'cmd/#', 1))).toEqual(['SUBACK #1 1', 'PUBLISH cmd/b=kept q1 #1 retain']);
  const { state } = world.gateway.durableStore!.backlog.store;
  expect(state!.capacity).toBe(Math.floor((1535 - 1) * (BLOCK_LENGTH - 32) * 3 / 4));
});
