/** Answers whoever asks a gateway that runs for its status, on this computer: one line for each connection. */
import { rmSync } from 'node:fs';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { makeSocketPath, socketsIn } from './status-place.ts';

/** At a time. */
const MOST_CONNECTIONS = 8;
/** Milliseconds in which an answer must have been read. */
const PATIENCE = 5000;
/** For nobody but the owner, from the moment on at which the socket is there. */
const OWNER_ONLY = 0o177;

export class StatusServer {
  private readonly server: Server;
  private readonly sockets = new Set<Socket>();
  private readonly folders: readonly string[];
  private readonly file: string;
  private readonly onFailed: (reason: string) => void;
  private isClosed = false;

  /**
   * @param folders as statusFolders gives them: the first in which that is possible is used
   * @param answer a line without its end @param onFailed nobody can ask
   */
  constructor(folders: readonly string[], file: string, answer: () => string, onFailed: (reason: string) => void) {
    this.folders = folders;
    this.file = file;
    this.onFailed = onFailed;
    this.server = createServer(socket => this.accept(socket, answer));
    this.server.maxConnections = MOST_CONNECTIONS;
    this.server.unref();
    this.tryFolder(0, '');
  }

  close(): void {
    this.isClosed = true;
    this.server.close();
    this.sockets.forEach(socket => socket.destroy());
  }

  private tryFolder(index: number, reason: string): void {
    const folder = this.folders[index];
    if (this.isClosed)
      return;
    if (folder === undefined) {
      this.onFailed(reason);
      return;
    }
    const path = makeSocketPath(folder, this.file);
    if (path === undefined) {
      this.tryFolder(index + 1, reason === '' ? `the path of ${folder} is too long for a socket` : reason);
      return;
    }
    const { server } = this;
    server.once('error', error => {
      server.removeAllListeners('listening');
      this.tryFolder(index + 1, reason === '' ? error.message : reason);
    });
    server.once('listening', () => {
      server.removeAllListeners('error').on('error', () => {});
      sweep(folder, path);
    });
    const before = process.umask(OWNER_ONLY);
    server.listen(path); // makes the socket before it returns
    process.umask(before);
  }

  private accept(socket: Socket, answer: () => string): void {
    this.sockets.add(socket);
    socket.unref();
    socket.on('error', () => {});
    socket.on('close', () => this.sockets.delete(socket));
    socket.setTimeout(PATIENCE, () => socket.destroy());
    socket.end(`${answer()}\n`);
  }
}

/** Takes away what gateways that were killed have left behind: nobody answers there. */
function sweep(folder: string, own: string): void {
  for (const path of socketsIn(folder))
    if (path !== own)
      connect(path).unref().on('connect', function onConnect(this: Socket) {
        this.destroy();
      }).on('error', ({ code }: NodeJS.ErrnoException) => {
        if (code === 'ECONNREFUSED')
          rmSync(path, { force: true });
      });
}
