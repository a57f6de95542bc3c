/**
 * The board's TCP and Listener, line by line where it matters (Moddable SDK, modules/io/socket/lwip/tcp.c): the same
 * order of callbacks, the same errors, the same gaps. Strict on purpose: what passes here must pass on the ESP32.
 *
 * Callbacks are events of the virtual clock, so none comes from inside a call or from inside another callback, and an
 * exception that leaves one leaves the `step` or `advance` of the test.
 */
import type { ListenerOptions, TCPCallbacks, TCPListener, TCPOptions, TCPSocket } from '../../src/io/transport.ts';
import { SimulatedEndpoint, type EndpointOwner } from './simulated-endpoint.ts';
import type { SimulatedHost } from './simulated-network.ts';

const WRITABLE = 1;
const READABLE = 2;
const OVER = 4;
const OUTPUT = 8;

const HIGHEST_PORT = 65535;

const isDottedAddress = (address: string | undefined): address is string =>
  address !== undefined && /^(\d{1,3}\.){3}\d{1,3}$/.test(address)
    && address.split('.').every(part => Number(part) < 256);

const checkPort = (port: number | undefined): number => {
  if (port === undefined || !Number.isInteger(port) || port < 0 || port > HIGHEST_PORT)
    throw new RangeError('invalid port');
  return port;
};

/** Hosts make these classes with themselves as first argument: use `host.TCP`. */
export class SimulatedTCP implements TCPSocket, EndpointOwner {
  #endpoint: SimulatedEndpoint | undefined;
  readonly #host: SimulatedHost;
  #callbacks: TCPCallbacks = {};
  #triggered = 0;
  #isReady = false;
  #isOver = false;
  #isWritableReported = false;

  constructor(host: SimulatedHost, options: TCPOptions | SimulatedEndpoint) {
    this.#host = host;
    let triggered = 0;
    if (options instanceof SimulatedEndpoint) {
      this.#isReady = true;
      this.#endpoint = options;
    }
    else {
      host.checkNetwork();
      const { from, onReadable, onWritable, onError } = options;
      if (from !== undefined) {
        if (!(from instanceof SimulatedTCP))
          throw new Error('invalid from');
        const endpoint = from.#use();
        triggered = from.#triggered;
        this.#isReady = from.#isReady;
        this.#endpoint = endpoint;
        if (endpoint.isAlive)
          triggered |= WRITABLE;
        if (endpoint.unreadLength > 0)
          triggered |= READABLE;
        from.#forget();
      }
      else {
        if (!isDottedAddress(options.address))
          throw new Error('invalid address');
        this.#endpoint = host.connect(options.address, checkPort(options.port));
      }
      this.#callbacks = { ...onReadable && { onReadable }, ...onWritable && { onWritable }, ...onError && { onError } };
      this.#isWritableReported = onWritable !== undefined;
    }
    this.#endpoint.owner = this;
    if (triggered !== 0)
      this.#trigger(triggered);
  }

