/** JSON with comments, as the reader of configurations takes it: for files that people go on with. */
import type { Path } from '../rules/findings.ts';

export interface Comments {
  /** A line, or several, over the key. */
  above?(path: Path): string | undefined;
  /** Behind the value, or behind the bracket that opens it. */
  behind?(path: Path): string | undefined;
}

const LONGEST_LINE = 110;

export const writeCommented = (value: unknown, comments: Comments, title: readonly string[] = []): string =>
  [...title.map(line => `// ${line}`), ...write(value, [], comments), ''].join('\n');

function write(value: unknown, path: Path, comments: Comments): string[] {
  const isList = Array.isArray(value);
  if (typeof value !== 'object' || value === null)
    return [JSON.stringify(value)];
  const entries = entriesOf(value);
  const short = oneLine(value);
  const isShort = path.length > 1 && short.length + 2 * path.length <= LONGEST_LINE
    && !hasComments(value, path, comments);
  if (entries.length === 0 || isShort)
    return [short];
  const lines = entries.flatMap(([step, inner], index) => {
    const at = [...path, step];
    const [first = '', ...others] = write(inner, at, comments);
    const last = index === entries.length - 1 ? '' : ',';
    const behind = comments.behind?.(at);
    const comment = behind === undefined ? '' : ` // ${behind}`;
    const head = isList ? first : `${JSON.stringify(step)}: ${first}`;
    const body = others.length === 0 ? [`${head}${last}${comment}`]
      : [`${head}${comment}`, ...others.slice(0, -1), `${others.at(-1)}${last}`];
    return [...(comments.above?.(at) ?? '').split('\n').filter(line => line !== '').map(line => `// ${line}`), ...body]
      .map(line => `  ${line}`);
  });
  return [isList ? '[' : '{', ...lines, isList ? ']' : '}'];
}

function oneLine(value: unknown): string {
  if (Array.isArray(value))
    return `[${value.map(oneLine).join(', ')}]`;
  if (typeof value !== 'object' || value === null)
    return JSON.stringify(value);
  const pairs = Object.entries(value).map(([key, inner]) => `${JSON.stringify(key)}: ${oneLine(inner)}`);
  return pairs.length === 0 ? '{}' : `{ ${pairs.join(', ')} }`;
}

const entriesOf = (value: object): (readonly [string | number, unknown])[] =>
  Array.isArray(value) ? value.map((inner, index) => [index, inner] as const) : Object.entries(value);

const hasComments = (value: object, path: Path, comments: Comments): boolean =>
  entriesOf(value).some(([step, inner]) => {
    const at = [...path, step];
    return comments.above?.(at) !== undefined || comments.behind?.(at) !== undefined
      || typeof inner === 'object' && inner !== null && hasComments(inner, at, comments);
  });
