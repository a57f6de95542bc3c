import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { completeConfiguration } from '../../src/config/complete-configuration.ts';
import * as Defaults from '../../src/config/defaults.ts';
import { loadConfiguration, readConfiguration, readSchema, SCHEMA_FILE } from '../../src/host/config.ts';
import type { Schema } from '../../src/host/config-violations.ts';
import { editDistance, nearest } from '../../src/config/nearest-key.ts';
import { SENSOR_TYPES } from '../../src/config/sensor-types.ts';
import { createPlatform } from '../../src/host/platform.ts';

const FILE = 'test.json';
const errorsOf = (text: string): readonly string[] => readConfiguration(text, FILE).errors;
const warningsOf = (text: string): readonly string[] => {
  const { errors, warnings } = readConfiguration(text, FILE);
  expect(errors).toEqual([]);
  return warnings;
};

/** The example of the design, section 6. */
const EXAMPLE = `{
  "$schema": "./config.schema.json",
  "name": "greenhouse",
  "upstream": {
    "address": ["mqtt://192.168.1.10:1883"],
    "bridge_protocol_version": "mqttv311",
    "remote_clientid": "greenhouse", "remote_username": "gw", "remote_password": "secret",
    "cleansession": false, "keepalive_interval": 60, "connack_timeout": 10, "restart_timeout": [5, 30],
    "will": { "topic": "site/greenhouse/status", "payload": "offline", "qos": 1, "retain": true }
  },
  "listener": { "port": 1883, "address": "127.0.0.1", "max_connections": 6, "connect_timeout": 10,
    "max_keepalive": 300, "allow_anonymous": false,
                "users": [ { "username": "node1", "password": "…" } ] },
  "topic": [
    { "pattern": "#", "direction": "out", "qos": 1, "local_prefix": "", "remote_prefix": "site/greenhouse/" },
    { "pattern": "command/#", "direction": "in", "qos": 1, "local_prefix": "", "remote_prefix": "site/greenhouse/" }
  ],
  "sensors": [ { "name": "air", "type": "simulated", "topic": "air/temperature", "interval": 1 } ],
  "store": { "ram": 8192, "path": "./ringbridge.store", "size": 1048576, "durability": "flash", "full": "drop_oldest" }
}`;

describe('a configuration file that can be used', () => {
  test('the example of the design', () => {
    const { configuration, errors } = readConfiguration(EXAMPLE, FILE);
    expect(errors).toEqual([]);
    expect(configuration).toMatchObject({
      name: 'greenhouse',
      upstream: { remote_username: 'gw', will: { topic: 'site/greenhouse/status', qos: 1 },
        max_packet_size: Defaults.PC_SIZES.upstream.max_packet_size },
      listener: { max_keepalive: 300, users: [{ username: 'node1', password: '…' }] },
      sensors: [{ name: 'air', interval: 1, decimals: 2 }],
    });
    expect(configuration).not.toHaveProperty('$schema');
  });

  test('an empty object means all defaults, with the sizes of a PC or of a board', () => {
    expect(readConfiguration('{}', FILE).configuration).toEqual(completeConfiguration({}, Defaults.PC_SIZES));
    expect(readConfiguration('{}', FILE, {}).configuration).toEqual(completeConfiguration({}));
    expect(readConfiguration('{"listener":{"max_packet_size":300}}',
      FILE).configuration!.listener.max_packet_size).toBe(300);
  });

  test('comments and trailing commas are accepted, with a note for boards', () => {
    const { configuration, errors, notes } = readConfiguration('{\n  // mine\n  "name": "x", /* only that */\n}', FILE);
    expect(errors).toEqual([]);
    expect(configuration!.name).toBe('x');
    expect(notes).toEqual([expect.stringContaining('plain JSON')]);
    expect(readConfiguration('{}', FILE).notes).toEqual([]);
  });

  test('null is accepted where it is the default', () => {
    expect(errorsOf('{"upstream":{"remote_username":null,"remote_password":null,"will":null}}')).toEqual([]);
  });
});

