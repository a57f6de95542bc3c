/**
 * The module `board` in Moddable's simulator: the network is there, pins and drivers are not.
 */
import Timer from 'timer';
import { createSimulatedSensor, type SensorConfiguration } from './core.ts';
import { log } from './log.ts';
import type { Sensor } from '../io/sensors.ts';

export const createSensor = (configuration: SensorConfiguration): Sensor => createSimulatedSensor(configuration, Math.random);

export function startNetwork(onReady: () => void): void {
  Timer.set(onReady);
}

export function restart(): void {
  log('a board would restart now');
}
