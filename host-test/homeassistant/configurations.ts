/** Ten configurations whose announcements are compared with what Home Assistant takes. */
import type { PartialConfiguration } from '../../src/config/configuration.ts';

const OUT = { pattern: '#' };
const FIGURES = { pattern: '#', local_prefix: '$SYS/broker/', remote_prefix: 'monitor/gw/', qos: 0 };
const enabled = { enabled: true };

export const CONFIGURATIONS: Readonly<Record<string, PartialConfiguration>> = {
  'the gateway alone': { topic: [OUT], homeassistant: enabled },
  'figures of the gateway, and its restart': { name: 'Gewächshaus 1', topic: [FIGURES, OUT],
    homeassistant: { ...enabled, allow_restart: true } },
  'sensors of every kind': {
    topic: [{ pattern: '#', remote_prefix: 'site/' }], homeassistant: enabled,
    sensors: [
      { name: 'air', type: 'simulated', expire_after: 60, decimals: 1 },
      { name: 'Luftdruck', type: 'bmp280', quantity: 'pressure', topic: 'air/pressure', data: 21, clock: 22, format: 'json' },
      { name: 'humidity', type: 'sht3x', quantity: 'humidity', data: 21, clock: 22, deadband: 1, expire_after: 60 },
      { name: 'door', type: 'digital', pin: 4, device_class: 'door' },
      { name: 'contact', type: 'digital', pin: 5, format: 'json', expire_after: 60, icon: 'mdi:gesture-tap' },
      { name: 'water', type: 'pulse_count', pin: 6, device_class: 'water', unit_of_measurement: 'L', scale: 0.5 },
      { name: 'pulses', type: 'pulse_count', pin: 7 },
      { name: 'level', type: 'analog', pin: 34, unit_of_measurement: 'points', state_class: 'measurement' },
    ],
  },
  'Tasmota': {
    topic: [OUT, { pattern: 'cmnd/#', direction: 'in' }],
    homeassistant: { ...enabled, devices: [{ name: 'Plug', topic: 'tasmota_A1B2C3', template: 'tasmota', entities: [
      { value: 'POWER' }, { value: 'POWER2', name: 'Lamp', device_class: 'outlet' }, { value: 'ENERGY.Power' },
      { value: 'ENERGY.Total' }, { value: 'ENERGY.Factor' }, { value: 'DS18B20-1.Temperature', decimals: 1 },
      { value: 'AM2301.Humidity', expire_after: 900 }, { value: 'Wifi.Signal' }, { value: 'UptimeSec' },
    ] }] },
  },
  'Shelly, first generation': {
    topic: [OUT, { pattern: 'shellies/#', direction: 'in' }],
    homeassistant: { ...enabled, devices: [{ name: 'Boiler', topic: 'shellies/shelly1pm-AABBCC', template: 'shelly', entities: [
      { value: 'relay/0' }, { value: 'relay/0/power' }, { value: 'relay/0/energy' }, { value: 'input/0' },
      { value: 'temperature' }, { value: 'sensor/battery' }, { value: 'sensor/flood' }, { value: 'sensor/state', device_class: 'window' },
      { value: 'emeter/0/total' },
    ] }] },
  },
  'Shelly, second generation': {
    topic: [OUT, { pattern: '+/command/#', direction: 'in' }],
    homeassistant: { ...enabled, devices: [{ name: 'Pump', topic: 'shellyplus1pm-aabbcc', template: 'shelly2', entities: [
      { value: 'switch:0' }, { value: 'switch:0.apower' }, { value: 'switch:0.aenergy.total' }, { value: 'switch:0.temperature.tC' },
      { value: 'input:0' }, { value: 'wifi.rssi' }, { value: 'devicepower:0.battery.percent' },
    ] }] },
  },
  'JSON of nodes': {
    topic: [{ pattern: '#', local_prefix: 'nodes/', remote_prefix: 'home/nodes/' },
      { pattern: '#', direction: 'in', local_prefix: 'nodes/', remote_prefix: 'home/to/' }],
    homeassistant: { ...enabled, devices: [
      { name: 'Garten', topic: 'nodes/garden', availability_topic: 'nodes/garden/status', entities: [
        { value: 'air.temperature', device_class: 'temperature', unit_of_measurement: '°C', decimals: 1 },
        { value: 'values.0', name: 'First' }, { value: 'rain', platform: 'binary_sensor', device_class: 'moisture' },
        { value: 'valve', platform: 'switch', command_topic: 'nodes/garden/valve/set' },
        { value: 'reset', platform: 'button', command_topic: 'nodes/garden/reset', device_class: 'restart' },
        { value: '', topic: 'nodes/garden/text', name: 'Text', icon: 'mdi:text' },
        { value: 'seen', device_class: 'timestamp' },
      ] }] },
  },
  'a Will of its own words': {
    topic: [OUT], homeassistant: enabled, sensors: [{ name: 's', type: 'simulated' }],
    upstream: { will: { topic: 'gw/lwt', payload: 'down', qos: 1, retain: true }, birth: { payload: 'up' } },
  },
  'no Will': { topic: [OUT], homeassistant: enabled, upstream: { will: null }, sensors: [{ name: 's "1"\\', type: 'simulated' }] },
  'notifications as of a bridge of Mosquitto': {
    topic: [FIGURES, OUT], homeassistant: { ...enabled, discovery_topic: 'ha/auto' }, sensors: [{ name: 's', type: 'simulated' }],
    upstream: { notifications: true, notification_topic: 'bridge/state' },
  },
};
