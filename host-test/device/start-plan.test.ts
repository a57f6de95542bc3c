/**
 * Which configuration a board uses after power cuts at every step of what it writes, and that none can cost the board.
 */
import { describe, expect, it } from 'vitest';
import { CONFIG_PARTITION_LENGTH, ConfigSlots, LONGEST_CONFIGURATION, SECTOR } from '../../src/device/config-slots.ts';
import { crc32 } from '../../src/device/crc32.ts';
import { StartPlan } from '../../src/device/start-plan.ts';
import { LONGEST_STORED_TEXT } from '../../src/rules/board-rules.ts';
import { Random } from '../simulation/random.ts';
import { FlashMedium, PowerLoss } from '../simulation/simulated-flash.ts';
import { SimulatedNORFlash } from '../simulation/simulated-nor-flash.ts';

const BLOCKS = CONFIG_PARTITION_LENGTH / SECTOR;
const encode = (text: string): Uint8Array => new TextEncoder().encode(text);
const newMedium = (): FlashMedium => new FlashMedium(SECTOR, BLOCKS);

function copyOf(medium: FlashMedium): FlashMedium {
  const copy = new FlashMedium(medium.blockLength, medium.blockCount);
  copy.bytes.set(medium.bytes);
  return copy;
}

const silent = (): void => {};

function textOf(medium: FlashMedium,
  stored: { read(target: Uint8Array, offset: number): void; length: number } | undefined): string | undefined {
  if (stored === undefined)
    return undefined;
  const bytes = new Uint8Array(stored.length);
  stored.read(bytes, 0);
  expect(medium.bytes.length).toBe(CONFIG_PARTITION_LENGTH);
  return new TextDecoder().decode(bytes);
}

/** A start as the board makes it. @returns the text of the configuration that it uses, or "built-in" or "safe mode" */
function start(medium: FlashMedium, isGood: boolean, log: (text: string) => void = silent, options = {}): string {
  const plan = new StartPlan(new SimulatedNORFlash(medium, options));
  const [first] = plan.candidates(log);
  plan.begin(first);
  if (isGood)
    plan.markGood();
  return plan.isSafeMode ? 'safe mode' : textOf(medium, first) ?? 'built-in';
}

const giveUpTheNewest = (medium: FlashMedium): void =>
  new StartPlan(new SimulatedNORFlash(medium)).slots.giveUp(new ConfigSlots(new SimulatedNORFlash(medium)).list()[0]!);

const write = (medium: FlashMedium, text: string, options = {}): boolean =>
  new ConfigSlots(new SimulatedNORFlash(medium, options)).write(encode(text));

describe('a stored configuration', () => {
  it('is found again, and the newest one is used', () => {
    const medium = newMedium();
    expect(start(medium, true)).toBe('built-in');
    expect(write(medium, '{"name":"first"}')).toBe(true);
    expect(start(medium, true)).toBe('{"name":"first"}');
    expect(write(medium, '{"name":"first"}')).toBe(false);
    expect(write(medium, '{"name":"second"}')).toBe(true);
    expect(start(medium, true)).toBe('{"name":"second"}');
  });

  it('may fill its slot to the last byte, and one byte more is refused', () => {
    expect(LONGEST_CONFIGURATION).toBe(LONGEST_STORED_TEXT);
    const medium = newMedium();
    const text = `"${'x'.repeat(LONGEST_CONFIGURATION - 2)}"`;
    write(medium, text);
    expect(start(medium, true)).toBe(text);
    expect(() => write(medium, `${text} `)).toThrow(`${LONGEST_CONFIGURATION} are possible`);
  });

  it('of every length is read as it was written', () => {
    for (const length of [0, 1, 2, 3, 4, 5, 255, 256, 257, 4063, 4064, 4065, 8159]) {
      const medium = newMedium();
      write(medium, 'y'.repeat(length));
      expect(start(medium, false)).toBe('y'.repeat(length));
    }
  });

  it('that a later version has written is not touched, and is told', () => {
    const medium = newMedium();
    write(medium, '{}');
    const header = new DataView(medium.bytes.buffer, 0, 24);
    header.setUint32(4, 2);
    header.setUint32(20, crc32(medium.bytes.subarray(0, 20)));
    expect(new ConfigSlots(new SimulatedNORFlash(medium)).hasLaterVersion).toBe(true);
    expect(start(medium, true)).toBe('built-in');
  });

  it('is not used when one bit of it has changed', () => {
    const medium = newMedium();
    write(medium, '{"name":"a"}');
    for (let at = 0; at < 24 + 8 + 12; ++at) {
      if (at >= 24 && at < 32)
        continue; // the marks
      const copy = copyOf(medium);
      copy.bytes[at]! ^= 4;
      expect(start(copy, true), `byte ${at}`).toBe('built-in');
    }
  });

  it('needs a partition that is long enough', () => {
    expect(() => new ConfigSlots(new SimulatedNORFlash(new FlashMedium(SECTOR,
      BLOCKS - 1)))).toThrow('needs 24576 bytes');
  });
});

