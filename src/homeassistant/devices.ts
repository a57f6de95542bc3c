/**
 * What Home Assistant is told of: the gateway with its figures, each wired sensor, and the nodes that the configuration
 * names. Topics are those at the broker, as the rules make them; one that no rule carries is a gap, which keeps a
 * configuration from being used (rules/home-assistant-rules.ts).
 */
import type { Configuration, SensorConfiguration, UpstreamConfiguration } from '../config/configuration.ts';
import { isBinaryClass, isSensorClass, meaningOfQuantity } from '../config/device-classes.ts';
import type { DeviceConfiguration } from '../config/home-assistant.ts';
import { quantitiesOf } from '../config/sensor-types.ts';
import { VERSION } from '../nodes/system-messages.ts';
import { type Device, deviceOf, type Entity } from './device-texts.ts';
import { commandNameOf, identifierOf, keyOf, remoteNameOf, SEPARATOR } from './names.ts';
import { type Availability, nodeAvailability, nodeEntity } from './node-templates.ts';

/** A topic that no rule carries. */
export interface Gap {
  readonly path: readonly (string | number)[];
  readonly topic: string;
  readonly isCommand: boolean;
}

export interface Devices {
  readonly list: readonly Device[];
  readonly gaps: readonly Gap[];
}

const NO_DEVICES: Devices = Object.freeze({ list: Object.freeze([]), gaps: Object.freeze([]) });

/** Behind the topic of a sensor with `expire_after`; as sensors/sensors.ts has it. */
const AVAILABILITY = '/availability';
const SYSTEM = '$SYS/broker/';

const PLAIN: Entity = Object.freeze({ key: '', platform: 'sensor', name: null, topic: '', commandTopic: '', template: '',
  on: undefined, off: undefined, deviceClass: undefined, unit: undefined, stateClass: undefined, icon: undefined,
  decimals: undefined, expireAfter: 0, isDiagnostic: false, availability: Object.freeze([]) });

/** Where the broker learns whether the gateway is there; undefined: Will and birth do not say it. */
export function gatewayStatus({ birth, will }: UpstreamConfiguration): Availability | undefined {
  if (will === null || birth === null || !will.retain || !birth.retain || birth.topic !== will.topic
    || birth.payload === will.payload)
    return undefined;
  return { topic: will.topic, on: birth.payload, off: will.payload };
}

/** Figures under $SYS that are shown, as far as a rule carries them. */
const FIGURES: readonly (Partial<Entity> & { readonly figure: string; readonly isOfBoard?: true })[] = Object.freeze([
  Object.freeze({ key: 'stored', figure: 'store/messages/count', name: 'Stored messages', stateClass: 'measurement' }),
  Object.freeze({ key: 'dropped', figure: 'bridge/messages/dropped', name: 'Dropped messages',
    stateClass: 'total_increasing' }),
  Object.freeze({ key: 'uptime', figure: 'uptime', name: 'Uptime', deviceClass: 'duration', unit: 's',
    stateClass: 'measurement', template: '{{ value.split(\' \')[0] }}' }),
  Object.freeze({ key: 'heap_free', figure: 'heap/free', name: 'Free memory', deviceClass: 'data_size', unit: 'B',
    stateClass: 'measurement', isOfBoard: true }),
  Object.freeze({ key: 'heap_largest', figure: 'heap/largest', name: 'Largest free block', deviceClass: 'data_size',
    unit: 'B', stateClass: 'measurement', isOfBoard: true }),
  Object.freeze({ key: 'wifi_signal', figure: 'wifi/signal', name: 'Wi-Fi signal', deviceClass: 'signal_strength',
    unit: 'dBm', stateClass: 'measurement', isOfBoard: true }),
]);

/** Topics of the figures that no rule carries; for a warning. */
export const missingFigures = ({ listener, topic }: Configuration): readonly string[] =>
  listener.sys_interval === 0 ? [] : FIGURES.filter(({ figure, isOfBoard }) =>
    isOfBoard === undefined && remoteNameOf(topic, SYSTEM + figure) === undefined).map(({ figure }) => SYSTEM + figure);