/** Name, text, expected lines without `FILE:`. A string must be equal, a RegExp match. */
const REJECTED: readonly (readonly [string, string, readonly (string | RegExp)[]])[] = [
  // Syntax
  ['an empty file', ' \n', ['1:1: the file is empty; write {} instead for a configuration of defaults']],
  ['text in single quotes', '{\n  "name": \'x\'\n}', [/^2:11: .*double quotes instead/]],
  ['a missing comma', '{\n  "name": "x"\n  "store": {}\n}', ['3:3: found "\\"store\\""; write "," in front of it']],
  ['a missing colon', '{"name" "x"}', [/^1:9: .*write ":" between/]],
  ['an object that is not closed', '{"listener": {\n"port": 1\n', [/^3:1: found the end of the file; write "}"/]],
  ['a list that is not closed', '{"topic": [\n', [/^2:1: found the end of the file; write "]"/]],
  ['something behind the end', '{}\n{}', [/^2:1: .*after the end/]],
  ['a text without end', '{"name": "x\n}', [/^1:10: this text has no end/]],
  ['two syntax errors on different lines', '{\n"a" 1,\n"b" 2}', [/^2:5:/, /^3:5:/]],
  ['a list instead of an object', '[]',
    ['1:1: must be an object {...}, not a list [...]; write an object {...} instead']],

  // Form
  ['a misspelt key', '{\n  "listener": {\n    "prot": 1883 } }',
    ['3:5: listener.prot: there is no such key; write "port" instead']],
  ['a misspelt key at the top', '{"nmae": "x"}', ['1:2: nmae: there is no such key; write "name" instead']],
  ['a key with part of its name', '{"upstream": {"identity": "x"}}',
    ['1:15: upstream.identity: there is no such key; write "bridge_identity" instead']],
  ['a key of another product', '{"upstream": {"username": "x"}}',
    ['1:15: upstream.username: there is no such key; write upstream.remote_username instead']],
  ['a key with hyphens', '{"listener": {"allow-anonymous": true}}', [/write "allow_anonymous" instead$/]],
  ['a key that belongs elsewhere', '{"certfile": "a"}',
    ['1:2: certfile: there is no such key; it belongs elsewhere: write listener.certfile or page.certfile instead']],
  ['a port of nobody', '{"port": 1883}',
    ['1:2: port: there is no such key; write listener.port instead, or the port of the broker in upstream.address']],
  ['a key that belongs into a list', '{"interval": 5}', [/write upstream\.probe\.interval or sensors\[\]\.interval instead/]],
  ['a key like no other', '{"store": {"xyzzy": 1}}',
    ['1:12: store.xyzzy: there is no such key; remove it, or write one of these instead: ram, path, size, durability, on_failure, full, replay_rate, quarantine, messages_per_second']],
  ['a store that is too small',
    '{"listener": {"max_packet_size": 1024}, "store": {"durability": "flash", "size": 8192}}',
      ['1:74: store.size: 8192 bytes are too few for messages as long as listener.max_packet_size allows; write 1048576 or more instead']],
  ['a number in quotes', '{"listener": {"port": "1884"}}',
    ['1:15: listener.port: must be a whole number, not a text in double quotes; write 1884 instead']],
  ['a fraction', '{"listener": {"port": 1883.4}}', [/write 1883 instead/]],
  ['a truth value in quotes', '{"listener": {"allow_anonymous": "true"}}',
    [/must be true or false.*; write true instead/]],
  ['a text without quotes around a number', '{"name": 5}', [/write "5" instead/]],
  ['one address without a list', '{"upstream": {"address": "mqtt://h"}}', [/write \["mqtt:\/\/h"\] instead/]],
  ['no address at all', '{"upstream": {"address": []}}',
    [/too few entries; write for example \["mqtt:\/\/192\.168\.1\.10:1883"\] instead/]],
  ['a port that is none', '{"listener": {"port": 70000}}',
    ['1:15: listener.port: 70000 is too large; write a number from 0 to 65535 instead']],
  ['a QoS that is none', '{"topic": [{}, {"qos": 3}]}',
    ['1:17: topic[1].qos: 3 is too large; write a number from 0 to 2 instead']],
  ['a negative size', '{"store": {"ram": -1}}', [/-1 is too small/]],
  ['an unknown direction', '{"topic": [{"direction": "up"}]}',
    ['1:13: topic[0].direction: "up" is not known here; write "in" or "out" or "both" instead']],
  ['an unknown version', '{"upstream": {"bridge_protocol_version": "mqttv5"}}',
    [/write "mqttv31" or "mqttv311" or "mqttv50" instead/]],
  ['a sensor without a type', '{"sensors": [{"name": "a"}]}',
    ['1:14: sensors[0]: the key "type" is missing; write it as well']],
  ['a rule that is no object', '{"topic": ["a"]}', [/^1:12: topic\[0\]: must be an object/]],
  ['an empty name', '{"name": ""}', [/must not be empty; write for example "ringbridge" instead/]],
  ['a key that is there twice', '{"name": "a",\n "name": "b"}', [/name: this key is there twice/]],
  ['a restart_timeout of three', '{"upstream": {"restart_timeout": [1,2,3]}}',
    [/too many entries; write for example \[5,30\]/]],

  // Meaning
  ['an address without scheme', '{"upstream": {"address": ["10.0.0.1:1883"]}}',
    ['1:27: upstream.address[0]: "10.0.0.1:1883" is not an upstream address; write "mqtt://10.0.0.1:1883" instead']],
  ['an address of OpenSSL', '{"upstream": {"address": ["ssl://h:8883"]}}', [/write "mqtts:\/\/h:8883" instead/]],
  ['an address with WebSocket and a fragment', '{"upstream": {"address": ["ws://h/#a"]}}', [/"ws:\/\/h\/#a" is not an upstream address; write ws:\/\/host\/path or ws:\/\/host:port\/path instead/]],
  ['a key of TLS with WebSocket without TLS', '{"upstream": {"address": ["ws://h/a"], "bridge_cafile": "ca.pem"}}', [/write "wss:\/\/h:443\/a" in upstream\.address/]],
  ['a key of TLS without TLS', '{"upstream": {"address": ["mqtt://h"], "bridge_cafile": "ca.pem"}}',
    ['1:40: upstream.bridge_cafile: there is no TLS without mqtts:// or wss://; write "mqtts://h:8883" in upstream.address, or leave this out, instead']],
  ['a certificate without key', '{"upstream": {"address": ["mqtts://h"], "bridge_certfile": "c"}}', [/bridge_certfile: .*write "bridge_keyfile" as well/]],
  ['a key without certificate', '{"upstream": {"address": ["mqtts://h"], "bridge_keyfile": "c"}}', [/bridge_keyfile: .*write "bridge_certfile" as well/]],
  ['a pre-shared key without name', '{"upstream": {"address": ["mqtts://h"], "bridge_psk": "00"}}', [/bridge_psk: .*write "bridge_identity" as well/]],
  ['a name without pre-shared key', '{"upstream": {"address": ["mqtts://h"], "bridge_identity": "a"}}', [/bridge_identity: .*write "bridge_psk" as well/]],
  ['a pre-shared key that is none', '{"upstream": {"address": ["mqtts://h"], "bridge_identity": "a", "bridge_psk": "geheim"}}',
    [/^1:\d+: upstream\.bridge_psk: is not hexadecimal; write two of 0 to 9 and a to f for each byte instead$/]],
  ['a pre-shared key and certificates', '{"upstream": {"address": ["mqtts://h"], "bridge_identity": "a", "bridge_psk": "00", "bridge_cafile": "c"}}',
    [/bridge_psk: a pre-shared key takes the place of certificates; write either this or "bridge_cafile"/]],
  ['a pre-shared key that is a number', '{"upstream": {"address": ["mqtts://h"], "bridge_psk": 73519283}}', [/^(?!.*73519283).*bridge_psk: must be a text/]],
  ['origins without WebSocket', '{"listener": {"websockets_origin": ["https://a.example"]}}',
    [/websockets_origin: pages connect by WebSocket only; write "protocol": "websockets" as well, or leave this out/]],
  ['an origin that is a name', '{"listener": {"protocol": "websockets", "websockets_origin": ["a.example"]}}',
    [/websockets_origin\[0\]: "a\.example" is no origin; write what the browser sends, for example "https:\/\/example\.com"/]],
  ['an origin with a path', '{"listener": {"protocol": "websockets", "websockets_origin": ["https://a.example/b"]}}', [/is no origin/]],
  ['a listener certificate without key', '{"listener": {"certfile": "c"}}', [/listener\.certfile: .*write "keyfile" as well/]],
  ['a listener key without certificate', '{"listener": {"keyfile": "c"}}', [/listener\.keyfile: .*write "certfile" as well/]],
  ['CAs without certificate', '{"listener": {"cafile": "c"}}', [/listener\.cafile: .*write "certfile" and "keyfile" as well/]],
  ['a demand for certificates without CAs', '{"listener": {"require_certificate": true}}', [/require_certificate: .*write "cafile"/]],
  ['identities that nobody proves', '{"listener": {"use_identity_as_username": true}}', [/use_identity_as_username: .*write "require_certificate": true/]],
  ['pre-shared keys and a certificate', '{"listener": {"certfile": "c", "keyfile": "k", "psk_file": "p"}}', [/psk_file: .*write either this or "certfile"/]],
  ['an address with credentials', '{"upstream": {"address": ["mqtt://u:p@h"]}}',
    [/write "remote_username" and "remote_password" instead/]],
  ['an address with a port that is none', '{"upstream": {"address": ["mqtt://h", "mqtt://h:99999"]}}',
    [/^1:39: upstream\.address\[1\]: .*; write mqtt:\/\/host or mqtt:\/\/host:port instead/]],
  ['a pattern that is no filter', '{"topic": [{"pattern": "a#"}]}',
    [/^1:13: topic\[0\]\.pattern: "a#" is no Topic Filter/]],
  ['a prefix with a wildcard', '{"topic": [{"remote_prefix": "a/+/"}]}',
    [/^1:13: topic\[0\]\.remote_prefix: a prefix has no wildcards/]],
  ['a prefix that makes no filter', '{"topic": [{"pattern": "#", "remote_prefix": "site"}]}',
    ['1:29: topic[0].remote_prefix: "site#" is no Topic Filter; write "site/" instead']],
  ['an empty pattern with one prefix', '{"topic": [{"pattern": "", "local_prefix": "a"}]}',
    [/write both "local_prefix" and "remote_prefix"/]],
  ['a right of a user who is not there',
    '{"listener": {"users": [{"username": "anna", "password": ""}], "acl": [{"user": "ana"}]}}',
      [/listener\.acl\[0\]\.user: there is no user "ana"; write "anna" instead, or null/]],
  ['a right about what is no filter', '{"listener": {"acl": [{"topic": "a/#/%u"}]}}',
    [/listener\.acl\[0\]\.topic: "a\/#\/%u" is no Topic Filter/]],
  ['a mount point with a wildcard',
    '{"listener": {"users": [{"username": "anna", "password": "", "mount_point": "+/%u/"}]}}',
      [/mount_point: "\+\/%u\/" has wildcards/]],
  ['a Will Topic with a wildcard', '{"upstream": {"will": {"topic": "a/#"}}}',
    [/^1:24: upstream\.will\.topic: "a\/#" is no Topic Name/]],
  ['a birth with a wildcard', '{"upstream": {"will": {"topic": "a"}, "birth": {"topic": "b/+"}}}',
    ['1:49: upstream.birth.topic: "b/+" is no Topic Name; write one without "+" and "#" instead']],
  ['a birth without a topic and without a Will', '{"upstream": {"birth": {"payload": "up"}}}',
    [/^1:15: upstream\.birth: has no topic; write "topic" as well/]],
  ['notifications beside a Will, of which a connection has one',
    '{"upstream": {"notifications": true, "will": {"topic": "a"}}}',
    [/^1:15: upstream\.notifications: the broker keeps one Will .* write "notifications_local_only": true, or leave out "will"/]],
  ['a topic of the probe with a wildcard', '{"upstream": {"probe": {"topic": "a/#"}}}',
    [/^1:\d+: upstream\.probe\.topic: "a\/#" is no Topic Name; write one without "\+" and "#" instead/]],
  ['a probe without a topic', '{"upstream": {"probe": {}}}', [/^1:\d+: upstream\.probe: the key "topic" is missing; write it as well/]],
  ['a probe more than once a second', '{"upstream": {"probe": {"topic": "a", "interval": 0}}}',
    [/^1:\d+: upstream\.probe\.interval: /]],
  ['a topic of notifications with a wildcard', '{"upstream": {"notifications": true, "notification_topic": "a/#"}}',
    [/^1:38: upstream\.notification_topic: "a\/#" is no Topic Name/]],
  ['a text with U+0000', '{"name": "a\\u0000b"}', [/U\+0000/]],
  ['a long identifier with 3.1',
    '{"name": "abcdefghijklmnopqrstuvwx", "upstream": {"bridge_protocol_version": "mqttv31"}}',
      [/^1:2: name: has 24 characters/]],
  ['a long remote_clientid with 3.1',
    '{"upstream": {"bridge_protocol_version": "mqttv31", "remote_clientid": "abcdefghijklmnopqrstuvwx"}}',
      [/^1:53: upstream\.remote_clientid/]],
  ['a password without a user name', '{"upstream": {"remote_password": "x"}}', [/write "remote_username" as well/]],
  ['a base above the cap', '{"upstream": {"restart_timeout": [30, 5]}}', [/write \[5, 30\] instead/]],
  ['a count that is no power of two', '{"memory": {"topics": 65}}',
    ['1:13: memory.topics: 65 is no power of two; write 64 or 128 instead']],
  ['fewer sessions than connections', '{"listener": {"max_connections": 4, "max_sessions": 3}}',
    [/write 4 or more instead/]],
  ['a host name to listen on', '{"listener": {"address": "localhost"}}', [/write "127\.0\.0\.1" instead/]],
  ['sizes that no computer has', '{"listener": {"max_sessions": 4096, "max_queued_bytes": 16777216}}', [/add up to/]],
  ['an unknown sensor', '{"sensors": [{"name": "a", "type": "simulatde"}]}',
    ['1:28: sensors[0].type: there is no sensor type "simulatde"; write "simulated" instead']],
  ['a sensor without its wiring', '{"sensors": [{"name": "a", "type": "sht3x", "data": 21}]}',
    [/^1:14: sensors\[0\]: .*needs the key "clock"/]],
  ['a sensor without its pin', '{"sensors": [{"name": "a", "type": "digital"}]}', [/needs the key "pin"/]],
  ['two sensors of one name', '{"sensors": [{"name": "a", "type": "simulated"}, {"name": "a", "type": "simulated"}]}',
    [/^1:51: sensors\[1\]\.name: "a" is there twice/]],
  ['a sensor that expires between its readings',
    '{"sensors": [{"name": "a", "type": "simulated", "interval": 20, "expire_after": 20}]}',
      [/^1:\d+: sensors\[0\]\.expire_after: 20 is over before the next reading, which comes after 20 seconds; write 60 instead$/]],
  ['a sensor topic with a wildcard', '{"sensors": [{"name": "a", "type": "simulated", "topic": "+"}]}',
    [/no Topic Name/]],
  ['two users of one name',
    '{"listener": {"users": [{"username": "a", "password": "x"}, {"username": "a", "password": "y"}]}}',
      [/users\[1\]\.username: "a" is there twice/]],
  ['a user without a password', '{"listener": {"users": [{"username": "a"}]}}',
    [/user "a" has no password; write "password_hash"/]],
  ['a user with both',
    '{"listener": {"users": [{"username": "a", "password": "x", "password_hash": "scrypt$2$1$1$AAAA$AAAAAAAAAAAAAAAAAAAAAA=="}]}}', [/either/]],
  ['a hash that is none', '{"listener": {"users": [{"username": "a", "password_hash": "x"}]}}',
    [/write what "ringbridge passwd" prints instead/]],
];

