/** Whose messages wait because the Server closes the connection for them, over starts and reloads. In virtual time. */
import { expect, it } from 'vitest';
import { completeConfiguration } from '../../src/config/complete-configuration.ts';
import { withReloadRoom } from '../../src/config/reload-room.ts';
import { planReload, reloadRuntime } from '../../src/io/reload.ts';
import { FlashMedium, SimulatedFlash } from '../simulation/simulated-flash.ts';
import { PEER } from '../simulation/simulated-network.ts';
import { publish } from '../world/packets.ts';
import { oblige, type Peer, SERVER, World, type WorldOptions } from '../world/world.ts';

const SECOND = 1000;

/** A gateway with a log, and a Server that closes for topics with "bad" as long as it is told so. */
function start(): Stage {
  const medium = new FlashMedium(4096, 64);
  const life: WorldOptions = {
    openStorage: (_settings, arena) => new SimulatedFlash(arena, medium),
    configuration: { topic: [{ pattern: '#', direction: 'out', qos: 1, remote_prefix: 'up/' }],
      upstream: { address: [`mqtt://${SERVER}`], restart_timeout: [1, 2] }, listener: { allow_anonymous: true },
      store: { durability: 'flash', size: 262_144 } },
  };
  const layout = withReloadRoom(completeConfiguration(life.configuration!));
  const stage: Stage = { taken: [], isLenient: false, life: { ...life, layout }, world: undefined! };
  stage.world = World.connected({ board: PEER, ...stage.life, server: (peer, packet) => {
    if (packet.cmd === 'publish' && packet.topic.includes('bad') && !stage.isLenient) {
      peer.close();
      return;
    }
    if (packet.cmd === 'publish')
      stage.taken.push(packet.topic.replace('up/', ''));
    oblige(peer, packet);
  } });
  return stage;
}

interface Stage {
  world: World;
  readonly life: WorldOptions;
  /** Topics that the Server has taken. */
  readonly taken: string[];
  isLenient: boolean;
}

function say(node: Peer, topic: string): void {
  node.post(publish(topic, 'x', { qos: 1, identifier: node.nextIdentifier++ }));
}

/** A message of the rogue is set aside, and another one waits. */
function convict({ world }: Stage): void {
  const rogue = world.node('rogue');
  say(rogue, 'bad/1');
  world.until(() => world.gateway.bridge.guard.quarantine.count === 1, 60 * SECOND);
  say(rogue, 'bad/2');
  world.run(SECOND);
}

function restart({ life, world }: Stage): void {
  world.cutPower();
  world.run(SECOND);
  world.begin(life);
  world.runtime.start();
  world.until(() => world.isConnected);
}

/** @returns in how many of so many seconds a message of somebody else arrived */
function talk({ taken, world }: Stage, seconds: number): number {
  const other = world.node(`other${world.clock.time}`);
  let count = 0;
  for (let second = 0; second < seconds; ++second) {
    const before = taken.length;
    say(other, `good/${second}`);
    world.run(SECOND);
    count += taken.length > before ? 1 : 0;
  }
  return count;
}

it('whoever has a message in the quarantine waits from the start, so that others go on at once', () => {
  const stage = start();
  convict(stage);
  const { world } = stage;
  restart(stage);
  world.forget();
  expect([talk(stage, 14), world.upstreamEndings.length]).toEqual([14, 0]);
  talk(stage, 100);
  expect(world.gateway.bridge.guard.quarantine.count).toBe(2);
});

it('after the start its messages arrive in order, when the Server takes them', () => {
  const stage = start();
  convict(stage);
  const { taken, world } = stage;
  restart(stage);
  stage.isLenient = true;
  const rogue = world.node('rogue');
  ['bad/3', 'bad/4'].forEach(topic => { say(rogue, topic); });
  expect(talk(stage, 40)).toBe(40);
  expect(taken.filter(topic => topic.startsWith('bad'))).toEqual(['bad/2', 'bad/3', 'bad/4']);
  say(rogue, 'bad/5');
  world.run(100);
  expect(taken).toContain('bad/5');
});

it('whoever has a message in the quarantine waits after a reload with other rules as well', () => {
  const stage = start();
  convict(stage);
  const { life, world } = stage;
  world.forget();
  const { configuration, plans } = world.gateway;
  const { topic } = completeConfiguration({ topic: [{ pattern: 'other/#', direction: 'out' },
    ...life.configuration!.topic!] });
  reloadRuntime(world.runtime, planReload(configuration, plans!.layout, { ...configuration, topic }),
    { authenticator: undefined, changedPasswords: new Set() });
  expect([talk(stage, 14), world.upstreamEndings.length]).toEqual([14, 0]);
  talk(stage, 100);
  expect(world.gateway.bridge.guard.quarantine.count).toBe(2);
});

it('retained state that the Server closes for, told again to one without a session, stops nobody, and nobody is blamed', () => {
  const stage = start();
  const { world } = stage;
  const rogue = world.node('rogue');
  for (let index = 0; index < 10; ++index)
    rogue.post(publish(`bad/${index}`, 'x', { qos: 1, retain: true, identifier: rogue.nextIdentifier++ }));
  talk(stage, 60);
  world.uplink.close(); // a Server that has no session
  world.run(100);
  world.until(() => world.isConnected);
  world.forget();
  expect([talk(stage, 14), world.upstreamEndings.length]).toEqual([14, 0]);
  talk(stage, 200);
  const { quarantine } = world.gateway.bridge.guard;
  const origins = Array.from({ length: quarantine.count }, (_, index) => quarantine.read(index).origin);
  expect(new Set(origins.filter(origin => origin !== 0)).size).toBe(1);
});
