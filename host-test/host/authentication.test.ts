import { describe, expect, test } from 'vitest';
import { Arena, ArenaPlan } from '../../src/bytes/arena.ts';
import { encodeUTF8 } from '../../src/bytes/utf8.ts';
import { describeReason } from '../../src/gateway/reason-texts.ts';
import { PENDING } from '../../src/gateway/gateway.ts';
import { MAXIMUM_RUNNING, PasswordAuthenticator } from '../../src/host/authentication.ts';
import type { PasswordHash } from '../../src/host/password.ts';
import { Packet } from '../../src/packet/packet.ts';
import * as ReasonCode from '../../src/packet/reason-code.ts';
import { CLOSED, CONNECTED, CONNECTING } from '../../src/session/connection-state.ts';
import type { ServerSession } from '../../src/session/server-session.ts';

/** scrypt with the least cost. */
const HASH = 'scrypt$2$1$1$AAAA$AAAAAAAAAAAAAAAAAAAAAA==';

/** What the authenticator needs of a session, and what became of it. */
class FakeSession {
  state = CONNECTING;
  connectionNumber = 1;
  user = -1;
  readonly verdicts: string[] = [];

  get isConnected(): boolean {
    return this.state === CONNECTED;
  }

  refuse(reasonCode: number): void {
    this.verdicts.push(`refused ${describeReason(reasonCode)}`);
    this.state = CLOSED;
  }

  continueReading(): void {
    this.verdicts.push('reads on');
  }

  asSession(): ServerSession {
    return this as unknown as ServerSession;
  }
}

function connect(userName?: string, password?: string): Packet {
  const plan = new ArenaPlan();
  plan.reserve('texts', 1000);
  const arena = new Arena(plan, { landingCapacity: 0, stagingCapacity: 0, resizable: false });
  const packet = new Packet(arena);
  if (userName !== undefined)
    packet.userNameLength = encodeUTF8(arena, 0, userName);
  if (password !== undefined) {
    packet.passwordOffset = 500;
    packet.passwordLength = encodeUTF8(arena, 500, password) - 500;
  }
  return packet;
}

/** An authenticator whose verifications end when the test says so. */
async function prepare(users: readonly string[], allowsAnonymous = false) {
  const verifications: { password: string; expected: PasswordHash; finish(isRight: boolean): void; fail(): void }[] =
    [];
  const authenticator = await PasswordAuthenticator.create(
    { allow_anonymous: allowsAnonymous, users: users.map(username => ({ username, password_hash: HASH })) },
    (password, expected) => new Promise((resolve, reject) => {
      verifications.push({ password: password.toString(), expected, finish: resolve, fail: () =>
        reject(new Error('no memory')) });
    }));
  const admitted: FakeSession[] = [];
  authenticator.runtime = {
    gateway: {
      admit: session => {
        const fake = session as unknown as FakeSession;
        fake.state = CONNECTED;
        fake.verdicts.push('admitted');
        admitted.push(fake);
      },
    },
    later: decide => decide(),
  };
  const ask = (session: FakeSession, userName?: string, password?: string) =>
    authenticator.authenticate(session.asSession(), connect(userName, password));
  return { authenticator, verifications, admitted, ask };
}

/** Lets promises that are settled call back. */
const settle = (): Promise<void> => new Promise(resolve => setImmediate(resolve));

describe('without credentials', () => {
  test('a node is refused, or welcome where anonymous ones are', async () => {
    expect((await prepare(['a'])).ask(new FakeSession())).toBe(ReasonCode.NOT_AUTHORIZED);
    expect((await prepare([])).ask(new FakeSession())).toBe(ReasonCode.NOT_AUTHORIZED);
    expect((await prepare(['a'], true)).ask(new FakeSession())).toBe(ReasonCode.SUCCESS);
  });

  test('credentials do not matter where there are no users and anonymous nodes are welcome', async () => {
    expect((await prepare([], true)).ask(new FakeSession(), 'any', 'thing')).toBe(ReasonCode.SUCCESS);
  });
});

