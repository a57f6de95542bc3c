/**
 * Frames of WebSocket (RFC 6455 section 5): an automaton over the bytes of headers, in whatever pieces they arrive, and
 * the headers of frames to be sent. No memory but a few numbers. Knows no socket.
 */

/** Opcodes. */
const CONTINUATION = 0;
const TEXT = 1;
export const BINARY = 2;
export const CLOSE = 8;
export const PING = 9;
export const PONG = 10;

/** Codes of a Close frame (section 7.4.1). */
export const NORMAL_CLOSURE = 1000;
export const PROTOCOL_ERROR = 1002;
const UNSUPPORTED_DATA = 1003;
const MESSAGE_TOO_BIG = 1009;

/** Bytes of the payload of a control frame at most (section 5.5). */
export const LONGEST_CONTROL = 125;
/** Bytes of a header that is read at most: with a length of eight bytes and a mask. */
const LONGEST_HEADER = 14;
/** Bytes of a header that is written at most: with a length of two bytes and a mask. */
export const LONGEST_WRITTEN_HEADER = 8;
/** Bytes of payload of a frame that is written at most. */
export const LONGEST_WRITTEN = 0xFFFF;
export const MASK_LENGTH = 4;

const FINAL = 0x80;
const RESERVED = 0x70;
const MASKED = 0x80;
const SHORT_LENGTH = 0x7F;
const TWO_BYTES = 126;
const EIGHT_BYTES = 127;

/** What a frame reader wants next. */
export const HEADER = 0;
export const DATA = 1;
export const CONTROL = 2;
export const FAILED = 3;

export class FrameReader {
  /** HEADER, DATA, CONTROL or FAILED. */
  phase = HEADER;
  /** Bytes of payload of the frame at hand that have yet to come. */
  remaining = 0;
  /** Of the frame at hand. */
  opcode = 0;
  /** What rule was broken, in words; empty: none. */
  violation = '';
  /** The code to close with. */
  closeCode = NORMAL_CLOSURE;
  /** Whether the peer must mask what it sends: a client must, a server must not (section 5.1). */
  private readonly expectsMask: boolean;
  private readonly header = new Uint8Array(LONGEST_HEADER);
  private have = 0;
  private need = 0;
  /** A message whose last frame has not come. */
  private isInMessage = false;
  private maskOffset = 0;
  private maskIndex = 0;

  constructor(expectsMask: boolean) {
    this.expectsMask = expectsMask;
    this.endFrame();
  }

  /** Bytes of the header that are missing at least. */
  get missing(): number {
    return this.need - this.have;
  }

  /** Takes a byte of a header. @returns the phase after it */
  take(byte: number): number {
    this.header[this.have++] = byte;
    if (this.have === 2)
      this.judgeStart();
    if (this.have === this.need && this.phase === HEADER)
      this.finishHeader();
    return this.phase;
  }

  private judgeStart(): void {
    const first = this.header[0]!, second = this.header[1]!;
    const length = second & SHORT_LENGTH;
    const opcode = this.opcode = first & 0x0F;
    const isFinal = (first & FINAL) !== 0;
    const isMasked = (second & MASKED) !== 0;
    if ((first & RESERVED) !== 0)
      this.fail('a reserved bit is set, and no extension was agreed on', PROTOCOL_ERROR);
    else if (isMasked !== this.expectsMask)
      this.fail(isMasked ? 'a server must not mask its frames' : 'a client must mask its frames', PROTOCOL_ERROR);
    else if (opcode >= CLOSE)
      this.judgeControl(opcode, isFinal, length);
    else if (opcode === TEXT)
      this.fail('a frame of text, where MQTT needs binary ones [MQTT311-6.0.0-1]', UNSUPPORTED_DATA);
    else if (opcode > BINARY)
      this.fail('an opcode that is reserved', PROTOCOL_ERROR);
    else if ((opcode === CONTINUATION) !== this.isInMessage)
      this.fail(this.isInMessage ? 'a new message begins within another one' : 'a continuation of no message',
        PROTOCOL_ERROR);
    else
      this.isInMessage = !isFinal;
    this.need = 2 + (length === TWO_BYTES ? 2 : length === EIGHT_BYTES ? 8 : 0) + (isMasked ? MASK_LENGTH : 0);
  }

