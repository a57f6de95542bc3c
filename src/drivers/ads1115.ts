/**
 * ADS1115 (data sheet SBAS444D): a converter of 16 bits behind a switch with four inputs. Each sensor of the
 * configuration is one setting of the switch; they take turns, one measurement at a time.
 */
import { OTHER_PART } from '../sensors/sensor-faults.ts';
import type { I2CPort } from './buses.ts';
import { finished, type Turn } from './part.ts';
import { RegisterPart } from './register-part.ts';

const CONVERSION = 0x00;
const CONFIGURATION = 0x01;
/** Begin one conversion; when read: none is under way. */
const START = 0x8000;
const ONCE = 0x0100;
/** 128 samples a second, comparator off. */
const RATE_AND_COMPARATOR = 0x0083;
const DURATION = 9;
const PAUSE = 1;
const PAUSES = 10;
const HIGHEST_WORD = 0x7FFF;
const LOWEST_WORD = -0x8000;

/** Bits 14 to 12, by name as ESPHome has it. */
const INPUTS: readonly string[] = Object.freeze([
  'A0_A1', 'A0_A3', 'A1_A3', 'A2_A3', 'A0_GND', 'A1_GND', 'A2_GND', 'A3_GND',
]);
/** Bits 11 to 9: volts of the whole scale. */
const GAINS: readonly number[] = Object.freeze([6.144, 4.096, 2.048, 1.024, 0.512, 0.256]);

export class ADS1115 extends RegisterPart {
  private readonly setting: number;
  private readonly scale: number;

  /** @param turn of the part @param multiplexer one of INPUTS @param gain one of GAINS */
  constructor(io: I2CPort, turn: Turn, multiplexer: string, gain: number) {
    super(io, 1, 2, turn);
    this.setting = START | INPUTS.indexOf(multiplexer) << 12 | GAINS.indexOf(gain) << 9 | ONCE | RATE_AND_COMPARATOR;
    this.scale = gain / 0x8000;
  }

  protected override step(stage: number): number {
    if (stage === 0)
      return this.setWord(CONFIGURATION, this.setting) || DURATION;
    const fault = this.get(CONFIGURATION);
    if (fault < 0)
      return fault;
    const word = this.wordAt(0);
    if ((word | START) !== this.setting) // it has lost it, with its power; or it is another part
      return -OTHER_PART;
    if ((word & START) === 0)
      return this.repeat(PAUSE, PAUSES);
    return this.get(CONVERSION) || this.convert();
  }

  private convert(): number {
    const word = this.signedWord();
    this.values[0] = word * this.scale;
    // At its ends the converter says the same of whatever is beyond them.
    return finished(word !== HIGHEST_WORD && word !== LOWEST_WORD);
  }
}