describe('a board', () => {
  it('goes back to the last good configuration when the new one has not reached good twice', () => {
    const medium = newMedium();
    const lines: string[] = [];
    write(medium, 'old');
    expect(start(medium, true)).toBe('old');
    write(medium, 'new');
    expect([start(medium, false), start(medium, false)]).toEqual(['new', 'new']);
    expect(start(medium, true, text => lines.push(text))).toBe('old');
    expect(lines).toEqual(['the stored configuration 2 has not worked in 2 starts and is given up']);
    expect(start(medium, true)).toBe('old');
    write(medium, 'newer');
    expect(start(medium, true)).toBe('newer');
  });

  it('tries a configuration that was given up again when it is written again', () => {
    const medium = newMedium();
    write(medium, 'new');
    expect([start(medium, false), start(medium, false), start(medium, true)]).toEqual(['new', 'new', 'built-in']);
    expect(write(medium, 'new')).toBe(true);
    expect(start(medium, true)).toBe('new');
  });

  it('starts in safe mode after three starts of any kind that have not reached good, and leaves it when that has',
    () => {
    const medium = newMedium();
    write(medium, 'good');
    expect(start(medium, true)).toBe('good');
    expect([start(medium, false), start(medium, false), start(medium, false)]).toEqual(['good', 'good', 'good']);
    expect([start(medium, false), start(medium, true)]).toEqual(['safe mode', 'safe mode']);
    expect(start(medium, true)).toBe('good');
  });

  it('starts in safe mode when even the configuration that is built in does not reach good', () => {
    const medium = newMedium();
    expect([1, 2, 3, 4].map(() => start(medium, false))).toEqual(['built-in', 'built-in', 'built-in', 'safe mode']);
  });

  it('never overwrites the last good configuration, however many are written after it', () => {
    const medium = newMedium();
    write(medium, 'good');
    start(medium, true);
    for (const text of ['a', 'b', 'c']) {
      write(medium, text);
      expect(start(medium, false)).toBe(text);
    }
    expect(start(medium, true)).toBe('safe mode'); // three starts of any kind
    for (const text of ['d', 'e']) {
      write(medium, text);
      start(medium, false);
    }
    write(medium, 'f');
    giveUpTheNewest(medium);
    expect(start(medium, true)).toBe('good');
  });

  it('counts starts over thousands of them, with few erasures', () => {
    const medium = newMedium();
    for (let count = 0; count < 3000; ++count)
      expect(start(medium, true)).toBe('built-in');
    expect(medium.wear.slice(0, 4)).toEqual([0, 0, 0, 0]);
    expect(Math.max(...medium.wear)).toBeLessThanOrEqual(4);
    expect([1, 2, 3, 4].map(() => start(medium, false))).toEqual(['built-in', 'built-in', 'built-in', 'safe mode']);
  });
});

