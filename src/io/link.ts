/**
 * Pumps bytes between one session and one TCP socket.
 *
 * In: as many bytes as are there, fit the landing area and the session will take. A session that judges a CONNECT, or
 * whose own bytes the peer does not fetch, is not read for: the rest waits in the network.
 * Out: straight to the socket while it takes everything, else into a ring that is emptied when it does. After `close` what
 * was sent still goes out, for a while.
 *
 * One object per possible connection, used again and again; the callbacks are made once.
 */
import type { Arena } from '../bytes/arena.ts';
import { RingBuffer } from '../bytes/ring-buffer.ts';
import * as ReasonCode from '../packet/reason-code.ts';
import type { Clock } from '../session/clock.ts';
import { isDue } from '../session/clock.ts';
import type { PacketParser } from '../packet/packet-parser.ts';
import type { Output, Session } from '../session/session.ts';
import type { ExactViews } from './exact-view.ts';
import type { Scheduler } from './scheduler.ts';
import type { TCPConstructor, TCPOptions, TCPSocket } from './transport.ts';

/** Told when a link comes up and when it is free again. */
export interface LinkOwner {
  /** A connection of ours stands; the session is opened next. */
  onLinkEstablished(link: Link): void;
  /** @param reasonCode why, when it was not the session that closed */
  onLinkClosed(link: Link, reasonCode: number): void;
}

/** What all links of a gateway share. */
export interface LinkContext {
  readonly arena: Arena;
  readonly views: ExactViews;
  readonly scheduler: Scheduler;
  readonly TCP: TCPConstructor;
  readonly owner: LinkOwner;
  /** The link whose event is being handled. If an exception leaves it, a defect of ours, that one connection is given up. */
  active: Link | undefined;
}

export class Link implements Output {
  /** Undefined: free. */
  private socket: TCPSocket | undefined = undefined;
  /** Of the last connection that a listener gave; undefined where the platform does not tell. */
  remoteAddress: string | undefined = undefined;
  private readonly clock: Clock;
  private readonly time: () => number;
  private readonly views: ExactViews;
  private readonly session: Session;
  private readonly parser: PacketParser;
  private readonly arena: Arena;
  private readonly landingOffset: number;
  private readonly stagingOffset: number;
  private readonly scheduler: Scheduler;
  private readonly context: LinkContext;
  private readonly pending: RingBuffer;
  private readonly options: TCPOptions;
  private readonly closeTimeout: number;
  /** Unread bytes in the socket. */
  private readable = 0;
  /** Bytes that the socket takes. */
  private writable = 0;
  /** Since when `pending` has not been empty, or when it last shrank. */
  private pendingSince = 0;
  /** So much waits in `pending` that nothing is read until it has gone: whoever does not fetch answers gets to ask no more. */
  private isBackedUp = false;
  private isEstablished = false;
  private isClosing = false;
  private closingSince = 0;

  /** @param ringOffset region of `ringCapacity` bytes for what the peer does not take at once @param closeTimeout milliseconds for the rest after `close` */
  constructor(context: LinkContext, session: Session, ringOffset: number, ringCapacity: number, closeTimeout: number) {
    this.context = context;
    this.arena = context.arena;
    this.views = context.views;
    this.scheduler = context.scheduler;
    this.clock = context.scheduler.clock;
    this.session = session;
    this.parser = session.parser;
    this.landingOffset = context.arena.landingOffset;
    this.stagingOffset = context.arena.stagingOffset;
    this.pending = new RingBuffer(context.arena, ringOffset, ringCapacity);
    this.closeTimeout = closeTimeout;
    this.time = context.scheduler.time;
    const link = this;
    // A socket that was given up may have one more thing to say; nobody listens then.
    this.options = {
      onReadable(this: TCPSocket, count: number) { // the hot path: enter and leave are written out
        if (link.socket !== this)
          return;
        const clock = link.clock;
        clock.now = link.time() | 0;
        link.context.active = link;
        if (count <= link.parser.wanted && !link.isBackedUp) { // the usual case: everything at once
          const views = link.views;
          const at = link.landingOffset;
          views.buffer.resize(at + count);
          this.read(views.landing);
          views.buffer.resize(views.length);
          link.parser.receive(at, count);
        } else {
          link.readable = count;
          link.pump();
        }
        if (clock.isChanged) // `close` sees to it, too
          link.leave();
      },
      onWritable(this: TCPSocket, count: number) {
        if (link.socket === this)
          link.onWritable(count);
      },
      onError(this: TCPSocket) {
        if (link.socket === this)
          link.onError();
      },
    };
  }

  get isFree(): boolean {
    return this.socket === undefined;
  }

  /** Takes over a connection that a listener has given. @throws what the socket throws; the link is free then */
  accept(from: TCPSocket): void {
    this.start(new this.context.TCP({ ...this.options, from }));
    this.isEstablished = true;
    this.remoteAddress = this.socket?.remoteAddress;
  }