/** Where a command to restart arrives, at the broker. */
export const restartTopicOf = ({ homeassistant, upstream }: Configuration): string =>
  `${homeassistant?.discovery_topic ?? ''}/device/${identifierOf(upstream.remote_clientid)}/restart`;

/** What all topics of our announcements begin with. */
export const ownTopicOf = ({ homeassistant, upstream }: Configuration): string =>
  `${homeassistant?.discovery_topic ?? ''}/device/${identifierOf(upstream.remote_clientid)}`;

function gatewayDevice(configuration: Configuration, isBoard: boolean): Device {
  const { homeassistant, listener, name, topic, upstream } = configuration;
  const identifier = identifierOf(upstream.remote_clientid);
  const status = gatewayStatus(upstream);
  const own = { ...PLAIN, isDiagnostic: true, availability: status === undefined ? [] : [status] };
  const figures = FIGURES.flatMap(({ figure, isOfBoard, ...rest }): Entity[] => {
    const remote = listener.sys_interval > 0 && (isBoard || isOfBoard === undefined)
      ? remoteNameOf(topic, SYSTEM + figure) : undefined;
    return remote === undefined ? [] : [{ ...own, ...rest, topic: remote }];
  });
  const connection: Entity[] = status === undefined ? []
    : [{ ...own, key: 'connection', platform: 'binary_sensor', name: 'Connection', topic: status.topic, on: status.on,
      off: status.off, deviceClass: 'connectivity', availability: [] }];
  const restart: Entity[] = !isBoard || homeassistant?.allow_restart !== true ? []
    : [{ ...own, key: 'restart', platform: 'button', name: 'Restart', commandTopic: restartTopicOf(configuration),
      deviceClass: 'restart' }];
  return deviceOf(homeassistant!.discovery_topic,
    { identifier, name, model: 'Gateway', version: VERSION, isGateway: true, via: undefined, availability: [] },
    [...connection, ...figures, ...restart]);
}

/** What a sensor gives, as far as nothing else is said of it. */
function meaningOf({ quantity, scale = 1, type }: SensorConfiguration): { device_class?: string;
  unit_of_measurement?: string } {
  const measures = quantity ?? (type === 'simulated' || quantitiesOf(type) !== undefined ? 'temperature' : undefined);
  return measures === undefined || scale !== 1 ? {} : meaningOfQuantity(measures) ?? {};
}

const isSwitch = ({ type }: SensorConfiguration): boolean => type === 'digital' || type === 'simulated_switch';

/** @param topic at the broker */
export function sensorEntity(sensor: SensorConfiguration, topic: string): Entity {
  const { deadband = 0, decimals, device_class, expire_after = 0, format, heartbeat = 0, icon, state_class, type,
    unit_of_measurement } = sensor;
  const isBinary = device_class === undefined
    ? isSwitch(sensor) && unit_of_measurement === undefined && state_class === undefined
    : isBinaryClass(device_class) && (!isSensorClass(device_class) || isSwitch(sensor));
  const value = format === 'json' ? 'value_json.value' : 'value';
  const usual = isBinary || device_class !== undefined ? {} : meaningOf(sensor);
  // What is published only when it changes may be silent for longer; whether the sensor lives it says by itself.
  const isRegular = deadband === 0 || heartbeat > 0 && heartbeat < expire_after;
  return {
    ...PLAIN,
    key: 'reading',
    platform: isBinary ? 'binary_sensor' : 'sensor',
    topic,
    template: isBinary ? `{{ 'ON' if ${value} | float(0) > 0 else 'OFF' }}` : format === 'json' ? `{{ ${value} }}` : '',
    deviceClass: device_class ?? usual.device_class,
    unit: unit_of_measurement ?? usual.unit_of_measurement,
    stateClass: state_class ?? (type === 'pulse_count' && device_class === undefined && sensor.quantity === undefined
      ? 'total_increasing' : undefined),
    icon,
    decimals,
    expireAfter: isRegular ? expire_after : 0,
  };
}

