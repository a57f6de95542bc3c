/** Sensors, sampled by a whole gateway in virtual time. */
import { describe, expect, it } from 'vitest';
import { Random } from '../simulation/random.ts';
import type { PartialConfiguration } from '../../src/config/configuration.ts';
import { createSimulatedSensor } from '../../src/sensors/simulated-sensors.ts';
import { FlashMedium, SimulatedFlash } from '../simulation/simulated-flash.ts';
import { World } from '../world/world.ts';

const SENSOR = { name: 's', type: 'any', topic: 'reading', interval: 10 };

/** A world whose sensor gives what `read` says. */
function sampled(read: (attempt: number) => number,
  sensor: NonNullable<PartialConfiguration['sensors']>[number] = SENSOR): World {
  let attempt = 0;
  return World.connected({ configuration: { sensors: [sensor] }, createSensor: () =>
    ({ read: () => read(++attempt) }) });
}

describe('a sensor', () => {
  it('is read at once, then in its own rhythm, which does not drift', () => {
    const times: number[] = [];
    const world: World =
      new World({ configuration: { sensors: [SENSOR] }, createSensor: () =>
        ({ read: () => times.push(world.clock.time) }) });
    world.runtime.start();
    world.run(1_000_000);
    expect(times).toEqual(Array.from({ length: 101 }, (_, index) => index * 10_000));
  });

  it('keeps its rhythm beside others', () => {
    const times: Record<string, number[]> = { fast: [], slow: [] };
    const world: World = new World({
      configuration: { sensors: [{ ...SENSOR, name: 'fast', interval: 0.7 },
        { ...SENSOR, name: 'slow', interval: 3.1 }] },
      createSensor: ({ name }) => ({ read: () => times[name]!.push(world.clock.time) }),
    });
    world.runtime.start();
    world.run(31_000);
    expect(times['fast']).toEqual(Array.from({ length: 45 }, (_, index) => index * 700));
    expect(times['slow']).toEqual(Array.from({ length: 11 }, (_, index) => index * 3100));
  });

  it('becomes a message: topic, decimals, retained or not, with the QoS of the rule', () => {
    const world = sampled(attempt => attempt / 3, { ...SENSOR, decimals: 3, retain: true });
    world.run(25_000);
    expect(world.uplink.all('publish').map(({ payload, qos, retain, topic }) =>
      `${topic} ${payload} ${qos} ${retain}`)).toEqual([
      'up/reading 0.333 2 true', 'up/reading 0.667 2 true', 'up/reading 1.000 2 true',
    ]);
    const late = world.client('late');
    late.subscribe('reading', 1);
    world.run(100);
    expect(late.messages).toEqual(['reading 1.000']);
  });

  it('in JSON carries the time at which it was taken, however late it is sent, over a restart too; none while the clock is not set', () => {
    for (const durability of ['ram', 'flash'] as const) {
      const medium = new FlashMedium(4096, 4);
      let date = 0;
      const start = (): World => {
        let attempt = 0;
        const world: World = new World({
          configuration: {
            sensors: [{ ...SENSOR, format: 'json', interval: 1 }],
            topic: [{ pattern: '#', direction: 'out', qos: 0, remote_prefix: 'up/' }],
            store: { durability },
          },
          createSensor: () => ({ read: () => ++attempt === 4 ? NaN : attempt === 3 ? -0.5 : 20 + attempt }),
          date: () => date === 0 ? 0 : date + Math.floor(world.clock.time / 1000),
          openStorage: (_store, arena) => new SimulatedFlash(arena, medium),
        });
        return world;
      };
      const first = start();
      first.stopListening();
      first.runtime.start();
      first.run(1500); // two readings
      date = 1_800_000_000;
      first.run(10_000);
      const expected =
        ['{"value":21.00}', '{"value":22.00}', '{"value":-0.50,"time":1800000002}',
          ...Array.from({ length: 7 }, (_value, index) =>
        `{"value":${25 + index}.00,"time":${1_800_000_004 + index}}`)];
      const second = durability === 'ram' ? first : start();
      if (second === first)
        second.listen();
      else
        second.runtime.start();
      second.until(() => second.isConnected);
      second.run(50);
      const arrived = second.uplink.messages;
      expect(arrived.slice(0, expected.length)).toEqual(expected.map(payload => `up/reading ${payload}`));
      for (const message of arrived)
        expect(() => JSON.parse(message.slice('up/reading '.length)) as unknown).not.toThrow();
    }
  });

  it('without a topic has that of its name', () => {
    const world = sampled(() => 1, { name: 'air/temperature', type: 'any', interval: 10 });
    expect(world.uplink.messages).toEqual(['up/air/temperature 1.00']);
  });

  it('that has no reading (NaN) says nothing, and has not failed', () => {
    const world = sampled(attempt => attempt === 2 ? NaN : attempt);
    world.run(35_000);
    expect(world.uplink.messages).toEqual(['up/reading 1.00', 'up/reading 3.00', 'up/reading 4.00']);
    expect(world.sensorNews).toEqual([]);
  });

  it('that fails is reported once and asked less and less often, up to 32 intervals apart', () => {
    const times: number[] = [];
    const world: World = new World({
      configuration: { sensors: [SENSOR] },
      createSensor: () => ({
        read: () => {
          times.push(world.clock.time / 10_000);
          throw new Error('no wire');
        },
      }),
    });
    world.runtime.start();
    world.run(1_300_000);
    expect(times).toEqual([0, 2, 6, 14, 30, 62, 94, 126]);
    expect(world.sensorNews).toEqual(['s failed: no wire']);
  });

  it('that works again is reported once, and back in rhythm', () => {
    const world = sampled(attempt => {
      if (attempt === 2 || attempt === 3)
        throw new Error('loose');
      return attempt;
    });
    world.run(100_000); // 0, 10 fails, 30 fails, 70, 80, 90, 100
    expect(world.sensorNews).toEqual(['s failed: loose', 's recovered']);
    expect(world.uplink.messages.map(message => message.split(' ')[1])).toEqual(['1.00', '4.00', '5.00', '6.00',
      '7.00']);
  });

  it('that fails does not stop the others', () => {
    let count = 0;
    const world = World.connected({
      configuration: { sensors: [{ ...SENSOR, name: 'broken' }, { ...SENSOR, name: 'fine', topic: 'fine' }] },
      createSensor: ({ name }) => ({
        read: () => {
          if (name === 'broken')
            throw new Error('dead');
          return ++count;
        },
      }),
    });
    world.run(100_000);
    expect(count).toBe(11);
  });

  it('that was missed by far is read once, not for every interval that has gone by', () => {
    const times: number[] = [];
    const world: World =
      new World({ configuration: { sensors: [{ ...SENSOR, interval: 1 }] }, createSensor: () =>
        ({ read: () => times.push(world.runtime.gateway.clock.now) }) });
    world.runtime.start();
    world.run(1500);
    const { gateway, sensors } = world.runtime;
    gateway.clock.now += 60_000; // as if something had blocked the program for a minute
    sensors.handleTimeout();
    sensors.handleTimeout();
    expect(times.length).toBe(3);
    expect(sensors.states[0]!.dueAt).toBe(gateway.clock.now + 1000);
  });
});

