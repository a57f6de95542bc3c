/**
 * `ringbridge check --online` against everything that may be at the other end but the right broker, and aedes. Real
 * Mosquittos are in host-test/interop.
 */
import { Aedes } from 'aedes';
import { chmodSync, mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { PartialConfiguration } from '../../src/config/configuration.ts';
import { FileLock } from '../../src/host/file-lock.ts';
import { checkOnline } from '../../src/host/online.ts';
import { authority, localServer } from './certificates.ts';
import { bundle, Command, FakeServer, Folder, freePort, run } from './command-line.ts';
import { Stage, until } from './tls-stage.ts';

const folder = new Folder();
afterAll(() => folder.remove());
const endings: (() => unknown)[] = [];
afterEach(async () => {
  for (const end of endings.splice(0))
    await end();
});

/** What the system says of its clock. */
const PATH = process.env['PATH'];
function pretend(timedatectl: string, chronyc: string): void {
  for (const [name, words] of Object.entries({ timedatectl, chronyc }))
    chmodSync(folder.write(name, `#!/bin/sh\necho '${words}'\n`), 0o700);
}
beforeAll(() => {
  process.env['PATH'] = `${folder.path}:${PATH}`;
  pretend('yes', '');
});
afterAll(() => {
  process.env['PATH'] = PATH;
});

interface Result { readonly lines: readonly string[]; readonly code: number }

type Options = Parameters<typeof checkOnline>[1];

async function ask(configuration: PartialConfiguration, options: Options = {}): Promise<Result> {
  const file = folder.write('gateway.json', { name: 'green house', topic: [{ pattern: 'a' }], ...configuration,
    listener: { port: 0, address: '127.0.0.1', allow_anonymous: true, ...configuration.listener } });
  chmodSync(file, 0o600);
  const lines: string[] = [];
  const code = await checkOnline(file, options, line => lines.push(line.replace(/ +/g, ' ')));
  return { lines, code };
}

const about = ({ lines }: Result, phase: string): string[] => lines.filter(line => line.split(' ')[1] === phase);

async function fake(answer: readonly number[] | undefined, closesAfterwards = false):
  Promise<{ address: string; server: FakeServer }> {
  const server = new FakeServer(answer, closesAfterwards);
  endings.push(() => server.close());
  return { address: `mqtt://127.0.0.1:${await server.listen()}`, server };
}

const ascii = (text: string): number[] => [...Buffer.from(text)];
const CONNACK = [0x20, 2, 0, 0];

describe('at the port of the broker', () => {
  test.each<readonly [string, readonly number[] | undefined, boolean, RegExp]>([
    ['a web server', ascii('HTTP/1.1 400 Bad Request\r\n\r\n'), true, /a web server answers on port \d+, and no MQTT broker: .*correct upstream\.address$/],
    ['an SSH server', ascii('SSH-2.0-OpenSSH_9.2\r\n'), false, /what answers on port \d+ is no MQTT broker \(it says "SSH-2\.0-OpenSSH/],
    ['TLS, with an alert', [0x15, 3, 1, 0, 2, 2, 0x46], true, /TLS is spoken on port \d+: write mqtts:\/\/ in upstream\.address$/],
    ['one that closes', undefined, false, /connection closed instead of a CONNACK: does the broker speak TLS there/],
    ['a silent one', [], false, /no CONNACK within 0\.3 seconds: is it an MQTT broker that listens on port \d+\?.*mqtts:\/\//],
    ['one that refuses the version', [0x20, 2, 0, 1], true, /refused with code 1, protocol version not accepted: try another upstream\.bridge_protocol_version$/],
    ['one that refuses the identifier', [0x20, 2, 0, 2], true, /refused with code 2, client identifier rejected.*calls itself "greenhousecheck\w+", and the gateway "green house".*--clientid/],
    ['one that is not available', [0x20, 2, 0, 3], true, /refused with code 3, server unavailable/],
    ['one that refuses the password', [0x20, 2, 0, 4], true, /refused with code 4, bad user name or password: check upstream\.remote_username and upstream\.remote_password$/],
    ['one without rights', [0x20, 2, 0, 5], true, /refused with code 5, not authorized: check upstream\.remote_username/],
    ['one with an unknown code', [0x20, 2, 0, 77], true, /refused with code 77, refused with an unknown return code/],
  ])('%s is told as an error', async (_name, answer, closes, expected) => {
    const { address } = await fake(answer, closes);
    const result = await ask({ upstream: { address: [address], connack_timeout: 0.3 } });
    expect(about(result, 'CONNECT')).toEqual([expect.stringMatching(expected)]);
    expect(about(result, 'TCP')[0]).toMatch(/^ok TCP mqtt:\/\/127/);
    expect(result.code).toBe(2);
  });

  test('nobody is told as an error', async () => {
    const result = await ask({ upstream: { address: [`mqtt://127.0.0.1:${await freePort()}`] } });
    expect(about(result, 'TCP')).toEqual([expect.stringMatching(/^error TCP .*nothing listens on port \d+ there: start the broker, or correct the port/)]);
    expect(result.code).toBe(2);
  });

  test('no name is told as an error', async () => {
    const result = await ask({ upstream: { address: ['mqtt://no-such-name.invalid'] } });
    expect(about(result, 'resolve')).toEqual([expect.stringMatching(/^error resolve no-such-name\.invalid: (?:there is no such name|no answer).*: check upstream\.address/)]);
    expect(result.code).toBe(2);
  });

  test('a spare address that does not work is a warning', async () => {
    const { address } = await fake(CONNACK);
    const result = await ask({ upstream: { address: [`mqtt://127.0.0.1:${await freePort()}`, address], connack_timeout: 0.3 } });
    expect(about(result, 'TCP').map(line => line.split(' ')[0])).toEqual(['warning', 'ok']);
    expect(result.code).toBe(1);
  });
});

describe('TLS', () => {
  const ca = authority();
  const talk = async (server: Parameters<typeof localServer>[1], upstream: PartialConfiguration['upstream'] = {}): Promise<Result> => {
    const stage = new Stage();
    endings.push(() => stage.end());
    const { cert, key } = localServer(ca, server);
    const port = await stage.broker({ cert, key });
    return ask({ upstream: { address: [`mqtts://127.0.0.1:${port}`], bridge_cafile: stage.file('ca.pem', ca.cert), connack_timeout: 1, ...upstream } });
  };

  test('says version, cipher and the days that are left', async () => {
    const result = await talk({});
    expect(about(result, 'TLS')).toEqual([expect.stringMatching(/^ok TLS .*: TLSv1\.3 TLS_/), expect.stringMatching(/^ok TLS .* is valid for 36[45] more days, until 20/)]);
    expect(result.code).toBe(0);
    const soon = await talk({ until: 9.5 });
    expect(about(soon, 'TLS')[1]).toMatch(/^warning TLS .* is valid for 9 more days, until .*: let its operator renew it$/);
    expect(soon.code).toBe(1);
  });

  test.each<readonly [string, Parameters<typeof localServer>[1], PartialConfiguration['upstream'], RegExp]>([
    ['another name', { names: ['elsewhere.example'] }, {}, /is not for "127\.0\.0\.1", but for DNS:elsewhere\.example/],
    ['an expired certificate', { from: -20, until: -2 }, {}, /has expired \(valid until 20/],
    ['one that is not valid yet', { from: 5 }, {}, /is not valid yet/],
    ['an unknown CA', {}, { bridge_cafile: null }, /is not among the CAs that this system trusts/],
    ['files that are not there', {}, { bridge_cafile: '/nowhere/at/all.pem' }, /upstream\.bridge_cafile/],
  ])('with %s is told as an error', async (_name, server, upstream, expected) => {
    const result = await talk(server, upstream);
    expect(about(result, 'TLS')).toEqual([expect.stringMatching(expected)]);
    expect(result.code).toBe(2);
  });

  test('whose files cannot be read is not said to have been tried', async () => {
    const result = await ask({ upstream: { address: [`mqtts://127.0.0.1:${await freePort()}`], bridge_cafile: '/nowhere/at/all.pem' } });
    expect(about(result, 'TCP')).toEqual([]);
    expect(about(result, 'TLS')).toEqual([expect.stringMatching(/^error TLS .*upstream\.bridge_cafile.*; so TCP, TLS and CONNECT were not tried$/)]);
    expect(result.code).toBe(2);
  });

  test('where it is not spoken, and plain MQTT where it is, are told as errors', async () => {
    const { address } = await fake(CONNACK, true);
    const secure = await ask({ upstream: { address: [address.replace('mqtt', 'mqtts')], connack_timeout: 1 } });
    expect(about(secure, 'TLS')).toEqual([expect.stringMatching(/^error TLS .*(?:not in TLS: is it the port of plain MQTT|does it speak TLS on port)/)]);
    const stage = new Stage();
    endings.push(() => stage.end());
    const port = await stage.broker(localServer(ca));
    const plain = await ask({ upstream: { address: [`mqtt://127.0.0.1:${port}`], connack_timeout: 1 } });
    expect(about(plain, 'CONNECT')).toEqual([expect.stringMatching(/^error CONNECT .*(?:TLS is spoken on port \d+|does the broker speak TLS there)/)]);
  });

  test('without an end of the handshake is told in time', async () => {
    const stage = new Stage();
    endings.push(() => stage.end());
    const port = await stage.plain(() => {});
    const result = await ask({ upstream: { address: [`mqtts://127.0.0.1:${port}`] } });
    expect(about(result, 'TLS')).toEqual([expect.stringMatching(/does not answer the TLS handshake/)]);
  }, 15_000);

  test('that is missing while there is a password is a warning', async () => {
    const { address } = await fake(CONNACK);
    const result = await ask({ upstream: { address: [address], connack_timeout: 0.3, remote_username: 'u', remote_password: 's3cret' } });
    expect(about(result, 'TLS')).toEqual([expect.stringMatching(/^warning TLS .*the password crosses the network readable/)]);
    expect(result.lines.join()).not.toContain('s3cret');
  });
});

describe('WebSocket', () => {
  const at = (address: string): string => address.replace(/^mqtt(.*)/, 'ws$1/mqtt?token=geheim');

  test('is begun, and CONNECT and the rest go within it', async () => {
    const stage = new Stage();
    endings.push(() => stage.end());
    await stage.start({ address: ['mqtt://127.0.0.1:1'] }, { listener: { protocol: 'websockets' } });
    await until(() => stage.port !== 0);
    const result = await ask({ upstream: { address: [`ws://127.0.0.1:${stage.port}/mqtt`] },
      topic: [{ pattern: 'a/#', direction: 'in' }] });
    expect(about(result, 'WebSocket')).toEqual([expect.stringMatching(/^ok WebSocket ws:.*: begun, as 101 says/)]);
    expect(about(result, 'CONNECT')).toEqual([expect.stringMatching(/^ok CONNECT ws:.*: accepted, with MQTT 3\.1\.1/)]);
    expect(about(result, 'versions')).toEqual(['ok versions the broker speaks MQTT 3.1, MQTT 3.1.1, MQTT 5.0']);
    expect(about(result, 'SUBACK')).toEqual([expect.stringMatching(/^ok SUBACK "a\/#"/)]);
    expect(result.code).toBe(0);
  });

  test.each<readonly [string, readonly number[] | undefined, RegExp]>([
    ['plain MQTT, which closes', undefined, /closes the connection where it should begin a WebSocket: is it a port of MQTT without WebSocket \(write mqtt:/],
    ['a broker that says something else', CONNACK, /speaks no HTTP/],
    ['a web server', ascii('HTTP/1.0 404 Not Found\r\n\r\n'), /answers 404 where it should begin a WebSocket \(101\): there is nothing at this path; most brokers want \/mqtt or \/$/],
  ])('at the port of %s is told as an error, once', async (_name, answer, expected) => {
    const { address } = await fake(answer, true);
    const result = await ask({ upstream: { address: [at(address)] } });
    expect(about(result, 'TCP')[0]).toMatch(/^ok TCP ws:/);
    expect(about(result, 'WebSocket')).toEqual([expect.stringMatching(expected)]);
    expect(about(result, 'CONNECT')).toEqual([]);
    expect(result.lines.join()).not.toContain('geheim');
    expect(result.code).toBe(2);
  });

  test('without an answer is told in time', async () => {
    const { address } = await fake([]);
    const result = await ask({ upstream: { address: [at(address)] } });
    expect(about(result, 'WebSocket')).toEqual([expect.stringMatching(/does not answer where it should begin a WebSocket: is it a port of/)]);
  }, 15_000);

  test('goes through TLS for wss://', async () => {
    const stage = new Stage();
    endings.push(() => stage.end());
    const ca = authority();
    const { cert, key } = localServer(ca);
    await stage.start({ address: ['mqtt://127.0.0.1:1'] }, { listener: { protocol: 'websockets',
      certfile: stage.file('cert.pem', cert), keyfile: stage.file('key.pem', key) } });
    await until(() => stage.port !== 0);
    const result = await ask({ upstream: { address: [`wss://127.0.0.1:${stage.port}`], bridge_cafile: stage.file('ca.pem', ca.cert) } });
    expect(about(result, 'TLS')[0]).toMatch(/^ok TLS wss:/);
    expect(about(result, 'WebSocket')[0]).toMatch(/^ok WebSocket wss:/);
    expect(about(result, 'CONNECT')[0]).toMatch(/^ok CONNECT wss:/);
  });
});

describe('with aedes', () => {
  let aedes: Aedes;
  let server: Server;
  const sockets = new Set<Socket>();
  let address = '';
  const published: string[] = [];
  const clients: string[] = [];
  beforeAll(async () => {
    aedes = await Aedes.createBroker({
      authorizeSubscribe: (_client, subscription, done) => subscription.topic.startsWith('$SYS') ? done(new Error('no')) : done(null, subscription.topic.startsWith('secret') ? null : subscription),
      authorizePublish: (_client, { topic }, done) => done(topic.startsWith('secret') ? new Error('no') : null),
    });
    aedes.on('publish', ({ topic }, client) => client === null || published.push(topic));
    aedes.on('clientReady', ({ clean, id }) => clients.push(`${id} ${String(clean)}`));
    aedes.on('clientError', () => {});
    server = createServer(socket => {
      sockets.add(socket.on('error', () => {}));
      aedes.handle(socket);
    });
    await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
    address = `mqtt://127.0.0.1:${(server.address() as AddressInfo).port}`;
  });
  afterAll(() => {
    sockets.forEach(socket => socket.destroy());
    server.close();
    aedes.close();
  });
  const RULES: PartialConfiguration['topic'] = [{ pattern: 'a/+/#', direction: 'out', qos: 0, remote_prefix: 'x/' }, { pattern: 'b', direction: 'both', qos: 1 },
    { pattern: 'c/#', direction: 'in', qos: 2, remote_prefix: 'y/' }];

  test('all is well, and nothing is published that was not asked for', async () => {
    const result = await ask({ upstream: { address: [address] }, topic: RULES });
    expect(result.lines.filter(line => !line.startsWith('ok '))).toEqual([]);
    expect(result.code).toBe(0);
    expect(about(result, 'SUBACK')).toEqual(['ok SUBACK "b": granted with QoS 1', 'ok SUBACK "y/c/#": granted with QoS 2']);
    expect(about(result, 'versions')[0]).toMatch(/^ok versions the broker speaks .*MQTT 3\.1\.1/);
    expect(published).toEqual([]);
    expect(about(result, 'PUBLISH')).toEqual(['ok PUBLISH not tested: --publish sends one message for each rule of direction "out"']);
    expect(clients.every(client => /^greenhousecheck\w{5,6} true$/.test(client))).toBe(true);
    expect(new Set(clients).size).toBe(clients.length);
  });

  test('--publish sends one message for each rule "out"', async () => {
    const result = await ask({ upstream: { address: [address] }, topic: RULES }, { publish: true });
    expect(published.splice(0)).toEqual(['x/a/ringbridge-check/ringbridge-check', 'b']);
    expect(about(result, 'PUBLISH').map(line => line.split(':')[0])).toEqual([
      'ok PUBLISH "x/a/ringbridge-check/ringbridge-check" with QoS 1', 'ok PUBLISH "b" with QoS 1']);
    expect(result.code).toBe(0);
  });

  test('what it refuses is an error, and the rest is asked all the same', async () => {
    const result = await ask({ upstream: { address: [address] }, topic: [{ pattern: 'secret/#', direction: 'both', qos: 1 },
      { pattern: 'c/#', direction: 'both', qos: 1 }] }, { publish: true });
    expect(about(result, 'SUBACK').map(line => line.split(': ')[0])).toEqual(['error SUBACK "secret/#"', 'ok SUBACK "c/#"']);
    expect(about(result, 'PUBLISH').map(line => line.split(': ')[0])).toEqual(['error PUBLISH "secret/ringbridge-check" with QoS 1', 'ok PUBLISH "c/ringbridge-check" with QoS 1']);
    expect(result.code).toBe(2);
  });

  test('an identifier can be given, but not that of the gateway', async () => {
    clients.length = 0;
    expect((await ask({ upstream: { address: [address] } }, { clientid: 'other' })).code).toBe(0);
    expect(clients.length).toBeGreaterThan(0);
    expect(clients.every(client => client.startsWith('other'))).toBe(true);
    expect((await ask({ upstream: { address: [address] } }, { clientid: 'green house' })).code).toBe(2);
  });
});

describe('the store', () => {
  const upstream = { address: ['mqtt://127.0.0.1:1'] };
  const storeOf = async (path: string, size?: number): Promise<string[]> =>
    about(await ask({ upstream, store: { durability: 'flash', path, ...size !== undefined && { size } } }), 'store');

  test('is tried beside its file, and nothing of it is left', async () => {
    const place = join(folder.path, 'place');
    mkdirSync(place);
    expect(await storeOf(join(place, 's.store'))).toEqual([expect.stringMatching(/^ok store ".*s\.store", 1048576 bytes: user "\w+" can write there, and the disk confirms after \d+ ms/)]);
    expect(readdirSync(place)).toEqual([]);
  });

  test('that is held by a gateway is read only', async () => {
    const path = folder.write('held.store', '\0'.repeat(4096));
    const before = readFileSync(path);
    const lock = new FileLock(path);
    const lines = await storeOf(path);
    expect(lines[0]).toMatch(/used by process \d+, so only its folder is tested$/);
    expect(readFileSync(path)).toEqual(before);
    expect(readFileSync(`${path}.lock`, 'utf8')).toContain(String(process.pid));
    lock.release();
  });

  test('with a wrong place is an error, and so is somebody else\'s file', async () => {
    expect(await storeOf(join(folder.path, 'no', 'such', 'folder'))).toEqual([expect.stringMatching(/^error store ".*" is in no folder: make the folder of store\.path$/)]);
    expect(await storeOf(folder.path)).toEqual([expect.stringMatching(/^error store ".*" is a folder: give store\.path/)]);
    expect((await storeOf(folder.write('letter.txt', 'Dear Sir'.repeat(1000))))[0]).toMatch(/^error store ".*" is no store: give another store\.path, or move it away yourself$/);
    expect(readFileSync(join(folder.path, 'letter.txt'), 'utf8')).toContain('Dear Sir');
    expect(await storeOf(join(folder.path, 'huge'), 4_294_967_295)).toHaveLength(1);
  });

  test('in memory is said to be so', async () => {
    expect(about(await ask({ upstream }), 'store')).toEqual([expect.stringMatching(/^ok store in memory, \d+ bytes: what waits does not survive a restart/)]);
  });
});

test.each<readonly [string, string, RegExp]>([
  ['yes', '', /^ok clock it is 20\S+Z here, kept right by NTP$/],
  ['no', '', /^warning clock .*the system does not keep it right: let it do so by NTP/],
  ['', '', /^ok clock .*by how much it is wrong is not known/],
  ['no', 'System time : 0.000021 seconds slow of NTP time', /^ok clock .*by NTP 0\.000021 seconds slow$/],
  ['no', 'System time : 3600.5 seconds fast of NTP time', /^warning clock .*by NTP 3600\.5 seconds fast: see/],
])('the clock: %s %s', async (timedatectl, chronyc, expected) => {
  pretend(timedatectl, chronyc);
  expect(about(await ask({ upstream: { address: ['mqtt://127.0.0.1:1'] } }), 'clock')).toEqual([expect.stringMatching(expected)]);
  pretend('yes', '');
});

describe('a port', () => {
  test('that is taken is an error, one that is free or any is not', async () => {
    const { server } = await fake(CONNACK);
    const { port } = server.server.address() as AddressInfo;
    const upstream = { address: ['mqtt://127.0.0.1:1'] };
    expect(about(await ask({ upstream, listener: { port } }), 'listener')).toEqual([expect.stringMatching(/^error listener port \d+ on 127\.0\.0\.1 is in use: stop the program/)]);
    expect(server.connectionCount).toBe(0);
    expect(about(await ask({ upstream, listener: { port: await freePort() } }), 'listener')).toEqual([expect.stringMatching(/^ok listener port \d+ of 127\.0\.0\.1 is free$/)]);
    expect(about(await ask({ upstream, page: { port } }), 'page')).toEqual([expect.stringMatching(/^error page .*"page\.port"/)]);
    const own = localServer(authority(), { until: 3.5 });
    const files = { certfile: folder.write('own.pem', own.cert), keyfile: folder.write('own.key', own.key) };
    expect(about(await ask({ upstream, listener: files }), 'listener')[0]).toMatch(/^warning listener the certificate of listener\.certfile expires on .*, in 3 days: renew it/);
    expect(about(await ask({ upstream, listener: { certfile: '/no/cert', keyfile: '/no/key' } }), 'listener')[0]).toMatch(/^error listener .*certfile/);
  });
});

describe('the command', () => {
  beforeAll(bundle);

  test('leaves the gateway that runs with the file alone', async () => {
    const { address } = await fake(CONNACK);
    const store = join(folder.path, 'running.store');
    const port = await freePort();
    const file = folder.write('running.json', { upstream: { address: [address], connack_timeout: 0.5 }, topic: [{ pattern: 'a' }],
      listener: { port, address: '127.0.0.1', allow_anonymous: true }, store: { durability: 'flash', path: store } });
    const gateway = new Command(['run', '--config', file]);
    endings.push(() => gateway.process.kill('SIGKILL'));
    await gateway.ready();
    await gateway.find('stderr', /upstream mqtt:\S+ connected/);
    const { exitCode, stdout } = await run(['check', '--online', file]);
    const pid = gateway.process.pid;
    expect(stdout).toMatch(new RegExp(`^ok +store +".*" is used by process ${pid}, so only its folder is tested$`, 'm'));
    expect(stdout).toMatch(new RegExp(`^ok +listener +port ${port} of 127\\.0\\.0\\.1 is used by process ${pid}, the gateway that runs with this file$`, 'm'));
    expect(exitCode).toBe(0);
    expect(gateway.stderr).not.toMatch(/upstream mqtt:\S+ (?:lost|disconnected)/);
    expect((await run(['status', file])).stdout).toMatch(/"state":"connected"|"connected":true|connected/);
  });

  test('is misused with what belongs to another question', async () => {
    const file = folder.write('plain.json', '{}');
    for (const args of [['--online', '--board', 'esp32'], ['--online', '--topic', 'a'], ['--publish']]) {
      const { exitCode, stderr } = await run(['check', file, ...args]);
      expect([exitCode, stderr]).toEqual([2, expect.stringContaining('write "ringbridge --help"') as string]);
    }
    expect((await run(['check', '--online', folder.write('bad.json', '{ "nam": 1 }')])).exitCode).toBe(2);
  });
});
