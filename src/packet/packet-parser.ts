/**
 * Bytes in, packets out, in any fragmentation, with memory of a fixed size and no allocation.
 *
 * A whole packet is parsed where it arrived; only what is left over, the beginning of a packet or everything behind a
 * packet after which the handler paused, goes into the ring. The next bytes complete the packet in the ring, just that
 * one, and the rest is again parsed in place.
 *
 *   receive ──► landing ──► whole packets ─────────────► handler
 *                  └─ rest ──► ring ──► completed packet ──┘
 *
 * Knows no connection and no time.
 */
import { RingBuffer } from '../bytes/ring-buffer.ts';
import type { Packet } from './packet.ts';
import { type PacketHandler, PacketReader } from './packet-reader.ts';
import * as ReasonCode from './reason-code.ts';
import type { TopicTable } from './topic-table.ts';

export { OVERSIZE_CLOSE, OVERSIZE_DROP, type PacketHandler } from './packet-reader.ts';

export class PacketParser extends PacketReader {
  /** How many bytes to bring next: what fits the ring and the landing area; 0 while paused, and after an error. */
  wanted = 0;
  private readonly ring: RingBuffer;
  /** Whether the next bytes belong behind, or into, something that is kept: the ring, a payload to skip, a pause. */
  private isCarrying = false;
  /** Fewer bytes than these cannot complete what the ring holds; 0 while it holds nothing, or a pause. */
  private missing = 0;

  /**
   * @param packet the one instance that all parsers of a program share
   * @param ring its capacity is the length of the longest packet
   */
  constructor(packet: Packet, topics: TopicTable, ring: RingBuffer, handler: PacketHandler) {
    super(packet, topics, ring.capacity, handler);
    this.ring = ring;
  }

  /** Starts a new connection. Not for the handler: it would pull the ring away from under the parser. */
  reset(acceptedTypes: number, version: number): void {
    this.begin(acceptedTypes, version);
    this.ring.clear();
    this.settle();
  }

  /** How many bytes `receive` takes, wanted or not. */
  get capacity(): number {
    return this.ring.free;
  }

  /** Stops for good; the handler calls it too. */
  fail(reasonCode: number): void {
    if (this.reasonCode === ReasonCode.SUCCESS)
      this.reasonCode = reasonCode;
    this.settle();
  }

  /** No further packet until `unpause` or `resume`; what arrives meanwhile is kept in the ring. For the handler. */
  pause(): void {
    this.isPaused = true;
    this.settle();
  }

  /** Takes a pause back, during the same call of the handler. */
  unpause(): void {
    this.isPaused = false;
    this.settle();
  }

  /** Goes on after a pause, with what the ring holds. */
  resume(): void {
    this.isPaused = false;
    if (this.ring.length > 0 && this.reasonCode === ReasonCode.SUCCESS)
      this.parseRing();
    this.settle();
    if (this.reasonCode !== ReasonCode.SUCCESS)
      this.handler.onError(this.reasonCode);
  }

  /**
   * Takes `length` bytes, at most `capacity`, that lie at `offset`, outside the ring. Calls the handler for each packet
   * that is complete. Afterwards the bytes may be overwritten.
   */
  receive(offset: number, length: number): void {
    if (length < this.missing) { // one more piece of the packet in the ring
      this.missing -= length;
      this.wanted -= length;
      this.ring.write(offset, length);
      return;
    }
    const end = offset + length;
    if (this.isCarrying)
      offset = this.receiveCarried(offset, end);
    if (offset < end) {
      offset = this.parse(offset, end);
      if (offset < end || this.skip > 0)
        this.carry(offset, end);
    }
    if (this.reasonCode !== ReasonCode.SUCCESS)
      this.handler.onError(this.reasonCode);
  }

  /** Gives bytes to what is kept. @returns the offset of the first byte that is to be parsed in place; `end` if none */
  private receiveCarried(offset: number, end: number): number {
    if (this.reasonCode !== ReasonCode.SUCCESS)
      return end;
    if (this.skip > 0)
      offset = this.skipTo(offset, end);
    if (this.ring.length > 0 && !this.isPaused)
      offset = this.completeRing(offset, end);
    if (this.reasonCode !== ReasonCode.SUCCESS)
      return end;
    if (this.isPaused) {
      this.carry(offset, end);
      return end;
    }
    this.settle();
    return offset;
  }

  /** Keeps bytes for later. */
  private carry(offset: number, end: number): void {
    if (this.reasonCode === ReasonCode.SUCCESS && offset < end && !this.ring.write(offset, end - offset))
      this.fail(ReasonCode.QUOTA_EXCEEDED);
    this.settle();
  }

  /** Works out anew what the hot path relies on. */
  private settle(): void {
    const isStopped = this.isPaused || this.reasonCode !== ReasonCode.SUCCESS;
    this.wanted = isStopped ? 0 : this.ring.free < this.arena.landingCapacity ? this.ring.free : this.arena.landingCapacity;
    this.isCarrying = isStopped || this.skip > 0 || this.ring.length > 0;
    this.missing = isStopped || this.ring.length === 0 ? 0 : this.needed - this.ring.length;
  }

  /** Moves bytes into the ring, no more than needed, until what it holds has been parsed. @returns where the rest begins */
  private completeRing(offset: number, end: number): number {
    const ring = this.ring;
    while (ring.length > 0 && this.reasonCode === ReasonCode.SUCCESS && !this.isPaused) {
      let missing = this.needed - ring.length;
      if (missing > 0) {
        if (missing > end - offset)
          missing = end - offset;
        ring.write(offset, missing); // fits: `needed` never exceeds the ring
        offset += missing;
        if (ring.length < this.needed)
          break;
      }
      this.parseRing();
      if (this.skip > 0)
        offset = this.skipTo(offset, end);
    }
    return offset;
  }

  private parseRing(): void {
    const ring = this.ring;
    const length = ring.length;
    const start = ring.linearize(length);
    ring.consume(this.parse(start, start + length) - start);
  }

  private skipTo(offset: number, end: number): number {
    const available = end - offset;
    const skipped = this.skip < available ? this.skip : available;
    this.skip -= skipped;
    return offset + skipped;
  }
}
