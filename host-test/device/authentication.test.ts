/** Who may connect to a board. The digest of the SDK is Node's here; time passes as the test says. */
import { pbkdf2Sync } from 'node:crypto';
import { describe, expect, test, vi } from 'vitest';
import { Arena, ArenaPlan } from '../../src/bytes/arena.ts';
import { encodeUTF8 } from '../../src/bytes/utf8.ts';
import { DeviceAuthenticator } from '../../src/device/authentication.ts';
import { Derivation } from '../../src/device/key-derivation.ts';
import type { UserConfiguration } from '../../src/config/configuration.ts';
import { PENDING } from '../../src/gateway/gateway.ts';
import { Packet } from '../../src/packet/packet.ts';
import { BAD_USER_NAME_OR_PASSWORD, NOT_AUTHORIZED, SUCCESS } from '../../src/packet/reason-code.ts';
import { CLOSED, CONNECTED, CONNECTING } from '../../src/session/connection-state.ts';
import type { ServerSession } from '../../src/session/server-session.ts';
import { MAXIMUM_ITERATIONS } from '../../src/rules/board-rules.ts';
import { seeded } from '../session/pair.ts';
import { Digest } from './node-digest.ts';

vi.mock('crypt', () => import('./node-digest.ts'));

vi.stubGlobal('ArrayBuffer',
  Object.assign(ArrayBuffer, { fromString: (text: string) => new Uint8Array(Buffer.from(text)).buffer }));
vi.stubGlobal('Uint8Array',
  Object.assign(Uint8Array, { fromBase64: (text: string) => new Uint8Array(Buffer.from(text, 'base64')) }));

const SALT = Buffer.from('saltsalt');
const hashOf = (password: string, iterations = 100): string =>
  `pbkdf2-sha256$${iterations}$${SALT.toString('base64')}$${pbkdf2Sync(password, SALT, iterations, 32, 'sha256').toString('base64')}`;

class FakeSession {
  state = CONNECTING;
  connectionNumber = 1;
  user = -1;
  readonly verdicts: string[] = [];

  get isConnected(): boolean {
    return this.state === CONNECTED;
  }

  refuse(reasonCode: number): void {
    expect(reasonCode).toBe(BAD_USER_NAME_OR_PASSWORD);
    this.verdicts.push('refused');
    this.state = CLOSED;
  }

  continueReading(): void {
    this.verdicts.push('reads on');
  }
}

function connect(userName?: string, password?: string): Packet {
  const plan = new ArenaPlan();
  plan.reserve('texts', 1000);
  const packet = new Packet(new Arena(plan, { landingCapacity: 0, stagingCapacity: 0, resizable: false }));
  if (userName !== undefined)
    packet.userNameLength = encodeUTF8(packet.arena, 0, userName);
  if (password !== undefined) {
    packet.passwordOffset = 500;
    packet.passwordLength = encodeUTF8(packet.arena, 500, password) - 500;
  }
  return packet;
}

/** A board whose clock moves one millisecond with every look at it. */
class Board {
  now = 0;
  /** Milliseconds that each call of the timer took. */
  readonly slices: number[] = [];
  readonly authenticator: DeviceAuthenticator;
  private pending: number | undefined;
  private readonly onTimer: () => void;

  constructor(users: readonly UserConfiguration[], allow_anonymous = false) {
    let onTimer = (): void => {};
    this.authenticator = new DeviceAuthenticator({ allow_anonymous, users }, seeded(1), callback => {
      onTimer = callback;
      return { set: wait => { this.pending = wait; }, clear: () => { this.pending = undefined; } };
    }, () => this.now++ | 0);
    this.onTimer = () => onTimer();
    this.authenticator.runtime = {
      gateway: {
        admit: session => {
          (session as unknown as FakeSession).verdicts.push(`admitted ${session.user}`);
          session.state = CONNECTED;
        },
      },
      later: decide => decide(),
    };
  }

  authenticate(session: FakeSession, userName?: string, password?: string): number {
    return this.authenticator.authenticate(session as unknown as ServerSession, connect(userName, password));
  }

  /** Lets the timer fire once. @returns whether it was set */
  step(): boolean {
    if (this.pending === undefined)
      return false;
    this.pending = undefined;
    const start = this.now;
    this.onTimer();
    this.slices.push(this.now - start);
    return true;
  }

  run(): void {
    while (this.step());
  }
}

describe('the derivation of a key', () => {
  test.each([
    ['password', 1], ['password', 2], ['password', 999], ['', 10], ['x'.repeat(64), 10], ['x'.repeat(65), 10],
      ['pässword', 100],
  ])('is that of RFC 8018, however it is cut: "%s", %i iterations', (password, iterations) => {
    const expected = pbkdf2Sync(password, SALT, iterations, 32, 'sha256');
    for (const count of [1, 3, 10_000]) {
      const derivation = new Derivation(new Digest(), new Uint8Array(Buffer.from(password)), SALT, iterations);
      let calls = 1;
      while (!derivation.advance(count))
        ++calls;
      expect(Buffer.from(derivation.result)).toEqual(expected);
      expect(calls).toBe(Math.max(1, Math.ceil((iterations - 1) / count)));
    }
  });
});

