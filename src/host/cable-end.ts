/**
 * One end of what joins two gateways of this process (cable.ts): a gateway takes it for the connection of a node.
 */
import type { TCPCallbacks, TCPSocket } from '../io/transport.ts';

/** Who listens to what a gateway does with its end. */
export interface CableEndEvents {
  /** Takes what the gateway sends, perhaps nothing. @returns how much more it may send */
  onWritten(bytes: Buffer): number;
  /** There is more room for what the gateway is given. */
  onRead(): void;
  onClosed(): void;
}

const NOTHING = Buffer.alloc(0);

export class CableEnd implements TCPSocket {
  target?: unknown;
  readonly remoteAddress = 'this process';
  readonly identity: string;
  private callbacks: TCPCallbacks = {};
  private chunks: Buffer[] = [];
  private length = 0;
  private isOver = false;
  private isClosed = false;
  private isDue = false;
  /** Of `length`, what the gateway knows of. */
  private reported = 0;
  /** What the gateway knows that it may write. */
  private writable = 0;
  private readonly capacity: number;
  private readonly events: CableEndEvents;

  /** @param identity by which the gateway knows it from a stranger @param capacity bytes it may be given in advance */
  constructor(identity: string, capacity: number, events: CableEndEvents) {
    this.identity = identity;
    this.capacity = capacity;
    this.events = events;
  }

  /** The gateway accepts it. */
  takeOver(callbacks: TCPCallbacks): this {
    this.callbacks = callbacks;
    this.reported = this.writable = 0;
    this.schedule();
    return this;
  }

  /** Bytes that it may still be given. */
  get room(): number {
    return this.isOver ? 0 : Math.max(0, this.capacity - this.length);
  }

  /** For the gateway to read. */
  give(bytes: Buffer): void {
    if (this.isClosed || this.isOver)
      return;
    this.chunks.push(bytes);
    this.length += bytes.length;
    this.schedule();
  }

  /** What it was given may be read; there will be no more. */
  end(): void {
    this.isOver = true;
    this.schedule();
  }

  /** The gateway may write again. */
  drain(): void {
    if (this.writable < this.capacity / 2)
      this.schedule();
  }

  read(view: Uint8Array): number | undefined {
    if (this.length === 0)
      return undefined;
    if (view.byteLength > this.length)
      throw new RangeError('more than there is');
    let at = 0;
    while (at < view.byteLength) {
      const chunk = this.chunks[0]!;
      const part = chunk.subarray(0, view.byteLength - at);
      view.set(part, at);
      at += part.length;
      if (part.length === chunk.length)
        this.chunks.shift();
      else
        this.chunks[0] = chunk.subarray(part.length);
    }
    this.length -= at;
    this.reported = Math.max(0, this.reported - at);
    this.events.onRead();
    if (this.isOver && this.length === 0)
      this.schedule();
    return at;
  }

  write(view: Uint8Array): number | undefined {
    if (this.isClosed || this.isOver)
      return undefined;
    if (view.byteLength > this.writable)
      throw new RangeError('more than is writable');
    return this.writable = this.events.onWritten(Buffer.from(view));
  }

  close(): void {
    if (this.isClosed)
      return;
    this.isClosed = true;
    this.chunks = [];
    this.length = 0;
    this.events.onClosed();
  }

  /** Never from inside a call. */
  private schedule(): void {
    if (this.isDue || this.isClosed)
      return;
    this.isDue = true;
    setImmediate(() => {
      this.isDue = false;
      this.report();
    });
  }

  private report(): void {
    const { callbacks } = this;
    if (!this.isClosed && this.length > this.reported) {
      this.reported = this.length;
      callbacks.onReadable?.call(this, this.length);
    }
    const room = this.isClosed || this.isOver ? 0 : this.events.onWritten(NOTHING);
    if (room > this.writable) {
      this.writable = room;
      callbacks.onWritable?.call(this, room);
    }
    if (!this.isClosed && this.isOver && this.length === 0)
      callbacks.onError?.call(this);
  }
}
