/**
 * The part of ECMA-419 TCP and Listener that the gateway relies on, and what every bad case means. The board has
 * these classes; host/tcp.ts gives them to Node, host-test/simulation gives them to the tests. One contract suite
 * runs against all of them (host-test/io/transport-contract.ts).
 *
 * A callback is never called from inside a call that the program makes, constructors included. An exception that
 * leaves a callback ends the program on the board, so none may.
 */

/** A TCP socket, connected or still connecting. */
export interface TCPSocket {
  /**
   * Fills the whole of `view`, 1 byte or more. It must not be longer than what `onReadable` last reported, less what
   * has been read since: throws then. @returns the number of bytes, `view.byteLength`; undefined when nothing is
   * there at all
   */
  read(view: Uint8Array): number | undefined;
  /**
   * Takes the whole of `view`, or throws when it is longer than what is writable. The bytes are copied. Throws as
   * well while the connection is not established, and when it is over but `onError` waits for received bytes to be
   * read: a peer that sends a packet and closes at once is answered in vain, so every write needs a `try`. @returns
   * how many more bytes may be written now; undefined when the connection has just been lost: `onError` follows
   */
  write(view: Uint8Array): number | undefined;
  /**
   * Gives the connection up. No callback comes afterwards. May be called twice; anything else after it throws. What has
   * been written is still sent, but read what has been reported first: with bytes left unread the board resets the
   * connection instead, and what was written last is lost.
   */
  close(): void;
  /**
   * Whose socket it is, for the callbacks. Set by the program after construction, which works with every socket; not
   * an option.
   */
  target?: unknown;
  /**
   * Why the connection is over, or could not be made, where the socket knows more than that: a code of
   * packet/reason-code.ts. Looked at in `onError`.
   */
  readonly failure?: number | undefined;
  /** Who the peer has proved to be, where the connection has a proof: the name in its certificate, or of its key. */
  readonly identity?: string | undefined;
  /** Of the peer, dotted; where the platform tells, and as long as it does. */
  readonly remoteAddress?: string | undefined;
}

/** Callbacks are called with the socket as `this`. */
export interface TCPCallbacks {
  /**
   * `count` bytes are there to be read, all of them: not only new ones. Reported when bytes arrive and only then: bytes
   * left unread are not reported again before more arrive. May come before the first `onWritable`. Within WebSocket all
   * of the frame at hand: what follows it is reported when they have been read.
   */
  onReadable?(count: number): void;
  /**
   * `count` bytes may be written. The first call says that the connection is established; later ones come when the peer
   * or the system has taken bytes that were written.
   */
  onWritable?(count: number): void;
  /**
   * The connection is over: refused, reset, or closed by the peer. Reported after everything that was received has been
   * read, so whoever stops reading does not learn of it. The socket must still be closed, best at once: while it stays
   * open, the board may call again.
   */
  onError?(): void;
}

export interface TCPOptions extends TCPCallbacks {
  /** Dotted IPv4 address, on the host of IPv6 as well; names are resolved elsewhere. Throws when it is not one. */
  address?: string;
  port?: number;
  /**
   * Takes over what a listener has given; that socket object is closed by it. To be done in the turn of `read`: a close
   * by the peer that is noticed in between is never reported on the board.
   */
  from?: TCPSocket;
  /** Do not hold small segments back. Any other spelling is ignored by the board. */
  nodelay?: boolean;
}

export type TCPConstructor = new (options: TCPOptions) => TCPSocket;

export interface TCPListener {
  /**
   * Connections are reported once, so read until undefined.
   * @returns the next waiting connection, a socket without callbacks; undefined when none is waiting
   */
  read(): TCPSocket | undefined;
  /** No more connections. Those accepted before live on. */
  close(): void;
}

export interface ListenerOptions {
  port: number;
  /** Only on the host: the board always listens on all its addresses. */
  address?: string;
  /** `count` connections are waiting, all of them. Reported when one arrives and only then. */
  onReadable(count: number): void;
  /** The port cannot be had, or is gone. On the board the constructor throws instead. */
  onError?(message: string): void;
  /** Only on the host: connections are accepted from now on, at `port`. */
  onListening?(port: number): void;
}

export type ListenerConstructor = new (options: ListenerOptions) => TCPListener;

/**
 * Host name to address. Answers by one call of one of the two at most, never from inside `resolve`. May be
 * silent for as long as a name server is: whoever asks has a deadline of its own.
 */
export interface Resolver {
  resolve(host: string, onResolved: (address: string) => void, onError: () => void): void;
  /** Of the name that was asked for last, the address after the one that was given; undefined when there is none. */
  next?(): string | undefined;
  /** Nobody waits for an answer any more. */
  cancel?(): void;
}

/** One timer. A later `set` replaces an earlier one. */
export interface Timer {
  /** Calls back once, `milliseconds` from now, 0 or more. */
  set(milliseconds: number): void;
  clear(): void;
}