  read(view: Uint8Array): number | undefined {
    const endpoint = this.#use();
    if (endpoint.unreadLength === 0)
      return undefined;
    const length = view.byteLength;
    if (length === 0 || length > endpoint.unreadLength)
      throw new Error('invalid');
    endpoint.read(view);
    if (endpoint.unreadLength === 0 && this.#isOver)
      this.#trigger(OVER);
    return length;
  }

  write(view: Uint8Array): number | undefined {
    const endpoint = this.#use();
    if (!this.#isReady)
      throw new Error('not ready');
    if (this.#isOver || !endpoint.isAlive)
      return undefined;
    if (view.byteLength > endpoint.writable)
      throw new Error('would block');
    endpoint.write(view);
    this.#trigger(OUTPUT);
    return endpoint.writable;
  }

  close(): void {
    const endpoint = this.#endpoint;
    this.#forget();
    endpoint?.close();
  }

  get remoteAddress(): string {
    return this.#use().peer?.host.address ?? '';
  }

  onEstablished(): void {
    this.#isReady = true;
    this.#trigger(WRITABLE);
  }

  onReceived(): void {
    if (this.#callbacks.onReadable)
      this.#trigger(READABLE);
  }

  onSent(): void {
    if (this.#isWritableReported)
      this.#trigger(WRITABLE);
  }

  onOver(): void {
    this.#isWritableReported = false;
    this.#trigger(OVER);
  }

  #forget(): void {
    this.#endpoint = undefined;
    this.#callbacks = {};
    this.#isWritableReported = false;
    this.#triggered = 0;
  }

  #use(): SimulatedEndpoint {
    if (this.#endpoint === undefined)
      throw new SyntaxError('invalid host data');
    return this.#endpoint;
  }

  #trigger(events: number): void {
    if (this.#triggered === 0)
      this.#host.report(() => this.#deliver());
    this.#triggered |= events;
  }

  #deliver(): void {
    let triggered = this.#triggered;
    const endpoint = this.#endpoint;
    this.#triggered = 0;
    if (endpoint === undefined || triggered === 0)
      return;
    if ((triggered & OVER) !== 0) {
      triggered &= ~(OUTPUT | WRITABLE);
      this.#isOver = true;
      this.#isReady = false;
    }
    if ((triggered & OUTPUT) !== 0)
      endpoint.output();
    if ((triggered & READABLE) !== 0 && endpoint.unreadLength > 0)
      this.#callbacks.onReadable?.call(this, endpoint.unreadLength);
    if (this.#isOver) {
      // Not once only: while the socket stays open, the board calls again for every later event.
      if (endpoint.unreadLength === 0)
        this.#callbacks.onError?.call(this);
    }
    else if ((triggered & WRITABLE) !== 0 && this.#isWritableReported && endpoint.isAlive)
      this.#callbacks.onWritable?.call(this, endpoint.writable);
  }
}

/** A connection that nobody has read from the listener yet. Its end is not noticed, as on the board. */
class WaitingConnection implements EndpointOwner {
  isOver = false;
  private readonly endpoint: SimulatedEndpoint;

  constructor(endpoint: SimulatedEndpoint) {
    this.endpoint = endpoint;
    endpoint.owner = this;
  }

  onEstablished(): void {}
  onReceived(): void {}
  onSent(): void {}

  onOver(): void {
    // The board keeps a FIN that follows data, and loses one that follows nothing.
    this.isOver = this.endpoint.unreadLength > 0;
  }

  open(host: SimulatedHost): SimulatedTCP {
    const socket = new host.AcceptedTCP(this.endpoint);
    if (this.isOver)
      socket.onOver();
    return socket;
  }

  close(): void {
    this.endpoint.close();
  }
}

/** Use `host.Listener`. */
export class SimulatedListener implements TCPListener {
  readonly port: number;
  readonly #host: SimulatedHost;
  readonly #onReadable: (count: number) => void;
  readonly #waiting: WaitingConnection[] = [];
  #isTriggered = false;
  #isClosed = false;

  /** The port cannot be had: throws here, as the board does; `onError` is never called. */
  constructor(host: SimulatedHost, options: ListenerOptions) {
    host.checkNetwork();
    this.#host = host;
    this.#onReadable = options.onReadable;
    this.port = host.listen(checkPort(options.port), this);
    const { onListening } = options;
    if (onListening)
      host.clock.schedule(0, () => {
        if (!this.#isClosed)
          onListening.call(this, this.port);
      });
  }

  /** Called by the network. */
  accept(endpoint: SimulatedEndpoint): void {
    this.#waiting.push(new WaitingConnection(endpoint));
    if (!this.#isTriggered)
      this.#host.report(() => this.#deliver());
    this.#isTriggered = true;
  }

  read(): SimulatedTCP | undefined {
    if (this.#isClosed)
      throw new SyntaxError('invalid host data');
    return this.#waiting.shift()?.open(this.#host);
  }

  close(): void {
    if (this.#isClosed)
      return;
    this.#isClosed = true;
    this.#host.unlisten(this.port);
    for (const waiting of this.#waiting.splice(0))
      waiting.close();
  }

  #deliver(): void {
    this.#isTriggered = false;
    if (!this.#isClosed && this.#waiting.length > 0)
      this.#onReadable.call(this, this.#waiting.length);
  }
}
