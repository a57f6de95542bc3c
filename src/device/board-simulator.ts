/**
 * The module `board` in Moddable's simulator: the network is there, pins and drivers are not.
 */
import Timer from 'timer';
import { CalibratedSensor } from './calibration.ts';
import { createSimulatedSensor, type SensorConfiguration, STANDS_FOR } from './core.ts';
import { log } from './log.ts';
import type { Sensor, SensorFactory } from '../io/sensors.ts';

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
