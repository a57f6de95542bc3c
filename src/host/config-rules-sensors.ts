/** What must hold for wired sensors. */
import type { Configuration } from '../config/configuration.ts';
import type { Judge } from './config-findings.ts';
import { nearest } from '../config/nearest-key.ts';
import { SENSOR_TYPES } from './platform.ts';
import { isTopicName } from './topic-texts.ts';

/** Sensors at one pin; all others that need a board are at a bus of two. */
const ONE_PIN: readonly string[] = ['analog', 'digital', 'ntc', 'pulse_count', 'serial'];

function wiringOf(type: string): readonly ('pin' | 'data' | 'clock')[] {
  if (type.startsWith('simulated') || !SENSOR_TYPES.includes(type))
    return [];
  return ONE_PIN.includes(type) ? ['pin'] : ['data', 'clock'];
}

export function judgeSensors(judge: Judge, { sensors }: Configuration): void {
  const names = new Set<string>();
  sensors.forEach((sensor, index) => {
    const { deadband = 0, expire_after = 0, heartbeat = 0, interval, name, scale = 1, topic, type } = sensor;
    const path = ['sensors', index];
    if (name !== '' && names.has(name))
      judge.error([...path, 'name'], `"${name}" is there twice; write each name once instead`);
    names.add(name);
    if (type !== '' && !SENSOR_TYPES.includes(type))
      judge.error([...path, 'type'], `there is no sensor type "${type}" on this computer; `
        + `write "${nearest(type, SENSOR_TYPES) ?? SENSOR_TYPES.join('" or "')}" instead`);
    for (const key of wiringOf(type))
      if (sensor[key] === undefined)
        judge.error(path, `a sensor of type "${type}" needs the key "${key}", a GPIO number; write it as well`);
    if (expire_after > 0 && expire_after <= interval)
      judge.error([...path, 'expire_after'], `${expire_after} is over before the next reading, `
        + `which comes after ${interval} seconds; write ${Math.ceil(interval * 3)} instead`);
    if (scale === 0)
      judge.error([...path, 'scale'], 'with 0 every reading is the same; write another number instead, or leave it '
        + 'out');
    if (heartbeat > 0 && deadband === 0)
      judge.warn([...path, 'heartbeat'], 'does nothing without "deadband": every reading is published; write that as '
        + 'well');
    else if (heartbeat > 0 && heartbeat < interval)
      judge.warn([...path, 'heartbeat'], `there is a reading every ${interval} seconds only; write ${interval} or `
        + 'more instead');
    if (topic !== '' && topic !== undefined && !isTopicName(topic))
      judge.error([...path, 'topic'], `"${topic}" is no Topic Name; write one without "+" and "#" instead`);
  });
}
