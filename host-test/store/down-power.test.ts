/**
 * The power fails at every single step of what goes down: commands of the Server to nodes that are there, slow, or
 * away. What was acknowledged to the Server arrives, QoS 2 once, in order, and a session that was confirmed is there
 * again.
 */
import { describe, expect, it } from 'vitest';
import type { PartialConfiguration } from '../../src/config/configuration.ts';
import { seeded } from '../session/pair.ts';
import { CommandServer, ListeningNode } from '../simulation/command-models.ts';
import { FlashMedium } from '../simulation/simulated-flash.ts';
import { StoreWorld, TINY } from '../simulation/store-world.ts';

/** Another campaign: POWER_SEED=7 npx vitest run host-test/store/down-power.test.ts. */
const SEED = Number(process.env['POWER_SEED'] ?? 0);

/** Every so many steps; POWER_STRIDE=1 for all of them. */
const STRIDE = Number(process.env['POWER_STRIDE'] ?? 11);

const CONFIGURATION: PartialConfiguration = {
  ...TINY,
  listener: { ...TINY.listener, max_queued_bytes: 2048, max_inflight_messages: 3 },
  topic: [...TINY.topic!, { pattern: 'cmd/#', direction: 'in', qos: 2 }],
};

interface Scene {
  readonly medium: FlashMedium;
  readonly server: CommandServer;
  readonly nodes: readonly [ListeningNode, ListeningNode];
  /** Of a file parts of what was written are there after a cut, in any order: of what nobody had an answer for. */
  readonly unordered: Set<number>;
}

function newScene(): Scene {
  const server = new CommandServer();
  const nodes = [new ListeningNode('valve', 'cmd/#', 2), new ListeningNode('lamp', 'cmd/+/a', 1)] as const;
  nodes[0].server = server;
  return { medium: new FlashMedium(512, 24), server, nodes, unordered: new Set() };
}

type Workload = (world: StoreWorld, scene: Scene, random: () => number) => void;

function command(world: StoreWorld, { server }: Scene, qos: number): void {
  const number = server.commands.length;
  world.fromServer(server.command(`cmd/${number % 2}/a`, `${number}`, qos));
}

const WORKLOADS: Record<string, Workload> = {
  'the node is there'(world, scene, random) {
    world.connectUpstream();
    world.connectNode(0);
    for (let round = 0; round < 10; ++round) {
      command(world, scene, 1 + Math.floor(random() * 2));
      if (round % 3 !== 0)
        world.settle();
    }
  },
  'the node is away'(world, scene, random) {
    world.connectUpstream();
    world.connectNode(0);
    world.cutNode(0);
    for (let round = 0; round < 8; ++round) {
      command(world, scene, 1 + Math.floor(random() * 2));
      world.settle();
    }
    world.connectNode(0);
  },
  'two nodes come and go, and the upstream connection too'(world, scene, random) {
    for (let round = 0; round < 10; ++round) {
      world.connectUpstream();
      world.connectNode(round & 1);
      command(world, scene, 2);
      command(world, scene, 1 + Math.floor(random() * 2));
      if (round % 4 === 1)
        world.cutUpstream();
      world.settle();
      if (round % 3 === 0)
        world.cutNode(round & 1);
      if (round % 5 === 3)
        world.send(round & 1, [`up/${round}`, `${round}`, 2]);
      world.settle();
    }
  },
  'both directions at once, with a node that is taken over'(world, scene) {
    world.connectUpstream();
    world.connectNode(0);
    world.connectNode(1);
    for (let round = 0; round < 8; ++round) {
      command(world, scene, 2);
      world.send(round & 1, [`state/${round}`, `${round}`, 1 + (round >> 1 & 1)], [`cmd/0/a`, `peer${round}`, 2]);
      if (round % 3 === 2)
        world.forgetWire(0); // it has not noticed that its node comes again
      world.connectNode(0);
      world.settle();
    }
  },
};

/** Runs the workload until the power fails, and then as many lives as it takes. @returns whether the power failed */
function run(scene: Scene, workload: Workload, cutAt: number, isCached: boolean, secondCut: number): boolean {
  const tearing = seeded(cutAt + SEED * 100_003);
  const isTearing = isCached && cutAt % 2 === 1;
  const options = { random: tearing, isCached, isTearing };
  const first = new StoreWorld(scene.medium, scene.server, scene.nodes, { cutAt, ...options }, CONFIGURATION);
  workload(first, scene, seeded(3 + SEED));
  if (first.hasPower)
    first.finish();
  const hasFailed = !first.hasPower;
  if (hasFailed) {
    if (cutAt % 3 !== 0)
      first.arriveLate();
    if (isCached)
      for (const [number, { isTaken }] of scene.server.commands.entries())
        if (!isTaken)
          scene.unordered.add(number);
    if (secondCut > 0) {
      const cut = scene.medium.stepCount + secondCut;
      new StoreWorld(scene.medium, scene.server, scene.nodes, { cutAt: cut, ...options }, CONFIGURATION).finish();
    }
    const last = new StoreWorld(scene.medium, scene.server, scene.nodes, {}, CONFIGURATION);
    last.finish();
    last.finish();
  }
  return hasFailed;
}

function judge({ nodes, server, unordered }: Scene, name: string): void {
  for (const [index, node] of nodes.entries()) {
    if (node.sessions.length === 0)
      continue;
    expect(node.lostSessions, `${name}: sessions that ${node.name} relied on`).toBe(0);
    const isForIt = ({ topic }: { topic: string }): boolean => index === 0 || /^cmd\/.\/a$/.test(topic);
    const counts = new Map<string, number>();
    for (const payload of node.got)
      counts.set(payload, (counts.get(payload) ?? 0) + 1);
    for (const { payload, qos } of server.commands.filter(isForIt))
      if (index === 0 && qos === 2)
        expect(counts.get(payload) ?? 0, `${name}: ${node.name} got ${payload}`).toBeLessThanOrEqual(1);
    const firsts = [...counts.keys()].filter(payload => /^\d+$/.test(payload)).map(Number);
    for (const qos of [1, 2]) {
      const order = firsts.filter(number => server.commands[number]!.qos === qos && !unordered.has(number));
      expect(order, `${name}: order at ${node.name}`).toEqual([...order].sort((left, right) => left - right));
    }
  }
}

/** Commands that were acknowledged when node 0 had its subscription confirmed: they must arrive. */
function judgeTaken({ nodes: [node], server }: Scene, since: number, name: string): void {
  const got = new Set(node.got);
  for (const [number, { isTaken, payload }] of server.commands.entries())
    if (isTaken && number >= since)
      expect(got.has(payload), `${name}: command ${number} was acknowledged`).toBe(true);
}

describe.each(Object.entries(WORKLOADS))('when %s', (_name, workload) => {
  it.each([[false, 0], [true, 0], [false, 23], [true, 31]] as const)(
    'a power cut at any step loses no command and repeats none of QoS 2 (cached: %s, second cut after %i steps)',
    (isCached, secondCut) => {
      for (let cutAt = 1, isRunning = true; isRunning; cutAt += STRIDE) {
        const scene = newScene();
        isRunning = run(scene, workload, cutAt, isCached, secondCut);
        const name = `cut at ${cutAt}`;
        judge(scene, name);
        if (scene.nodes[0].isSubscribed && scene.nodes[0].firstCommand !== undefined)
          judgeTaken(scene, scene.nodes[0].firstCommand, name);
        if (!isRunning)
          expect(scene.nodes[0].got.length, 'commands that arrive without a power cut').toBeGreaterThan(7);
      }
    }, 300_000);
});
