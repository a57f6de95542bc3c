/**
 * Nobody learns from the time of a refusal which users there are, or what kind of hash they have; Mosquitto's hashes
 * are verified.
 */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { Arena, ArenaPlan } from '../../src/bytes/arena.ts';
import { encodeUTF8 } from '../../src/bytes/utf8.ts';
import { PENDING } from '../../src/gateway/gateway.ts';
import { PasswordAuthenticator } from '../../src/host/authentication.ts';
import { readConfiguration } from '../../src/host/config.ts';
import { kindOf, parsePasswordHash, type PasswordHash, verifyPassword } from '../../src/host/password.ts';
import { Packet } from '../../src/packet/packet.ts';
import * as ReasonCode from '../../src/packet/reason-code.ts';
import { CONNECTING } from '../../src/session/connection-state.ts';
import type { ServerSession } from '../../src/session/server-session.ts';

const SCRYPT = 'scrypt$2$1$1$AAAA$AAAAAAAAAAAAAAAAAAAAAA==';
const PBKDF2 = 'pbkdf2-sha256$3$AAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=';

/** Of mosquitto_passwd before 2.0. */
const saltedOnce = (password: string, salt: Buffer): string =>
  `$6$${salt.toString('base64')}$${createHash('sha512').update(password).update(salt).digest('base64')}`;

function connect(userName: string, password: string): Packet {
  const plan = new ArenaPlan();
  plan.reserve('texts', 1000);
  const packet = new Packet(new Arena(plan, { landingCapacity: 0, stagingCapacity: 0, resizable: false }));
  packet.userNameLength = encodeUTF8(packet.arena, 0, userName);
  packet.passwordOffset = 500;
  packet.passwordLength = encodeUTF8(packet.arena, 500, password) - 500;
  return packet;
}

const session = (): ServerSession =>
  ({ index: 0, state: CONNECTING, connectionNumber: 1, user: -1,
    refuse() { /* not looked at */ } }) as unknown as ServerSession;

describe('a password that is wrong', () => {
  test('costs the same work whoever is named: one hash of each kind that there is', async () => {
    const users = [{ username: 'a', password_hash: SCRYPT }, { username: 'b', password_hash: PBKDF2 },
      { username: 'c', password: 'plain' }];
    let kinds: string[] = [];
    const verify = async (_password: Buffer, expected: PasswordHash): Promise<boolean> => {
      kinds.push(kindOf(expected));
      return false;
    };
    const authenticator = await PasswordAuthenticator.create({ allow_anonymous: false, users }, verify);
    authenticator.runtime = { gateway: { admit() { throw new Error('admitted'); } }, later: decide => decide() };
    const works: string[] = [];
    for (const name of ['a', 'b', 'c', 'nobody']) {
      kinds = [];
      expect(authenticator.authenticate(session(), connect(name, 'wrong'))).toBe(PENDING);
      await new Promise(resolve => setImmediate(resolve));
      works.push(kinds.join(' '));
    }
    expect(new Set(works).size).toBe(1);
    expect(works[0]!.split(' ')).toEqual(['scrypt,2,1,1,16', 'pbkdf2-sha256,3,32', 'scrypt,16384,8,1,32']);
  });
});

describe('a plain password', () => {
  test('is right at once, needs no hash at the start, and is gone from the configuration', async () => {
    const users = Array.from({ length: 60 }, (_, index) => ({ username: `n${index}`, password: `secret ${index}` }));
    let derivations = 0;
    const verify = async (): Promise<boolean> => ++derivations < 0;
    const authenticator = await PasswordAuthenticator.create({ allow_anonymous: false, users }, verify);
    expect(JSON.stringify(users)).not.toContain('secret');
    authenticator.runtime = { gateway: { admit() { throw new Error('admitted'); } }, later: decide => decide() };
    const admitted = session();
    expect(authenticator.authenticate(admitted, connect('n59', 'secret 59'))).toBe(ReasonCode.SUCCESS);
    expect([admitted.user, derivations]).toEqual([59, 0]);
    expect(authenticator.authenticate(session(), connect('n59', 'secret 58'))).toBe(PENDING);
  });

  test('that has been taken out lets nobody in when the same users are used again', async () => {
    const users = [{ username: 'a', password: 'secret' }];
    await PasswordAuthenticator.create({ allow_anonymous: false, users });
    const again = await PasswordAuthenticator.create({ allow_anonymous: false, users }, async () => true);
    again.runtime = { gateway: { admit() { throw new Error('admitted'); } }, later: decide => decide() };
    for (const password of ['secret', ''])
      expect(again.authenticate(session(), connect('a', password))).toBe(PENDING);
    await new Promise(resolve => setImmediate(resolve));
  });
});

describe('a hash of mosquitto_passwd', () => {
  const verify = (text: string, password: string): Promise<boolean> =>
    verifyPassword(Buffer.from(password), parsePasswordHash(text)!);

  test('$7$ is verified', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'ringbridge-'));
    try {
      const file = join(folder, 'passwords');
      execFileSync('mosquitto_passwd', ['-b', '-c', file, 'u', 'gehëim']);
      const text = readFileSync(file, 'utf8').trim().replace(/^u:/, '');
      expect(text).toMatch(/^\$7\$/);
      expect([await verify(text, 'gehëim'), await verify(text, 'geheim')]).toEqual([true, false]);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  test('$6$ is verified', async () => {
    const text = saltedOnce('secret', Buffer.from('0123456789ab'));
    expect([await verify(text, 'secret'), await verify(text, 'Secret')]).toEqual([true, false]);
  });

  test.each(['$7$101$AAAA', '$7$0$AAAA$AAAAAAAAAAAAAAAAAAAAAA==', '$6$AAAA$AAAAAAAAAAAAAAAAAAAAAA==', '$5$AAAA$AAAA', '$', '$7', 'constructor$1$AAAA$AAAAAAAAAAAAAAAAAAAAAA=='])(
    '%s is none', text => expect(parsePasswordHash(text)).toBeUndefined());
});

test('a weak hash and an empty password are worth a warning, what passwd prints is not', () => {
  const warningsOf = (user: object): string[] => readConfiguration(JSON.stringify({
    topic: [{ pattern: '#' }], listener: { users: [{ username: 'u', ...user }] },
  }), 'f').warnings.map(line => line.replace(/^f:1:\d+: warning: listener\.users\[0\]\./, ''));
  const hash = Buffer.alloc(32).toString('base64');
  for (const password_hash of [saltedOnce('x', Buffer.from('salt')), `$7$101$AAAAAAAAAAAAAAAA$${hash}`, SCRYPT, PBKDF2])
    expect(warningsOf({ password_hash })[0]).toContain('password_hash: whoever gets to see this hash');
  for (const password_hash of [`scrypt$16384$8$1$AAAAAAAAAAAAAAAA$${hash}`, `pbkdf2-sha256$2000$AAAAAAAAAAAAAAAA$${hash}`, `$7$100000$AAAAAAAAAAAAAAAA$${hash}`])
    expect(warningsOf({ password_hash })).toEqual([]);
  expect(warningsOf({ password: '' })[0]).toContain('password: is empty');
});
