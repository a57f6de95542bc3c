/**
 * From what a sensor says to what is published: scale, offset, and silence while it stays the same. Allocates nothing.
 */
import type { SensorConfiguration } from './core.ts';
import type { Sensor } from '../io/sensors.ts';

export class CalibratedSensor implements Sensor {
  private readonly sensor: Sensor;
  private readonly scale: number;
  private readonly offset: number;
  private readonly deadband: number;
  private published = NaN;

  constructor({ deadband = 0, offset = 0, scale = 1 }: SensorConfiguration, sensor: Sensor) {
    this.sensor = sensor;
    this.scale = scale;
    this.offset = offset;
    this.deadband = deadband;
  }

  /** @returns NaN when there is nothing new */
  read(): number {
    const value = this.sensor.read() * this.scale + this.offset;
    const change = value - this.published; // NaN at first
    if (this.deadband > 0 && change < this.deadband && change > -this.deadband)
      return NaN;
    if (value === value)
      this.published = value;
    return value;
  }
}
