/**
 * Parts that give a word.
 *
 *   TMP117 TMP102 LM75   temperature, measured all the time: it is only fetched
 *   BH1750               illuminance; data sheet of 2011, one measurement in high resolution
 *   INA226               voltage, current, power; data sheet SBOS547B, one measurement of both, averaged over 16
 */
import { OTHER_PART } from '../sensors/sensor-faults.ts';
import type { I2CPort } from './buses.ts';
import { finished, I2CPart } from './part.ts';
import { RegisterPart } from './register-part.ts';

const TEMPERATURE = 0x00;
const TMP117_ID = 0x0F;
/** The upper bits are the revision. */
const TMP117_ID_BITS = 0x0FFF;
const TMP117_NUMBER = 0x0117;
/** Until its first measurement, a second after power-on. */
const TMP117_NOTHING = -0x8000;
const TMP117_PAUSE = 250;
const LOWEST = -55;
const HIGHEST = 150;

const BH1750_ONCE = 0x20;
const BH1750_DURATION = 180;
const BH1750_COUNTS_PER_LUX = 1.2;
/** What it says of all that is brighter. */
const BH1750_BRIGHTEST = 0xFFFF;

const INA226_CONFIGURATION = 0x00;
const INA226_SHUNT = 0x01;
const INA226_BUS = 0x02;
const INA226_MASK = 0x06;
const INA226_MANUFACTURER = 0xFE;
/** "TI" */
const TEXAS_INSTRUMENTS = 0x5449;
/** Bits that must be set, 16 averages, 1.1 ms for each of the two, both, once. */
const INA226_ONCE = 0x4000 | 2 << 9 | 4 << 6 | 4 << 3 | 3;
/** 16 times 2.2 ms, and a tenth. */
const INA226_DURATION = 39;
const INA226_READY = 0x0008;
const PAUSE = 3;
const PAUSES = 10;
const VOLTS_OF_BUS = 0.00125;
const VOLTS_OF_SHUNT = 0.0000025;
const LARGEST_VOLTAGE = 36;
/** At the shunt: 0.08192, where the converter ends. */
const LARGEST_WORD = 0x7FFF;

/** LM75 and TMP102 have the degree in the high byte. */
export class LM75 extends RegisterPart {
  protected readonly perDegree: number = 256;

  constructor(io: I2CPort) {
    super(io, 1, 2);
  }

  protected override step(_stage: number): number {
    return this.get(TEMPERATURE) || this.convert();
  }

  protected convert(): number {
    return finished(this.put(0, this.signedWord() / this.perDegree, LOWEST, HIGHEST));
  }
}

export class TMP117 extends LM75 {
  protected override readonly perDegree = 128;

  protected override step(stage: number): number {
    if (stage > 0 || this.isSetUp)
      return super.step(stage);
    return this.get(TMP117_ID) || ((this.wordAt(0) & TMP117_ID_BITS) === TMP117_NUMBER ? 1 : -OTHER_PART);
  }

  protected override convert(): number {
    return this.signedWord() === TMP117_NOTHING ? this.repeat(TMP117_PAUSE, PAUSES) : super.convert();
  }
}

export class BH1750 extends I2CPart {
  constructor(io: I2CPort) {
    super(io, 1, 1, 2);
  }

  protected override step(stage: number): number {
    if (stage > 0)
      return this.receive() || this.convert();
    this.output[0] = BH1750_ONCE;
    return -this.io.write(this.output) || BH1750_DURATION;
  }

  private convert(): number {
    const counts = this.wordAt(0);
    this.values[0] = counts / BH1750_COUNTS_PER_LUX;
    return finished(counts !== BH1750_BRIGHTEST);
  }
}

export class INA226 extends RegisterPart {
  private readonly shuntResistance: number;

  /** @param shuntResistance ohm */
  constructor(io: I2CPort, shuntResistance: number) {
    super(io, 3, 2);
    this.shuntResistance = shuntResistance;
  }

  protected override step(stage: number): number {
    switch (stage) {
      case 0: return this.isSetUp ? this.begin() || this.goTo(2, INA226_DURATION)
        : this.get(INA226_MANUFACTURER) || (this.wordAt(0) === TEXAS_INSTRUMENTS ? 1 : -OTHER_PART);
      case 1: return this.begin() || INA226_DURATION;
      default: return this.get(INA226_MASK) || this.fetch();
    }
  }

  private begin(): number {
    return this.setWord(INA226_CONFIGURATION, INA226_ONCE);
  }

  private fetch(): number {
    if ((this.wordAt(0) & INA226_READY) === 0)
      return this.repeat(PAUSE, PAUSES);
    let fault = this.get(INA226_BUS);
    if (fault < 0)
      return fault;
    const voltage = this.wordAt(0) * VOLTS_OF_BUS;
    fault = this.get(INA226_SHUNT);
    if (fault < 0)
      return fault;
    const word = this.signedWord();
    const current = word * VOLTS_OF_SHUNT / this.shuntResistance;
    this.values[1] = current;
    this.values[2] = voltage * current;
    // At its ends the converter says the same of whatever is beyond them.
    return finished(this.put(0, voltage, 0, LARGEST_VOLTAGE) && word < LARGEST_WORD && word > -LARGEST_WORD - 1);
  }
}
