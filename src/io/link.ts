/**
 * Pumps bytes between one session and one TCP socket.
 *
 * In: as many bytes as are there, fit the landing area and the session will take. A session that judges a CONNECT, or
 * whose own bytes the peer does not fetch, is not read for: the rest waits in the network. Out: straight to the
 * socket while it takes everything, else into a ring that is emptied when it does. After `close` what was sent still
 * goes out, for a while.
 *
 * One object per possible connection, used again and again.
 */
import type { Arena } from '../bytes/arena.ts';
import { RingBuffer, type RingSpace } from '../bytes/ring-buffer.ts';
import * as ControlPacket from '../packet/control-packet.ts';
import * as ReasonCode from '../packet/reason-code.ts';
import type { Clock } from '../session/clock.ts';
import { isDue } from '../session/clock.ts';
import type { PacketParser } from '../packet/packet-parser.ts';
import type { NodeOutput } from '../session/server-role.ts';
import type { Session } from '../session/session.ts';
import type { ExactViews } from './exact-view.ts';
import type { Scheduler } from './scheduler.ts';
import type { TCPCallbacks, TCPConstructor, TCPSocket } from './transport.ts';

/** Told when a link comes up and when it is free again. */
export interface LinkOwner {
  /** A connection of ours stands; the session is opened next. */
  onLinkEstablished(link: Link): void;
  /** @param reasonCode why, when it was not the session that closed */
  onLinkClosed(link: Link, reasonCode: number): void;
}

/** What all links of a gateway share. */
export class LinkContext {
  readonly clock: Clock;
  readonly time: () => number;
  /**
   * The link whose event is being handled. If an exception leaves it, a defect of ours, that one connection is given
   * up.
   */
  active: Link | undefined = undefined;
  /** The links that are CLOSING, linked by `nextLink`. */
  closing: Link | undefined = undefined;
  readonly views: ExactViews;
  /** The buffer of `views` and its full length. */
  readonly buffer: ExactViews['buffer'];
  readonly length: number;
  readonly landingOffset: number;
  readonly stagingOffset: number;
  readonly arena: Arena;
  readonly scheduler: Scheduler;
  readonly TCP: TCPConstructor;
  /** Of connections of nodes. */
  nodeTCP: TCPConstructor;
  readonly owner: LinkOwner;
  readonly closeTimeout: number;

  /** @param closeTimeout milliseconds for what was sent before `close` */
  constructor(arena: Arena, views: ExactViews, scheduler: Scheduler, TCP: TCPConstructor, owner: LinkOwner,
    closeTimeout: number) {
    this.clock = scheduler.clock;
    this.time = scheduler.time;
    this.views = views;
    this.buffer = views.buffer;
    this.length = views.length;
    this.landingOffset = arena.landingOffset;
    this.stagingOffset = arena.stagingOffset;
    this.arena = arena;
    this.scheduler = scheduler;
    this.TCP = this.nodeTCP = TCP;
    this.owner = owner;
    this.closeTimeout = closeTimeout;
  }

  /** Releases the links whose last bytes have gone out, or have waited too long for that. */
  finishClosing(): void {
    for (let link = this.closing, next = link; link !== undefined; link = next) {
      next = link.nextLink;
      link.handleTimeout();
    }
  }
}

// Phases of a link that is not free

/** The connection does not stand yet. */
const CONNECTING = 0;
const ESTABLISHED = 1;
/** So much is `pending` that nothing is read until it has gone: whoever does not fetch answers gets to ask no more. */
const BACKED_UP = 2;
/** What was sent still goes out. */
const CLOSING = 3;
/**
 * Nothing goes out any more, and nothing comes in. What has come is still judged, as soon as the session looks at it.
 */
const OVER = 4;

