/**
 * Lines of bytes that arrive one by one, each of which should be a number: "21.5", " -3 \r", "1e3". Allocates nothing.
 */

const LINE_CAPACITY = 32;
const NEWLINE = 0x0A;
const RETURN = 0x0D;
const TAB = 0x09;
const SPACE = 0x20;
const PLUS = 0x2B;
const MINUS = 0x2D;
const POINT = 0x2E;
const ZERO = 0x30;
const LETTER_E = 0x65;
/** Makes an ASCII letter small. */
const SMALL = 0x20;
/** Where a number of 64 bits has long become 0 or infinite. */
const LARGEST_EXPONENT = 400;

export class NumberLine {
  /** Of the last line that was a number; NaN when there was none since `takeValue`. */
  private value = NaN;
  private readonly line = new Uint8Array(LINE_CAPACITY);
  private length = 0;
  private at = 0;

  /** @returns NaN when there has been no new line */
  takeValue(): number {
    const { value } = this;
    this.value = NaN;
    return value;
  }

  /** Something has been lost: the rest of this line is no number, whatever it says. */
  spoil(): void {
    this.length = LINE_CAPACITY + 1;
  }

  put(byte: number): void {
    if (byte !== NEWLINE) {
      if (this.length < LINE_CAPACITY) // what is longer is no number
        this.line[this.length] = byte;
      ++this.length;
      return;
    }
    if (this.length <= LINE_CAPACITY) {
      const value = this.parse();
      if (value === value)
        this.value = value;
    }
    this.length = 0;
  }

  /**
   * @returns NaN when the line is anything but one number with space around it; infinite when that is too large for 64
   * bits, so that whoever reads it can tell
   */
  private parse(): number {
    const { line } = this;
    while (this.length > 0 && isSpace(line[this.length - 1]!))
      --this.length;
    this.at = 0;
    while (this.at < this.length && isSpace(line[this.at]!))
      ++this.at;
    const isNegative = this.skipSign();
    const start = this.at;
    let value = this.digits(0);
    let digitCount = this.at - start;
    let exponent = 0;
    if (this.at < this.length && line[this.at] === POINT) {
      const point = ++this.at;
      value = this.digits(value);
      exponent = point - this.at;
      digitCount -= exponent;
    }
    if (digitCount === 0)
      return NaN;
    if (this.at < this.length && (line[this.at]! | SMALL) === LETTER_E) {
      ++this.at;
      const isSmall = this.skipSign();
      const first = this.at;
      const power = this.digits(0);
      if (this.at === first)
        return NaN;
      exponent += isSmall ? -power : power;
    }
    if (this.at < this.length)
      return NaN;
    value = scaled(value, exponent);
    return isNegative ? -value : value;
  }

  /** @returns whether there is a minus */
  private skipSign(): boolean {
    const sign = this.at < this.length ? this.line[this.at] : 0;
    if (sign === MINUS || sign === PLUS)
      ++this.at;
    return sign === MINUS;
  }

  private digits(value: number): number {
    const { length, line } = this;
    let { at } = this;
    for (; at < length; ++at) {
      const digit = line[at]! - ZERO;
      if (digit < 0 || digit > 9)
        break;
      value = value * 10 + digit;
    }
    this.at = at;
    return value;
  }
}

const isSpace = (byte: number): boolean => byte === SPACE || byte === RETURN || byte === TAB;

/** `value` times 10 to the power of `exponent`. A power of ten is exact up to 22, and so is the one division by it. */
function scaled(value: number, exponent: number): number {
  let power = 1;
  let left = exponent < 0 ? -exponent : exponent;
  if (left > LARGEST_EXPONENT)
    left = LARGEST_EXPONENT;
  while (left-- > 0)
    power *= 10;
  return value === 0 ? 0 : exponent < 0 ? value / power : value * power;
}
