/** Whatever `ringbridge check` tells a user to write is accepted when it is written. */
import { describe, expect, test } from 'vitest';
import { readConfiguration, readSchema } from '../../src/host/config.ts';
import type { Schema } from '../../src/host/config-violations.ts';

type Json = Record<string, unknown>;
type Path = readonly (string | number)[];

const HASH = 'pbkdf2-sha256$1000$AAAAAAAAAAAAAAAAAAAAAA==$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=';
const root = readSchema();

/** Of objects whose other keys must be there. */
const COMPANIONS: Readonly<Record<string, Json>> = {
  'upstream': { remote_username: 'u' }, 'upstream.will': { topic: 'a' }, 'upstream.birth': { topic: 'a' },
  'sensors': { name: 'a', type: 'simulated' }, 'tests': { publish: 'a', expect: { local: 'a' } },
  'listener.users': { username: 'u', password_hash: HASH },
};

/** Of keys that are of no use without others. */
const SECURE = { address: ['mqtts://127.0.0.1'] };
const BESIDE: Readonly<Record<string, Json>> = {
  'upstream.bridge_cafile': SECURE, 'upstream.bridge_alpn': SECURE,
  'upstream.bridge_certfile': { ...SECURE, bridge_keyfile: 'a' },
  'upstream.bridge_keyfile': { ...SECURE, bridge_certfile: 'a' },
  'upstream.bridge_identity': { ...SECURE, bridge_psk: '0a' },
  'upstream.bridge_psk': { ...SECURE, bridge_identity: 'a' },
  'listener.certfile': { keyfile: 'a' }, 'listener.keyfile': { certfile: 'a' }, 'listener.cafile': { certfile: 'a', keyfile: 'a' },
  'page.certfile': { keyfile: 'a' }, 'page.keyfile': { certfile: 'a' },
  'listener.require_certificate': { certfile: 'a', keyfile: 'a', cafile: 'a' },
  'listener.use_identity_as_username': { psk_file: 'a' },
};

const WRONG: readonly unknown[] = [
  0, 1, -1, 7, 0.5, 30, 1e9, 5e9, 1e300, true, false, null, '', 'x', '7', '0.5', 'true', 'mqtt://h', 'drop_newset', [], [7],
  ['x'], [7, 9, 11], {}, { x: 1 }, 'x'.repeat(70_000),
];

function* keysOf(schema: Schema, path: Path = []): Generator<readonly [path: Path, schema: Schema]> {
  if (path.length > 0)
    yield [path, schema];
  for (const [key, inner] of Object.entries(schema.properties ?? {}))
    yield* keysOf(inner, [...path, key]);
  if (schema.items !== undefined)
    yield* keysOf(schema.items, [...path, 0]);
}

/** `base` with the value at that place; what is on the way is made. */
function withValue(base: unknown, path: Path, value: unknown, name = ''): unknown {
  const [step, ...rest] = path;
  if (step === undefined)
    return value;
  if (typeof step === 'number') {
    const list = Array.isArray(base) ? [...base as unknown[]] : [];
    list[step] = withValue(list[step], rest, value, name);
    return list;
  }
  const object = { ...COMPANIONS[name], ...BESIDE[`${name}.${step}`], ...typeof base === 'object' && !Array.isArray(base) ? base as Json : {} };
  const changed: Json = { ...object, [step]: withValue(object[step], rest, value, name === '' ? step : `${name}.${step}`) };
  return changed;
}

function withoutKey(base: unknown, path: Path): unknown {
  const [step, ...rest] = path as [string | number, ...Path];
  const copy = structuredClone(base) as Json;
  if (rest.length === 0)
    delete copy[step];
  else
    copy[step] = withoutKey(copy[step], rest);
  return copy;
}

const pathOf = (text: string): Path => text.split(/[.[\]]+/).filter(step => step !== '')
  .map(step => /^\d+$/.test(step) ? Number(step) : step);

interface Complaint {
  readonly isError: boolean;
  readonly path: string;
  readonly text: string;
}

function complaintsAbout(configuration: unknown): Complaint[] {
  const { errors, warnings } = readConfiguration(JSON.stringify(configuration), 'f');
  return [...errors, ...warnings].map(line => {
    const [, warning, path = '', text = ''] =
      /^f:\d+:\d+: (warning: )?(?:([$\w-]+(?:\.[$\w-]+|\[\d+\])*): )?(.*)$/.exec(line)!;
    return { isError: warning === undefined, path, text };
  });
}

/** The JSON with which the text begins, if it does. */
function leadingJson(text: string): string | undefined {
  for (let end = text.length; end > 0; --end)
    try {
      JSON.parse(text.slice(0, end));
      return text.slice(0, end);
    } catch { /* shorter */ }
  return undefined;
}

