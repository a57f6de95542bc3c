/**
 * What client libraries of other people see of the gateway is what they see of Mosquitto, in the same play, in the same
 * run. No play says what must come out: Mosquitto does.
 */
import { afterAll, beforeAll, describe, expect } from 'vitest';
import { interop, MOSQUITTO, requirePrograms } from './cast.ts';
import { compile, gatewayHouse, type House, LIBRARIES, mosquittoHouse, Stage } from './library-stage.ts';
import { Scene } from './program.ts';

/** What the parts saw, in an order that does not depend on the network. */
type Play = (stage: Stage) => Promise<readonly string[]>;

const QOS = [0, 1, 2] as const;
const BURST = Array.from({ length: 200 }, (_, index) => index);

/** Publishes to itself and to a peer, and hears from it. */
const withQoS = (qos: 0 | 1 | 2): Play => async stage => {
  const peer = await stage.peer('up/#');
  const node = stage.node();
  const said = [await node.connect(), await node.subscribe('#', qos), await node.publish('up/own', 'x'.repeat(300), qos)];
  const echo = await node.messages(1);
  await peer.publish('down/a', 'to-the-node', qos);
  return [...said, ...echo, ...await node.messages(2), ...await peer.messages(1), await node.disconnect()];
};

/** Needs a house of its own. */
const RESTART = 'notices a restart, and connects anew';

