/**
 * Accepts sensor nodes into the fixed pool of links and server sessions. When the pool is exhausted, even of the place
 * that exists to refuse politely, a connection that is slowed down makes room, else one that has not said CONNECT yet,
 * the oldest first: whoever only holds connections keeps nobody out. If all others have said it, the new one is closed
 * at once and counted.
 */
import type { ListenerConfiguration } from '../config/configuration.ts';
import * as ReasonCode from '../packet/reason-code.ts';
import { OPENED } from '../session/connection-state.ts';
import type { ServerSession } from '../session/server-session.ts';
import type { Link } from './link.ts';
import type { FreeLinks } from './free-links.ts';
import type { Scheduler } from './scheduler.ts';
import type { ListenerConstructor, TCPListener } from './transport.ts';

/** For each possible node a session and a link, by the same index. */
interface NodePlaces {
  readonly sessions: readonly ServerSession[];
  readonly links: readonly Link[];
  readonly freeLinks: FreeLinks;
}

interface ListenerCallbacks {
  /** The port in use, where the platform tells. */
  onListening(port: number): void;
  /** The port cannot be had. */
  onError(message: string): void;
  /** A connection was closed because no place was free. */
  onTurnedAway(address: string | undefined): void;
}

export class NodeListener {
  private readonly listener: TCPListener;
  private readonly sessions: readonly ServerSession[];
  private readonly links: readonly Link[];
  private readonly freeLinks: FreeLinks;
  private readonly scheduler: Scheduler;
  private readonly callbacks: ListenerCallbacks;

  /** @throws where the platform's listener reports by an exception that the port cannot be had */
  constructor(Listener: ListenerConstructor, { address, port }: Pick<ListenerConfiguration, 'address' | 'port'>,
    { freeLinks, links, sessions }: NodePlaces, scheduler: Scheduler, callbacks: ListenerCallbacks) {
    this.callbacks = callbacks;
    this.sessions = sessions;
    this.links = links;
    this.freeLinks = freeLinks;
    this.scheduler = scheduler;
    this.listener = new Listener({
      address,
      port,
      onReadable: count => this.accept(count),
      onListening: callbacks.onListening,
      onError: callbacks.onError,
    });
  }

  close(): void {
    this.listener.close();
  }

  /** Takes exactly `count` connections: on the board, asking for one that is not there leaks. */
  private accept(count: number): void {
    this.scheduler.enter();
    while (count-- > 0)
      this.acceptOne();
    this.scheduler.leave();
  }

  private acceptOne(): void {
    const socket = this.listener.read();
    if (socket === undefined)
      return;
    if (this.freeLinks.first === undefined)
      this.makeRoom();
    const link = this.freeLinks.first;
    if (link === undefined) {
      this.callbacks.onTurnedAway(socket.remoteAddress);
      socket.close();
      return;
    }
    try {
      link.accept(socket);
    } catch { // reset in the meantime
      socket.close();
      return;
    }
    this.freeLinks.takeFirst();
    link.openSession();
  }

  /** None of the links is free; perhaps one is afterwards. */
  private makeRoom(): void {
    const { links, sessions } = this;
    let index = links.length;
    for (let at = 0; at < sessions.length; ++at)
      if (sessions[at]!.isPostponed) {
        sessions[at]!.giveWay();
        links[at]!.abort(ReasonCode.PLACE_NEEDED);
        return;
      }
    for (let at = 0; at < sessions.length; ++at)
      if (sessions[at]!.state === OPENED
        && (index === links.length || (sessions[at]!.lastReceivedAt - sessions[index]!.lastReceivedAt | 0) < 0))
        index = at;
    links[index]?.abort(ReasonCode.PLACE_NEEDED);
  }
}
