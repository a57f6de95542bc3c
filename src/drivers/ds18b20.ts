/**
 * DS18B20 (data sheet 19-7487): temperature at a 1-Wire bus, with its own power line. Alone on its pin it needs no
 * number; of several each is called by its own, of 64 bits (`rom`). All measure for themselves, so nobody takes turns.
 */
import { BAD_CHECKSUM, NO_FAULT } from '../sensors/sensor-faults.ts';
import type { OneWirePort } from './buses.ts';
import { crcOneWire } from './checksums.ts';
import { finished, Part } from './part.ts';

const SKIP_ROM = 0xCC;
const MATCH_ROM = 0x55;
const CONVERT = 0x44;
const READ_SCRATCHPAD = 0xBE;
const ROM_LENGTH = 8;
const SCRATCHPAD_LENGTH = 9;
/** Bytes that are read between two turns of the loop: half a millisecond each. */
const BYTES_AT_ONCE = 3;
/** At 12 bits, as it comes. */
const DURATION = 750;
const COUNTS_PER_DEGREE = 16;
/** What a part says that has lost its power since it was told to measure: 85 degrees. */
const POWER_ON_VALUE = 0x0550;

export class DS18B20 extends Part {
  private readonly io: OneWirePort;
  private readonly rom: Uint8Array | undefined;
  private readonly scratchpad = new Uint8Array(SCRATCHPAD_LENGTH);
  private length = 0;

  /** @param rom 16 hexadecimal digits, the family (28) last, as ESPHome and Linux write it; undefined: alone */
  constructor(io: OneWirePort, rom: string | undefined) {
    super(1);
    this.io = io;
    if (rom !== undefined) {
      const bytes = this.rom = new Uint8Array(ROM_LENGTH);
      for (let index = 0; index < ROM_LENGTH; ++index)
        bytes[ROM_LENGTH - 1 - index] = parseInt(rom.slice(2 * index, 2 * index + 2), 16);
    }
  }

  protected override step(stage: number): number {
    switch (stage) {
      case 0: return this.call(CONVERT) || DURATION;
      case 1:
        this.length = 0;
        return this.call(READ_SCRATCHPAD) || 1;
      default: return this.readOn();
    }
  }

  private call(command: number): number {
    const { io, rom } = this;
    const fault = io.reset();
    if (fault !== NO_FAULT)
      return -fault;
    if (rom === undefined)
      io.writeByte(SKIP_ROM);
    else {
      io.writeByte(MATCH_ROM);
      for (let index = 0; index < ROM_LENGTH; ++index)
        io.writeByte(rom[index]!);
    }
    io.writeByte(command);
    return 0;
  }

  private readOn(): number {
    const { io, scratchpad } = this;
    for (let count = 0; count < BYTES_AT_ONCE; ++count)
      scratchpad[this.length++] = io.readByte();
    if (this.length < SCRATCHPAD_LENGTH)
      return 1;
    // Nobody has answered: the line is high all the time. Zeros have a right checksum, and mean a line that is low.
    if (crcOneWire(scratchpad, SCRATCHPAD_LENGTH - 1) !== scratchpad[SCRATCHPAD_LENGTH - 1] || scratchpad[4] === 0)
      return -BAD_CHECKSUM;
    const word = (scratchpad[0]! | scratchpad[1]! << 8) << 16 >> 16;
    return finished(this.put(0, word / COUNTS_PER_DEGREE, -55, 125) && word !== POWER_ON_VALUE);
  }
}
