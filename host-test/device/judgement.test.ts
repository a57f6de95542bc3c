/**
 * A board judges a configuration as `ringbridge check` does: the same verdict, in the same words, at the same place.
 */
import { expect, test, vi } from 'vitest';
import { judgeText, type Judgement } from '../../src/device/judgement.ts';
import { readConfiguration } from '../../src/host/config.ts';
import { Random } from '../simulation/random.ts';

const world = vi.hoisted(() => ({ config: {} as Record<string, unknown>, hasBrokerHere: true }));

vi.mock('mc/config', () => ({ default: world.config }));
vi.mock('board', () => ({ get hasBrokerHere() { return world.hasBrokerHere; } }));
Object.assign(String, {
  fromArrayBuffer: (buffer: ArrayBuffer) => new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(buffer),
});

/** As many lines as a board tells. */
const MOST_LINES = 8;

function onBoard(text: string): Judgement {
  const bytes = new TextEncoder().encode(text);
  return judgeText({
    length: bytes.length,
    read: (target, offset) => target.set(bytes.subarray(offset, offset + target.length)),
  }, false);
}

const onPC = (text: string): string[] => readConfiguration(text, 'f', {}).errors.map(line => line.slice(2));

const HASH = 'pbkdf2-sha256$100$c2FsdA==$s6QxyscTq33lo3KJIGY4LBGxmOepTvnoeFO9SzgzZyE=';

/** Values of the right form, some of which contradict others; the last one of each key has the wrong form. */
const POOLS: Readonly<Record<string, readonly unknown[]>> = {
  'name': ['a', 'ringbridge', 'x'.repeat(24), 'half \uD800', 'nul \0', ''],
  'upstream.address': [['mqtt://a'], ['mqtt://10.0.0.1:1884', 'ssl://b'], ['tcp://c'], ['d:1'], ['u@e'], ['mqtt://f:0'],
    ['mqtt://[::1]:1884', 'mqtt://[1::2::3]'], ['[::1]'],
    'mqtt://g'],
  'upstream.bridge_protocol_version': ['mqttv31', 'mqttv311', 'mqttv5'],
  'upstream.remote_clientid': ['', 'short', 'y'.repeat(24), 7],
  'upstream.remote_username': ['u', null, 5],
  'upstream.remote_password': ['p', null, 'z'.repeat(20), false],
  'upstream.remote_password_file': [null, null, 4],
  'upstream.bridge_cafile': [null, 'ca.pem', 4],
  'upstream.bridge_psk': [null, '0f', 'xy', 4],
  'upstream.bridge_identity': [null, 'me', 4],
  'upstream.restart_timeout': [[5, 30], [30, 5], [1, 1], [1]],
  'upstream.will': [null, { topic: 'w' }, { topic: 'w/#' }, { topic: '+' }, []],
  'upstream.max_packet_size': [128, 512, 1024, 65_536, '9'],
  'listener.address': ['0.0.0.0', '127.0.0.1', 'localhost', '256.1.1.1', '1.2.3', '01.2.3.4', '::1', '1::2::3', '::ffff:1.2.3.4', null],
  'listener.max_connections': [1, 4, 6, 1024, 0],
  'listener.max_sessions': [0, 2, 6, 4096, -1],
  'listener.max_packet_size': [128, 1024, 4096, 1e9],
  'listener.max_queued_bytes': [512, 1280, 8192, 16_777_216, 1.5],
  'listener.allow_anonymous': [true, false, 'true'],
  'listener.users': [[], [{ username: 'a', password: 'p' }], [{ username: 'a', password_hash: HASH }],
    [{ username: 'a', password: 'p' }, { username: 'a', password: 'q' }], [{ username: 'a' }],
    [{ username: 'a', password: 'p', password_hash: HASH }], [{ username: 'b', password_hash: 'nonsense' }],
    [{ username: 'b', password_hash: 'scrypt$3$8$1$AAAA$AAAAAAAAAAAAAAAAAAAAAAAA' }],
    [{ username: 'c', password: 'p', mount_point: 'm/%u/' }, { username: 'd', password: 'p', mount_point: '+/' }], [{}]],
  'listener.acl': [[], [{ topic: 'a/%u/#' }], [{ topic: 'a#' }], [{ user: 'a', topic: 'x' }], [{ user: 'nobody' }],
    [{ user: 'aa', topic: '#/x' }, { topic: 'b' }], [{ access: 'all' }]],
  'topic': [[], [{}], [{ pattern: '#', direction: 'out', remote_prefix: 'r/' }], [{ pattern: 'a#' }],
    [{ pattern: '' }], [{ pattern: '', local_prefix: 'a', remote_prefix: 'b' }], [{ local_prefix: '+/' }],
    [{ remote_prefix: 'x' }, { pattern: 'a/+', local_prefix: 'y', direction: 'in' }],
    [{ pattern: '\0' }], [{ qos: 3 }]],
  'sensors': [[], [{ name: 'a', type: 'simulated' }], [{ name: 'a', type: 'simulated' }, { name: 'a', type: 'ntc' }],
    [{ name: 'b', type: 'simulatde' }], [{ name: 'b', type: 'bme280', data: 1, clock: 2 }],
    [{ name: 'c', type: 'sht3x', data: 21 }], [{ name: 'c', type: 'analog', pin: 34, topic: 'a/+' }],
    [{ name: 'd', type: 'simulated', interval: 10, expire_after: 5 }], [{ name: 'e', type: 'simulated', scale: 0 }],
    [{ type: 'simulated' }]],
  'store.durability': ['ram', 'flash', 'disk'],
  'store.size': [65_536, 1_048_576, 4096],
  'store.ram': [256, 2048, 8192, 67_108_864, 1],
  'memory.topics': [16, 32, 33, 1000, 0],
  'memory.topic_length': [64, 8, 1024, 1e6],
};

