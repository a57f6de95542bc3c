/**
 * Writes the head of an answer, and the whole of a refusal, into the staging area of the server's arena. The texts lie
 * in the same arena, so a copy costs no view.
 */
import type { Arena, ArenaPlan } from '../bytes/arena.ts';
import { writeDigits } from '../bytes/decimal.ts';
import { CONTENT_HEAD_CAPACITY, type Content, ENDLESS } from './content.ts';
import { STATUS_TEXTS } from './status-codes.ts';

/** In every answer: no connection is used twice, no browser guesses, nobody frames or embeds it. */
const COMMON = 'Connection: close\r\nX-Content-Type-Options: nosniff\r\nReferrer-Policy: no-referrer\r\n'
  + 'Cross-Origin-Resource-Policy: same-origin\r\nX-Frame-Options: DENY\r\nVary: Accept-Encoding\r\n';
const STATUS_LINE = 'HTTP/1.1 ';
const LENGTH_LINE = 'Content-Length: ';
const LINE_END = '\r\n';
const REFUSAL_LINES = 'Content-Type: text/plain; charset=utf-8\r\nCache-Control: no-store\r\n'
  + 'Content-Security-Policy: default-src \'none\'\r\n';
/** Not Basic, which is taken as well: a browser would ask with a window of its own, in front of the page's. */
const AUTHENTICATE = 'WWW-Authenticate: Session realm="ringbridge"\r\n';
const RETRY = 'Retry-After: 60\r\n';
const CONTINUE = 'HTTP/1.1 100 Continue\r\n\r\n';
/** For each set of methods that a resource may take; HEAD comes with GET. */
const ALLOW = 'Allow: ';
const METHOD_NAMES = Object.freeze(['GET', 'HEAD', 'PUT', 'POST'] as const);
const SEPARATOR = ', ';

/** Texts of the table below come after the phrases and advices of all status codes. */
const OWN: readonly string[] = Object.freeze([STATUS_LINE, LENGTH_LINE, LINE_END, COMMON, REFUSAL_LINES, AUTHENTICATE,
  RETRY, CONTINUE, ALLOW, SEPARATOR, ...METHOD_NAMES]);
const OWN_COUNT = OWN.length;
// Places in that list
const STATUS_LINE_TEXT = 0;
const LENGTH_TEXT = 1;
const LINE_END_TEXT = 2;
const COMMON_TEXT = 3;
const REFUSAL_TEXT = 4;
const AUTHENTICATE_TEXT = 5;
const RETRY_TEXT = 6;
const CONTINUE_TEXT = 7;
const ALLOW_TEXT = 8;
const SEPARATOR_TEXT = 9;
/** Of the first method. */
const METHOD_TEXT = 10;

/** Bytes of the longest head: status line and common lines, content lines, a length. */
export const STAGING_CAPACITY = 1024 + CONTENT_HEAD_CAPACITY;

const DIGITS_OF_STATUS = 3;
const SPACE = 0x20;

const allTexts = (): readonly string[] => [...OWN, ...STATUS_TEXTS.flatMap(({ advice, phrase }) =>
  [phrase, advice === '' ? '' : `${advice}\n`])];

/** The texts in the arena. */
export class ResponseWriter {
  private readonly arena: Arena;
  /** Where each text begins; one more at the end. */
  private readonly starts: Int32Array;
  private readonly statuses: Int16Array;
  private at = 0;

  /** @returns the offset of the texts in the arena to come */
  static plan(plan: ArenaPlan): number {
    return plan.reserve('page: texts', allTexts().reduce((sum, text) => sum + text.length, 0));
  }

  /** @param offset as `plan` has given it */
  constructor(arena: Arena, offset: number) {
    this.arena = arena;
    const texts = allTexts();
    this.starts = new Int32Array(texts.length + 1);
    this.statuses = new Int16Array(STATUS_TEXTS.map(({ status }) => status));
    texts.forEach((text, index) => {
      this.starts[index] = offset;
      for (let character = 0; character < text.length; ++character)
        arena.bytes[offset++] = text.charCodeAt(character);
    });
    this.starts[texts.length] = offset;
  }

  /** The head of an answer. @returns its length, in staging */
  writeHead(status: number, content: Content): number {
    this.begin(status);
    this.arena.bytes.set(content.head, this.at);
    this.at += content.head.length;
    if (content.length !== ENDLESS && status !== 304)
      this.putLength(content.length);
    this.put(LINE_END_TEXT);
    return this.at - this.arena.stagingOffset;
  }

  /**
   * A refusal with its body. @param methods bits of those that the resource takes, for 405
   * @param isHeadOnly no body, which was not asked for @returns its length, in staging
   */
  writeRefusal(status: number, methods: number, isHeadOnly: boolean): number {
    this.begin(status);
    this.put(REFUSAL_TEXT);
    if (status === 401)
      this.put(AUTHENTICATE_TEXT);
    else if (status === 429 || status === 503)
      this.put(RETRY_TEXT);
    else if (status === 405)
      this.putAllow(methods);
    const advice = OWN_COUNT + this.indexOf(status) * 2 + 1;
    this.putLength(this.starts[advice + 1]! - this.starts[advice]!);
    this.put(LINE_END_TEXT);
    if (!isHeadOnly)
      this.put(advice);
    return this.at - this.arena.stagingOffset;
  }

  /** @returns its length, in staging */
  writeContinue(): number {
    this.at = this.arena.stagingOffset;
    this.put(CONTINUE_TEXT);
    return this.at - this.arena.stagingOffset;
  }

  private begin(status: number): void {
    const { arena } = this;
    this.at = arena.stagingOffset;
    this.put(STATUS_LINE_TEXT);
    this.at = writeDigits(arena.bytes, this.at, status, DIGITS_OF_STATUS);
    arena.bytes[this.at++] = SPACE;
    this.put(OWN_COUNT + this.indexOf(status) * 2);
    this.put(LINE_END_TEXT);
    this.put(COMMON_TEXT);
  }

  private putLength(length: number): void {
    this.put(LENGTH_TEXT);
    this.at = writeDigits(this.arena.bytes, this.at, length, 1);
    this.put(LINE_END_TEXT);
  }

  private putAllow(methods: number): void {
    this.put(ALLOW_TEXT);
    let isFirst = true;
    for (let method = 0; method < METHOD_NAMES.length; ++method)
      if ((methods & 1 << method) !== 0) {
        if (!isFirst)
          this.put(SEPARATOR_TEXT);
        isFirst = false;
        this.put(METHOD_TEXT + method);
      }
    this.put(LINE_END_TEXT);
  }

  /** A status that is not in the table is a defect: 500. */
  private indexOf(status: number): number {
    const { statuses } = this;
    for (let index = 0; index < statuses.length; ++index)
      if (statuses[index] === status)
        return index;
    return this.indexOf(500);
  }

  private put(text: number): void {
    const { bytes } = this.arena;
    const start = this.starts[text]!;
    const end = this.starts[text + 1]!;
    bytes.copyWithin(this.at, start, end);
    this.at += end - start;
  }
}
