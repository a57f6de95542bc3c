/** The part of the configuration that says what Home Assistant is told; see configuration.ts. */

/** How Home Assistant shows a value: see device-classes.ts. */
export interface Appearance {
  device_class?: string;
  unit_of_measurement?: string;
  state_class?: string;
  /** `mdi:thermometer` */
  icon?: string;
}

/** What a kind of node publishes, and where: homeassistant/node-templates.ts. */
type NodeTemplate = 'json' | 'tasmota' | 'shelly' | 'shelly2';
export type EntityPlatform = 'sensor' | 'binary_sensor' | 'switch' | 'button';

/** A value of a node that Home Assistant shows. What is not given the template says. */
export interface EntityConfiguration extends Appearance {
  /** In the words of the template; of JSON the path: `air.temperature`. Empty: the whole payload. */
  value: string;
  name?: string;
  platform?: EntityPlatform;
  /** Local names, in place of those of the template. */
  topic?: string;
  command_topic?: string;
  payload_on?: string;
  payload_off?: string;
  decimals?: number;
  /** Seconds without a message after which the value is unavailable. */
  expire_after?: number;
}

/** A node as a device. */
export interface DeviceConfiguration {
  name: string;
  /** On the gateway's side; what of its topics: as the template says. */
  topic: string;
  template: NodeTemplate;
  /** In place of that of the template. */
  availability_topic?: string;
  payload_available?: string;
  payload_not_available?: string;
  entities: readonly EntityConfiguration[];
}

export interface HomeAssistantConfiguration {
  /** False: what was announced before is taken back. */
  enabled: boolean;
  discovery_topic: string;
  status_topic: string;
  /** Whether a message from there may restart the gateway, on a board only. */
  allow_restart: boolean;
  /** Bytes of the longest message that announces a device, its topic included. */
  max_payload: number;
  devices: readonly DeviceConfiguration[];
}

export type PartialHomeAssistant = Partial<Omit<HomeAssistantConfiguration, 'devices'>>
  & { devices?: readonly PartialDevice[] };

type PartialDevice = Partial<Omit<DeviceConfiguration, 'entities'>>
  & { name: string; entities?: readonly (Partial<EntityConfiguration> & { value: string })[] };