  private judgeControl(opcode: number, isFinal: boolean, length: number): void {
    if (opcode > PONG)
      this.fail('an opcode that is reserved', PROTOCOL_ERROR);
    else if (!isFinal)
      this.fail('a control frame in fragments', PROTOCOL_ERROR);
    else if (length > LONGEST_CONTROL)
      this.fail('a control frame of more than 125 bytes', PROTOCOL_ERROR);
    else if (opcode === CLOSE && length === 1)
      this.fail('a Close frame with half of a code', PROTOCOL_ERROR);
  }

  private finishHeader(): void {
    const { header } = this;
    const short = header[1]! & SHORT_LENGTH;
    let length = short;
    let at = 2;
    if (short === TWO_BYTES) {
      length = header[2]! << 8 | header[3]!;
      at = 4;
      if (length < TWO_BYTES)
        this.fail('a length in more bytes than it needs', PROTOCOL_ERROR);
    } else if (short === EIGHT_BYTES) {
      length = this.judgeLongLength();
      at = 10;
    }
    if (this.phase === FAILED)
      return;
    this.maskOffset = at;
    this.maskIndex = 0;
    this.remaining = length;
    this.phase = this.opcode >= CLOSE ? CONTROL : DATA;
    if (length === 0 && this.phase === DATA)
      this.endFrame();
  }

  /** A frame of two gigabytes or more holds no packet of MQTT, of which the longest has a quarter of one. */
  private judgeLongLength(): number {
    const { header } = this;
    const high = header[2]! | header[3]! | header[4]! | header[5]!;
    const length = header[6]! << 24 | header[7]! << 16 | header[8]! << 8 | header[9]!;
    if ((header[2]! & 0x80) !== 0)
      this.fail('a length of 2^63 or more', PROTOCOL_ERROR);
    else if (high !== 0 || length < 0)
      this.fail('a frame of more than 2147483647 bytes', MESSAGE_TOO_BIG);
    else if (length < 0x10000)
      this.fail('a length in more bytes than it needs', PROTOCOL_ERROR);
    return length;
  }

  /** The payload at hand has come to its end. The header of a masked frame has six bytes or more. */
  endFrame(): void {
    this.phase = HEADER;
    this.have = 0;
    this.need = this.expectsMask ? 2 + MASK_LENGTH : 2;
  }

  /** Takes the mask off a piece of payload. */
  unmask(bytes: Uint8Array, length: number): void {
    if (this.expectsMask)
      this.maskIndex = applyMask(bytes, length, this.header, this.maskOffset, this.maskIndex);
  }

  /** What has broken a rule stays broken. */
  private fail(violation: string, closeCode: number): void {
    this.violation = violation;
    this.closeCode = closeCode;
    this.phase = FAILED;
  }
}

/**
 * Puts a mask on, or takes it off.
 * @param mask holds it from `offset` on
 * @param index of its byte that is next, 0 to 3 @returns likewise, for what follows
 */
export function applyMask(bytes: Uint8Array, length: number, mask: Uint8Array, offset: number, index: number): number {
  let at = 0;
  for (; at < length && index !== 0; ++at) {
    bytes[at]! ^= mask[offset + index]!;
    index = index + 1 & 3;
  }
  if (length - at > 3) { // the usual case: the whole mask at a time
    const first = mask[offset]!, second = mask[offset + 1]!, third = mask[offset + 2]!, fourth = mask[offset + 3]!;
    for (const last = length - 4; at <= last; ++at) {
      bytes[at]! ^= first;
      bytes[++at]! ^= second;
      bytes[++at]! ^= third;
      bytes[++at]! ^= fourth;
    }
  }
  for (; at < length; ++at)
    bytes[at]! ^= mask[offset + index++]!;
  return index & 3;
}

/** @returns the length of the header of a frame to be sent, without mask */
export const headerLength = (length: number): number => length < TWO_BYTES ? 2 : 4;

/** Writes the header of a final frame with 65,535 bytes of payload at most. What follows a header is the mask. */
export function writeHeader(bytes: Uint8Array, opcode: number, length: number, isMasked: boolean): void {
  const masked = isMasked ? MASKED : 0;
  bytes[0] = FINAL | opcode;
  bytes[1] = masked | (length < TWO_BYTES ? length : TWO_BYTES);
  if (length < TWO_BYTES)
    return;
  bytes[2] = length >> 8;
  bytes[3] = length;
}

/** Whether a peer may give a code as reason for its end (section 7.4). */
export const isCloseCode = (code: number): boolean =>
  code >= 3000 ? code < 5000 : code >= 1000 && code <= 1014 && (code < 1004 || code > 1006);
