/** What a parser needs to know, and whom it tells what it has found. */
import type { RingSpace } from '../bytes/ring-buffer.ts';
import type { Packet } from './packet.ts';
import type { TopicTable } from './topic-table.ts';

export interface PacketHandler {
  /** What its parser shares with others. */
  readonly role: ParserContext;
  /** A valid PUBLISH; `packet` is valid only during the call. Its `type` and `version` need not be set. */
  onPublish(packet: Packet): void;
  /** Any other valid packet. */
  onPacket(packet: Packet): void;
  /** What arrived was illegal; nothing more will be looked at. */
  onError(reasonCode: number): void;
}

export interface ParserSettings {
  /** Longest packet that the peer may send, and capacity of the ring. */
  readonly maximumPacketSize: number;
  /** OVERSIZE_CLOSE or OVERSIZE_DROP. */
  readonly oversize: number;
}

/** What parsers share. */
export interface ParserContext {
  readonly packet: Packet;
  readonly topics: TopicTable;
  readonly settings: ParserSettings;
  /** Of `maximumPacketSize` bytes. */
  readonly ringSpace: RingSpace;
  /** Bytes that a parser takes at a time, if it keeps none: as many as fit the ring and the landing area. */
  readonly readLength: number;
  /** `noteLength` is called for each longer PUBLISH that was not predicted: none such has come, or it may be left. */
  readonly noteAbove: number;
  noteLength(length: number): void;
  /** A PUBLISH may be left. */
  readonly leavesMessages: boolean;
}

/** What to do with a PUBLISH that is longer than the ring. Any other packet of that length is an error. */
export const OVERSIZE_CLOSE = 0;
export const OVERSIZE_DROP = 1;
