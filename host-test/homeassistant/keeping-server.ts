/**
 * A Server that keeps what is retained, and sessions for as long as it lives, above a simulated gateway: what Home
 * Assistant would find there. Written from the specification; shares no code with src.
 */
import type { Packet } from 'mqtt-packet';
import type { PartialConfiguration } from '../../src/config/configuration.ts';
import { FlashMedium, SimulatedFlash } from '../simulation/simulated-flash.ts';
import { acknowledge, type Peer, World, type WorldOptions } from '../world/world.ts';

export type Json = Record<string, unknown>;

const matches = (filter: string, topic: string): boolean =>
  new RegExp(`^${filter.replaceAll(/[.*?^${}()|[\]\\]/g, '\\$&').replaceAll('+', '[^/]*').replace(/\/?#$/, '.*')}$`).test(topic);

export class KeepingServer {
  retained = new Map<string, string>();
  /** All PUBLISH packets that came: topic and payload. */
  readonly published: string[] = [];
  hasSession = false;
  /** Topics whose PUBLISH it closes the connection for. */
  poison = '';
  readonly filters = new Set<string>();
  world!: World;
  readonly medium = new FlashMedium(4096, 64);

  readonly serve = (peer: Peer, packet: Packet): void => {
    if (packet.cmd === 'publish' && this.poison !== '' && packet.topic === this.poison) {
      peer.close();
      return;
    }
    acknowledge(peer, packet);
    switch (packet.cmd) {
      case 'connect':
        peer.post({ cmd: 'connack', returnCode: 0, sessionPresent: this.hasSession && packet.clean === false });
        if (packet.clean !== false)
          this.filters.clear();
        this.hasSession = packet.clean === false;
        break;
      case 'publish':
        this.published.push(`${packet.topic} ${packet.payload}`);
        if ([...this.filters].some(filter => matches(filter, packet.topic))) // 3.1.1 knows no No Local
          peer.post({ cmd: 'publish', topic: packet.topic, payload: packet.payload, qos: 0, retain: false, dup: false });
        if (packet.retain)
          this.keep(packet.topic, String(packet.payload));
        break;
      case 'subscribe':
        peer.post({ cmd: 'suback', messageId: packet.messageId!, granted: packet.subscriptions.map(({ qos }) => qos) });
        for (const { topic } of packet.subscriptions) {
          this.filters.add(topic);
          for (const [name, payload] of this.retained)
            if (matches(topic, name))
              peer.post({ cmd: 'publish', topic: name, payload, qos: 0, retain: true, dup: false });
        }
        break;
      case 'unsubscribe':
        packet.unsubscriptions.forEach(topic => this.filters.delete(topic));
        peer.post({ cmd: 'unsuback', messageId: packet.messageId!, granted: [] });
        break;
      case 'pingreq':
        peer.post({ cmd: 'pingresp' });
    }
  };

  /** Starts a gateway, for the first time or again, in this configuration. */
  start(configuration: PartialConfiguration, options: WorldOptions = {}): World {
    const life = { ...options, configuration: { topic: [{ pattern: '#' }], ...configuration },
      openStorage: (_store: unknown, arena: ConstructorParameters<typeof SimulatedFlash>[0]) =>
        new SimulatedFlash(arena, this.medium) };
    if (this.world === undefined)
      this.world = new World({ ...life, server: this.serve });
    else
      this.world.begin(life);
    this.world.runtime.start();
    this.world.until(() => this.world.isConnected);
    return this.settle();
  }

  /** The time in which everything is announced. */
  settle(milliseconds = 8000): World {
    this.world.run(milliseconds);
    return this.world;
  }

  cutPower(): void {
    this.world.cutPower();
    this.world.run(100);
  }

  /** It starts anew, without anything that it had. */
  forget(): void {
    this.retained.clear();
    this.filters.clear();
    this.hasSession = false;
    this.world.uplink.close();
    this.world.until(() => !this.world.isConnected);
    this.world.until(() => this.world.isConnected);
  }

  /** Somebody else publishes: it reaches the gateway if that has subscribed to it. */
  say(topic: string, payload: string, retain = false): void {
    if (retain)
      this.keep(topic, payload);
    if ([...this.filters].some(filter => matches(filter, topic)))
      this.world.uplink.post({ cmd: 'publish', topic, payload, qos: 0, retain: false, dup: false });
  }

  /** The devices that Home Assistant knows of, by identifier. */
  get devices(): Record<string, Json> {
    return Object.fromEntries([...this.retained].flatMap(([topic, payload]) => {
      const identifier = /^homeassistant\/device\/([A-Za-z0-9_-]+)\/config$/.exec(topic)?.[1];
      return identifier === undefined ? [] : [[identifier, JSON.parse(payload) as Json]];
    }));
  }

  get names(): string[] {
    return Object.keys(this.devices).sort();
  }

  private keep(topic: string, payload: string): void {
    if (payload === '')
      this.retained.delete(topic);
    else
      this.retained.set(topic, payload);
  }
}
