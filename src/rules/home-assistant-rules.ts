/** What must hold for what Home Assistant is told: classes and units that it knows, and topics that reach it. */
import type { Configuration } from '../config/configuration.ts';
import type { Appearance, DeviceConfiguration, EntityPlatform } from '../config/home-assistant.ts';
import {
  BINARY_CLASSES, BUTTON_CLASSES, SENSOR_CLASSES, STATE_CLASSES, statesOf, SWITCH_CLASSES, unitsOf, usualUnit,
} from '../config/device-classes.ts';
import { nearest } from '../config/nearest-key.ts';
import { lengthOfDevice } from '../homeassistant/device-texts.ts';
import { devicesOf, type Gap, sensorEntity } from '../homeassistant/devices.ts';
import { nodeAvailability, nodeEntity } from '../homeassistant/node-templates.ts';
import type { Findings, Path } from './findings.ts';
import { isTopicName } from './topic-texts.ts';

const CLASSES: Readonly<Record<EntityPlatform, readonly string[]>> = Object.freeze({
  sensor: SENSOR_CLASSES, binary_sensor: BINARY_CLASSES, switch: SWITCH_CLASSES, button: BUTTON_CLASSES,
});
const WORDS: Readonly<Record<EntityPlatform, string>> = Object.freeze({
  sensor: 'a sensor', binary_sensor: 'what is on or off', switch: 'a switch', button: 'a button',
});
/** Bytes that a payload may have in any case; a computer has more room. */
const LONGEST = 65_536;

export function judgeHomeAssistant(findings: Findings, configuration: Configuration): void {
  const { homeassistant, sensors } = configuration;
  sensors.forEach((sensor, index) => {
    const { deviceClass, platform, unit } = sensorEntity(sensor, '');
    judgeAppearance(findings, ['sensors', index], sensor, { platform: platform as EntityPlatform, deviceClass, unit });
  });
  if (homeassistant === null)
    return;
  for (const key of ['discovery_topic', 'status_topic'] as const)
    if (!isTopicName(homeassistant[key]))
      findings.add(['homeassistant', key], `"${homeassistant[key]}" is no Topic Name; write one without "+" and "#" instead`);
  const names = new Set(sensors.map(({ name }) => name));
  homeassistant.devices.forEach((device, index) => {
    const path = ['homeassistant', 'devices', index];
    if (names.has(device.name))
      findings.add([...path, 'name'], `"${device.name}" is there twice, among sensors and devices; write each name once instead`);
    names.add(device.name);
    judgeDevice(findings, device, path);
  });
  if (findings.list.length === 0) // else it has been said what it would be made of
    judgeAnnouncements(findings, configuration);
}