  /** Opens a connection; the session is opened when it stands. @throws as `accept` */
  connect(address: string, port: number): void {
    this.start(new this.context.TCP({ ...this.options, address, port }));
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
    if (!this.isClosing)
      return;
    const deadline = this.closingSince + this.closeTimeout | 0;
    if (isDue(deadline, this.clock.now))
      this.pending.clear();
    else
      this.clock.request(deadline);
    this.finishClosing();
  }

  // Output, for the session

  get room(): number {
    const pending = this.pending;
    return pending.length > 0 ? pending.free : this.writable + pending.capacity;
  }

  send(length: number): boolean {
    if (length > this.writable || this.pending.length !== 0)
      return this.sendLater(length);
    this.write(length);
    return true;
  }

  stalledFor(now: number): number {
    return this.pending.length === 0 ? 0 : now - this.pendingSince | 0;
  }

  close(): void {
    if (this.socket === undefined || this.isClosing)
      return;
    // Not here: this may be the middle of another link's event, whose packet lies in the landing area.
    this.isClosing = true;
    this.closingSince = this.clock.now;
    this.clock.request(this.closingSince);
    this.clock.isChanged = true;
  }

  resume(): void {
    this.pump();
  }

  // Callbacks of the socket

  /** What every event begins with: the time, and who is to blame for an exception. */
  private enter(): void {
    this.clock.now = this.time() | 0;
    this.context.active = this;
  }

  private leave(): void {
    if (this.isClosing)
      this.finishClosing();
    if (this.clock.isChanged)
      this.scheduler.leave();
  }

  private onWritable(count: number): void {
    this.enter();
    this.writable = count;
    if (!this.isEstablished) {
      this.isEstablished = true;
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
    this.abort(this.isEstablished ? ReasonCode.NETWORK_CLOSED : ReasonCode.NETWORK_UNREACHABLE);
    this.leave();
  }

  private start(socket: TCPSocket): void {
    this.socket = socket;
    this.readable = this.writable = 0;
    this.isEstablished = this.isClosing = this.isBackedUp = false;
    this.pending.clear();
  }

  private release(socket: TCPSocket): void {
    this.socket = undefined;
    this.isClosing = false;
    this.readable = this.writable = 0;
    this.pending.clear();
    socket.close();
  }

  /** Reads `length` bytes, which the socket has and which fit, into the landing area. */
  private read(socket: TCPSocket, length: number): void {
    const { views } = this;
    views.buffer.resize(this.landingOffset + length);
    socket.read(views.landing);
    views.buffer.resize(views.length);
  }

  /** Writes the first `length` bytes of the staging area. */
  private write(length: number): void {
    const views = this.views;
    let room: number | undefined = 0;
    views.buffer.resize(this.stagingOffset + length);
    try {
      room = this.socket!.write(views.staging);
    } catch { /* the board is not ready to write once the peer has closed, though there may be more to read */ }
    views.buffer.resize(views.length);
    this.writable = room ?? 0; // undefined: the connection is dead, which is reported later
  }

  /** Reads while there is something to read and the session takes it. */
  private pump(): void {
    const parser = this.parser;
    let length = this.readable;
    while (length > 0 && parser.wanted > 0 && !this.isBackedUp) {
      if (length > parser.wanted)
        length = parser.wanted;
      this.readable -= length;
      this.read(this.socket!, length);
      parser.receive(this.landingOffset, length);
      length = this.readable;
    }
  }

  /** Closes the socket once everything has gone out. What has arrived is read first, else closing would reset the connection. */
  private finishClosing(): void {
    const { socket } = this;
    if (socket === undefined || !this.isClosing)
      return;
    while (this.readable > 0) {
      const { landingCapacity } = this.arena;
      const length = this.readable < landingCapacity ? this.readable : landingCapacity;
      this.readable -= length;
      this.read(socket, length);
    }
    if (this.pending.length > 0)
      return;
    this.release(socket);
    this.context.owner.onLinkClosed(this, ReasonCode.SUCCESS);
  }

  /** The socket takes what it can, the ring the rest. */
  private sendLater(length: number): boolean {
    const { arena, clock, pending } = this;
    if (this.socket === undefined || length > this.room)
      return false;
    const now = pending.length === 0 ? this.writable : 0;
    if (pending.length === 0) {
      this.pendingSince = clock.now;
      clock.request(clock.now); // somebody must watch that the peer takes it at last
    }
    // The rest first: a write of the head leaves zeros behind it in staging (exact-view.ts).
    pending.write(arena.stagingOffset + now, length - now); // fits: `room` has said so
    if (now > 0)
      this.write(now);
    this.isBackedUp = pending.length > pending.capacity >> 1;
    return true;
  }

  private flush(): void {
    const { arena, pending } = this;
    const { bytes, stagingCapacity, stagingOffset } = arena;
    while (pending.length > 0 && this.writable > 0) {
      let length = pending.contiguousLength;
      if (length > this.writable)
        length = this.writable;
      if (length > stagingCapacity)
        length = stagingCapacity;
      const from = pending.readOffset;
      bytes.copyWithin(stagingOffset, from, from + length);
      pending.consume(length);
      this.pendingSince = this.clock.now;
      this.write(length);
    }
    this.isBackedUp = pending.length > pending.capacity >> 1;
  }
}
