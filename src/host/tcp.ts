/**
 * The TCP socket of io/transport.ts on Node. Knows nothing of MQTT.
 *
 * Behaves as the board does wherever the board's behaviour can be relied on: one callback for all that is pending
 * (readable first, then writable or the end of the connection), bytes reported on arrival only, no callback from
 * inside a call. Node emits its events from the event loop, so they are passed on at once; what a call of the program
 * makes due (a takeover, the read of the last byte before the end) is passed on in a microtask.
 *
 * Writes of one turn of the event loop are gathered and leave together: `setImmediate` runs right after all sockets
 * that had something have been served, so that what many sensor nodes sent becomes one segment towards the upstream
 * Server.
 */
import { isIP, Socket, type TcpNetConnectOpts } from 'node:net';
import type { TCPCallbacks, TCPOptions, TCPSocket } from '../io/transport.ts';

/** Bytes that may be written and have not been taken by the system yet. */
const WRITABLE_CAPACITY = 65536;
/** More unread bytes than this stop the receipt, so that the peer's window closes; half as many start it again. */
export const READABLE_CAPACITY = 65536;
/** After `close()` a peer has this many milliseconds to take what was written and to close its side. */
const LINGER = 5000;

/** Writes are gathered in pieces of this length; a full piece leaves at once. */
const PIECE_LENGTH = 16384;

const READABLE = 1;
const WRITABLE = 2;
const OVER = 4;

/** What a listener for both families puts in front of an address of IPv4. */
const MAPPED = /^::ffff:(?=[0-9.]+$)/i;

const NO_BYTES = Buffer.alloc(0);

export interface HostTCPOptions extends Omit<TCPOptions, 'from'> {
  /** What a listener has given, or, only for the listener itself, what Node has given to it. */
  from?: TCPSocket | Socket;
  /** Connects by something else than a plain socket: a TLSSocket, which stands when its handshake is done. */
  open?: (target: TcpNetConnectOpts) => Socket;
}

/** Bytes of all connections of this process. */
export const TRAFFIC = { receivedBytes: 0, sentBytes: 0 };

/**
 * Outlives the TCP object when another one takes over. Its socket must be created with `allowHalfOpen`: Node would
 * otherwise close our side on its own when the peer closes its side, before what was just written has been handed over.
 */
class Connection {
  readonly socket: Socket;
  callbacks: TCPCallbacks = {};
  owner: TCP | undefined;
  isConnected: boolean;
  /** Nothing more will be received or sent. */
  isOver = false;
  unreadLength = 0;
  /** Received Buffers; the first `chunkIndex` have been read, of the next one `chunkOffset` bytes. */
  private chunks: Buffer[] = [];
  private chunkIndex = 0;
  private chunkOffset = 0;
  private isPaused = false;
  /** Bytes [pieceStart, pieceEnd) of the piece have been written by the program, but not yet handed to Node. */
  private piece = NO_BYTES;
  private pieceStart = 0;
  private pieceEnd = 0;
  private isFlushScheduled = false;
  private pending = 0;

  constructor(socket: Socket, isConnected: boolean) {
    this.socket = socket;
    this.isConnected = isConnected;
    socket.on('encrypted' in socket ? 'secureConnect' : 'connect', () => {
      this.isConnected = true;
      this.deliver(WRITABLE);
    });
    socket.on('data', (chunk: Buffer) => this.receive(chunk));
    socket.on('end', () => {
      this.flush();
      this.end();
    });
    socket.on('error', () => this.end());
    socket.on('close', () => this.end());
  }

  get writable(): number {
    return this.isConnected && !this.isOver
      ? WRITABLE_CAPACITY - this.socket.writableLength - (this.pieceEnd - this.pieceStart)
      : 0;
  }

  /** Reports in a microtask, for events that a call of the program has caused. */
  trigger(events: number): void {
    if (this.pending === 0)
      queueMicrotask(() => this.deliver(0));
    this.pending |= events;
  }

  private deliver(events: number): void {
    events |= this.pending;
    this.pending = 0;
    const { owner, callbacks } = this;
    if (owner === undefined)
      return;
    if ((events & READABLE) !== 0 && this.unreadLength > 0)
      callbacks.onReadable?.call(owner, this.unreadLength);
    // The callback may have closed the socket.
    if (this.owner !== owner)
      return;
    if (this.isOver) {
      if ((events & OVER) !== 0 && this.unreadLength === 0) {
        this.pending = 0;
        callbacks.onError?.call(owner);
      }
    }
    else if ((events & WRITABLE) !== 0 && this.isConnected)
      callbacks.onWritable?.call(owner, this.writable);
  }

  private receive(chunk: Buffer): void {
    if (this.owner === undefined)
      return;
    TRAFFIC.receivedBytes += chunk.length;
    this.chunks.push(chunk);
    this.unreadLength += chunk.length;
    if (this.unreadLength > READABLE_CAPACITY && !this.isPaused) {
      this.isPaused = true;
      this.socket.pause();
    }
    this.deliver(READABLE);
  }

  private end(): void {
    if (!this.isOver) {
      this.isOver = true;
      this.deliver(OVER);
    }
  }

