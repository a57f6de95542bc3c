/** `ringbridge check --online` and real Mosquittos: passwords, rights, TLS, and a gateway that runs meanwhile. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect } from 'vitest';
import type { PartialConfiguration } from '../../src/config/configuration.ts';
import { authority, issue, localServer, type Wishes } from '../host/certificates.ts';
import { Broker, freePort, Gateway, GATEWAY_PROGRAM, interop, MOSQUITTO, requirePrograms, Subscriber } from './cast.ts';
import type { Scene } from './program.ts';

beforeAll(() => requirePrograms(MOSQUITTO));

interface Result { readonly code: number | null; readonly lines: readonly string[] }

const RULES: PartialConfiguration['topic'] = [{ pattern: 'reading/#', direction: 'out', qos: 2, remote_prefix: 'site/' },
  { pattern: 'command/#', direction: 'in', qos: 1, remote_prefix: 'site/' }];

async function check(scene: Scene, upstream: PartialConfiguration['upstream'], ...args: readonly string[]): Promise<Result> {
  const file = join(scene.directory, 'asked.json');
  writeFileSync(file, JSON.stringify({ name: 'greenhouse', topic: RULES, listener: { port: 0, address: '127.0.0.1', allow_anonymous: true }, upstream }));
  const program = scene.start('check', process.execPath, GATEWAY_PROGRAM, 'check', '--online', ...args, file);
  const { code } = await program.exit();
  return { code, lines: program.lines.map(line => line.replace(/ +/g, ' ')).filter(line => /^(?:ok|warning|error) /.test(line)) };
}

const linesOf = ({ lines }: Result, phase: string): string[] => lines.filter(line => line.split(' ')[1] === phase);

describe('asked beforehand, Mosquitto', () => {
  interop('says its version, what it speaks, and grants; a gateway that runs does not notice', async scene => {
    const broker = await Broker.start(scene);
    const gateway = await Gateway.start(scene, { topic: RULES, upstream: { address: [broker.address] } });
    await broker.bridged();
    const everything = await Subscriber.start(scene, broker.port, '#');
    const result = await check(scene, { address: [broker.address] });
    expect(linesOf(result, 'versions')).toEqual(['ok versions the broker speaks MQTT 3.1, MQTT 3.1.1, MQTT 5.0']);
    expect(linesOf(result, 'broker')).toEqual([expect.stringMatching(/^ok broker mosquitto version \d/)]);
    expect(linesOf(result, 'SUBACK')).toEqual([expect.stringMatching(/^ok SUBACK "site\/command\/#": granted with QoS 1; Mosquitto grants also what its acl_file forbids/)]);
    expect(result.lines.filter(line => line.startsWith('error'))).toEqual([]);
    await check(scene, { address: [broker.address] }, '--publish');
    await everything.program.line(/^MESSAGE 2 0 site\/reading\/ringbridge-check a test of "ringbridge check --online --publish"$/);
    expect(everything.program.count(/^MESSAGE/)).toBe(1);
    expect(broker.program.count(/New client connected from .* as greenhouse \(/)).toBe(1);
    expect(broker.program.count(/Client greenhouse .*(?:disconnected|closed|already connected)/)).toBe(0);
    expect(gateway.program.lines.filter(line => / warning upstream /.test(line))).toEqual([]);
  });

  interop('refuses a password, and what it refuses to publish is told', async scene => {
    const acl = join(scene.directory, 'acl');
    writeFileSync(acl, 'user gateway\ntopic read site/command/#\n');
    const broker = await Broker.start(scene, [`acl_file ${acl}`], { gateway: 'word' });
    const wrong = await check(scene, { address: [broker.address], remote_username: 'gateway', remote_password: 'w0rd' });
    expect(wrong.code).toBe(2);
    expect(linesOf(wrong, 'CONNECT')).toEqual([expect.stringMatching(/^error CONNECT .*refused with code 5, not authorized: check upstream\.remote_username and upstream\.remote_password/)]);
    const right = await check(scene, { address: [broker.address], remote_username: 'gateway', remote_password: 'word' }, '--publish');
    expect(linesOf(right, 'PUBLISH')).toEqual([expect.stringMatching(/^error PUBLISH "site\/reading\/ringbridge-check" with QoS 2: refused, not authorized/)]);
    expect(right.code).toBe(2);
    expect(linesOf(right, 'SUBACK')[0]).toMatch(/^ok SUBACK/);
  });

  interop('with TLS tells what is wrong with whose certificate', async scene => {
    const ca = authority();
    const file = (name: string, content: string): string => {
      const path = join(scene.directory, name);
      writeFileSync(path, content);
      return path;
    };
    const start = async (wishes: Wishes, ...settings: readonly string[]): Promise<number> => {
      const port = await freePort();
      const own = localServer(ca, wishes);
      await Broker.start(scene, [`listener ${port} 127.0.0.1`, `cafile ${file(`ca-${port}.pem`, ca.cert)}`,
        `certfile ${file(`cert-${port}.pem`, own.cert)}`, `keyfile ${file(`key-${port}.pem`, own.key)}`, ...settings]);
      return port;
    };
    const bridge_cafile = file('ca.pem', ca.cert);
    const ask = (port: number, upstream: PartialConfiguration['upstream'] = {}): Promise<Result> =>
      check(scene, { address: [`mqtts://localhost:${port}`], bridge_cafile, ...upstream });
    const good = await start({});
    expect(linesOf(await ask(good), 'TLS')).toEqual([expect.stringMatching(/^ok TLS .*TLSv1\.3/), expect.stringMatching(/^ok TLS .*is valid for \d+ more days/)]);
    expect(linesOf(await ask(good, { bridge_cafile: file('other.pem', authority('Other CA').cert) }), 'TLS')).toEqual([
      expect.stringMatching(/^error TLS .*is not among the CAs of upstream\.bridge_cafile/)]);
    expect(linesOf(await ask(await start({ names: ['elsewhere.example'] })), 'TLS')).toEqual([expect.stringMatching(/^error TLS .*is not for "localhost"/)]);
    expect(linesOf(await ask(await start({ from: -9, until: -2 })), 'TLS')).toEqual([expect.stringMatching(/^error TLS .*has expired/)]);
    const plain = await check(scene, { address: [`mqtt://127.0.0.1:${good}`] });
    expect(linesOf(plain, 'CONNECT')).toEqual([expect.stringMatching(/^error CONNECT .*(?:write mqtts:\/\/)/)]);

    const demanding = await start({}, 'require_certificate true');
    const without = await ask(demanding);
    expect(without.lines.find(line => line.startsWith('error'))).toMatch(/demands? a client certificate/);
    const own = issue(ca, { commonName: 'gateway' });
    const shown = await ask(demanding, { bridge_certfile: file('own.pem', own.cert), bridge_keyfile: file('own.key', own.key) });
    expect(linesOf(shown, 'CONNECT')).toEqual([expect.stringMatching(/^ok CONNECT /)]);
  });
});
