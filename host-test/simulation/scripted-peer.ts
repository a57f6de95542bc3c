/**
 * The other side of a dialogue, under the test's control: sends what the test writes as hexadecimal, keeps what
 * arrives. Plays a broker (`ScriptedServer`, one peer for each connection) or a sensor node (`ScriptedPeer.connect`).
 */
import type { TCPSocket } from '../../src/io/transport.ts';
import { bytesOfHex, hexOfBytes } from './hex.ts';
import type { SimulatedHost } from './simulated-network.ts';

export class ScriptedPeer {
  isConnected = false;
  /** The connection has ended, by whichever side. */
  isClosed = false;
  /** Called for every arrival, after it has been added to `received`; the place for automatic answers. */
  onReceived: ((peer: ScriptedPeer) => void) | undefined;
  /** Called once when `isClosed` becomes true. */
  onClosed: (() => void) | undefined;
  private socket: TCPSocket | undefined;
  private receivedBytes: number[] = [];
  private unsent: Uint8Array[] = [];
  private writable = 0;
  private unreadLength = 0;
  private isReading = true;

  /** A sensor node, or any client. */
  static connect(host: SimulatedHost, address: string, port: number): ScriptedPeer {
    const peer = new ScriptedPeer();
    peer.open(host, { address, port });
    return peer;
  }

  /** What a listener has given. */
  static accept(host: SimulatedHost, from: TCPSocket): ScriptedPeer {
    const peer = new ScriptedPeer();
    peer.open(host, { from });
    return peer;
  }

  /** All that has arrived and has not been taken, as `hexOfBytes` writes it. */
  get received(): string {
    return hexOfBytes(this.receivedBytes);
  }

  get receivedLength(): number {
    return this.receivedBytes.length;
  }

  /** The same, and forgets it. */
  take(): string {
    const { received } = this;
    this.receivedBytes = [];
    return received;
  }

  /** The same as bytes. */
  takeBytes(): Uint8Array {
    const bytes = Uint8Array.from(this.receivedBytes);
    this.receivedBytes = [];
    return bytes;
  }

  /** As much as may be written leaves now, the rest when there is room; before the connection is up, nothing. */
  send(hex: string): void {
    this.sendBytes(bytesOfHex(hex));
  }

  sendBytes(bytes: Uint8Array): void {
    this.unsent.push(bytes.slice());
    this.flush();
  }

  /** The receive window fills up, then the other side cannot send any more. */
  stopReading(): void {
    this.isReading = false;
  }

  startReading(): void {
    this.isReading = true;
    this.drain();
  }

  /** What was sent still arrives; unread bytes make it a reset, as on the board. */
  close(): void {
    this.socket?.close();
    this.socket = undefined;
    if (this.isClosed)
      return;
    this.isClosed = true;
    this.onClosed?.();
  }

  private open(host: SimulatedHost, target: { from: TCPSocket } | { address: string; port: number }): void {
    this.socket = new host.TCP({
      ...target,
      onReadable: count => {
        this.unreadLength = count;
        this.drain();
      },
      onWritable: count => {
        this.isConnected = true;
        this.writable = count;
        this.flush();
      },
      onError: () => this.close(),
    });
  }

  private drain(): void {
    if (!this.isReading || this.unreadLength === 0 || !this.socket)
      return;
    const view = new Uint8Array(this.unreadLength);
    this.socket.read(view);
    this.unreadLength = 0;
    this.receivedBytes.push(...view);
    this.onReceived?.(this);
  }

  private flush(): void {
    while (this.socket && this.unsent.length > 0 && this.writable > 0) {
      const bytes = this.unsent[0]!;
      const part = bytes.subarray(0, this.writable);
      try {
        this.writable = this.socket.write(part) ?? 0;
      }
      catch {
        // The connection is over; onError follows.
        this.unsent = [];
        return;
      }
      if (part.length === bytes.length)
        this.unsent.shift();
      else
        this.unsent[0] = bytes.subarray(part.length);
    }
  }
}

export class ScriptedServer {
  /** All connections ever accepted, in order. */
  readonly peers: ScriptedPeer[] = [];
  /** Called for each new one. */
  onPeer: ((peer: ScriptedPeer) => void) | undefined;
  readonly port: number;
  private readonly listener: InstanceType<SimulatedHost['Listener']>;

  constructor(host: SimulatedHost, port: number) {
    this.listener = new host.Listener({
      port,
      onReadable: () => {
        for (let socket = this.listener.read(); socket; socket = this.listener.read()) {
          const peer = ScriptedPeer.accept(host, socket);
          this.peers.push(peer);
          this.onPeer?.(peer);
        }
      },
    });
    this.port = this.listener.port;
  }

  /** The connection accepted last. */
  get peer(): ScriptedPeer {
    const peer = this.peers.at(-1);
    if (!peer)
      throw new Error('no connection was accepted');
    return peer;
  }

  /** No more connections; those accepted live on. */
  close(): void {
    this.listener.close();
  }
}
