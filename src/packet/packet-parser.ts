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
    if (this.ring.length > 0 && this.isActive)
      this.parseRing();
    this.carry(0, 0);
  }

  /**
   * Takes `length` bytes, at most `capacity`, that lie at `offset`, outside the ring. Calls the handler for each packet
   * that is complete. Afterwards the bytes may be overwritten.
   */
  receive(offset: number, length: number): void {
    if (this.isCarrying) {
      this.receiveBehind(offset, length);
      return;
    }
    const end = offset + length;
    const rest = this.parse(offset, end);
    if (rest !== end || this.isCarrying)
      this.carry(rest, end);
  }

  /** Takes bytes that belong behind, or into, something that is kept. */
  private receiveBehind(offset: number, length: number): void {
    if (length < this.missing) { // one more piece of the packet in the ring
      this.missing -= length;
      this.wanted -= length;
      if (this.wanted < this.missing) // a packet longer than two landing areas; `missing` always fits the ring
        this.wanted = this.missing < this.arena.landingCapacity ? this.missing : this.arena.landingCapacity;
      this.ring.write(offset, length);
      return;
    }
    const end = offset + length;
    if (this.skip > 0)
      offset = this.skipTo(offset, end);
    if (this.ring.length > 0)
      offset = this.completeRing(offset, end);
    if (offset < end && this.isActive)
      offset = this.parse(offset, end);
    this.carry(offset, end);
  }

  /** Keeps what is left for later, and says so if there will be no later. */
  private carry(offset: number, end: number): void {
    if (offset < end && this.reasonCode === ReasonCode.SUCCESS && !this.ring.write(offset, end - offset))
      this.fail(ReasonCode.QUOTA_EXCEEDED);
    this.settle();
    if (this.reasonCode !== ReasonCode.SUCCESS)
      this.handler.onError(this.reasonCode);
  }

  private get isActive(): boolean {
    return !this.isPaused && this.reasonCode === ReasonCode.SUCCESS;
  }

  /** Works out anew what the hot path relies on. */
  private settle(): void {
    const { ring } = this;
    const room = ring.free < this.arena.landingCapacity ? ring.free : this.arena.landingCapacity;
    this.wanted = this.isActive ? room : 0;
    this.isCarrying = !this.isActive || this.skip > 0 || ring.length > 0;
    this.missing = this.isActive && ring.length > 0 ? this.needed - ring.length : 0;
  }

  /** Moves bytes into the ring, no more than needed, until what it holds has been parsed. @returns where the rest begins */
  private completeRing(offset: number, end: number): number {
    const ring = this.ring;
    while (ring.length > 0 && this.isActive) {
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
