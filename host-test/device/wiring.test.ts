/** What is wired to a board, with stand-ins for the modules of the SDK and for our C files. */
import { beforeEach, describe, expect, it, vi } from 'vitest';
import { DEFAULT_SENSOR } from '../../src/config/defaults.ts';
import type { SensorConfiguration } from '../../src/config/configuration.ts';
import { BoardSensors } from '../../src/device/sensors.ts';
import type { Natives } from '../../src/device/natives.ts';
import type { Sensor } from '../../src/sensors/sensor-state.ts';
import { NO_ANSWER, NO_FAULT, STUCK_BUS, TOO_FAST } from '../../src/sensors/sensor-faults.ts';
import { bytesOfHex } from '../simulation/hex.ts';

interface Pin { level: number; onReadable?: () => void }

/** The board: who is at its pins and buses. */
const board = vi.hoisted(() => ({
  now: 1000,
  pins: new Map<number, Pin>(),
  /** Open objects at a pin. */
  open: [] as string[],
  clocks: 0,
  /** The line of data is held low until so many clocks have come. */
  heldFor: 0,
  answers: [] as string[],
  written: [] as string[],
  polls: [] as (() => void)[],
}));

vi.mock('time', () => ({ default: { get ticks(): number { return board.now; } } }));
vi.mock('timer', () => ({ default: { repeat: (poll: () => void) => board.polls.push(poll) } }));
vi.mock('embedded:io/analog', () => ({ default: class { resolution = 12; read(): number { return 2048; } } }));
vi.mock('embedded:io/digital', () => ({
  default: class {
    static InputPullUp = 1;
    static OutputOpenDrain = 2;
    static Falling = 4;
    private readonly pin: number;
    constructor({ onReadable, pin }: { pin: number; onReadable?: () => void }) {
      this.pin = pin;
      if (board.open.includes(`pin ${pin}`))
        throw new Error('in use');
      board.open.push(`pin ${pin}`);
      board.pins.set(pin, { level: 1, ...onReadable !== undefined && { onReadable } });
    }
    read(): number { return this.pin === 21 && board.heldFor > 0 ? 0 : 1; }
    write(level: number): void {
      if (level !== 1)
        return;
      ++board.clocks;
      --board.heldFor;
    }
    close(): void { board.open = board.open.filter(name => name !== `pin ${this.pin}`); }
  },
}));
vi.mock('embedded:io/i2c', () => ({
  default: class {
    private readonly name: string;
    constructor({ address, clock, data, timeout }: { address: number; clock: number; data: number; timeout: number }) {
      expect(timeout).toBeLessThanOrEqual(20);
      expect(board.open.filter(name => name === `pin ${data}` || name === `pin ${clock}`)).toEqual([]);
      this.name = `i2c ${address}`;
      if (board.open.includes(this.name))
        throw new RangeError('duplicate address');
      board.open.push(this.name);
    }
    write(bytes: Uint8Array): void {
      if (board.heldFor > 0 || board.answers.length === 0)
        throw new Error('write failed');
      board.written.push(Buffer.from(bytes).toString('hex'));
    }
    read(bytes: Uint8Array): void { bytes.set(bytesOfHex(board.answers.shift()!)); }
    close(): void { board.open = board.open.filter(name => name !== this.name); }
  },
}));

let pulses = 0;
let counterOf: (pin: number) => number = () => -1;
let incoming = '';
const serial: unknown[][] = [];
const natives = {
  ringbridge_pulses_open: (pin: number) => counterOf(pin),
  ringbridge_pulses_read: () => pulses,
  ringbridge_serial_open: (...values: unknown[]) => serial.push(values) === 1 ? 1 : -1,
  ringbridge_serial_read: (_port: number, buffer: ArrayBuffer, offset: number, length: number) => {
    const count = Math.min(incoming.length, length);
    new Uint8Array(buffer).set(Buffer.from(incoming.slice(0, count)), offset);
    const lost = incoming.length > 200 ? 0x10000 : 0;
    incoming = incoming.slice(count);
    return count + lost;
  },
} as unknown as Natives;

beforeEach(() => {
  Object.assign(board, { now: 1000, open: [], clocks: 0, heldFor: 0, answers: [], written: [], polls: [] });
  pulses = 0;
  counterOf = () => -1;
  incoming = '';
  serial.length = 0;
});