describe('a node', () => {
  test('without a user name comes in if that is allowed', () => {
    expect(new Board([], true).authenticate(new FakeSession())).toBe(SUCCESS);
    expect(new Board([], true).authenticate(new FakeSession(), 'whoever', 'x')).toBe(SUCCESS);
    expect(new Board([{ username: 'a', password: 'b' }]).authenticate(new FakeSession())).toBe(NOT_AUTHORIZED);
  });

  test('with a plain password is answered at once', () => {
    const board = new Board([{ username: 'one', password: 'secret' }, { username: 'two', password: 'pässword' }]);
    const session = new FakeSession();
    expect(board.authenticate(session, 'two', 'pässword')).toBe(SUCCESS);
    expect(session.user).toBe(1);
    for (const [name, password] of [['two', 'secret'], ['two', ''], ['two', undefined], ['three', 'secret'],
      ['', 'secret']] as const)
      expect(board.authenticate(new FakeSession(), name, password)).toBe(BAD_USER_NAME_OR_PASSWORD);
    expect(board.step()).toBe(false);
  });

  test('with a hashed password is answered later, and at once when it comes back', () => {
    const board =
      new Board([{ username: 'other', password: 'x' }, { username: 'node', password_hash: hashOf('secret') }]);
    const session = new FakeSession();
    expect(board.authenticate(session, 'node', 'secret')).toBe(PENDING);
    board.run();
    expect(session.verdicts).toEqual(['admitted 1', 'reads on']);
    expect(board.authenticate(new FakeSession(), 'node', 'secret')).toBe(SUCCESS);
    expect(board.authenticate(new FakeSession(), 'node', 'Secret')).toBe(PENDING);
  });

  test('with a wrong password and one that nobody knows are answered alike, after the same work', () => {
    const board = new Board([{ username: 'node', password_hash: hashOf('secret') }]);
    const work = (name: string, password: string): number => {
      const session = new FakeSession();
      const start = board.now;
      expect(board.authenticate(session, name, password)).toBe(PENDING);
      board.run();
      expect(session.verdicts).toEqual(['refused']);
      return board.now - start;
    };
    expect(work('nobody', 'secret')).toBe(work('node', 'wrong'));
    expect(work('nobody', 'secret')).toBe(work('node', 'secret '));
  });

  test('that is verified holds nobody up: slices of some milliseconds, with breaks', () => {
    const board = new Board([{ username: 'node', password_hash: hashOf('secret', MAXIMUM_ITERATIONS) }]);
    const session = new FakeSession();
    board.authenticate(session, 'node', 'secret');
    expect(board.slices).toEqual([]); // nothing is done within the event of the network
    board.run();
    expect(session.verdicts).toEqual(['admitted 0', 'reads on']);
    expect(board.slices.length).toBeGreaterThan(10);
    expect(Math.max(...board.slices)).toBeLessThanOrEqual(12);
  });

  test('waits for its turn; whoever has gone or come anew meanwhile is passed over', () => {
    const board = new Board([{ username: 'node', password_hash: hashOf('secret', 500) }]);
    const [first, gone, anew, last] =
      Array.from({ length: 4 }, () => new FakeSession()) as [FakeSession, FakeSession, FakeSession, FakeSession];
    board.authenticate(first, 'node', 'wrong');
    board.step();
    board.authenticate(gone, 'node', 'secret');
    board.authenticate(anew, 'node', 'secret');
    board.authenticate(last, 'node', 'secret');
    gone.state = CLOSED;
    anew.connectionNumber = 2;
    board.run();
    expect([first, gone, anew, last].map(({ verdicts }) => verdicts)).toEqual([['refused'], [], [],
      ['admitted 0', 'reads on']]);
  });

  test('that goes in the midst of it leaves nothing behind for the next one', () => {
    const board = new Board([{ username: 'node', password_hash: hashOf('secret', 500) }]);
    const session = new FakeSession();
    board.authenticate(session, 'node', 'secret');
    board.step();
    session.connectionNumber = 2; // the same session, another connection
    board.authenticate(session, 'node', 'wrong');
    board.run();
    expect(session.verdicts).toEqual(['refused']);
  });

  test.each([['the same password', () => 'secret'],
    ['a wrong one', (index: number) => String(index)]])('that comes with many others, with %s, gets its own verdict',
      (_name, passwordOf) => {
    const board = new Board([{ username: 'node', password_hash: hashOf('secret', 500) }]);
    const sessions = Array.from({ length: 9 }, () => new FakeSession());
    sessions.forEach((session, index) =>
      expect(board.authenticate(session, 'node', index === 8 ? 'secret' : passwordOf(index))).toBe(PENDING));
    board.run();
    expect(sessions.map(({ verdicts }) => verdicts[0])).toEqual(sessions.map((_, index) => index === 8
      || passwordOf(index) === 'secret' ? 'admitted 0' : 'refused'));
  });

  test('with a password that another one has shown to be right meanwhile is not verified', () => {
    const board = new Board([{ username: 'node', password_hash: hashOf('secret', MAXIMUM_ITERATIONS) }]);
    const timeFor = (count: number): number => {
      const start = board.now;
      const sessions = Array.from({ length: count }, () => new FakeSession());
      for (const session of sessions)
        board.authenticate(session, 'node', 'secret');
      board.run();
      expect(sessions.every(({ verdicts }) => verdicts[0] === 'admitted 0')).toBe(true);
      return board.now - start;
    };
    expect(timeFor(6)).toBeLessThan(MAXIMUM_ITERATIONS / 4 * 1.5); // one look at the clock for each four iterations
  });

  test('that connects again and again before it is verified does not make the queue longer', () => {
    const board = new Board([{ username: 'node', password_hash: hashOf('secret') }]);
    const session = new FakeSession();
    for (; session.connectionNumber < 1000; ++session.connectionNumber)
      board.authenticate(session, 'node', `wrong ${session.connectionNumber}`);
    board.authenticate(session, 'node', 'secret');
    expect(board.authenticator['waiting'].length).toBe(1);
    board.run();
    expect(session.verdicts).toEqual(['admitted 0', 'reads on']);
  });
});
