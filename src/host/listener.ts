/**
 * The Listener of io/transport.ts on Node. Knows nothing of MQTT.
 *
 * Node reports a port that cannot be had only after the constructor has returned, hence `onError`; its message says
 * what to do, because it is what users of the command line see.
 */
import { createServer, isIP, type AddressInfo, type Server } from 'node:net';
import type { ListenerOptions, TCPListener } from '../io/transport.ts';
import { TCP } from './tcp.ts';

/** On all IPv4 addresses, as the board does, unless told otherwise; "::" is on all of both families. */
const ANY_ADDRESS = '0.0.0.0';

const describe = (error: NodeJS.ErrnoException, port: number, address: string, section: string): string => {
  switch (error.code) {
    case 'EADDRINUSE':
      return `port ${port} on ${address} is in use: stop the program that uses it or set "${section}.port"`;
    case 'EACCES':
      return `port ${port} on ${address} may not be used by this user: set "${section}.port" to 1024 or more`;
    case 'EADDRNOTAVAIL':
      return `this computer has no address ${address}: set "${section}.address" to one of its own, or to ${ANY_ADDRESS} for all`;
    default:
      return `cannot listen on port ${port} of ${address}: ${error.message}`;
  }
};

/** @param onSocket a connection that can be used @returns a server that does not listen yet */
export type ServerMaker = (onSocket: (socket: TCP) => void) => Server;

const makePlainServer: ServerMaker = onSocket =>
  createServer({ allowHalfOpen: true }, socket => onSocket(new TCP({ from: socket })));

export class Listener implements TCPListener {
  readonly #server: Server;
  readonly #waiting: TCP[] = [];
  /** Of the configuration, for messages. */
  protected readonly section: string = 'listener';
  #isClosed = false;

  /** @throws RangeError, Error when `port` or `address` is not one; what `makeServer` throws */
  constructor(options: ListenerOptions, makeServer = makePlainServer) {
    const { port, address = ANY_ADDRESS } = options;
    if (!Number.isInteger(port) || port < 0 || port > 65535)
      throw new RangeError('invalid port');
    if (isIP(address) === 0)
      throw new Error('invalid address');
    this.#server = makeServer(socket => {
      if (this.#isClosed) {
        socket.close();
        return;
      }
      this.#waiting.push(socket);
      options.onReadable.call(this, this.#waiting.length);
    });
    this.#server.on('error', error => {
      if (!this.#isClosed)
        options.onError?.call(this, describe(error, port, address, this.section));
    });
    this.#server.on('listening', () => {
      if (!this.#isClosed)
        options.onListening?.call(this, this.port!);
    });
    this.#server.listen(port, address);
  }

  /** The port in use, when port 0 was asked for the one that was found; undefined while not listening. */
  get port(): number | undefined {
    return (this.#server.address() as AddressInfo | null)?.port;
  }

  read(): TCP | undefined {
    if (this.#isClosed)
      throw new SyntaxError('invalid host data');
    return this.#waiting.shift();
  }

  close(): void {
    if (this.#isClosed)
      return;
    this.#isClosed = true;
    this.#server.close();
    for (const socket of this.#waiting.splice(0))
      socket.close();
  }
}