describe('calibration', () => {
  it('multiplies by scale, then adds offset', () => {
    const world = sampled(attempt => attempt, { ...SENSOR, scale: -1.8, offset: 32, decimals: 1 });
    world.run(25_000);
    expect(world.uplink.messages).toEqual(['up/reading 30.2', 'up/reading 28.4', 'up/reading 26.6']);
    expect(world.runtime.sensors.states[0]!.value).toBeCloseTo(26.6);
  });

  it('keeps silent until the calibrated value has changed by the deadband since it was published', () => {
    const readings = [10, 10.4, 9.6, 10.49, 10.5, 10.9, 10.1, 10, NaN, 10.2, 9.4];
    const world = sampled(attempt => readings[attempt - 1]!, { ...SENSOR, scale: 2, deadband: 1, decimals: 2 });
    world.run(95_000);
    expect(world.uplink.messages.map(message => message.split(' ')[1])).toEqual(['20.00', '21.00', '20.00']);
    expect(world.runtime.sensors.states[0]!.value).toBe(20.4); // what it says is known all the same
    world.run(10_000);
    expect(world.uplink.messages.at(-1)).toBe('up/reading 18.80');
  });

  it('publishes every reading without a deadband, changed or not', () => {
    const world = sampled(() => 5);
    world.run(25_000);
    expect(world.uplink.messages).toEqual(Array(3).fill('up/reading 5.00'));
  });
});

