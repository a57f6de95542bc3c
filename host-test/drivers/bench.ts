/** A driver at its simulated part, in virtual time. */
import { completeConfiguration } from '../../src/config/complete-configuration.ts';
import type { SensorConfiguration } from '../../src/config/configuration.ts';
import { DriverSensors } from '../../src/drivers/driver-sensors.ts';
import type { Sensor } from '../../src/sensors/sensor-state.ts';
import { SimulatedBuses } from '../../src/simulated/simulated-buses.ts';
import type { SimulatedI2C, SimulatedPart } from '../../src/simulated/simulated-i2c.ts';
import { Surroundings } from '../../src/simulated/surroundings.ts';

export interface Measured {
  readonly value: number;
  readonly fault: number;
  /** Milliseconds from the begin of the measurement. */
  readonly duration: number;
  /** Calls of `prepare` that it took. */
  readonly steps: number;
}

export class Bench {
  now = 1000;
  readonly around = new Surroundings();
  readonly buses = new SimulatedBuses(this.around, () => this.now);
  private readonly drivers = new DriverSensors(this.buses);

  /** @param entry type and what it needs besides its wiring */
  create(entry: Partial<SensorConfiguration> & { type: string }): Sensor {
    const wiring = { data: 1, clock: 2, pin: 3, transmit: 4 };
    const [sensor] = completeConfiguration({ sensors: [{ name: entry.type, ...wiring, ...entry }] }).sensors;
    return this.drivers.create(sensor!)!;
  }

  part(type: string): SimulatedPart {
    return this.buses.parts.get(type)!;
  }

  get bus(): SimulatedI2C {
    return this.buses.buses.get('1,2')!;
  }

  /** As the gateway does: called when the sensor has asked for it, `lateness` milliseconds later. */
  measure(sensor: Sensor, lateness = 0): Measured {
    const start = this.now;
    let steps = 0;
    for (;;) {
      const wait = sensor.prepare!(this.now);
      ++steps;
      if (wait <= 0)
        break;
      if (steps > 400 || this.now - start > 60_000)
        throw new Error('the measurement has no end');
      this.now += wait + lateness;
    }
    return { value: sensor.read(), fault: sensor.fault ?? 0, duration: this.now - start, steps };
  }
}