/** Each configuration that the text proposes in place of this one. */
function proposalsIn(configuration: unknown, { path, text }: Complaint): unknown[] {
  const place = pathOf(path);
  const made: unknown[] = [];
  for (const { 1: following = '' } of text.matchAll(/write (?:for example )?((?:.(?! as well))*?)(?= instead|; |, or |$)/g)) {
    if (following.endsWith(' there')) // at the key that was named before
      continue;
    const [, from, to] = /^a number from (\S+) to (\S+)$/.exec(following) ?? [];
    if (from !== undefined)
      made.push(...[from, to].map(value => withValue(configuration, place, Number(value))));
    if (/^[a-z]+(\.[a-z_]+|\[\])+( or [a-z]+(\.[a-z_]+|\[\])+)*$/.test(following)) { // a key that belongs elsewhere
      for (const other of following.split(' or '))
        expect([...keysOf(root)].map(([known]) => known.join('.')), text).toContain(other.replaceAll('[]', '.0'));
      made.push({});
      continue;
    }
    for (let rest = following, json; (json = leadingJson(rest)) !== undefined; rest = rest.replace(/^ or /, '')) {
      rest = rest.slice(json.length);
      const value: unknown = JSON.parse(json);
      const other = rest.startsWith(': ') ? leadingJson(rest.slice(2)) : undefined;
      if (other !== undefined) {
        made.push(withValue(configuration, [...place.slice(0, -1), value as string], JSON.parse(other)));
        break;
      }
      made.push(text.startsWith('there is no such key')
        ? withValue(withoutKey(configuration, place), [...place.slice(0, -1), value as string], undefined)
        : withValue(configuration, place, value));
      if (!rest.startsWith(' or '))
        break;
    }
  }
  return made;
}

/** What rules say of the values of several keys, or of a name: they know nothing of the form, and are followed next. */
const NEXT_STEPS = new RegExp([
  'is no Topic (Name|Filter)', 'there is no (user|sensor type|upstream)', 'is not an upstream address', 'is no IP address',
  'is no power of two', 'fewer sessions than connections', 'cannot hold a message as long', 'is over before the next reading',
  'bytes are too few', 'bytes keep', 'this test fails', 'the sizes add up', 'no password without a user name',
  'a user has either', 'is no hash', 'has no password', 'is no origin', 'device class', 'is no icon', 'no state class',
  'no rule (carries|brings)', 'nothing of it is shown', 'needs the topic where', 'has none; leave it out', 'pages connect by WebSocket only',
].join('|'));

/** @returns how many proposals there were */
function tryAll(configuration: unknown, steps = 0): number {
  let count = 0;
  for (const complaint of complaintsAbout(configuration))
    for (const proposal of proposalsIn(configuration, complaint)) {
      ++count;
      const left = complaintsAbout(proposal).filter(({ isError, path, text }) => path.startsWith(complaint.path)
        && (isError || text === complaint.text));
      const [next] = left;
      if (steps < 2 && next !== undefined && NEXT_STEPS.test(next.text) && !NEXT_STEPS.test(complaint.text)) {
        tryAll(proposal, steps + 1);
        continue;
      }
      expect(left.map(({ path, text }) => `${path}: ${text}`), `${complaint.path}: ${complaint.text} (of ${
        JSON.stringify(configuration).slice(0, 300)}, tried ${JSON.stringify(proposal).slice(0, 300)})`).toEqual([]);
    }
  return count;
}

