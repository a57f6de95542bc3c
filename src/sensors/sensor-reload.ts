/**
 * Other sensors while the gateway runs. One that says the same as before goes on in its rhythm; one that only says
 * something else of its readings keeps its driver, and is read at once, as a new one is.
 */
import { encodeUTF8, lengthOfUTF8 } from '../bytes/utf8.ts';
import type { SensorConfiguration } from '../config/configuration.ts';
import type { Gateway } from '../gateway/gateway.ts';
import { SensorState } from './sensor-state.ts';
import { nameOf, type Sensors } from './sensors.ts';

/** What the driver is made of. */
const driverOf = (sensor: SensorConfiguration): string => JSON.stringify([
  sensor.name, sensor.type, sensor.quantity, sensor.pin, sensor.transmit, sensor.data, sensor.clock, sensor.address,
  sensor.baud, sensor.parity, sensor.stop_bits, sensor.rom, sensor.register, sensor.register_type, sensor.value_type,
  sensor.multiplexer, sensor.gain, sensor.shunt_resistance,
]);

/** Each is read at once, and what it gives is published though it has not changed: somebody new wants to know. */
export function tellAgain({ states }: Sensors, { clock }: Gateway): void {
  for (const state of states) {
    state.published = NaN;
    if (state.pause === 1)
      state.dueAt = clock.now;
  }
  clock.request(clock.now);
}

/** @throws what the driver of a sensor throws that is new; nothing has changed then */
export function reloadSensors(sensors: Sensors, { arena, clock }: Gateway,
  wanted: readonly SensorConfiguration[]): void {
  const old = sensors.states;
  let offset = sensors.plan.topicsOffset;
  const found = wanted.map(configuration => {
    const same = old.find(state => JSON.stringify(state.configuration) === JSON.stringify(configuration));
    const known = same ?? old.find(state => driverOf(state.configuration) === driverOf(configuration));
    return { configuration, same, sensor: known?.sensor ?? sensors.create(configuration) };
  });
  sensors.storeTotals();
  arena.bytes.fill(0, offset, sensors.plan.payloadOffset);
  sensors.states = found.map(({ configuration, same, sensor }) => {
    const length = lengthOfUTF8(configuration.topic);
    const state = same ?? new SensorState(configuration, sensor, offset, length);
    state.reading.rename(offset, length);
    if (same === undefined) {
      state.dueAt = clock.now;
      state.expiresAt = clock.now + state.lifetime | 0;
    }
    offset = encodeUTF8(arena, offset, nameOf(configuration));
    return state;
  });
  clock.request(clock.now);
}