describe('with credentials', () => {
  test('the right password admits, later, as that user', async () => {
    const { ask, verifications } = await prepare(['a', 'b']);
    const session = new FakeSession();
    expect(ask(session, 'b', 'secret')).toBe(PENDING);
    expect(session.verdicts).toEqual([]);
    expect(verifications[0]!.password).toBe('secret');
    verifications[0]!.finish(true);
    await settle();
    expect(session.verdicts).toEqual(['admitted', 'reads on']);
    expect(session.user).toBe(1);
  });

  test('the wrong password, an unknown user and no password get the same answer after the same work', async () => {
    const { ask, verifications } = await prepare(['a'], true);
    for (const [userName, password] of [['a', 'wrong'], ['nobody', 'secret'], ['a', undefined], ['', '']] as const) {
      const session = new FakeSession();
      expect(ask(session, userName, password)).toBe(PENDING);
      const { expected, finish } = verifications.pop()!;
      expect(expected).toMatchObject({ scheme: 'scrypt', costs: [2, 1, 1] });
      finish(userName === 'nobody'); // even if the hash of nobody were hit
      await settle();
      expect(session.verdicts).toEqual(['refused bad user name or password']);
      expect(session.user).toBe(-1);
    }
  });

  test('a verification that cannot be made refuses as busy', async () => {
    const { ask, verifications } = await prepare(['a']);
    const session = new FakeSession();
    ask(session, 'a', 'x');
    verifications[0]!.fail();
    await settle();
    expect(session.verdicts).toEqual(['refused server busy']);
  });

  test('a password that was right is not verified again, any other is', async () => {
    const { ask, verifications } = await prepare(['a', 'b']);
    ask(new FakeSession(), 'a', 'secret');
    verifications.pop()!.finish(true);
    await settle();
    const again = new FakeSession();
    expect(ask(again, 'a', 'secret')).toBe(ReasonCode.SUCCESS);
    expect(again.user).toBe(0);
    expect(ask(new FakeSession(), 'b', 'secret')).toBe(PENDING);
    verifications.pop()!.finish(false);
    await settle();
    expect(ask(new FakeSession(), 'a', 'Secret')).toBe(PENDING);
    verifications.pop()!.finish(false);
    await settle();
    expect(ask(new FakeSession(), 'a', 'secret')).toBe(ReasonCode.SUCCESS);
    expect(ask(new FakeSession(), 'nobody', 'secret')).toBe(PENDING);
  });

  test('nothing that could be read out holds a password', async () => {
    const { ask, authenticator, verifications } = await prepare(['a']);
    ask(new FakeSession(), 'a', 'secret');
    verifications.pop()!.finish(true);
    await settle();
    expect(JSON.stringify(authenticator)).not.toContain('secret');
    expect(JSON.stringify(authenticator)).not.toContain(JSON.stringify([...Buffer.from('secret')]).slice(1, -1));
  });
});

describe('a verdict that comes late', () => {
  test('does nothing to a session that is closed', async () => {
    const { ask, verifications } = await prepare(['a']);
    const session = new FakeSession();
    ask(session, 'a', 'x');
    session.state = CLOSED;
    verifications[0]!.finish(true);
    await settle();
    expect(session.verdicts).toEqual([]);
  });

  test('does nothing to another connection in the same session', async () => {
    const { ask, verifications } = await prepare(['a']);
    const session = new FakeSession();
    ask(session, 'a', 'right');
    ++session.connectionNumber;
    ask(session, 'a', 'wrong');
    verifications[0]!.finish(true);
    await settle();
    expect(session.verdicts).toEqual([]);
    verifications[1]!.finish(false);
    await settle();
    expect(session.verdicts).toEqual(['refused bad user name or password']);
  });
});

