/** Sensors on simulated buses in a whole gateway: nobody waits for them, and one in trouble stops nobody. */
import { describe, expect, it } from 'vitest';
import type { SensorConfiguration } from '../../src/config/configuration.ts';
import { DriverSensors } from '../../src/drivers/driver-sensors.ts';
import { statusOf } from '../../src/gateway/status.ts';
import { SimulatedBuses } from '../../src/simulated/simulated-buses.ts';
import { ABSENT, FINE, SPOILT, STUCK } from '../../src/simulated/simulated-i2c.ts';
import { Surroundings } from '../../src/simulated/surroundings.ts';
import { World } from '../world/world.ts';

const BUS = { data: 1, clock: 2, interval: 10 };
type Entry = Partial<SensorConfiguration> & { name: string; type: string };

function wired(...sensors: Entry[]) {
  const around = new Surroundings();
  let time = (): number => 0;
  const buses = new SimulatedBuses(around, () => time());
  const drivers = new DriverSensors(buses);
  const world: World = new World({
    configuration: { sensors: sensors.map(sensor => ({ topic: sensor.name, ...sensor })) },
    createSensor: configuration => drivers.create(configuration)!,
  });
  time = () => world.clock.time;
  world.runtime.start();
  world.until(() => world.uplinks.length > 0 && world.uplink.all('connect').length > 0);
  return { around, buses, world };
}

const AIR: Entry = { ...BUS, name: 'air', type: 'sht3x' };
const LIGHT: Entry = { ...BUS, name: 'light', type: 'bh1750' };
const messagesOf = (world: World): string[] => world.uplink.messages.map(message => message.replace('up/', ''));

describe('sensors on buses', () => {
  it('are asked by turns, and publish when they have measured', () => {
    const { world } = wired(AIR, { ...AIR, name: 'moist', quantity: 'humidity' }, LIGHT);
    world.run(9000);
    expect(messagesOf(world).sort()).toEqual(['air 21.00', 'light 300.00', 'moist 45.00']);
    world.run(20_000);
    expect(messagesOf(world).filter(message => message.startsWith('air'))).toHaveLength(3);
  });

  it('measure once for all quantities of a part', () => {
    const { buses, world } = wired(AIR, { ...AIR, name: 'moist', quantity: 'humidity' });
    const part = buses.parts.get('air')!;
    let count = 0;
    const { write } = part;
    part.write = bytes => {
      ++count;
      return write.call(part, bytes);
    };
    world.run(35_000);
    expect(count).toBe(3);
    expect(messagesOf(world)).toHaveLength(8);
  });

  it.each([['does not acknowledge', ABSENT, 'it does not answer'], ['holds the bus', STUCK, 'its bus is stuck'],
    ['spoils its answers', SPOILT, 'the checksum of its answer is wrong']])(
    'one that %s publishes nothing, is counted and explained, stops nobody else, and comes back', (_, trouble, text) => {
      const { buses, world } = wired(AIR, LIGHT);
      world.run(9000);
      buses.parts.get('air')!.trouble = trouble;
      world.run(70_000);
      expect(messagesOf(world).filter(message => message.startsWith('air'))).toHaveLength(1);
      // A bus that was held costs the others the one transfer that they had under way, at most.
      expect(messagesOf(world).filter(message => message.startsWith('light')).length).toBeGreaterThanOrEqual(7);
      const [air, light] = statusOf(world.runtime, world.clock.time).sensors;
      expect(air).toMatchObject({ works: false, faults: 3, fault: expect.stringContaining(text) as string });
      expect(light).toMatchObject({ works: true, fault: null });
      expect(world.sensorNews.filter(news => news.startsWith('air'))).toEqual([expect.stringContaining(`air failed: ${text}`)]);
      buses.parts.get('air')!.trouble = FINE;
      world.run(320_000);
      expect(messagesOf(world).filter(message => message.startsWith('air')).length).toBeGreaterThan(1);
      expect(statusOf(world.runtime, world.clock.time).sensors[0]).toMatchObject({ works: true, fault: null });
    });

  it('of all types at once take no more than a few bytes of a bus at a time', () => {
    const types = ['aht10', 'bh1750', 'bme280', 'bme68x', 'ina226', 'lm75', 'scd4x', 'sht3x', 'shtc3', 'si7020', 'tmp117'];
    const { buses, world } = wired(...types.map((type, index) => ({ ...BUS, name: type, type, clock: 10 + index })));
    let longest = 0;
    for (const part of buses.parts.values())
      for (const name of ['read', 'write'] as const) {
        const transfer = part[name].bind(part);
        part[name] = bytes => {
          longest = Math.max(longest, bytes.length);
          return transfer(bytes);
        };
      }
    world.run(60_000);
    expect(statusOf(world.runtime, world.clock.time).sensors.filter(({ works }) => !works)).toEqual([]);
    expect(longest).toBeLessThanOrEqual(26); // 2.5 ms at 100 kHz, once: the calibration of a BME280
  });
});
