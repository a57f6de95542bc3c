/** `ringbridge import`: what becomes of a mosquitto.conf, and what is said of the rest. */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Configuration } from '../../src/config/configuration.ts';
import { loadConfiguration, readConfiguration } from '../../src/host/config.ts';
import { importFile, type ImportOptions } from '../../src/host/import.ts';
import { bundle, Folder, run } from './command-line.ts';

const folder = new Folder();
afterAll(() => folder.remove());

interface Result { readonly configuration: Configuration; readonly text: string; readonly remarks: readonly string[] }

/** Checked as by `ringbridge check`. Remarks are without the folder. */
function convert(lines: readonly string[], options: Partial<ImportOptions> = {}): Result {
  const file = folder.write('mosquitto.conf', lines.join('\n'));
  const imported = importFile(file, { isPlain: false, ...options });
  if ('errors' in imported)
    throw new Error(imported.errors.join('\n'));
  const { configuration, errors } = readConfiguration(imported.text, 'made');
  expect(errors).toEqual([]);
  return { configuration: configuration!, text: imported.text,
    remarks: imported.remarks.map(remark => remark.replaceAll(`${folder.path}/`, '')) };
}

const errorsOf = (lines: readonly string[], options: Partial<ImportOptions> = {}): readonly string[] => {
  const imported = importFile(folder.write('mosquitto.conf', lines.join('\n')), { isPlain: false, ...options });
  return 'errors' in imported ? imported.errors.map(error => error.replaceAll(`${folder.path}/`, '')) : [];
};

const SALT = 'ne12IQk3syenpMq4';
const HASH = Buffer.alloc(64, 7).toString('base64');

describe('a connection', () => {
  test('becomes upstream and topic rules, with what Mosquitto has where nothing is said', () => {
    const { configuration: { name, topic, upstream }, remarks } = convert(['connection home # of ours', 'address 10.0.0.1:1884 # there',
      'remote_clientid gw', 'remote_username u', 'remote_password p w', 'cleansession true', 'keepalive_interval 30',
      'restart_timeout 7', 'try_private false', 'notification_topic site/state', 'topic sensors/# out 1 "" site/home/ # up',
      'topic command/# IN 2 local/ site/home/', 'topic plain/#', 'topic "" both 0 a/b c/d']);
    expect(remarks).toEqual([]);
    expect(name).toBe('home');
    expect(upstream).toMatchObject({ address: ['mqtt://10.0.0.1:1884'], remote_clientid: 'gw', remote_username: 'u',
      remote_password: 'p w', cleansession: true, keepalive_interval: 30, restart_timeout: [7, 7], notifications: true,
      notification_topic: 'site/state' });
    expect(topic.map(({ direction, local_prefix, pattern, qos, remote_prefix }) =>
      [pattern, direction, qos, local_prefix, remote_prefix])).toEqual([
      ['sensors/#', 'out', 1, '', 'site/home/'], ['command/#', 'in', 2, 'local/', 'site/home/'],
      ['plain/#', 'out', 0, '', ''], ['', 'both', 0, 'a/b', 'c/d']]);
  });

  test('with CAs speaks TLS, at the port that Mosquitto takes', () => {
    const upstreamOf = (...lines: readonly string[]): Configuration['upstream'] =>
      convert(['connection c', 'remote_clientid c', ...lines]).configuration.upstream;
    expect(upstreamOf('address a.example:8883 b.example 2001:db8::1', 'bridge_cafile /ca.pem', 'bridge_insecure true').address)
      .toEqual(['mqtts://a.example:8883', 'mqtts://b.example:1883', 'mqtts://[2001:db8::1]:1883']);
    expect(upstreamOf('address a.example:8883', 'bridge_capath /etc/ssl/certs')).toMatchObject(
      { address: ['mqtts://a.example:8883'], bridge_cafile: null });
    expect(upstreamOf('address a.example:8883', 'bridge_identity i', 'bridge_psk 0a0b')).toMatchObject(
      { address: ['mqtts://a.example:8883'], bridge_identity: 'i', bridge_psk: '0a0b' });
    expect(upstreamOf('address a.example:8883').address).toEqual(['mqtt://a.example:8883']);
  });

  test('is told by line and key where it is otherwise here, or not at all', () => {
    const { remarks } = convert(['connection c', 'address a.example b.example', 'start_type lazy', 'bridge_protocol_version mqttv60',
      'topic b# out', 'topic a sideways', 'local_username x', 'frobnicate 1', 'bridge_outgoing_retain false', 'topic # both 0', 'try_private true',
      'bridge_tls_version tlsv1', 'remote_password s3cret']);
    expect(remarks.map(remark => remark.split(': ').slice(0, 3).join(': '))).toEqual([
      'mosquitto.conf:6: topic: not carried', 'mosquitto.conf:9: bridge_outgoing_retain: not carried',
      'mosquitto.conf:13: remote_password: not carried', 'mosquitto.conf:8: frobnicate: not carried',
      'mosquitto.conf:5: topic: not carried', 'mosquitto.conf:3: start_type: carried otherwise',
      'mosquitto.conf:4: bridge_protocol_version: carried otherwise', 'mosquitto.conf:11: try_private: carried otherwise',
      'mosquitto.conf:12: bridge_tls_version: carried otherwise', 'mosquitto.conf:1: connection: carried otherwise',
      'mosquitto.conf:2: address: carried otherwise', 'mosquitto.conf:7: local_username: not needed']);
    expect(remarks.join('\n')).not.toContain('s3cret');
  });

  test('of several is the first, or the one that is named', () => {
    const lines = ['connection one', 'address a', 'remote_clientid o', 'topic a out', 'connection two', 'address b', 'remote_clientid t', 'topic b in'];
    const first = convert(lines);
    expect(first.configuration.upstream.address).toEqual(['mqtt://a']);
    expect(first.remarks).toEqual(['mosquitto.conf:5: connection: not carried: "two": a gateway has one broker; '
      + 'import it with --connection two for a gateway of its own']);
    expect(convert(lines, { connection: 'two' }).configuration).toMatchObject({ name: 'two', topic: [{ pattern: 'b', direction: 'in' }] });
    expect(errorsOf(lines, { connection: 'three' })).toEqual(['mosquitto.conf: there is no connection "three"; write one of "one", "two"']);
  });

  test('has a password that stands for itself, whatever it looks like', () => {
    for (const password of ['${HOME}', '$${HOME}', 'a"b\\c', '${', '$1'])
      expect(convert(['connection c', 'address a', 'remote_clientid c', 'remote_username u', `remote_password ${password}`])
        .configuration.upstream.remote_password).toBe(password);
  });
});

