/**
 * Where a gateway takes the ends of cables beside the connections of nodes, and how it knows them from those: a cable
 * is let in without a password and may do everything, and nobody else may have its client identifier.
 */
import { randomBytes } from 'node:crypto';
import { decodeUTF8 } from '../bytes/utf8.ts';
import type { Configuration } from '../config/configuration.ts';
import type { Authenticator } from '../gateway/gateway.ts';
import type { ListenerConstructor, ListenerOptions, TCPConstructor, TCPListener, TCPOptions,
  TCPSocket } from '../io/transport.ts';
import { isTrusted, TRUSTED_USER } from '../nodes/access-lengths.ts';
import type { Packet } from '../packet/packet.ts';
import * as ReasonCode from '../packet/reason-code.ts';
import type { ServerSession } from '../session/server-session.ts';
import { CableEnd } from './cable-end.ts';
import { constructorOf } from './constructor-of.ts';
import type { Runtime } from '../io/runtime.ts';
import { isOurOwn } from './own-listener.ts';

/** What the client identifiers of cables begin with. */
export const CABLE_PREFIX = 'upstream:';
/** Of all ends of cables of this process, which nobody else knows. */
export const CABLE_IDENTITY = randomBytes(32).toString('base64');
/** The longest one. */
const LONGEST_IDENTIFIER = CABLE_PREFIX.length + 32;

/** What of a runtime is needed; it exists only after the platform. */
type Identities = Pick<Runtime, 'gateway' | 'identityOf' | 'upstream'>;

export class CablePort {
  runtime: Identities | undefined = undefined;
  private readonly waiting: CableEnd[] = [];
  /** Tells the listener of an end; undefined: there is none. */
  private notify: (() => void) | undefined = undefined;

  /** Told that the broker is this gateway itself: its CONNECT is refused. */
  onOurOwn: () => void = () => {};

  offer(end: CableEnd): void {
    this.waiting.push(end);
    this.tell();
  }

  /** @param Base takes the connections of nodes; undefined: there are none */
  listenerOver(Base?: ListenerConstructor): ListenerConstructor {
    return constructorOf((options: ListenerOptions) => this.listen(options, Base));
  }

  tcpOver(Base: TCPConstructor): TCPConstructor {
    return constructorOf((options: TCPOptions) =>
      options.from instanceof CableEnd ? options.from.takeOver(options) : new Base(options));
  }

  /** @param strangers decides for everybody else */
  authenticatorOver(strangers: Authenticator): Authenticator {
    return { authenticate: (session, packet) => this.authenticate(session, packet, strangers) };
  }

  /** Whether the connection of a session is one. */
  hasCable(session: number): boolean {
    return this.runtime?.identityOf(session) === CABLE_IDENTITY;
  }

  private authenticate(session: ServerSession, packet: Packet, strangers: Authenticator): number {
    const { clientIdentifierLength: length, clientIdentifierOffset: offset } = packet;
    if (this.hasCable(session.index)) {
      session.user = this.runtime!.gateway.configuration.listener.users.findIndex(isTrusted);
      return ReasonCode.SUCCESS;
    }
    const isOurs = isOurOwn(this.runtime!, packet, session.remoteAddress);
    if (isOurs)
      this.onOurOwn();
    return isOurs || decodeUTF8(packet.arena, offset, length).startsWith(CABLE_PREFIX)
      ? ReasonCode.CLIENT_IDENTIFIER_NOT_VALID : strangers.authenticate(session, packet);
  }

  private listen(options: ListenerOptions, Base: ListenerConstructor | undefined): TCPListener {
    let atHand: CableEnd | undefined;
    const base = Base && new Base(options);
    const listener: TCPListener = {
      read: (): TCPSocket | undefined => {
        const end = atHand;
        atHand = undefined;
        return end ?? base?.read();
      },
      close: () => {
        if (this.notify === notify)
          this.notify = undefined;
        base?.close();
      },
    };
    const notify = this.notify = (): void => {
      atHand = this.waiting.shift();
      if (atHand !== undefined)
        options.onReadable.call(listener, 1);
    };
    this.tell();
    return listener;
  }

  /** Never from inside a call. */
  private tell(): void {
    setImmediate(() => {
      while (this.notify !== undefined && this.waiting.length > 0)
        this.notify();
    });
  }
}

/** The configuration of a gateway with room for so many cables beside what it says. */
export function withCables(configuration: Configuration, count: number): Configuration {
  const { listener } = configuration;
  return count === 0 ? configuration : { ...configuration, listener: {
    ...listener,
    max_connections: listener.max_connections + count,
    max_sessions: listener.max_sessions + count,
    max_clientid_length: Math.max(listener.max_clientid_length, LONGEST_IDENTIFIER),
    users: [...listener.users, { username: TRUSTED_USER }],
  } };
}