describe('a configuration file that cannot be used', () => {
  test.each(REJECTED)('%s', (_name, text, expected) => {
    const errors = errorsOf(text).map(line => line.replace(`${FILE}:`, ''));
    expect(errors).toHaveLength(expected.length);
    expected.forEach((line, index) => typeof line === 'string' ? expect(errors[index]).toBe(line)
      : expect(errors[index]).toMatch(line));
  });

  test.each(REJECTED)('says what to write: %s', (_name, text) => {
    for (const error of errorsOf(text))
      expect(error).toMatch(/^test\.json:\d+:\d+: .*; (.* )?(write|remove it)/);
  });

  test('all errors are told at once, in the order of the file', () => {
    const errors = errorsOf(`{
      "nmae": "x",
      "upstream": { "will": { "qos": 9 }, "restart_timeout": [9, 1] },
      "listener": { "port": "x", "address": "here", "users": [{}, { "username": "u" }] },
      "topic": [5, { "pattern": "a#" }],
      "memory": { "topics": 3 }
    }`);
    expect(errors.map(error => /^test\.json:\d+:\d+: ([^:]*):/.exec(error)![1])).toEqual([
      'nmae', 'upstream.will', 'upstream.will.qos', 'upstream.restart_timeout', 'listener.port', 'listener.address',
        'listener.users[0]',
      'listener.users[1]', 'topic[0]', 'topic[1].pattern', 'memory.topics',
    ]);
  });

  test('no message repeats a password', () => {
    const errors =
      errorsOf('{"upstream": {"remote_password": 4711}, "listener": {"users": [{"username": "a", "password": 4711}, {"username": "b", "password_hash": "4711"}]}}');
    expect(errors).toHaveLength(3);
    expect(errors.join()).not.toContain('4711');
  });

  test('a value cannot break out of its line', () => {
    expect(errorsOf('{"upstream": {"address": ["a\\u001b[2J\\nb"]}}').join('')).not.toMatch(/[\n\u001b]/);
  });

  test('a file that is not there', () => {
    expect(loadConfiguration('/nowhere/x.json').errors).toEqual(['/nowhere/x.json: there is no such file; write the path of a configuration file instead']);
    expect(loadConfiguration('/').errors).toEqual(['/: is a folder; write the path of a regular file instead']);
  });

  test('lines are counted with any line end', () => {
    expect(errorsOf('{\r\n"a": 1,\r"b": 2,\n"c": 3}').map(error => error.split(':')[1])).toEqual(['2', '3', '4']);
  });
});