describe('a listener', () => {
  test('without a line is that of Mosquitto: this computer only, and everybody', () => {
    expect(convert([]).configuration.listener).toMatchObject({ port: 1883, address: '127.0.0.1', allow_anonymous: true });
    expect(convert(['port 1884', 'allow_anonymous true']).configuration.listener).toMatchObject({ port: 1884, address: '::', allow_anonymous: true });
    expect(convert(['allow_anonymous false', 'persistence_location /x/']).remarks).toEqual([
      expect.stringMatching(/^mosquitto\.conf:1: allow_anonymous: carried otherwise: without a line "listener" Mosquitto 2 is there for this computer only/),
      'mosquitto.conf:2: persistence_location: not needed: without "persistence true" nothing is kept there']);
    const { configuration, remarks } = convert(['listener 1885 10.0.0.1']);
    expect(configuration.listener).toMatchObject({ port: 1885, address: '10.0.0.1', allow_anonymous: false });
    expect(remarks).toEqual([expect.stringMatching(/^mosquitto\.conf:1: listener: carried otherwise: without allow_anonymous and password_file Mosquitto 2/)]);
  });

  test('has TLS, limits and identities of certificates', () => {
    const { configuration: { listener }, remarks } = convert(['max_queued_messages 200', 'max_inflight_messages 5', 'message_size_limit 1000', 'sys_interval 30',
      'persistent_client_expiration 2w', 'listener 8883 127.0.0.1', 'certfile /c', 'keyfile /k', 'cafile /a', 'require_certificate true',
      'use_identity_as_username true', 'tls_version tlsv1.3', 'max_connections 20', 'socket_domain ipv4']);
    expect(remarks).toEqual([expect.stringMatching(/^mosquitto\.conf:11: use_identity_as_username: carried otherwise: Mosquitto lets in whoever has a certificate/)]);
    expect(listener).toMatchObject({ port: 8883, certfile: '/c', keyfile: '/k', cafile: '/a', require_certificate: true,
      use_identity_as_username: true, tls_version: 'tlsv1.3', max_connections: 20, max_queued_messages: 200,
      max_inflight_messages: 5, max_packet_size: 2024, sys_interval: 30, persistent_client_expiration: 1_209_600 });
    expect(convert(['listener 8883', 'certfile /c', 'keyfile /k', 'cafile /a']).configuration.listener.cafile).toBeNull();
  });

  test('of several is the first without WebSocket, or the one that is named', () => {
    const lines = ['listener 9001', 'protocol websockets', 'listener 0 /run/m.sock', 'listener 1883', 'allow_anonymous true', 'listener 1884'];
    const { configuration, remarks } = convert(lines);
    expect(configuration.listener.port).toBe(1883);
    expect(remarks.map(remark => remark.split(';')[0])).toEqual([
      'mosquitto.conf:1: listener: not carried: 9001: a gateway has one listener',
      'mosquitto.conf:3: listener: not carried: 0: it is a socket of the file system',
      'mosquitto.conf:6: listener: not carried: 1884: a gateway has one listener']);
    expect(convert(lines, { listener: '1884' }).configuration.listener.port).toBe(1884);
    const within = convert(lines, { listener: '9001' });
    expect(within.configuration.listener).toMatchObject({ port: 9001, protocol: 'websockets' });
    expect(within.remarks.some(remark => /:4: listener: not carried: 1883: a gateway has one listener; /.test(remark))).toBe(true);
  });

  test('within WebSocket is one within WebSocket, with the pages that may connect', () => {
    const lines = ['listener 9001 127.0.0.1', 'protocol websockets', 'allow_anonymous true', 'http_dir /var/www', 'websockets_headers_size 2048'];
    const { configuration: { listener }, remarks } = convert(lines);
    expect(listener).toMatchObject({ port: 9001, address: '127.0.0.1', protocol: 'websockets', allow_anonymous: true, websockets_origin: [] });
    expect(remarks.map(remark => remark.split('; ')[0])).toEqual([
      'mosquitto.conf:4: http_dir: not carried: files are not served',
      'mosquitto.conf:2: protocol: carried otherwise: Mosquitto lets in every web page that a browser has loaded, and here only those of this computer may connect',
      'mosquitto.conf:5: websockets_headers_size: not needed: the request of a WebSocket may have 4096 bytes']);
    const origins = convert([...lines, 'websockets_origin https://a.example', 'websockets_origin https://b.example']);
    expect(origins.configuration.listener.websockets_origin).toEqual(['https://a.example', 'https://b.example']);
    expect(origins.remarks.join()).not.toContain('web page');
    const plain = convert(['listener 1883', 'allow_anonymous true', 'websockets_origin https://a.example']);
    expect(plain.configuration.listener).toMatchObject({ protocol: 'mqtt', websockets_origin: [] });
    expect(plain.remarks).toEqual(['mosquitto.conf:3: websockets_origin: not needed: the listener that is carried is not within WebSocket']);
  });

  test('without a line is there for what is said before the first line, and comes last', () => {
    const lines = ['max_connections 7', 'listener 1884', 'allow_anonymous true'];
    const { configuration, remarks } = convert(lines);
    expect(configuration.listener).toMatchObject({ port: 1884, max_connections: 100 });
    expect(remarks).toEqual([expect.stringMatching(/^mosquitto\.conf:1: listener: not carried: 1883: a gateway has one listener/)]);
    expect(convert(lines, { listener: '1883' }).configuration.listener).toMatchObject({ port: 1883, max_connections: 7 });
    expect(convert(['tls_version tlsv1.2', 'protocol mqtt', ...lines.slice(1)]).remarks.map(remark => remark.split(': ').slice(0, 3).join(': '))).toEqual([
      'mosquitto.conf:1: tls_version: not needed', 'mosquitto.conf:2: protocol: not needed']);
    expect(convert(['max_connections 7']).configuration.listener).toMatchObject({ address: '::', allow_anonymous: false });
  });

  test('has what belongs to it with per_listener_settings, and what is said anywhere without', () => {
    const lines = ['listener 1883', 'allow_anonymous true', 'listener 1884', 'allow_anonymous false'];
    expect(convert(['per_listener_settings true', ...lines]).configuration.listener.allow_anonymous).toBe(true);
    expect(convert(lines).configuration.listener.allow_anonymous).toBe(false);
  });

  test('has numbers within what is taken, with room that they need, and a line about memory', () => {
    const { configuration: { listener, store }, remarks } = convert(['listener 1883', 'allow_anonymous true', 'max_packet_size 268435455',
      'max_queued_messages 0', 'max_connections -1', 'persistence true', 'persistence_location /var/lib/m/', 'persistence_file m.db']);
    expect(listener.max_packet_size).toBe(1_048_576);
    expect(store).toMatchObject({ durability: 'flash', path: '/var/lib/m/ringbridge.store' });
    expect(remarks.filter(remark => remark.includes('max_packet_size:'))).toEqual([
      expect.stringContaining('268435455 is outside of what listener.max_packet_size takes; 1048576 is written'),
      expect.stringMatching(/take \d+ MB of memory from the start on/)]);
  });
});

