/** What must hold for wired sensors. */
import type { Configuration, SensorConfiguration } from '../config/configuration.ts';
import { nearest } from '../config/nearest-key.ts';
import { OTHER_PARTS, SENSOR_TYPES, sensorTypeOf } from '../config/sensor-types.ts';
import type { Findings, Path } from './findings.ts';
import { isTopicName } from './topic-texts.ts';

export function judgeSensors(findings: Findings, { sensors }: Configuration): void {
  const names = new Set<string>();
  sensors.forEach((sensor, index) => {
    const { expire_after = 0, interval, name, scale = 1, topic, type } = sensor;
    const path = ['sensors', index];
    if (name !== '' && names.has(name))
      findings.add([...path, 'name'], `"${name}" is there twice; write each name once instead`);
    names.add(name);
    if (type !== '' && !SENSOR_TYPES.includes(type))
      findings.add([...path, 'type'], describeUnknown(type));
    judgePart(findings, path, sensor);
    judgeFilters(findings, path, sensor);
    if (expire_after > 0 && expire_after <= interval)
      findings.add([...path, 'expire_after'], `${expire_after} is over before the next reading, `
        + `which comes after ${interval} seconds; write ${Math.ceil(interval * 3)} instead`);
    if (scale === 0)
      findings.add([...path, 'scale'], 'with 0 every reading is the same; write another number instead, or leave it '
        + 'out');
    if (topic !== '' && topic !== undefined && !isTopicName(topic))
      findings.add([...path, 'topic'], `"${topic}" is no Topic Name; write one without "+" and "#" instead`);
  });
}

const ROM = /^[0-9a-f]{14}28$/i;

/** What the type of a sensor asks for, and what it cannot do. */
function judgePart(findings: Findings, path: Path, sensor: SensorConfiguration): void {
  const { address, interval, quantity, rom, type } = sensor;
  const kind = sensorTypeOf(type);
  if (kind === undefined)
    return;
  const { addresses, needs = [], quantities, shortestInterval = 0, wiring } = kind;
  if (quantity !== undefined && quantities?.includes(quantity) === false)
    findings.add([...path, 'quantity'], `a sensor of type "${type}" does not measure ${quantity}; write `
      + `"${quantities.join('" or "')}" instead`);
  for (const key of wiring)
    if (sensor[key] === undefined)
      findings.add(path, `a sensor of type "${type}" needs the key "${key}", a GPIO number; write it as well`);
  for (const key of needs)
    if (sensor[key] === undefined)
      findings.add(path, `a sensor of type "${type}" needs the key "${key}"; write it as well`);
  if (address !== undefined && addresses?.includes(address) === false)
    findings.add([...path, 'address'], `${address} is no address that a "${type}" can have; write `
      + `${addresses.join(' or ')} instead`);
  if (interval < shortestInterval)
    findings.add([...path, 'interval'], `a "${type}" measures every ${shortestInterval} seconds; write `
      + `${shortestInterval} or more instead`);
  if (type === 'ds18b20' && rom !== undefined && !ROM.test(rom))
    findings.add([...path, 'rom'], `"${rom}" is no number of a DS18B20; write 16 hexadecimal digits that end with 28, like `
      + '"9c0000031edd2a28", instead');
}

function judgeFilters(findings: Findings, path: Path, { filters = [] }: SensorConfiguration): void {
  filters.forEach((filter, index) => {
    const keys = Object.keys(filter);
    const place = [...path, 'filters', index];
    if (keys.length !== 1)
      findings.add(place, keys.length === 0 ? 'a filter has one key; write for example { "median": { "window_size": 5 } } instead'
        : `a filter has one key; write ${keys.map(key => `{ "${key}": … }`).join(', ')} in the order in which they follow `
          + 'each other instead');
    const { calibrate_linear, multiply } = filter;
    if (multiply === 0)
      findings.add([...place, 'multiply'], 'with 0 every reading is the same; write another number instead');
    const reads = calibrate_linear?.map(([read]) => read) ?? [];
    if (new Set(reads).size < reads.length)
      findings.add([...place, 'calibrate_linear'], 'two points have the same first number; write one of them instead');
    for (const key of ['median', 'min', 'max', 'sliding_window_moving_average'] as const) {
      const { send_every = 1, send_first_at = 1 } = filter[key] ?? {};
      if (filter[key]?.send_every !== undefined && send_first_at > send_every)
        findings.add([...place, key, 'send_first_at'], `${send_first_at} is later than every following one; write `
          + `${send_every} or less instead`);
    }
  });
}

function describeUnknown(type: string): string {
  const other = SENSOR_TYPES.includes(OTHER_PARTS[type] ?? '') ? OTHER_PARTS[type] : undefined;
  return `there is no sensor type "${type}"; write `
    + `"${other ?? nearest(type, SENSOR_TYPES) ?? SENSOR_TYPES.join('" or "')}" instead`;
}
