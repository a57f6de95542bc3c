/**
 * What kinds of nodes publish, and where: from a value that the configuration names to topics and to what it is. As the
 * documentation of Tasmota and Shelly has them; names on the gateway's side, without the mount point of a user.
 *
 *   json      <topic>                         {"air":{"temperature":21.5}}      value "air.temperature"
 *   tasmota   tele/<topic>/SENSOR, .../STATE  {"ENERGY":{"Power":12}}           value "ENERGY.Power"
 *             stat/<topic>/POWER, cmnd/<topic>/POWER  ON                        value "POWER"
 *   shelly    <topic>/relay/0/power           12.5                              value "relay/0/power"
 *             <topic>/relay/0, .../relay/0/command    on                        value "relay/0"
 *   shelly2   <topic>/status/switch:0         {"apower":12,"output":true}       value "switch:0.apower"
 *             <topic>/command/switch:0                on                        value "switch:0"
 */
import type { DeviceConfiguration, EntityConfiguration, EntityPlatform } from '../config/home-assistant.ts';

/** Where somebody says whether he is there, and in which words. */
export interface Availability {
  readonly topic: string;
  readonly on: string;
  readonly off: string;
}

/** A value with its topics here; empty: none. */
export interface NodeEntity {
  readonly platform: EntityPlatform;
  readonly topic: string;
  readonly commandTopic: string;
  /** Empty: the payload as it is. */
  readonly template: string;
  readonly on: string | undefined;
  readonly off: string | undefined;
  readonly deviceClass: string | undefined;
  readonly unit: string | undefined;
  readonly stateClass: string | undefined;
}

type Kind = readonly [deviceClass: string, unit: string];

/** Last part of a path, in small letters, to what it is. */
const TASMOTA: Readonly<Record<string, Kind | undefined>> = Object.freeze({
  temperature: Object.freeze(['temperature', '°C'] as const), dewpoint: Object.freeze(['temperature', '°C'] as const),
  humidity: Object.freeze(['humidity', '%'] as const), pressure: Object.freeze(['atmospheric_pressure', 'hPa'] as const),
  illuminance: Object.freeze(['illuminance', 'lx'] as const), power: Object.freeze(['power', 'W'] as const),
  apparentpower: Object.freeze(['apparent_power', 'VA'] as const),
  reactivepower: Object.freeze(['reactive_power', 'var'] as const), factor: Object.freeze(['power_factor', ''] as const),
  voltage: Object.freeze(['voltage', 'V'] as const), current: Object.freeze(['current', 'A'] as const),
  total: Object.freeze(['energy', 'kWh'] as const), today: Object.freeze(['energy', 'kWh'] as const),
  yesterday: Object.freeze(['energy', 'kWh'] as const), carbondioxide: Object.freeze(['carbon_dioxide', 'ppm'] as const),
  signal: Object.freeze(['signal_strength', 'dBm'] as const), uptimesec: Object.freeze(['duration', 's'] as const),
});

const SHELLY: Readonly<Record<string, Kind | undefined>> = Object.freeze({
  power: Object.freeze(['power', 'W'] as const), energy: Object.freeze(['energy', 'kWh'] as const),
  total: Object.freeze(['energy', 'Wh'] as const), total_returned: Object.freeze(['energy', 'Wh'] as const),
  voltage: Object.freeze(['voltage', 'V'] as const), current: Object.freeze(['current', 'A'] as const),
  pf: Object.freeze(['power_factor', ''] as const), temperature: Object.freeze(['temperature', '°C'] as const),
  humidity: Object.freeze(['humidity', '%'] as const), battery: Object.freeze(['battery', '%'] as const),
  lux: Object.freeze(['illuminance', 'lx'] as const),
});

const SHELLY_TWO: Readonly<Record<string, Kind | undefined>> = Object.freeze({
  apower: Object.freeze(['power', 'W'] as const), voltage: Object.freeze(['voltage', 'V'] as const),
  current: Object.freeze(['current', 'A'] as const), pf: Object.freeze(['power_factor', ''] as const),
  freq: Object.freeze(['frequency', 'Hz'] as const), total: Object.freeze(['energy', 'Wh'] as const),
  tc: Object.freeze(['temperature', '°C'] as const), tf: Object.freeze(['temperature', '°F'] as const),
  rh: Object.freeze(['humidity', '%'] as const), percent: Object.freeze(['battery', '%'] as const),
  lux: Object.freeze(['illuminance', 'lx'] as const), rssi: Object.freeze(['signal_strength', 'dBm'] as const),
});

/** What of Tasmota stands in STATE; everything else stands in SENSOR. */
const TASMOTA_STATE = /^(?:Uptime|UptimeSec|Heap|SleepMode|Sleep|LoadAvg|MqttCount|Vcc|Wifi|Dimmer|Color|CT)(?:\.|$)/;

/** What of Shelly's first generation is yes or no: words, and what it is. */
const SHELLY_BINARY: Readonly<Record<string, readonly [on: string, off: string, deviceClass: string | undefined]
  | undefined>> = Object.freeze({
  flood: Object.freeze(['true', 'false', 'moisture'] as const),
  motion: Object.freeze(['true', 'false', 'motion'] as const),
  smoke: Object.freeze(['true', 'false', 'smoke'] as const),
  state: Object.freeze(['open', 'close', 'opening'] as const),
});

const NOTHING: NodeEntity = Object.freeze({ platform: 'sensor', topic: '', commandTopic: '', template: '', on: undefined,
  off: undefined, deviceClass: undefined, unit: undefined, stateClass: undefined });

