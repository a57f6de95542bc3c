/** What Home Assistant finds at the broker, over starts, edits and losses; with the store on flash and in memory. */
import { describe, expect, it } from 'vitest';
import type { PartialConfiguration } from '../../src/config/configuration.ts';
import { completeConfiguration } from '../../src/config/complete-configuration.ts';
import { withReloadRoom } from '../../src/config/reload-room.ts';
import { planReload, reloadRuntime } from '../../src/io/reload.ts';
import { KeepingServer, type Json } from './keeping-server.ts';
import { SERVER } from '../world/world.ts';

const AIR = { name: 'air', type: 'simulated', topic: 'air/temperature', expire_after: 30 };
const SOIL = { name: 'soil', type: 'analog', topic: 'soil/moisture', device_class: 'moisture', unit_of_measurement: '%', pin: 34 };

const withStore = (durability: 'flash' | 'ram', configuration: PartialConfiguration = {}): PartialConfiguration => ({
  homeassistant: { enabled: true }, sensors: [AIR, SOIL], ...configuration,
  store: { durability, size: 262_144, ...configuration.store },
});

const componentsOf = (device: Json | undefined): string[] => Object.keys(device?.['cmps'] as Json).sort();

describe.each(['flash', 'ram'] as const)('with the store in %s', durability => {
  it('announces the gateway and its sensors, retained', () => {
    const server = new KeepingServer();
    server.start(withStore(durability));
    expect(server.devices).toEqual({
      ringbridge: {
        o: { name: 'Ringbridge', sw: '0.1.0' },
        dev: { ids: ['ringbridge'], name: 'ringbridge', mf: 'Ringbridge', mdl: 'Gateway', sw: '0.1.0' },
        cmps: { connection: { p: 'binary_sensor', uniq_id: 'ringbridge_connection', name: 'Connection',
          stat_t: 'ringbridge/status', pl_on: 'online', pl_off: 'offline', dev_cla: 'connectivity', ent_cat: 'diagnostic' } },
      },
      ringbridge__air: {
        o: { name: 'Ringbridge', sw: '0.1.0' },
        dev: { ids: ['ringbridge__air'], name: 'air', mdl: 'simulated', via_device: 'ringbridge' },
        avty: [{ t: 'ringbridge/status' }, { t: 'air/temperature/availability' }], avty_mode: 'all',
        cmps: { reading: { p: 'sensor', uniq_id: 'ringbridge__air_reading', name: null, stat_t: 'air/temperature',
          dev_cla: 'temperature', unit_of_meas: '°C', stat_cla: 'measurement', sug_dsp_prc: 2, exp_aft: 30 } },
      },
      ringbridge__soil: {
        o: { name: 'Ringbridge', sw: '0.1.0' },
        dev: { ids: ['ringbridge__soil'], name: 'soil', mdl: 'analog', via_device: 'ringbridge' },
        avty_t: 'ringbridge/status',
        cmps: { reading: { p: 'sensor', uniq_id: 'ringbridge__soil_reading', name: null, stat_t: 'soil/moisture',
          dev_cla: 'moisture', unit_of_meas: '%', stat_cla: 'measurement', sug_dsp_prc: 2 } },
      },
    });
    expect(server.retained.get('ringbridge/status')).toBe('online');
    expect(server.retained.get('air/temperature/availability')).toBe('online');
  });

  it('takes back a device that is gone after a restart, and no other', () => {
    const server = new KeepingServer();
    server.start(withStore(durability));
    const foreign = '{"o":{"name":"other"},"dev":{"ids":["x"]},"cmps":{}}';
    for (const name of ['ringbridge_foo', 'ringbridge2', 'ringbridge2__air', 'ringbridge__mine', 'x'])
      server.retained.set(`homeassistant/device/${name}/config`, foreign);
    server.cutPower();
    server.start(withStore(durability, { sensors: [SOIL] }));
    expect(server.names).toEqual(['ringbridge', 'ringbridge2', 'ringbridge2__air', 'ringbridge__mine', 'ringbridge__soil',
      'ringbridge_foo', 'x']);
  });

  it('takes back a component that is gone after a restart, and keeps its device', () => {
    const server = new KeepingServer();
    const figures = { pattern: '#', local_prefix: '$SYS/broker/', remote_prefix: 'monitor/' };
    const upstream = { max_packet_size: 2048 };
    server.start(withStore(durability, { upstream, topic: [figures, { pattern: '#' }] }));
    expect(componentsOf(server.devices['ringbridge'])).toEqual(['connection', 'dropped', 'stored', 'uptime']);
    server.cutPower();
    server.published.length = 0;
    server.start(withStore(durability, { upstream }));
    const told = server.published.filter(text => text.startsWith('homeassistant/device/ringbridge/config'))
      .map(text => JSON.parse(text.slice(text.indexOf(' '))) as Json);
    expect(told.map(device => componentsOf(device)))
      .toEqual([['connection', 'dropped', 'stored', 'uptime'], ['connection']]);
    expect((told[0]!['cmps'] as Json)['uptime']).toEqual({ p: 'sensor' });
  });

  it('takes back the whole device where it cannot read what it has announced, if that is not what it is today', () => {
    const server = new KeepingServer();
    const topic = [{ pattern: '#', local_prefix: '$SYS/broker/', remote_prefix: 'monitor/' }, { pattern: '#' }];
    const upstream = { max_packet_size: 512 };
    const toldOfGateway = (): number[] => server.published.splice(0)
      .filter(text => text.startsWith('homeassistant/device/ringbridge/config'))
      .map(text => text.length > 60 ? componentsOf(server.devices['ringbridge']).length : 0);
    server.start(withStore(durability, { upstream, topic }));
    toldOfGateway();
    server.cutPower();
    server.start(withStore(durability, { upstream, topic }));
    expect(toldOfGateway()).toEqual([4]);
    server.cutPower();
    server.start(withStore(durability, { upstream }));
    expect(toldOfGateway()).toEqual(durability === 'flash' ? [1, 1] : [0, 1]);
  });

  it('follows a rename of a sensor, and of the gateway', () => {
    const server = new KeepingServer();
    server.start(withStore(durability));
    server.cutPower();
    server.start(withStore(durability, { sensors: [{ ...AIR, name: 'Küche 1' }, SOIL] }));
    expect(server.names).toEqual(['ringbridge', 'ringbridge__K_c3_bcche_201', 'ringbridge__soil']);
    server.cutPower();
    server.start(withStore(durability, { name: 'shed', sensors: [SOIL] }));
    if (durability === 'flash') // in memory nobody knows what it was called
      expect(server.names).toEqual(['shed', 'shed__soil']);
    else
      expect(server.names).toContain('shed__soil');
  });

  it('announces everything to a broker that has lost it, and nothing again to one that has not', () => {
    const server = new KeepingServer();
    const world = server.start(withStore(durability));
    server.published.length = 0;
    world.uplink.close();
    world.until(() => !world.isConnected);
    world.until(() => world.isConnected);
    server.settle();
    expect(server.published.filter(text => text.startsWith('homeassistant/'))).toEqual([]);
    server.forget();
    server.settle();
    expect(server.names).toEqual(['ringbridge', 'ringbridge__air', 'ringbridge__soil']);
  });

  it('announces everything again when Home Assistant has started, not at once', () => {
    const server = new KeepingServer();
    const world = server.start(withStore(durability));
    server.published.length = 0;
    server.say('homeassistant/status', 'offline');
    world.run(6000);
    expect(server.published.filter(text => text.startsWith('homeassistant/'))).toEqual([]);
    server.say('homeassistant/status', 'online');
    world.run(400);
    expect(server.published.filter(text => text.startsWith('homeassistant/'))).toEqual([]);
    world.run(6000);
    expect(server.published.filter(text => text.startsWith('homeassistant/'))).toHaveLength(3);
  });

  it('follows edits while it runs', () => {
    const server = new KeepingServer();
    const configuration = completeConfiguration({ topic: [{ pattern: '#' }], ...withStore(durability),
      upstream: { address: [`mqtt://${SERVER}`] }, listener: { allow_anonymous: true } });
    const world = server.start(withStore(durability), { layout: withReloadRoom(configuration) });
    const reload = (wanted: PartialConfiguration): void => {
      const { runtime } = world;
      const { gateway } = runtime;
      const plan = planReload(gateway.configuration, gateway.plans!.layout, completeConfiguration({
        topic: [{ pattern: '#' }], ...withStore(durability, wanted),
        upstream: { ...gateway.configuration.upstream }, listener: { allow_anonymous: true } }));
      expect(plan.refusals).toEqual([]);
      reloadRuntime(runtime, plan, { authenticator: undefined, changedPasswords: new Set() });
      server.settle();
    };
    server.published.length = 0;
    reload({ sensors: [AIR, { ...SOIL, icon: 'mdi:flower' }] });
    expect(server.published.filter(text => text.startsWith('homeassistant/'))).toHaveLength(1);
    expect(JSON.stringify(server.devices['ringbridge__soil'])).toContain('"ic":"mdi:flower"');
    reload({ sensors: [AIR] });
    expect(server.names).toEqual(['ringbridge', 'ringbridge__air']);
    reload({ homeassistant: { enabled: true, discovery_topic: 'ha' } });
    expect(server.names).toEqual([]);
    expect([...server.retained.keys()].filter(topic => topic.startsWith('ha/'))).toHaveLength(3);
    reload({ homeassistant: { enabled: true, discovery_topic: 'ha', status_topic: 'ha/up' } });
    expect(server.filters).toContain('ha/up');
    reload({ homeassistant: { enabled: false, discovery_topic: 'ha', status_topic: 'ha/up' } });
    expect(server.filters).not.toContain('ha/up');
    reload({ homeassistant: { enabled: false } });
    expect([...server.retained.keys()].filter(topic => topic.includes('/device/'))).toEqual([]);
  });

  it('takes everything back after a start with "enabled": false', () => {
    const server = new KeepingServer();
    server.start(withStore(durability));
    server.cutPower();
    server.start(withStore(durability, { homeassistant: { enabled: false } }));
    expect(server.names).toEqual([]);
  });
});

