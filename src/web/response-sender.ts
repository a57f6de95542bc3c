/**
 * The way of an answer out of a connection: its head from the staging area, then piece by piece as the socket takes
 * them; afterwards, where the answer is endless, one event after the other. Knows no time.
 */
import type { TCPSocket } from '../io/transport.ts';
import type { Content } from './content.ts';
import type { HTTPContext } from './http-context.ts';

export class ResponseSender {
  private status = 0;
  /** Bytes that the socket takes. */
  private writable = 0;
  private isContinueOwed = false;
  private readonly context: HTTPContext;
  private socket: TCPSocket | undefined = undefined;
  /** Undefined: what is sent is a refusal. */
  private content: Content | undefined = undefined;
  private pieces: readonly Uint8Array[] | undefined = undefined;
  private pieceIndex = 0;
  private isHeadSent = false;
  private methods = 0;
  private isHeadOnly = false;

  constructor(context: HTTPContext) {
    this.context = context;
  }

  open(socket: TCPSocket): void {
    this.socket = socket;
    this.writable = 0;
    this.isContinueOwed = false;
  }

  close(): void {
    this.socket = this.content = this.pieces = undefined;
  }

  /** @param status of the answer; 304 for a content that the client has @param isHeadOnly the body is left out */
  answer(status: number, content: Content, isHeadOnly: boolean): void {
    this.status = status;
    this.content = content;
    this.pieces = isHeadOnly ? undefined : content.pieces;
    this.pieceIndex = 0;
    this.isHeadSent = this.isContinueOwed = false;
  }

  /** @param methods for 405: the bits of those that would be taken */
  refuse(status: number, methods: number, isHeadOnly: boolean): void {
    this.status = status;
    this.content = this.pieces = undefined;
    this.isHeadSent = this.isContinueOwed = false;
    this.methods = methods;
    this.isHeadOnly = isHeadOnly;
  }

  /** @returns false when the last one has not gone out yet */
  sendEvent(pieces: readonly Uint8Array[]): boolean {
    if (!this.isHeadSent || this.hasPieces)
      return false;
    this.pieces = pieces;
    this.pieceIndex = 0;
    return true;
  }

  /** Sends what the socket takes. @returns whether nothing is left */
  flush(): boolean {
    if (!this.isHeadSent && !this.sendHead())
      return false;
    while (this.hasPieces) {
      const piece = this.pieces![this.pieceIndex]!;
      if (piece.length > this.writable)
        return false;
      ++this.pieceIndex;
      this.write(piece);
    }
    return true;
  }

  /** The client waits for a word before it sends its body. */
  sendContinue(): void {
    this.isContinueOwed = this.writable < this.context.arena.stagingCapacity;
    if (!this.isContinueOwed)
      this.writeStaged(this.context.writer.writeContinue());
  }

  /** @param writable bytes that the socket takes by now */
  setWritable(writable: number): void {
    this.writable = writable;
    if (this.isContinueOwed)
      this.sendContinue();
  }

  private get hasPieces(): boolean {
    return this.pieces !== undefined && this.pieceIndex < this.pieces.length;
  }

  private sendHead(): boolean {
    const { content, context: { arena, writer }, status } = this;
    if (this.writable < arena.stagingCapacity)
      return false;
    this.isHeadSent = true;
    this.writeStaged(content === undefined ? writer.writeRefusal(status, this.methods, this.isHeadOnly)
      : writer.writeHead(status, content));
    return true;
  }

  private writeStaged(length: number): void {
    const { arena, buffer, views } = this.context;
    buffer.resize(arena.stagingOffset + length);
    this.write(views.staging);
    buffer.resize(this.context.length);
  }

  /** The connection may be over without our knowing: `onError` follows. */
  private write(piece: Uint8Array): void {
    let room: number | undefined = 0;
    try {
      room = this.socket!.write(piece);
    } catch { /* the client has closed its side */ }
    this.writable = room ?? 0;
  }
}
