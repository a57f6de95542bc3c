/**
 * The tokens of a JSON text that is read piece by piece, as from flash: with a fixed memory, whatever the text. Of a
 * long string only the beginning is kept. Knows no grammar and no schema.
 */

import {
  continuations, decode, ESCAPES, hexDigit, isDigit, isPartOfWord, MEANINGS, NOTHING, punctuation,
} from './json-characters.ts';

/** Where a text is. */
export interface TextSource {
  readonly length: number;
  /** Fills `target` with the bytes from `offset` on, as far as there are any. */
  read(target: Uint8Array, offset: number): void;
}

export const END = 0;
/** In the order of PUNCTUATION. */
export const OPEN_BRACE = 1;
export const CLOSE_BRACE = 2;
export const OPEN_BRACKET = 3;
export const CLOSE_BRACKET = 4;
export const COLON = 5;
export const COMMA = 6;
export const TEXT = 7;
export const DIGITS = 8;
const WORD_TRUE = 9;
const WORD_FALSE = 10;
export const WORD_NULL = 11;
/** What is no JSON. */
export const SYMBOL = 12;
/** JSON has none. */
export const COMMENT = 13;

/** What is wrong within a token. */
export const NO_END = 1;
export const WRONG_ESCAPE = 2;
export const CONTROL_CHARACTER = 3;
const WRONG_NUMBER = 4;
export const NOT_UTF8 = 5;

/** At a time. */
const PIECE = 128;
/** Bytes of a token that are kept, both as they are written and what they mean. */
const KEPT = 128;

export class JSONTokens {
  kind = END;
  /** One of the above, or 0. */
  fault = 0;
  /** Of the token's first character, from 1; columns as editors count them. */
  line = 1;
  column = 1;
  /** Of a string: code points, as JSON Schema counts; and bytes in UTF-8. */
  characterCount = 0;
  byteCount = 0;
  private readonly source: TextSource;
  private readonly piece = new Uint8Array(PIECE);
  private readonly written = new Uint8Array(KEPT);
  private readonly meant = new Uint8Array(KEPT);
  private writtenLength = 0;
  private meantLength = 0;
  /** UTF-16 units of the token as it is written. */
  private unitCount = 0;
  private position = 0;
  private currentLine = 1;
  private currentColumn = 1;
  /** The next byte, or NOTHING. */
  private byte = NOTHING;
  /** A first half of a surrogate pair that an escape has given, or 0. */
  private surrogate = 0;
  /** Bytes of a UTF-8 sequence that must follow. */
  private following = 0;

  constructor(source: TextSource) {
    this.source = source;
    this.rewind();
  }

  /** To the beginning; a byte order mark, which some editors write, is no part of the text. */
  rewind(): void {
    const { piece } = this;
    this.position = 0;
    this.currentLine = this.currentColumn = 1;
    this.following = this.fault = 0;
    this.load();
    if (this.source.length >= 3 && piece[0] === 0xEF && piece[1] === 0xBB && piece[2] === 0xBF) {
      this.position = 3;
      this.load();
    }
  }

  /** Whether all of a string is kept. */
  get isWhole(): boolean {
    return this.byteCount <= KEPT;
  }

  /** The meaning of a string, or its beginning; of anything else what is written. */
  get text(): string {
    return this.kind === TEXT
      ? decode(this.meant, Math.min(this.meantLength, KEPT))
      : decode(this.written, this.writtenLength);
  }

  /** At most `count` UTF-16 units of the token as it is written. */
  beginning(count: number): string {
    return decode(this.written, this.writtenLength).slice(0, Math.min(count, this.unitCount));
  }

  /** Goes to the next token. */
  next(): void {
    while (this.byte === 0x20 || this.byte === 0x09 || this.byte === 0x0A || this.byte === 0x0D)
      this.advance();
    this.line = this.currentLine;
    this.column = this.currentColumn;
    this.fault = this.writtenLength = this.unitCount = this.meantLength = this.byteCount = this.characterCount = 0;
    const { byte } = this;
    if (byte === NOTHING)
      this.kind = END;
    else if (byte === 0x22)
      this.scanString();
    else if (byte === 0x2D || isDigit(byte))
      this.scanNumber();
    else if (byte === 0x2F)
      this.scanSlash();
    else if (punctuation(byte) !== END) {
      this.kind = punctuation(byte);
      this.advance();
    } else
      this.scanWord();
  }

  private scanWord(): void {
    while (this.byte !== NOTHING && isPartOfWord(this.byte))
      this.advance();
    const { text } = this;
    this.kind = text === 'true' ? WORD_TRUE : text === 'false' ? WORD_FALSE : text === 'null' ? WORD_NULL : SYMBOL;
  }

