/** What is found in a configuration file: where, and in which words. */

/** Keys and indices from the root of the file. */
export type Path = readonly (string | number)[];

/** Something wrong, or worth a warning, at a place of the configuration. */
export interface Finding {
  readonly path: Path;
  readonly text: string;
  /** Where it is in the file; undefined: at the first place with that path. */
  readonly offset?: number;
}

/** Collects findings of both kinds: errors keep the gateway from starting, warnings do not. */
export class Judge {
  readonly errors: Finding[] = [];
  readonly warnings: Finding[] = [];

  error(path: Path, text: string): void {
    this.errors.push({ path, text });
  }

  warn(path: Path, text: string): void {
    this.warnings.push({ path, text });
  }
}

export function formatPath(path: Path): string {
  return path.map((step, index) => typeof step === 'number' ? `[${step}]` : index === 0 ? step : `.${step}`).join('');
}

/** Of an offset within `text`: `line:column`, from 1. */
export function placeOf(text: string, offset: number): string {
  const before = text.slice(0, offset).split(/\r\n|\r|\n/);
  return `${before.length}:${before.at(-1)!.length + 1}`;
}
