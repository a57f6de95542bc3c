/**
 * What `ringbridge init` asks, what is taken where nobody answers, and the configuration that becomes of it. Knows
 * neither terminals nor files.
 */
import { hostname } from 'node:os';
import type { PartialConfiguration } from '../config/configuration.ts';
import { isAddress, isSecure, parseAddress } from '../config/upstream-address.ts';
import { readConfiguration } from './config.ts';
import { standForThemselves } from './config-secrets.ts';

/** All that is known, as it is typed or stands behind an option. */
export interface Answers {
  name: string;
  address: string;
  /** Empty: what the system trusts. */
  cafile: string;
  /** Empty: none. */
  username: string;
  /** Empty: none. */
  password: string;
  /** Instead of `password`. */
  passwordFile: string;
  port: string;
  /** NOBODY: everybody may connect. */
  user: string;
  /** Of `user`. */
  passwordHash: string;
  out: string;
  in: string;
  prefix: string;
  durable: string;
}

export type Key = keyof Answers;

/** For "none" where an empty answer means what stands in brackets. */
export const NOTHING = '-';

const PLAIN_PORT = 1883;
const SECURE_PORT = 8883;
const LONGEST_NAME = 64;

/** Of the answers that are known so far. */
type Proposals = Readonly<Record<Key, (answers: Answers) => string>>;

export const PROPOSALS: Proposals = Object.freeze<Proposals>({
  name: () => hostname().replace(/[^A-Za-z0-9_-]+/g, '-').slice(0, LONGEST_NAME) || 'ringbridge',
  address: () => `mqtt://127.0.0.1:${PLAIN_PORT}`,
  cafile: () => '',
  username: () => '',
  password: () => '',
  passwordFile: () => '',
  // A broker on this computer has the usual port already.
  port: ({ address }) => /\/\/(?:127\.|localhost|\[::1\])/.test(address) && parseAddress(address).port === PLAIN_PORT ? '1884' : '1883',
  user: () => 'node1',
  passwordHash: () => '',
  out: () => 'sensors/#',
  in: () => 'command/#',
  prefix: ({ name }) => `site/${name}/`,
  durable: () => 'yes',
});

/** Words of the question; undefined: it is not asked. */
export const QUESTIONS: Readonly<Partial<Record<Key, string>>> = Object.freeze({
  name: 'name of this gateway',
  address: 'address of the broker, mqtts:// with TLS',
  cafile: 'file with the CA of the broker, empty for those that the system trusts',
  username: 'user name at the broker, empty for none',
  password: 'password at the broker',
  port: 'port for the nodes',
  user: `user name for the nodes, ${NOTHING} to let everybody in`,
  out: `topics of nodes that go to the broker, ${NOTHING} for none`,
  in: `topics of the broker that come to nodes, ${NOTHING} for none`,
  prefix: `what their names begin with at the broker, ${NOTHING} for nothing`,
  durable: 'keep what waits on disk, over restarts and power cuts',
});

/** Whether there is anything to ask, with what is known. */
export const isAsked = (key: Key, answers: Answers): boolean =>
  QUESTIONS[key] !== undefined
  && (key !== 'cafile' || isSecure(answers.address))
  && (key !== 'password' || answers.username !== '' && answers.passwordFile === '')
  && (key !== 'prefix' || answers.out !== '' || answers.in !== '');

const YES = /^(?:y|yes|true)$/i;
const NO = /^(?:n|no|false)$/i;

/** What an answer means. */
export function normalize(key: Key, text: string): string {
  const isNothing = text === NOTHING && (key === 'out' || key === 'in' || key === 'prefix');
  if (key === 'address') {
    const port = /:(\d+)$/.exec(text)?.[1];
    const full = `${Number(port) === SECURE_PORT ? 'mqtts' : 'mqtt'}://${text}`;
    return !text.includes('://') && isAddress(full) ? full : text;
  }
  return isNothing ? '' : text;
}

export function configurationOf(answers: Answers): PartialConfiguration {
  const { address, cafile, in: inward, name, out, password, passwordFile, passwordHash, port, prefix, user,
    username } = answers;
  const remote = prefix === '' ? {} : { remote_prefix: prefix };
  const isOpen = user === NOTHING;
  return standForThemselves({
    name,
    upstream: {
      address: [address],
      ...cafile !== '' && { bridge_cafile: cafile },
      ...username !== '' && { remote_username: username },
      ...username !== '' && password !== '' && passwordFile === '' && { remote_password: password },
      ...username !== '' && passwordFile !== '' && { remote_password_file: passwordFile },
      ...prefix !== '' && { will: { topic: `${prefix}status`, payload: 'offline', qos: 1, retain: true } },
    },
    listener: {
      port: Number(port),
      address: '0.0.0.0',
      allow_anonymous: isOpen,
      ...!isOpen && { users: [{ username: user, password_hash: passwordHash }] },
    },
    topic: [
      ...out === '' ? [] : [{ pattern: out, direction: 'out' as const, qos: 1, ...remote }],
      ...inward === '' ? [] : [{ pattern: inward, direction: 'in' as const, qos: 1, ...remote }],
    ],
    store: { durability: YES.test(answers.durable) ? 'flash' : 'ram' },
  } satisfies PartialConfiguration) as PartialConfiguration;
}

/** A hash of nobody's, where the real one is not made yet. */
const ANY_HASH = `pbkdf2-sha256$2000$AAAAAAAAAAAAAAAAAAAAAA==$${'A'.repeat(43)}=`;

/** @returns what is wrong with the answers, and what to write instead; undefined when nothing is */
export function objectionTo(answers: Answers): string | undefined {
  if (!/^\d{1,5}$/.test(answers.port))
    return `"${answers.port}" is no port; write a number from 1 to 65535`;
  if (!YES.test(answers.durable) && !NO.test(answers.durable))
    return `"${answers.durable}" is neither yes nor no`;
  const configuration = configurationOf({ ...answers, passwordHash: answers.passwordHash || ANY_HASH });
  const { errors } = readConfiguration(JSON.stringify(configuration), 'answer');
  return errors[0]?.replace(/^answer:\d+:\d+: /, '');
}
