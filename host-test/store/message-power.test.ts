/**
 * The power fails at every step of the medium, in queue and map by themselves. A model says for each message where it
 * may be afterwards: kept, when it was told to be durable; gone, when it was told to be given up; once, and in order,
 * in any case.
 */
import { describe, expect, it } from 'vitest';
import { GIVE_UP, MOVE } from '../../src/store/store-owner.ts';
import { seeded } from '../session/pair.ts';
import { FlashMedium } from '../simulation/simulated-flash.ts';
import { type LifeOptions, StoreLife } from './store-life.ts';

const TOPICS = 3;

interface Known {
  readonly number: number;
  readonly topic: string;
  readonly origin: number;
  position: number;
  /** `written` when it was; it is durable when `durable` has come to that. */
  written: number;
  isDurable: boolean;
  /** The store was told, or has told, so; with power on until it was over. */
  isDone: boolean;
  isGivenUp: boolean;
  /** It may be either: the power failed during it, or nothing waits for it. */
  isDoubtful: boolean;
}

/** What one life after the other has done to the messages. */
class Model {
  readonly messages: Known[] = [];
  private readonly random: () => number;

  constructor(random: () => number) {
    this.random = random;
  }

  run(life: StoreLife, steps: number): void {
    const { store } = life;
    for (let step = 0; step < steps && !life.flash.isDead; ++step) {
      const choice = this.random();
      if (choice < 0.5)
        this.push(life);
      else if (choice < 0.72)
        this.deliver(life);
      else if (choice < 0.9) {
        store.flush();
        if (this.random() < 0.5)
          this.push(life);
        try {
          life.flash.finishFlush();
        } catch { /* the power is gone */ }
      } else
        this.release(life);
      this.confirm(life);
    }
  }

  /** What is there after a cut must be one of the states that are allowed. */
  check(life: StoreLife): void {
    const found = life.waiting.map(({ payload }) => Number(payload));
    expect(new Set(found).size).toBe(found.length);
    expect(life.recovered.filter(({ isSettled }) => !isSettled).map(({ payload }) => Number(payload))).toEqual(found);
    for (const message of this.messages) {
      const isThere = found.includes(message.number);
      if (message.isGivenUp && isThere)
        throw new Error(`message ${message.number} was given up and is back`);
      if (!isThere && message.isDurable && !message.isGivenUp && !message.isDone && !message.isDoubtful)
        throw new Error(`message ${message.number} was durable and is gone`);
    }
    for (let topic = 0; topic < TOPICS; ++topic) {
      const numbers = found.filter(number => number % TOPICS === topic);
      expect(numbers).toEqual([...numbers].sort((a, b) => a - b));
    }
    // What is there now is what the next life begins with.
    for (const message of this.messages) {
      const item = life.waiting.find(({ payload }) => Number(payload) === message.number);
      message.isDoubtful = false;
      if (item === undefined)
        message.isDone = true;
      else {
        message.position = item.position;
        message.isDurable = true;
        message.isDone = false;
      }
    }
  }

  private push(life: StoreLife): void {
    const number = this.messages.length;
    const message: Known = {
      number, topic: `t${number % TOPICS}`, origin: number % 4 === 0 ? number + 1 : 0, position: 0, written: 0,
      isDurable: false, isDone: false, isGivenUp: false, isDoubtful: false,
    };
    this.messages.push(message);
    const pushed = { topic: message.topic, origin: message.origin, qos: 2 };
    let position = life.push(`${number}`.padStart(4 + number % 5 * 9, '0'), pushed);
    for (let left = 3; left > 0 && position === 0; --left) {
      this.makeRoom(life);
      position = life.push(`${number}`.padStart(4 + number % 5 * 9, '0'), pushed);
    }
    if (position > 0) {
      message.position = position;
      message.written = life.store.written;
    } else
      message.isDoubtful = true;
  }

  private makeRoom(life: StoreLife): void {
    const latest =
      new Map(this.messages.filter(({ isDone, isGivenUp, position }) => position > 0 && !isDone
        && !isGivenUp).map(({ number, topic }) => [topic, number]));
    const lost: string[] = [];
    const isMade =
      life.store.queue.makeRoom(life.handler(({ payload, topic }) => latest.get(topic) === Number(payload) ? MOVE
        : GIVE_UP, lost));
    for (const payload of lost) {
      const message = this.messages[Number(payload)]!;
      message.isGivenUp = isMade;
      message.isDoubtful = true;
    }
    this.follow(life);
  }

  private follow(life: StoreLife): void {
    for (const [from, to] of life.moved.splice(0))
      for (const message of this.messages)
        if (message.position === from && !message.isDone && !message.isGivenUp)
          message.position = to;
  }

