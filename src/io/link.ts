/**
 * Pumps bytes between one session and one TCP socket: the life of a connection, and what comes in. What goes out is in
 * link-output.ts.
 *
 * As many bytes are read as are there, fit the landing area and the session will take. A session that judges a CONNECT,
 * or whose own bytes the peer does not fetch, is not read for: the rest waits in the network. After `close` what was
 * sent still goes out, for a while.
 *
 * One object per possible connection, used again and again.
 */
import type { RingSpace } from '../bytes/ring-buffer.ts';
import type { PacketParser } from '../packet/packet-parser.ts';
import * as ReasonCode from '../packet/reason-code.ts';
import { isDue } from '../session/clock.ts';
import type { NodeOutput } from '../session/server-role.ts';
import type { Session } from '../session/session.ts';
import type { LinkContext } from './link-context.ts';
import { BACKED_UP, CLOSING, CONNECTING, ESTABLISHED, LinkOutput, OVER } from './link-output.ts';
import type { TCPCallbacks, TCPSocket } from './transport.ts';

export class Link extends LinkOutput implements NodeOutput {
  /** Of the last connection that a listener gave; undefined where the platform does not tell. */
  remoteAddress: string | undefined = undefined;
  /** As TCPSocket.identity, likewise. */
  identity: string | undefined = undefined;
  private readonly parser: PacketParser;
  /** Unread bytes in the socket. */
  private readable = 0;
  /** The next one that is CLOSING as this one is, or that waits for a connection: whoever gives it one sees to that. */
  nextLink: Link | undefined = undefined;

  /** @param ringOffset where the ring for what the peer does not take at once may lie */
  constructor(context: LinkContext, session: Session, ringSpace: RingSpace, ringOffset: number) {
    super(context, session, ringSpace, ringOffset);
    this.parser = session.parser;
  }

  /**
   * The sockets of all links have the same callbacks; the link is the `target` of its socket. One that was given up
   * may have one more thing to say, and so may one that is still being made: nobody listens then.
   */
  private static readonly callbacks: TCPCallbacks = Object.freeze<TCPCallbacks>({
    onReadable(this: TCPSocket, count: number) { // the hot path: enter and leave are written out
      const link = this.target as Link | undefined;
      if (link === undefined)
        return;
      const context = link.context;
      context.clock.now = context.time() | 0;
      context.active = link;
      if (count <= link.parser.wanted && link.phase === ESTABLISHED) { // the usual case: everything at once
        context.buffer.resize(context.landingOffset + count);
        this.read(context.views.landing);
        context.buffer.resize(context.length);
        link.parser.receive(context.landingOffset, context.landingOffset + count);
      } else {
        link.readable = count;
        link.pump();
      }
      if (context.clock.isChanged) // `close` sees to it, too
        link.leave();
    },
    onWritable(this: TCPSocket, count: number) {
      (this.target as Link | undefined)?.onWritable(count);
    },
    onError(this: TCPSocket) {
      (this.target as Link | undefined)?.onError();
    },
  });

  get isFree(): boolean {
    return this.socket === undefined;
  }

  /** Takes over a connection that a listener has given. @throws what the socket throws; the link is free then */
  accept(from: TCPSocket): void {
    this.identity = from.identity;
    this.start(new this.context.nodeTCP({ ...Link.callbacks, from, nodelay: true }), ESTABLISHED);
    this.remoteAddress = this.socket?.remoteAddress;
  }

  /** The connection that was accepted stands. */
  openSession(): void {
    this.session.open(this);
  }

  /** Opens a connection, by `TCP`; the session is opened when it stands. @throws as `accept` */
  connect(address: string, port: number, nodelay = true, TCP = this.context.TCP): void {
    this.start(new TCP({ ...Link.callbacks, address, port, nodelay }), CONNECTING);
  }

  /** Gives the connection up at once, with a reason for the session. */
  abort(reasonCode: number): void {
    const { socket } = this;
    if (socket === undefined)
      return;
    this.release(socket);
    this.session.transportClosed(reasonCode);
    this.context.owner.onLinkClosed(this, reasonCode);
  }

  handleTimeout(): void {
    if (this.phase !== CLOSING || this.isFree)
      return;
    const { clock, closeTimeout } = this.context;
    const deadline = this.waitingSince + closeTimeout | 0;
    if (isDue(deadline, clock.now))
      this.pending.clear();
    else
      clock.request(deadline);
    this.finishClosing();
  }

  // Output, for the session; more in link-output.ts

  close(): void {
    if (this.socket === undefined || this.phase === CLOSING)
      return;
    // Not here: this may be the middle of another link's event, whose packet lies in the landing area.
    const { clock } = this.context;
    this.phase = CLOSING;
    this.context.addClosing(this);
    this.waitingSince = clock.now;
    clock.soon();
  }

