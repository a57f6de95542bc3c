/**
 * Samples wired sensors on schedule and publishes each reading as decimal text, or a text of the sensor's own, without
 * allocating. What a sensor is, a driver on the board or a simulation, is the platform's business.
 *
 * A sensor that fails is reported once, then asked less and less often, up to 32 intervals apart, and never stops the rest.
 */
import type { ArenaPlan } from '../bytes/arena.ts';
import { MAXIMUM_DECIMAL_LENGTH, writeDecimal } from '../bytes/decimal.ts';
import { encodeUTF8, lengthOfUTF8 } from '../bytes/utf8.ts';
import type { SensorConfiguration } from '../gateway/configuration.ts';
import type { Gateway } from '../gateway/gateway.ts';
import { MessageSpans } from '../packet/packet.ts';
import { isDue } from '../session/clock.ts';

export interface Sensor {
  /** @returns the reading; NaN when there is none. May throw: the sensor has failed. */
  read(): number;
}

/** Makes the sensor of a configuration entry. @throws Error naming the type when there is no such sensor here */
export type SensorFactory = (configuration: SensorConfiguration) => Sensor;

/** Told once when a sensor begins to fail, and when it has recovered. */
export interface SensorObserver {
  onSensorFailed(configuration: SensorConfiguration, error: unknown): void;
  onSensorRecovered(configuration: SensorConfiguration): void;
}

const LONGEST_PAUSE = 32;

/** Readings are made with the highest QoS: the topic rule says which one they travel with. */
const SENSOR_QOS = 2;

class SensorState {
  readonly configuration: SensorConfiguration;
  readonly sensor: Sensor;
  readonly topicOffset: number;
  readonly topicLength: number;
  readonly interval: number;
  dueAt = 0;
  value = NaN;
  /** Intervals to the next attempt; 1 while all is well. */
  pause = 1;

  constructor(configuration: SensorConfiguration, sensor: Sensor, topicOffset: number, topicLength: number) {
    this.configuration = configuration;
    this.sensor = sensor;
    this.topicOffset = topicOffset;
    this.topicLength = topicLength;
    this.interval = configuration.interval * 1000;
  }
}

export interface SensorsPlan {
  readonly topicsOffset: number;
  readonly payloadOffset: number;
}

export class Sensors {
  readonly states: readonly SensorState[];
  private readonly gateway: Gateway;
  private readonly observer: SensorObserver;
  private readonly message = new MessageSpans();
  private readonly payloadOffset: number;

  static plan(plan: ArenaPlan, sensors: readonly SensorConfiguration[]): SensorsPlan {
    const topicsLength = sensors.reduce((length, sensor) => length + lengthOfUTF8(sensor.topic), 0);
    return {
      topicsOffset: plan.reserve('sensors: topics', topicsLength),
      payloadOffset: plan.reserve('sensors: a reading', MAXIMUM_DECIMAL_LENGTH),
    };
  }

  /** @throws what `create` throws */
  constructor(gateway: Gateway, plan: SensorsPlan, create: SensorFactory, observer: SensorObserver) {
    this.gateway = gateway;
    this.observer = observer;
    this.payloadOffset = plan.payloadOffset;
    let offset = plan.topicsOffset;
    const states: SensorState[] = [];
    for (const configuration of gateway.configuration.sensors) {
      const end = encodeUTF8(gateway.arena, offset, configuration.topic);
      states.push(new SensorState(configuration, create(configuration), offset, end - offset));
      offset = end;
    }
    this.states = states;
  }

  /** The first reading of each comes at once. */
  start(): void {
    const { clock } = this.gateway;
    for (let index = 0; index < this.states.length; ++index) {
      this.states[index]!.dueAt = clock.now;
      clock.request(clock.now);
    }
  }

  handleTimeout(): void {
    const { clock } = this.gateway;
    const { states } = this;
    for (let index = 0; index < states.length; ++index) {
      const state = states[index]!;
      if (isDue(state.dueAt, clock.now)) {
        this.sample(state);
        // From when it was due, not from now, so that the rhythm does not drift; unless it has been missed by far.
        const next = state.dueAt + state.interval * state.pause | 0;
        state.dueAt = isDue(next, clock.now) ? clock.now + state.interval | 0 : next;
      }
      clock.request(state.dueAt);
    }
  }

  private sample(state: SensorState): void {
    let value: number;
    try {
      value = state.sensor.read();
    } catch (error) {
      if (state.pause === 1)
        this.observer.onSensorFailed(state.configuration, error);
      state.pause = state.pause < LONGEST_PAUSE ? state.pause * 2 : LONGEST_PAUSE;
      return;
    }
    if (state.pause !== 1)
      this.observer.onSensorRecovered(state.configuration);
    state.pause = 1;
    state.value = value;
    if (value === value) // not NaN
      this.publish(state, value);
  }

  private publish(state: SensorState, value: number): void {
    const { gateway, message, payloadOffset } = this;
    message.topicNameOffset = state.topicOffset;
    message.topicNameLength = state.topicLength;
    message.payloadOffset = payloadOffset;
    message.payloadLength = writeDecimal(gateway.arena, payloadOffset, value, state.configuration.decimals) - payloadOffset;
    message.qos = SENSOR_QOS;
    message.retain = state.configuration.retain ? 1 : 0;
    gateway.publish(message);
  }
}
