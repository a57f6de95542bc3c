/** Storage that fails while the gateway runs, and storage that forgets single bits. */
import { describe, expect, it } from 'vitest';
import type { PartialConfiguration } from '../../src/config/configuration.ts';
import * as Event from '../../src/config/events.ts';
import {
  BLOCK_ERASES_NEXT, BLOCK_HEADER_LENGTH, DONE_MARK, FIRST_DESTINATION, isMark, lengthOfRecord, RECEIVED_MARK,
    RECORD_MARKS, RELEASED, WORD,
} from '../../src/store/record-format.ts';
import { statusOf } from '../../src/gateway/status.ts';
import { OPEN } from '../../src/upstream/upstream-phase.ts';
import { seeded } from '../session/pair.ts';
import { type CutOptions, FlashMedium } from '../simulation/simulated-flash.ts';
import { NodeModel, ServerModel, StoreWorld, TINY } from '../simulation/store-world.ts';

const withPolicy = (full: 'drop_oldest' | 'drop_newest'): PartialConfiguration =>
  ({ ...TINY, topic: [{ ...TINY.topic![0]!, full }] });

class Stage {
  readonly medium: FlashMedium;
  readonly server = new ServerModel();
  readonly node = new NodeModel('one');

  constructor(blockCount = 10) {
    this.medium = new FlashMedium(512, blockCount);
  }

  start(options: CutOptions = {}, configuration = TINY): StoreWorld {
    const world = new StoreWorld(this.medium, this.server, [this.node], options, configuration);
    world.connectNode(0);
    return world;
  }

  get arrived(): string[] {
    return this.server.delivered.map(({ payload }) => payload);
  }

  get taken(): string[] {
    return this.node.messages.filter(({ isTaken }) => isTaken).map(({ payload }) => payload);
  }
}

/** Rounds of messages of one topic, with the Server there and away. */
function work(world: StoreWorld): void {
  let number = 0;
  for (let round = 0; round < 6; ++round) {
    if (round % 3 === 2)
      world.connectUpstream();
    else
      world.cutUpstream();
    for (let count = 0; count < 12; ++count) {
      world.send(0, ['t', `${number}`.padEnd(4 + number % 9 * 3, '.'), 1 + number++ % 2]);
      world.settle();
    }
    world.wait(1100);
    world.connectNode(0); // again, if it was asked to send again
    world.settle();
  }
}

function finish(world: StoreWorld, { node }: Stage): void {
  for (let turn = 0; turn < 40 && !node.messages.every(({ isDone }) => isDone); ++turn) {
    world.finish();
    world.wait(1100);
  }
  world.finish();
}

const inOrder = (payloads: readonly string[]): string[] =>
  [...new Set(payloads)].sort((left, right) => parseInt(left) - parseInt(right));

/** Steps of the medium that the workload takes when nothing fails. */
function stepsOf(configuration: PartialConfiguration, blockCount?: number): number {
  const stage = new Stage(blockCount);
  const world = stage.start({}, configuration);
  work(world);
  finish(world, stage);
  expect(stage.arrived).toEqual(stage.node.messages.map(({ payload }) => payload));
  expect(stage.medium.eraseCount).toBeGreaterThan(6);
  return stage.medium.stepCount;
}

describe('a storage that fails', () => {
  it.each([['write', 10], ['erase', 10], ['write', 8], ['erase', 8], ['write', 7],
    ['erase', 7]] as const)('at any operation (%s, %i blocks): one event, nothing lost, nothing twice, in order',
      (failing, blockCount) => {
    const configuration = withPolicy('drop_newest');
    const pace = blockCount === 10 ? 6 : 12; // where it is full, what is done stands before what waits
    let failures = 0;
    for (let failsAt = 0, steps = stepsOf(configuration, blockCount); failsAt < steps;
      failsAt += failsAt % 7 === 0 ? 1 : pace) {
      const stage = new Stage(blockCount);
      const world = stage.start({ failsAt, failing }, configuration);
      work(world);
      finish(world, stage);
      const hasFailed = world.events.includes(Event.STORE_FAILED);
      failures += hasFailed ? 1 : 0;
      expect(world.events.filter(event => event === Event.STORE_FAILED).length, `at ${failsAt}`).toBe(hasFailed ? 1
        : 0);
      expect(stage.arrived, `at ${failsAt}`).toEqual(stage.node.messages.map(({ payload }) => payload));
      expect(world.waitingCount).toBe(0);
    }
    expect(failures).toBeGreaterThan(failing === 'write' ? 100 : blockCount === 10 ? 50 : 30);
  }, 60_000);

  it.each([10, 8,
    7])('and cannot be read either, %i blocks: what is lost is counted, the rest keeps its order', blockCount => {
    const configuration = withPolicy('drop_newest');
    let lostAny = 0;
    for (let failsAt = 0, steps = stepsOf(configuration, blockCount); failsAt < steps; failsAt += 7) {
      const stage = new Stage(blockCount);
      const world = stage.start({ failsAt }, configuration);
      work(world);
      finish(world, stage);
      const lost = stage.taken.filter(payload => !stage.arrived.includes(payload));
      expect(world.gateway.bridge.droppedCount, `at ${failsAt}`).toBe(lost.length);
      expect(stage.arrived, `at ${failsAt}`).toEqual(inOrder(stage.arrived));
      lostAny += lost.length;
    }
    expect(lostAny).toBeGreaterThan(0);
  }, 60_000);

  it.each([10, 8, 7])('while room is made in it, %i blocks: only what was counted is given up', blockCount => {
    const configuration = withPolicy('drop_oldest');
    const count = 90; // more than it holds
    const fill = (options: CutOptions): [Stage, StoreWorld] => {
      const stage = new Stage(blockCount);
      const world = stage.start(options, configuration);
      for (let number = 0; number < count; ++number) {
        world.send(0, ['t', `${number}`, 1]);
        world.settle();
      }
      return [stage, world];
    };
    const steps = fill({})[0].medium.stepCount;
    for (const failing of ['write', 'erase'] as const)
      for (let failsAt = steps >> 1; failsAt < steps; failsAt += blockCount === 10 ? 3 : 5) {
        const [stage, world] = fill({ failsAt, failing });
        world.connectUpstream();
        finish(world, stage);
        expect(stage.arrived, `at ${failsAt}`).toEqual(inOrder(stage.arrived));
        const lost = stage.taken.filter(payload => !stage.arrived.includes(payload));
        expect(world.gateway.bridge.outbound.rules[0]!.dropped, `at ${failsAt}`).toBe(lost.length);
      }
  }, 60_000);

  it('from the beginning, because it may only be read: what is in it is sent, in order, before what is new', () => {
    const stage = new Stage();
    const first = stage.start();
    for (let number = 0; number < 20; ++number) {
      first.send(0, ['t', `${number}`, 1 + number % 2]);
      first.settle();
    }
    const world = stage.start({ failsAt: 0, failing: 'write' }, withPolicy('drop_newest'));
    expect(world.waitingCount).toBe(20);
    world.send(0, ['t', '20', 1], ['t', '21', 2]);
    world.settle();
    finish(world, stage);
    expect(world.events.filter(event => event === Event.STORE_FAILED)).toHaveLength(1);
    expect(stage.arrived).toEqual(Array.from({ length: 22 }, (_value, number) => `${number}`));
  });

  it('is told by the status', () => {
    const stage = new Stage();
    const world = stage.start({ failsAt: 100 });
    const upstream =
      { phase: OPEN, reasonCode: 0, attemptCount: 0, deadline: 0, address: { scheme: 'mqtt' as const, host: 'broker', port: 1883 },
        problem: '',
        isFoughtOver: () => false };
    const advice = (): string => statusOf({ gateway: world.gateway, upstream, sensors: { states: [] } }, 0).advice;
    expect(advice()).not.toMatch(/storage/);
    work(world);
    expect(world.events).toContain(Event.STORE_FAILED);
    expect(advice()).toMatch(/the storage of the store does not work/);
  });
});

