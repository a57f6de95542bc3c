/** What must hold for the listener: addresses and sizes, users, rights. */
import { isIPv4 } from 'node:net';
import { type Configuration, sessionsFor } from '../config/configuration.ts';
import type { Judge } from './config-findings.ts';
import { nearest } from '../config/nearest-key.ts';
import { parsePasswordHash } from './password.ts';
import { isTopicFilter, isTopicName } from './topic-texts.ts';

export function judgeListener(judge: Judge, { listener }: Configuration): void {
  const { address } = listener;
  if (!isIPv4(address))
    judge.error(['listener', 'address'], address === 'localhost' ? 'must be an IPv4 address; write "127.0.0.1" instead'
      : `"${address}" is no IPv4 address; write "0.0.0.0" for all addresses of this computer, `
        + 'or "127.0.0.1" for this computer only, instead');
  if (listener.max_sessions < listener.max_connections)
    judge.error(['listener', 'max_sessions'], 'fewer sessions than connections; '
      + `write ${listener.max_connections} or more instead, or 0 for ${sessionsFor(listener.max_connections)}`);
  if (listener.allow_anonymous && !address.startsWith('127.'))
    judge.warn(['listener', 'allow_anonymous'], `everybody who reaches ${address} may connect; `
      + 'give nodes a user of listener.users, or listen on "127.0.0.1"');
  if (!listener.allow_anonymous && listener.users.length === 0)
    judge.warn(['listener'], 'no node can connect: there are no users; '
      + 'make one with "ringbridge passwd", or set "allow_anonymous": true');
}

export function judgeUsers(judge: Judge, { listener }: Configuration): void {
  const names = new Set<string>();
  listener.users.forEach((user, index) => {
    const path = ['listener', 'users', index];
    const { password, password_hash, username } = user;
    if (username === undefined)
      return; // said already
    if (names.has(username))
      judge.error([...path, 'username'], `"${username}" is there twice; write each user name once instead`);
    names.add(username);
    if (password === undefined && password_hash === undefined)
      judge.error(path, `user "${username}" has no password; write "password_hash": "..." as "ringbridge passwd" `
        + 'prints it');
    else if (password !== undefined && password_hash !== undefined)
      judge.error([...path, 'password'], 'a user has either a password or a password_hash; write the hash only');
    else if (password !== undefined)
      judge.warn([...path, 'password'], 'the password stands in the file in plain text; make a hash with "ringbridge '
        + 'passwd"');
    if (password_hash !== undefined && parsePasswordHash(password_hash) === undefined)
      judge.error([...path, 'password_hash'], 'is no hash that can be used; write what "ringbridge passwd" prints '
        + 'instead');
  });
}

/** Placeholders are filled with what cannot be a wildcard. */
const withoutPlaceholders = (text: string): string => text.replace(/%[uc]/g, 'x');

export function judgeAccess(judge: Judge, { listener }: Configuration): void {
  const names = listener.users.map(({ username }) => username);
  listener.acl.forEach(({ topic, user }, index) => {
    const path = ['listener', 'acl', index];
    if (user !== null && !names.includes(user)) {
      const other = nearest(user, names.filter(name => name !== undefined));
      const instead = other === undefined ? 'one of listener.users' : `"${other}"`;
      judge.error([...path, 'user'], `there is no user "${user}"; write ${instead} instead, or null for every node`);
    }
    if (!isTopicFilter(withoutPlaceholders(topic)))
      judge.error([...path, 'topic'], `"${topic}" is no Topic Filter: "+" and "#" stand for whole levels, `
        + '"#" for the last ones; write for example "site/%u/#" instead');
  });
  listener.users.forEach(({ mount_point }, index) => {
    if (mount_point !== undefined && mount_point !== '' && !isTopicName(withoutPlaceholders(mount_point)))
      judge.error(['listener', 'users', index, 'mount_point'], `"${mount_point}" has wildcards; `
        + 'write one without "+" and "#", for example "site/%u/", instead');
  });
}