describe('a reading that is a large total', () => {
  const payloads = (stage: World): string[] =>
    stage.uplink.messages.map(message => message.slice('up/reading '.length));

  it('has every digit up to 2^53, of either sign, with scale, offset and decimals, as a number and in JSON', () => {
    const readings = [999_999_999, 1_000_000_000, 1_000_000_001, 2 ** 32 + 0.25, -(2 ** 40), 2 ** 53];
    const texts =
      ['999999999.00', '1000000000.00', '1000000001.00', '4294967296.25', '-1099511627776.00', '9007199254740992.00'];
    const stage = sampled(attempt => readings[attempt - 1] ?? NaN);
    stage.run(60_000);
    expect(payloads(stage)).toEqual(texts);
    const inJSON = sampled(attempt => readings[attempt - 1] ?? NaN, { ...SENSOR, format: 'json' });
    inJSON.run(60_000);
    expect(payloads(inJSON)).toEqual(texts.map(text => `{"value":${text}}`));
    const scaled = sampled(attempt => attempt, { ...SENSOR, scale: 1e8, offset: 5, decimals: 0 });
    scaled.run(195_000);
    expect(payloads(scaled).slice(8, 12)).toEqual(['900000005', '1000000005', '1100000005', '1200000005']);
  });

  it('that cannot be written digit for digit is said, with what to do, and nothing wrong is published', () => {
    for (const value of [2 ** 53 + 2, -1e17, 1e300, Infinity, -Infinity]) {
      const stage = sampled(attempt => attempt === 2 ? value : attempt);
      stage.run(45_000); // 0, 10 fails, 30, 40
      expect(payloads(stage)).toEqual(['1.00', '3.00', '4.00']);
      expect(stage.sensorNews).toEqual([
        `s failed: its reading, ${value}, has more digits than can be written exactly (at most 9007199254740992); lower its "scale"`,
        's recovered',
      ]);
    }
  });

  it('is compared with the last one for the deadband, however large both are', () => {
    const readings = [3e12, 3e12 + 400, 3e12 + 600, 3e12 + 601];
    const stage = sampled(attempt => readings[attempt - 1] ?? NaN, { ...SENSOR, deadband: 500, decimals: 0 });
    stage.run(60_000);
    expect(payloads(stage)).toEqual(['3000000000000', '3000000000600']);
  });

  it('is -0 for nobody: neither a reading of -0, nor a small negative one that is rounded', () => {
    const readings = [-0, -0.001, -0.004999];
    const stage = sampled(attempt => readings[attempt - 1] ?? NaN);
    stage.run(60_000);
    expect(payloads(stage)).toEqual(['0.00', '0.00', '0.00']);
  });

  it('in JSON has room for any time that a clock can say', () => {
    const stage = World.connected({
      configuration: { sensors: [{ ...SENSOR, format: 'json', decimals: 6 },
        { ...SENSOR, name: 'other', topic: 'other' }] },
      createSensor: () => ({ read: () => -(2 ** 53) }),
      date: () => 2 ** 53,
    });
    stage.run(15_000);
    expect(stage.uplink.messages.slice(0, 2)).toEqual([
      'up/reading {"value":-9007199254740992.000000,"time":9007199254740992}', 'up/other -9007199254740992.00',
    ]);
  });
});

describe('heartbeat', () => {
  /** Seconds and payloads of what the Server was told. */
  const told = ({ uplink }: World): string[] => uplink.packets.flatMap((packet, index) =>
    packet.cmd === 'publish' ? [`${Math.floor(uplink.times[index]! / 1000)} ${packet.payload}`] : []);

  it('repeats a reading within the deadband when so many seconds have passed since the last one', () => {
    const stage = sampled(attempt => attempt === 5 ? 9 : 3 + attempt / 100, { ...SENSOR, deadband: 1, heartbeat: 30 });
    stage.run(125_000); // 9 comes at 40, and the old value is a change at 50
    expect(told(stage)).toEqual(['0 3.01', '30 3.04', '40 9.00', '50 3.06', '80 3.09', '110 3.12']);
  });

  it('comes with the first reading after that when the interval does not divide it, and never slips', () => {
    const stage = sampled(() => 3, { ...SENSOR, interval: 7, deadband: 1, heartbeat: 10 });
    stage.run(60_000);
    expect(told(stage).map(line => Number(line.split(' ')[0]))).toEqual([0, 14, 28, 42, 56]);
  });

  it('is never, by default', () => {
    const stage = sampled(() => 3, { ...SENSOR, deadband: 1 });
    stage.run(1_000_000);
    expect(told(stage)).toEqual(['0 3.00']);
  });

  it('repeats no reading that there is none of', () => {
    const stage = sampled(attempt => attempt > 2 ? NaN : 3, { ...SENSOR, deadband: 1, heartbeat: 20 });
    stage.run(100_000);
    expect(told(stage)).toEqual(['0 3.00']);
  });
});

