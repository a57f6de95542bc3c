/**
 * What a board refuses in a file that a computer can use: `ringbridge check --board` asks the board's own validator and
 * rules, so that nothing is flashed that the board could not read.
 */
import type { Configuration } from '../config/configuration.ts';
import { type Place, placeOf } from '../config/json-places.ts';
import type { TextSource } from '../config/json-tokens.ts';
import { formatPath } from '../config/schema-paths.ts';
import { Validator } from '../config/validator.ts';
import { judgeAddresses, judgeSecrets, LONGEST_STORED_TEXT } from '../rules/board-rules.ts';
import { judgePins } from './board-pins.ts';
import { printable } from './log.ts';

/** @param text of the file @param board a name of BOARDS @returns a line for each thing, with the file and its place */
export function refusalsOfBoard(text: string, file: string, configuration: Configuration, board: string): string[] {
  const source = sourceOf(text);
  const lines: string[] = [];
  const tell = ({ column, line }: Place, path: string, words: string): void => {
    lines.push(printable(`${file}:${line}:${column}: ${path === '' ? '' : `${path}: `}${words}`));
  };
  if (new Validator(source, violation => tell(violation, violation.path, violation.text)).validate())
    for (const { path, text: words } of [...judgeAddresses(configuration), ...judgeSecrets(configuration),
      ...judgePins(configuration, board).refusals])
      tell(placeOf(source, path), formatPath(path), words);
  return lines;
}

/** @returns a line for each thing that works on the board with care */
export const warningsOfBoard = (text: string, file: string, configuration: Configuration, board: string): string[] =>
  judgePins(configuration, board).warnings.map(({ path, text: words }) => {
    const { column, line } = placeOf(sourceOf(text), path);
    return printable(`${file}:${line}:${column}: warning: ${formatPath(path)}: ${words}`);
  });

/** @returns what to know about a text that is too long for the flash of a board */
export function noteOnLength(text: string): string[] {
  const length = Buffer.byteLength(text);
  return length <= LONGEST_STORED_TEXT ? []
    : [`the file has ${length} bytes: it can be built into the firmware, but a board stores ${LONGEST_STORED_TEXT} at most`];
}

function sourceOf(text: string): TextSource {
  const bytes = new TextEncoder().encode(text);
  return {
    length: bytes.length,
    read: (target, offset) => target.set(bytes.subarray(offset, offset + target.length)),
  };
}