describe('a configuration file that works with a warning', () => {
  const RULE = '"topic": [{}]';
  const USERS = '"users": [{"username": "a", "password_hash": "scrypt$16384$8$1$AAAAAAAAAAAAAAAAAAAAAA==$AAAAAAAAAAAAAAAAAAAAAA=="}]';
  test.each<readonly [string, string, readonly RegExp[]]>([
    ['nothing to warn of', `{${RULE}, "listener": {${USERS}}}`, []],
    ['anonymous on this computer only', `{${RULE}, "listener": {"address": "127.0.0.1", "allow_anonymous": true}}`, []],
    ['anonymous on all addresses', `{${RULE}, "listener": {"allow_anonymous": true}}`,
      [/^test\.json:1:30: warning: listener\.allow_anonymous: everybody/]],
    ['nobody can connect', `{${RULE}}`, [/no node can connect/]],
    ['a plain password', `{${RULE}, "listener": {"users": [{"username": "a", "password": "b"}]}}`,
      [/make a hash with "ringbridge passwd"/]],
    ['flash', `{${RULE}, "listener": {${USERS}}, "store": {"durability": "flash"}}`, []],
    ['no rules', `{"listener": {${USERS}}}`, [/nothing crosses the bridge/]],
    ['rules that feed each other',
      `{"topic": [{"pattern": "a/#"}, {"pattern": "+/b", "direction": "in"}], "listener": {${USERS}}}`,
        [/topic\[1\]\.pattern: what a node publishes to ".*" goes out by topic\[0\] and comes back/]],
    ['rules that do not',
      `{"topic": [{"pattern": "a/#"}, {"pattern": "b/#", "direction": "in"}], "listener": {${USERS}}}`, []],
    ['rules that prefixes keep apart',
      `{"topic": [{"remote_prefix": "up/"}, {"direction": "in", "remote_prefix": "down/"}], "listener": {${USERS}}}`,
        []],
    ['a rule for both directions', `{"topic": [{"direction": "both"}], "listener": {${USERS}}}`,
      [/direction: what goes out comes back in/]],
  ])('%s', (_name, text, expected) => {
    const warnings = warningsOf(text);
    expect(warnings).toHaveLength(expected.length);
    expected.forEach((line, index) => expect(warnings[index]).toMatch(line));
  });
});

