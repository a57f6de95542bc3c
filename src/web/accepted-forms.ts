/** Which forms of a content the client takes, and which it has: `Accept-Encoding` and `If-None-Match` [RFC9110]. */
import * as Field from './field-names.ts';
import { ABSENT, type RequestHead } from './request-head.ts';

const SPACE = 0x20;
const TAB = 0x09;
const COMMA = 0x2C;
const SEMICOLON = 0x3B;
const EQUALS = 0x3D;
const ASTERISK = 0x2A;
const QUOTE = 0x22;
const SLASH = 0x2F;
const W_CAPITAL = 0x57;
const Q_SMALL = 0x71;
const ZERO = 0x30;
const ONE = 0x31;
const NINE = 0x39;

const isBlank = (byte: number): boolean => byte === SPACE || byte === TAB;

/** Whether the client takes gzip: `gzip` or `*` in its list, and not with `q=0`. [RFC9110-12.5.3] */
export class AcceptedForms {
  private readonly gzip: Uint8Array;

  constructor() {
    this.gzip = Field.asciiOf('gzip');
  }

  takesGzip(head: RequestHead): boolean {
    const length = head.lengthOf(Field.ACCEPT_ENCODING);
    if (length === ABSENT)
      return false;
    const { bytes } = head;
    let at = head.offsetOf(Field.ACCEPT_ENCODING);
    const end = at + length;
    let byStar = false;
    while (at < end) {
      let next = at;
      while (next < end && bytes[next] !== COMMA)
        ++next;
      while (at < next && isBlank(bytes[at]!))
        ++at;
      let nameEnd = at;
      while (nameEnd < next && !isBlank(bytes[nameEnd]!) && bytes[nameEnd] !== SEMICOLON)
        ++nameEnd;
      if (Field.equalsText(bytes, at, nameEnd - at, this.gzip))
        return hasWeight(bytes, nameEnd, next);
      if (nameEnd - at === 1 && bytes[at] === ASTERISK)
        byStar = hasWeight(bytes, nameEnd, next);
      at = next + 1;
    }
    return byStar;
  }
}

/** Whether a quality of more than zero stands there, or none. */
function hasWeight(bytes: Uint8Array, at: number, end: number): boolean {
  while (at < end && Field.lowerCase(bytes[at]!) !== Q_SMALL)
    ++at;
  while (at < end && bytes[at] !== EQUALS)
    ++at;
  if (at >= end)
    return true;
  for (++at; at < end; ++at) {
    const byte = bytes[at]!;
    if (byte >= ONE && byte <= NINE)
      return true;
    if (byte !== ZERO && byte !== 0x2E && !isBlank(byte))
      return true;
  }
  return false;
}

/** Whether `etag`, with its quotes, is in the list of the client, or `*`; by the weak comparison [RFC9110-13.1.2]. */
export function hasCurrent(head: RequestHead, etag: Uint8Array): boolean {
  const length = head.lengthOf(Field.IF_NONE_MATCH);
  if (length === ABSENT)
    return false;
  const { bytes } = head;
  let at = head.offsetOf(Field.IF_NONE_MATCH);
  const end = at + length;
  if (length === 1 && bytes[at] === ASTERISK)
    return true;
  while (at < end) {
    while (at < end && (isBlank(bytes[at]!) || bytes[at] === COMMA))
      ++at;
    if (bytes[at] === W_CAPITAL && bytes[at + 1] === SLASH)
      at += 2;
    const start = at;
    if (at >= end || bytes[at] !== QUOTE)
      return false;
    for (++at; at < end && bytes[at] !== QUOTE; ++at) { /* to the closing quote */ }
    if (at >= end)
      return false;
    ++at;
    if (isSame(bytes, start, at - start, etag))
      return true;
  }
  return false;
}

function isSame(bytes: Uint8Array, offset: number, length: number, other: Uint8Array): boolean {
  if (length !== other.length)
    return false;
  for (let index = 0; index < length; ++index)
    if (bytes[offset + index] !== other[index])
      return false;
  return true;
}
