/**
 * The head of an HTTP/1.1 request [RFC9112]: request line and header lines, up to the empty line. Bytes are collected
 * in a fixed region and judged line by line, so a fault is known at the end of its line and nothing is read twice. What
 * is not clear is refused: whoever stands between (a proxy) could read it in another way [RFC9112-11.2].
 *
 * Knows no socket, no path that exists and no right. The values of header lines are spans of the region.
 */
import * as Field from './field-names.ts';
import { HEADER_CAPACITY, MOST_EMPTY_LINES, MOST_HEADER_LINES, REQUEST_LINE_CAPACITY } from './http-limits.ts';

/** Bits, so that a resource can say which it takes. */
export const GET = 1;
export const HEAD = 2;
export const PUT = 4;
export const POST = 8;

export const HEAD_CAPACITY = REQUEST_LINE_CAPACITY + HEADER_CAPACITY;

/** In place of a length: the header line is not there. */
export const ABSENT = -1;

const NUL = 0;
const TAB = 0x09;
const LINE_FEED = 0x0A;
const CARRIAGE_RETURN = 0x0D;
const SPACE = 0x20;
const HASH = 0x23;
const SLASH = 0x2F;
const ZERO = 0x30;
const NINE = 0x39;
const COLON = 0x3A;
const QUESTION_MARK = 0x3F;
const DELETE = 0x7F;

/** More digits than this are no length that anybody takes. */
const MOST_LENGTH_DIGITS = 9;
/** Bytes of `HTTP/1.1`. */
const VERSION_LENGTH = 8;

/** Characters of a token [RFC9110-5.6.2]. */
const isTokenCharacter = (byte: number): boolean => byte >= 0x61 && byte <= 0x7A || byte >= 0x41 && byte <= 0x5A
  || byte >= ZERO && byte <= NINE || byte === 0x2D || byte >= 0x5E && byte <= 0x60 || byte === 0x21
  || byte >= HASH && byte <= 0x27 || byte === 0x2A || byte === 0x2B || byte === 0x2E || byte === 0x7C || byte === 0x7E;

const isDigit = (byte: number): boolean => byte >= ZERO && byte <= NINE;

export class RequestHead {
  /** The empty line has been read, or the request is refused: nothing more is wanted. */
  isDone = false;
  /** Status code of the answer; 0 as long as nothing is wrong. */
  refusal = 0;
  /** One of the bits above; 0 before it is known. */
  method = 0;
  /** The part of the target before the question mark. */
  pathOffset = 0;
  pathLength = 0;
  /** The part after it; of length 0 if there is none. */
  queryOffset = 0;
  queryLength = 0;
  /** Bytes of the body that the client has announced. */
  contentLength = 0;
  readonly bytes: Uint8Array;
  readonly offset: number;
  /** After what has been collected. */
  end = 0;
  private readonly names: Field.FieldNames;
  private readonly offsets = new Int32Array(Field.FIELD_COUNT);
  private readonly lengths = new Int32Array(Field.FIELD_COUNT);
  private readonly methods: readonly Uint8Array[];
  private lineStart = 0;
  private headerStart = 0;
  private lineCount = 0;
  private emptyCount = 0;
  private isOldVersion = false;

  /** @param offset of HEAD_CAPACITY bytes in `bytes` */
  constructor(bytes: Uint8Array, offset: number, names: Field.FieldNames) {
    this.bytes = bytes;
    this.offset = offset;
    this.names = names;
    this.methods = ['get', 'head', 'put', 'post'].map(Field.asciiOf);
    this.reset();
  }

  /** For another request. */
  reset(): void {
    this.isDone = this.isOldVersion = false;
    this.refusal = this.method = this.contentLength = this.lineCount = this.emptyCount = this.headerStart = 0;
    this.pathOffset = this.pathLength = this.queryOffset = this.queryLength = 0;
    this.end = this.lineStart = this.offset;
    this.lengths.fill(ABSENT);
  }

  /** Whether any of it has come. */
  get hasBegun(): boolean {
    return this.end > this.offset;
  }

  /** @returns the length of the value; ABSENT if there is no such header line */
  lengthOf(field: number): number {
    return this.lengths[field]!;
  }

  offsetOf(field: number): number {
    return this.offsets[field]!;
  }

  /** @returns whether the value is `text`, which is in lower case, whatever its case */
  isValue(field: number, text: Uint8Array): boolean {
    return Field.equalsText(this.bytes, this.offsets[field]!, this.lengths[field]!, text);
  }

  /** Takes bytes of `source`, none after the head. @returns the offset after those that belong to it */
  receive(source: Uint8Array, from: number, to: number): number {
    const { bytes } = this;
    while (from < to && !this.isDone) {
      const byte = source[from++]!;
      if (this.headerStart === 0 ? this.end - this.offset === REQUEST_LINE_CAPACITY
        : this.end - this.headerStart === HEADER_CAPACITY) {
        this.refuse(this.headerStart === 0 ? 414 : 431);
        return from;
      }
      bytes[this.end++] = byte;
      if (byte === LINE_FEED)
        this.endLine();
    }
    return from;
  }

  private refuse(status: number): void {
    this.refusal = status;
    this.isDone = true;
  }

