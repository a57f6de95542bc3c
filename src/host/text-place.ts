/** Places in the text of a configuration file. */

/** Of an offset within `text`: `line:column`, from 1. */
export function placeOf(text: string, offset: number): string {
  const before = text.slice(0, offset).split(/\r\n|\r|\n/);
  return `${before.length}:${before.at(-1)!.length + 1}`;
}