const MACHINE = { startText: '', resetReason: 1, startCount: 1, heapFree: 1, heapMinimum: 1, heapLargest: 1, wifiSignal: -60 };
const RESTART = 'homeassistant/device/ringbridge/restart';

describe('the command to restart', () => {
  function start(allow_restart: boolean): { server: KeepingServer; restarts: string[] } {
    const server = new KeepingServer();
    const restarts: string[] = [];
    server.start(withStore('ram', { homeassistant: { enabled: true, allow_restart }, listener: { allow_anonymous: true } }),
      { machine: MACHINE, restart: () => restarts.push(server.published.at(-1)!) });
    return { server, restarts };
  }

  it('restarts a board after a clean end, where that is allowed, and has a button', () => {
    const { server, restarts } = start(true);
    expect((server.devices['ringbridge']!['cmps'] as Json)['restart']).toMatchObject({ p: 'button', cmd_t: RESTART, dev_cla: 'restart' });
    server.say(RESTART, 'PRESS');
    server.world.run(4000);
    expect(restarts).toEqual(['ringbridge/status offline']);
  });

  it('is not asked for where it is not allowed', () => {
    const { server, restarts } = start(false);
    expect(server.filters).not.toContain(RESTART);
    expect(componentsOf(server.devices['ringbridge'])).not.toContain('restart');
    server.world.uplink.post({ cmd: 'publish', topic: RESTART, payload: 'x', qos: 0, retain: false, dup: false });
    server.world.run(4000);
    expect(restarts).toEqual([]);
  });

  it('does not come from a node, nor from what the broker has kept', () => {
    const { server, restarts } = start(true);
    const node = server.world.client('n');
    node.publish(RESTART, 'PRESS', 1, true);
    node.publish('other', 'x', 1);
    server.world.run(4000);
    expect(server.published).toContain('other x');
    expect(server.published.filter(text => text.startsWith(RESTART))).toEqual([]);
    server.forget();
    server.settle();
    expect(server.published.filter(text => text.startsWith(RESTART))).toEqual([]);
    server.world.uplink.post({ cmd: 'publish', topic: RESTART, payload: 'x', qos: 0, retain: true, dup: false });
    server.world.run(4000);
    expect(restarts).toEqual([]);
  });
});