  private scanSlash(): void {
    this.advance();
    this.kind = this.byte === 0x2F || this.byte === 0x2A ? COMMENT : SYMBOL;
  }

  private scanNumber(): void {
    this.kind = DIGITS;
    if (this.byte === 0x2D) {
      this.advance();
      if (!isDigit(this.byte)) {
        this.kind = SYMBOL;
        return;
      }
    }
    if (this.byte === 0x30)
      this.advance();
    else
      this.scanDigits();
    if (this.byte === 0x2E) {
      this.advance();
      if (!this.scanDigits())
        return;
    }
    if (this.byte === 0x65 || this.byte === 0x45) {
      this.advance();
      if (this.isAt(0x2B) || this.isAt(0x2D))
        this.advance();
      this.scanDigits();
    }
  }

  private isAt(byte: number): boolean {
    return this.byte === byte;
  }

  private scanDigits(): boolean {
    if (!isDigit(this.byte)) {
      this.fault = WRONG_NUMBER;
      return false;
    }
    while (isDigit(this.byte))
      this.advance();
    return true;
  }

  private scanString(): void {
    this.kind = TEXT;
    this.surrogate = 0;
    this.advance();
    while (this.byte !== 0x22) {
      if (this.byte === NOTHING || this.byte === 0x0A || this.byte === 0x0D) {
        this.fault = NO_END;
        return;
      }
      if (this.byte === 0x5C) {
        this.advance();
        this.scanEscape();
        continue;
      }
      if (this.byte < 0x20)
        this.fault = CONTROL_CHARACTER;
      this.mean(this.byte);
      this.surrogate = 0;
      this.advance();
    }
    this.advance();
  }

  private scanEscape(): void {
    const { byte } = this;
    const at = ESCAPES.indexOf(byte);
    if (byte === NOTHING)
      return; // the string tells that it has no end
    this.advance();
    if (byte === 0x75)
      this.scanUnicode();
    else if (at < 0)
      this.fault = WRONG_ESCAPE;
    else {
      this.mean(MEANINGS[at]!);
      this.surrogate = 0;
    }
  }

  private scanUnicode(): void {
    let code = 0;
    for (let count = 0; count < 4; ++count) {
      const digit = hexDigit(this.byte);
      if (digit < 0) {
        this.fault = WRONG_ESCAPE;
        return;
      }
      code = code << 4 | digit;
      this.advance();
    }
    const isSecond = code >= 0xDC00 && code < 0xE000;
    if (isSecond && this.surrogate !== 0) { // four bytes in place of the three of the first half
      this.meantLength -= 3;
      this.byteCount -= 3;
      --this.characterCount;
      code = 0x10000 + (this.surrogate - 0xD800 << 10) + (code - 0xDC00);
    }
    this.surrogate = code >= 0xD800 && code < 0xDC00 ? code : 0;
    this.meanCodePoint(code);
  }

  private meanCodePoint(code: number): void {
    if (code < 0x80) {
      this.mean(code);
      return;
    }
    const rest = code < 0x800 ? 1 : code < 0x10000 ? 2 : 3;
    this.mean((0xF0 << 3 - rest & 0xFF) | code >> 6 * rest);
    for (let at = rest - 1; at >= 0; --at)
      this.mean(0x80 | code >> 6 * at & 0x3F);
  }

  private mean(byte: number): void {
    if (this.meantLength < KEPT)
      this.meant[this.meantLength] = byte;
    ++this.meantLength;
    ++this.byteCount;
    if ((byte & 0xC0) !== 0x80)
      ++this.characterCount;
  }

  /** To the next byte; what is left is kept as a part of the token. */
  private advance(): void {
    const { byte } = this;
    if (this.writtenLength < KEPT)
      this.written[this.writtenLength++] = byte;
    this.checkSequence(byte);
    const units = (byte & 0xC0) === 0x80 ? 0 : byte >= 0xF0 ? 2 : 1;
    this.unitCount += units;
    this.currentColumn += units;
    ++this.position;
    this.load();
    if (byte === 0x0A || byte === 0x0D && this.byte !== 0x0A) {
      ++this.currentLine;
      this.currentColumn = 1;
    }
  }

  private checkSequence(byte: number): void {
    const isContinued = (byte & 0xC0) === 0x80;
    if (isContinued !== this.following > 0 || byte >= 0xF8 || byte === 0xC0 || byte === 0xC1)
      this.fault = NOT_UTF8;
    this.following = isContinued ? Math.max(0, this.following - 1) : continuations(byte);
  }

  private load(): void {
    const { piece, position, source } = this;
    if (position >= source.length) {
      this.byte = NOTHING;
      return;
    }
    if (position % PIECE === 0)
      source.read(piece, position);
    this.byte = piece[position % PIECE]!;
  }
}
