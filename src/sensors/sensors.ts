/**
 * Samples wired sensors on schedule and publishes each reading without allocating: multiplied by `scale`, plus
 * `offset`, then what its filters (filters.ts) let pass, unless it has changed by less than `deadband` since the last
 * one that was published. With `heartbeat` the last one is published again when it was that long ago, though filters
 * or `deadband` hold back what has been read.
 *
 * A reading is decimal text, or JSON with the time at which it was taken, which is the same however long the message
 * waits. While nobody knows the time there is none in it, and a clock that is set later does not change what was said.
 * What a sensor is, a driver on the board or a simulation, is the platform's business.
 *
 * A sensor that fails is reported once, then asked less and less often, up to 32 intervals apart, and never stops the
 * rest. One whose reading cannot be written digit for digit has failed as well: a wrong number is worse than none.
 * One with `expire_after` also tells everybody whether its last reading still counts: "online" or "offline",
 * retained, under `<topic>/availability`, as Home Assistant asks for it.
 */
import type { ArenaPlan } from '../bytes/arena.ts';
import { LARGEST_EXACT, MAXIMUM_DECIMAL_LENGTH, MAXIMUM_DIGITS, writeDecimal, writeDigits } from '../bytes/decimal.ts';
import { encodeUTF8, lengthOfUTF8 } from '../bytes/utf8.ts';
import type { SensorConfiguration } from '../config/configuration.ts';
import type { Gateway } from '../gateway/gateway.ts';
import { RepeatedMessage } from '../packet/packet.ts';
import { isDue } from '../session/clock.ts';
import type { Store } from '../store/message-store.ts';
import { NO_FAULT, OTHER_FAULT } from './sensor-faults.ts';
import { AVAILABLE, EXPIRED, isJSON, SENSOR_QOS, type SensorFactory, SensorState } from './sensor-state.ts';

/** Told once when a sensor begins to fail, and when it has recovered. */
export interface SensorObserver {
  onSensorFailed(configuration: SensorConfiguration, error: unknown): void;
  onSensorRecovered(configuration: SensorConfiguration): void;
  /** There has been no reading for `expire_after` seconds. */
  onSensorExpired?(configuration: SensorConfiguration): void;
}

const LONGEST_PAUSE = 32;

/** Around the numbers of a reading in JSON. */
const VALUE = '{"value":';
const TIME = ',"time":';
/** Of these: asking a text for its length makes an object on XS. */
const VALUE_LENGTH = VALUE.length;
const TIME_LENGTH = TIME.length;
const CLOSING_BRACE = 0x7D;

const AVAILABILITY = '/availability';
const ONLINE = 'online';
const OFFLINE = 'offline';

export interface SensorsPlan {
  readonly topicsOffset: number;
  readonly payloadOffset: number;
  readonly availabilityOffset: number;
  /** VALUE and TIME; they are there only if a sensor speaks JSON. */
  readonly textsOffset: number;
}

const canExpire = ({ expire_after = 0 }: SensorConfiguration): boolean => expire_after > 0;

/** The name for the availability begins with the topic. */
export const nameOf = (sensor: SensorConfiguration): string =>
  canExpire(sensor) ? sensor.topic + AVAILABILITY : sensor.topic;

/** Bytes of the topics of all sensors. */
export const lengthOfNames = (sensors: readonly SensorConfiguration[]): number =>
  sensors.reduce((length, sensor) => length + lengthOfUTF8(nameOf(sensor)), 0);

export class Sensors {
  states: readonly SensorState[];
  private readonly gateway: Gateway;
  readonly plan: SensorsPlan;
  readonly create: SensorFactory;
  private readonly observer: SensorObserver;
  /** Of any sensor: it is seldom told. */
  private readonly availability = new RepeatedMessage();
  private readonly payloadOffset: number;
  private readonly availabilityOffset: number;

  private readonly textsOffset: number;
  private readonly date: () => number;