describe('bits that flip by themselves', () => {
  const word = ({ bytes }: FlashMedium, at: number): DataView => new DataView(bytes.buffer, at, 4);

  /** Positions of the records of a block. */
  function* records({ blockLength, bytes }: FlashMedium, block: number): Generator<number> {
    const view = new DataView(bytes.buffer);
    const start = block * blockLength;
    for (let at = start + BLOCK_HEADER_LENGTH; at < start + blockLength
      && view.getUint8(at) === 0xA5; at += lengthOfRecord(view.getUint8(at + 3), view.getUint32(at + 4) & 0xFFFFFF))
      yield at;
  }

  it('do not change what a mark says, up to fifteen of its 32', () => {
    const random = seeded(5);
    for (const value of [0, 0xFFFFFFFF])
      for (let turn = 0; turn < 2000; ++turn) {
        let flipped = value;
        const bits = new Set(Array.from({ length: turn % 16 }, () => Math.floor(random() * 32)));
        for (const bit of bits)
          flipped ^= 1 << bit;
        expect(isMark(flipped)).toBe(value === 0);
        expect(isMark(flipped >>> 0)).toBe(value === 0);
      }
  });

  it.each([['done', FIRST_DESTINATION + DONE_MARK], ['released', RELEASED],
    ['received', FIRST_DESTINATION + RECEIVED_MARK]])('in the mark "%s" lose nothing and repeat nothing',
      (_name, field) => {
    for (let bit = 0; bit < 32; ++bit) {
      const stage = new Stage();
      const world = stage.start();
      world.connectUpstream();
      world.send(0, ['t', '0', 2], ['t', '1', 2]);
      world.settle();
      world.cutUpstream();
      for (let number = 2; number < 22; ++number) { // more than the queue holds
        world.send(0, ['t', `${number}`, 1 + number % 2]);
        world.settle();
      }
      const positions =
        [...stage.medium.bytes.keys()].filter(at => at % 512 === 0 && at < 6 * 512).flatMap(start =>
          [...records(stage.medium, start / 512)]);
      expect(positions).toHaveLength(22);
      for (const position of positions) {
        const view = word(stage.medium, position + RECORD_MARKS + field * WORD);
        view.setUint32(0, (view.getUint32(0) ^ 1 << bit ^ 1 << (bit + 7) % 32) >>> 0);
      }
      const next = stage.start();
      expect(next.events).not.toContain(Event.STORE_DAMAGED);
      next.finish();
      expect(stage.arrived).toEqual(Array.from({ length: 22 }, (_value, number) => `${number}`));
      expect(stage.start().waitingCount).toBe(0);
    }
  });

  it('in the mark of a block that the next one is being erased lose nothing', () => {
    for (let bit = 0; bit < 32; ++bit) {
      const stage = new Stage();
      const world = stage.start();
      for (let number = 0; number < 35; ++number) {
        world.send(0, ['t', `${number}`, 1]);
        world.settle();
      }
      for (let block = 0; block < 6; ++block) {
        const view = word(stage.medium, block * 512 + BLOCK_ERASES_NEXT);
        view.setUint32(0, (view.getUint32(0) ^ 1 << bit) >>> 0);
      }
      stage.start().finish();
      expect(stage.arrived).toEqual(Array.from({ length: 35 }, (_value, number) => `${number}`));
    }
  });
});
