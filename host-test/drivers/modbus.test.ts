/** Modbus RTU at a simulated line, and what is said of answers that are none. */
import { describe, expect, it } from 'vitest';
import { BAD_CHECKSUM, NO_ANSWER, NO_FAULT, REFUSED } from '../../src/sensors/sensor-faults.ts';
import { ABSENT, FINE, SILENT, SPOILT } from '../../src/simulated/simulated-i2c.ts';
import type { SimulatedModbusLine } from '../../src/simulated/simulated-lines.ts';
import { Bench } from './bench.ts';

const METER = { type: 'modbus', address: 17, register: 3 };
const lineOf = (bench: Bench): SimulatedModbusLine => bench.buses.lines.get('modbus')!;

describe('a register of Modbus', () => {
  it.each([
    ['U_WORD', 0xFFFE, 0, 65_534], ['S_WORD', 0xFFFE, 0, -2], ['U_DWORD', 0xFFFF, 0xFFFE, 4_294_967_294],
    ['S_DWORD', 0xFFFF, 0xFFFE, -2], ['U_DWORD_R', 0x0001, 0x0002, 131_073], ['S_DWORD_R', 0xFFFE, 0xFFFF, -2],
    ['FP32', 0x4366, 0x8000, 230.5], ['FP32_R', 0x8000, 0x4366, 230.5],
  ])('of type %s', (value_type, first, second, expected) => {
    const bench = new Bench();
    const sensor = bench.create({ ...METER, value_type });
    lineOf(bench).registers.set([first, second], 3);
    expect(bench.measure(sensor)).toMatchObject({ value: expected, fault: NO_FAULT });
  });

  it('is asked for by function 3 or 4, with the telegram of the specification', () => {
    for (const register_type of ['holding', 'input'] as const) {
      const bench = new Bench();
      const sensor = bench.create({ ...METER, register: 0x6B, value_type: 'U_DWORD', register_type });
      const telegrams: string[] = [];
      const line = lineOf(bench);
      const { write } = line;
      line.write = bytes => {
        telegrams.push(Buffer.from(bytes).toString('hex'));
        write.call(line, bytes);
      };
      expect(bench.measure(sensor).fault).toBe(NO_FAULT);
      expect(telegrams.map(telegram => telegram.slice(0, 12))).toEqual([register_type === 'holding' ? '1103006b0002'
        : '1104006b0002']);
    }
  });

  it('that is not there is refused, and nobody waits for more', () => {
    const bench = new Bench();
    const sensor = bench.create(METER);
    lineOf(bench).registerCount = 2;
    const { duration, fault, value } = bench.measure(sensor);
    expect([fault, value]).toEqual([REFUSED, NaN]);
    expect(duration).toBeLessThan(100);
  });

  it.each([['nobody answers', ABSENT, NO_ANSWER], ['a bit is wrong', SPOILT, BAD_CHECKSUM],
    ['the answer stops in the middle', SILENT, BAD_CHECKSUM]])('%s: no reading, and the next one is right', (_, trouble, fault) => {
    const bench = new Bench();
    const sensor = bench.create(METER);
    lineOf(bench).trouble = trouble;
    const measured = bench.measure(sensor);
    expect(measured).toMatchObject({ value: NaN, fault });
    expect(measured.duration).toBeLessThan(1000);
    lineOf(bench).trouble = FINE;
    bench.now += 10_000;
    expect(bench.measure(sensor)).toMatchObject({ value: 300, fault: NO_FAULT });
  });

  it('an answer that comes too late is not taken for the next one', () => {
    const bench = new Bench();
    const first = bench.create(METER);
    const second = bench.create({ ...METER, name: 'other', register: 4 });
    const line = lineOf(bench);
    const { read } = line;
    line.read = () => 0;
    expect(bench.measure(first).fault).toBe(NO_ANSWER);
    line.read = read;
    expect(bench.measure(second)).toMatchObject({ value: 400, fault: NO_FAULT });
  });

  it('waits for its turn on the line', () => {
    const bench = new Bench();
    const first = bench.create(METER);
    const second = bench.create({ ...METER, name: 'other', register: 4 });
    expect(first.prepare!(bench.now)).toBeGreaterThan(0);
    expect(bench.measure(second, 1)).toMatchObject({ value: 400 }); // who has forgotten the line, loses it
    expect(bench.measure(first)).toMatchObject({ value: 300 });
  });
});
