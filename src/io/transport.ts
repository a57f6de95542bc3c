/**
 * The part of ECMA-419 TCP and Listener that the gateway relies on, and what every bad case means. The board has these
 * classes; host/tcp.ts gives them to Node, host-test/simulation gives them to the tests. One contract suite runs against
 * all of them (host-test/io/transport-contract.ts).
 *
 * A callback is never called from inside a call that the program makes, constructors included. An exception that leaves
 * a callback ends the program on the board, so none may.
 */

/** A TCP socket, connected or still connecting. */
export interface TCPSocket {
  /**
   * Fills the whole of `view`. It must not be longer than what `onReadable` last reported, less what has been read since:
   * throws then. @returns the number of bytes, `view.byteLength`
   */
  read(view: Uint8Array): number | undefined;
  /**
   * Takes the whole of `view`, or throws when it is longer than what is writable. The bytes are copied.
   * @returns how many more bytes may be written now
   */
  write(view: Uint8Array): number;
  /** Gives the connection up. No callback comes afterwards. May be called twice; anything else after it throws. */
  close(): void;
}

/** Callbacks are called with the socket as `this`. */
export interface TCPCallbacks {
  /** `count` bytes are there to be read, all of them: not only new ones. */
  onReadable?(count: number): void;
  /** `count` bytes may be written. The first call says that the connection is established. */
  onWritable?(count: number): void;
  /**
   * The connection is over: refused, reset, or closed by the peer. Reported after everything that was received has been
   * read, so whoever stops reading does not learn of it. The socket must still be closed.
   */
  onError?(): void;
}

export interface TCPOptions extends TCPCallbacks {
  /** Dotted IPv4 address; names are resolved elsewhere. Throws when it is not one. */
  address?: string;
  port?: number;
  /** Takes over what a listener has given; that socket object must not be used afterwards. */
  from?: TCPSocket;
  /** Do not hold small segments back. */
  noDelay?: boolean;
}

export type TCPConstructor = new (options: TCPOptions) => TCPSocket;

export interface TCPListener {
  /** @returns the next waiting connection, a socket without callbacks; undefined when none is waiting */
  read(): TCPSocket | undefined;
  /** No more connections. Those accepted before live on. */
  close(): void;
}

export interface ListenerOptions {
  port: number;
  /** Only on the host: the board always listens on all its addresses. */
  address?: string;
  /** `count` connections are waiting. */
  onReadable(count: number): void;
  /** The port cannot be had, or is gone. On the board the constructor throws instead. */
  onError?(message: string): void;
}

export type ListenerConstructor = new (options: ListenerOptions) => TCPListener;

/** Host name to dotted address. Answers by exactly one call of one of the two, never from inside `resolve`. */
export interface Resolver {
  resolve(host: string, onResolved: (address: string) => void, onError: () => void): void;
}

/** One timer. A later `set` replaces an earlier one. */
export interface Timer {
  /** Calls back once, `milliseconds` from now, 0 or more. */
  set(milliseconds: number): void;
  clear(): void;
}
