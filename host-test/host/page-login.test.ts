/** Who may log in to the page, however many others try, and what the log says of them. */
import { afterEach, beforeAll, expect, test, vi } from 'vitest';
import { Log } from '../../src/host/log.ts';
import { PageRefusals } from '../../src/host/page-refusals.ts';
import { PageSessions } from '../../src/host/page-sessions.ts';
import { hashPassword, type PasswordHash } from '../../src/host/password.ts';

const RIGHT = Buffer.from('correct horse');
const WRONG = Buffer.from('wrong');
vi.setConfig({ testTimeout: 60_000 });

let hash: PasswordHash;

beforeAll(async () => {
  hash = await hashPassword(RIGHT.toString());
});
afterEach(() => vi.useRealTimers());

test('strangers do not lock out an address from which the right password came', async () => {
  const refused: string[] = [];
  let now = 0;
  const sessions = new PageSessions(hash, address => refused.push(address), () => now);
  expect(await sessions.verify(RIGHT, 'home')).toBe('right');
  for (let count = 0; count < 30; ++count)
    expect(await sessions.verify(WRONG, `stranger ${count}`)).toBe('wrong');
  expect(await sessions.verify(RIGHT, 'new')).toBe('too many');
  expect(await sessions.verify(RIGHT, 'home')).toBe('right');
  const slow = [sessions.verify(WRONG, 'home'), sessions.verify(WRONG, 'home'), sessions.verify(RIGHT, 'home')];
  expect(await Promise.all(slow)).toEqual(['wrong', 'wrong', 'right']);
  for (const verdict of ['wrong', 'wrong', 'wrong', 'too many'])
    expect(await sessions.verify(WRONG, 'home')).toBe(verdict);
  expect(refused).toHaveLength(37);
  now = 60_001;
  expect(await sessions.verify(RIGHT, 'new')).toBe('right');
});

test('the log has one line a minute for an address, with a count', () => {
  vi.useFakeTimers();
  const lines: string[] = [];
  const refusals = new PageRefusals(new Log(line => lines.push(line.replace(/^\S+ /, ''))));
  for (let count = 0; count < 8; ++count)
    refusals.add('192.168.1.9');
  refusals.add('192.168.1.10');
  expect(lines).toEqual(['warning page: a wrong password from 192.168.1.9', 'warning page: a wrong password from 192.168.1.10']);
  vi.advanceTimersByTime(60_000);
  expect(lines.splice(0).slice(2))
    .toEqual(['warning page: 7 more attempts with a password from 192.168.1.9 were refused within a minute']);
  vi.advanceTimersByTime(120_000);
  for (let count = 0; count < 200; ++count)
    refusals.add(`10.0.0.${count}`);
  expect(lines).toHaveLength(65);
  expect(lines.at(-1)).toBe('warning page: a wrong password from other addresses');
  vi.advanceTimersByTime(60_000);
  expect(lines.slice(65)).toEqual(['warning page: 135 more attempts with a password from other addresses were refused within a minute']);
});
