/** Announcements of ten configurations against the table of keys that Home Assistant knows; what mistakes are told. */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import type { PartialConfiguration } from '../../src/config/configuration.ts';
import { readConfiguration } from '../../src/host/config.ts';
import { announcementsOf } from './announcements.ts';
import { CONFIGURATIONS } from './configurations.ts';
import { flawsOfAnnouncement } from './discovery-forms.ts';

type Json = Record<string, unknown>;
const read = (configuration: PartialConfiguration): ReturnType<typeof readConfiguration> =>
  readConfiguration(JSON.stringify(configuration), 'f');
const cmps = (configuration: PartialConfiguration, identifier: string): Record<string, Json> => {
  const [, payload] = [...announcementsOf(configuration)].find(([topic]) => topic.endsWith(`/${identifier}/config`))!;
  return (JSON.parse(payload) as { cmps: Record<string, Json> }).cmps;
};

describe.each(Object.entries(CONFIGURATIONS))('%s', (_name, configuration) => {
  it('is accepted', () => expect(read(configuration).errors).toEqual([]));

  it('makes announcements that Home Assistant knows', () => {
    const announcements = [...announcementsOf(configuration)];
    expect(announcements.length).toBeGreaterThan(0);
    for (const [topic, payload] of announcements)
      expect(flawsOfAnnouncement(topic, payload), payload).toEqual([]);
  });
});

it('the examples of the README are valid, and announce what they say', () => {
  const readme = readFileSync(new URL('../../src/homeassistant/README.md', import.meta.url), 'utf8');
  const examples = [...readme.matchAll(/```json\n([^]*?)```/g)].map(([, json]) => JSON.parse(json!) as PartialConfiguration);
  expect(examples).toHaveLength(1);
  for (const example of examples) {
    expect(read(example).errors).toEqual([]);
    expect(announcementsOf(example).size).toBe(4);
    for (const [topic, payload] of announcementsOf(example))
      expect(flawsOfAnnouncement(topic, payload)).toEqual([]);
  }
});

describe('the table of keys', () => {
  const [topic, payload] = [...announcementsOf(CONFIGURATIONS['Tasmota']!)][1]!;
  it.each([
    ['a key that was removed', payload.replace('"uniq_id":', '"object_id":"x","uniq_id":'), /object_id is not known/],
    ['a device without identifier', payload.replace(/"ids":\[[^\]]*\],/, ''), /dev is/],
    ['no origin', payload.replace(/"o":\{[^}]*\},/, ''), /o is missing/],
    ['a wildcard', payload.replace('"stat_t":"', '"stat_t":"#'), /stat_t is/],
    ['a switch without command', payload.replace(/"cmd_t":"[^"]*",/, ''), /cmd_t is missing/],
  ])('would find %s', (_name, text, expected) => {
    expect(flawsOfAnnouncement(topic, text).join()).toMatch(expected);
  });
});

