/**
 * One end of a simulated TCP connection, below the socket object: send buffer, receive window, FIN, RST. Follows lwIP
 * as the ESP32 runs it, as far as a program can see it. No retransmission and no loss of single segments: the link
 * does not lose any, or loses everything.
 */
import type { Direction, LinkEnd, SimulatedLink } from './simulated-link.ts';
import type { SimulatedHost } from './simulated-network.ts';

/** Longest segment. */
const MAXIMUM_SEGMENT_SIZE = 1436;
/** A closed connection whose peer does not close its side is given up after so many milliseconds (FIN_WAIT_2). */
const FIN_WAIT_TIMEOUT = 20_000;
/** The same when the peer does not even acknowledge; lwIP repeats for minutes, an estimate. */
const CLOSE_TIMEOUT = 120_000;

/** What the endpoint tells to the socket object. */
export interface EndpointOwner {
  onEstablished(): void;
  onReceived(): void;
  onSent(): void;
  onOver(): void;
}

interface Segment {
  readonly bytes: Uint8Array;
  offset: number;
}

export class SimulatedEndpoint implements LinkEnd {
  readonly host: SimulatedHost;
  readonly link: SimulatedLink;
  owner: EndpointOwner | undefined;
  peer: SimulatedEndpoint | undefined;
  isEstablished = false;
  /** Holds one of the connections of the host. */
  isAlive = true;
  unreadLength = 0;
  private readonly outgoing: Direction;
  private isClosed = false;
  private isFINReceived = false;
  private isFINSent = false;
  private isFINAcknowledged = false;
  /** Not yet sent. */
  private queue: Uint8Array[] = [];
  private queuedLength = 0;
  private unacknowledgedLength = 0;
  private unarrivedLength = 0;
  private received: Segment[] = [];
  /** Segments that have not been read to their end. */
  private windowUsed = 0;

  constructor(host: SimulatedHost, link: SimulatedLink, outgoing: Direction) {
    this.host = host;
    this.link = link;
    this.outgoing = outgoing;
    host.endpoints.add(this);
  }

  get writable(): number {
    return this.host.sendCapacity - this.queuedLength - this.unacknowledgedLength;
  }

  /** Queues a copy; `output` sends it. */
  write(view: Uint8Array): void {
    if (view.byteLength > 0) {
      this.queue.push(view.slice());
      this.queuedLength += view.byteLength;
    }
  }

  output(): void {
    const { peer, outgoing } = this;
    if (!this.isAlive || !this.isEstablished || peer === undefined)
      return;
    while (this.queuedLength > 0 && !outgoing.isStalled) {
      const window = peer.host.receiveWindow - peer.windowUsed - this.unarrivedLength;
      const length = outgoing.segmentLength(Math.min(this.queuedLength, window, MAXIMUM_SEGMENT_SIZE));
      if (length <= 0)
        return;
      const bytes = this.take(length);
      this.unacknowledgedLength += length;
      this.unarrivedLength += length;
      outgoing.transmit(length, () => {
        this.unarrivedLength -= length;
        peer.receive(bytes);
      });
    }
    if (this.isClosed && this.queuedLength === 0 && !this.isFINSent) {
      this.isFINSent = true;
      outgoing.transmit(0, () => {
        peer.receiveFIN();
        peer.outgoing.transmit(0, () => this.receiveFINAcknowledgement());
      });
    }
  }

  /** Not longer than `unreadLength`. */
  read(view: Uint8Array): void {
    let filled = 0;
    let released = 0;
    while (filled < view.byteLength) {
      const segment = this.received[0]!;
      const end = Math.min(segment.bytes.length, segment.offset + view.byteLength - filled);
      view.set(segment.bytes.subarray(segment.offset, end), filled);
      filled += end - segment.offset;
      segment.offset = end;
      if (end === segment.bytes.length) {
        released += end;
        this.received.shift();
      }
    }
    this.unreadLength -= filled;
    if (released > 0) {
      this.windowUsed -= released;
      const { peer } = this;
      if (this.isAlive && peer)
        this.outgoing.transmit(0, () => peer.output());
    }
  }

  /** The program is done with the connection. */
  close(): void {
    this.owner = undefined;
    if (!this.isAlive || this.isClosed)
      return;
    this.isClosed = true;
    if (!this.isEstablished)
      this.release();
    else if (this.windowUsed > 0)
      this.abort();
    else {
      this.host.clock.schedule(CLOSE_TIMEOUT, () => this.release());
      this.output();
    }
  }

  /** The host has lost its power: nothing is sent or told any more. */
  vanish(): void {
    this.owner = undefined;
    this.isClosed = true;
    this.received = [];
    this.unreadLength = this.windowUsed = 0;
    this.release();
  }

  establish(): void {
    if (this.isAlive && !this.isEstablished) {
      this.isEstablished = true;
      this.owner?.onEstablished();
    }
  }

  receiveReset(): void {
    if (this.isAlive) {
      this.release();
      this.owner?.onOver();
    }
  }

  receiveFIN(): void {
    if (!this.isAlive || this.isFINReceived)
      return;
    this.isFINReceived = true;
    if (this.isClosed)
      this.releaseWhenDone();
    else
      this.owner?.onOver();
  }

  private receive(bytes: Uint8Array): void {
    const { peer, outgoing, link } = this;
    if (!this.isAlive || this.isClosed) {
      // Nobody can read this any more; lwIP and others answer with a reset, and what they had still to send is gone.
      this.abort();
      return;
    }
    const incoming = peer!.outgoing;
    const arriving = Math.min(bytes.length, incoming.cutLength - incoming.carriedLength);
    incoming.carriedLength += arriving;
    if (arriving > 0 && !this.isFINReceived) {
      this.received.push({ bytes: bytes.subarray(0, arriving), offset: 0 });
      this.unreadLength += arriving;
      this.windowUsed += arriving;
      this.owner?.onReceived();
    }
    outgoing.transmit(0, () => peer!.receiveAcknowledgement(bytes.length));
    if (incoming.carriedLength >= incoming.cutLength)
      link.cut(incoming);
  }

  private receiveAcknowledgement(length: number): void {
    if (this.isAlive) {
      this.unacknowledgedLength -= length;
      this.owner?.onSent();
      this.output();
    }
  }

  private receiveFINAcknowledgement(): void {
    this.isFINAcknowledged = true;
    this.releaseWhenDone();
    if (this.isAlive)
      this.host.clock.schedule(FIN_WAIT_TIMEOUT, () => this.release());
  }

  private releaseWhenDone(): void {
    if (this.isFINAcknowledged && this.isFINReceived)
      this.release();
  }

  private abort(): void {
    this.release();
    const { peer } = this;
    if (peer)
      this.outgoing.transmit(0, () => peer.receiveReset());
  }

  private release(): void {
    this.isAlive = false;
    this.queue = [];
    this.queuedLength = 0;
    this.host.endpoints.delete(this);
  }

  private take(length: number): Uint8Array {
    const bytes = new Uint8Array(length);
    let filled = 0;
    while (filled < length) {
      const piece = this.queue[0]!;
      const part = piece.subarray(0, length - filled);
      bytes.set(part, filled);
      filled += part.length;
      if (part.length === piece.length)
        this.queue.shift();
      else
        this.queue[0] = piece.subarray(part.length);
    }
    this.queuedLength -= length;
    return bytes;
  }
}