describe('many CONNECTs at once', () => {
  const NODES = 100;
  type Ask = Awaited<ReturnType<typeof prepare>>['ask'];
  const askForAll = (ask: Ask, passwordOf: (index: number) => string): FakeSession[] =>
    Array.from({ length: NODES }, (_, index) => {
      const session = new FakeSession();
      expect(ask(session, 'a', passwordOf(index))).toBe(PENDING);
      return session;
    });

  test('are verified few at a time, in the order in which they came, and none is refused for that', async () => {
    const { ask, verifications } = await prepare(['a']);
    const sessions = askForAll(ask, String);
    expect(verifications).toHaveLength(MAXIMUM_RUNNING);
    for (let done = 0; done < sessions.length; ++done) {
      verifications[done]!.finish(false);
      await settle();
      expect(verifications.length - done - 1).toBeLessThanOrEqual(MAXIMUM_RUNNING);
    }
    expect(sessions.map(session => session.verdicts.join())).toEqual(sessions.map(() =>
      'refused bad user name or password'));
    expect(verifications.map(({ password }) => password)).toEqual(sessions.map((_, index) => String(index)));
  });

  test('with the same right password cost no more verifications than run at a time', async () => {
    const { ask, verifications } = await prepare(['a']);
    const sessions = askForAll(ask, () => 'secret');
    verifications[0]!.finish(true);
    await settle();
    expect(verifications).toHaveLength(MAXIMUM_RUNNING);
    for (const { finish } of verifications)
      finish(true);
    await settle();
    expect(sessions.map(({ verdicts }) => verdicts)).toEqual(sessions.map(() => ['admitted', 'reads on']));
  });

  test('leave one waiting for each session, however often it comes anew', async () => {
    const { ask, authenticator, verifications } = await prepare(['a']);
    const [session] = askForAll(ask, String) as [FakeSession];
    for (; session.connectionNumber < 1000; ++session.connectionNumber)
      ask(session, 'a', `again ${session.connectionNumber}`);
    ask(session, 'a', 'last');
    expect(authenticator['waiting'].length).toBeLessThanOrEqual(NODES);
    for (let done = 0; done < verifications.length; ++done) {
      verifications[done]!.finish(verifications[done]!.password === 'last');
      await settle();
    }
    expect(verifications).toHaveLength(NODES + 1);
    expect(session.verdicts).toEqual(['admitted', 'reads on']);
  });

  test('that are gone before their turn are not verified', async () => {
    const { ask, verifications } = await prepare(['a']);
    const sessions = askForAll(ask, String);
    for (const session of sessions.slice(0, -1))
      session.state = CLOSED;
    for (let done = 0; done < verifications.length; ++done) {
      verifications[done]!.finish(true);
      await settle();
    }
    expect(verifications).toHaveLength(MAXIMUM_RUNNING + 1);
    expect(sessions.map(({ verdicts }) => verdicts.length > 0)).toEqual(sessions.map((_, index) =>
      index === NODES - 1));
  });
});

test('a plain password is right at once; a wrong one is refused after work for real', async () => {
  const authenticator =
    await PasswordAuthenticator.create({ allow_anonymous: false, users: [{ username: 'a', password: 'secret' }] });
  const ask = (password: string): Promise<string[]> => new Promise(resolve => {
    const session = new FakeSession();
    authenticator.runtime = {
      gateway: { admit: () => session.verdicts.push('admitted') },
      later: decide => {
        decide();
        resolve(session.verdicts);
      },
    };
    expect(authenticator.authenticate(session.asSession(), connect('a', password))).toBe(PENDING);
  });
  expect(await ask('wrong')).toEqual(['refused bad user name or password']);
  expect(authenticator.authenticate(new FakeSession().asSession(), connect('a', 'secret'))).toBe(ReasonCode.SUCCESS);
});

test('a hash that is none is a mistake of the programmer: the file has been checked', async () => {
  await expect(PasswordAuthenticator.create({ allow_anonymous: false,
    users: [{ username: 'a', password_hash: 'x' }] })).rejects.toThrow('passwd');
});
