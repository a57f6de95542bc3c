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
import type { Output, Session } from '../session/session.ts';
import type { ExactViews } from './exact-view.ts';
import type { Scheduler } from './scheduler.ts';
import type { TCPConstructor, TCPOptions, TCPSocket } from './transport.ts';

/** Told when a link is free again, and of exceptions, which are defects of ours or of the platform. */
export interface LinkOwner {
  /** A connection of ours stands; the session is opened next. */
  onLinkEstablished(link: Link): void;
  /** @param reasonCode why, when it was not the session that closed */
  onLinkClosed(link: Link, reasonCode: number): void;
  onException(error: unknown): void;
}

/** What all links of a gateway share. */
export interface LinkContext {
  readonly arena: Arena;
  readonly views: ExactViews;
  readonly scheduler: Scheduler;
  readonly TCP: TCPConstructor;
  readonly owner: LinkOwner;
}

export class Link implements Output {
  /** Undefined: free. */
  private socket: TCPSocket | undefined;
  private readonly session: Session;
  private readonly arena: Arena;
  private readonly clock: Clock;
  private readonly views: ExactViews;
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
    this.pending = new RingBuffer(context.arena, ringOffset, ringCapacity);
    this.closeTimeout = closeTimeout;
    const link = this;
    this.options = {
      onReadable(this: TCPSocket, count: number) { link.onReadable(this, count); },
      onWritable(this: TCPSocket, count: number) { link.onWritable(this, count); },
      onError(this: TCPSocket) { link.onError(this); },
    };
  }

  get isFree(): boolean {
    return this.socket === undefined;
  }

  /** Takes over a connection that a listener has given. @throws what the socket throws; the link is free then */
  accept(from: TCPSocket): void {
    this.start(new this.context.TCP({ ...this.options, from }));
    this.isEstablished = true;
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

  send(length: number): void {
    if (length <= this.writable && this.pending.length === 0)
      this.writable = this.views.write(this.socket!, length);
    else
      this.sendLater(length);
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
  }

  resume(): void {
    this.pump();
  }

  // Callbacks of the socket

  private onReadable(socket: TCPSocket, count: number): void {
    if (socket !== this.socket)
      return;
    this.scheduler.enter();
    try {
      this.readable = count;
      this.pump();
      this.finishClosing();
    } catch (error) {
      this.recover(error);
    }
    this.scheduler.leave();
  }

  private onWritable(socket: TCPSocket, count: number): void {
    if (socket !== this.socket)
      return;
    this.scheduler.enter();
    try {
      this.writable = count;
      if (!this.isEstablished) {
        this.isEstablished = true;
        this.context.owner.onLinkEstablished(this);
        this.session.open(this);
      }
      if (this.pending.length > 0)
        this.flush(socket);
      this.session.writable();
      this.pump();
      this.finishClosing();
    } catch (error) {
      this.recover(error);
    }
    this.scheduler.leave();
  }

  private onError(socket: TCPSocket): void {
    if (socket !== this.socket)
      return;
    this.scheduler.enter();
    try {
      this.abort(this.isEstablished ? ReasonCode.NETWORK_CLOSED : ReasonCode.NETWORK_UNREACHABLE);
    } catch (error) {
      this.recover(error);
    }
    this.scheduler.leave();
  }

  /** A defect must cost one connection, not the machine: on the board an exception that leaves a callback ends the program. */
  private recover(error: unknown): void {
    this.views.restore();
    this.context.owner.onException(error);
    this.abort(ReasonCode.IMPLEMENTATION_SPECIFIC_ERROR);
  }

  private start(socket: TCPSocket): void {
    this.socket = socket;
    this.readable = this.writable = 0;
    this.isEstablished = this.isClosing = false;
    this.pending.clear();
  }

  private release(socket: TCPSocket): void {
    this.socket = undefined;
    this.isClosing = false;
    this.readable = this.writable = 0;
    this.pending.clear();
    socket.close();
  }

  /** Reads while there is something to read and the session takes it. */
  private pump(): void {
    const { arena, pending, session } = this;
    const { parser } = session;
    while (this.readable > 0 && !this.isClosing && !parser.isPaused && pending.length <= pending.capacity >> 1) {
      let length = this.readable;
      if (length > arena.landingCapacity)
        length = arena.landingCapacity;
      if (length > parser.capacity)
        length = parser.capacity;
      this.readable -= length;
      this.views.read(this.socket!, length);
      session.receive(arena.landingOffset, length);
    }
  }

  /** Closes the socket once everything has gone out. What has arrived is read first, else closing would reset the connection. */
  private finishClosing(): void {
    const { socket, views } = this;
    if (socket === undefined || !this.isClosing)
      return;
    while (this.readable > 0) {
      const { landingCapacity } = this.arena;
      const length = this.readable < landingCapacity ? this.readable : landingCapacity;
      this.readable -= length;
      views.read(socket, length);
    }
    if (this.pending.length > 0)
      return;
    this.release(socket);
    this.context.owner.onLinkClosed(this, ReasonCode.SUCCESS);
  }

  /** The socket takes what it can, the ring the rest. */
  private sendLater(length: number): void {
    const { arena, clock, pending } = this;
    let offset = arena.stagingOffset;
    if (pending.length === 0) {
      this.pendingSince = clock.now;
      const now = this.writable;
      if (now > 0) {
        this.writable = this.views.write(this.socket!, now);
        offset += now;
        length -= now;
      }
    }
    pending.write(offset, length); // `room` has promised it
  }

  private flush(socket: TCPSocket): void {
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
      this.writable = this.views.write(socket, length);
    }
  }
}