function makeText(random: Random, isOfRightForm: boolean): string {
  const tree: Record<string, unknown> = {};
  const keys = Object.keys(POOLS);
  for (let count = random.integer(1, 9); count > 0; --count) {
    const key = keys[random.integer(0, keys.length - 1)]!;
    const pool = POOLS[key]!;
    const value = pool[random.integer(0, pool.length - (isOfRightForm ? 2 : 1))];
    const [section, inner] = key.split('.') as [string, string | undefined];
    if (inner === undefined)
      tree[section] = value;
    else
      tree[section] = { ...tree[section] as object, [inner]: value };
  }
  return JSON.stringify(tree, undefined, [undefined, 1, 2, '\t'][random.integer(0, 3)]);
}

test('refuses what contradicts itself in the words of the PC, of thousands of configurations of the right form', () => {
  const random = new Random(161);
  let accepted = 0;
  const told = new Set<string>();
  for (let round = 0; round < 6000; ++round) {
    const text = makeText(random, true);
    const theirs = onPC(text);
    const { configuration, errors } = onBoard(text);
    expect(errors, text).toEqual(theirs.slice(0, MOST_LINES));
    expect(configuration !== undefined, text).toBe(theirs.length === 0);
    accepted += theirs.length === 0 ? 1 : 0;
    theirs.forEach(line => told.add(line.replace(/^[0-9:]+ /, '').replace(/[0-9]+/g, 'N')));
  }
  expect(accepted).toBeGreaterThan(500);
  expect(told.size).toBeGreaterThan(40);
}, 240_000);

test('refuses what has the wrong form as the PC does, and says nothing that the PC does not say', () => {
  const random = new Random(162);
  let refused = 0;
  for (let round = 0; round < 3000; ++round) {
    const text = makeText(random, false);
    const theirs = onPC(text);
    const { configuration, errors } = onBoard(text);
    expect(configuration === undefined, text).toBe(theirs.length > 0);
    for (const line of errors)
      expect(theirs, text).toContain(line);
    refused += theirs.length > 0 ? 1 : 0;
  }
  expect(refused).toBeGreaterThan(1000);
}, 240_000);

