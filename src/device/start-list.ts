/**
 * The list of starts, in the last two sectors of the partition `config`: which configuration each start used, and
 * whether it "reached good": the gateway worked for a while. So a board that restarts again and again knows it, power
 * cuts included.
 *
 * An entry has two words, each programmed once: the sequence of the configuration, and zero when good was reached. A
 * full sector is followed by the other one, into which the starts are copied that have not reached good; its header
 * comes last.
 */
import type { Flash } from '../io/flash-blocks.ts';
import { crc32 } from './crc32.ts';
import { SECTOR } from './config-slots.ts';

/** In place of a sequence. */
export const BUILT_IN = 0;
export const SAFE_MODE = 0xFFFFFFFE;

/** "RBST" */
const MAGIC = 0x52425354;
const HEADER_LENGTH = 16;
const ENTRY_LENGTH = 8;
const MARK = 4;
const ENTRY_COUNT = (SECTOR - HEADER_LENGTH) / ENTRY_LENGTH;
const ERASED = 0xFFFFFFFF;
/** Starts that are remembered of those that have not reached good. */
const REMEMBERED = 8;

export class StartList {
  /**
   * Sequences of the last starts that have not reached good, without a good one between them; the last one is the
   * latest.
   */
  readonly failed: number[] = [];
  private readonly flash: Flash;
  private readonly firstSector: number;
  /** Which of the two, or -1 when there is none yet. */
  private sector = -1;
  private generation = 0;
  private entryCount = 0;

  constructor(flash: Flash, firstSector: number) {
    this.flash = flash;
    this.firstSector = firstSector;
    for (let sector = 0; sector < 2; ++sector) {
      const generation = this.generationOf(sector);
      if (generation > this.generation) {
        this.generation = generation;
        this.sector = sector;
      }
    }
    if (this.sector >= 0)
      this.readEntries();
  }

  failuresOf(sequence: number): number {
    return this.failed.filter(other => other === sequence).length;
  }

  /** To be called before the configuration is used. */
  begin(sequence: number): void {
    if (this.sector < 0 || this.entryCount === ENTRY_COUNT)
      this.changeSector();
    const entry = new DataView(new ArrayBuffer(4));
    entry.setUint32(0, sequence);
    this.flash.write(new Uint8Array(entry.buffer), this.addressOf(this.entryCount++));
    this.remember(sequence);
  }

  /** The start that began last has reached good. */
  markGood(): void {
    this.flash.write(new Uint8Array(4), this.addressOf(this.entryCount - 1) + MARK);
    this.failed.length = 0;
  }

  private remember(sequence: number): void {
    this.failed.push(sequence);
    if (this.failed.length > REMEMBERED)
      this.failed.shift();
  }

  private addressOf(entry: number): number {
    return (this.firstSector + this.sector) * SECTOR + HEADER_LENGTH + entry * ENTRY_LENGTH;
  }

  /** @returns 0 when the sector has no header that is whole */
  private generationOf(sector: number): number {
    const header = new DataView(new ArrayBuffer(HEADER_LENGTH));
    this.flash.read(new Uint8Array(header.buffer), (this.firstSector + sector) * SECTOR);
    const isWhole = header.getUint32(0) === MAGIC && header.getUint32(8) === crc32(new Uint8Array(header.buffer, 0, 8));
    return isWhole ? header.getUint32(4) : 0;
  }

  /** One entry at a time: once at start. What a power cut has left of an entry counts as a start. */
  private readEntries(): void {
    const entry = new DataView(new ArrayBuffer(ENTRY_LENGTH));
    const bytes = new Uint8Array(entry.buffer);
    for (this.entryCount = 0; this.entryCount < ENTRY_COUNT; ++this.entryCount) {
      this.flash.read(bytes, this.addressOf(this.entryCount));
      if (entry.getUint32(0) === ERASED)
        return;
      if (entry.getUint32(MARK) === ERASED)
        this.remember(entry.getUint32(0));
      else
        this.failed.length = 0;
    }
  }

  private changeSector(): void {
    const sector = this.sector === 0 ? 1 : 0;
    const { failed } = this;
    this.flash.eraseBlock(this.firstSector + sector);
    this.sector = sector;
    this.entryCount = 0;
    const entry = new DataView(new ArrayBuffer(4));
    failed.forEach(sequence => {
      entry.setUint32(0, sequence);
      this.flash.write(new Uint8Array(entry.buffer), this.addressOf(this.entryCount++));
    });
    const header = new DataView(new ArrayBuffer(12));
    header.setUint32(0, MAGIC);
    header.setUint32(4, ++this.generation);
    header.setUint32(8, crc32(new Uint8Array(header.buffer, 0, 8)));
    this.flash.write(new Uint8Array(header.buffer), (this.firstSector + sector) * SECTOR);
  }
}
