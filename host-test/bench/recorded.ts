/**
 * What Moddable's own MQTT clients cost, recorded once and not measured again here, because their sources are not
 * part of this repository. `mqtt.js` is the class `Client` of the SDK's module "mqtt"; `mqttclient.js` its ECMA-419
 * MQTT client.
 *
 * Source: both clients of the Moddable SDK, run on XS 13.3 with 32-bit slots, as ours is here, with an allocation-
 * free fake socket and the very packets of W1 to W6. Steps, slots and chunk bytes are per packet and exact.
 * Nanoseconds are those of another computer and of an engine that does not count steps: they are good for ratios
 * among themselves only.
 */
export interface RecordedFigure {
  readonly workload: string;
  readonly subject: string;
  readonly steps: number;
  readonly slots: number;
  readonly chunkBytes: number;
  readonly nsPerPacket: number;
}

const MQTT = 'Moddable mqtt.js (recorded)';
const MQTT_CLIENT = 'Moddable mqttclient.js (recorded)';

export const RECORDED: readonly RecordedFigure[] = [
  { workload: 'W1', subject: MQTT, steps: 2981, slots: 52, chunkBytes: 260, nsPerPacket: 11583 },
  { workload: 'W1', subject: MQTT_CLIENT, steps: 2191, slots: 25, chunkBytes: 132, nsPerPacket: 9406 },
  { workload: 'W2', subject: MQTT, steps: 4954, slots: 52, chunkBytes: 2184, nsPerPacket: 18901 },
  { workload: 'W2', subject: MQTT_CLIENT, steps: 2240, slots: 25, chunkBytes: 1092, nsPerPacket: 9481 },
  { workload: 'W3', subject: MQTT, steps: 3765, slots: 90, chunkBytes: 296, nsPerPacket: 16108 },
  { workload: 'W3', subject: MQTT_CLIENT, steps: 3183, slots: 41, chunkBytes: 165, nsPerPacket: 13982 },
  { workload: 'W4', subject: MQTT, steps: 556, slots: 25, chunkBytes: 156, nsPerPacket: 2979 },
  { workload: 'W4', subject: MQTT_CLIENT, steps: 428, slots: 33, chunkBytes: 84, nsPerPacket: 2767 },
  { workload: 'W5', subject: MQTT, steps: 220, slots: 12, chunkBytes: 12, nsPerPacket: 974 },
  { workload: 'W5', subject: MQTT_CLIENT, steps: 277, slots: 5, chunkBytes: 0, nsPerPacket: 1177 },
  { workload: 'W6', subject: MQTT, steps: 3024, slots: 52, chunkBytes: 264, nsPerPacket: 11741 },
  { workload: 'W6', subject: MQTT_CLIENT, steps: 2853, slots: 67, chunkBytes: 200, nsPerPacket: 13026 },
];
