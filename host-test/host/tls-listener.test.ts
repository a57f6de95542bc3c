/** TLS towards the nodes: who may come in, what is said to the others, and what is read again. */
import { once } from 'node:events';
import { type AddressInfo, connect as connectPlain, createServer, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { connect, type ConnectionOptions, type TLSSocket } from 'node:tls';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { ListenerConfiguration } from '../../src/config/configuration.ts';
import { MOST_HANDSHAKES } from '../../src/host/secure-listener.ts';
import { authority, issue, localServer } from './certificates.ts';
import { Stage, until } from './tls-stage.ts';

const ca = authority();
const server = localServer(ca);
const nodeCA = authority('Node CA');
const node = issue(nodeCA, { commonName: 'node1' });

let stage: Stage;
beforeEach(() => {
  stage = new Stage();
});
afterEach(async () => {
  sockets.splice(0).forEach(socket => socket.destroy());
  await stage.end();
});

const sockets: { destroy(): void }[] = [];

/** MQTT 3.1.1, client identifier "a", no user name. */
const CONNECT = Buffer.from('100d00044d5154540402003c000161', 'hex');

async function listen(more: Partial<ListenerConfiguration> = {}): Promise<number> {
  await stage.start({ address: ['mqtt://127.0.0.1:1'] }, { listener: {
    ...more.psk_file === undefined && { certfile: stage.file('s.pem', server.cert), keyfile: stage.file('s.key', server.key) },
    ...more,
  } });
  await until(() => stage.port !== 0);
  return stage.port;
}

/** Says CONNECT. @returns what is answered, in hex; `closed` when nothing is */
function converse(port: number, options: ConnectionOptions): Promise<string> {
  const socket: TLSSocket = connect({ host: '127.0.0.1', port, ca: ca.cert, ...options }, () => socket.write(CONNECT));
  sockets.push(socket);
  return new Promise(resolve => {
    socket.on('data', data => resolve(data.toString('hex')));
    socket.on('error', error => resolve(`closed ${(error as NodeJS.ErrnoException).code}`));
    socket.on('close', () => resolve('closed'));
  });
}

const ACCEPTED = '20020000';
const NOT_AUTHORIZED = '20020005';

describe('a listener with TLS', () => {
  test.each(['TLSv1.2', 'TLSv1.3'] as const)('serves nodes in %s, many at a time and one after the other', async version => {
    const port = await listen();
    const options = { minVersion: version, maxVersion: version };
    expect(await Promise.all([1, 2, 3, 4].map(() => converse(port, options)))).toContain(ACCEPTED);
    expect(await converse(port, options)).toBe(ACCEPTED);
    expect(stage.status.tls.certificates).toMatchObject([{ of: 'listener.certfile' }]);
  });

  test('speaks no version before listener.tls_version', async () => {
    const port = await listen({ tls_version: 'tlsv1.3' });
    expect(await converse(port, { maxVersion: 'TLSv1.2' })).toMatch(/^closed/);
    await stage.line(/^warning a node from 127\.0\.0\.1 knows no version of TLS from listener\.tls_version on/);
    const old = await new Promise<string>(resolve => {
      const socket = connect({ host: '127.0.0.1', port, ca: ca.cert, minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT@SECLEVEL=0' },
        () => resolve('secure'));
      socket.on('error', () => resolve('refused'));
    });
    expect(old).toBe('refused');
  });

  test('demands a certificate where it is told to, and says which was wrong', async () => {
    const port = await listen({ cafile: stage.file('ca.pem', nodeCA.cert), require_certificate: true });
    expect(await converse(port, { cert: node.cert, key: node.key })).toBe(ACCEPTED);
    const wrong: [ConnectionOptions, RegExp][] = [
      [{}, /has shown no certificate, and listener\.require_certificate demands one/],
      [{ ...issue(nodeCA, { commonName: 'old', from: -9, until: -5 }) }, /the certificate "old", which has expired on \d{4}-\d\d-\d\d, or its CA: renew it/],
      [{ ...issue(nodeCA, { commonName: 'new', from: 5 }) }, /the certificate "new", which is valid from \d{4}-\d\d-\d\d on/],
      [{ ...issue(ca, { commonName: 'strange' }) }, /the certificate "strange", which no CA of listener\.cafile has issued/],
      [{ ...issue(undefined, { commonName: 'self' }) }, /the certificate "self", which no CA of listener\.cafile has issued/],
      [{ ...issue(nodeCA, { commonName: 'server', usage: '1.3.6.1.5.5.7.3.1' }) }, /the certificate "server", which is not made for clients/],
    ];
    for (const [options, pattern] of wrong) {
      const { cert, key } = options;
      expect(await converse(port, { ...cert !== undefined && { cert, key } })).toMatch(/^closed/);
      expect(await stage.line(pattern)).toMatch(/^warning a node from 127\.0\.0\.1 /);
    }
  });

  test('takes nodes without certificate where it asks only, but none with a wrong one', async () => {
    const port = await listen({ cafile: stage.file('ca.pem', nodeCA.cert) });
    expect(await converse(port, {})).toBe(ACCEPTED);
    const { cert, key } = issue(ca);
    expect(await converse(port, { cert, key })).toMatch(/^closed/);
  });

  test('makes a node the user that its certificate names, whatever it says, and refuses who is none', async () => {
    const port = await listen({ cafile: stage.file('ca.pem', nodeCA.cert), require_certificate: true, use_identity_as_username: true,
      allow_anonymous: false, users: [{ username: 'node1' }, { username: 'node2' }] });
    expect(await converse(port, { cert: node.cert, key: node.key })).toBe(ACCEPTED);
    const { runtime } = stage.gateway!;
    expect(runtime.gateway.sessions.filter(session => session.isConnected).map(({ user }) => user)).toEqual([0]);
    const other = issue(nodeCA, { commonName: 'node3' });
    expect(await converse(port, { cert: other.cert, key: other.key })).toBe(NOT_AUTHORIZED);
    await stage.line(/as user "node3" from 127\.0\.0\.1/);
  });

  test('knows nodes by pre-shared keys, and who they are', async () => {
    const psk = Buffer.from('00112233445566778899aabbccddeeff', 'hex');
    const file = stage.file('psk', `# nodes\nnode1:${psk.toString('hex')}\n`);
    const port = await listen({ psk_file: file, use_identity_as_username: true, allow_anonymous: false, users: [{ username: 'node1' }] });
    const options = (identity: string, key: Buffer): ConnectionOptions =>
      ({ ciphers: 'PSK', checkServerIdentity: () => undefined, pskCallback: () => ({ identity, psk: key }) });
    for (const maxVersion of ['TLSv1.2', 'TLSv1.3', 'TLSv1.3'] as const)
      expect(await converse(port, { ...options('node1', psk), maxVersion })).toBe(ACCEPTED);
    expect(await converse(port, options('node1', Buffer.from('ff', 'hex')))).toMatch(/^closed/);
    expect(await converse(port, options('node9', psk))).toMatch(/^closed/);
    await until(() => stage.lines.filter(line => /^warning a node from/.test(line)).length >= 1);
    expect(stage.lines.join()).not.toContain(psk.toString('hex'));
    // SIGHUP
    stage.file('psk', `node1:${psk.toString('hex')}\nnode1x:zz\n`);
    await stage.gateway!.reload(stage.configurationInForce);
    await stage.line(/listener\.psk_file .*psk: line 2 is wrong; write identity:key, .*; until then nodes see what was read before/);
    expect(await converse(port, { ...options('node1', psk), maxVersion: 'TLSv1.2' })).toBe(ACCEPTED);
  });

  test('shows another certificate after SIGHUP, and connections that stand go on', async () => {
    const port = await listen();
    const standing: TLSSocket = connect({ host: '127.0.0.1', port, ca: ca.cert }, () => standing.write(CONNECT));
    sockets.push(standing);
    let received = '';
    standing.on('data', data => received += data.toString('hex'));
    await until(() => received === ACCEPTED);
    const renewed = localServer(ca, { commonName: 'renewed' });
    stage.file('s.pem', renewed.cert);
    await stage.gateway!.reload(stage.configurationInForce);
    await stage.line(/listener\.keyfile .*: the key belongs to another certificate.*until then nodes see what was read before/);
    stage.file('s.key', renewed.key);
    await stage.gateway!.reload(stage.configurationInForce);
    const name = await new Promise<unknown>(resolve => {
      const socket = connect({ host: '127.0.0.1', port, ca: ca.cert }, () => resolve(socket.getPeerCertificate().subject.CN));
      sockets.push(socket);
    });
    expect(name).toBe('renewed');
    standing.write(Buffer.from('c000', 'hex'));
    await until(() => received === `${ACCEPTED}d000`);
  });

  test('has a line each for a node without TLS, and for one with TLS where there is none', async () => {
    const port = await listen();
    const plain = connectPlain(port, '127.0.0.1', () => plain.write(CONNECT));
    sockets.push(plain.on('error', () => {}));
    await stage.line(/^warning a node from 127\.0\.0\.1 speaks no TLS, and this port does: let it connect with TLS/);
    await stage.gateway!.stop();
    const open = await listen({ certfile: null, keyfile: null });
    connect({ host: '127.0.0.1', port: open, ca: ca.cert }).on('error', () => {});
    expect(await stage.line(/TLS where plain MQTT is spoken/)).toMatch(/^warning node .* from 127\.0\.0\.1.*: let it connect without, or set listener\.certfile/);
    expect(stage.lines.filter(line => line.startsWith('warning') && !line.includes('upstream'))).toHaveLength(2);
  });

  test('gives up a handshake that takes as long as a CONNECT may', async () => {
    const port = await listen({ connect_timeout: 0.5, max_connections: 2 });
    let closedCount = 0;
    for (let count = 0; count < 4; ++count)
      sockets.push(connectPlain(port, '127.0.0.1').on('error', () => {}).on('close', () => ++closedCount));
    await until(() => closedCount === 4);
    await stage.line(/no TLS handshake in time \(listener\.connect_timeout\)/);
    expect(await converse(port, {})).toBe(ACCEPTED);
  });

  /** A node behind a slow link. @returns the port of the link */
  function slowLink(port: number, delay: number): Promise<number> {
    const lead = (from: Socket, to: Socket): void => {
      sockets.push(from);
      from.on('data', data => setTimeout(() => to.write(data), delay)).on('error', () => {})
        .on('close', () => setTimeout(() => to.destroy(), delay));
    };
    const link = createServer(near => {
      const far = connectPlain(port, '127.0.0.1');
      lead(near, far);
      lead(far, near);
    });
    sockets.push({ destroy: () => link.close() });
    return new Promise(resolve => link.listen(0, '127.0.0.1', () => resolve((link.address() as AddressInfo).port)));
  }

  /** src/host/README.md: "Whoever only holds connections keeps nobody out." Over Wi-Fi a handshake takes its time. */
  test('lets nodes in beside strangers that hold connections in each stage, and come again when they are closed', async () => {
    const port = await listen({ max_connections: 4 });
    let isOver = false;
    sockets.push({ destroy: () => isOver = true });
    const comeAgain = (open: () => Socket): void => {
      if (!isOver)
        sockets.push(open().on('error', () => {}).on('close', () => setTimeout(comeAgain, 100, open)));
    };
    const silent = (): Socket => connectPlain(port, '127.0.0.1');
    const halfHello = (): Socket => {
      const socket = silent();
      return socket.on('connect', () => socket.write(Buffer.from('1603010200010001fc0303', 'hex')));
    };
    const done = (): Socket => connect({ socket: silent(), ca: ca.cert, servername: 'localhost' });
    for (const kind of [silent, halfHello, done])
      for (let count = 0; count < 20; ++count)
        comeAgain(kind);
    const link = await slowLink(port, 20);
    await sleep(300);
    for (let count = 0; count < 10; ++count)
      expect(await converse(link, {})).toBe(ACCEPTED);
  }, 60_000);

  test('of too many handshakes, gives up the oldest of the address that has most of them', async () => {
    const port = await listen();
    const slow = connectPlain(port, '127.0.0.1');
    sockets.push(slow);
    await once(slow, 'connect');
    const closed: number[] = [];
    for (let index = 0; index < MOST_HANDSHAKES + 2; ++index) {
      const stranger = connectPlain({ port, host: '127.0.0.1', localAddress: '127.0.0.2' });
      sockets.push(stranger.on('error', () => {}).on('close', () => closed.push(index)));
      await once(stranger, 'connect');
    }
    await until(() => closed.length === 3);
    expect(closed).toEqual([0, 1, 2]);
    await stage.line(/127\.0\.0\.2 gave way to others in the TLS handshake: there are 256 at a time/);
    const secure = connect({ socket: slow, ca: ca.cert, servername: 'localhost' }, () => secure.write(CONNECT));
    expect((await once(secure, 'data') as [Buffer])[0].toString('hex')).toBe(ACCEPTED);
  }, 60_000);

  test('does not believe that a node knows it by another name', async () => {
    const port = await listen();
    expect(await converse(port, { servername: 'elsewhere.example' })).toMatch(/ERR_TLS_CERT_ALTNAME_INVALID/);
  });

  test('is not there without its files, which is one line with the next step', async () => {
    await stage.start({ address: ['mqtt://127.0.0.1:1'] }, { listener: { certfile: '/nowhere/s.pem', keyfile: '/nowhere/s.key' } });
    await stage.line(/^error listener\.certfile \/nowhere\/s\.pem: there is no such file; write its path/);
  });
});
