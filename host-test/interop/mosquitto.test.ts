/**
 * Messages between real Mosquitto clients at the listener and a real Mosquitto broker upstream, in every version and
 * QoS.
 */
import { beforeAll, describe, expect } from 'vitest';
import { Broker, Gateway, interop, MOSQUITTO, optionOf, publish, requirePrograms, Subscriber, VERSIONS } from './cast.ts';

const QOS = ['0', '1', '2'] as const;

beforeAll(() => requirePrograms(MOSQUITTO));

describe.each(VERSIONS)('a gateway that speaks %s to the broker', version => {
  interop('takes messages from nodes to the broker, and commands back, with each version and QoS', async scene => {
    const broker = await Broker.start(scene);
    const gateway =
      await Gateway.start(scene, { upstream: { address: [broker.address], bridge_protocol_version: version } });
    await broker.bridged();
    const atBroker = await Subscriber.start(scene, broker.port, 'site/greenhouse/reading/#');
    const everything = await Subscriber.start(scene, broker.port, '#', '-i', 'everything');
    const nodes =
      await Promise.all(VERSIONS.map(nodeVersion =>
        Subscriber.start(scene, gateway.port, 'command/#', '-V', optionOf(nodeVersion))));

    await Promise.all(VERSIONS.flatMap(nodeVersion => QOS.map(async qos => {
      await publish(scene, gateway.port, `reading/${nodeVersion}/${qos}`, `from ${nodeVersion}`, '-V', optionOf(nodeVersion),
        '-q', qos);
      await atBroker.message(`${qos} 0 site/greenhouse/reading/${nodeVersion}/${qos} from ${nodeVersion}`);
      await publish(scene, broker.port, `site/greenhouse/command/${nodeVersion}/${qos}`, 'open', '-V', optionOf(nodeVersion),
        '-q', qos);
      await Promise.all(nodes.map(node => node.message(`${qos} 0 command/${nodeVersion}/${qos} open`)));
    })));

    // What no rule names stays here; the last message shows that it has had its chance.
    await publish(scene, gateway.port, 'private', 'not for the broker', '-q', '1');
    await publish(scene, gateway.port, 'reading/last', 'done', '-q', '1');
    await Promise.all([everything, atBroker].map(subscriber =>
      subscriber.message('1 0 site/greenhouse/reading/last done')));
    expect(everything.messages.filter(message => message.includes('private'))).toEqual([]);
    expect(atBroker.messages.length).toBe(VERSIONS.length * QOS.length + 1); // none twice
    for (const node of nodes)
      expect(node.messages.length).toBe(VERSIONS.length * QOS.length);
    expect(broker.program.count(new RegExp(`New client connected from .* as greenhouse \\(p${version === 'mqttv31' ? 1 : version === 'mqttv50' ? 5 : 2}, c0, k60\\)`))).toBe(1);
  });

  interop('keeps the retained state of a topic on both sides, and deletes it', async scene => {
    const broker = await Broker.start(scene);
    await publish(scene, broker.port, 'site/greenhouse/command/mode', 'winter', '-r', '-q', '1');
    const gateway =
      await Gateway.start(scene, { upstream: { address: [broker.address], bridge_protocol_version: version } });
    await broker.bridged();
    await broker.program.line(/Sending PUBLISH to greenhouse .*command\/mode/);
    await publish(scene, gateway.port, 'reading/door', 'shut', '-r', '-q', '1', '-V', optionOf(version));

    const node = await Subscriber.start(scene, gateway.port, '#', '-V', optionOf(version));
    await node.message('1 1 command/mode winter');
    await node.message('1 1 reading/door shut');
    // A node's PUBACK does not wait for the broker, whose subscriber would else see the message pass, with RETAIN 0.
    await broker.program.line(/Received PUBLISH from greenhouse .*reading\/door/);
    const atBroker = await Subscriber.start(scene, broker.port, 'site/greenhouse/reading/#', '-V', optionOf(version));
    await atBroker.message('1 1 site/greenhouse/reading/door shut');

    await publish(scene, gateway.port, 'reading/door', '', '-r', '-q', '1', '-V', optionOf(version));
    await atBroker.message('1 0 site/greenhouse/reading/door ');
    await publish(scene, gateway.port, 'reading/marker', 'kept', '-r', '-q', '1', '-V', optionOf(version));
    await atBroker.message('1 0 site/greenhouse/reading/marker kept');
    for (const late of [await Subscriber.start(scene, gateway.port, 'reading/#'),
      await Subscriber.start(scene, broker.port, '+/+/reading/#')]) {
      await late.program.line(/^MESSAGE 1 1 .*reading\/marker kept$/);
      expect(late.messages.length).toBe(1);
    }
  });

  interop('publishes the Will of a node that is killed, and none of a node that says goodbye', async scene => {
    const nodeVersion = version === 'mqttv50' ? 'mqttv311' : version; // mosquitto_sub of 5.0 asks for its Will (0x04)
    const broker = await Broker.start(scene);
    const gateway =
      await Gateway.start(scene, { upstream: { address: [broker.address], bridge_protocol_version: version } });
    await gateway.connected();
    const atBroker = await Subscriber.start(scene, broker.port, 'site/#');
    const [polite, killed] =
      await Promise.all(['polite', 'killed'].map(name =>
        Subscriber.start(scene, gateway.port, 'command/#', '-V', nodeVersion,
      '-i', name, '--will-topic', `reading/${name}`, '--will-payload', 'gone', '--will-qos', '1', '--will-retain')));
    await polite!.program.stop('SIGINT');
    await gateway.program.line(/node "polite" .*is gone: normal disconnection/);
    await killed!.program.stop('SIGKILL');
    await atBroker.message('1 0 site/greenhouse/reading/killed gone');
    expect(atBroker.messages.length).toBe(1);
    await gateway.program.line(/published the Will of node "killed"/);
    // Its Will was to be retained, here and there.
    await (await Subscriber.start(scene, gateway.port, 'reading/+', '-V', nodeVersion)).message('1 1 reading/killed gone');
  });

  interop('says at the broker whether it is there: online when it is, offline when it is stopped or killed', async scene => {
    const broker = await Broker.start(scene);
    const atBroker = await Subscriber.start(scene, broker.port, 'site/#');
    const will = { topic: 'site/greenhouse/status', payload: 'offline', qos: 1, retain: true };
    const upstream = { address: [broker.address], bridge_protocol_version: version, will };
    const sensors = [{ name: 'air', type: 'simulated', topic: 'reading/air', interval: 60, expire_after: 100 }];
    const here = ['1 0 site/greenhouse/status online', '2 0 site/greenhouse/reading/air/availability online'];
    const gone = ['1 0 site/greenhouse/status offline', '2 0 site/greenhouse/reading/air/availability offline'];
    const all = (messages: string[]): Promise<unknown> => Promise.all(messages.map(text => atBroker.message(text)));
    const states = (): string[] => atBroker.messages.filter(text => /line$/.test(text)).sort();
    const first = await Gateway.start(scene, { upstream, sensors });
    await all(here);
    expect(await first.program.stop('SIGTERM')).toEqual({ code: 0, signal: null });
    await broker.program.line(/Client greenhouse disconnected\.$/);
    await all(gone);
    expect(states()).toEqual([...here, ...gone].sort());

    const from = atBroker.program.mark;
    const second = await Gateway.start(scene, { upstream, sensors });
    await atBroker.program.line(/status online$/, from);
    await (await Subscriber.start(scene, broker.port, 'site/greenhouse/status'))
      .message('1 1 site/greenhouse/status online');
    await second.program.stop('SIGKILL');
    await atBroker.program.line(/status offline$/, from);
    await (await Subscriber.start(scene, broker.port, 'site/greenhouse/status'))
      .message('1 1 site/greenhouse/status offline');
  });
});

