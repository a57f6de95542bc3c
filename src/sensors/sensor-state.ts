/** What is known of one sensor, as it is configured and as it is now, and what a sensor is to this folder. */
import type { SensorConfiguration } from '../config/configuration.ts';
import { RepeatedMessage } from '../packet/packet.ts';
import { FilterChain } from './filters.ts';
import { PulseMeter } from './pulse-meter.ts';
import { describeFault, NO_FAULT } from './sensor-faults.ts';

export interface Sensor {
  /**
   * Of a part that needs time: begins a measurement, or takes it further.
   * @param now of the gateway's clock
   * @returns milliseconds until it wants to be called again; 0: `read` has the reading
   */
  prepare?(now: number): number;
  /** @returns the reading as the sensor gives it; NaN when there is none. May throw: the sensor has failed. */
  read(): number;
  /** Why `read` has had none, of sensor-faults.ts; 0, as when there is no such property: there is just nothing new. */
  readonly fault?: number;
}

/** Makes the sensor of a configuration entry. @throws Error naming the type when there is no such sensor here */
export type SensorFactory = (configuration: SensorConfiguration) => Sensor;

/** Readings are made with the highest QoS: the topic rule says which one they travel with. */
export const SENSOR_QOS = 2;

/** Whether the last reading still counts, as far as it has been told. */
const UNTOLD = 0;
export const AVAILABLE = 1;
export const EXPIRED = 2;

/** Asked once: to compare with a text costs a preloaded module memory each time. */
export const isJSON = ({ format }: SensorConfiguration): boolean => format === 'json';

export class SensorState {
  readonly configuration: SensorConfiguration;
  readonly sensor: Sensor;
  /** Under the name of the topic. */
  readonly reading = new RepeatedMessage();
  readonly interval: number;
  readonly scale: number;
  readonly offset: number;
  /** Undefined: a reading stays what it is. */
  readonly filters: FilterChain | undefined;
  /** Undefined: the reading is what the sensor says. */
  readonly meter: PulseMeter | undefined;
  readonly deadband: number;
  /** Milliseconds after which a reading is repeated that has not changed, 0: never. */
  readonly heartbeat: number;
  readonly isJSON: boolean;
  /** Milliseconds that a reading counts, 0: for ever. */
  readonly lifetime: number;
  dueAt = 0;
  /** The last reading that its filters have let pass, NaN when there is none or it has expired. */
  value = NaN;
  published = NaN;
  /** When it is repeated though it has not changed. */
  repeatAt = 0;
  expiresAt = 0;
  availability = UNTOLD;
  /** Intervals to the next attempt; 1 while all is well. */
  pause = 1;
  /** A measurement is under way, and goes on at `stepAt`. */
  isMeasuring = false;
  stepAt = 0;
  /** Why the last attempt has brought nothing, of sensor-faults.ts, and how many have not. */
  fault = NO_FAULT;
  faultCount = 0;
  /** What was thrown, if OTHER_FAULT is the fault. */
  error: unknown = undefined;

  constructor(configuration: SensorConfiguration, sensor: Sensor, topicOffset: number, topicLength: number) {
    this.configuration = configuration;
    this.sensor = sensor;
    this.reading.rename(topicOffset, topicLength);
    this.reading.qos = SENSOR_QOS;
    this.reading.retain = configuration.retain ? 1 : 0;
    this.interval = configuration.interval * 1000;
    this.scale = configuration.scale ?? 1;
    this.offset = configuration.offset ?? 0;
    const { filters = [] } = configuration;
    this.filters = filters.length === 0 ? undefined : new FilterChain(filters);
    this.meter = PulseMeter.of(configuration);
    this.deadband = configuration.deadband ?? 0;
    this.heartbeat = (configuration.heartbeat ?? 0) * 1000;
    this.isJSON = isJSON(configuration);
    this.lifetime = (configuration.expire_after ?? 0) * 1000;
  }

  /** For status and log; empty while all is well. */
  get faultText(): string {
    const { error, fault } = this;
    return error instanceof Error ? error.message : describeFault(fault);
  }
}

