/**
 * What goes out through a WebSocket: payload is gathered behind room for a header, so that a frame leaves in one write.
 * All memory is taken at construction.
 */
import type { TCPSocket } from './transport.ts';
import { BINARY, CLOSE, LONGEST_CONTROL, writeHeader } from './websocket-frames.ts';

/** Room in front of the payload of a frame for the longer header. */
const HEAD = 4;
const SHORT_HEAD = 2;
const LONGEST_SHORT = 125;

/** A buffer whose views follow its length, so that a part of it is written without a view of its own. */
export const bufferOf = (length: number): ArrayBuffer => new ArrayBuffer(length, { maxByteLength: length });

export class WebSocketSender {
  /** Bytes that the socket takes. */
  room = 0;
  private readonly socket: TCPSocket;
  private readonly capacity: number;
  private readonly buffer: ArrayBuffer;
  /** Of the whole buffer, and of what a short header leaves. */
  private readonly long: Uint8Array;
  private readonly short: Uint8Array;
  private length = 0;
  private readonly controlBuffer = bufferOf(SHORT_HEAD + LONGEST_CONTROL);
  private readonly control = new Uint8Array(this.controlBuffer);
  private readonly code = new Uint8Array(2);

  /** @param capacity bytes of payload that may wait, at most 65,535 */
  constructor(socket: TCPSocket, capacity: number) {
    this.socket = socket;
    this.capacity = capacity;
    this.buffer = bufferOf(HEAD + capacity);
    this.long = new Uint8Array(this.buffer);
    this.short = new Uint8Array(this.buffer, SHORT_HEAD);
  }

  /** Bytes that `add` takes. */
  get free(): number {
    return this.capacity - this.length;
  }

  get isEmpty(): boolean {
    return this.length === 0;
  }

  /** `view` must not be longer than what is free. */
  add(view: Uint8Array): void {
    this.long.set(view, HEAD + this.length);
    this.length += view.byteLength;
  }

  clear(): void {
    this.length = 0;
  }

  /** All that waits, as one frame, as soon as there is room for it. */
  flush(): void {
    const { buffer, length } = this;
    if (length === 0 || this.room < HEAD + length)
      return;
    const frame = length <= LONGEST_SHORT ? this.short : this.long;
    writeHeader(frame, BINARY, length);
    buffer.resize(HEAD + length);
    this.put(frame);
    buffer.resize(HEAD + this.capacity);
    this.length = 0;
  }

  /** A Close frame with a code. */
  close(code: number): void {
    this.code[0] = code >> 8;
    this.code[1] = code;
    this.sendControl(CLOSE, this.code, this.code.length);
  }

  /** @param length of `payload`, 125 at most; what the socket has no room for is not said */
  sendControl(opcode: number, payload: Uint8Array, length: number): void {
    const { control, controlBuffer } = this;
    controlBuffer.resize(SHORT_HEAD + length);
    writeHeader(control, opcode, length);
    for (let index = 0; index < length; ++index)
      control[SHORT_HEAD + index] = payload[index]!;
    this.put(control);
    controlBuffer.resize(SHORT_HEAD + LONGEST_CONTROL);
  }

  /** The answer to the request, while nothing waits. */
  sayText(text: string): void {
    this.buffer.resize(text.length);
    for (let index = 0; index < text.length; ++index)
      this.long[index] = text.charCodeAt(index);
    this.put(this.long);
    this.buffer.resize(HEAD + this.capacity);
  }

  private put(bytes: Uint8Array): void {
    if (bytes.byteLength > this.room)
      return;
    try {
      this.room = this.socket.write(bytes) ?? 0;
    } catch { // the peer has gone, which is reported
      this.room = 0;
    }
  }
}