test('refuses TLS, which a computer speaks', () => {
  const text = '{"upstream":{"address":["mqtt://a","mqtts://b"],"bridge_cafile":"ca.pem"}}';
  expect(onPC(text)).toEqual([]);
  expect(onBoard(text).errors).toEqual(['1:36: upstream.address[1]: "mqtts://b" is of TLS, which is not supported on a board yet; '
    + 'write mqtt:// instead, in a network that you trust, and let a PC or the broker there lead out of it']);
});

test.each(['ws://b', 'wss://b/mqtt'])('refuses %s, which a computer speaks', address => {
  const text = `{"upstream":{"address":["mqtt://a","${address}"]}}`;
  expect(onPC(text)).toEqual([]);
  expect(onBoard(text).errors).toEqual([expect.stringMatching(/^1:36: upstream\.address\[1\]: .* is of WebSocket, which a board does not speak yet; write mqtt:\/\/ instead/)]);
});

test.each(['{"certfile":"c","keyfile":"k"}', '{"psk_file":"p"}',
  '{"protocol":"websockets"}'])('refuses TLS and WebSocket for its nodes, %s', listener => {
  expect(onPC(`{"listener":${listener}}`)).toEqual([]);
  expect(onBoard(`{"listener":${listener}}`).errors).toEqual([expect.stringMatching(
    /^1:14: listener\.(?:(?:certfile|psk_file): a board has no memory for nodes with TLS; leave this out|protocol: a board serves no WebSocket yet; write "mqtt")/)]);
});

test('takes a byte order mark for no part of the text, as the PC does', () => {
  expect(onBoard('\uFEFF{"name":"a"}').configuration?.name).toBe('a');
  expect(onBoard('\uFEFF{"port":1}').errors)
    .toEqual(['1:2: port: there is no such key; it belongs elsewhere: write listener.port or page.port instead']);
});

test('refuses itself as its broker, and a hash that it cannot verify, each at its place', () => {
  world.hasBrokerHere = false;
  const { errors } = onBoard(`{
    "upstream": { "address": ["mqtt://10.0.0.1", "mqtt://localhost", "mqtt://[::1]"] },
    "listener": { "users": [{ "username": "a", "password_hash": "${HASH.replace('$100$', '$2001$')}" }] }
  }`);
  world.hasBrokerHere = true;
  expect(errors).toEqual([
    '2:50: upstream.address[1]: "mqtt://localhost" is the board itself, where no broker is; '
      + 'write the broker\'s address, like "mqtt://192.168.1.10:1883", instead',
    '2:70: upstream.address[2]: "mqtt://[::1]" is of IPv6, and a board speaks IPv4; '
      + 'write an address of IPv4, or a name, instead',
    '3:48: listener.users[0].password_hash: a board cannot verify this hash; '
      + 'write one that "ringbridge passwd --device" prints instead',
  ]);
});

test.each([
  'scrypt$16384$8$1$AAAA$AAAAAAAAAAAAAAAAAAAAAAAA', HASH.replace('$100$', '$2001$'), HASH.replace('c2FsdA==', 'c2Fsd'),
  HASH.replace('yE=', 'yA=='), HASH.replace('yE=', 'yEA='),
])('refuses the hash %s, which a computer verifies and a board cannot', hash => {
  const text = JSON.stringify({ listener: { users: [{ username: 'a', password_hash: hash }] } });
  expect(onPC(text)).toEqual([]);
  expect(onBoard(text).errors).toEqual([expect.stringContaining('a board cannot verify this hash')]);
});

test('tells what is missing when lists would not fit, before a tree is built', () => {
  world.config['board_memory'] = 114_688;
  world.config['board'] = 'esp32c3';
  const parse = vi.spyOn(JSON, 'parse');
  const { errors } = onBoard(`{"upstream":{"address":["mqtt://a"]},"topic":[${Array(256).fill('{}').join()}],`
    + `"sensors":[${Array(256).fill('{"name":"s","type":"ntc"}').join()}]}`);
  expect(parse).not.toHaveBeenCalled();
  parse.mockRestore();
  delete world.config['board_memory'];
  expect(errors).toEqual([expect.stringMatching(/^does not fit the memory of the board "esp32c3": \d+ bytes too much; /)]);
});
