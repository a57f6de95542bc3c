/** What must hold for the listener: addresses and sizes, users, rights. */
import type { Configuration } from '../config/configuration.ts';
import { sessionsFor } from '../config/defaults.ts';
import { nearest } from '../config/nearest-key.ts';
import type { Findings } from './findings.ts';
import { isIPv4, isIPv6 } from './ip-address.ts';
import { objectionToHash, parseHashForm } from './password-hash.ts';
import { isTopicFilter, isTopicName } from './topic-texts.ts';

export function judgeListener(findings: Findings, { listener }: Configuration): void {
  const { address } = listener;
  if (!isIPv4(address) && !isIPv6(address))
    findings.add(['listener', 'address'], address === 'localhost' ? 'must be an IP address; write "127.0.0.1" instead'
      : `"${address}" is no IP address; write "0.0.0.0" for all IPv4 addresses of this computer, "::" for all of IPv6 `
        + 'and IPv4, or "127.0.0.1" for this computer only, instead');
  if (listener.websockets_origin.length > 0 && listener.protocol !== 'websockets')
    findings.add(['listener', 'websockets_origin'], 'pages connect by WebSocket only; write "protocol": "websockets" as '
      + 'well, or leave this out');
  listener.websockets_origin.forEach((origin, index) => {
    if (!/^(?:\*|null|[a-z][a-z0-9+.-]*:\/\/[^/\s"]+\/?)$/i.test(origin))
      findings.add(['listener', 'websockets_origin', index], `"${origin}" is no origin; write what the browser sends, for `
        + 'example "https://example.com" or "http://example.com:8080", or "*" for any page, instead');
  });
  if (listener.max_sessions < listener.max_connections)
    findings.add(['listener', 'max_sessions'], 'fewer sessions than connections; '
      + `write ${listener.max_connections} or more instead, or 0 for ${sessionsFor(listener.max_connections)}`);
}

export function judgeUsers(findings: Findings, { listener }: Configuration): void {
  const names = new Set<string>();
  listener.users.forEach((user, index) => {
    const path = ['listener', 'users', index];
    const { password, password_hash, username } = user;
    if (username === undefined)
      return; // said already
    if (names.has(username))
      findings.add([...path, 'username'], `"${username}" is there twice; write each user name once instead`);
    names.add(username);
    if (password === undefined && password_hash === undefined && !listener.use_identity_as_username)
      findings.add(path, `user "${username}" has no password; write "password_hash": "..." as "ringbridge passwd" `
        + 'prints it');
    else if (password !== undefined && password_hash !== undefined)
      findings.add([...path, 'password'], 'a user has either a password or a password_hash; write the hash only');
    if (password_hash !== undefined && parseHashForm(password_hash) === undefined)
      findings.add([...path, 'password_hash'], `is ${objectionToHash(password_hash)}; write what "ringbridge passwd" prints instead`);
  });
}

/** Placeholders are filled with what cannot be a wildcard. */
const withoutPlaceholders = (text: string): string => text.replace(/%[uc]/g, 'x');

export function judgeAccess(findings: Findings, { listener }: Configuration): void {
  const names = listener.users.map(({ username }) => username);
  listener.acl.forEach(({ topic, user }, index) => {
    const path = ['listener', 'acl', index];
    if (user !== null && !names.includes(user)) {
      const other = nearest(user, names.filter(name => name !== undefined));
      const instead = other === undefined ? 'one of listener.users' : `"${other}"`;
      findings.add([...path, 'user'], `there is no user "${user}"; write ${instead} instead, or null for every node`);
    }
    if (!isTopicFilter(withoutPlaceholders(topic)))
      findings.add([...path, 'topic'], `"${topic}" is no Topic Filter: "+" and "#" stand for whole levels, `
        + '"#" for the last ones; write for example "site/%u/#" instead');
  });
  listener.users.forEach(({ mount_point }, index) => {
    if (mount_point !== undefined && mount_point !== '' && !isTopicName(withoutPlaceholders(mount_point)))
      findings.add(['listener', 'users', index, 'mount_point'], `"${mount_point}" has wildcards; `
        + 'write one without "+" and "#", for example "site/%u/", instead');
  });
}