const configuration = (sensor: Partial<SensorConfiguration>): SensorConfiguration =>
  ({ ...DEFAULT_SENSOR, name: 's', topic: 's', ...sensor });
const sensors = (): BoardSensors => new BoardSensors(natives);

function measure(sensor: Sensor): number {
  for (let wait = 1; wait > 0; board.now += wait)
    wait = sensor.prepare!(board.now);
  return sensor.read();
}

describe('pulses', () => {
  it('are counted by the chip where it can, over the end of 32 bits', () => {
    counterOf = () => 0;
    pulses = 0xFFFFFFF0;
    const sensor = sensors().create(configuration({ type: 'pulse_count', pin: 4 }));
    pulses = 20;
    expect(sensor.read()).toBe(36);
    expect(sensor.read()).toBe(0);
    expect(board.open).toEqual([]);
  });

  it('are counted edge by edge elsewhere, once for all sensors at a pin', () => {
    const factory = sensors();
    const [first, second] =
      ['total', 'rate'].map(name => factory.create(configuration({ name, type: 'pulse_count', pin: 4 })));
    for (let edge = 0; edge < 7; ++edge)
      board.pins.get(4)!.onReadable!();
    expect([first!.read(), second!.read()]).toEqual([7, 7]);
  });

  it('that come faster than 50 a second are not believed there', () => {
    const sensor = sensors().create(configuration({ type: 'pulse_count', pin: 4 }));
    const count = (edges: number, milliseconds: number): number => {
      for (let edge = 0; edge < edges; ++edge)
        board.pins.get(4)!.onReadable!();
      board.now += milliseconds;
      return sensor.read();
    };
    expect(count(500, 10_000)).toBe(500);
    expect(sensor.fault).toBe(NO_FAULT);
    expect(count(700, 10_000)).toBeNaN();
    expect(sensor.fault).toBe(TOO_FAST);
    expect(count(3, 1000)).toBe(3);
  });
});

describe('an I2C bus', () => {
  const air = { type: 'sht3x', data: 21, clock: 22 };

  it('carries what the driver says', () => {
    board.answers = ['66 66 93 80 00 A2'];
    expect(measure(sensors().create(configuration(air)))).toBeCloseTo(25, 2);
    expect(board.written).toEqual(['2400']);
  });

  it('that is held low is freed by nine clocks, without anybody at its pins, and works again', () => {
    const sensor = sensors().create(configuration(air));
    board.heldFor = 9;
    expect(measure(sensor)).toBeNaN();
    expect(sensor.fault).toBe(STUCK_BUS);
    expect(board.clocks).toBe(9);
    board.answers = ['66 66 93 80 00 A2'];
    board.now += 10_000;
    expect(measure(sensor)).toBeCloseTo(25, 2);
  });

  it('on which nobody answers gets no clocks', () => {
    const sensor = sensors().create(configuration(air));
    expect(measure(sensor)).toBeNaN();
    expect([sensor.fault, board.clocks]).toEqual([NO_ANSWER, 0]);
  });
});

describe('a serial line', () => {
  it('is opened with its speed, parity and stop bits, and listened to all the time', () => {
    const sensor = sensors().create(configuration({ type: 'serial', pin: 16, baud: 115_200, parity: 'even', stop_bits: 2 }));
    expect(serial).toEqual([[16, 255, 115_200, 2 | 2 << 4]]);
    incoming = '1.5\n2.5\n';
    board.polls[0]!();
    expect(incoming).toBe('');
    expect(sensor.read()).toBe(2.5);
    expect(sensor.read()).toBeNaN();
  });

  it('of which something is lost does not give half a number', () => {
    const sensor = sensors().create(configuration({ type: 'serial', pin: 16 }));
    incoming = '1';
    board.polls[0]!();
    incoming = `3.4${' '.repeat(200)}\n`;
    board.polls[0]!();
    expect(sensor.read()).toBeNaN();
    incoming = '7\n';
    expect(sensor.read()).toBe(7);
  });

  it('that the chip has not is an error that says so', () => {
    const factory = sensors();
    factory.create(configuration({ type: 'serial', pin: 16 }));
    expect(() => factory.create(configuration({ name: 'other', type: 'serial', pin: 17 })))
      .toThrow('sensor "other": there is no serial port left for it on this chip');
  });
});

it('a thermistor in the middle of its divider has 25 degrees', () => {
  expect(sensors().create(configuration({ type: 'ntc', pin: 32 })).read()).toBeCloseTo(25, 1);
});