describe('topics and templates', () => {
  it('are those at the broker, by the rules and their prefixes', () => {
    const garden = cmps(CONFIGURATIONS['JSON of nodes']!, 'ringbridge__Garten');
    expect(garden['air_temperature']).toMatchObject({ stat_t: 'home/nodes/garden', val_tpl: '{{ value_json.air.temperature }}' });
    expect(garden['values_0']).toMatchObject({ val_tpl: '{{ value_json.values[0] }}' });
    expect(garden['valve']).toMatchObject({ cmd_t: 'home/to/garden/valve/set', pl_on: 'ON', pl_off: 'OFF' });
    expect(garden['value']).toMatchObject({ stat_t: 'home/nodes/garden/text' });
    expect(garden['value']).not.toHaveProperty('val_tpl');
  });

  it('of Tasmota', () => {
    expect(cmps(CONFIGURATIONS['Tasmota']!, 'ringbridge__Plug')).toMatchObject({
      power: { p: 'switch', name: 'Power', stat_t: 'stat/tasmota_A1B2C3/POWER', cmd_t: 'cmnd/tasmota_A1B2C3/POWER', pl_on: 'ON', pl_off: 'OFF' },
      power2: { name: 'Lamp', dev_cla: 'outlet' },
      energy_power: { stat_t: 'tele/tasmota_A1B2C3/SENSOR', val_tpl: '{{ value_json.ENERGY.Power }}', dev_cla: 'power', unit_of_meas: 'W', stat_cla: 'measurement' },
      energy_total: { dev_cla: 'energy', unit_of_meas: 'kWh', stat_cla: 'total_increasing' },
      ds18b20_1_temperature: { val_tpl: "{{ value_json['DS18B20-1'].Temperature }}", sug_dsp_prc: 1 },
      wifi_signal: { stat_t: 'tele/tasmota_A1B2C3/STATE', unit_of_meas: 'dBm' },
    });
    expect([...announcementsOf(CONFIGURATIONS['Tasmota']!).values()][1]).toContain(
      '"avty":[{"t":"ringbridge/status"},{"t":"tele/tasmota_A1B2C3/LWT","pl_avail":"Online","pl_not_avail":"Offline"}],"avty_mode":"all"');
  });

  it('of Shelly', () => {
    expect(cmps(CONFIGURATIONS['Shelly, first generation']!, 'ringbridge__Boiler')).toMatchObject({
      relay_0: { p: 'switch', stat_t: 'shellies/shelly1pm-AABBCC/relay/0', cmd_t: 'shellies/shelly1pm-AABBCC/relay/0/command', pl_on: 'on' },
      relay_0_energy: { dev_cla: 'energy', unit_of_meas: 'kWh', val_tpl: '{{ (value | float / 60000) | round(4) }}' },
      sensor_flood: { p: 'binary_sensor', dev_cla: 'moisture', pl_on: 'true', pl_off: 'false' },
      sensor_state: { dev_cla: 'window', pl_on: 'open', pl_off: 'close' },
    });
    expect(cmps(CONFIGURATIONS['Shelly, second generation']!, 'ringbridge__Pump')).toMatchObject({
      switch_0: { p: 'switch', stat_t: 'shellyplus1pm-aabbcc/status/switch:0', cmd_t: 'shellyplus1pm-aabbcc/command/switch:0',
        val_tpl: "{{ 'on' if value_json.output else 'off' }}" },
      switch_0_apower: { val_tpl: '{{ value_json.apower }}', unit_of_meas: 'W' },
      input_0: { p: 'binary_sensor', val_tpl: "{{ 'on' if value_json.state else 'off' }}" },
    });
  });

  it('of wired sensors: what they are follows from what they measure', () => {
    const { sensors = [] } = CONFIGURATIONS['sensors of every kind']!;
    const reading = (name: string): Json => cmps(CONFIGURATIONS['sensors of every kind']!, `ringbridge__${name}`)['reading']!;
    expect(sensors).toHaveLength(8);
    expect(reading('Luftdruck')).toMatchObject({ stat_t: 'site/air/pressure', val_tpl: '{{ value_json.value }}', dev_cla: 'atmospheric_pressure', unit_of_meas: 'Pa' });
    expect(reading('air')).toMatchObject({ exp_aft: 60, sug_dsp_prc: 1 });
    expect(reading('humidity')).not.toHaveProperty('exp_aft'); // it may be silent, for it does not change
    expect(reading('door')).toMatchObject({ p: 'binary_sensor', dev_cla: 'door', val_tpl: "{{ 'ON' if value | float(0) > 0 else 'OFF' }}" });
    expect(reading('water')).toMatchObject({ stat_cla: 'total_increasing', unit_of_meas: 'L' });
    expect(reading('pulses')).toMatchObject({ stat_cla: 'total_increasing' });
    expect(reading('level')).toMatchObject({ unit_of_meas: 'points', stat_cla: 'measurement' });
  });
});