interop('brings nodes together while there is no broker', async scene => {
  const broker = await Broker.prepare(scene); // never started
  const gateway = await Gateway.start(scene, { upstream: { address: [broker.address] } });
  const node = await Subscriber.start(scene, gateway.port, 'reading/+', '-V', 'mqttv31');
  for (const qos of QOS) {
    await publish(scene, gateway.port, `reading/${qos}`, 'here', '-q', qos);
    await node.message(`${qos} 0 reading/${qos} here`);
  }
});

interop('hands over with the lower QoS of message and subscription', async scene => {
  const broker = await Broker.start(scene);
  const gateway = await Gateway.start(scene, {
    upstream: { address: [broker.address] },
    topic: [
      { pattern: 'reading/#', direction: 'out', qos: 1, remote_prefix: 'site/greenhouse/' },
      { pattern: 'command/#', direction: 'in', qos: 1, remote_prefix: 'site/greenhouse/' },
    ],
  });
  await broker.bridged();
  const atBroker = await Subscriber.start(scene, broker.port, 'site/greenhouse/reading/#');
  const node = await Subscriber.start(scene, gateway.port, 'command/#');
  const modest = await Subscriber.start(scene, gateway.port, 'command/#', '-q', '0');
  await publish(scene, gateway.port, 'reading/a', 'A', '-q', '2');
  await atBroker.message('1 0 site/greenhouse/reading/a A');
  await publish(scene, broker.port, 'site/greenhouse/command/b', 'B', '-q', '2');
  await node.message('1 0 command/b B');
  await modest.message('0 0 command/b B');
});

