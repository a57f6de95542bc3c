/**
 * Secrets of the configuration do not leave by the page: where it sends `KEPT` back, what stands in the file stays, as
 * long as it goes where it went before. Who may use the page may not turn them, or what `${NAME}` and files have of
 * this computer, to a broker or a text of his own.
 */
import { getNodeValue, type Node } from 'jsonc-parser';
import { DEFAULT_UPSTREAM } from '../config/defaults.ts';
import { parseAddress } from '../config/upstream-address.ts';
import { formatPath } from '../config/schema-paths.ts';
import type { Finding, Path } from '../rules/findings.ts';

/** In place of a secret. */
const KEPT = '(kept)';
const SECRET_KEYS = /^(?:.*password|.*password_hash|bridge_psk|.*secret|.*token)$/;
/** What is filled in, and not `$${NAME}`. */
const REFERENCE = /(?<!\$)\$\{[^{}]*\}/;
/** Of an address: what a broker may take for a password. */
const QUERY = /\?.*/s;

type Json = Record<string, unknown>;

const isObject = (value: unknown): value is Json => typeof value === 'object' && value !== null;

/** Whether a text stands for a secret, and not for a place where one is: `${NAME}` is none. */
const isSecret = (key: string, value: unknown): boolean =>
  SECRET_KEYS.test(key) && typeof value === 'string' && !/^\$\{\w+\}$/.test(value);

/** An address of a broker with what follows a question mark. */
const isTellingAddress = (value: unknown): value is string =>
  typeof value === 'string' && /^wss?:\/\/[^?]*\?/.test(value);

export function withoutSecrets(value: unknown): unknown {
  if (Array.isArray(value))
    return value.map(withoutSecrets);
  if (isTellingAddress(value))
    return value.replace(QUERY, `?${KEPT}`);
  if (!isObject(value))
    return value;
  return Object.fromEntries(Object.entries(value)
    .map(([key, inner]) => [key, isSecret(key, inner) ? KEPT : withoutSecrets(inner)]));
}

/** Entries of a list belong together that have the same name, wherever they stand by now. */
const nameOf = (entry: unknown): unknown => isObject(entry) ? entry['username'] ?? entry['name'] : undefined;

const isKept = (value: unknown): boolean => value === KEPT || isTellingAddress(value) && value.endsWith(`?${KEPT}`);

/** What the file has in place of `entry`, the one at `index` of its list. */
function counterpartOf(old: unknown, entry: unknown, index: number): unknown {
  const list: readonly unknown[] = Array.isArray(old) ? old : [];
  if (isTellingAddress(entry))
    return list.find(other => isTellingAddress(other) && other.replace(QUERY, '') === entry.replace(QUERY, ''));
  return nameOf(entry) === undefined ? list[index] : list.find(other => nameOf(other) === nameOf(entry));
}

interface Piece {
  readonly node: Node;
  readonly secret: string;
}

/** What is wrong with the secrets of a configuration that the page sends, and its text with those of the file. */
export class KeptSecrets {
  readonly findings: Finding[] = [];
  private readonly pieces: Piece[] = [];
  /** Texts with `${NAME}` of the file, by place. */
  private readonly references: ReadonlySet<string>;

  /** @param old what the file says @param root of what is sent */
  constructor(old: unknown, root: Node) {
    this.references = new Set(referencesOf(old, ''));
    this.visit(root, [], old);
    this.judgeDestination(old, getNodeValue(root));
  }

  /** @param text of which `root` was made */
  fillIn(text: string): string {
    return [...this.pieces].reverse().reduce((made, { node: { length, offset }, secret }) =>
      made.slice(0, offset) + JSON.stringify(secret) + made.slice(offset + length), text);
  }

