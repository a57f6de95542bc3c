/** The header lines that the server looks at; all others are read and forgotten. Names are matched without case. */

export const HOST = 0;
export const ORIGIN = 1;
export const CONTENT_LENGTH = 2;
export const TRANSFER_ENCODING = 3;
export const EXPECT = 4;
export const AUTHORIZATION = 5;
export const COOKIE = 6;
export const IF_NONE_MATCH = 7;
export const ACCEPT_ENCODING = 8;
export const SEC_FETCH_SITE = 9;
export const CONTENT_TYPE = 10;
export const FIELD_COUNT = 11;

/** Of a header line that nobody asks for. */
export const OTHER = -1;

/** In the order of the numbers above. */
const NAMES: readonly string[] = Object.freeze(['host', 'origin', 'content-length', 'transfer-encoding', 'expect',
  'authorization', 'cookie', 'if-none-match', 'accept-encoding', 'sec-fetch-site', 'content-type']);

/** Lists, which may be spread over several lines; of these the first one counts. All others are refused twice. */
export const mayRepeat = (field: number): boolean =>
  field === COOKIE || field === IF_NONE_MATCH || field === ACCEPT_ENCODING;

/** What turns a capital letter of ASCII into a small one. */
const CASE_BIT = 0x20;

/** @returns the byte of a lower case letter for an upper case one, else the byte */
export const lowerCase = (byte: number): number => byte >= 0x41 && byte <= 0x5A ? byte | CASE_BIT : byte;

/** Bytes of ASCII, once at start. */
export function asciiOf(text: string): Uint8Array {
  const bytes = new Uint8Array(text.length);
  for (let index = 0; index < text.length; ++index)
    bytes[index] = text.charCodeAt(index);
  return bytes;
}

/** @returns whether the bytes at `offset` are `text`, which is in lower case, whatever their case */
export function equalsText(bytes: Uint8Array, offset: number, length: number, text: Uint8Array): boolean {
  if (length !== text.length)
    return false;
  for (let index = 0; index < length; ++index)
    if (lowerCase(bytes[offset + index]!) !== text[index])
      return false;
  return true;
}

export class FieldNames {
  private readonly names: readonly Uint8Array[];

  constructor() {
    this.names = NAMES.map(asciiOf);
  }

  /** @returns the number of the name, or OTHER */
  find(bytes: Uint8Array, offset: number, length: number): number {
    for (let field = 0; field < FIELD_COUNT; ++field)
      if (equalsText(bytes, offset, length, this.names[field]!))
        return field;
    return OTHER;
  }
}
