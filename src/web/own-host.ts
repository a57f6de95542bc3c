/**
 * Whom a request is meant for, and where it comes from. A page of the internet can send a browser to an address of the
 * local network: by a name of its own that it lets point there (DNS rebinding), or by a form or a script of another
 * site. Against the first, the name in `Host` must be an address, which nobody can let point elsewhere, or one of our
 * own names; against the second, what changes something must come from our own page, as `Origin` and `Sec-Fetch-Site`
 * tell. Tools that are no browser send neither.
 */
import * as Field from './field-names.ts';
import { ABSENT, type RequestHead } from './request-head.ts';

const COLON = 0x3A;
const DOT = 0x2E;
const OPENING_BRACKET = 0x5B;
const CLOSING_BRACKET = 0x5D;
const ZERO = 0x30;
const NINE = 0x39;
const A_SMALL = 0x61;
const F_SMALL = 0x66;
const HIGHEST_BYTE = 255;
const ADDRESS_PARTS = 4;

const isDigit = (byte: number): boolean => byte >= ZERO && byte <= NINE;

export class OwnHost {
  private readonly names: readonly Uint8Array[];
  private readonly scheme: Uint8Array;
  private readonly none: Uint8Array;
  private readonly sameOrigin: Uint8Array;

  /**
   * @param names beside all addresses: `localhost`, `gateway.local`; in lower case @param isSecure the page is HTTPS
   */
  constructor(names: readonly string[], isSecure = false) {
    this.names = names.map(Field.asciiOf);
    this.scheme = Field.asciiOf(isSecure ? 'https://' : 'http://');
    this.none = Field.asciiOf('none');
    this.sameOrigin = Field.asciiOf('same-origin');
  }

  /** @returns whether `Host` is one of ours, with any port: the way here may lead through a tunnel */
  isMeant(head: RequestHead): boolean {
    const { bytes } = head;
    const offset = head.offsetOf(Field.HOST);
    const length = lengthWithoutPort(bytes, offset, head.lengthOf(Field.HOST));
    if (length <= 0)
      return false;
    for (let index = 0; index < this.names.length; ++index)
      if (Field.equalsText(bytes, offset, length, this.names[index]!))
        return true;
    return isIPv4(bytes, offset, length) || isIPv6(bytes, offset, length);
  }

  /** @returns whether the request comes from our own page, or from what is no browser */
  isFromOwnPage(head: RequestHead): boolean {
    const site = head.lengthOf(Field.SEC_FETCH_SITE);
    if (site !== ABSENT && !head.isValue(Field.SEC_FETCH_SITE, this.sameOrigin)
      && !head.isValue(Field.SEC_FETCH_SITE, this.none))
      return false;
    const length = head.lengthOf(Field.ORIGIN);
    if (length === ABSENT)
      return true;
    const { bytes } = head;
    const { scheme } = this;
    const hostLength = head.lengthOf(Field.HOST);
    if (length !== scheme.length + hostLength)
      return false;
    const origin = head.offsetOf(Field.ORIGIN);
    if (!Field.equalsText(bytes, origin, scheme.length, scheme))
      return false;
    const host = head.offsetOf(Field.HOST);
    for (let index = 0; index < hostLength; ++index)
      if (Field.lowerCase(bytes[origin + scheme.length + index]!) !== Field.lowerCase(bytes[host + index]!))
        return false;
    return true;
  }
}

/** @returns -1 when what stands after the colon is no port */
function lengthWithoutPort(bytes: Uint8Array, offset: number, length: number): number {
  let at = offset + length;
  while (at > offset && isDigit(bytes[at - 1]!))
    --at;
  if (at === offset || bytes[at - 1] !== COLON)
    return bytes[offset + length - 1] === CLOSING_BRACKET || !hasColon(bytes, offset, length) ? length : -1;
  return at - 1 - offset;
}

function hasColon(bytes: Uint8Array, offset: number, length: number): boolean {
  for (let at = offset; at < offset + length; ++at)
    if (bytes[at] === COLON)
      return true;
  return false;
}

function isIPv4(bytes: Uint8Array, offset: number, length: number): boolean {
  let parts = 1;
  let value = -1;
  for (let at = offset; at < offset + length; ++at) {
    const byte = bytes[at]!;
    if (isDigit(byte)) {
      value = (value < 0 ? 0 : value * 10) + byte - ZERO;
      if (value > HIGHEST_BYTE)
        return false;
    } else if (byte === DOT && value >= 0) {
      ++parts;
      value = -1;
    } else
      return false;
  }
  return parts === ADDRESS_PARTS && value >= 0;
}

/** In brackets; the system that connects knows the rest of the rules. */
function isIPv6(bytes: Uint8Array, offset: number, length: number): boolean {
  const last = offset + length - 1;
  if (length < 4 || bytes[offset] !== OPENING_BRACKET || bytes[last] !== CLOSING_BRACKET)
    return false;
  let colons = 0;
  for (let at = offset + 1; at < last; ++at) {
    const byte = Field.lowerCase(bytes[at]!);
    if (byte === COLON)
      ++colons;
    else if (!isDigit(byte) && byte !== DOT && (byte < A_SMALL || byte > F_SMALL))
      return false;
  }
  return colons >= 2;
}
