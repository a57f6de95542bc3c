/** The way to a real Mosquitto over TLS: certificates of both, pre-shared keys, and what it says to wrong ones. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect } from 'vitest';
import { authority, type Identity, issue, localServer } from '../host/certificates.ts';
import { Broker, freePort, Gateway, interop, MOSQUITTO, publish, requirePrograms, Subscriber } from './cast.ts';
import type { Scene } from './program.ts';

beforeAll(() => requirePrograms(MOSQUITTO));

const ca = authority();
const server = localServer(ca);

/** Writes certificate and key. @returns their paths */
function files(scene: Scene, name: string, { cert, key }: Identity): { cert: string; key: string } {
  const paths = { cert: join(scene.directory, `${name}.pem`), key: join(scene.directory, `${name}.key`) };
  writeFileSync(paths.cert, cert);
  writeFileSync(paths.key, key);
  return paths;
}

/** A broker with a second listener, which has TLS: the first one is for those who look. */
async function start(scene: Scene, settings: readonly string[] = []):
  Promise<{ broker: Broker; port: number; caFile: string }> {
  const port = await freePort();
  const caFile = files(scene, 'ca', ca).cert;
  const own = files(scene, 'server', server);
  const isKeyed = settings.some(line => line.startsWith('psk_file'));
  const broker = await Broker.start(scene, [`listener ${port} 127.0.0.1`,
    ...isKeyed ? [] : [`cafile ${caFile}`, `certfile ${own.cert}`, `keyfile ${own.key}`], ...settings]);
  return { broker, port, caFile };
}

/** A reading out, a command in. */
async function converse(scene: Scene, broker: Broker, gateway: Gateway): Promise<void> {
  await broker.bridged();
  const atBroker = await Subscriber.start(scene, broker.port, 'site/greenhouse/reading/#');
  const node = await Subscriber.start(scene, gateway.port, 'command/#');
  await publish(scene, gateway.port, 'reading/t', '21', '-q', '1');
  await atBroker.message('1 0 site/greenhouse/reading/t 21');
  await publish(scene, broker.port, 'site/greenhouse/command/x', 'open', '-q', '2');
  await node.message('2 0 command/x open');
}

describe('a gateway and a Mosquitto with TLS', () => {
  for (const version of ['tlsv1.2', 'tlsv1.3'] as const)
    interop(`talk in ${version} or later`, async scene => {
      const { broker, caFile, port } = await start(scene, [`tls_version ${version}`]);
      const gateway = await Gateway.start(scene, { upstream: { address: [`mqtts://localhost:${port}`], bridge_cafile: caFile } });
      await converse(scene, broker, gateway);
      expect(gateway.program.lines.filter(line => line.includes(' warning '))).toEqual([]);
    });

  interop('know each other by their certificates', async scene => {
    const { broker, caFile, port } = await start(scene, ['require_certificate true', 'use_identity_as_username true']);
    const own = files(scene, 'client', issue(ca, { commonName: 'gateway' }));
    const gateway = await Gateway.start(scene, { upstream: { address: [`mqtts://127.0.0.1:${port}`], bridge_cafile: caFile,
      bridge_certfile: own.cert, bridge_keyfile: own.key } });
    await converse(scene, broker, gateway);
    expect(broker.program.count(/New client connected from .* as greenhouse .*u'gateway'/)).toBe(1);
  });

  interop('know each other by a pre-shared key', async scene => {
    const file = join(scene.directory, 'psk');
    writeFileSync(file, 'gw:0123456789abcdef0123456789abcdef\n', { mode: 0o600 });
    const { broker, port } = await start(scene, ['psk_hint home', `psk_file ${file}`]);
    const gateway = await Gateway.start(scene, { upstream: { address: [`mqtts://127.0.0.1:${port}`],
      bridge_identity: 'gw', bridge_psk: '0123456789abcdef0123456789abcdef' } });
    await converse(scene, broker, gateway);
  });

  const wrong: readonly (readonly [string, Identity | undefined, RegExp])[] = [
    ['has none', undefined, /demands a client certificate: write upstream\.bridge_certfile and bridge_keyfile/],
    ['has an expired one', issue(ca, { from: -9, until: -5 }), /certificate of upstream\.bridge_certfile has expired: renew/],
    ['has one that is not valid yet', issue(ca, { from: 5 }), /certificate of upstream\.bridge_certfile is refused/],
    ['has one of another CA', issue(authority('Other CA')), /does not know the CA that has issued upstream\.bridge_certfile/],
    ['has one for servers only', issue(ca, { usage: '1.3.6.1.5.5.7.3.1' }), /certificate of upstream\.bridge_certfile is of a kind that it does not take/],
  ];
  interop('do not agree on a wrong certificate of the gateway, or none, which the log says', async scene => {
    const { caFile, port } = await start(scene, ['require_certificate true']);
    for (const [index, [name, identity, pattern]] of wrong.entries()) {
      const own = identity === undefined ? undefined : files(scene, `client${index}`, identity);
      const program = await Gateway.run(scene, { upstream: { address: [`mqtts://localhost:${port}`], bridge_cafile: caFile,
        ...own !== undefined && { bridge_certfile: own.cert, bridge_keyfile: own.key } } });
      // The alert may be lost: Mosquitto closes with CONNECT unread.
      const lost = identity === undefined ? 'demand a client certificate' : 'refuse upstream\\.bridge_certfile';
      expect(await program.line(/ warning upstream mqtts/), name).toMatch(new RegExp(`${pattern.source}|${lost}`));
      await program.stop();
    }
  });

  interop('have a line each when one of the two speaks TLS and the other does not', async scene => {
    const { broker, caFile, port } = await start(scene);
    for (const [upstream, pattern] of [
      [{ address: [`mqtt://127.0.0.1:${port}`] }, /does the broker speak TLS there \(write mqtts:\/\/\)/],
      [{ address: [`mqtts://127.0.0.1:${broker.port}`], bridge_cafile: caFile }, /ends the TLS handshake: does it speak TLS on port/],
    ] as const) {
      const program = await Gateway.run(scene, { upstream });
      expect(await program.line(/ warning upstream/)).toMatch(pattern);
      await program.stop();
    }
  });
});