/** Does `action` with the power failing at each of its steps in turn, three times with different bits. */
function atEveryCut(before: FlashMedium, action: (medium: FlashMedium, options: object) => void,
  check: (medium: FlashMedium, cut: number) => void): number {
  const whole = copyOf(before);
  action(whole, {});
  for (let cut = 0; cut < whole.stepCount; ++cut)
    for (let seed = 1; seed <= 3; ++seed) {
      const medium = copyOf(before);
      const random = new Random(cut * 3 + seed);
      expect(() => action(medium,
        { cutAt: cut, random: () => random.integer(0, 0xFFFFFF) / 0x1000000 })).toThrow(PowerLoss);
      check(medium, cut);
    }
  return whole.stepCount;
}

describe('a power cut at every step', () => {
  it('of writing a configuration leaves the old one or the new one', () => {
    const before = newMedium();
    write(before, 'an older one');
    start(before, true);
    write(before, 'old');
    start(before, true);
    const found = new Set<string>();
    const steps =
      atEveryCut(before, (medium, options) => { write(medium, `new ${'x'.repeat(300)}`, options); }, medium => {
      const used = start(medium, true);
      found.add(used);
      expect(['old', `new ${'x'.repeat(300)}`]).toContain(used);
      expect(start(medium, true)).toBe(used);
      write(medium, 'after'); // and the next one can be written
      expect(start(medium, true)).toBe('after');
    });
    expect(steps).toBeGreaterThan(50);
    expect(found.size).toBe(2);
  });

  it('of a start with a new configuration leaves one that is used, and never more failures than starts', () => {
    const before = newMedium();
    write(before, 'old');
    start(before, true);
    write(before, 'new');
    atEveryCut(before, (medium, options) => { start(medium, true, silent, options); }, medium => {
      expect(start(medium, false)).toBe('new');
      expect(['new', 'old']).toContain(start(medium, true));
    });
  });

  it('of giving up a configuration leads to the last good one', () => {
    const before = newMedium();
    write(before, 'old');
    start(before, true);
    write(before, 'new');
    start(before, false);
    start(before, false);
    atEveryCut(before, (medium, options) => { start(medium, false, silent, options); }, medium => {
      expect(['old', 'safe mode']).toContain(start(medium, true));
      expect(start(medium, true)).toBe('old');
    });
  });

  it('of changing the sector of the list forgets no start that has not reached good', () => {
    const before = newMedium();
    for (let count = 0; count < 508; ++count)
      start(before, true);
    start(before, false);
    start(before, false);
    atEveryCut(before, (medium, options) => { start(medium, false, silent, options); }, medium => {
      const used = [start(medium, false), start(medium, false)];
      expect(used.at(-1)).toBe('safe mode');
    });
  });

  it('again and again while configurations are written and tried never leaves a board without one that was good',
    () => {
    const random = new Random(4);
    const medium = newMedium();
    write(medium, 'good 0');
    start(medium, true);
    let cuts = 0;
    for (let round = 0; round < 600; ++round) {
      const options =
        { cutAt: medium.stepCount + random.integer(0, 60), random: () => random.integer(0, 0xFFFFFF) / 0x1000000 };
      try {
        write(medium, `bad ${round}`, options);
        start(medium, false, silent, options);
      } catch (error) {
        expect(error).toBeInstanceOf(PowerLoss);
        ++cuts;
      }
      const slots = new ConfigSlots(new SimulatedNORFlash(medium)).list();
      expect(slots.some(({ isGood }) => isGood), `round ${round}`).toBe(true);
    }
    expect(cuts).toBeGreaterThan(100);
    for (let count = 0; count < 5 && start(medium, true) !== 'good 0'; ++count)
      giveUpTheNewest(medium);
    expect(start(medium, true)).toBe('good 0');
  });
});
