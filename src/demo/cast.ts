/**
 * Who takes part in the demo: the configuration of its gateway, and three simulated nodes with what they do.
 *
 *   weather   MQTT 3.1.1, well-behaved: readings with QoS 1, and it listens to commands
 *   door      MQTT 3.1
 *   rover     MQTT 3.1.1, vanishes without DISCONNECT, so that its Will is published, and comes back
 */
import { completeConfiguration } from '../config/complete-configuration.ts';
import type { Configuration } from '../config/configuration.ts';
import { MQTT_3_1, MQTT_3_1_1, nameOf } from '../packet/protocol-version.ts';
import { DemoNode, type NodeObserver } from './node.ts';
import type { Log } from '../host/log.ts';
import type { ViewNode } from './view.ts';

export const ADDRESS = '127.0.0.1';
const NAME = 'demo';
export const REMOTE_PREFIX = 'demo/';
const COMMANDS = 'command/#';
export const WILL_TOPIC = 'rover/status';
export const WILL_PAYLOAD = 'gone';

/** Milliseconds. */
const PUBLISH_INTERVAL = 1000;
/** The rover's first stay is short: nobody should have to wait for what it shows. */
const FIRST_STAY = 4000;
const STAY = 20_000;
const ABSENCE = 4000;

export function demoConfiguration(port: number, brokerPort: number): Configuration {
  return completeConfiguration({
    name: NAME,
    // Somebody watches: nobody should have to wait for half a minute when the plug is back.
    upstream: { address: [`mqtt://${ADDRESS}:${brokerPort}`], restart_timeout: [1, 5] },
    listener: { address: ADDRESS, port, allow_anonymous: true, max_connections: 10 },
    topic: [
      { pattern: COMMANDS, direction: 'in', qos: 1, remote_prefix: REMOTE_PREFIX },
      { pattern: '#', direction: 'out', qos: 1, remote_prefix: REMOTE_PREFIX },
    ],
    sensors: [
      { name: 'air', type: 'simulated', topic: 'air/temperature', interval: 1 },
      { name: 'pump', type: 'simulated_switch', topic: 'pump/running', interval: 2, decimals: 0 },
    ],
    // A few minutes' worth. In memory only: the demo leaves no file behind.
    store: { ram: 32_768, durability: 'ram' },
    page: {}, // opened by page.ts; so that the gateway measures what it tells
  });
}

export class DemoCast {
  private readonly log: Log;
  private readonly weather: DemoNode;
  private readonly door: DemoNode;
  private readonly rover: DemoNode;
  private readonly nodes: readonly DemoNode[];
  private publishing: NodeJS.Timeout | undefined;
  private leaving: NodeJS.Timeout | undefined;
  private humidity = 55;
  private battery = 100;
  private isOpen = false;
  private rounds = 0;
  private victim = 0;

  constructor(port: number, log: Log) {
    this.log = log;
    const observer: NodeObserver = {
      onConnected: node => this.onConnected(node),
      onMessage: (node, topic, payload) =>
        this.log.write('info', `node "${node.identifier}" received ${topic}: ${payload}`),
    };
    this.weather =
      new DemoNode({ identifier: 'weather', version: MQTT_3_1_1, filter: COMMANDS }, ADDRESS, port, observer);
    this.door = new DemoNode({ identifier: 'door', version: MQTT_3_1 }, ADDRESS, port, observer);
    this.rover = new DemoNode({ identifier: 'rover', version: MQTT_3_1_1,
      will: { topic: WILL_TOPIC, payload: WILL_PAYLOAD, qos: 1, retain: true } }, ADDRESS, port, observer);
    this.nodes = [this.weather, this.door, this.rover];
  }

  start(): void {
    for (const node of this.nodes)
      node.start();
    this.publishing = setInterval(() => this.publish(), PUBLISH_INTERVAL);
    this.leaving = setTimeout(() => this.leave(), FIRST_STAY);
  }

  async stop(): Promise<void> {
    clearInterval(this.publishing);
    clearTimeout(this.leaving);
    await Promise.all(this.nodes.map(node => node.stop()));
  }

  /** @returns whether the gateway takes one of the nodes for connected */
  isKnownTo(known: readonly { identifier: string; connected: boolean }[]): boolean {
    return known.some(({ connected, identifier }) => connected
      && this.nodes.some(node => node.identifier === identifier));
  }

  /** Each in turn, as far as it is there. */
  killOne(): void {
    for (let tried = 0; tried < this.nodes.length; ++tried) {
      const node = this.nodes[this.victim++ % this.nodes.length]!;
      if (node.isConnected) {
        this.vanish(node);
        return;
      }
    }
    this.log.write('info', 'no node is connected: wait until one comes back');
  }

  /** What is to be seen of the nodes, with those that somebody else has connected. */
  view(
    others: readonly { identifier: string; connected: boolean; version: string | null; queuedMessages: number }[],
  ): ViewNode[] {
    const cast = this.nodes.map(({ backAt, identifier, isConnected, settings }): ViewNode => ({
      identifier,
      isConnected,
      version: nameOf(settings.version),
      state: isConnected ? 'connected'
        : backAt === undefined ? 'connecting'
        : `gone without DISCONNECT, back in ${Math.max(0, Math.ceil((backAt - Date.now()) / 1000))} s`,
    }));
    const guests = others.filter(({ identifier }) => !this.nodes.some(node => node.identifier === identifier))
      .map(({ connected, identifier, queuedMessages, version }): ViewNode => ({
        identifier,
        isConnected: connected,
        version: version ?? '',
        state: connected ? 'connected'
          : `away, ${queuedMessages} message${queuedMessages === 1 ? ' waits' : 's wait'} for it`,
      }));
    return [...cast, ...guests];
  }

  private onConnected(node: DemoNode): void {
    if (node === this.rover)
      node.publish(WILL_TOPIC, 'here', 1, true);
  }

  private publish(): void {
    ++this.rounds;
    this.humidity = Math.min(Math.max(this.humidity + Math.random() * 2 - 1, 30), 80);
    this.weather.publish('weather/humidity', this.humidity.toFixed(1), 1);
    if (this.rounds % 2 === 0) {
      if (Math.random() < 0.2)
        this.isOpen = !this.isOpen;
      this.door.publish('door/state', this.isOpen ? 'open' : 'closed', 1);
    }
    this.battery = this.battery > 5 ? this.battery - 0.1 : 100;
    this.rover.publish('rover/battery', this.battery.toFixed(1), 1);
  }

  private leave(): void {
    if (this.rover.isConnected)
      this.vanish(this.rover);
    this.leaving = setTimeout(() => this.leave(), STAY + ABSENCE);
  }

  private vanish(node: DemoNode): void {
    this.log.forget(''); // what is done on purpose is news each time
    this.log.write('info', `node "${node.identifier}" vanishes now, without DISCONNECT`);
    node.vanish(ABSENCE);
  }
}
