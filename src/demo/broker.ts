/**
 * The embedded broker of the demo: aedes on a port of this computer. Only here to try the gateway out; it knows nothing
 * of the gateway, which reaches it over TCP as it would reach any broker.
 */
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { Aedes } from 'aedes';

const HIGHEST_PORT = 65_535;
/** Ports that are tried before giving up. */
const ATTEMPTS = 100;

export interface BrokerObserver {
  /** A message of any client. */
  onMessage(topic: string, payload: Buffer): void;
  onClientConnected(identifier: string): void;
  onClientGone(identifier: string): void;
}

export class DemoBroker {
  readonly port: number;
  private readonly aedes: Aedes;
  private readonly server: Server;
  private readonly sockets: Set<Socket>;

  /** @throws Error when no port from `firstPort` on is free */
  static async start(address: string, firstPort: number, observer: BrokerObserver): Promise<DemoBroker> {
    const aedes = await Aedes.createBroker();
    const sockets = new Set<Socket>();
    const server = createServer(socket => {
      sockets.add(socket);
      socket.on('close', () => sockets.delete(socket));
      aedes.handle(socket);
    });
    aedes.on('publish', ({ payload, topic }, client) => {
      if (client !== null) // else the broker itself, on $SYS
        observer.onMessage(topic, typeof payload === 'string' ? Buffer.from(payload) : payload);
    });
    aedes.on('clientReady', ({ id }) => observer.onClientConnected(id));
    aedes.on('clientDisconnect', ({ id }) => observer.onClientGone(id));
    // What a client does wrong ends its connection; the broker lives on.
    aedes.on('clientError', () => {}).on('connectionError', () => {});
    await listenOnFreePort(server, address, firstPort);
    return new DemoBroker(aedes, server, sockets);
  }

  private constructor(aedes: Aedes, server: Server, sockets: Set<Socket>) {
    this.aedes = aedes;
    this.server = server;
    this.sockets = sockets;
    this.port = (server.address() as AddressInfo).port;
  }

  async stop(): Promise<void> {
    const isClosed = new Promise(resolve => this.server.close(resolve));
    await new Promise<void>(resolve => this.aedes.close(resolve));
    for (const socket of this.sockets)
      socket.destroy();
    await isClosed;
  }
}

/** @returns the first port from `firstPort` on that nobody uses now */
export async function findFreePort(address: string, firstPort: number): Promise<number> {
  const server = createServer();
  await listenOnFreePort(server, address, firstPort);
  const { port } = server.address() as AddressInfo;
  await new Promise(resolve => server.close(resolve));
  return port;
}

async function listenOnFreePort(server: Server, address: string, firstPort: number): Promise<void> {
  const lastPort = Math.min(firstPort + ATTEMPTS - 1, HIGHEST_PORT);
  for (let port = firstPort; port <= lastPort; ++port)
    if (await canListen(server, address, port))
      return;
  throw new Error(`no port from ${firstPort} to ${lastPort} of ${address} is free: stop a program that listens there`);
}

/** @throws what keeps the server from listening, unless it is the port */
function canListen(server: Server, address: string, port: number): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const onError = (error: NodeJS.ErrnoException): void => {
      server.off('listening', onListening);
      if (error.code === 'EADDRINUSE' || error.code === 'EACCES')
        resolve(false);
      else
        reject(error);
    };
    const onListening = (): void => {
      server.off('error', onError);
      resolve(true);
    };
    server.once('error', onError).once('listening', onListening).listen(port, address);
  });
}