  resume(): void {
    this.pump();
    this.endWhenRead();
  }

  get hasUnread(): boolean {
    return this.readable > 0 || this.parser.hasWaiting;
  }

  readOne(): void {
    const { parser } = this;
    const hadWaiting = parser.hasWaiting;
    if (hadWaiting)
      parser.receiveOne();
    for (let isFirst = !hadWaiting; this.readable > 0 && (isFirst || parser.missing !== 0); isFirst = false)
      this.bring(parser.width);
    this.endWhenRead();
  }

  readAhead(): void {
    const { parser } = this;
    const { landingOffset } = this.context;
    const length = this.phase === BACKED_UP ? 0 : parser.width < this.readable ? parser.width : this.readable;
    if (length > 0) {
      this.readable -= length;
      this.read(this.socket!, length);
      parser.add(landingOffset, landingOffset + length);
    }
    parser.receiveAnswers();
  }

  stopSending(): void {
    this.pending.clear();
    this.writable = 0;
    this.phase = OVER;
    this.pump();
  }

  // Callbacks of the socket

  /** What every event begins with: the time, and who is to blame for an exception. */
  private enter(): void {
    const { context } = this;
    context.scheduler.enter();
    context.active = this;
  }

  private leave(): void {
    if (this.phase === CLOSING)
      this.finishClosing();
    const { clock, scheduler } = this.context;
    if (clock.isChanged)
      scheduler.leave();
  }

  private onWritable(count: number): void {
    this.enter();
    this.writable = count;
    if (this.phase === CONNECTING) {
      this.phase = ESTABLISHED;
      this.context.owner.onLinkEstablished(this);
      this.session.open(this);
    }
    if (this.pending.length > 0)
      this.flush();
    this.session.writable();
    this.pump();
    this.leave();
  }

  private onError(): void {
    this.enter();
    if ((this.phase === ESTABLISHED || this.phase === BACKED_UP) && this.parser.hasWaiting) {
      this.pending.clear();
      this.writable = 0;
      this.phase = OVER;
    } else if (this.phase !== OVER)
      this.abort(this.socket?.failure
        ?? (this.phase === CONNECTING ? ReasonCode.NETWORK_UNREACHABLE : ReasonCode.NETWORK_CLOSED));
    this.leave();
  }

  /** The connection is over, and now all that had come before its end has been judged. */
  private endWhenRead(): void {
    if (this.phase === OVER && !this.hasUnread)
      this.abort(ReasonCode.NETWORK_CLOSED);
  }

  private start(socket: TCPSocket, phase: number): void {
    this.socket = socket;
    socket.target = this;
    this.phase = phase;
    this.readable = this.writable = 0;
    this.pending.clear();
  }

  private release(socket: TCPSocket): void {
    if (this.phase === CLOSING)
      this.context.removeClosing(this);
    this.socket = socket.target = undefined;
    this.readable = this.writable = 0;
    this.pending.clear();
    socket.close();
  }

  /** Reads `length` bytes, which the socket has and which fit, into the landing area. */
  private read(socket: TCPSocket, length: number): void {
    const { context } = this;
    context.buffer.resize(context.landingOffset + length);
    socket.read(context.views.landing);
    context.buffer.resize(context.length);
  }

  /** Reads while there is something to read and the session takes it. */
  private pump(): void {
    const { parser } = this;
    const { landingOffset } = this.context;
    while (this.readable > 0 && parser.wanted > 0 && this.phase !== BACKED_UP) { // `bring` written out
      const length = parser.wanted < this.readable ? parser.wanted : this.readable;
      this.readable -= length;
      this.read(this.socket!, length);
      parser.receive(landingOffset, landingOffset + length);
    }
  }

  /** Reads at most so many bytes and gives them to the session. */
  private bring(length: number): void {
    const { landingOffset } = this.context;
    if (length > this.readable)
      length = this.readable;
    this.readable -= length;
    this.read(this.socket!, length);
    this.parser.receive(landingOffset, landingOffset + length);
  }

  /**
   * Closes the socket once everything has gone out. What has arrived is read first, else closing would reset the
   * connection.
   */
  private finishClosing(): void {
    const { context, socket } = this;
    if (socket === undefined || this.phase !== CLOSING)
      return;
    while (this.readable > 0) {
      const { landingCapacity } = context.arena;
      const length = this.readable < landingCapacity ? this.readable : landingCapacity;
      this.readable -= length;
      this.read(socket, length);
    }
    if (this.pending.length > 0)
      return;
    this.release(socket);
    context.owner.onLinkClosed(this, ReasonCode.SUCCESS);
  }
}
