/** What is found in a configuration: where, and in which words. */

/** Keys and indices from the root of the configuration. */
export type Path = readonly (string | number)[];

/** Something wrong, or worth a warning, at a place of the configuration. */
export interface Finding {
  readonly path: Path;
  readonly text: string;
  /** Where it is in the file; undefined: at the first place with that path. */
  readonly offset?: number;
}

/** Collects them. */
export class Findings {
  readonly list: Finding[] = [];

  add(path: Path, text: string): void {
    this.list.push({ path, text });
  }
}