  /** A line ends in CR LF: a bare LF is a new line to some and none to others. */
  private endLine(): void {
    const start = this.lineStart;
    const end = this.end - 2;
    if (end < start || this.bytes[end] !== CARRIAGE_RETURN) {
      this.refuse(400);
      return;
    }
    this.lineStart = this.end;
    if (this.headerStart === 0) {
      if (end > start)
        this.readRequestLine(start, end);
      else if (++this.emptyCount > MOST_EMPTY_LINES)
        this.refuse(400);
      else
        this.end = this.lineStart = this.offset;
    } else if (end === start)
      this.finish();
    else if (++this.lineCount > MOST_HEADER_LINES)
      this.refuse(431);
    else
      this.readHeaderLine(start, end);
  }

  /** `METHOD SP /path?query SP HTTP/1.1`, with exactly these two spaces. */
  private readRequestLine(start: number, end: number): void {
    const { bytes } = this;
    let at = start;
    while (at < end && isTokenCharacter(bytes[at]!))
      ++at;
    if (at === start || bytes[at] !== SPACE) {
      this.refuse(400);
      return;
    }
    const targetStart = at + 1;
    this.method = this.methodAt(start, at - start);
    let query = 0;
    for (at = targetStart; at < end && bytes[at] !== SPACE; ++at) {
      const byte = bytes[at]!;
      if (byte <= SPACE || byte >= DELETE || byte === HASH) {
        this.refuse(400);
        return;
      }
      if (byte === QUESTION_MARK && query === 0)
        query = at;
    }
    this.readVersion(at + 1, end);
    if (this.isDone)
      return;
    if (this.method === 0) {
      this.refuse(501);
      return;
    }
    if (bytes[targetStart] !== SLASH) { // of the four forms only the one that is sent to an origin server
      this.refuse(400);
      return;
    }
    this.pathOffset = targetStart;
    this.pathLength = (query === 0 ? at : query) - targetStart;
    this.queryOffset = query + 1;
    this.queryLength = query === 0 ? 0 : at - query - 1;
    this.headerStart = this.end;
  }

  /** Methods have a case: `get` is another method. @returns 0 when it is none of ours */
  private methodAt(start: number, length: number): number {
    const { bytes, methods } = this;
    for (let index = start; index < start + length; ++index)
      if (bytes[index]! >= 0x61)
        return 0;
    for (let index = 0; index < methods.length; ++index)
      if (Field.equalsText(bytes, start, length, methods[index]!))
        return 1 << index;
    return 0;
  }

  private readVersion(start: number, end: number): void {
    const { bytes } = this;
    const isVersion = end - start === VERSION_LENGTH && bytes[start] === 0x48 && bytes[start + 1] === 0x54
      && bytes[start + 2] === 0x54 && bytes[start + 3] === 0x50 && bytes[start + 4] === SLASH
      && isDigit(bytes[start + 5]!) && bytes[start + 6] === 0x2E && isDigit(bytes[start + 7]!);
    if (!isVersion)
      this.refuse(400);
    else if (bytes[start + 5] !== ZERO + 1 || bytes[start + 7]! > ZERO + 1)
      this.refuse(505);
    else
      this.isOldVersion = bytes[start + 7] === ZERO;
  }

  /** `name: value`: no space before the colon, no line that continues another one, no control character. */
  private readHeaderLine(start: number, end: number): void {
    const { bytes } = this;
    let at = start;
    while (at < end && isTokenCharacter(bytes[at]!))
      ++at;
    const nameLength = at - start;
    if (nameLength === 0 || bytes[at] !== COLON) {
      this.refuse(400);
      return;
    }
    ++at;
    while (at < end && isBlank(bytes[at]!))
      ++at;
    while (end > at && isBlank(bytes[end - 1]!))
      --end;
    for (let index = at; index < end; ++index) {
      const byte = bytes[index]!;
      if (byte < SPACE && byte !== TAB || byte === DELETE || byte === NUL) {
        this.refuse(400);
        return;
      }
    }
    const field = this.names.find(bytes, start, nameLength);
    if (field === Field.OTHER)
      return;
    if (this.lengths[field] === ABSENT) {
      this.offsets[field] = at;
      this.lengths[field] = end - at;
    } else if (!Field.mayRepeat(field))
      this.refuse(400);
  }

  /** What can be judged only when all lines are there. */
  private finish(): void {
    const { lengths, method } = this;
    this.isDone = true;
    const hasBody = (method & (PUT | POST)) !== 0;
    if (lengths[Field.HOST] === ABSENT)
      this.refusal = 400;
    else if (lengths[Field.TRANSFER_ENCODING] !== ABSENT)
      this.refusal = lengths[Field.CONTENT_LENGTH] !== ABSENT || this.isOldVersion ? 400 : 501;
    else if (lengths[Field.CONTENT_LENGTH] !== ABSENT)
      this.readContentLength(hasBody);
    else if (hasBody)
      this.refusal = 411;
  }

  /** Digits and nothing else: no sign, no list, no space. */
  private readContentLength(hasBody: boolean): void {
    const { bytes } = this;
    const start = this.offsets[Field.CONTENT_LENGTH]!;
    const length = this.lengths[Field.CONTENT_LENGTH]!;
    let value = 0;
    for (let at = start; at < start + length; ++at) {
      const byte = bytes[at]!;
      if (!isDigit(byte)) {
        this.refusal = 400;
        return;
      }
      if (at - start < MOST_LENGTH_DIGITS)
        value = value * 10 + byte - ZERO;
    }
    this.contentLength = value;
    if (length === 0 || !hasBody && value > 0)
      this.refusal = 400;
    else if (length > MOST_LENGTH_DIGITS)
      this.refusal = 413;
  }
}

const isBlank = (byte: number): boolean => byte === SPACE || byte === TAB;
