/** The callbacks of a socket, for whoever is its target: one object for all connections. */
import type { TCPCallbacks, TCPSocket } from '../io/transport.ts';

export interface SocketOwner {
  onReadable(count: number): void;
  onWritable(count: number): void;
  onError(): void;
}

export const SOCKET_CALLBACKS: TCPCallbacks = Object.freeze<TCPCallbacks>({
  onReadable(this: TCPSocket, count: number) {
    (this.target as SocketOwner | undefined)?.onReadable(count);
  },
  onWritable(this: TCPSocket, count: number) {
    (this.target as SocketOwner | undefined)?.onWritable(count);
  },
  onError(this: TCPSocket) {
    (this.target as SocketOwner | undefined)?.onError();
  },
});
