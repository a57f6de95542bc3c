/** What must hold for wired sensors. */
import type { Configuration } from '../config/configuration.ts';
import { nearest } from '../config/nearest-key.ts';
import { SENSOR_TYPES, wiringOf } from '../config/sensor-types.ts';
import type { Findings } from './findings.ts';
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
      findings.add([...path, 'type'], `there is no sensor type "${type}"; ${type === 'bme280'
        ? 'a "bmp280" is another part, which measures no humidity: for humidity ' : ''}write `
        + `"${type === 'bme280' ? 'bme68x" or "sht3x" or "aht10'
          : nearest(type, SENSOR_TYPES) ?? SENSOR_TYPES.join('" or "')}" instead`);
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
