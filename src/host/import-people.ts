/** Of a mosquitto.conf: its password_file and acl_file, which become the users and rights of the listener. */
import { parseHashForm } from '../rules/password-hash.ts';
import { readText } from './config-file.ts';
import type { Draft } from './import-draft.ts';
import { findBeside, type Line, linesOf, type Place } from './import-lines.ts';

const USERS = Object.freeze(['listener', 'users']);
const RIGHTS = Object.freeze(['listener', 'acl']);
/** What a configuration takes. */
const MOST_USERS = 1024;
const MOST_RIGHTS = 256;

interface Right {
  /** Null: of nodes without user, or with `isPattern` of all nodes. */
  readonly user: string | null;
  readonly isPattern: boolean;
  readonly topic: string;
  readonly access: string;
  readonly line: Line;
}

/** Lines without keys of a file that is named by another one. */
function readLines(draft: Draft, naming: Line): Line[] | undefined {
  const file = findBeside(naming.value, naming.file);
  const read = readText(file ?? naming.value);
  if ('text' in read)
    return linesOf(read.text, file ?? naming.value, false).map(line => ({ ...line, key: naming.key }));
  draft.remark(naming, 'lost', `${read.error.replace(/;.*/, '')}; run this where it is, or copy it beside ${naming.file}`);
  return undefined;
}

/** @param mount_point in front of all topics of the listener's nodes */
export function importUsers(draft: Draft, naming: Line, mount_point: string | undefined): void {
  draft.set(USERS, [], naming);
  const names = new Set<string>();
  for (const line of readLines(draft, naming) ?? []) {
    const [, username = '', password_hash = ''] = /^([^:]*):?(.*)$/.exec(line.value)!;
    if (username === '' || parseHashForm(password_hash) === undefined)
      draft.remark(line, 'lost', username === '' ? 'there is no user name' : `user "${username}": ${describeHash(password_hash)}; make an entry of `
        + `listener.users with "ringbridge passwd ${username}"`);
    else if (names.has(username))
      draft.remark(line, 'lost', `user "${username}" is there twice, and the first one counts; remove one of the two`);
    else if (names.size === MOST_USERS)
      draft.remark(line, 'lost', `there are more than ${MOST_USERS} users; divide them among several gateways`);
    else
      draft.add(USERS, { username, password_hash, ...mount_point !== undefined && { mount_point } }, line);
    names.add(username);
  }
}

/** Never repeats it: it may be a password. */
const describeHash = (text: string): string => text === '' ? 'there is no password'
  : text.startsWith('$argon2') ? 'hashes of Argon2 cannot be verified here'
    : text.startsWith('$') ? 'the hash is none that can be verified here' : 'the password is not hashed, and Mosquitto lets nobody in with it';

/** Identities of pre-shared keys, each a user without password. */
export function importIdentities(draft: Draft, naming: Line): void {
  for (const line of readLines(draft, naming) ?? [])
    addIdentity(draft, line, line.value.split(':')[0]!);
}

/** A user who shows a certificate, or a pre-shared key, instead of a password. */
function addIdentity(draft: Draft, line: Line, username: string): void {
  const users = (draft.get(USERS) ?? []) as { username: string }[];
  if (username !== '' && users.length < MOST_USERS && !users.some(user => user.username === username))
    draft.add(USERS, { username }, line);
}

/** @param knowsByIdentity users of whom it speaks need no password */
export function importRights(draft: Draft, naming: Line, allowsAnonymous: boolean, knowsByIdentity: boolean): void {
  const lines = readLines(draft, naming);
  if (knowsByIdentity)
    for (const line of lines ?? [])
      addIdentity(draft, line, /^user\s+(.*)$/.exec(line.value)?.[1] ?? '');
  const users = (draft.get(USERS) as { username: string }[] | undefined ?? []).map(({ username }) => username);
  const rights = readRights(draft, lines ?? []).flatMap(right => judge(draft, right, users, allowsAnonymous));
  // What forbids comes first: it counts wherever it stands, and is not what may be left out.
  rights.sort((one, other) => Number(other.access === 'deny') - Number(one.access === 'deny'));
  for (const [index, { access, line, topic, user }] of rights.entries())
    if (index < MOST_RIGHTS)
      draft.add(RIGHTS, { user, topic, access }, line);
    else
      draft.remark(line, 'lost', `there are more than ${MOST_RIGHTS} rights; write fewer, with %u and %c, into listener.acl`);
  if (rights.length === 0)
    denyAll(draft, naming);
}

/** An empty list would allow everything. */
export function denyAll(draft: Draft, naming: Place & { readonly key: string }): void {
  draft.add(RIGHTS, { user: null, topic: '#', access: 'deny' }, naming);
  draft.remark(naming, 'other', 'it gives no rights that can be carried, so nodes may read and write nothing; write entries of listener.acl, or remove '
    + 'the one that is there to allow everything');
}

function readRights(draft: Draft, lines: readonly Line[]): Right[] {
  const rights: Right[] = [];
  let user: string | null = null;
  for (const line of lines) {
    const [, key = '', rest = ''] = /^(\S+)\s*(.*)$/.exec(line.value) ?? [];
    if (key === 'user' && rest !== '') {
      user = rest;
      continue;
    }
    const [, access = 'readwrite', topic = ''] = /^(?:(read|write|readwrite|deny)\s+)?(.*)$/.exec(rest) ?? [];
    if ((key === 'topic' || key === 'pattern') && topic !== '')
      rights.push({ user: key === 'pattern' ? null : user, isPattern: key === 'pattern', topic, access, line });
    else
      draft.remark(line, 'lost', `"${key}" begins no line that Mosquitto understands; write an entry of listener.acl`);
  }
  return rights;
}

/** @returns the right as it is here; none, which is said, if there is nothing that means the same */
function judge(draft: Draft, right: Right, users: readonly string[], allowsAnonymous: boolean): Right[] {
  const { access, isPattern, line, topic, user } = right;
  if (!isPattern && /%[uc]/.test(topic)) {
    draft.remark(line, 'lost', 'in a line "topic" Mosquitto takes %u and %c for what they are, here they stand for the user and the client identifier; '
      + 'write an entry of listener.acl as it is meant');
    return [];
  }
  if (isPattern || user !== null && users.includes(user))
    return [right];
  if (user !== null) {
    draft.remark(line, 'lost', `there is no user "${user}" with a password; make one with "ringbridge passwd ${user}", and write this right into listener.acl`);
    return [];
  }
  if (!allowsAnonymous) {
    draft.remark(line, 'needless', 'it is about nodes without user, and such nodes may not connect');
    return [];
  }
  if (users.length === 0)
    return [right];
  if (access === 'deny') {
    draft.remark(line, 'other', 'it is about nodes without user only; here it forbids it to all nodes; give each user rights of its own where that is too much');
    return [right];
  }
  draft.remark(line, 'lost', 'it is about nodes without user only, and a right without user is everybody\'s here; write an entry of listener.acl with '
    + '"user": null if all may have it, or give such nodes a user');
  return [];
}