describe('the schema', () => {
  const { properties } = readSchema();
  const defaultsOf = (schema: Schema): Record<string, unknown> =>
    Object.fromEntries(Object.entries(schema.properties!).filter(([, inner]) =>
      'default' in inner).map(([key, inner]) => [key, inner.default]));

  /** Keys that mean nothing unless they are given. */
  const WITHOUT_DEFAULT: Record<string, string[]> = {
    'upstream': ['name'],
    'topic[]': ['upstream'],
    'sensors[]': ['format', 'quantity', 'scale', 'offset', 'filters', 'deadband', 'heartbeat', 'expire_after',
      'device_class', 'unit_of_measurement', 'state_class', 'icon', 'pin', 'transmit', 'data', 'clock', 'address',
      'baud', 'parity', 'stop_bits', 'rom', 'register', 'register_type', 'value_type', 'multiplexer', 'gain',
      'shunt_resistance'],
    'homeassistant.devices[]': ['availability_topic', 'payload_available', 'payload_not_available'],
    'homeassistant.devices[].entities[]': ['name', 'platform', 'topic', 'command_topic', 'payload_on', 'payload_off',
      'decimals', 'expire_after', 'device_class', 'unit_of_measurement', 'state_class', 'icon'],
  };

  test.each<readonly [string, Schema, object]>([
    ['upstream', properties!.upstream!, Defaults.DEFAULT_UPSTREAM],
    ['upstream.will', properties!.upstream!.properties!.will!, Defaults.DEFAULT_WILL],
    ['upstream.birth', properties!.upstream!.properties!.birth!, { ...Defaults.DEFAULT_WILL, payload: 'online' }],
    ['listener', properties!.listener!, Defaults.DEFAULT_LISTENER],
    ['listener.acl[]', properties!.listener!.properties!.acl!.items!, Defaults.DEFAULT_ACCESS],
    ['topic[]', properties!.topic!.items!, Defaults.DEFAULT_TOPIC_RULE],
    ['sensors[]', properties!.sensors!.items!, Defaults.DEFAULT_SENSOR],
    ['store', properties!.store!, Defaults.DEFAULT_STORE],
    ['memory', properties!.memory!, Defaults.DEFAULT_MEMORY],
    ['homeassistant', properties!.homeassistant!, Defaults.DEFAULT_HOME_ASSISTANT],
  ])('has the keys and defaults of the core: %s', (name, schema, defaults) => {
    expect(defaultsOf(schema)).toEqual(defaults);
    expect(Object.keys(schema.properties!)).toEqual([...Object.keys(defaults), ...WITHOUT_DEFAULT[name] ?? []]);
  });

  test('has the sections of the core', () => {
    expect(properties!.name!.default).toBe(Defaults.DEFAULT_NAME);
    const isForTheProgram = (key: string): boolean => key !== '$schema' && key !== 'tests';
    expect(Object.keys(properties!).filter(isForTheProgram)).toEqual(Object.keys(completeConfiguration({})));
  });

  test('describes every key, bounds every number, and knows no key that it does not name', () => {
    const visit = (schema: Schema, path: string): void => {
      expect(schema.description, path).toBeTruthy();
      if (schema.type === 'integer' || schema.type === 'number')
        expect([typeof schema.minimum, typeof schema.maximum], path).toEqual(['number', 'number']);
      if (schema.properties !== undefined)
        expect(schema.additionalProperties, path).toBe(false);
      for (const [key, inner] of Object.entries(schema.properties ?? {}))
        visit(inner, `${path}.${key}`);
      if (schema.items?.type === 'object')
        visit(schema.items, `${path}[]`);
    };
    visit(readSchema(), '');
  });

  test('ships with the package', () => {
    const { files } =
      JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as { files: string[] };
    expect(files).toContain('src');
    expect(SCHEMA_FILE.pathname).toMatch(/\/src\/config\/config\.schema\.json$/);
  });
});