  static plan(plan: ArenaPlan, sensors: readonly SensorConfiguration[]): SensorsPlan {
    const textsLength = sensors.some(isJSON) ? VALUE.length + TIME.length : 0;
    const aroundLength = textsLength === 0 ? 0 : textsLength + MAXIMUM_DIGITS + 1;
    const availabilityLength = sensors.some(canExpire) ? ONLINE.length + OFFLINE.length : 0;
    return {
      topicsOffset: plan.reserve('sensors: topics', lengthOfNames(sensors)),
      payloadOffset: plan.reserve('sensors: a reading', MAXIMUM_DECIMAL_LENGTH + aroundLength),
      availabilityOffset: plan.reserve('sensors: availability', availabilityLength),
      textsOffset: plan.reserve('sensors: JSON', textsLength),
    };
  }

  /** @param date seconds since 1970, 0 as long as nobody knows @throws what `create` throws */
  constructor(gateway: Gateway, plan: SensorsPlan, create: SensorFactory, observer: SensorObserver, date: () =>
    number) {
    this.gateway = gateway;
    this.plan = plan;
    this.create = create;
    this.observer = observer;
    const { arena } = gateway;
    this.payloadOffset = plan.payloadOffset;
    this.availabilityOffset = plan.availabilityOffset;
    this.textsOffset = plan.textsOffset;
    this.date = date;
    this.availability.qos = SENSOR_QOS;
    this.availability.retain = 1;
    const layout = gateway.plans?.layout ?? gateway.configuration;
    if (layout.sensors.some(isJSON))
      encodeUTF8(arena, plan.textsOffset, VALUE + TIME);
    if (layout.sensors.some(canExpire))
      encodeUTF8(arena, plan.availabilityOffset, ONLINE + OFFLINE);
    let offset = plan.topicsOffset;
    this.states = gateway.configuration.sensors.map(configuration => {
      const state = new SensorState(configuration, create(configuration), offset, lengthOfUTF8(configuration.topic));
      offset = encodeUTF8(arena, offset, nameOf(configuration));
      return state;
    });
  }

  /** The first reading of each comes at once. */
  start(): void {
    const { clock } = this.gateway;
    for (let index = 0; index < this.states.length; ++index) {
      const state = this.states[index]!;
      state.dueAt = clock.now;
      state.expiresAt = clock.now + state.lifetime | 0;
      clock.request(clock.now);
    }
  }

  handleTimeout(): void {
    const { clock } = this.gateway;
    const { states } = this;
    for (let index = 0; index < states.length; ++index) {
      const state = states[index]!;
      if (isDue(state.isMeasuring ? state.stepAt : state.dueAt, clock.now)) {
        this.sample(state);
        if (!state.isMeasuring) {
          // From when it was due, not from now, so that the rhythm does not drift; unless it has been missed by far.
          const next = state.dueAt + state.interval * state.pause | 0;
          state.dueAt = isDue(next, clock.now) ? clock.now + state.interval | 0 : next;
        }
      }
      clock.request(state.isMeasuring ? state.stepAt : state.dueAt);
      if (state.lifetime > 0 && state.availability !== EXPIRED)
        this.watch(state);
    }
  }

  /** The gateway ends: no reading counts any more. */
  stop(): void {
    for (let index = 0; index < this.states.length; ++index) {
      const state = this.states[index]!;
      if (state.lifetime > 0 && state.availability !== EXPIRED)
        this.announce(state, EXPIRED);
    }
    this.storeTotals();
  }

  /** What has been counted and is not in the store yet. */
  storeTotals(): void {
    for (let index = 0; index < this.states.length; ++index)
      this.states[index]!.meter?.save(this.totals);
  }

  /** What survives a power cut. */
  private get totals(): Store | undefined {
    return this.gateway.durableStore?.backlog.store;
  }

  private watch(state: SensorState): void {
    const { clock } = this.gateway;
    if (!isDue(state.expiresAt, clock.now)) {
      clock.request(state.expiresAt);
      return;
    }
    this.observer.onSensorExpired?.(state.configuration);
    state.value = state.published = NaN;
    state.filters?.reset();
    this.announce(state, EXPIRED);
  }

