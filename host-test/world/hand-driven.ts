/**
 * A network of which a program fires each event itself, for programs that run on XS: sockets whose `read` and `write`
 * it provides, a listener, a timer and a clock that stand still until told. Costs next to nothing, so that what is
 * measured is the gateway. Imports the device bundle's core and nothing else of the gateway.
 */
import { completeConfiguration, Runtime, type PartialConfiguration, type Platform } from '../../src/device/core.ts';
import type { ListenerOptions, TCPOptions, TCPSocket, Timer } from '../../src/io/transport.ts';
import { silentObserver, testPlatform } from './platform.ts';

/** More than any gateway here writes at a time. */
export const PLENTY = 8192;

/** What the engine provides: a socket whose bytes cost nothing, on XS by native methods. */
export interface Engine {
  /** What every socket receives from now on, over and over again. */
  feed(bytes: Uint8Array): void;
  readonly socketRead: (view: Uint8Array) => number;
  readonly socketWrite: (view: Uint8Array) => number;
  /** As in Platform of io/runtime.ts; default: true. */
  readonly resizable?: boolean;
}

/** As a board's: the callbacks lie with the socket, and it is one object. */
export abstract class HandDrivenSocket implements TCPSocket {
  readonly options: TCPOptions;

  constructor(options: TCPOptions) {
    this.options = options;
  }

  abstract read(view: Uint8Array): number;
  abstract write(view: Uint8Array): number;

  close(): void { /* nothing to release */ }

  readable(length: number): void {
    this.options.onReadable!.call(this, length);
  }

  writable(length = PLENTY): void {
    this.options.onWritable!.call(this, length);
  }
}

/** The class of the sockets of an engine. */
export function socketOf({ socketRead, socketWrite }: Pick<Engine, 'socketRead' | 'socketWrite'>) {
  class EngineSocket extends HandDrivenSocket {
    declare read: (view: Uint8Array) => number;
    declare write: (view: Uint8Array) => number;
  }
  EngineSocket.prototype.read = socketRead;
  EngineSocket.prototype.write = socketWrite;
  return EngineSocket;
}

export class HandDrivenNetwork<Socket extends TCPSocket> {
  now = 0;
  readonly platform: Platform;
  readonly socketClass: new (options: TCPOptions) => Socket;
  /** The socket that the gateway has made last. */
  newest!: Socket;
  private listener!: ListenerOptions;
  private waiting: Socket | undefined;
  private fireTimer!: () => void;
  private timerSetTo = 1;

  constructor(socketClass: new (options: TCPOptions) => Socket, parts: Partial<Platform> = {}) {
    const network = this;
    this.socketClass = socketClass;
    const timer: Timer = {
      set: milliseconds => { this.timerSetTo = milliseconds; },
      clear() { /* not set */ },
    };
    class TCP extends (socketClass as new (options: TCPOptions) => TCPSocket) {
      constructor(options: TCPOptions) {
        super(options);
        network.newest = this as unknown as Socket;
      }
    }
    class Listener {
      constructor(options: ListenerOptions) {
        network.listener = options;
      }

      read(): TCPSocket | undefined {
        const { waiting } = network;
        network.waiting = undefined;
        return waiting;
      }

      close(): void { /* nothing to release */ }
    }
    this.platform = testPlatform({
      TCP,
      Listener,
      resolver: { resolve(_host, onResolved) { onResolved('127.0.0.1'); } },
      createTimer: onTimer => {
        network.fireTimer = onTimer;
        return timer;
      },
      time: () => this.now,
    }, parts);
  }

  start(configuration: PartialConfiguration, observer = silentObserver): Runtime {
    const runtime = new Runtime(completeConfiguration(configuration), this.platform, observer);
    runtime.start();
    return runtime;
  }

  /** Keeps nothing of the gateway that was started last alive. */
  forget(): void {
    this.newest = this.listener = this.fireTimer = undefined!;
  }

  /** Lets time pass and fires the timer. */
  wait(milliseconds: number): void {
    this.now = this.now + milliseconds | 0;
    do {
      this.timerSetTo = 1;
      this.fireTimer();
    } while (this.timerSetTo === 0);
  }

  /** Fires the timer if something is to be done soon, until nothing is. */
  settle(): void {
    while (this.timerSetTo === 0) {
      this.timerSetTo = 1;
      this.fireTimer();
    }
  }

  /** A network connection from a node, given to the listener. @returns the socket that the gateway has made of it */
  accept(socket: Socket): Socket {
    this.waiting = socket;
    this.listener.onReadable(1);
    return this.newest;
  }
}