describe('users and rights', () => {
  const LISTENER = ['listener 1883', 'allow_anonymous false', `password_file ${join(folder.path, 'passwd')}`];

  test('keep their hashes; what is no hash is said, and not repeated', () => {
    folder.write('passwd', `a:$7$101$${SALT}$${HASH}\n# comment\nb:$6$${SALT}$${HASH}\nc:pl4in\nd:$argon2id$v=19$x\na:$6$${SALT}$${HASH}\n`);
    const { configuration, remarks } = convert(LISTENER);
    expect(configuration.listener.users).toEqual([{ username: 'a', password_hash: `$7$101$${SALT}$${HASH}` },
      { username: 'b', password_hash: `$6$${SALT}$${HASH}` }]);
    expect(remarks.map(remark => remark.split(/[;,] /)[0])).toEqual([
      'passwd:4: password_file: not carried: user "c": the password is not hashed',
      'passwd:5: password_file: not carried: user "d": hashes of Argon2 cannot be verified here',
      'passwd:6: password_file: not carried: user "a" is there twice']);
    expect(remarks.join('\n')).not.toContain('pl4in');
  });

  test('are found beside the file, where all of it was copied', () => {
    folder.write('passwd', `a:$7$101$${SALT}$${HASH}\n`);
    expect(convert(['listener 1883', 'password_file /nowhere/at/all/passwd']).configuration.listener.users).toHaveLength(1);
    const { configuration, remarks } = convert(['listener 1883', 'password_file /nowhere/at/all/gone']);
    expect(configuration.listener).toMatchObject({ users: [], allow_anonymous: false });
    expect(remarks[0]).toMatch(/^mosquitto\.conf:2: password_file: not carried: .*there is no such file; run this where it is, or copy it beside/);
  });

  const rightsOf = (acl: readonly string[], ...more: readonly string[]): Result => {
    folder.write('acl', acl.join('\n'));
    return convert([...LISTENER, `acl_file ${join(folder.path, 'acl')}`, ...more]);
  };
  const ACL = ['topic read public/#', 'topic deny secret', 'user a', 'topic a/b c/#', 'topic deny a/no', 'user ghost', 'topic x', 'pattern write d/%c/#'];

  test('are those of each user, and of all: denials first, nothing for those who may not connect', () => {
    const { configuration: { listener: { acl } }, remarks } = rightsOf(ACL);
    expect(acl.map(({ access, topic, user }) => [user, topic, access])).toEqual([
      ['a', 'a/no', 'deny'], ['a', 'a/b c/#', 'readwrite'], [null, 'd/%c/#', 'write']]);
    expect(remarks.map(remark => remark.split(': ').slice(0, 3).join(': '))).toEqual([
      'acl:7: acl_file: not carried', 'acl:1: acl_file: not needed', 'acl:2: acl_file: not needed']);
  });

  test('of nodes without user never give a user more than it had', () => {
    const { configuration: { listener: { acl } }, remarks } = rightsOf(ACL, 'allow_anonymous true');
    expect(acl.map(({ access, topic, user }) => [user, topic, access])).toEqual([
      [null, 'secret', 'deny'], ['a', 'a/no', 'deny'], ['a', 'a/b c/#', 'readwrite'], [null, 'd/%c/#', 'write']]);
    expect(remarks.map(remark => remark.split(': ').slice(0, 3).join(': '))).toEqual([
      'acl:1: acl_file: not carried', 'acl:7: acl_file: not carried', 'acl:2: acl_file: carried otherwise']);
    folder.write('acl', 'topic read public/#');
    expect(convert(['listener 1', 'allow_anonymous true', `acl_file ${join(folder.path, 'acl')}`]).configuration.listener.acl)
      .toEqual([{ user: null, topic: 'public/#', access: 'read' }]);
  });

  test('that cannot be carried allow nothing, not everything', () => {
    for (const acl of [[], ['user ghost', 'topic x'], ['topic read a#']])
      expect(rightsOf(acl).configuration.listener.acl).toEqual([{ user: null, topic: '#', access: 'deny' }]);
    expect(convert([...LISTENER, 'acl_file /nowhere/at/all/acl.gone']).configuration.listener.acl).toHaveLength(1);
    const many = Array.from({ length: 300 }, (_, index) => `pattern read t${index}`);
    const { configuration, remarks } = rightsOf([...many, 'pattern deny t1/#']);
    expect(configuration.listener.acl).toHaveLength(256);
    expect(configuration.listener.acl[0]).toMatchObject({ access: 'deny' });
    expect(remarks).toHaveLength(45);
  });

  test('of those whom a certificate or a key names are theirs, without password', () => {
    folder.write('acl', 'user sensor 7\ntopic write a/#\n');
    folder.write('psk', 'key1:0a0b\n');
    const acl_file = `acl_file ${join(folder.path, 'acl')}`;
    const { listener } = convert(['listener 8883', 'certfile /c', 'keyfile /k', 'cafile /a', 'require_certificate true',
      'use_identity_as_username true', acl_file]).configuration;
    expect([listener.users, listener.acl]).toEqual([[{ username: 'sensor 7' }], [{ user: 'sensor 7', topic: 'a/#', access: 'write' }]]);
    const psk = ['listener 8883', `psk_file ${join(folder.path, 'psk')}`, 'use_identity_as_username true'];
    expect(convert([...psk, 'psk_hint home']).configuration.listener.users).toEqual([{ username: 'key1' }]);
    expect(convert(['listener 8883', `psk_file ${join(folder.path, 'psk')}`]).configuration.listener.psk_file).toBeNull();
  });

  test('that are refused one by one leave nothing open', () => {
    const { configuration, remarks } = rightsOf(['user a', 'topic read a#b', 'topic read x/+y']);
    expect(configuration.listener.acl).toEqual([{ user: null, topic: '#', access: 'deny' }]);
    expect(remarks.filter(remark => remark.includes('is no Topic Filter'))).toHaveLength(2);
  });
});

