/**
 * The configurations that a board has stored, in the flash partition `config`: two slots, so that a power cut while
 * one is written leaves the other, and the list of starts (start-list.ts).
 *
 *   | slot 0: 2 sectors | slot 1: 2 sectors | list of starts: 2 sectors |
 *
 * A slot: magic, version, sequence, length, CRC of the text, CRC of these; then two marks, each a word that is
 * programmed once to zero: "good" (the gateway has worked with it) and "given up" (it has not, twice); then the text.
 * The header is written last. The slot with the higher sequence is the newer one. Never overwritten: the last good
 * one.
 *
 * Knows nothing of what a configuration says.
 */
import type { Flash } from '../io/flash-blocks.ts';
import type { TextSource } from '../config/json-tokens.ts';
import { crc32 } from './crc32.ts';

export const SECTOR = 4096;
const SECTORS_PER_SLOT = 2;
const SLOT_LENGTH = SECTOR * SECTORS_PER_SLOT;
const SLOT_COUNT = 2;
/** The list of starts begins here. */
export const FIRST_START_SECTOR = SLOT_COUNT * SECTORS_PER_SLOT;
export const CONFIG_PARTITION_LENGTH = SECTOR * (FIRST_START_SECTOR + 2);

/** "RBCF" */
const MAGIC = 0x52424346;
const VERSION = 1;
const SEQUENCE = 8;
const LENGTH = 12;
const TEXT_CRC = 16;
const HEADER_CRC = 20;
const GOOD = 24;
const GIVEN_UP = 28;
const HEADER_LENGTH = 24;
const TEXT = 32;
const ERASED = 0xFFFFFFFF;

/** Bytes of UTF-8. */
export const LONGEST_CONFIGURATION = SLOT_LENGTH - TEXT;

/** Bytes that are read or written at a time. */
const PIECE = 256;

export interface StoredConfiguration extends TextSource {
  readonly slot: number;
  readonly sequence: number;
  readonly isGood: boolean;
  readonly isGivenUp: boolean;
}

export class ConfigSlots {
  private readonly flash: Flash;

  /** @throws Error when the partition is too small */
  constructor(flash: Flash) {
    const { blockLength, size } = flash.status();
    if (size < CONFIG_PARTITION_LENGTH || blockLength !== SECTOR)
      throw new Error(`the flash partition "config" needs ${CONFIG_PARTITION_LENGTH} bytes in sectors of ${SECTOR}`);
    this.flash = flash;
  }

  /** Those that are whole, the newest first. */
  list(): StoredConfiguration[] {
    const found: StoredConfiguration[] = [];
    for (let slot = 0; slot < SLOT_COUNT; ++slot) {
      const stored = this.read(slot);
      if (stored !== undefined)
        found.push(stored);
    }
    return found.sort((a, b) => b.sequence - a.sequence);
  }

  /** Whether a slot holds a configuration in a form that only a later version of the gateway knows. */
  get hasLaterVersion(): boolean {
    return [0, 1].some(slot => {
      const header = this.header(slot);
      return header !== undefined && header.getUint32(4) > VERSION;
    });
  }

