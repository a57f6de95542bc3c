import { describe, expect, it } from 'vitest';
import { Arena, ArenaPlan, MemoryShortage } from '../../src/bytes/arena.ts';

describe('a plan', () => {
  it('hands out regions one behind the other', () => {
    const plan = new ArenaPlan();
    expect(plan.length).toBe(0);
    expect(plan.reserve('first', 10)).toBe(0);
    expect(plan.reserve('second', 3, 4)).toBe(10);
    expect(plan.reserve('third', 1)).toBe(22);
    expect(plan.length).toBe(23);
  });

  it('lists them: the RAM map', () => {
    const plan = new ArenaPlan();
    plan.reserve('first', 10);
    plan.reserve('second', 3, 4);
    expect(plan.regions).toEqual([{ name: 'first', count: 1, length: 10 }, { name: 'second', count: 4, length: 3 }]);
    expect(plan.regions.reduce((sum, { count, length }) => sum + count * length, 0)).toBe(plan.length);
  });

  it('takes regions of no bytes and of no copies', () => {
    const plan = new ArenaPlan();
    expect(plan.reserve('empty', 0)).toBe(0);
    expect(plan.reserve('none', 7, 0)).toBe(0);
    expect(plan.reserve('one', 1)).toBe(0);
    expect(plan.length).toBe(1);
  });

  it.each([[-1, 1], [1.5, 1], [NaN, 1], [Infinity, 1], [1, -1], [1, 0.5],
    [1, NaN]])('refuses %s bytes, %s times, and changes nothing', (length, count) => {
    const plan = new ArenaPlan();
    plan.reserve('first', 10);
    expect(() => plan.reserve('wrong', length, count)).toThrow(RangeError);
    expect(() => plan.reserve('wrong', length, count)).toThrow('"wrong"');
    expect(plan.length).toBe(10);
    expect(plan.regions.length).toBe(1);
  });
});

describe.each([['resizable', true], ['not resizable', false]])('an arena that is %s', (_name, resizable) => {
  const arenaOf = (): Arena => {
    const plan = new ArenaPlan();
    plan.reserve('regions', 100);
    return new Arena(plan, { landingCapacity: 30, stagingCapacity: 20, resizable });
  };

  it('lies in one buffer: regions, landing, staging', () => {
    const arena = arenaOf();
    expect([arena.landingOffset, arena.landingCapacity, arena.stagingOffset, arena.stagingCapacity,
      arena.length]).toEqual([100, 30, 130, 20, 150]);
    expect(arena.buffer.byteLength).toBe(150);
    expect([arena.bytes.buffer, arena.view.buffer, arena.landingView.buffer,
      arena.stagingView.buffer]).toEqual(new Array(4).fill(arena.buffer));
    expect([arena.bytes.byteOffset, arena.bytes.length, arena.view.byteOffset, arena.view.byteLength]).toEqual([0,
      150, 0, 150]);
    expect([arena.landingView.byteOffset, arena.landingView.length]).toEqual([100, 50]);
    expect([arena.stagingView.byteOffset, arena.stagingView.length]).toEqual([130, 20]);
  });

  it('starts with zeros', () => {
    expect(arenaOf().bytes.every(byte => byte === 0)).toBe(true);
  });

  it('names landing and staging in the RAM map', () => {
    const plan = new ArenaPlan();
    plan.reserve('regions', 100);
    const arena = new Arena(plan, { landingCapacity: 30, stagingCapacity: 20, resizable });
    expect(plan.regions.slice(1)).toEqual([{ name: 'landing', count: 1, length: 30 },
      { name: 'staging', count: 1, length: 20 }]);
    expect(plan.length).toBe(arena.length);
  });

  it('may have neither landing nor staging', () => {
    const plan = new ArenaPlan();
    plan.reserve('regions', 8);
    const arena = new Arena(plan, { landingCapacity: 0, stagingCapacity: 0, resizable });
    expect([arena.length, arena.landingView.length, arena.stagingView.length]).toEqual([8, 0, 0]);
  });

  it('refuses areas that are no whole number of bytes', () => {
    expect(() => new Arena(new ArenaPlan(),
      { landingCapacity: -1, stagingCapacity: 0, resizable })).toThrow('"landing"');
    expect(() => new Arena(new ArenaPlan(),
      { landingCapacity: 0, stagingCapacity: 1.5, resizable })).toThrow('"staging"');
  });
});

describe('a resizable arena', () => {
  const arenaOf = (options = {}): Arena => {
    const plan = new ArenaPlan();
    plan.reserve('regions', 100);
    const arena = new Arena(plan, { landingCapacity: 30, stagingCapacity: 20, ...options });
    arena.bytes.forEach((_, index) => arena.bytes[index] = index);
    return arena;
  };

  it('is the default, and cannot grow beyond its plan', () => {
    const { buffer } = arenaOf();
    expect(buffer.resizable).toBe(true);
    expect(buffer.maxByteLength).toBe(150);
    expect(arenaOf({ resizable: false }).buffer.resizable).toBe(false);
  });

  it('cut within staging, leaves an exact staging view and everything else', () => {
    const arena = arenaOf();
    arena.buffer.resize(arena.stagingOffset + 7);
    expect([...arena.stagingView]).toEqual([130, 131, 132, 133, 134, 135, 136]);
    arena.buffer.resize(arena.length);
    expect(arena.stagingView.length).toBe(20);
    expect([...arena.bytes.subarray(0, 137)]).toEqual(Array.from({ length: 137 }, (_, index) => index));
  });

  it('cut within landing, leaves an exact landing view; staging comes back as zeros', () => {
    const arena = arenaOf();
    arena.buffer.resize(arena.landingOffset + 3);
    expect([...arena.landingView]).toEqual([100, 101, 102]);
    arena.buffer.resize(arena.length);
    expect([...arena.bytes.subarray(0, 103)]).toEqual(Array.from({ length: 103 }, (_, index) => index));
    expect(arena.stagingView.every(byte => byte === 0)).toBe(true);
  });
});

it('an arena that is longer than there is memory for is not made, and says how much is missing', () => {
  const options = { landingCapacity: 10, stagingCapacity: 20, resizable: false };
  const plan = new ArenaPlan();
  plan.reserve('first', 70);
  plan.limit = 100;
  expect(new Arena(plan, options).length).toBe(100);
  const larger = new ArenaPlan();
  larger.reserve('first', 73);
  larger.limit = 100;
  expect(() => new Arena(larger, options)).toThrow(MemoryShortage);
  expect(() => new Arena(larger, options)).toThrow('3 bytes of memory are missing');
});