const PLAYS: Readonly<Record<string, Play>> = {
  'publishes and receives with QoS 0': withQoS(0),
  'publishes and receives with QoS 1': withQoS(1),
  'publishes and receives with QoS 2': withQoS(2),

  'receives with the QoS that it has subscribed with, until it unsubscribes': async stage => {
    const peer = await stage.peer();
    const node = stage.node();
    const said = [await node.connect(), await node.subscribe('low/+', 0), await node.subscribe('high/#', 1)];
    for (const qos of QOS) {
      await peer.publish('low/a', String(qos), qos);
      await peer.publish('high/a/b', String(qos), qos);
    }
    const first = await node.messages(6);
    said.push(await node.unsubscribe('low/+'));
    await peer.publish('low/a', 'unheard', 1);
    await peer.publish('high/end', 'end', 1);
    return [...said, ...first, ...(await node.messages(7)).slice(6)];
  },

  'gets retained messages, makes and removes them': async stage => {
    const peer = await stage.peer('made/#');
    await peer.publish('kept/a', 'old', 1, true);
    const node = stage.node();
    const said = [await node.connect(), await node.subscribe('kept/#', 2)];
    await node.messages(1);
    await peer.publish('kept/a', 'new', 2, true);
    const got = await node.messages(2);
    said.push(await node.publish('made/b', 'mine', 1, true), await node.publish('made/c', 'gone', 1, true),
      await node.publish('made/c', '-', 1, true));
    const late = stage.node('late');
    said.push(await late.connect(), await late.subscribe('made/#', 1));
    return [...said, ...got, ...await peer.messages(3), ...await late.messages(1)];
  },

  'has a Will, published when it vanishes, and retained': async stage => {
    const peer = await stage.peer('state/#');
    const node = stage.node();
    const said = [await node.connect({ will: { topic: 'state/node', qos: 1, retain: true } })];
    node.vanish();
    await peer.messages(1);
    const late = stage.node('late');
    said.push(await late.connect(), await late.subscribe('state/#', 2));
    return [...said, ...await peer.messages(1), ...await late.messages(1)];
  },

  'has no Will after DISCONNECT': async stage => {
    const peer = await stage.peer('state/#');
    const node = stage.node();
    const said = [await node.connect({ will: { topic: 'state/node', qos: 1 } }), await node.disconnect()];
    await peer.publish('state/end', 'end', 1);
    return [...said, ...await peer.messages(1)];
  },

  'stays connected with a short Keep Alive': async stage => {
    const node = stage.node();
    const keepAlive = Math.max(2, stage.library.shortestKeepAlive);
    const said = [await node.connect({ keepAlive })];
    await new Promise(resolve => setTimeout(resolve, keepAlive * 1500 + 2000)); // and a half, and what is granted
    return [...said, await node.publish('a', 'still-here', 1), await node.disconnect(), ...node.program.lines.filter(line => line === 'lost')];
  },

  [RESTART]: async stage => {
    const node = stage.node();
    const said = [await node.connect({ clean: false }), await node.subscribe('a', 1)];
    await stage.restart();
    said.push(await node.lost(), await node.connect({ clean: false }), await node.subscribe('a', 1), await node.publish('a', 'again', 1));
    return [...said, ...await node.messages(1)];
  },

  'finds its session and what has waited for it': async stage => {
    const peer = await stage.peer();
    const node = stage.node();
    const said = [await node.connect({ clean: false }), await node.subscribe('wait/#', 2), await node.disconnect()];
    for (const qos of [1, 2, 1] as const)
      await peer.publish(`wait/${qos}`, `while-away-${qos}`, qos);
    said.push(await node.connect({ clean: false }));
    return [...said, ...[...await node.messages(3)].sort()];
  },

  'ends its session with a clean one': async stage => {
    const peer = await stage.peer();
    const node = stage.node();
    const said = [await node.connect({ clean: false }), await node.subscribe('wait/#', 1), await node.disconnect()];
    await peer.publish('wait/a', 'nobody-waits', 1);
    said.push(await node.connect({ clean: true }), await node.disconnect(), await node.connect({ clean: false }),
      await node.subscribe('end', 1), await node.publish('end', 'end', 1));
    return [...said, ...await node.messages(1)];
  },

  'is given up when it stands still, and its Will is published': async stage => {
    const peer = await stage.peer('state/#');
    const node = stage.node();
    const said = [await node.connect({ keepAlive: stage.library.shortestKeepAlive, will: { topic: 'state/node', qos: 2 } })];
    node.program.kill('SIGSTOP');
    const heard = await peer.messages(1);
    node.program.kill('SIGCONT');
    return [...said, ...heard, await node.lost()];
  },

  'gets through a slow network': async stage => {
    const port = await stage.slowNetwork();
    const node = stage.node();
    const said = [await node.connect({ port }), await node.subscribe('slow/#', 2), await node.publish('slow/a', 'x'.repeat(500), 2)];
    return [...said, ...await node.messages(1), await node.disconnect()];
  },

  'gets a burst of 200 messages in order, its own and those of another': async stage => {
    const peer = await stage.peer('up');
    const node = stage.node();
    const said = [await node.connect(), await node.subscribe('down', 1)];
    await Promise.all(BURST.map(number => peer.publish('down', String(number), 1)));
    const got = await node.messages(BURST.length);
    for (const number of BURST)
      node.send('up', String(number), 1);
    return [...said, ...got, ...await peer.messages(BURST.length)];
  },

  'loses its connection to another one of the same identifier': async stage => {
    const [first, second] = [stage.node(), stage.node()];
    const said = [await first.connect(), await second.connect(), await first.lost()];
    return [...said, await second.publish('a', 'mine-now', 1)];
  },

  'is refused with a wrong password, and accepted with the right one': async stage => {
    const node = stage.node();
    // Mosquitto says 5, not authorized; 3.1.1 has a code of its own for this, 4.
    return [(await node.connect({ password: 'wrong' })).replace(/ [45]$/, ''), await node.connect()];
  },
};

const HOUSES = [gatewayHouse, mosquittoHouse];
let shared: Scene;
let houses: House[];

beforeAll(async () => {
  requirePrograms({ ...MOSQUITTO, gcc: 'gcc' });
  LIBRARIES.forEach(compile);
  shared = await Scene.open();
  houses = await Promise.all(HOUSES.map(open => open(shared)));
}, 60_000);
afterAll(() => shared.end());

describe.each(LIBRARIES)('$name', library => {
  for (const [index, [name, play]] of Object.entries(PLAYS).entries())
    interop(name, async scene => {
      const places = name === RESTART ? await Promise.all(HOUSES.map(open => open(scene))) : houses;
      const [onGateway, onMosquitto] = await Promise.all(places.map(house =>
        play(new Stage(scene, library, house, `${library.name.replace(/\W/g, '')}${index}`))));
      expect(onGateway).toEqual(onMosquitto);
    });
});
