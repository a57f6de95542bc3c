/**
 * Sensors that need no hardware: for the demo, the simulator and the tests.
 *
 *   simulated          a temperature that wanders between 15 and 30 degrees
 *   simulated_switch   0 or 1, changes now and then
 */
import type { SensorConfiguration } from '../config/configuration.ts';
import type { Sensor } from './sensor-state.ts';

const LOWEST = 15;
const HIGHEST = 30;
const LONGEST_STRIDE = 0.4;
const CHANCE_OF_CHANGE = 0.2;

class SimulatedTemperature implements Sensor {
  private readonly random: () => number;
  private value = 21;

  constructor(random: () => number) {
    this.random = random;
  }

  read(): number {
    const next = this.value + (this.random() - 0.5) * 2 * LONGEST_STRIDE;
    return this.value = next < LOWEST ? LOWEST : next > HIGHEST ? HIGHEST : next;
  }
}

class SimulatedSwitch implements Sensor {
  private readonly random: () => number;
  private value = 0;

  constructor(random: () => number) {
    this.random = random;
  }

  read(): number {
    if (this.random() < CHANCE_OF_CHANGE)
      this.value = 1 - this.value;
    return this.value;
  }
}

/** @param random uniform in [0, 1) @throws Error when the type is not a simulated one */
export function createSimulatedSensor(configuration: SensorConfiguration, random: () => number): Sensor {
  switch (configuration.type) {
    case 'simulated': return new SimulatedTemperature(random);
    case 'simulated_switch': return new SimulatedSwitch(random);
    default: throw new Error(`sensor "${configuration.name}": there is no sensor type "${configuration.type}" here; `
      + 'simulated and simulated_switch work everywhere');
  }
}