  /**
   * Stores a text as the newest configuration, to be tried at the next start. A power cut at any step leaves either
   * what was there before or the new one as the newest. @returns false when the newest one has this text already
   * @throws RangeError when it is too long
   */
  write(text: Uint8Array): boolean {
    if (text.length > LONGEST_CONFIGURATION)
      throw new RangeError(`the configuration has ${text.length} bytes, ${LONGEST_CONFIGURATION} are possible`);
    const present = this.list();
    if (present[0] !== undefined && !present[0].isGivenUp && this.isEqual(present[0], text))
      return false;
    const slot = freeSlot(present);
    const start = slot * SLOT_LENGTH;
    this.flash.eraseBlock(slot * SECTORS_PER_SLOT, (slot + 1) * SECTORS_PER_SLOT);
    const piece = new Uint8Array(PIECE);
    for (let at = 0; at < text.length; at += PIECE) {
      const part = text.subarray(at, at + PIECE);
      piece.fill(0xFF);
      piece.set(part);
      this.flash.write(piece.slice(0, part.length + 3 & ~3), start + TEXT + at);
    }
    const header = new DataView(new ArrayBuffer(HEADER_LENGTH));
    header.setUint32(0, MAGIC);
    header.setUint32(4, VERSION);
    header.setUint32(SEQUENCE, (present[0]?.sequence ?? 0) + 1);
    header.setUint32(LENGTH, text.length);
    header.setUint32(TEXT_CRC, crc32(text));
    header.setUint32(HEADER_CRC, crc32(new Uint8Array(header.buffer, 0, HEADER_CRC)));
    this.flash.write(new Uint8Array(header.buffer), start);
    return true;
  }

  markGood({ isGood, slot }: StoredConfiguration): void {
    if (!isGood)
      this.mark(slot, GOOD);
  }

  /** It is not tried again. */
  giveUp({ isGivenUp, slot }: StoredConfiguration): void {
    if (!isGivenUp)
      this.mark(slot, GIVEN_UP);
  }

  private mark(slot: number, offset: number): void {
    this.flash.write(new Uint8Array(4), slot * SLOT_LENGTH + offset);
  }

  /** @returns undefined when the slot has no header that is whole */
  private header(slot: number): DataView | undefined {
    const header = new DataView(new ArrayBuffer(TEXT));
    this.flash.read(new Uint8Array(header.buffer), slot * SLOT_LENGTH);
    const isWhole = header.getUint32(0) === MAGIC
      && header.getUint32(HEADER_CRC) === crc32(new Uint8Array(header.buffer, 0, HEADER_CRC));
    return isWhole ? header : undefined;
  }

  private read(slot: number): StoredConfiguration | undefined {
    const header = this.header(slot);
    if (header === undefined || header.getUint32(4) !== VERSION)
      return undefined;
    const start = slot * SLOT_LENGTH + TEXT;
    const stored: StoredConfiguration = {
      slot,
      sequence: header.getUint32(SEQUENCE),
      isGood: header.getUint32(GOOD) !== ERASED,
      isGivenUp: header.getUint32(GIVEN_UP) !== ERASED,
      length: header.getUint32(LENGTH),
      read: (target, offset) => this.flash.read(target, start + offset),
    };
    return stored.length <= LONGEST_CONFIGURATION && this.checksum(stored) === header.getUint32(TEXT_CRC) ? stored
      : undefined;
  }

  private checksum(stored: StoredConfiguration): number {
    const piece = new Uint8Array(PIECE);
    let sum = 0;
    for (let at = 0; at < stored.length; at += PIECE) {
      const count = Math.min(PIECE, stored.length - at);
      this.readPart(stored, piece, at, count);
      sum = crc32(piece, count, sum);
    }
    return sum;
  }

  private isEqual(stored: StoredConfiguration, text: Uint8Array): boolean {
    if (stored.length !== text.length)
      return false;
    const piece = new Uint8Array(PIECE);
    for (let at = 0; at < text.length; at += PIECE) {
      const count = Math.min(PIECE, text.length - at);
      this.readPart(stored, piece, at, count);
      for (let index = 0; index < count; ++index)
        if (piece[index] !== text[at + index])
          return false;
    }
    return true;
  }

  /** The last piece may end outside of the slot, where the flash need not have anything. */
  private readPart(stored: StoredConfiguration, piece: Uint8Array, at: number, count: number): void {
    stored.read(count === PIECE ? piece : piece.subarray(0, count + 3 & ~3), at);
  }
}

/** Not that of the last good configuration. */
function freeSlot([newest, older]: readonly StoredConfiguration[]): number {
  if (newest === undefined)
    return 0;
  const other = 1 - newest.slot;
  return older === undefined || newest.isGood || !older.isGood ? other : newest.slot;
}