test('files of include_dir stand in their place, in the order of Mosquitto', () => {
  mkdirSync(join(folder.path, 'conf.d'), { recursive: true });
  folder.write('conf.d/b.conf', 'address second');
  folder.write('conf.d/A.conf', 'connection c\nremote_clientid c\naddress first');
  folder.write('conf.d/c.txt', 'nonsense 1');
  const { configuration, remarks, text } = convert(['include_dir conf.d', 'round_robin true', 'topic a']);
  expect(configuration.upstream.address).toEqual(['mqtt://first', 'mqtt://second']);
  expect(text).toContain('// conf.d/b.conf:1');
  expect(remarks).toEqual([]);
  expect(errorsOf(['include_dir /nowhere/at/all'])).toEqual(['mosquitto.conf:1: include_dir: "/nowhere/at/all" is no folder that can be read; copy it beside mosquitto.conf']);
});

describe('the command', () => {
  beforeAll(bundle);

  test('prints a file that passes check, and the rest on standard error', async () => {
    const file = folder.write('m.conf', 'listener 1883\r\nallow_anonymous true\r\nwebsockets_log_level 2\r\nconnection c\r\naddress a\r\ntopic a\r\n');
    const { exitCode, stderr, stdout } = await run(['import', file]);
    expect(exitCode).toBe(0);
    expect(stderr).toContain(`${file}:3: websockets_log_level: not needed: `);
    expect(stdout).toContain('"allow_anonymous": true // m.conf:2');
    const made = folder.write('made.json', stdout);
    expect(loadConfiguration(made).errors).toEqual([]);
    expect((await run(['check', '--pc', made])).exitCode).toBe(0);
    expect(JSON.parse((await run(['import', file, '--plain'])).stdout)).toMatchObject({ topic: [{ pattern: 'a' }] });
  });

  test('says what is wrong with the file, with 2', async () => {
    const { exitCode, stderr } = await run(['import', join(folder.path, 'gone.conf')]);
    expect([exitCode, stderr]).toEqual([2, expect.stringContaining('there is no such file') as string]);
    expect((await run(['import'])).exitCode).toBe(2);
  });
});
