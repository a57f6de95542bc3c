/** What must hold for wired sensors. */
import type { Configuration } from '../config/configuration.ts';
import { nearest } from '../config/nearest-key.ts';
import { OTHER_PARTS, quantitiesOf, SENSOR_TYPES, wiringOf } from '../config/sensor-types.ts';
import type { Findings } from './findings.ts';
import { isTopicName } from './topic-texts.ts';

export function judgeSensors(findings: Findings, { sensors }: Configuration): void {
  const names = new Set<string>();
  sensors.forEach((sensor, index) => {
    const { expire_after = 0, interval, name, quantity, scale = 1, topic, type } = sensor;
    const path = ['sensors', index];
    if (name !== '' && names.has(name))
      findings.add([...path, 'name'], `"${name}" is there twice; write each name once instead`);
    names.add(name);
    if (type !== '' && !SENSOR_TYPES.includes(type))
      findings.add([...path, 'type'], describeUnknown(type));
    const quantities = SENSOR_TYPES.includes(type) ? quantitiesOf(type) : undefined;
    if (quantity !== undefined && quantities?.includes(quantity) === false)
      findings.add([...path, 'quantity'], `a sensor of type "${type}" does not measure ${quantity}; write `
        + `"${quantities.join('" or "')}" instead`);
    for (const key of wiringOf(type))
      if (sensor[key] === undefined)
        findings.add(path, `a sensor of type "${type}" needs the key "${key}", a GPIO number; write it as well`);
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

function describeUnknown(type: string): string {
  const other = OTHER_PARTS[type];
  return `there is no sensor type "${type}"; ${other?.not ?? ''}write `
    + `"${other?.instead ?? nearest(type, SENSOR_TYPES) ?? SENSOR_TYPES.join('" or "')}" instead`;
}