describe('what is to be written instead is accepted, for', () => {
  test.each([...keysOf(root)].map(([path]) => [path.join('.'), path] as const))('%s', (_, path) => {
    for (const value of WRONG)
      tryAll(withValue({}, path, value));
  });

  test.each<readonly [name: string, configuration: Json]>([
    ['keys that are misspelt', { nmae: 'x', listener: { prot: 1, 'allow-anonymous': true } }],
    ['keys that belong elsewhere', { port: 1, qos: 1, username: 'x', ram: 5, interval: 5 }],
    ['two waits, the longer first', { upstream: { restart_timeout: [30, 5] } }],
    ['no power of two', { memory: { topics: 65 } }],
    ['queues that are too short', { topic: [{}], listener: { max_packet_size: 50_000, max_queued_bytes: 100 }, store: { ram: 300 } }],
    ['a store that is too small', { store: { durability: 'flash', size: 9000 } }],
    ['a store for too much state', { store: { durability: 'flash', size: 400_000 }, listener: { max_sessions: 2000, max_retained_bytes: 1_000_000 } }],
    ['fewer sessions than connections', { listener: { max_connections: 4, max_sessions: 2 } }],
    ['a quarantine that is too large', { store: { durability: 'flash', size: 1_048_576, quarantine: [10, 10_000_000] } }],
    ['a rule with wildcards in its prefix', { topic: [{ pattern: 'a/#', remote_prefix: 'site#' }, { pattern: 'a#' }, { pattern: '#', local_prefix: 'x' }] }],
    ['a user that is not there', { listener: { users: [{ username: 'anna', password_hash: HASH }], acl: [{ user: 'ana' }] } }],
    ['an expiry before the next reading', { sensors: [{ name: 's', type: 'simulatde', interval: 0.7, expire_after: 0.5, heartbeat: 0.1, deadband: 1 }] }],
    ['an expiry before the next reading, at its largest', { sensors: [{ name: 's', type: 'simulated', interval: 65_535, expire_after: 1, heartbeat: 1, deadband: 1 }] }],
    ['two Wills', { upstream: { notifications: true, will: { topic: 'w' } } }],
    ['what a broker does not serve', { upstream: { profile: 'aws-iot', max_qos: 2, keepalive_interval: 5000, max_inflight_messages: 1000, will: { topic: 'w', qos: 2 } } }],
    ['what another broker does not serve', { upstream: { profile: 'azure-iot-hub', keepalive_interval: 0, will: { topic: 'w', retain: true } } }],
  ])('%s', (_, configuration) => expect(tryAll(configuration)).toBeGreaterThan(0));

  test.each([
    '10.0.0.1:1883', 'broker', 'tcp://broker:1', 'MQTT://broker', '::1', '::1:1883', 'mqtt://::1:1883', 'mqtt://2001:db8::1', 'fe80::1%eth0',
    '2001:db8::1:8883', '1:2:3:4:5:6:7:8', '1:2:3:4:5:6:7:8:1883', 'fe80::1%eth0:1883', '[::1]', '[::1]:1883', 'mqtt://[::1]:99999', 'mqtt://[::zz]',
    'mqtt://broker:0', 'broker:', 'mqtt://broker/path', '', ' mqtt://broker', 'mqtt:broker', 'http://broker', 'localhost:1883/',
  ])('the address %j', address => {
    tryAll({ upstream: { address: [address] } });
  });
});

test.each([
  ['::1:1883', '"mqtt://[::1]:1883", or "mqtt://[::1:1883]" if 1883 is no port,'],
  ['mqtt://2001:db8::1:8883', '"mqtt://[2001:db8::1]:8883", or "mqtt://[2001:db8::1:8883]" if 8883 is no port,'],
  ['1:2:3:4:5:6:7:8:1883', '"mqtt://[1:2:3:4:5:6:7:8]:1883"'], ['2001:db8::1', '"mqtt://[2001:db8::1]"'], ['[::1]:1883', '"mqtt://[::1]:1883"'],
])('the port of %s is no part of the address', (address, proposal) => {
  expect(complaintsAbout({ upstream: { address: [address] } })[0]!.text).toContain(`write ${proposal} instead`);
});

test.each([
  { listener: { users: { username: 'u', password: 's3cret' } } }, { upstream: { profile: { password: 's3cret' } } },
  { listener: { oversize: ['s3cret'] } }, { upstream: { restart_timeout: 's3cret' } },
])('what stands in a list or object in the wrong place is not repeated: %j', configuration => {
  expect(complaintsAbout(configuration).map(({ text }) => text).join()).not.toContain('s3cret');
});

test('a store of the size that is proposed holds what the limits let in, though defaults grow with it', () => {
  for (const listener of [{ max_sessions: 2000 }, { max_sessions: 4096 }, { max_retained_bytes: 30_000_000 },
    { max_sessions: 4096, max_retained_messages: 65_535 }]) {
    const [complaint] = complaintsAbout({ store: { durability: 'flash', size: 300_000 }, listener });
    const size = Number(/write (\d+) or more/.exec(complaint!.text)![1]);
    expect(complaintsAbout({ store: { durability: 'flash', size }, listener }).filter(({ isError }) => isError)).toEqual([]);
  }
});

test('a part is known by its other names, and a command that comes twice is explained', () => {
  const sensors = [{ name: 'a', type: 'bme680', data: 1, clock: 2 }];
  expect(complaintsAbout({ topic: [{}], sensors }).find(({ path }) => path === 'sensors[0].type')!.text)
    .toBe('there is no sensor type "bme680"; write "bme68x" instead');
  const topic = [{ remote_prefix: 's/' }, { pattern: 'command/#', direction: 'in', remote_prefix: 's/' }];
  expect(complaintsAbout({ topic }).find(({ path }) => path === 'topic[1].pattern')!.text).toBe('what a node publishes to '
    + '"command/#" goes out by topic[0] and comes back from the broker as "s/command/#", by this rule: nodes that subscribe to '
    + 'it get it twice; if that matters, let topic[0] name only what nodes report, for example "sensors/#"');
});
