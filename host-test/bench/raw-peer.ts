/**
 * The cheapest peer of a bridge: sends bytes made beforehand, counts PUBLISH packets and acknowledges them, with no
 * MQTT library, so that what is measured is the bridge and not its peers.
 */
import { connect, createServer, type Server, type Socket } from 'node:net';
import { once } from 'node:events';

const PUBACK_LENGTH = 4;

export class RawPeer {
  publishCount = 0;
  pubackCount = 0;
  connackCount = 0;
  subscribeCount = 0;
  /** Called after each chunk has been counted. */
  onCounted: () => void = () => {};
  private readonly socket: Socket;
  private rest: Buffer = Buffer.alloc(0);
  private answers: Buffer[] = [];

  constructor(socket: Socket) {
    this.socket = socket.setNoDelay(true);
    socket.on('data', chunk => this.receive(chunk));
    socket.on('error', () => {}); // the bridge has been stopped
  }

  static async connect(port: number): Promise<RawPeer> {
    const socket = connect(port, '127.0.0.1');
    await once(socket, 'connect');
    return new RawPeer(socket);
  }

  send(bytes: Buffer): void {
    this.socket.write(bytes);
  }

  close(): void {
    this.socket.destroy();
  }

  private receive(chunk: Buffer): void {
    const bytes = this.rest.length === 0 ? chunk : Buffer.concat([this.rest, chunk]);
    let at = 0;
    for (let end = endOfPacket(bytes, at); end !== 0 && end <= bytes.length; end = endOfPacket(bytes, at)) {
      this.count(bytes, at);
      at = end;
    }
    this.rest = bytes.subarray(at);
    if (this.answers.length > 0)
      this.send(Buffer.concat(this.answers));
    this.answers = [];
    this.onCounted();
  }

  private count(bytes: Buffer, at: number): void {
    switch (bytes[at]! >> 4) {
      case 1:
        this.answers.push(Buffer.of(0x20, 2, 0, 0));
        break;
      case 2:
        ++this.connackCount;
        break;
      case 3:
        ++this.publishCount;
        if ((bytes[at]! & 6) !== 0)
          this.answers.push(this.puback(bytes, at));
        break;
      case 4:
        ++this.pubackCount;
        break;
      case 8:
        ++this.subscribeCount;
        this.answers.push(Buffer.of(0x90, 3, bytes[at + 2]!, bytes[at + 3]!, 1));
        break;
      case 12:
        this.answers.push(Buffer.of(0xD0, 0));
    }
  }

  private puback(bytes: Buffer, at: number): Buffer {
    const header = at + (bytes[at + 1]! < 128 ? 2 : 3);
    const identifier = header + 2 + bytes.readUInt16BE(header);
    const puback = Buffer.alloc(PUBACK_LENGTH, 0x40);
    puback[1] = 2;
    bytes.copy(puback, 2, identifier, identifier + 2);
    return puback;
  }
}

/** @returns where the packet ends, perhaps behind what is there; 0: too few bytes to know. Packets up to 16 KB. */
function endOfPacket(bytes: Buffer, at: number): number {
  if (at + 2 > bytes.length)
    return 0;
  const low = bytes[at + 1]!;
  if (low < 128)
    return at + 2 + low;
  return at + 3 > bytes.length ? 0 : at + 3 + (low & 127) + (bytes[at + 2]! << 7);
}

/** A Server whose one client is the bridge. */
export async function listen(): Promise<{ server: Server; port: number; peer: Promise<RawPeer> }> {
  const server = createServer();
  const peer = once(server, 'connection').then(([socket]) => new RawPeer(socket as Socket));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return { server, port: (server.address() as { port: number }).port, peer };
}