  private sample(state: SensorState): void {
    const { sensor } = state;
    let value: number;
    state.isMeasuring = false;
    try {
      if (sensor.prepare !== undefined) {
        const { now } = this.gateway.clock;
        const wait = sensor.prepare(now);
        if (wait > 0) {
          state.isMeasuring = true;
          state.stepAt = now + wait | 0;
          return;
        }
      }
      value = sensor.read();
      if (state.meter !== undefined && value === value)
        value = state.meter.read(value, this.gateway.clock.now, this.totals);
      value = value * state.scale + state.offset;
    } catch (error) {
      this.fail(state, OTHER_FAULT, error);
      return;
    }
    if (value > LARGEST_EXACT || value < -LARGEST_EXACT) {
      this.fail(state, OTHER_FAULT, undefined, value);
      return;
    }
    const isNone = value !== value; // NaN
    if (isNone && sensor.fault !== undefined && sensor.fault !== NO_FAULT) {
      this.fail(state, sensor.fault);
      return;
    }
    if (state.pause !== 1) {
      this.observer.onSensorRecovered(state.configuration);
      state.pause = 1;
      state.fault = NO_FAULT;
      state.error = undefined;
    }
    if (isNone)
      return;
    if (state.lifetime > 0) {
      state.expiresAt = this.gateway.clock.now + state.lifetime | 0;
      if (state.availability !== AVAILABLE)
        this.announce(state, AVAILABLE);
    }
    const { dueAt } = state;
    if (state.filters !== undefined)
      value = state.filters.pass(value, dueAt);
    let isHeld = value !== value;
    if (isHeld)
      value = state.value;
    else {
      const change = value - state.published; // NaN at first
      isHeld = state.deadband > 0 && change < state.deadband && change > -state.deadband;
      state.value = value;
    }
    if (isHeld && (value !== value || state.published === state.published
      && (state.heartbeat === 0 || !isDue(state.repeatAt, dueAt))))
      return;
    state.published = value;
    state.repeatAt = dueAt + state.heartbeat | 0; // not from now, so that the rhythm does not slip by an interval
    const { gateway, payloadOffset } = this;
    const { reading } = state;
    reading.payloadOffset = payloadOffset;
    reading.payloadLength = this.write(payloadOffset, value, state) - payloadOffset;
    gateway.publish(reading);
  }

  /** @param error what the sensor has thrown @param value what it has given that cannot be written */
  private fail(state: SensorState, fault: number, error?: unknown, value?: number): void {
    state.fault = fault;
    ++state.faultCount;
    state.error = error ?? (value === undefined ? undefined : new RangeError(
      `its reading, ${value}, has more digits than can be written exactly (at most ${LARGEST_EXACT}); lower its "scale"`));
    if (state.pause === 1)
      this.observer.onSensorFailed(state.configuration, state.error ?? new Error(state.faultText));
    state.pause = state.pause < LONGEST_PAUSE ? state.pause * 2 : LONGEST_PAUSE;
  }

  private announce(state: SensorState, availability: number): void {
    const { availability: message, availabilityOffset } = this;
    state.availability = availability;
    message.rename(state.reading.topicNameOffset, state.reading.topicNameLength + AVAILABILITY.length);
    message.payloadOffset = availability === AVAILABLE ? availabilityOffset : availabilityOffset + ONLINE.length;
    message.payloadLength = availability === AVAILABLE ? ONLINE.length : OFFLINE.length;
    this.gateway.publish(message);
  }

  /** @returns the offset after the payload */
  private write(offset: number, value: number, state: SensorState): number {
    const { arena } = this.gateway;
    const { decimals } = state.configuration;
    if (!state.isJSON)
      return writeDecimal(arena, offset, value, decimals);
    const { textsOffset } = this;
    const { bytes } = arena;
    bytes.copyWithin(offset, textsOffset, textsOffset + VALUE_LENGTH);
    offset = writeDecimal(arena, offset + VALUE_LENGTH, value, decimals);
    const time = this.date();
    if (time > 0) {
      bytes.copyWithin(offset, textsOffset + VALUE_LENGTH, textsOffset + VALUE_LENGTH + TIME_LENGTH);
      offset = writeDigits(bytes, offset + TIME_LENGTH, time, 1);
    }
    bytes[offset] = CLOSING_BRACE;
    return offset + 1;
  }
}