describe('expire_after', () => {
  const EXPIRING = { ...SENSOR, expire_after: 25 };
  /** Of the Server: seconds, name and payload, R when retained. */
  const toldBy = ({ uplink }: World): string[] => uplink.packets.flatMap((packet, index) =>
    packet.cmd === 'publish'
      ? [`${Math.floor(uplink.times[index]! / 1000)} ${packet.topic.slice(3)} ${packet.payload}${packet.retain ? ' R' : ''}`] : []);

  it('says online, retained, before the first reading, and not again while readings come', () => {
    const world = sampled(() => 7, EXPIRING);
    world.run(35_000);
    expect(toldBy(world)).toEqual(['0 reading/availability online R', '0 reading 7.00', '10 reading 7.00',
      '20 reading 7.00', '30 reading 7.00']);
    const late = world.client('late');
    late.subscribe('reading/#');
    world.run(100);
    expect(late.messages).toEqual(['reading/availability online']);
  });

  it('says offline that long after the last reading, whether the sensor fails or has none, and online when it is back', () => {
    const world = sampled(attempt => {
      if (attempt === 2)
        throw new Error('loose');
      return attempt === 3 ? NaN : attempt;
    }, EXPIRING); // 0, 10 fails, 30 has none, 40, 50
    world.run(55_000);
    expect(toldBy(world)).toEqual([
      '0 reading/availability online R', '0 reading 1.00', '25 reading/availability offline R',
      '40 reading/availability online R', '40 reading 4.00', '50 reading 5.00',
    ]);
    expect(world.sensorNews).toEqual(['s failed: loose', 's expired', 's recovered']);
  });

  it('says offline once when there never is a reading', () => {
    const world = sampled(() => NaN, EXPIRING);
    world.run(200_000);
    expect(toldBy(world)).toEqual(['25 reading/availability offline R']);
    expect(world.sensorNews).toEqual(['s expired']);
  });

  it('counts readings that the deadband keeps back, and publishes the first one after a gap', () => {
    const world =
      sampled(attempt => attempt >= 6 && attempt <= 8 ? NaN : 3, { ...EXPIRING, deadband: 1 }); // none at 50, 60, 70
    world.run(85_000);
    expect(toldBy(world)).toEqual([
      '0 reading/availability online R', '0 reading 3.00', '65 reading/availability offline R',
        '80 reading/availability online R', '80 reading 3.00',
    ]);
  });

  it('has no value in the status while it is expired', () => {
    const world = sampled(attempt => attempt > 1 ? NaN : 4, EXPIRING);
    world.run(20_000);
    expect(world.runtime.sensors.states[0]!.value).toBe(4);
    world.run(10_000);
    expect(world.runtime.sensors.states[0]!.value).toBeNaN();
  });

  it('works for each sensor by itself', () => {
    const world = World.connected({
      configuration: { sensors: [{ ...EXPIRING, name: 'dead', topic: 'dead' },
        { ...SENSOR, name: 'plain', topic: 'plain' }, { ...EXPIRING, name: 'fine', topic: 'fine' }] },
      createSensor: ({ name }) => ({ read: () => name === 'fine' ? 1 : NaN }),
    });
    world.run(60_000);
    expect(toldBy(world).filter(line => line.includes('availability'))).toEqual(['0 fine/availability online R',
      '25 dead/availability offline R']);
  });

  it('waits for the Server like every message of a sensor', () => {
    const world = sampled(attempt => attempt > 1 ? NaN : 4, EXPIRING);
    world.run(1000);
    world.stopListening();
    world.uplink.close();
    world.run(40_000);
    world.listen();
    world.until(() => world.uplinks.length > 1 && world.uplink.all('publish').length > 0);
    expect(world.uplink.messages).toEqual(['up/reading/availability offline']);
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
    expect(() => createSimulatedSensor({ ...configuration, type: 'bme280' },
      random())).toThrow('there is no sensor type "bme280" here; simulated and simulated_switch work everywhere');
  });
});
