/** The configuration that an import makes, line by line: what is in it, where that came from, and what is not in it. */
import type { Path } from '../rules/findings.ts';
import { standForThemselves } from './config-secrets.ts';
import type { Schema } from './config-violations.ts';
import type { Place } from './import-lines.ts';

/** lost: somebody has to do something. other: it is otherwise here. needless: nothing need be done. */
type RemarkKind = 'lost' | 'other' | 'needless';

interface Remark extends Place {
  readonly key: string;
  readonly kind: RemarkKind;
  readonly text: string;
}

const WORDS: Readonly<Record<RemarkKind, string>> = Object.freeze(
  { lost: 'not carried', other: 'carried otherwise', needless: 'not needed' });

type Container = Record<string | number, unknown>;

export class Draft {
  readonly value: Container = {};
  readonly remarks: Remark[] = [];
  /** By the value itself for entries of lists, which may move; by `section.key` for others. */
  private readonly places = new Map<unknown, Place>();
  private readonly schema: Schema;

  constructor(schema: Schema) {
    this.schema = schema;
  }

  /** @param path section and key, or a key */
  set(path: readonly string[], value: unknown, place?: Place): void {
    const inner = path.slice(0, -1).reduce<Container>((at, step) => (at[step] ??= {}) as Container, this.value);
    inner[path.at(-1)!] = standForThemselves(value);
    if (place !== undefined)
      this.places.set(path.join('.'), place);
  }

  /** An entry of a list. */
  add(path: readonly string[], entry: object, place: Place): void {
    const list = (this.get(path) ?? []) as unknown[];
    const written = standForThemselves(entry);
    list.push(written);
    this.places.set(written, place);
    const inner = path.slice(0, -1).reduce<Container>((at, step) => (at[step] ??= {}) as Container, this.value);
    inner[path.at(-1)!] = list;
  }

  /** A number, within what the key allows. */
  setNumber(path: readonly string[], value: number, place: Place & { readonly key: string }): void {
    const { maximum = Infinity, minimum = -Infinity } =
      path.reduce<Schema>((at, step) => at.properties![step]!, this.schema);
    if (!Number.isFinite(value)) {
      this.remark(place, 'lost', 'is no number; correct it there, and import again');
      return;
    }
    const taken = Math.min(maximum, Math.max(minimum, value));
    if (taken !== value)
      this.remark(place, 'other', `${value} is outside of what ${path.join('.')} takes; ${taken} is written`);
    this.set(path, taken, place);
  }

  get(path: Path): unknown {
    return path.reduce<unknown>((at, step) => (at as Container | undefined)?.[step], this.value);
  }

  /** @returns where it came from, undefined when there is no such value, or nobody wrote it */
  placeOf(path: Path): Place | undefined {
    const value = this.get(path);
    return typeof value === 'object' && this.places.has(value) ? this.places.get(value) : this.places.get(path.join('.'));
  }

  /** A key, or an entry of a list. */
  remove(path: Path): void {
    const container = this.get(path.slice(0, -1)) as Container | unknown[] | undefined;
    const last = path.at(-1)!;
    if (Array.isArray(container))
      container.splice(Number(last), 1);
    else if (container !== undefined)
      delete container[last];
  }

  remark({ file, key, number }: Place & { readonly key: string }, kind: RemarkKind, text: string): void {
    this.remarks.push({ file, number, key, kind, text });
  }

  /** What somebody has to do something about comes first. */
  lines(): string[] {
    const kinds = Object.keys(WORDS);
    const ordered = [...this.remarks].sort((one, other) => kinds.indexOf(one.kind) - kinds.indexOf(other.kind));
    return ordered.map(({ file, key, kind, number, text }) => `${file}:${number}: ${key}: ${WORDS[kind]}: ${text}`);
  }
}
