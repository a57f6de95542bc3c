/**
 * The characters of JSON as bytes of UTF-8.
 */

/** In place of a byte: the text is at its end. */
export const NOTHING = -1;

/** After a backslash. */
export const ESCAPES: readonly number[] = Object.freeze([0x22, 0x5C, 0x2F, 0x62, 0x66, 0x6E, 0x72, 0x74]);
/** What each of them stands for. */
export const MEANINGS: readonly number[] = Object.freeze([0x22, 0x5C, 0x2F, 0x08, 0x0C, 0x0A, 0x0D, 0x09]);
/** Each is a token; the index is its kind. */
const PUNCTUATION: readonly number[] = Object.freeze([NOTHING, 0x7B, 0x7D, 0x5B, 0x5D, 0x3A, 0x2C]);

export const isDigit = (byte: number): boolean => byte >= 0x30 && byte <= 0x39;

/** The kind of token that the byte is by itself; 0: none. */
export const punctuation = (byte: number): number => Math.max(0, PUNCTUATION.indexOf(byte));

export function hexDigit(byte: number): number {
  if (isDigit(byte))
    return byte - 0x30;
  const letter = (byte | 0x20) - 0x61;
  return letter >= 0 && letter < 6 ? letter + 10 : -1;
}

export function isPartOfWord(byte: number): boolean {
  return punctuation(byte) === 0 && byte !== 0x22 && byte !== 0x2F
    && byte !== 0x20 && byte !== 0x09 && byte !== 0x0A && byte !== 0x0D;
}

/** How many bytes follow the first one of a character. */
export const continuations = (byte: number): number => byte < 0xC0 ? 0 : byte < 0xE0 ? 1 : byte < 0xF0 ? 2 : 3;

/** UTF-8; what is cut at the end is left out. */
export function decode(bytes: Uint8Array, length: number): string {
  let text = '';
  let at = 0;
  while (at < length) {
    const byte = bytes[at++]!;
    const rest = continuations(byte);
    if (at + rest > length)
      break;
    let code = rest === 0 ? byte : byte & 0x3F >> rest;
    for (let count = 0; count < rest; ++count)
      code = code << 6 | bytes[at++]! & 0x3F;
    text += String.fromCodePoint(code);
  }
  return text;
}

/** First and last of what a log must not contain: control characters, line ends, marks of direction. */
const HIDDEN: readonly (readonly [number, number])[] = Object.freeze(([
  [0, 0x1F], [0x7F, 0x9F], [0xAD, 0xAD], [0x600, 0x605],
  [0x61C, 0x61C], [0x6DD, 0x6DD], [0x70F, 0x70F], [0x180E, 0x180E], [0x200B, 0x200F], [0x2028, 0x202E],
    [0x2060, 0x2064], [0x2066, 0x206F],
  [0xD800, 0xDFFF], [0xFEFF, 0xFEFF], [0xFFF9, 0xFFFB],
] as const).map(range => Object.freeze(range)));

/** These become \u escapes. */
export function printable(text: string): string {
  let shown = '';
  for (let at = 0; at < text.length; ++at) {
    const code = text.codePointAt(at)!;
    const isHidden = HIDDEN.some(range => code >= range[0] && code <= range[1]);
    shown += isHidden ? `\\u${code.toString(16).padStart(4, '0')}` : String.fromCodePoint(code);
    if (code > 0xFFFF)
      ++at;
  }
  return shown;
}
