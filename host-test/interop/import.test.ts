/**
 * One mosquitto.conf, and two who live by it: a real Mosquitto with its bridge, and a gateway with what
 * `ringbridge import` makes of the file. The same topics arrive, with the same QoS and prefixes, for the same users.
 */
import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect } from 'vitest';
import { authority, localServer } from '../host/certificates.ts';
import { Broker, freePort, GATEWAY_PROGRAM, interop, MOSQUITTO, publish, requirePrograms, Subscriber } from './cast.ts';
import type { Scene } from './program.ts';

beforeAll(() => requirePrograms(MOSQUITTO));

const HASHES = ['sha512-pbkdf2', 'sha512'] as const;

/** A broker of the site, with what people write, at a port and with an identifier of its own. */
function settings(scene: Scene, port: number, identifier: string, remote: readonly string[]): string[] {
  const passwords = join(scene.directory, 'site-passwords');
  return [
    'user root', 'persistence false', 'log_dest stderr', 'log_type all', 'max_queued_messages 500',
    `listener ${port} 127.0.0.1`, 'allow_anonymous false', `password_file ${passwords}`, `acl_file ${join(scene.directory, 'site-acl')}`,
    'connection site', ...remote, `remote_clientid ${identifier}`, 'restart_timeout 1', 'notifications true',
    `notification_topic state/${identifier}`, 'try_private false',
    'topic reading/# out 1 "" site/home/', 'topic command/# in 2 "" site/home/', 'topic light out 0',
    'topic "" out 2 one/local one/remote', 'topic +/status both 1 dev/ all/',
  ];
}

function prepareUsers(scene: Scene): void {
  const passwords = join(scene.directory, 'site-passwords');
  for (const [index, hash] of HASHES.entries())
    expect(spawnSync('mosquitto_passwd', [...index === 0 ? ['-c'] : [], '-H', hash, '-b', passwords, `node${index}`, 'secret']).status).toBe(0);
  writeFileSync(join(scene.directory, 'site-acl'), ['user node0', 'topic #', 'topic deny reading/hidden', 'user node1',
    'topic write reading/#', 'topic read command/a'].join('\n'));
}

interface Site {
  readonly name: string;
  readonly port: number;
}

async function startMosquitto(scene: Scene, remote: readonly string[]): Promise<Site> {
  const port = await freePort();
  const file = join(scene.directory, 'site.conf');
  writeFileSync(file, settings(scene, port, 'theirs', remote).join('\n'));
  await scene.start('site', 'mosquitto', '-c', file).line(/mosquitto version .* running/);
  return { name: 'theirs', port };
}

async function startImported(scene: Scene, remote: readonly string[]): Promise<Site> {
  const port = await freePort();
  const file = join(scene.directory, 'ours.conf');
  writeFileSync(file, settings(scene, port, 'ours', remote).join('\n'));
  const { status, stderr, stdout } = spawnSync(process.execPath, [GATEWAY_PROGRAM, 'import', file], { encoding: 'utf8' });
  expect([status, stderr.split('\n').filter(line => / (?:not carried|carried otherwise): /.test(line))]).toEqual([0, []]);
  const made = join(scene.directory, 'ours.json');
  writeFileSync(made, stdout, { mode: 0o600 });
  await scene.start('gateway', process.execPath, GATEWAY_PROGRAM, 'run', '--config', made).line(/^ready /);
  return { name: 'ours', port };
}

const OUT: readonly (readonly [topic: string, qos: string])[] =
  [['reading/a', '2'], ['reading/b/c', '0'], ['light', '1'], ['one/local', '2'], ['dev/x/status', '1'], ['elsewhere', '1'], ['reading/hidden', '1']];
const IN: readonly (readonly [topic: string, qos: string])[] =
  [['site/home/command/a', '2'], ['site/home/command/b', '1'], ['command/c', '1'], ['all/y/status', '2']];

/** @param args of clients of the central broker @param remote lines of the connection */
async function compare(
  scene: Scene, { port }: Broker, args: readonly string[], remote: readonly string[],
): Promise<void> {
  prepareUsers(scene);
  const sites = [await startMosquitto(scene, remote), await startImported(scene, remote)];
  const atCentral = await Subscriber.start(scene, port, '#', ...args);
  for (const { name, port: sitePort } of sites) {
    // Retained, so it is told at any time.
    await atCentral.program.line(new RegExp(`^MESSAGE \\d \\d state/${name} 1$`));
    for (const [topic, qos] of OUT)
      await publish(scene, sitePort, topic, name, '-q', qos, '-u', 'node0', '-P', 'secret');
    await publish(scene, sitePort, 'reading/z', `${name} is done`, '-q', '1', '-u', 'node1', '-P', 'secret');
    await atCentral.program.line(new RegExp(`reading/z ${name} is done`));
    for (const topic of ['light', 'reading/b/c', 'all/x/status', 'reading/a', 'one/remote']) // QoS 2 takes longer
      await atCentral.program.line(new RegExp(`${topic} ${name}$`));
  }
  const arrived = sites.map(({ name }) => atCentral.program.lines
    .filter(line => line.startsWith('MESSAGE') && line.endsWith(` ${name}`)).map(line => line.replace(name, '')).sort());
  expect(arrived[0]).toEqual(['MESSAGE 0 0 light ', 'MESSAGE 0 0 site/home/reading/b/c ', 'MESSAGE 1 0 all/x/status ',
    'MESSAGE 1 0 site/home/reading/a ', 'MESSAGE 2 0 one/remote ']);
  expect(arrived[1]).toEqual(arrived[0]);

  const readers = await Promise.all(sites.flatMap(site => [0, 1].map(user =>
    Subscriber.start(scene, site.port, '#', '-u', `node${user}`, '-P', 'secret'))));
  for (const [topic, qos] of IN)
    await publish(scene, port, topic, 'in', '-q', qos, ...args);
  await publish(scene, port, 'site/home/command/a', 'done', '-q', '2', ...args);
  const told = await Promise.all(readers.map(async ({ program }) => {
    await program.line(/command\/a done/);
    return program.lines.filter(line => /^MESSAGE .* in$/.test(line)).sort();
  }));
  expect(told.slice(0, 2)).toEqual([
    ['MESSAGE 1 0 command/b in', 'MESSAGE 1 0 dev/y/status in', 'MESSAGE 2 0 command/a in'], ['MESSAGE 2 0 command/a in']]);
  expect(told.slice(2)).toEqual(told.slice(0, 2));
}

describe('a gateway that was imported, beside the Mosquitto that it was imported from', () => {
  interop('carries the same topics, with the same QoS and prefixes, for the same users', async scene => {
    const central = await Broker.start(scene);
    await compare(scene, central, [], [`address 127.0.0.1:${central.port}`]);
  });

  interop('does so over TLS, with user and password', async scene => {
    const ca = authority();
    const own = localServer(ca);
    const contents = { ca: ca.cert, own: own.cert, key: own.key };
    const [caFile, certificate, key] = Object.entries(contents).map(([name, content]) => {
      const path = join(scene.directory, `${name}.pem`);
      writeFileSync(path, content);
      return path;
    });
    const port = await freePort();
    const central = await Broker.start(scene, [`listener ${port} 127.0.0.1`, `certfile ${certificate}`, `keyfile ${key}`],
      { gateway: 'word' });
    await compare(scene, central, ['-u', 'gateway', '-P', 'word'], [`address localhost:${port}`, `bridge_cafile ${caFile}`,
      'remote_username gateway', 'remote_password word', 'bridge_tls_version tlsv1.3']);
  });
});
