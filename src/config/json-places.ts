/**
 * Where a value stands in the text of a configuration whose form is right, found by reading the text once more: a board
 * keeps no tree with the places of everything in it.
 */
import {
  CLOSE_BRACE, CLOSE_BRACKET, COMMA, JSONTokens, OPEN_BRACE, OPEN_BRACKET, type TextSource,
} from './json-tokens.ts';

export interface Place {
  readonly line: number;
  readonly column: number;
}

/** @returns the place of the key, or of the entry of a list; without one, of what would contain it */
export function placeOf(source: TextSource, path: readonly (string | number)[]): Place {
  const tokens = new JSONTokens(source);
  tokens.next();
  let value: Place = { line: tokens.line, column: tokens.column };
  for (const [depth, step] of path.entries()) {
    const found = goTo(tokens, step);
    if (found === undefined)
      break;
    const isLast = depth === path.length - 1;
    value = isLast ? found : { line: tokens.line, column: tokens.column };
  }
  return value;
}

/** From the beginning of an object or a list to a value in it. @returns the place of its key; undefined: not there */
function goTo(tokens: JSONTokens, step: string | number): Place | undefined {
  const isObject = tokens.kind === OPEN_BRACE;
  if (!isObject && tokens.kind !== OPEN_BRACKET)
    return undefined;
  tokens.next();
  for (let index = 0; tokens.kind !== CLOSE_BRACE && tokens.kind !== CLOSE_BRACKET; ++index) {
    if (tokens.kind === COMMA)
      tokens.next();
    const place = { line: tokens.line, column: tokens.column };
    const isIt = isObject ? tokens.text === step : index === step;
    if (isObject) {
      tokens.next(); // the colon
      tokens.next();
    }
    if (isIt)
      return place;
    skipValue(tokens);
  }
  return undefined;
}

/** From the first token of a value, in a text that is JSON, to the token after it. */
export function skipValue(tokens: JSONTokens): void {
  let depth = 0;
  do {
    if (tokens.kind === OPEN_BRACE || tokens.kind === OPEN_BRACKET)
      ++depth;
    else if (tokens.kind === CLOSE_BRACE || tokens.kind === CLOSE_BRACKET)
      --depth;
    tokens.next();
  } while (depth > 0);
}