interop('subscribes for every rule of direction in, one after the other, and maps each topic', async scene => {
  const broker = await Broker.start(scene);
  const names = ['one', 'two', 'three', 'four', 'five'];
  const gateway = await Gateway.start(scene, {
    upstream: { address: [broker.address] },
    topic: names.map(name =>
      ({ pattern: '+/state', direction: 'in' as const, qos: 1, remote_prefix: `${name}/`,
        local_prefix: `from-${name}/` })),
  });
  await broker.bridged(0, names.length);
  const node = await Subscriber.start(scene, gateway.port, '#');
  for (const name of names) {
    await publish(scene, broker.port, `${name}/door/state`, name, '-q', '1');
    await node.message(`1 0 from-${name}/door/state ${name}`);
  }
});

interop('keeps for a node what comes while it is away, if it asked for that', async scene => {
  const broker = await Broker.start(scene);
  const gateway = await Gateway.start(scene, { upstream: { address: [broker.address] } });
  await broker.bridged();
  const session = ['-i', 'sleeper', '-c', '-q', '1'];
  const awake = await Subscriber.start(scene, gateway.port, 'command/#', ...session);
  await awake.program.stop('SIGKILL');
  await gateway.program.line(/node "sleeper".* is gone/);
  for (const number of ['1', '2', '3'])
    await publish(scene, broker.port, 'site/greenhouse/command/step', number, '-q', '1');
  await broker.program.line(/Received PUBACK from greenhouse \(Mid: 3/);
  const again = await Subscriber.start(scene, gateway.port, 'command/#', ...session);
  await again.message('1 0 command/step 3');
  expect(again.messages).toEqual(['1', '2', '3'].map(number => `1 0 command/step ${number}`));
});

interop('carries payloads and topics of any length up to the limit, and any byte', async scene => {
  const broker = await Broker.start(scene);
  const gateway = await Gateway.start(scene, { upstream: { address: [broker.address] } });
  await broker.bridged();
  const atBroker = await Subscriber.start(scene, broker.port, 'site/#');
  const long = 'x'.repeat(2000);
  await publish(scene, gateway.port, 'reading/long', long, '-q', '1');
  await atBroker.message(`1 0 site/greenhouse/reading/long ${long}`);
  await publish(scene, gateway.port, 'reading/äöü/日本/😀', '°C é', '-q', '2');
  await atBroker.message('2 0 site/greenhouse/reading/äöü/日本/😀 °C é');
});
