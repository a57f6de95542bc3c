/**
 * Users, rights, mount points, limits and take-over, as clients of other people see them: Mosquitto's, MQTT.js and
 * Paho C, in both versions.
 */
import { connect, type IClientOptions, type MqttClient } from 'mqtt';
import { beforeAll, describe, expect, vi } from 'vitest';
import { freePort, Gateway, interop, MOSQUITTO, publish, requirePrograms, Subscriber } from './cast.ts';
import { PATIENCE, patiently, type Scene } from './program.ts';

beforeAll(() =>
  requirePrograms({ ...MOSQUITTO, paho_c_pub: 'paho.mqtt.c-examples', paho_c_sub: 'paho.mqtt.c-examples' }));

const VERSIONS = [
  { name: '3.1', mosquitto: 'mqttv31', paho: '31', js: { protocolVersion: 3, protocolId: 'MQIsdp' } },
  { name: '3.1.1', mosquitto: 'mqttv311', paho: '311', js: { protocolVersion: 4 } },
] as const;

const ROOT = { username: 'root', password: 'root-secret' };
const ANNA = { username: 'anna', password: 'anna-secret' };
const MONA = { username: 'mona', password: 'mona-secret' };

const asUser = ({ password, username }: typeof ROOT): string[] => ['-u', username, '-P', password];

/** Nobody is upstream: a listener must do without. */
const start = async (scene: Scene, listener: object = {}): Promise<Gateway> => Gateway.start(scene, {
  upstream: { address: [`mqtt://127.0.0.1:${await freePort()}`], restart_timeout: [600, 600] },
  topic: [],
  listener: {
    allow_anonymous: false,
    users: [ROOT, ANNA, { ...MONA, mount_point: 'site/%u/' }],
    acl: [
      { user: 'root', topic: '#' }, { user: 'root', topic: '$SYS/#', access: 'read' },
      { user: 'anna', topic: 'reading/%c/#', access: 'write' }, { user: 'anna', topic: 'command/#', access: 'read' },
      { user: 'anna', topic: 'command/secret/#', access: 'deny' }, { user: 'mona', topic: 'site/%u/#' },
    ],
    ...listener,
  },
});

/** MQTT.js. @returns the client, or the code with which it was refused */
function join(scene: Scene, port: number, options: IClientOptions): Promise<MqttClient | number> {
  const client = connect({ host: '127.0.0.1', port, reconnectPeriod: 0, ...options });
  scene.finally(() => client.end(true));
  return patiently('CONNACK', new Promise(resolve => {
    client.once('connect', () => resolve(client)).once('error', error => resolve((error as { code?: number }).code!));
  }));
}

async function mustJoin(scene: Scene, port: number, options: IClientOptions): Promise<MqttClient> {
  const client = await join(scene, port, options);
  if (typeof client === 'number')
    throw new Error(`refused with code ${client}`);
  return client;
}

const watch = (scene: Scene, gateway: Gateway, ...args: string[]): Promise<Subscriber> =>
  Subscriber.start(scene, gateway.port, '#', ...asUser(ROOT), '-i', 'watcher', ...args);

