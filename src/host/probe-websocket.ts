/**
 * MQTT within WebSocket for a connection with which `ringbridge check --online` asks a broker: the same handshake and
 * the same frames as those of a gateway that runs, on a socket that stands already.
 */
import type { Socket } from 'node:net';
import type { UpstreamConfiguration } from '../config/configuration.ts';
import type { UpstreamAddress } from '../config/upstream-address.ts';
import type { TCPConstructor, TCPOptions, TCPSocket } from '../io/transport.ts';
import * as ReasonCode from '../packet/reason-code.ts';
import { TCP } from './tcp.ts';
import { ClientWebSocket } from './websocket-client.ts';

interface Hearer {
  /** Gets what has come within it. */
  readonly onData: (chunk: Buffer) => void;
  /** Nothing more comes. */
  readonly onEnd: () => void;
}

export class ProbeWebSocket {
  private readonly socket: TCPSocket;
  private readonly onData: (chunk: Buffer) => void;
  private readonly onEnd: () => void;
  /** Not written yet, for want of room. */
  private rest = Buffer.alloc(0);
  private room = 0;

  private constructor(socket: TCPSocket, onData: (chunk: Buffer) => void, onEnd: () => void) {
    this.socket = socket;
    this.onData = onData;
    this.onEnd = onEnd;
  }

  /**
   * @param seconds for the answer @returns what it is within, or why it is not, in words that say what to do
   */
  static open(
    { bridge_protocol_version }: UpstreamConfiguration, address: UpstreamAddress, socket: Socket, seconds: number,
    { onData, onEnd }: Hearer,
  ): Promise<ProbeWebSocket | string> {
    const client = new ClientWebSocket();
    const Below = class extends TCP {
      constructor(options: TCPOptions) {
        super({ ...options, from: new TCP({ from: socket }) });
      }
    };
    const Within = client.socketsFor(address, Below as TCPConstructor, bridge_protocol_version);
    return new Promise(resolve => {
      let opened: ProbeWebSocket | undefined = undefined;
      const fail = (reasonCode: number): void => {
        clearTimeout(timer);
        resolve(client.problemOf(reasonCode));
        within.close();
      };
      const within = new Within({
        onReadable: count => opened?.read(count),
        onWritable: count => {
          if (opened === undefined) {
            clearTimeout(timer);
            opened = new ProbeWebSocket(within, onData, onEnd);
            resolve(opened);
          }
          opened.write(count);
        },
        onError: () => opened === undefined ? fail(within.failure ?? ReasonCode.NETWORK_UNREACHABLE) : opened.onEnd(),
      });
      const timer = setTimeout(() => fail(ReasonCode.NETWORK_UNREACHABLE), seconds * 1000);
    });
  }

  send(bytes: Buffer): void {
    this.rest = Buffer.concat([this.rest, bytes]);
    this.write(this.room);
  }

  close(): void {
    this.socket.close();
  }

  private read(count: number): void {
    const chunk = Buffer.alloc(count);
    this.socket.read(chunk);
    this.onData(chunk);
  }

  private write(room: number): void {
    this.room = room;
    try {
      while (this.rest.length > 0 && this.room > 0) {
        const part = this.rest.subarray(0, this.room);
        this.rest = this.rest.subarray(part.length);
        this.room = this.socket.write(part) ?? 0;
      }
    } catch { // the peer has gone, which is reported
      this.room = 0;
    }
  }
}