function judgeDevice(findings: Findings, device: DeviceConfiguration, path: Path): void {
  const { entities, template, topic } = device;
  for (const [key, text] of [['topic', topic], ['availability_topic', nodeAvailability(device)?.topic ?? topic]] as const)
    if (!isTopicName(text)) {
      findings.add([...path, key], `"${text}" is no Topic Name; write one without "+" and "#" instead`);
      return;
    }
  if (entities.length === 0)
    findings.add(path, `nothing of it is shown; write for example "entities": [{ "value": "${EXAMPLES[template]}" }] as well`);
  entities.forEach((entity, index) => {
    const here = [...path, 'entities', index];
    const { value } = entity;
    const found = nodeEntity(device, entity);
    if (/['"{}\\]/.test(value))
      findings.add([...here, 'value'], 'names a value in words and points; write it without quotes, braces and "\\" instead');
    else if (value === '' && template !== 'json')
      findings.add([...here, 'value'], `is empty; write for example "${EXAMPLES[template]}" instead`);
    if ((found.platform === 'switch' || found.platform === 'button') && found.commandTopic === '')
      findings.add(here, `${WORDS[found.platform]} needs the topic where the node takes commands; write "command_topic" as well`);
    for (const [key, text] of [['topic', found.topic], ['command_topic', found.commandTopic]] as const)
      if (text !== '' && !isTopicName(text))
        findings.add([...here, key], `"${text}" is no Topic Name; write one without "+" and "#" instead`);
    judgeAppearance(findings, here, entity, found);
  });
}

const EXAMPLES: Readonly<Record<DeviceConfiguration['template'], string>> = Object.freeze({
  json: 'temperature', tasmota: 'POWER', shelly: 'relay/0', shelly2: 'switch:0',
});

/** With what is not written. */
interface Found {
  readonly platform: EntityPlatform;
  readonly deviceClass: string | undefined;
  readonly unit: string | undefined;
}

function judgeAppearance(findings: Findings, path: Path, written: Appearance, found: Found): void {
  const { device_class, icon, state_class, unit_of_measurement } = written;
  const { deviceClass, platform, unit } = found;
  const classes = CLASSES[platform];
  if (icon !== undefined && !/^[a-z0-9-]+:[a-z0-9-]+$/.test(icon))
    findings.add([...path, 'icon'], `"${icon}" is no icon; write one like "mdi:${keyOf(icon)}" instead`);
  if (device_class !== undefined && !classes.includes(device_class)) {
    const meant = nearest(device_class, classes) ?? nearest(device_class, [...SENSOR_CLASSES, ...BINARY_CLASSES]);
    findings.add([...path, 'device_class'], `${WORDS[platform]} has no device class "${device_class}"; write `
      + `${meant === undefined ? `one of "${classes.join('", "')}"` : `"${meant}"`} instead`);
    return;
  }
  if (platform !== 'sensor') {
    for (const key of ['unit_of_measurement', 'state_class'] as const)
      if (written[key] !== undefined)
        findings.add([...path, key], `${WORDS[platform]} has none; leave it out instead`);
    return;
  }
  const units = unitsOf(deviceClass);
  if (units !== undefined && unit_of_measurement !== undefined
    && !units.includes(usualUnit(unit_of_measurement)))
    findings.add([...path, 'unit_of_measurement'], `"${unit_of_measurement}" is no unit of the device class "${deviceClass!}"; `
      + (units[0] === '' && units.length === 1 ? 'leave it out instead' : `write "${nearestUnit(unit_of_measurement, units)}" instead`));
  else if (units !== undefined && unit === undefined && units.length > 1 && !units.includes(''))
    findings.add(path, `the device class "${deviceClass!}" needs a unit; write "unit_of_measurement": "${units[0]!}" as well, `
      + `or another one of "${units.slice(1).join('", "')}"`);
  const states = statesOf(deviceClass);
  if (state_class !== undefined && !states.includes(state_class))
    findings.add([...path, 'state_class'], states.length === 0 ? `the device class "${deviceClass!}" has none; leave it out instead`
      : !STATE_CLASSES.includes(state_class) ? `there is no state class "${state_class}"; write "${nearest(state_class, states) ?? states[0]!}" instead`
      : `the device class "${deviceClass!}" is not "${state_class}"; write "${states.join('" or "')}" instead`);
}

const keyOf = (icon: string): string => icon.toLowerCase().replaceAll(/[^a-z0-9]+/g, '-') || 'gauge';

/** Letters without signs and whatever their size, then one that is nearly the same, then the usual one. */
function nearestUnit(unit: string, units: readonly string[]): string {
  const bare = (text: string): string => text.toLowerCase().replaceAll(/[^a-z0-9%/]/g, '');
  const names: Readonly<Record<string, string>> = { celsius: 'c', fahrenheit: 'f', percent: '%', kelvin: 'k' };
  const wanted = names[unit.toLowerCase()] ?? bare(unit);
  return units.find(each => bare(each) === wanted) ?? (unit.length > 1 ? nearest(unit, units) : undefined)
    ?? units[0]!;
}

/** What would be announced: it must reach Home Assistant, and fit. */
function judgeAnnouncements(findings: Findings, configuration: Configuration): void {
  const { gaps, list } = devicesOf(configuration, true);
  gaps.forEach(gap => findings.add(gap.path, describeGap(gap)));
  const { devices, max_payload } = configuration.homeassistant!;
  for (const device of list) {
    const length = lengthOfDevice(device);
    const index = devices.findIndex(({ name }) => name === device.name);
    if (length > max_payload)
      findings.add(index < 0 ? ['homeassistant', 'max_payload'] : ['homeassistant', 'devices', index],
        `the device "${device.name}" takes ${length} bytes and "max_payload" allows ${max_payload}; write `
          + (length > LONGEST ? 'fewer entities instead' : `"max_payload": ${length}, or fewer entities, instead`));
  }
}

const describeGap = ({ isCommand, topic }: Gap): string => isCommand
  ? `no rule brings commands of Home Assistant to "${topic}"; write { "pattern": "${topic}", "direction": "in" } in "topic" as well`
  : `no rule carries "${topic}" to the broker, where Home Assistant reads it; write { "pattern": "${topic}", "direction": "out" } `
    + 'in "topic" as well';