test('every sensor type of this computer can be made, and no other', () => {
  const { createSensor } = createPlatform({ authenticate: () => 0 });
  const make = (type: string) => createSensor({ ...Defaults.DEFAULT_SENSOR, name: 'a', type });
  for (const type of SENSOR_TYPES)
    expect(make(type).read()).not.toBeNaN();
  expect(() => make('bmp281')).toThrow('bmp281');
});

test.each([
  ['', '', 0], ['a', '', 1], ['port', 'prot', 1], ['port', 'ports', 1], ['kitten', 'sitting', 3],
])('the edit distance of %s and %s is %d', (a, b, distance) => {
  expect(editDistance(a, b)).toBe(distance);
  expect(editDistance(b, a)).toBe(distance);
});

test('a name that is far from all others is not guessed', () => {
  expect(nearest('zzz', ['port', 'address'])).toBeUndefined();
  expect(nearest('Port', ['port', 'address'])).toBe('port');
});

test('figures that go to the broker: a warning where there are none, and where the broker refuses their names', () => {
  expect(warningsOf('{ "topic": [{ "pattern": "$SYS/#" }], "listener": { "allow_anonymous": true, "address": "127.0.0.1", "sys_interval": 0 } }'))
    .toEqual([
      expect.stringMatching(/topic\[0\]\.remote_prefix: brokers refuse topics that begin with "\$".*; write a name/),
      expect.stringMatching(/topic\[0\]\.pattern: nothing goes out: .* listener\.sys_interval is 0; write for example 10 there/),
    ]);
  expect(warningsOf('{ "topic": [{ "pattern": "$SYS/#", "remote_prefix": "mon/" }], "listener": { "allow_anonymous": true, "address": "127.0.0.1" } }'))
    .toEqual([]);
});