/** `value_json.ENERGY.Power`; what is no name stands in brackets. */
function pathOf(value: string): string {
  return value.split('.').reduce((path, part) => path + (/^[0-9]+$/.test(part) ? `[${part}]`
    : /^[A-Za-z_][A-Za-z0-9_]*$/.test(part) ? `.${part}` : `['${part}']`), 'value_json');
}

const lastOf = (value: string): string => (/[^./]*$/.exec(value)?.[0] ?? '').toLowerCase();

const measured = (kinds: Readonly<Record<string, Kind | undefined>>, value: string): Partial<NodeEntity> => {
  const last = lastOf(value);
  const kind = Object.hasOwn(kinds, last) ? kinds[last] : undefined;
  return kind === undefined ? {} : { deviceClass: kind[0], unit: kind[1] };
};

function ofTasmota(topic: string, value: string): Partial<NodeEntity> {
  if (/^POWER[0-9]*$/i.test(value)) {
    const name = value.toUpperCase();
    return { platform: 'switch', topic: `stat/${topic}/${name}`, commandTopic: `cmnd/${topic}/${name}`,
      on: 'ON', off: 'OFF' };
  }
  return { topic: `tele/${topic}/${TASMOTA_STATE.test(value) ? 'STATE' : 'SENSOR'}`,
    template: `{{ ${pathOf(value)} }}`, ...measured(TASMOTA, value) };
}

function ofShelly(topic: string, value: string): Partial<NodeEntity> {
  const own = `${topic}/${value}`;
  if (/^relay\/[0-9]+$/.test(value))
    return { platform: 'switch', topic: own, commandTopic: `${own}/command`, on: 'on', off: 'off' };
  if (/^input\/[0-9]+$/.test(value))
    return { platform: 'binary_sensor', topic: own, on: '1', off: '0' };
  const last = lastOf(value);
  const binary = Object.hasOwn(SHELLY_BINARY, last) ? SHELLY_BINARY[last] : undefined;
  if (binary !== undefined)
    return { platform: 'binary_sensor', topic: own, on: binary[0], off: binary[1], deviceClass: binary[2] };
  // It counts watt-minutes, a unit that Home Assistant does not know.
  const isEnergy = /^relay\/[0-9]+\/energy$/.test(value);
  const kind = value.endsWith('/energy') && !isEnergy ? {} : measured(SHELLY, value);
  return { topic: own, ...isEnergy && { template: '{{ (value | float / 60000) | round(4) }}' }, ...kind };
}

function ofShellyTwo(topic: string, value: string): Partial<NodeEntity> {
  const [component = '', ...rest] = value.split('.');
  const status = `${topic}/status/${component}`;
  if (rest.length > 0)
    return { topic: status, template: `{{ ${pathOf(rest.join('.'))} }}`, ...measured(SHELLY_TWO, value) };
  const isInput = component.startsWith('input:');
  const template = `{{ 'on' if value_json.${isInput ? 'state' : 'output'} else 'off' }}`;
  return isInput ? { platform: 'binary_sensor', topic: status, template, on: 'on', off: 'off' }
    : { platform: 'switch', topic: status, commandTopic: `${topic}/command/${component}`, template, on: 'on', off: 'off' };
}

function ofJSON(topic: string, { payload_on, platform, value }: EntityConfiguration): Partial<NodeEntity> {
  if (platform !== 'binary_sensor' && platform !== 'switch' || payload_on !== undefined)
    return { topic, template: value === '' ? '' : `{{ ${pathOf(value)} }}` };
  return { topic, template: value === '' ? '' : `{{ 'ON' if ${pathOf(value)} else 'OFF' }}`, on: 'ON', off: 'OFF' };
}

/** What a value is, as the template says it and the configuration has it otherwise. */
export function nodeEntity({ template, topic }: DeviceConfiguration, entity: EntityConfiguration): NodeEntity {
  const { value } = entity;
  const found = { ...NOTHING, ...template === 'tasmota' ? ofTasmota(topic, value)
    : template === 'shelly' ? ofShelly(topic, value)
    : template === 'shelly2' ? ofShellyTwo(topic, value) : ofJSON(topic, entity) };
  const platform = entity.platform ?? found.platform;
  // What another class is has another unit.
  const isOther = entity.device_class !== undefined && entity.device_class !== found.deviceClass;
  return {
    platform,
    topic: platform === 'button' ? '' : entity.topic ?? found.topic,
    commandTopic: platform === 'switch' || platform === 'button' ? entity.command_topic ?? found.commandTopic : '',
    template: platform === 'button' ? '' : found.template,
    on: entity.payload_on ?? found.on,
    off: entity.payload_off ?? found.off,
    deviceClass: entity.device_class ?? found.deviceClass,
    unit: entity.unit_of_measurement ?? (isOther ? undefined : found.unit),
    stateClass: entity.state_class,
  };
}

/** Where a node says whether it is there; undefined: nowhere. */
export function nodeAvailability(device: DeviceConfiguration): Availability | undefined {
  const { availability_topic, payload_available, payload_not_available, template, topic } = device;
  const usual = template === 'tasmota' ? { topic: `tele/${topic}/LWT`, on: 'Online', off: 'Offline' }
    : template === 'json' ? { topic: '', on: 'online', off: 'offline' }
    : { topic: `${topic}/online`, on: 'true', off: 'false' };
  const found = { topic: availability_topic ?? usual.topic, on: payload_available ?? usual.on,
    off: payload_not_available ?? usual.off };
  return found.topic === '' ? undefined : found;
}
