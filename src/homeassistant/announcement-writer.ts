/** Writes announcements and cards from the pieces of device-texts.ts to memory. */
import type { Arena } from '../bytes/arena.ts';
import { equalBytes } from '../bytes/compare.ts';
import { encodeUTF8, lengthOfUTF8 } from '../bytes/utf8.ts';
import { CARD_HEAD } from './announced-cards.ts';
import { type Device, END_OF_DEVICE } from './device-texts.ts';

const COMMA = 0x2C;
const CLOSING_BRACE = 0x7D;
const QUOTE = 0x22;
/** In a mark: `"key":{"p":"sensor"`. */
const QUOTES_OF_MARK = 6;
const END_LENGTH = END_OF_DEVICE.length;

export class AnnouncementWriter {
  private readonly arena: Arena;
  /** Where cards are written. */
  private readonly card: number;

  constructor(arena: Arena, card: number) {
    this.arena = arena;
    this.card = card;
  }

  /**
   * Writes the payload of a device. @param mark, end components that are taken back: their marks, one behind the other
   * @returns the offset after it
   */
  writePayload({ components, head }: Device, start: number, mark: number, end: number): number {
    const { arena, arena: { bytes } } = this;
    let offset = encodeUTF8(arena, start, head);
    for (let index = 0; index < components.length; ++index) {
      if (index > 0)
        bytes[offset++] = COMMA;
      const { mark: text, rest } = components[index]!;
      offset = encodeUTF8(arena, encodeUTF8(arena, offset, text), rest);
    }
    for (let length = 0; mark < end; mark += length) {
      length = this.lengthOfMark(mark, end);
      if (bytes[offset - 1] === CLOSING_BRACE)
        bytes[offset++] = COMMA;
      bytes.copyWithin(offset, mark, mark + length);
      offset += length;
      bytes[offset++] = CLOSING_BRACE;
    }
    return encodeUTF8(arena, offset, END_OF_DEVICE);
  }

  /** Bytes of the payload. */
  lengthOf({ components, head }: Device): number {
    let length = lengthOfUTF8(head) + END_LENGTH + (components.length > 0 ? -1 : 0);
    for (let index = 0; index < components.length; ++index)
      length += lengthOfUTF8(components[index]!.mark) + lengthOfUTF8(components[index]!.rest) + 1;
    return length;
  }

  /** @returns its length */
  writeCard({ components, topic }: Device): number {
    const { arena, card } = this;
    let offset = encodeUTF8(arena, card + CARD_HEAD, topic);
    arena.view.setUint16(card, offset - card - CARD_HEAD);
    for (let index = 0; index < components.length; ++index)
      offset = encodeUTF8(arena, offset, components[index]!.mark);
    return offset - card;
  }

  /** Whether the card that was written last, which ends at `end`, has the mark. */
  hasMark(offset: number, length: number, end: number): boolean {
    const { arena, card } = this;
    for (let mark = card + CARD_HEAD + arena.view.getUint16(card); mark < end;) {
      const own = this.lengthOfMark(mark, end);
      if (own === length && equalBytes(arena, mark, offset, length))
        return true;
      mark += own;
    }
    return false;
  }

  lengthOfMark(offset: number, end: number): number {
    const { bytes } = this.arena;
    let at = offset;
    for (let quotes = 0; at < end && quotes < QUOTES_OF_MARK; ++at)
      if (bytes[at] === QUOTE)
        ++quotes;
    return at - offset;
  }
}
