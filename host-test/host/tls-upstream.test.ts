/** TLS towards the broker: whom the gateway believes, what it says when something is wrong, and what it reads again. */
import { X509Certificate } from 'node:crypto';
import { renameSync } from 'node:fs';
import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { UpstreamConfiguration } from '../../src/config/configuration.ts';
import { CertificateWatch } from '../../src/host/certificate-watch.ts';
import * as ReasonCode from '../../src/packet/reason-code.ts';
import { authority, issue, localServer } from './certificates.ts';
import { Stage, until } from './tls-stage.ts';

const ca = authority();
const server = localServer(ca);
const otherCA = authority('Other CA');
const client = issue(ca, { commonName: 'gateway' });

let stage: Stage;
beforeEach(() => {
  stage = new Stage();
});
afterEach(() => stage.end());

const secure = (port: number, more: Partial<UpstreamConfiguration> = {}, host = 'localhost'):
  Partial<UpstreamConfiguration> =>
  ({ address: [`mqtts://${host}:${port}`], bridge_cafile: stage.file('ca.pem', ca.cert), ...more });

describe('TLS towards the broker', () => {
  test.each(['TLSv1.2', 'TLSv1.3'] as const)('is spoken in %s, and the status says so', async version => {
    const port = await stage.broker({ ...server, minVersion: version, maxVersion: version });
    await stage.start(secure(port));
    await until(() => stage.isConnected);
    const { tls, upstream } = stage.status;
    expect(upstream.address).toBe(`mqtts://localhost:${port}`);
    expect(tls.upstream).toMatchObject({ version, resumed: false });
    expect(tls.certificates).toMatchObject([{ of: 'broker', days: 364 }]);
    expect(stage.lines.filter(line => !line.startsWith('info'))).toEqual([]);
  });

  test.each(['localhost', '127.0.0.1'])('checks the name, or the address, that upstream.address has: %s', async host => {
    const port = await stage.broker({ ...localServer(ca, { names: [host] }) });
    await stage.start(secure(port, {}, host));
    await until(() => stage.isConnected);
  });

  test('tells the name to the broker, but not an address', async () => {
    const names: unknown[] = [];
    const port = await stage.broker({ ...server },
      socket => names.push((socket as { servername?: unknown }).servername));
    for (const host of ['localhost', '127.0.0.1']) {
      await stage.start(secure(port, {}, host));
      await until(() => stage.isConnected);
      await stage.gateway!.stop();
    }
    expect(names).toEqual(['localhost', false]);
  });

  test('takes another name only with bridge_insecure, and another CA not even then', async () => {
    const port = await stage.broker({ ...localServer(ca, { names: ['elsewhere.example'] }) });
    await stage.start(secure(port, { bridge_insecure: true }));
    await until(() => stage.isConnected);
    await stage.gateway!.stop();
    await stage.start(secure(port, { bridge_insecure: true, bridge_cafile: stage.file('other.pem', otherCA.cert) }));
    await stage.line(/is issued by "Test CA", which is not among the CAs of upstream\.bridge_cafile/);
  });

  const expired = new Date(Date.now() - 86_400_000 * 5).toISOString().slice(0, 10);
  const tomorrow = new Date(Date.now() + 86_400_000 * 2).toISOString().slice(0, 10);

  test.each<[string, () => Parameters<Stage['broker']>[0], Partial<UpstreamConfiguration>, RegExp]>([
    ['expired', () => localServer(ca, { from: -9, until: -5 }), {},
      new RegExp(`has expired \\(valid until ${expired}\\): let its operator renew it; it is .*: is the clock right\\?`)],
    ['not valid yet', () => localServer(ca, { from: 2 }), {}, new RegExp(`is not valid yet \\(valid from ${tomorrow}\\): .*clock`)],
    ['for another name', () => issue(ca, { names: ['broker.example'] }), {},
      /is not for "localhost", but for DNS:broker\.example: write one of its names in upstream\.address/],
    ['for another address', () => issue(ca, { commonName: 'x', names: ['192.0.2.1'] }), {}, /is not for "localhost", but for IP Address:192\.0\.2\.1/],
    ['of an unknown CA', () => localServer(otherCA), {}, /is issued by "Other CA", which is not among the CAs of upstream\.bridge_cafile .*ca\.pem/],
    ['of a CA that sends itself, too', () => {
      const { cert, key } = localServer(otherCA);
      return { cert: cert + otherCA.cert, key };
    }, {}, /which is not among the CAs of upstream\.bridge_cafile/],
    ['self-signed', () => issue(undefined, { names: ['localhost'] }), {},
      /the certificate of the broker "localhost" is self-signed and not among .*: if it is the right one, write a file with it/],
    ['signed by another key of a CA of that name', () => localServer(authority()), {},
      /not signed by the CA of that name|which is not among the CAs/],
    ['for clients only', () => localServer(ca, { usage: '1.3.6.1.5.5.7.3.2' }), {}, /is not made for servers/],
    ['not of a CA, while there is a demand for TLS 1.3', () => ({ ...server, maxVersion: 'TLSv1.2' }),
      { bridge_tls_version: 'tlsv1.3' }, /knows no TLS version from TLSv1\.3 on: .*upstream\.bridge_tls_version/],
    ['right, but of a broker that has TLS 1.1 only', () => ({ ...server, minVersion: 'TLSv1', maxVersion: 'TLSv1.1',
      ciphers: 'DEFAULT@SECLEVEL=0' }), {}, /knows no TLS version from TLSv1\.2 on/],
    ['right, but one of the client is demanded in TLS 1.3', () => ({ ...server, ca: ca.cert, requestCert: true, minVersion: 'TLSv1.3' }),
      {}, /demands a client certificate: write upstream\.bridge_certfile and bridge_keyfile/],
    ['right, but one of the client is demanded in TLS 1.2', () => ({ ...server, ca: ca.cert, requestCert: true, maxVersion: 'TLSv1.2' }),
      {}, /demands? a client certificate/],
    ['right, but another application protocol is spoken', () => ({ ...server, ALPNProtocols: ['http/1.1'] }), { bridge_alpn: 'mqtt' },
      /does not speak what upstream\.bridge_alpn says/],
  ])('does not believe a certificate that is %s, and says what to do', async (_, options, more, pattern) => {
    const port = await stage.broker(options());
    await stage.start(secure(port, { restart_timeout: [0.05, 60], ...more }));
    const line = await stage.line(/^warning upstream/);
    expect(line).toMatch(pattern);
    expect(line).toMatch(/^warning upstream mqtts:\/\/localhost:\d+: /);
    expect(stage.gateway!.runtime.upstream.reasonCode).toSatisfy((code: number) =>
      code === ReasonCode.TLS_FAILED || code === ReasonCode.CLOSED_BEFORE_CONNACK);
    expect(stage.status.advice).toMatch(pattern);
    expect(stage.isConnected).toBe(false);
  });

  test('attempts are made less often after that, and there is one line', async () => {
    let count = 0;
    const port = await stage.broker(localServer(otherCA));
    const { runtime } = await stage.start(secure(port, { restart_timeout: [0.01, 0.02] }));
    await until(() => {
      count = runtime.upstream.attemptCount;
      return count >= 4;
    });
    expect(runtime.upstream.reasonCode).toBe(ReasonCode.TLS_FAILED);
    expect(runtime.upstream.backOff.next(ReasonCode.TLS_FAILED)).toBeGreaterThanOrEqual(20);
    expect(stage.lines.filter(line => line.startsWith('warning'))).toHaveLength(1);
  });

  test('shows its own certificate to a broker that demands one', async () => {
    let name: unknown;
    const port = await stage.broker({ ...server, ca: ca.cert, requestCert: true },
      socket => name = socket.getPeerCertificate().subject.CN);
    await stage.start(secure(port, { bridge_certfile: stage.file('c.pem', client.cert), bridge_keyfile: stage.file('c.key', client.key) }));
    await until(() => stage.isConnected);
    expect(name).toBe('gateway');
    expect(stage.status.tls.certificates.map(({ of }) => of)).toEqual(['upstream.bridge_certfile', 'broker']);
  });

  test.each<[string, ReturnType<typeof issue>, RegExp]>([
    ['has expired', issue(ca, { from: -9, until: -5 }), /for the broker the certificate of upstream\.bridge_certfile has expired: renew or replace it/],
    ['is of a CA that it does not know', issue(otherCA), /does not know the CA that has issued upstream\.bridge_certfile/],
  ])('says that the broker refuses a client certificate that %s', async (_, wrong, pattern) => {
    // Node tells only mistakes of its own by an alert; a broker of OpenSSL tells these as well (host-test/interop).
    const port = await stage.broker({ ...server, ca: ca.cert, requestCert: true });
    await stage.start(secure(port, { bridge_certfile: stage.file('c.pem', wrong.cert), bridge_keyfile: stage.file('c.key', wrong.key) }));
    expect(await stage.line(/^warning upstream/)).toMatch(new RegExp(`${pattern.source}|refuse upstream\\.bridge_certfile`));
  });

  test('with a pre-shared key needs no certificate, and takes none in its place', async () => {
    const psk = '00112233445566778899aabbccddeeff';
    const keyed = await stage.broker({ ciphers: 'PSK', pskCallback: (_socket, identity) => identity === 'gw' ? Buffer.from(psk, 'hex') : null });
    const upstream = { address: [`mqtts://127.0.0.1:${keyed}`], bridge_identity: 'gw', bridge_psk: psk };
    await stage.start(upstream);
    await until(() => stage.isConnected);
    await stage.gateway!.stop();
    await stage.start({ ...upstream, bridge_psk: psk.replace('0', 'f') });
    await stage.line(/the pre-shared key is wrong: check upstream\.bridge_psk/);
    await stage.gateway!.stop();
    const certified = await stage.broker({ ...server });
    await stage.start({ ...upstream, address: [`mqtts://127.0.0.1:${certified}`] });
    await until(() => stage.lines.filter(line => line.includes(`${certified}`)).length > 0);
    expect(stage.isConnected).toBe(false);
    expect(stage.lines.join('\n')).not.toContain(psk.slice(2));
  });

  test('with a port of plain MQTT is one line for the broker that closes, and one for the broker that answers', async () => {
    const closing = await stage.plain(socket => socket.once('data', () => socket.destroy()));
    const { runtime } = await stage.start(secure(closing, { restart_timeout: [0.01, 0.02] }));
    const pattern = /the broker ends the TLS handshake: does it speak TLS on port \d+\? .* a port of plain MQTT is written mqtt:\/\//;
    await stage.line(pattern);
    await until(() => runtime.upstream.reasonCode === ReasonCode.TLS_FAILED); // when it has done so three times
    expect(stage.lines.filter(line => line.startsWith('warning'))).toHaveLength(1);
    await stage.gateway!.stop();
    const answering = await stage.plain(socket => socket.once('data', () => socket.write('HTTP/1.1 400 Bad Request\r\n\r\n')));
    await stage.start(secure(answering));
    await stage.line(/what listens there answers, but not in TLS: .*without TLS write mqtt:\/\//);
    expect(stage.gateway!.runtime.upstream.reasonCode).toBe(ReasonCode.TLS_FAILED);
  });

  test('that is not spoken to a port of TLS is one line that proposes it', async () => {
    const port = await stage.broker({ ...server });
    await stage.start({ address: [`mqtt://127.0.0.1:${port}`] });
    expect(await stage.line(/^warning upstream/)).toMatch(/does the broker speak TLS there \(write mqtts:\/\/\)/);
  });

  test('is given up with the connection and CONNACK after connack_timeout, all together', async () => {
    const silent = await stage.plain(() => {});
    const { runtime } = await stage.start(secure(silent, { connack_timeout: 0.3 }));
    const begin = Date.now();
    await stage.line(/does not answer the TLS handshake: does it speak TLS on port/);
    expect(Date.now() - begin).toBeLessThan(5000);
    expect(runtime.upstream.reasonCode).toBe(ReasonCode.NETWORK_UNREACHABLE);
    await stage.gateway!.stop();
    // The handshake takes more than half of the time, and then nothing is answered.
    const quiet = await stage.broker({ ...server }, null);
    let begunAt = 0;
    let endedAt = 0;
    const slow = await stage.plain(socket => {
      begunAt ||= Date.now();
      socket.pause().on('close', () => endedAt ||= Date.now());
      setTimeout(() => socket.pipe(connect(quiet, '127.0.0.1')).pipe(socket), 1200);
    });
    await stage.start(secure(slow, { connack_timeout: 2 }));
    await until(() => endedAt !== 0);
    expect(stage.gateway!.runtime.upstream.reasonCode).toBe(ReasonCode.CONNACK_TIMEOUT);
    expect(endedAt - begunAt).toBeLessThan(2900);
  });

  test('resumes its session after the connection was lost', async () => {
    const port = await stage.broker({ ...server });
    await stage.start(secure(port));
    await until(() => stage.isConnected);
    await sleep(50);
    stage.cut();
    await until(() => !stage.isConnected);
    await until(() => stage.isConnected);
    expect(stage.status.tls.upstream).toMatchObject({ resumed: true });
  });

  test('reads its certificate, key and CAs again at each connection, if they are others', async () => {
    const names: unknown[] = [];
    const port = await stage.broker({ ...server, ca: ca.cert, requestCert: true },
      socket => names.push(socket.getPeerCertificate().subject?.CN));
    await stage.start(secure(port, { bridge_certfile: stage.file('c.pem', client.cert), bridge_keyfile: stage.file('c.key', client.key) }));
    await until(() => stage.isConnected);
    const renewed = issue(ca, { commonName: 'renewed' });
    stage.file('new.pem', renewed.cert);
    renameSync(stage.file('new.pem', renewed.cert), `${stage.folder}/c.pem`);
    stage.cut(); // between the two files: the old pair goes on being used
    await stage.line(/upstream\.bridge_keyfile .*c\.key: the key belongs to another certificate; .*until then what was read before goes on/);
    await until(() => names.length === 2);
    stage.file('c.key', renewed.key);
    await until(() => stage.isConnected);
    stage.cut();
    await until(() => names.length === 3);
    expect(names).toEqual(['gateway', 'gateway', 'renewed']);
    // A CA that did not issue what the broker shows, though there is a session that could be resumed.
    stage.file('ca.pem', otherCA.cert);
    await until(() => stage.isConnected);
    stage.cut();
    await stage.line(/is issued by "Test CA", which is not among/);
    expect(names).toHaveLength(3);
  });

  test('reads its files on SIGHUP without leaving the broker', async () => {
    const port = await stage.broker({ ...server });
    const upstream = secure(port);
    const gateway = await stage.start(upstream);
    await until(() => stage.isConnected);
    stage.file('ca.pem', 'nothing');
    await gateway.reload(stage.configuration(upstream));
    await stage.line(/upstream\.bridge_cafile .*: there is no certificate in it; write one in PEM.*until then what was read before/);
    expect(stage.isConnected).toBe(true);
    expect(gateway.runtime.upstream.attemptCount).toBe(1);
  });

  test.each<[string, () => Partial<UpstreamConfiguration>, RegExp]>([
    ['is not there', () => ({ bridge_cafile: '/nowhere/ca.pem' }), /upstream\.bridge_cafile \/nowhere\/ca\.pem: there is no such file; write its path/],
    ['is a folder', () => ({ bridge_cafile: stage.folder }), /upstream\.bridge_cafile .*: is a folder; write the path of a regular file/],
    ['is the key', () => ({ bridge_cafile: stage.file('k', client.key) }), /there is no certificate in it; it is a key, write the file of the certificate/],
    ['is in DER', () => ({ bridge_cafile: stage.file('d', Buffer.from([0x30, 0x82, 1, 0, 1])) }), /is in DER; write it in PEM instead \("openssl x509/],
    ['is damaged', () => ({ bridge_cafile: stage.file('x', ca.cert.replace(/\n.{20}/, '\nAAAAAAAAAAAAAAAAAAAA')) }),
      /a certificate in it is damaged; copy the file anew/],
    ['holds the key of another certificate', () => ({ bridge_certfile: stage.file('c', client.cert), bridge_keyfile: stage.file('k', server.key) }),
      /upstream\.bridge_keyfile .*: the key belongs to another certificate/],
    ['holds a key with a passphrase', () => ({ bridge_certfile: stage.file('c', client.cert), bridge_keyfile: stage.file('k',
      client.privateKey.export({ type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc', passphrase: 'geheim' }) as string) }),
    /the key is protected by a passphrase, which nobody could type; write it without/],
    ['holds no key', () => ({ bridge_certfile: stage.file('c', client.cert), bridge_keyfile: stage.file('k', client.cert) }),
      /upstream\.bridge_keyfile .*: there is no private key in it/],
  ])('is not begun with a file that %s: one line, and attempts go on', async (_, files, pattern) => {
    const port = await stage.broker({ ...server });
    const { runtime } = await stage.start(secure(port, files()));
    expect(await stage.line(/^warning/)).toMatch(pattern);
    await until(() => runtime.upstream.attemptCount > 2);
    expect(runtime.upstream.reasonCode).toBe(ReasonCode.TLS_UNUSABLE);
    expect(stage.lines.filter(line => line.startsWith('warning'))).toHaveLength(1);
    expect(stage.status.upstream.reason).toMatch(pattern);
    expect(stage.lines.join()).not.toMatch(/PRIVATE KEY-----\n|geheim/);
  });
});

test('a certificate that expires within a month is told once a day, and in the status', () => {
  const lines: string[] = [];
  let now = Date.now();
  const watch = new CertificateWatch(text => lines.push(text), () => now);
  const chain = [issue(ca, { until: 300 }), issue(ca, { until: 29.5 })].map(({ cert }) => new X509Certificate(cert));
  watch.set('upstream.bridge_certfile', chain);
  watch.set('broker', [new X509Certificate(issue(ca, { until: 39.5 }).cert)]);
  watch.check();
  watch.check();
  expect(lines).toHaveLength(1);
  expect(lines[0]).toMatch(/^the certificate of upstream\.bridge_certfile expires on \d{4}-\d\d-\d\d, in 29 days: renew it/);
  expect(watch.status.map(({ days, of }) => [of, days])).toEqual([['upstream.bridge_certfile', 29], ['broker', 39]]);
  now += 86_400_000;
  watch.set('upstream.bridge_certfile', chain); // the same one
  watch.check();
  expect(lines).toHaveLength(2);
  now += 29 * 86_400_000;
  watch.check();
  expect(lines[2]).toMatch(/certificate of upstream\.bridge_certfile has expired on/);
  expect(lines[3]).toMatch(/^the certificate of the broker, or of its CA, expires on .*, in 9 days: ask its operator to renew it/);
  watch.set('upstream.bridge_certfile', []);
  watch.set('broker', []);
  expect(watch.status).toEqual([]);
});