  /** `view` must not be longer than what is unread. */
  read(view: Uint8Array): void {
    const length = view.byteLength;
    let filled = 0;
    while (filled < length) {
      const chunk = this.chunks[this.chunkIndex]!;
      const end = Math.min(chunk.length, this.chunkOffset + length - filled);
      filled += chunk.copy(view, filled, this.chunkOffset, end);
      this.chunkOffset = end;
      if (end === chunk.length) {
        this.chunks[this.chunkIndex++] = NO_BYTES;
        this.chunkOffset = 0;
      }
    }
    if (this.chunkIndex === this.chunks.length)
      this.chunkIndex = this.chunks.length = 0;
    else if (this.chunkIndex >= 64) {
      this.chunks.splice(0, this.chunkIndex);
      this.chunkIndex = 0;
    }
    this.unreadLength -= length;
    if (this.isPaused && this.unreadLength <= READABLE_CAPACITY / 2) {
      this.isPaused = false;
      this.socket.resume();
    }
    if (this.isOver && this.unreadLength === 0)
      this.trigger(OVER);
  }

  /** `view` must not be longer than what is writable. */
  write(view: Uint8Array): void {
    const length = view.byteLength;
    TRAFFIC.sentBytes += length;
    if (this.pieceEnd + length > this.piece.length) {
      this.flush();
      this.piece = Buffer.allocUnsafeSlow(Math.max(PIECE_LENGTH, length));
      this.pieceStart = this.pieceEnd = 0;
    }
    this.piece.set(view, this.pieceEnd);
    this.pieceEnd += length;
    if (!this.isFlushScheduled) {
      this.isFlushScheduled = true;
      setImmediate(this.onFlush);
    }
  }

  private readonly onFlush = (): void => {
    this.isFlushScheduled = false;
    this.flush();
  };

  private readonly onTaken = (error?: Error | null): void => {
    if (!error)
      this.deliver(WRITABLE);
  };

  private flush(): void {
    const { pieceStart, pieceEnd } = this;
    if (pieceStart < pieceEnd && !this.socket.destroyed) {
      this.pieceStart = pieceEnd;
      this.socket.write(this.piece.subarray(pieceStart, pieceEnd), this.onTaken);
    }
  }

  /**
   * Sends what has been written, closes our side, discards what still arrives, and waits for the peer to close its
   * side; a reset would take away from the peer what it has not read yet. This wait does not keep the process alive.
   */
  close(): void {
    const { socket } = this;
    this.owner = undefined;
    this.callbacks = {};
    this.chunks.length = 0;
    this.flush();
    if (!this.isConnected || socket.destroyed) {
      socket.destroy();
      return;
    }
    socket.resume();
    const limit = setTimeout(() => socket.destroy(), LINGER);
    socket.once('close', () => clearTimeout(limit));
    socket.end(() => {
      limit.unref();
      socket.unref();
    });
  }
}

const openPlain = (target: TcpNetConnectOpts): Socket => new Socket({ allowHalfOpen: true }).connect(target);

export class TCP implements TCPSocket {
  #connection: Connection | undefined;

  constructor(options: HostTCPOptions) {
    this.#connection = TCP.#open(options);
    const connection = this.#connection;
    connection.owner = this;
    connection.callbacks = options;
    if (options.nodelay !== undefined)
      connection.socket.setNoDelay(options.nodelay);
  }

  static #open(options: HostTCPOptions): Connection {
    const { from, address = '', open = openPlain, port = -1 } = options;
    if (from instanceof Socket)
      return new Connection(from, true);
    if (from !== undefined) {
      if (!(from instanceof TCP) || from.#connection === undefined)
        throw new Error('invalid from');
      const connection = from.#connection;
      from.#connection = undefined;
      connection.trigger(READABLE | WRITABLE | OVER);
      return connection;
    }
    const family = isIP(address);
    if (family === 0)
      throw new Error('invalid address');
    if (!Number.isInteger(port) || port < 0 || port > 65535)
      throw new RangeError('invalid port');
    return new Connection(open({ host: address, port, family, autoSelectFamily: false, allowHalfOpen: true }), false);
  }

  read(view: Uint8Array): number | undefined {
    const connection = this.#use();
    if (connection.unreadLength === 0)
      return undefined;
    const length = view.byteLength;
    if (length === 0 || length > connection.unreadLength)
      throw new Error('invalid');
    connection.read(view);
    return length;
  }

  write(view: Uint8Array): number {
    const connection = this.#use();
    if (!connection.isConnected || connection.isOver)
      throw new Error('not ready');
    if (view.byteLength > connection.writable)
      throw new Error('would block');
    connection.write(view);
    return connection.writable;
  }

  close(): void {
    this.#connection?.close();
    this.#connection = undefined;
  }

  /** Address of the peer, for logs; undefined when there is none any more. */
  get remoteAddress(): string | undefined {
    return this.#connection?.socket.remoteAddress?.replace(MAPPED, '');
  }

  #use(): Connection {
    if (this.#connection === undefined)
      throw new SyntaxError('invalid host data');
    return this.#connection;
  }
}
