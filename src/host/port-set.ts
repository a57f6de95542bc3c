/**
 * Several ports for nodes, as one Listener: each with a protocol and certificates of its own. One that cannot be had is
 * tried again, and the others serve meanwhile; as long as there is none at all it is as with a single one.
 */
import type { ListenerConstructor, ListenerOptions, TCPConstructor, TCPListener, TCPSocket } from '../io/transport.ts';
import { constructorOf } from './constructor-of.ts';

export interface Port {
  readonly Listener: ListenerConstructor;
  readonly TCP: TCPConstructor;
  readonly port: number;
  readonly address: string;
}

/** Told of ports beside others that work. */
export interface PortNews {
  /** `text`: what is wrong with one, which is tried again. */
  onProblem(text: string): void;
  /** Another one is there. */
  onChange(): void;
}

/** Milliseconds from one attempt to get a port to the next. */
const INTERVAL = 30_000;

class OnePort {
  readonly port: Port;
  /** In use, even if the configuration says 0; undefined: none. */
  actual: number | undefined = undefined;
  problem: string | undefined = undefined;
  listener: TCPListener | undefined = undefined;
  timer: NodeJS.Timeout | undefined = undefined;

  constructor(port: Port) {
    this.port = port;
  }

  get isSettled(): boolean {
    return this.actual !== undefined || this.problem !== undefined;
  }
}

export class PortSet {
  private readonly ports: readonly Port[];
  private readonly news: PortNews;
  private readonly origins = new WeakMap<TCPSocket, Port>();
  private list: readonly OnePort[] = [];

  constructor(ports: readonly Port[], news: PortNews) {
    this.ports = ports;
    this.news = news;
  }

  /** Where nodes can connect: `HOST:PORT`. */
  get places(): string[] {
    return this.list.flatMap(({ actual, port: { address } }) => actual === undefined ? []
      : [`${address.includes(':') ? `[${address}]` : address}:${actual}`]);
  }

  readonly Listener = constructorOf<ListenerConstructor, ListenerOptions>(options => this.listen(options));

  readonly TCP = constructorOf<TCPConstructor, ConstructorParameters<TCPConstructor>[0]>(options =>
    new (this.origins.get(options.from!) ?? this.ports[0]!).TCP(options));

  /** The ports of `options` are those of the configuration's first one, which is in the list. */
  private listen(options: ListenerOptions): TCPListener {
    const list = this.list = this.ports.map(port => new OnePort(port));
    let atHand: OnePort | undefined;
    let isSettled = false;
    const settle = (one: OnePort): void => {
      if (isSettled) {
        if (one.problem === undefined)
          this.news.onChange();
      } else if (list.every(other => other.isSettled)) {
        isSettled = true;
        const first = list.find(({ actual }) => actual !== undefined);
        if (first === undefined)
          options.onError?.call(listener, list.map(({ problem }) => problem).join('; '));
        else {
          options.onListening?.call(listener, first.actual!);
          list.forEach(({ problem }) => problem !== undefined && this.news.onProblem(problem));
        }
      }
    };
    const open = (one: OnePort): void => {
      one.problem = undefined;
      const { Listener, address, port } = one.port;
      const fail = (message: string): void => {
        one.problem = message;
        one.actual = undefined;
        one.timer = setTimeout(() => open(one), INTERVAL).unref();
        settle(one);
      };
      try {
        one.listener = new Listener({
          port, address,
          onReadable: count => {
            atHand = one;
            options.onReadable.call(listener, count);
            atHand = undefined;
          },
          onListening: actual => {
            one.actual = actual;
            settle(one);
          },
          onError: fail,
        });
      } catch (error) {
        setImmediate(() => fail((error as Error).message)); // never from inside a call
      }
    };
    const listener: TCPListener = {
      read: () => {
        const socket = atHand?.listener?.read();
        if (socket !== undefined)
          this.origins.set(socket, atHand!.port);
        return socket;
      },
      close: () => list.forEach(one => {
        clearTimeout(one.timer);
        one.listener?.close();
      }),
    };
    list.forEach(open);
    return listener;
  }
}