/** @param isBoard whether there are figures of a board, and a restart @returns also what is not, with the reason */
export function devicesOf(configuration: Configuration, isBoard: boolean): Devices {
  const { homeassistant, sensors, topic: rules, upstream } = configuration;
  if (homeassistant === null || !homeassistant.enabled)
    return NO_DEVICES;
  const identifier = identifierOf(upstream.remote_clientid);
  const own = gatewayDevice(configuration, isBoard);
  // Without anything to show there is none, and nothing is reached by way of it.
  const gateway = own.components.length === 0 ? [] : [own];
  const via = gateway.length === 0 ? undefined : identifier;
  const status = gatewayStatus(upstream);
  const common = status === undefined ? [] : [status];
  const gaps: Gap[] = [];
  const remote = (topic: string, path: Gap['path'], isCommand = false): string => {
    const name = topic === '' ? '' : isCommand ? commandNameOf(rules, topic) : remoteNameOf(rules, topic);
    if (name === undefined)
      gaps.push({ path, topic, isCommand });
    return name ?? '';
  };
  const add = (name: string, model: string, availability: readonly Availability[],
    entities: readonly Entity[]): Device => deviceOf(homeassistant.discovery_topic, { identifier: `${identifier}${SEPARATOR}${identifierOf(name)}`, name, model,
      version: VERSION, isGateway: false, via, availability: [...common, ...availability] }, entities);
  const wired = sensors.map((sensor, index) => {
    const path = ['sensors', index, 'topic'];
    const entity = sensorEntity(sensor, remote(sensor.topic ?? '', path));
    const own = (sensor.expire_after ?? 0) === 0 ? []
      : [{ topic: remote(`${sensor.topic ?? ''}${AVAILABILITY}`, path), on: 'online', off: 'offline' }];
    return add(sensor.name, sensor.type, own, [entity]);
  });
  const nodes = homeassistant.devices.map((device, index) => {
    const path = ['homeassistant', 'devices', index];
    const found = nodeAvailability(device);
    const own = found === undefined ? [] : [{ ...found, topic: remote(found.topic, [...path, 'availability_topic']) }];
    return add(device.name, modelOf(device), own, entitiesOf(device, (topic, entity, isCommand) =>
      remote(topic, [...path, 'entities', entity], isCommand)));
  });
  return { list: [...gateway, ...wired, ...nodes], gaps };
}

const modelOf = ({ template }: DeviceConfiguration): string =>
  template === 'tasmota' ? 'Tasmota' : template === 'json' ? '' : 'Shelly';

/** Small letters, and a large one at the beginning: "Energy power". */
function titleOf(value: string): string {
  const words = value.replaceAll(/[./:_\s-]+/g, ' ').trim().toLowerCase();
  return words.slice(0, 1).toUpperCase() + words.slice(1);
}

function entitiesOf(device: DeviceConfiguration,
  remote: (topic: string, entity: number, isCommand: boolean) => string): readonly Entity[] {
  const keys = new Set<string>();
  return device.entities.map((configuration, index) => {
    const { commandTopic, ...found } = nodeEntity(device, configuration);
    const base = keyOf(configuration.value) || 'value';
    let key = base;
    for (let count = 2; keys.has(key); ++count)
      key = `${base}_${count}`;
    keys.add(key);
    const title = titleOf(configuration.value);
    return {
      ...PLAIN, ...found, key,
      name: configuration.name ?? (title === '' || device.entities.length === 1 ? null : title),
      topic: remote(found.topic, index, false),
      commandTopic: remote(commandTopic, index, true),
      icon: configuration.icon,
      decimals: configuration.decimals,
      expireAfter: configuration.expire_after ?? 0,
    };
  });
}
