/**
 * The module `board` in Moddable's simulator: the network is there, pins and drivers are not.
 */
import Timer from 'timer';
import { CalibratedSensor } from './calibration.ts';
import { createSimulatedSensor, type SensorConfiguration } from './core.ts';
import { log } from './log.ts';
import type { Sensor, SensorFactory } from '../io/sensors.ts';

/** Types that need a board, and what stands for them here. */
const STANDS_FOR: Record<string, string> = Object.freeze({
  digital: 'simulated_switch', pulse_count: 'simulated_switch',
  analog: 'simulated', serial: 'simulated', ntc: 'simulated', aht10: 'simulated', sht3x: 'simulated', shtc3: 'simulated', si7020: 'simulated',
  bmp280: 'simulated', bme68x: 'simulated', tmp117: 'simulated', tmp102: 'simulated', lm75: 'simulated',
});

export const createSensors = (): SensorFactory => createSensor;

function createSensor(configuration: SensorConfiguration): Sensor {
  const type = STANDS_FOR[configuration.type];
  if (type !== undefined)
    log(`sensor "${configuration.name}": ${configuration.type} is simulated here`);
  return new CalibratedSensor(configuration, createSimulatedSensor({ ...configuration, type: type ?? configuration.type }, Math.random));
}

export function startNetwork(onReady: () => void): void {
  Timer.set(onReady);
}

/** The computer has a name already. */
export function announce(_name: string): void { /* nothing to do */ }

export function restart(): void {
  log('a board would restart now');
}
