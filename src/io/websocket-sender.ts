/** What goes out through a WebSocket: frames, and the two texts of the handshake. Keeps nothing that waits. */
import type { ExactArea } from './exact-area.ts';
import type { TCPSocket } from './transport.ts';
import { applyMask, BINARY, CLOSE, headerLength, LONGEST_WRITTEN, LONGEST_WRITTEN_HEADER, MASK_LENGTH, PONG,
  writeHeader } from './websocket-frames.ts';

/** Bytes of room below that the program is not told of: for a header, for Pongs, for Close, for an answer. */
export const RESERVE = 1024;
/** Bytes of a Close frame with a code. */
const CLOSE_LENGTH = LONGEST_WRITTEN_HEADER + 2;

export interface SenderPlatform {
  /** Of LONGEST_CONTROL bytes. */
  readonly area: ExactArea;
  /** In the role of a client: fills it with bytes that nobody can foretell (RFC 6455 section 10.3). */
  readonly fillMask?: (mask: Uint8Array) => void;
}

export class WebSocketSender {
  /** Bytes that the socket below takes. */
  room = 0;
  /** Bytes that the program may write, as it was told. */
  private promised = 0;
  private readonly socket: TCPSocket;
  private readonly area: ExactArea;
  private readonly fillMask: SenderPlatform['fillMask'];
  private readonly mask: Uint8Array | undefined;
  private readonly code = new Uint8Array(2);

  constructor(socket: TCPSocket, { area, fillMask }: SenderPlatform) {
    this.socket = socket;
    this.area = area;
    this.fillMask = fillMask;
    this.mask = fillMask && new Uint8Array(MASK_LENGTH);
  }

  /** @returns how much the program may write now */
  promise(): number {
    const room = this.room - RESERVE;
    return this.promised = room < 0 ? 0 : room < LONGEST_WRITTEN ? room : LONGEST_WRITTEN;
  }

  /** As TCPSocket.write. */
  write(view: Uint8Array): number {
    const { mask, promised, socket } = this;
    const { byteLength: length } = view;
    if (length > promised)
      throwError('would block');
    if (length === 0)
      return promised;
    this.putHeader(BINARY, length);
    if (mask === undefined)
      this.room = socket.write(view) ?? 0;
    else { // the bytes are the program's, who gets them back as they were
      applyMask(view, length, mask, 0, 0);
      try {
        this.room = socket.write(view) ?? 0;
      } finally {
        applyMask(view, length, mask, 0, 0);
      }
    }
    return this.promise();
  }

  sendClose(code: number): void {
    this.code[0] = code >> 8;
    this.code[1] = code;
    this.sendControl(CLOSE, this.code, this.code.length);
  }

  /** With what was promised no more room is left for it, a later Ping is answered, as section 5.5.3 allows. */
  sendPong(payload: Uint8Array, length: number): void {
    if (this.room - LONGEST_WRITTEN_HEADER - length >= this.promised + LONGEST_WRITTEN_HEADER + CLOSE_LENGTH)
      this.sendControl(PONG, payload, length);
  }

  /** Of the handshake. */
  say(text: string): void {
    const bytes = new Uint8Array(text.length);
    for (let index = 0; index < text.length; ++index)
      bytes[index] = text.charCodeAt(index);
    try {
      this.room = this.socket.write(bytes) ?? 0;
    } catch { // the peer has gone, which is reported
      this.room = 0;
    }
  }

  private sendControl(opcode: number, payload: Uint8Array, length: number): void {
    const { area, mask, socket } = this;
    if (this.room < LONGEST_WRITTEN_HEADER + length)
      return;
    try {
      this.putHeader(opcode, length);
      if (length === 0)
        return;
      const bytes = area.exact(length);
      for (let at = 0; at < length; ++at)
        bytes[at] = payload[at]!;
      if (mask !== undefined)
        applyMask(bytes, length, mask, 0, 0);
      this.room = socket.write(bytes) ?? 0;
    } catch { // likewise
      this.room = 0;
    }
    area.restore();
  }

  private putHeader(opcode: number, length: number): void {
    const { area, mask } = this;
    const short = headerLength(length);
    const bytes = area.exact(mask === undefined ? short : short + MASK_LENGTH);
    writeHeader(bytes, opcode, length, mask !== undefined);
    if (mask !== undefined) {
      this.fillMask!(mask);
      for (let at = 0; at < MASK_LENGTH; ++at)
        bytes[short + at] = mask[at]!;
    }
    try {
      this.room = this.socket.write(bytes) ?? 0;
    } finally {
      area.restore();
    }
  }
}

export function throwError(message: string): never {
  throw new Error(message);
}