export class Link implements NodeOutput {
  /** Undefined: free. */
  private socket: TCPSocket | undefined = undefined;
  /** Of the last connection that a listener gave; undefined where the platform does not tell. */
  remoteAddress: string | undefined = undefined;
  /** As TCPSocket.identity, likewise. */
  identity: string | undefined = undefined;
  private readonly context: LinkContext;
  private readonly session: Session;
  private readonly parser: PacketParser;
  /** Bytes that the socket does not take yet. */
  private readonly pending: RingBuffer;
  private phase = CONNECTING;
  /** Unread bytes in the socket. */
  private readable = 0;
  /** Bytes that the socket takes; 0 as long as `pending` is not empty, which has to go first. */
  private writable = 0;
  /** The next one that is CLOSING as this one is, or that waits for a connection: whoever gives it one sees to that. */
  nextLink: Link | undefined = undefined;
  /** Since when `pending` has not been empty, or when it last shrank; of a link that is CLOSING, since when it is. */
  private waitingSince = 0;

  /** @param ringOffset where the ring for what the peer does not take at once may lie */
  constructor(context: LinkContext, session: Session, ringSpace: RingSpace, ringOffset: number) {
    this.context = context;
    this.session = session;
    this.parser = session.parser;
    this.pending = new RingBuffer(ringSpace, ringOffset);
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

  // Output, for the session

  /**
   * Of messages, for which one half of the ring is enough: the other one is for acknowledgements. Else a node whose
   * subscriptions bring more than it fetches could not be answered any more. With nothing pending the longest one
   * must fit.
   */
  get room(): number {
    const { pending } = this;
    return pending.length > 0 ? pending.free - (pending.capacity >> 1) : this.writable + pending.capacity;
  }

  /** The hot path: straight to the socket. */
  send(length: number): boolean {
    if (length > this.writable)
      return this.sendLater(length);
    const context = this.context;
    let room: number | undefined = 0;
    context.buffer.resize(context.stagingOffset + length);
    try {
      room = this.socket!.write(context.views.staging);
    } catch { /* the board is not ready to write once the peer has closed, though there may be more to read */ }
    context.buffer.resize(context.length);
    this.writable = room ?? 0; // undefined: the connection is dead, which is reported later
    return true;
  }

  stalledFor(now: number): number {
    return this.pending.length === 0 ? 0 : now - this.waitingSince | 0;
  }

  close(): void {
    if (this.socket === undefined || this.phase === CLOSING)
      return;
    // Not here: this may be the middle of another link's event, whose packet lies in the landing area.
    const { clock } = this.context;
    this.phase = CLOSING;
    this.nextLink = this.context.closing;
    this.context.closing = this;
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
      this.leaveClosing();
    this.socket = socket.target = undefined;
    this.readable = this.writable = 0;
    this.pending.clear();
    socket.close();
  }

  private leaveClosing(): void {
    const { context } = this;
    let before = context.closing!;
    if (before === this)
      context.closing = this.nextLink;
    else {
      while (before.nextLink !== this)
        before = before.nextLink!;
      before.nextLink = this.nextLink;
    }
    this.nextLink = undefined;
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

  /** The socket takes what it can, the ring the rest. */
  private sendLater(length: number): boolean {
    const { context, pending, writable } = this;
    const { clock, stagingOffset } = context;
    const isMessage = context.arena.bytes[stagingOffset]! >> 4 === ControlPacket.PUBLISH;
    if (this.phase === OVER)
      return true; // as what the network loses
    if (this.socket === undefined || length > (isMessage ? this.room : writable + pending.free))
      return false;
    if (pending.length === 0) {
      this.waitingSince = clock.now;
      this.session.outputWaits();
    }
    // The rest first: a write of the head leaves zeros behind it in staging (exact-view.ts).
    pending.write(stagingOffset + writable, length - writable); // fits, as has been checked
    if (writable > 0)
      this.send(writable);
    this.flush();
    return true;
  }

  /** Empties the ring as far as the socket takes it. */
  private flush(): void {
    const { context, pending } = this;
    const { bytes, stagingCapacity, stagingOffset } = context.arena;
    while (pending.length > 0 && this.writable > 0) {
      let length = pending.contiguousLength;
      if (length > this.writable)
        length = this.writable;
      if (length > stagingCapacity)
        length = stagingCapacity;
      const from = pending.readOffset;
      bytes.copyWithin(stagingOffset, from, from + length);
      pending.consume(length);
      if (this.phase !== CLOSING)
        this.waitingSince = context.clock.now;
      this.send(length);
    }
    if (this.phase !== CLOSING)
      this.phase = pending.length > pending.capacity >> 1 ? BACKED_UP : ESTABLISHED;
  }
}
