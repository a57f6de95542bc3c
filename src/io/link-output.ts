/**
 * What goes out of a link: straight to the socket while it takes everything, else into a ring that is emptied when it
 * does. Bytes are sent from the staging area of the arena. Knows nothing of what comes in.
 */
import { RingBuffer, type RingSpace } from '../bytes/ring-buffer.ts';
import * as ControlPacket from '../packet/control-packet.ts';
import type { Session } from '../session/session.ts';
import type { LinkContext } from './link-context.ts';
import type { TCPSocket } from './transport.ts';

// Phases of a link that is not free

/** The connection does not stand yet. */
export const CONNECTING = 0;
export const ESTABLISHED = 1;
/** So much is `pending` that nothing is read until it has gone: whoever does not fetch answers gets to ask no more. */
export const BACKED_UP = 2;
/** What was sent still goes out. */
export const CLOSING = 3;
/**
 * Nothing goes out any more, and nothing comes in. What has come is still judged, as soon as the session looks at it.
 */
export const OVER = 4;

export class LinkOutput {
  /** Undefined: free. */
  protected socket: TCPSocket | undefined = undefined;
  protected readonly context: LinkContext;
  protected readonly session: Session;
  /** Bytes that the socket does not take yet. */
  protected readonly pending: RingBuffer;
  protected phase = CONNECTING;
  /** Bytes that the socket takes; 0 as long as `pending` is not empty, which has to go first. */
  protected writable = 0;
  /** Since when `pending` has not been empty, or when it last shrank; of a link that is CLOSING, since when it is. */
  protected waitingSince = 0;

  constructor(context: LinkContext, session: Session, ringSpace: RingSpace, ringOffset: number) {
    this.context = context;
    this.session = session;
    this.pending = new RingBuffer(ringSpace, ringOffset);
  }

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
  protected flush(): void {
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
