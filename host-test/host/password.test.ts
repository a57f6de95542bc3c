import { describe, expect, test } from 'vitest';
import { formatPasswordHash, hashPassword, parsePasswordHash, unmatchableHash,
  verifyPassword } from '../../src/host/password.ts';

const base64 = (hex: string): string => Buffer.from(hex.replaceAll(' ', ''), 'hex').toString('base64');

/** RFC 7914, section 12 (N = 1024, r = 8, p = 16) and section 11 (one iteration). */
const SCRYPT_VECTOR = `scrypt$1024$8$16$${Buffer.from('NaCl').toString('base64')}$${base64(
  'fd ba be 1c 9d 34 72 00 78 56 e7 19 0d 01 e9 fe 7c 6a d7 cb c8 23 78 30 e7 73 76 63 4b 37 31 62 2e af 30 d9 2e 22 a3 88 6f f1 09 27 9d 98 30 da c7 27 af b9 4a 83 ee 6d 83 60 cb df a2 cc 06 40')}`;
const PBKDF2_VECTOR = `pbkdf2-sha256$1$${Buffer.from('salt').toString('base64')}$${base64(
  '55 ac 04 6e 56 e3 08 9f ec 16 91 c2 25 44 b6 05 f9 41 85 21 6d de 04 65 e6 8b 9d 57 c2 0d ac bc 49 ca 9c cc f1 79 b6 45 99 16 64 b3 9d 77 ef 31 7c 71 b8 45 b1 e3 0b d5 09 11 20 41 d3 a1 97 83')}`;

describe('a password hash', () => {
  test.each([['scrypt', SCRYPT_VECTOR, 'password'], ['pbkdf2', PBKDF2_VECTOR, 'passwd']])('is what RFC 7914 says: %s',
    async (_name, text, password) => {
    const hash = parsePasswordHash(text)!;
    expect(formatPasswordHash(hash)).toBe(text);
    expect(await verifyPassword(Buffer.from(password), hash)).toBe(true);
    expect(await verifyPassword(Buffer.from(`${password}x`), hash)).toBe(false);
  });

  test.each([false, true])('verifies what it was made of, for a board: %s', async forDevice => {
    const text = formatPasswordHash(await hashPassword('gehëim', forDevice));
    expect(text).toMatch(forDevice ? /^pbkdf2-sha256\$2000\$[^$]+\$[A-Za-z0-9+/]{43}=$/ : /^scrypt\$16384\$8\$1\$/);
    expect(await verifyPassword(Buffer.from('gehëim'), parsePasswordHash(text)!)).toBe(true);
    expect(await verifyPassword(Buffer.from(''), parsePasswordHash(text)!)).toBe(false);
  });

  test('differs each time', async () => {
    expect(formatPasswordHash(await hashPassword('x', true))).not.toBe(formatPasswordHash(await hashPassword('x',
      true)));
  });

  const HASH = base64('00'.repeat(32));
  test.each([
    '', 'x', 'scrypt', `scrypt$16384$8$1$AAAA$`, `scrypt$16384$8$1$$${HASH}`, `scrypt$16384$8$1$AAAA$${HASH}$`,
      `scrypt$16384$8$1$AA!A$${HASH}`,
    `scrypt$16383$8$1$AAAA$${HASH}`, `scrypt$1$8$1$AAAA$${HASH}`, `scrypt$-2$8$1$AAAA$${HASH}`,
      'scrypt$16384$8$1$AAAA$AAAA',
    `scrypt$1048576$8$1$AAAA$${HASH}`, `scrypt$16384$8$17$AAAA$${HASH}`, `scrypt$16384$99999999$1$AAAA$${HASH}`,
    `pbkdf2-sha256$0$AAAA$${HASH}`, `pbkdf2-sha256$99999999$AAAA$${HASH}`, `pbkdf2-sha1$1$AAAA$${HASH}`,
      'pbkdf2-sha256$1$AAAA$AAAA',
  ])('is refused when it is malformed, weak or too costly: %s', text => {
    expect(parsePasswordHash(text)).toBeUndefined();
  });

  test('that nobody has costs as much as another one', () => {
    const like = parsePasswordHash(PBKDF2_VECTOR)!;
    expect(unmatchableHash(like)).toMatchObject({ scheme: 'pbkdf2-sha256', costs: [1] });
    expect(unmatchableHash(like).hash).not.toEqual(like.hash);
    expect(unmatchableHash(undefined)).toMatchObject({ scheme: 'scrypt', costs: [16384, 8, 1] });
  });
});
