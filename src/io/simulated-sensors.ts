/**
 * Sensors that need no hardware: for the demo, the simulator and the tests.
 *
 *   simulated          a temperature that wanders between 15 and 30 degrees
 *   simulated_switch   0 or 1, changes now and then
 */
import type { SensorConfiguration } from '../gateway/configuration.ts';
import type { Sensor } from './sensors.ts';

/** Types that need a board, and what stands for them elsewhere. */
export const STANDS_FOR: Readonly<Record<string, string>> = Object.freeze({
  digital: 'simulated_switch', pulse_count: 'simulated_switch',
  analog: 'simulated', serial: 'simulated', ntc: 'simulated', aht10: 'simulated', sht3x: 'simulated', shtc3: 'simulated', si7020: 'simulated',
  bmp280: 'simulated', bme68x: 'simulated', tmp117: 'simulated', tmp102: 'simulated', lm75: 'simulated',
});

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
    default: throw new Error(`sensor "${configuration.name}": there is no sensor type "${configuration.type}" here; simulated and simulated_switch work everywhere`);
  }
}