  private deliver(life: StoreLife): void {
    const { queue } = life.store;
    const position = queue.first();
    if (position < 0)
      return;
    const message = this.messages[Number(life.read(queue.record).payload)]!;
    if (queue.record.identifiers[0] === 0)
      queue.underWay(position, 0, message.number + 1, true);
    queue.received(position, 0);
    if (this.random() < 0.7) {
      queue.done(position, 0);
      message.isDoubtful = true; // nobody waits for that to be durable
      message.isDone = true;
    }
  }

  private release(life: StoreLife): void {
    const message =
      this.messages.find(({ isDone, isGivenUp, origin, position }) => origin !== 0 && position > 0 && !isDone
        && !isGivenUp);
    if (message !== undefined && this.random() < 0.3)
      life.store.queue.released(message.position);
  }

  private confirm(life: StoreLife): void {
    this.follow(life);
    const { durable } = life.store;
    if (life.durables.length > 0)
      for (const message of this.messages)
        if (message.written !== 0 && (durable - message.written | 0) >= 0)
          message.isDurable = true;
  }
}

const MEDIA: readonly (readonly [what: string, options: LifeOptions])[] = [
  ['flash', {}],
  ['a disk that writes in any order', { isCached: true }],
  ['a disk that writes parts of it in any order', { isCached: true, isTearing: true }],
  ['a disk that is flushed in the background', { isCached: true, isDeferred: true }],
  ['a disk that is flushed in the background and writes parts', { isCached: true, isDeferred: true, isTearing: true }],
];

describe.each(MEDIA)('on %s the power fails at every step of the queue', (_what, options) => {
  it.each([1, 2])('and nothing durable is lost, nothing given up comes back, nothing is twice or out of order, seed %i', seed => {
    const run = (cutAt: number): boolean => {
      const random = seeded(seed * 1000 + 7);
      const medium = new FlashMedium(512, 4 + seed % 2);
      const model = new Model(random);
      const life = new StoreLife(medium, { ...options, cutAt, random: seeded(seed + cutAt) });
      model.run(life, 90);
      const isCut = life.flash.isDead;
      const next = new StoreLife(medium, options);
      model.check(next);
      model.run(next, 12);
      const last = new StoreLife(medium, options);
      expect(last.report.foreignBlockCount).toBe(0);
      return isCut;
    };
    let cutAt = 0;
    while (run(cutAt))
      cutAt += 1 + Math.floor(cutAt / 400);
    expect(cutAt).toBeGreaterThan(500);
  });
});

describe('a long outage in a small ring', () => {
  it('of 9,390 messages of 20 topics leaves the last of each topic, and what was given up stays so through restarts',
    () => {
    const medium = new FlashMedium(1024, 8);
    const latest = new Map<string, number>();
    let life = new StoreLife(medium);
    for (let number = 0; number < 9390; ++number) {
      const topic = `t${number % 20}`;
      const payload = `${number}`.padStart(4, '0');
      latest.set(topic, number);
      for (let left = 4; left > 0 && life.push(payload, { topic, retain: 1 }) === 0; --left)
        life.store.queue.makeRoom(life.handler(item => latest.get(item.topic) === Number(item.payload) ? MOVE
          : GIVE_UP, []));
      if (number % 1171 === 1170)
        life = new StoreLife(medium);
    }
    const { payloads } = life;
    expect(payloads).toEqual([...payloads].sort());
    expect(payloads.slice(-20)).toEqual(Array.from({ length: 20 }, (_value, index) => `${9370 + index}`));
    expect(life.deliver(10_000)).toEqual(payloads);
    expect(new StoreLife(medium).recovered).toEqual([]);
    expect(Math.max(...medium.wear) - Math.min(...medium.wear)).toBeLessThanOrEqual(2);
  });
});

describe('making room that moves messages', () => {
  it.each<readonly [string,
    LifeOptions]>([['flash', {}],
      ['a disk that writes parts',
        { isCached: true, isTearing: true }]])('on %s, cut at every step, leaves each moved message once',
          (_what, options) => {
    for (let after = 0, isCut = true; isCut; ++after) {
      const medium = new FlashMedium(512, 4);
      const filling = new StoreLife(medium);
      for (let number = 0; filling.push(`${number}`.padStart(4, '0')) !== 0; ++number);
      const life = new StoreLife(medium, { ...options, cutAt: medium.stepCount + after, random: seeded(after) });
      life.force('next', {}, ({ payload }) => payload === '0001' || payload === '0003' ? MOVE : GIVE_UP);
      isCut = life.flash.isDead;
      for (let lives = 2; lives > 0; --lives) {
        const { payloads } = new StoreLife(medium);
        expect(payloads.filter(payload => payload === '0001' || payload === '0003')).toEqual(['0001', '0003']);
        expect(new Set(payloads).size).toBe(payloads.length);
      }
    }
  });
});
