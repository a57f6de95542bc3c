/**
 * What a board refuses in a file that a computer can use: `ringbridge check --board` asks the board's own validator and
 * rules, so that nothing is flashed that the board could not read.
 */
import type { Configuration } from '../config/configuration.ts';
import { type Place, placeOf } from '../config/json-places.ts';
import { formatPath } from '../config/schema-paths.ts';
import { Validator } from '../config/validator.ts';
import { judgeAddresses, judgeSecrets, LONGEST_STORED_TEXT } from '../rules/board-rules.ts';
import { printable } from './log.ts';

/** @param text of the file @returns a line for each thing, with the file and its place */
export function refusalsOfBoard(text: string, file: string, configuration: Configuration): string[] {
  const bytes = new TextEncoder().encode(text);
  const source = {
    length: bytes.length,
    read: (target: Uint8Array, offset: number) => target.set(bytes.subarray(offset, offset + target.length)),
  };
  const lines: string[] = [];
  const tell = ({ column, line }: Place, path: string, words: string): void => {
    lines.push(printable(`${file}:${line}:${column}: ${path === '' ? '' : `${path}: `}${words}`));
  };
  if (new Validator(source, violation => tell(violation, violation.path, violation.text)).validate())
    for (const { path, text: words } of [...judgeAddresses(configuration), ...judgeSecrets(configuration)])
      tell(placeOf(source, path), formatPath(path), words);
  return lines;
}

/** @returns what to know about a text that is too long for the flash of a board */
export function noteOnLength(text: string): string[] {
  const length = Buffer.byteLength(text);
  return length <= LONGEST_STORED_TEXT ? []
    : [`the file has ${length} bytes: it can be built into the firmware, but a board stores ${LONGEST_STORED_TEXT} at most`];
}
