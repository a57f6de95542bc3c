/**
 * A device in the words of Home Assistant's discovery, in pieces of JSON: the head, one piece for each component, and
 * the end. Keys are its abbreviations. Made once for a configuration; announcing writes them one behind the other.
 */
import { statesOf, unitsOf, usualUnit } from '../config/device-classes.ts';
import { lengthOfUTF8 } from '../bytes/utf8.ts';
import type { Availability } from './node-templates.ts';

/** In front of every announcement of ours; who finds one that begins otherwise leaves it alone. */
export const ORIGIN = '{"o":{"name":"Ringbridge"';

interface Component {
  /** `"key":{"p":"sensor"`: with a brace behind it, it takes the component back. */
  readonly mark: string;
  readonly rest: string;
}

export interface Device {
  readonly topic: string;
  /** What people call it. */
  readonly name: string;
  readonly head: string;
  readonly components: readonly Component[];
}

/** Behind the last component. */
export const END_OF_DEVICE = '}}';

export interface Entity {
  readonly key: string;
  readonly platform: string;
  /** Null: as the device. */
  readonly name: string | null;
  /** At the broker; empty: none. */
  readonly topic: string;
  readonly commandTopic: string;
  readonly template: string;
  readonly on: string | undefined;
  readonly off: string | undefined;
  readonly deviceClass: string | undefined;
  readonly unit: string | undefined;
  readonly stateClass: string | undefined;
  readonly icon: string | undefined;
  readonly decimals: number | undefined;
  /** Seconds; 0: never. */
  readonly expireAfter: number;
  readonly isDiagnostic: boolean;
  /** Its own, where the device has none for all. */
  readonly availability: readonly Availability[];
}

export interface DeviceFields {
  readonly identifier: string;
  readonly name: string;
  readonly model: string;
  readonly version: string;
  readonly isGateway: boolean;
  /** Identifier of the device by way of which it is reached. */
  readonly via: string | undefined;
  readonly availability: readonly Availability[];
}

/** `,"key":value`; nothing where there is none. */
const field = (key: string, value: string | number | undefined): string =>
  value === undefined || value === '' ? '' : `,"${key}":${JSON.stringify(value)}`;

const wordsOf = ({ off, on }: Availability): string =>
  field('pl_avail', on === 'online' ? undefined : on) + field('pl_not_avail', off === 'offline' ? undefined : off);

function availabilityOf(list: readonly Availability[]): string {
  const [first] = list;
  if (first === undefined)
    return '';
  return list.length === 1 ? field('avty_t', first.topic) + wordsOf(first)
    : `,"avty":[${list.map(each => `{"t":${JSON.stringify(each.topic)}${wordsOf(each)}}`).join(',')}],"avty_mode":"all"`;
}

/** A class that has one unit has that; without a class there is no unit unless it is given. */
function unitOf({ deviceClass, platform, unit }: Entity): string | undefined {
  const units = unitsOf(deviceClass);
  return platform !== 'sensor' ? undefined : unit !== undefined ? usualUnit(unit) : (units?.length === 1 ? units[0] : undefined);
}

/** Text is neither a measurement nor a total: what has no class and no unit may be one. */
function stateOf(entity: Entity): string | undefined {
  const { deviceClass, platform, stateClass } = entity;
  if (platform !== 'sensor')
    return undefined;
  return stateClass ?? (deviceClass === undefined && unitOf(entity) === undefined && entity.decimals === undefined
    ? undefined : statesOf(deviceClass)[0]);
}

function componentOf(identifier: string, entity: Entity): Component {
  const { commandTopic, decimals, deviceClass, expireAfter, icon, key, name, off, on, platform, template, topic }
    = entity;
  const isNumber = platform === 'sensor' && deviceClass !== 'timestamp';
  return {
    mark: `${JSON.stringify(key)}:{"p":"${platform}"`,
    rest: field('uniq_id', `${identifier}_${key}`) + `,"name":${JSON.stringify(name)}`
      + field('stat_t', topic) + field('val_tpl', template) + field('cmd_t', commandTopic)
      + (platform === 'button' ? field('pl_prs', on) : field('pl_on', on) + field('pl_off', off))
      + field('dev_cla', deviceClass) + field('unit_of_meas', unitOf(entity)) + field('stat_cla', stateOf(entity))
      + field('sug_dsp_prc', isNumber ? decimals : undefined)
      + field('exp_aft', expireAfter === 0 || platform === 'switch' || platform === 'button' ? undefined
        : Math.ceil(expireAfter))
      + field('ic', icon) + field('ent_cat', entity.isDiagnostic ? 'diagnostic' : undefined)
      + availabilityOf(entity.availability) + '}',
  };
}

export function deviceOf(discoveryTopic: string, fields: DeviceFields, entities: readonly Entity[]): Device {
  const { availability, identifier, isGateway, model, name, version, via } = fields;
  return {
    topic: `${discoveryTopic}/device/${identifier}/config`,
    name,
    head: `${ORIGIN},"sw":${JSON.stringify(version)}},"dev":{"ids":[${JSON.stringify(identifier)}]` + field('name', name)
      + field('mf', isGateway ? 'Ringbridge' : undefined) + field('mdl', model)
      + field('sw', isGateway ? version : undefined) + field('via_device', via) + `}${availabilityOf(availability)}`
      + ',"cmps":{',
    components: entities.map(entity => componentOf(identifier, entity)),
  };
}

/** Bytes of topic and payload. */
export const lengthOfDevice = ({ components, head, topic }: Device): number =>
  lengthOfUTF8(topic + head + END_OF_DEVICE)
    + components.reduce((sum, { mark, rest }) => sum + lengthOfUTF8(mark + rest) + 1, 0);

/** Bytes of the topic and of what is kept of each component. */
export const lengthOfCard = ({ components, topic }: Device): number =>
  2 + lengthOfUTF8(topic) + components.reduce((sum, { mark }) => sum + lengthOfUTF8(mark), 0);