  private visit(node: Node, path: Path, old: unknown): void {
    for (const [index, child] of (node.children ?? []).entries()) {
      if (node.type === 'array') {
        this.visit(child, [...path, index], counterpartOf(old, getNodeValue(child), index));
        continue;
      }
      const [key, value] = child.children ?? [];
      const name = String(key!.value);
      if (value !== undefined)
        this.visit(value, [...path, name], isObject(old) && Object.hasOwn(old, name) ? old[name] : undefined);
    }
    const { value } = node as { value?: unknown };
    if (node.type !== 'string' || typeof value !== 'string')
      return;
    const key = String(path.filter(step => typeof step === 'string').at(-1));
    if (isKept(value) && (SECRET_KEYS.test(key) || value !== KEPT)) {
      if (typeof old === 'string')
        this.pieces.push({ node, secret: old });
      else
        this.findings.push({ path, text: `there is nothing in the file that "${KEPT}" stands for; write what belongs here instead` });
    } else if (REFERENCE.test(value) && !this.references.has(referenceAt(placeOf(path), value)))
      this.findings.push({ path, text: 'the page takes no ${NAME} that is not in the file already at this place: it may be a secret of this '
        + 'computer; write it into the file itself, or $${NAME} for the characters' });
  }

  /** A secret of the file that goes elsewhere than before has to be told anew. */
  private judgeDestination(old: unknown, wanted: unknown): void {
    const before = sectionOf(old);
    const now = sectionOf(wanted);
    const file = now['remote_password_file'];
    if (typeof file === 'string' && file !== before['remote_password_file'])
      this.findings.push({ path: ['upstream', 'remote_password_file'], text: 'the page does not choose a file of this computer whose text '
        + 'goes to the broker; write it into the configuration file itself, or the password as remote_password' });
    const causes = changedDestinations(before, now);
    if (causes.length === 0)
      return;
    const because = `${causes.map(key => `upstream.${key}`).join(' and ')} ${causes.length > 1 ? 'have' : 'has'} changed, so this `
      + 'secret would go elsewhere than before';
    for (const key of ['remote_password', 'bridge_psk'])
      if (typeof now[key] === 'string' && (now[key] === KEPT || REFERENCE.test(now[key])))
        this.findings.push({ path: ['upstream', key], text: `${because}; write it out in place of "${now[key]}", or change the file itself` });
    if (typeof file === 'string' && file === before['remote_password_file'])
      this.findings.push({ path: ['upstream', 'remote_password_file'],
        text: `${because}; write the password as remote_password in its place, or change the file itself` });
  }
}

const sectionOf = (value: unknown): Json => isObject(value) && isObject(value['upstream']) ? value['upstream'] : {};

/** Keys by which secrets go where they have not gone before. Fewer addresses are none, nor is a check that was off. */
function changedDestinations(before: Json, now: Json): string[] {
  const addresses = (section: Json): readonly unknown[] => {
    const list = section['address'] ?? DEFAULT_UPSTREAM.address;
    return Array.isArray(list) ? list.map(endOf) : [list];
  };
  const causes: string[] = [];
  if (addresses(now).some(address => !addresses(before).includes(address)))
    causes.push('address');
  if ((now['bridge_insecure'] ?? false) !== false && now['bridge_insecure'] !== before['bridge_insecure'])
    causes.push('bridge_insecure');
  if ((now['bridge_cafile'] ?? null) !== (before['bridge_cafile'] ?? null))
    causes.push('bridge_cafile');
  return causes;
}

/** Where an address leads, however it is written. */
function endOf(address: unknown): unknown {
  try {
    const { host, path = '', port, scheme } = parseAddress((address as string).replace(QUERY, ''));
    return `${scheme}://${host.toLowerCase()}:${port}${path}`;
  } catch {
    return address;
  }
}

/** Of any entry of a list alike. */
const placeOf = (path: Path): string => formatPath(path.filter(step => typeof step === 'string'));

const referenceAt = (place: string, text: string): string => `${place}=${text}`;

function referencesOf(value: unknown, place: string): string[] {
  if (typeof value === 'string')
    return REFERENCE.test(value) ? [referenceAt(place, value)] : [];
  if (!isObject(value))
    return [];
  return Object.entries(value).flatMap(([key, inner]) =>
    referencesOf(inner, Array.isArray(value) ? place : place === '' ? key : `${place}.${key}`));
}
