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
  private readonly mostWanted: number;
  /**
   * The ring holds the beginning of a packet and has claimed room for all of it, as far as its length is known; so many
   * bytes have not come yet. 0: it holds nothing, or what has waited for the end of a pause.
   */
  private missing = 0;
  /** Where the claimed room ends in the arena. */
  private claimEnd = 0;

  /**
   * @param packet the one instance that all parsers of a program share
   * @param ring its capacity is the length of the longest packet
   */
  constructor(packet: Packet, topics: TopicTable, ring: RingBuffer, handler: PacketHandler) {
    super(packet, topics, ring.capacity, handler);
    this.ring = ring;
    this.mostWanted = ring.capacity < packet.arena.landingCapacity ? ring.capacity : packet.arena.landingCapacity;
  }

  /** Starts a new connection. Not for the handler: it would pull the ring away from under the parser. */
  reset(acceptedTypes: number, version: number): void {
    this.begin(acceptedTypes, version);
    this.ring.clear();
    this.missing = 0;
    this.settle();
  }

  /** How many bytes `receive` takes, wanted or not. */
  get capacity(): number {
    return this.wanted > 0 ? this.ring.capacity : this.ring.free;
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
    const { ring } = this;
    this.unpause();
    if (ring.length > 0 && this.missing === 0 && this.reasonCode === ReasonCode.SUCCESS) {
      const start = ring.linearize(ring.length);
      ring.consume(this.parse(start, start + ring.length) - start);
    }
    this.carry(0, 0);
  }

  /**
   * Takes `length` bytes, at most `capacity`, that lie at `offset`, outside the ring. Calls the handler for each packet
   * that is complete. Afterwards the bytes may be overwritten.
   */
  receive(offset: number, length: number): void {
    if (this.isCarrying) {
      const missing = this.missing;
      if (length < missing) { // one more piece of the packet in the ring
        this.missing = missing - length;
        this.bytes.copyWithin(this.claimEnd - missing, offset, offset + length);
      } else
        this.receiveBehind(offset, offset + length);
      return;
    }
    const end = offset + length;
    const rest = this.parse(offset, end);
    if (rest !== end || this.isCarrying)
      this.carry(rest, end);
  }

  /** Takes bytes that belong behind, or into, something that is kept. */
  private receiveBehind(offset: number, end: number): void {
    let missing = this.missing;
    while (missing !== 0 && missing <= end - offset && !this.isPaused) {
      const claimEnd = this.claimEnd;
      this.bytes.copyWithin(claimEnd - missing, offset, offset + missing);
      offset += missing;
      this.missing = missing = 0;
      if (this.parse(claimEnd - this.needed, claimEnd) === claimEnd)
        this.ring.clear();
      else if (this.reasonCode === ReasonCode.SUCCESS)
        missing = this.claim(); // its header is complete, so now more is known of it
    }
    if (this.skip > 0) {
      const available = end - offset;
      const skipped = this.skip < available ? this.skip : available;
      this.skip -= skipped;
      offset += skipped;
    }
    if (missing === 0 && offset < end && !this.isPaused && this.reasonCode === ReasonCode.SUCCESS)
      offset = this.parse(offset, end);
    this.carry(offset, end);
  }

  /** Keeps what is left for later, and says so if there will be no later. */
  private carry(offset: number, end: number): void {
    if (this.isPaused || this.reasonCode !== ReasonCode.SUCCESS) {
      this.carryUnseen(offset, end);
      return;
    }
    let missing = this.missing;
    if (offset < end) { // the beginning of a packet, or of a longer part of its header
      if (missing === 0)
        missing = this.claim();
      this.bytes.copyWithin(this.claimEnd - missing, offset, end);
      this.missing = missing + offset - end;
      this.isCarrying = true;
      return;
    }
    if (missing === 0 && this.ring.length > 0) // after a pause
      this.claim();
    this.isCarrying = this.skip > 0 || this.ring.length > 0;
  }

  /** Keeps bytes that must not be looked at now: a pause, or the end. */
  private carryUnseen(offset: number, end: number): void {
    const { ring } = this;
    ring.length -= this.missing;
    this.missing = 0;
    if (offset < end && this.reasonCode === ReasonCode.SUCCESS && !ring.write(offset, end - offset))
      this.fail(ReasonCode.QUOTA_EXCEEDED);
    this.settle();
    if (this.reasonCode !== ReasonCode.SUCCESS)
      this.handler.onError(this.reasonCode);
  }

  /** Claims room in the ring for what is `needed` of the packet that begins at its head. @returns what is missing of it */
  private claim(): number {
    const { needed, ring } = this;
    const held = ring.length;
    this.claimEnd = ring.claim(needed) + needed;
    return this.missing = needed - held;
  }

  /** Works out anew what the hot path relies on. */
  private settle(): void {
    const isActive = !this.isPaused && this.reasonCode === ReasonCode.SUCCESS;
    this.wanted = isActive ? this.mostWanted : 0;
    this.isCarrying = !isActive || this.skip > 0 || this.ring.length > 0;
  }
}
