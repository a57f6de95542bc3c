/** Sensors, sampled by a whole gateway in virtual time. */
import { describe, expect, it } from 'vitest';
import { Random } from '../simulation/random.ts';
import type { PartialConfiguration } from '../../src/gateway/configuration.ts';
import { createSimulatedSensor } from '../../src/io/simulated-sensors.ts';
import { Stage } from './stage.ts';

const SENSOR = { name: 's', type: 'any', topic: 'reading', interval: 10 };

/** A stage whose sensor gives what `read` says. */
function sampled(read: (attempt: number) => number, sensor: NonNullable<PartialConfiguration['sensors']>[number] = SENSOR): Stage {
  let attempt = 0;
  return Stage.connected({ configuration: { sensors: [sensor] }, createSensor: () => ({ read: () => read(++attempt) }) });
}

describe('a sensor', () => {
  it('is read at once, then in its own rhythm, which does not drift', () => {
    const times: number[] = [];
    const stage: Stage = new Stage({ configuration: { sensors: [SENSOR] }, createSensor: () => ({ read: () => times.push(stage.clock.time) }) });
    stage.runtime.start();
    stage.run(1_000_000);
    expect(times).toEqual(Array.from({ length: 101 }, (_, index) => index * 10_000));
  });

  it('keeps its rhythm beside others', () => {
    const times: Record<string, number[]> = { fast: [], slow: [] };
    const stage: Stage = new Stage({
      configuration: { sensors: [{ ...SENSOR, name: 'fast', interval: 0.7 }, { ...SENSOR, name: 'slow', interval: 3.1 }] },
      createSensor: ({ name }) => ({ read: () => times[name]!.push(stage.clock.time) }),
    });
    stage.runtime.start();
    stage.run(31_000);
    expect(times['fast']).toEqual(Array.from({ length: 45 }, (_, index) => index * 700));
    expect(times['slow']).toEqual(Array.from({ length: 11 }, (_, index) => index * 3100));
  });

  it('becomes a message: topic, decimals, retained or not, with the QoS of the rule', () => {
    const stage = sampled(attempt => attempt / 3, { ...SENSOR, decimals: 3, retain: true });
    stage.run(25_000);
    expect(stage.uplink.all('publish').map(({ payload, qos, retain, topic }) => `${topic} ${payload} ${qos} ${retain}`)).toEqual([
      'up/reading 0.333 2 true', 'up/reading 0.667 2 true', 'up/reading 1.000 2 true',
    ]);
    const late = stage.node('late');
    late.subscribe('reading', 1);
    stage.run(100);
    expect(late.messages).toEqual(['reading 1.000']);
  });

  it('without a topic has that of its name', () => {
    const stage = sampled(() => 1, { name: 'air/temperature', type: 'any', interval: 10 });
    expect(stage.uplink.messages).toEqual(['up/air/temperature 1.00']);
  });

  it('that has no reading (NaN) says nothing, and has not failed', () => {
    const stage = sampled(attempt => attempt === 2 ? NaN : attempt);
    stage.run(35_000);
    expect(stage.uplink.messages).toEqual(['up/reading 1.00', 'up/reading 3.00', 'up/reading 4.00']);
    expect(stage.sensorNews).toEqual([]);
  });

  it('that fails is reported once and asked less and less often, up to 32 intervals apart', () => {
    const times: number[] = [];
    const stage: Stage = new Stage({
      configuration: { sensors: [SENSOR] },
      createSensor: () => ({
        read: () => {
          times.push(stage.clock.time / 10_000);
          throw new Error('no wire');
        },
      }),
    });
    stage.runtime.start();
    stage.run(1_300_000);
    expect(times).toEqual([0, 2, 6, 14, 30, 62, 94, 126]);
    expect(stage.sensorNews).toEqual(['s failed: no wire']);
  });

  it('that works again is reported once, and back in rhythm', () => {
    const stage = sampled(attempt => {
      if (attempt === 2 || attempt === 3)
        throw new Error('loose');
      return attempt;
    });
    stage.run(100_000); // 0, 10 fails, 30 fails, 70, 80, 90, 100
    expect(stage.sensorNews).toEqual(['s failed: loose', 's recovered']);
    expect(stage.uplink.messages.map(message => message.split(' ')[1])).toEqual(['1.00', '4.00', '5.00', '6.00', '7.00']);
  });

  it('that fails does not stop the others', () => {
    let count = 0;
    const stage = Stage.connected({
      configuration: { sensors: [{ ...SENSOR, name: 'broken' }, { ...SENSOR, name: 'fine', topic: 'fine' }] },
      createSensor: ({ name }) => ({
        read: () => {
          if (name === 'broken')
            throw new Error('dead');
          return ++count;
        },
      }),
    });
    stage.run(100_000);
    expect(count).toBe(11);
  });

  it('that was missed by far is read once, not for every interval that has gone by', () => {
    const times: number[] = [];
    const stage: Stage = new Stage({ configuration: { sensors: [{ ...SENSOR, interval: 1 }] }, createSensor: () => ({ read: () => times.push(stage.runtime.gateway.clock.now) }) });
    stage.runtime.start();
    stage.run(1500);
    const { gateway, sensors } = stage.runtime;
    gateway.clock.now += 60_000; // as if something had blocked the program for a minute
    sensors.handleTimeout();
    sensors.handleTimeout();
    expect(times.length).toBe(3);
    expect(sensors.states[0]!.dueAt).toBe(gateway.clock.now + 1000);
  });
});

describe('a simulated sensor', () => {
  const random = () => {
    const source = new Random(7);
    return () => source.integer(0, 999_999) / 1_000_000;
  };
  const configuration = { name: 's', type: 'simulated', topic: 's', interval: 1, decimals: 2, retain: false };

  it('temperature wanders in small steps between 15 and 30', () => {
    const sensor = createSimulatedSensor(configuration, random());
    let last = 21;
    const values = Array.from({ length: 100_000 }, () => {
      const value = sensor.read();
      expect(Math.abs(value - last)).toBeLessThanOrEqual(0.4);
      return last = value;
    });
    expect(Math.min(...values)).toBeGreaterThanOrEqual(15);
    expect(Math.max(...values)).toBeLessThanOrEqual(30);
    expect(Math.max(...values) - Math.min(...values)).toBeGreaterThan(5);
  });

  it('switch changes now and then between 0 and 1', () => {
    const sensor = createSimulatedSensor({ ...configuration, type: 'simulated_switch' }, random());
    const values = Array.from({ length: 10_000 }, () => sensor.read());
    expect(new Set(values)).toEqual(new Set([0, 1]));
    const changes = values.filter((value, index) => index > 0 && value !== values[index - 1]).length;
    expect(changes).toBeGreaterThan(1800);
    expect(changes).toBeLessThan(2200);
  });

  it('of another type does not exist: the error names what does', () => {
    expect(() => createSimulatedSensor({ ...configuration, type: 'bme280' }, random())).toThrow('there is no sensor type "bme280" here; simulated and simulated_switch work everywhere');
  });
});