describe.each(VERSIONS)('with MQTT $name', ({ js, mosquitto, paho }) => {
  const V = ['-V', mosquitto];

  interop('only users with their passwords get in, and nobody learns which of the two was wrong', async scene => {
    const gateway = await start(scene);
    const attempt = async (...args: string[]): Promise<string> => {
      const program =
        scene.start('mosquitto_pub', 'mosquitto_pub', '-h', '127.0.0.1', '-p', String(gateway.port), '-t',
          'reading/x/y', '-m', 'm', ...V, ...args);
      const { code } = await program.exit();
      return code === 0 ? 'in' : program.lines.join();
    };
    expect(await attempt(...asUser(ANNA))).toBe('in');
    const wrong = await attempt(...asUser({ ...ANNA, password: 'x' }));
    expect(wrong).toMatch(/bad user name or password/);
    expect(await attempt(...asUser({ username: 'nobody', password: 'x' }))).toBe(wrong);
    expect(await attempt()).toMatch(/not authorised/);

    expect(typeof await join(scene, gateway.port, { ...js, ...ANNA, clientId: 'a' })).toBe('object');
    expect(await join(scene, gateway.port, { ...js, ...ANNA, password: 'x', clientId: 'b' })).toBe(4);
    expect(await join(scene, gateway.port, { ...js, clientId: 'c' })).toBe(5);

    const pahoAs = (user: typeof ANNA) =>
      scene.start('paho_c_pub', 'stdbuf', '-oL', 'paho_c_pub', '-h', '127.0.0.1', '-p', String(gateway.port),
      '-i', 'p', '-t', 'reading/p/y', '-m', 'm', '-V', paho, ...asUser(user));
    expect((await pahoAs(ANNA).exit()).code).toBe(0);
    await pahoAs({ ...ANNA, password: 'x' }).line(/^Connect failed, rc .* 4$/); // it would try for ever
    await gateway.program.line(/node "p".* refused: bad user name or password/);
    expect(gateway.program.lines.join()).not.toMatch(/(anna|mona|root)-secret/);
  });

  interop('rights hold for what is published and for what is read, and a refused message is acknowledged all the same', async scene => {
    const gateway = await start(scene);
    const watcher = await watch(scene, gateway);
    await publish(scene, gateway.port, 'reading/node/t', 'allowed', ...V, ...asUser(ANNA), '-i', 'node', '-q', '2');
    await publish(scene, gateway.port, 'reading/other/t', 'somebody else\'s', ...V, ...asUser(ANNA), '-i', 'node',
      '-q', '2');
    await publish(scene, gateway.port, 'command/x', 'read only', ...V, ...asUser(ANNA), '-i', 'node', '-q', '1', '-r');
    const paho1 =
      scene.start('paho_c_pub', 'paho_c_pub', '-h', '127.0.0.1', '-p', String(gateway.port), '-i', 'node', '-t',
        'reading/other/t', '-m', 'denied', '-q', '2', '-V', paho, ...asUser(ANNA));
    expect((await paho1.exit()).code).toBe(0);
    const client = await mustJoin(scene, gateway.port, { ...js, ...ANNA, clientId: 'js' });
    await patiently('PUBACK', client.publishAsync('reading/node/t', 'denied', { qos: 1 }));
    await patiently('PUBACK', client.publishAsync('reading/js/t', 'last', { qos: 1 }));
    await watcher.message('1 0 reading/js/t last');
    expect(watcher.messages).toEqual(['2 0 reading/node/t allowed', '1 0 reading/js/t last']);
    await gateway.program.line(/refused a message of node "node".*: not allowed \(listener\.acl\)/);

    const reader = await Subscriber.start(scene, gateway.port, '#', ...V, ...asUser(ANNA), '-i', 'reader');
    const granted =
      await client.subscribeAsync('command/secret/door', { qos: 1 }).then(grants => grants[0]!.qos, () => 128);
    expect(granted).toBe(js.protocolVersion === 4 ? 128 : 1); // 3.1 has no code for it
    for (const topic of ['command/secret/door', 'reading/node/x', 'command/open'])
      await publish(scene, gateway.port, topic, 'x', ...V, ...asUser(ROOT), '-q', '1');
    await reader.message('1 0 command/open x');
    expect(reader.messages).toEqual(['1 0 command/open x']);
  });

  interop('a node behind a mount point sees its own part of the tree and nothing else, retained messages and Wills included', async scene => {
    const gateway = await start(scene);
    const watcher = await watch(scene, gateway);
    await publish(scene, gateway.port, 'state', 'kept', ...V, ...asUser(MONA), '-r', '-q', '1');
    await watcher.message('1 0 site/mona/state kept');
    await publish(scene, gateway.port, 'elsewhere', 'x', ...asUser(ROOT), '-r', '-q', '1');
    const node = await Subscriber.start(scene, gateway.port, '#', ...V, ...asUser(MONA), '-i', 'm', '--will-topic',
      'gone', '--will-payload', 'bye', '--will-qos', '1');
    await node.message('1 1 state kept');
    const pahoNode =
      scene.start('paho_c_sub', 'stdbuf', '-oL', 'paho_c_sub', '-h', '127.0.0.1', '-p', String(gateway.port), '-t',
        'door/+', '-q', '2', '-v', '-i', 'pm', '-V', paho, ...asUser(MONA));
    const client = await mustJoin(scene, gateway.port, { ...js, ...MONA, clientId: 'jm' });
    const seen: string[] = [];
    client.on('message', (topic, payload) => seen.push(`${topic} ${payload}`));
    await client.subscribeAsync('door/#', { qos: 1 });
    await gateway.program.line(/node "pm".* connected/);
    const pahoHears = pahoNode.line(/door\/1\topen/);
    // Paho says nothing about its SUBACK, so the message is repeated until it has come.
    let hasHeard = false;
    void pahoHears.then(() => hasHeard = true, () => hasHeard = true);
    do
      await publish(scene, gateway.port, 'site/mona/door/1', 'open', ...asUser(ROOT), '-q', '1');
    while (!hasHeard);
    await pahoHears;
    await node.message('1 0 door/1 open');
    await vi.waitFor(() => expect(new Set(seen)).toEqual(new Set(['door/1 open'])), PATIENCE);
    await node.program.stop('SIGKILL');
    await watcher.message('1 0 site/mona/gone bye');
    expect(node.messages.filter(message => !/ (state kept|door\/1 open)$/.test(message))).toEqual([]);
  });

  interop('a Will is published where its node may publish, and nowhere else', async scene => {
    const gateway = await start(scene);
    const watcher = await watch(scene, gateway);
    for (const [identifier, topic] of [['w1', 'command/door'], ['w2', 'reading/w2/gone']] as const) {
      const node = await Subscriber.start(scene, gateway.port, 'command/#', ...V, ...asUser(ANNA), '-i', identifier,
        '--will-topic', topic, '--will-payload', 'will', '--will-qos', '1', '--will-retain');
      await node.program.stop('SIGKILL');
    }
    await watcher.message('1 0 reading/w2/gone will');
    expect(watcher.messages).toEqual(['1 0 reading/w2/gone will']);
    await gateway.program.line(/refused a Will of node "w1".*: not allowed/);
    const late = await Subscriber.start(scene, gateway.port, '#', ...asUser(ROOT));
    await late.message('1 1 reading/w2/gone will');
    expect(late.messages).toHaveLength(1);
  });

  interop('a node that sends too fast waits, loses nothing, and makes nobody else wait', async scene => {
    const gateway = await start(scene, { max_publish_rate: 20 });
    const watcher = await watch(scene, gateway);
    const fast = await mustJoin(scene, gateway.port, { ...js, ...ANNA, clientId: 'fast' });
    const calm = await mustJoin(scene, gateway.port, { ...js, ...ANNA, clientId: 'calm' });
    const startedAt = Date.now();
    const flood =
      Promise.all(Array.from({ length: 60 }, (_, index) =>
        fast.publishAsync('reading/fast/t', `${index}`, { qos: index % 3 as 0 | 1 | 2 })));
    await gateway.program.line(/node "fast".* sends too fast and is made to wait/);
    await patiently('PUBACK', calm.publishAsync('reading/calm/t', 'now', { qos: 1 }));
    const calmAfter = Date.now() - startedAt;
    await patiently('60 messages', flood);
    expect(Date.now() - startedAt).toBeGreaterThan(1500); // 20 at once, 40 at 20 a second
    expect(calmAfter).toBeLessThan(1500);
    await watcher.message('2 0 reading/fast/t 59');
    expect(watcher.messages.filter(message => message.includes('fast')).map(message =>
      Number(message.split(' ').at(-1))).sort((a, b) => a - b))
      .toEqual(Array.from({ length: 60 }, (_, index) => index));
  });

  interop('a new connection takes over the session of its identifier, but never that of another user', async scene => {
    const gateway = await start(scene);
    const options = { ...js, ...ANNA, clientId: 'twin', clean: false };
    const first = await mustJoin(scene, gateway.port, options);
    await first.subscribeAsync('command/#', { qos: 1 });
    expect(await join(scene, gateway.port, { ...options, ...ROOT })).toBe(5);
    expect(first.connected).toBe(true);
    const isClosed = patiently('close', new Promise<void>(resolve => first.once('close', () => resolve())));
    const second = await mustJoin(scene, gateway.port, options);
    await isClosed;
    await gateway.program.line(/node "twin" .*is gone: session taken over/);
    const arrived =
      patiently('message',
        new Promise<string>(resolve => second.once('message', (topic, payload) => resolve(`${topic} ${payload}`))));
    await publish(scene, gateway.port, 'command/x', 'for the second', ...asUser(ROOT), '-q', '1');
    expect(await arrived).toBe('command/x for the second');
    second.end(true);
    await gateway.program.line(/node "twin" .*is gone: network/);
    await publish(scene, gateway.port, 'command/y', 'while away', ...asUser(ROOT), '-q', '1');
    const sub = scene.start('mosquitto_sub', 'stdbuf', '-oL', 'mosquitto_sub', '-h', '127.0.0.1', '-p',
      String(gateway.port), ...V, ...asUser(ANNA), '-i', 'twin', '-c', '-t', 'command/none', '-F', 'MESSAGE %t %p');
    await sub.line(/MESSAGE command\/y while away/);
  });

  interop('$SYS tells what happened, to those who may read it', async scene => {
    const gateway = await start(scene, { sys_interval: 1 });
    await publish(scene, gateway.port, 'reading/other/t', 'denied', ...V, ...asUser(ANNA), '-i', 'node', '-q', '1');
    expect(await join(scene, gateway.port, { ...js, clientId: 'c' })).toBe(5);
    const figures = await Subscriber.start(scene, gateway.port, '$SYS/#', ...V, ...asUser(ROOT), '-i', 'figures');
    await figures.message('0 1 $SYS/broker/messages/denied 1');
    await figures.message('0 1 $SYS/broker/clients/refused 1');
    await figures.program.line(/^MESSAGE 0 1 \$SYS\/broker\/bytes\/received [1-9]\d+$/);
    await figures.program.line(/^MESSAGE 0 0 \$SYS\/broker\/load\/sockets\/1min [1-9][\d.]*$/);
    const denied =
      await Subscriber.start(scene, gateway.port, 'command/#', ...V, ...asUser(ANNA), '-i', 'denied', '-t', '$SYS/#');
    await figures.program.line(/^MESSAGE 0 0 \$SYS\/broker\/uptime /, figures.program.mark);
    await publish(scene, gateway.port, 'command/z', 'last', ...V, ...asUser(ROOT), '-q', '1');
    await denied.message('1 0 command/z last');
    expect(denied.messages).toEqual(['1 0 command/z last']);
  });
});