describe('what the broker does otherwise', () => {
  it('an announcement for which it closes the connection is set aside, others go on', () => {
    const server = new KeepingServer();
    server.poison = 'homeassistant/device/ringbridge__air/config';
    const world = server.start(withStore('flash'));
    world.run(60_000);
    expect(server.names).toEqual(['ringbridge', 'ringbridge__soil']);
    expect(world.eventTexts.filter(text => text.includes('takes no announcement'))).toHaveLength(1);
    expect(world.isConnected).toBe(true);
  });

  it('what is retained as Home Assistant\'s start is old, and asks for nothing', () => {
    const server = new KeepingServer();
    server.say('homeassistant/status', 'online', true);
    server.start(withStore('flash'));
    expect(server.published.filter(text => text.startsWith('homeassistant/'))).toHaveLength(3);
  });

  it('a rule that asks for Home Assistant\'s status as well brings it to nodes', () => {
    const server = new KeepingServer();
    const world = server.start(withStore('ram', { topic: [{ pattern: '#' }, { pattern: 'homeassistant/status', direction: 'in' }],
      listener: { allow_anonymous: true } }));
    const node = world.client('n');
    node.subscribe('#');
    world.run(100);
    server.say('homeassistant/status', 'online');
    world.run(7000);
    expect(node.messages).toContain('homeassistant/status online');
    expect(server.published.filter(text => text.startsWith('homeassistant/device/ringbridge/'))).toHaveLength(2);
  });

  it('readings are told again when Home Assistant has been told of their sensor', () => {
    const server = new KeepingServer();
    const world = server.start(withStore('flash', { sensors: [{ ...AIR, expire_after: 0, interval: 3600, deadband: 5 }] }));
    world.run(4000);
    expect(server.published.filter(text => text.startsWith('air/temperature '))).toHaveLength(2);
    server.say('homeassistant/status', 'online');
    world.run(9000);
    expect(server.published.filter(text => text.startsWith('air/temperature '))).toHaveLength(3);
  });
});