describe('a mistake', () => {
  const OUT = { pattern: '#' };
  const sensor = (more: Json): PartialConfiguration => ({ topic: [OUT], sensors: [{ name: 's', type: 'simulated', ...more }] });
  const device = (entity: Json, template = 'json'): PartialConfiguration =>
    ({ topic: [OUT], homeassistant: { enabled: true, devices: [{ name: 'd', topic: 'd', template, entities: [{ value: 'v', ...entity }] }] } }) as PartialConfiguration;
  it.each<readonly [string, PartialConfiguration, RegExp]>([
    ['a class that is misspelt', sensor({ device_class: 'temprature' }), /sensors\[0\].device_class: a sensor has no device class "temprature"; write "temperature" instead/],
    ['a unit without its sign', sensor({ device_class: 'temperature', unit_of_measurement: 'F' }), /"F" is no unit of the device class "temperature"; write "°F" instead/],
    ['a unit in words', sensor({ device_class: 'temperature', unit_of_measurement: 'celsius' }), /write "°C" instead/],
    ['a unit in another case', sensor({ device_class: 'energy', unit_of_measurement: 'KWH' }), /write "kWh" instead/],
    ['a unit of another class', sensor({ unit_of_measurement: 'kWh' }), /"kWh" is no unit of the device class "temperature"/],
    ['a class without its unit', sensor({ device_class: 'power' }), /sensors\[0\]: the device class "power" needs a unit; write "unit_of_measurement": "W" as well/],
    ['a state class that is misspelt', sensor({ state_class: 'measurment' }), /there is no state class "measurment"; write "measurement" instead/],
    ['a state class of another class', sensor({ device_class: 'energy', unit_of_measurement: 'Wh', state_class: 'measurement' }), /is not "measurement"; write "total_increasing" or "total" instead/],
    ['an icon without its set', sensor({ icon: 'Thermometer' }), /"Thermometer" is no icon; write one like "mdi:thermometer" instead/],
    ['a unit of a switch', device({ value: 'POWER', unit_of_measurement: 'W' }, 'tasmota'), /a switch has none; leave it out instead/],
    ['a sensor that no rule carries', { ...sensor({ topic: 'a/b' }), homeassistant: { enabled: true }, topic: [{ pattern: 'c/#' }] },
      /sensors\[0\].topic: no rule carries "a\/b" to the broker, where Home Assistant reads it; write \{ "pattern": "a\/b", "direction": "out" \} in "topic" as well/],
    ['an availability that no rule carries', { ...sensor({ topic: 'a', expire_after: 99 }), homeassistant: { enabled: true }, topic: [{ pattern: '+' }] },
      /no rule carries "a\/availability"/],
    ['commands that no rule brings', device({ value: 'POWER' }, 'tasmota'), /entities\[0\]: no rule brings commands of Home Assistant to "cmnd\/d\/POWER"; write \{ "pattern": "cmnd\/d\/POWER", "direction": "in" \}/],
    ['a switch without commands', device({ platform: 'switch' }), /a switch needs the topic where the node takes commands; write "command_topic" as well/],
    ['a path in quotes', device({ value: 'a["b"]' }), /names a value in words and points/],
    ['a name that is there twice', { ...device({}), sensors: [{ name: 'd', type: 'simulated' }] }, /"d" is there twice, among sensors and devices/],
    ['a device that is too long', { ...device({}), homeassistant: { enabled: true, max_payload: 600,
      devices: [{ name: 'd', entities: [1, 2, 3, 4, 5].map(each => ({ value: `v${each}` })) }] } },
      /homeassistant.devices\[0\]: the device "d" takes (\d+) bytes and "max_payload" allows 600; write "max_payload": \1, or fewer entities, instead/],
    ['a topic with a wildcard', { homeassistant: { enabled: true, status_topic: 'ha/#' } }, /homeassistant.status_topic: "ha\/#" is no Topic Name/],
  ])('%s is told what to write instead', (_name, configuration, expected) => {
    expect(read(configuration).errors.join('\n')).toMatch(expected);
  });

  it('a millionth may be written with either of its signs', () => {
    for (const unit_of_measurement of ['\u00b5g/m³', '\u03bcg/m³']) {
      const configuration = { ...sensor({ device_class: 'pm25', unit_of_measurement }), homeassistant: { enabled: true } };
      expect(read(configuration).errors).toEqual([]);
      expect(cmps(configuration, 'ringbridge__s')['reading']).toMatchObject({ unit_of_meas: '\u00b5g/m³' });
    }
  });

  it('a figure that no rule carries, and a Will that says nothing, are warned about', () => {
    expect(read({ topic: [OUT], homeassistant: { enabled: true } }).warnings.join('\n')).toMatch(/no rule carries "\$SYS\/broker\/store\/messages\/count"/);
    expect(read({ topic: [OUT], homeassistant: { enabled: true }, upstream: { will: { topic: 'w' } } }).warnings.join('\n'))
      .toMatch(/does not learn that the gateway is gone/);
  });
});
