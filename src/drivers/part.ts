/**
 * A part that needs time for a measurement: begins it, says when it wants to be called again, and gives what it has
 * measured when it is done. Nobody waits meanwhile. Sensors that read other quantities of the same part share its
 * measurement.
 *
 * A measurement is a row of steps, each of them a few bytes on the bus. A part whose answer is wrong ends the
 * measurement with a fault, has no values then, and is set up anew in the next one.
 */
import type { Sensor } from '../sensors/sensor-state.ts';
import { NO_ANSWER, NO_FAULT, OUT_OF_RANGE, STUCK_BUS, TOO_LATE } from '../sensors/sensor-faults.ts';
import type { I2CPort } from './buses.ts';

/** Milliseconds in which who has not had the last measurement yet takes that one. */
const FRESH = 500;
/** Between two questions whether a line is free. */
const PAUSE = 10;
/** Whoever has had a line for so long has been forgotten. */
const LONGEST_TURN = 2000;

/** Of a step: the measurement is complete. */
const DONE = 0;

const IDLE = -1;

/** Of a line, or of a part, that can serve one at a time. */
export class Turn {
  owner: Part | undefined = undefined;
  since = 0;
}

export abstract class Part {
  /** What was measured last, in the order of the type's quantities (config/sensor-types.ts). */
  readonly values: Float64Array;
  /** Why the last measurement has no values, or NO_FAULT. */
  fault = NO_FAULT;
  /** Measurements so far. */
  count = 0;
  /** The part has been set up since the last fault. */
  protected isSetUp = false;
  private readonly turn: Turn | undefined;
  private stage = IDLE;
  private repetitions = 0;
  private nextAt = 0;
  private measuredAt = 0;

  constructor(quantityCount: number, turn?: Turn) {
    this.values = new Float64Array(quantityCount);
    this.turn = turn;
  }

  /**
   * Takes the measurement one step further, if it is time, or begins one.
   * @param taken the number of the measurement that the caller has had last
   * @returns milliseconds until this should be called again; 0: there is another measurement than that
   */
  prepare(now: number, taken: number): number {
    if (this.stage === IDLE) {
      if (this.count !== taken && (now - this.measuredAt | 0) < FRESH)
        return DONE;
      if (!this.takeTurn(now))
        return PAUSE;
      this.stage = this.repetitions = 0;
    } else {
      const wait = this.nextAt - now | 0;
      if (wait > 0)
        return wait;
    }
    const result = this.step(this.stage++);
    if (result > 0) {
      this.nextAt = now + result | 0;
      return result;
    }
    this.stage = IDLE;
    this.measuredAt = now;
    this.fault = result < 0 ? this.explain(-result) : NO_FAULT;
    this.isSetUp = result === DONE;
    ++this.count;
    if (this.turn !== undefined)
      this.turn.owner = undefined;
    return DONE;
  }

  /**
   * One step of a measurement. @param stage 0, then 1 more each time, unless `repeat` or `goTo` say otherwise
   * @returns milliseconds to the next one, DONE, or a fault, negative
   */
  protected abstract step(stage: number): number;

  /** The same step again, unless it has been repeated too often. */
  protected repeat(wait: number, most: number): number {
    --this.stage;
    return ++this.repetitions > most ? -TOO_LATE : wait;
  }

  /** Another step is the next one. */
  protected goTo(stage: number, wait: number): number {
    this.stage = stage;
    return wait;
  }

  /** @returns whether a value is what the part can measure, NaN is not */
  protected put(index: number, value: number, lowest: number, highest: number): boolean {
    this.values[index] = value;
    return value >= lowest && value <= highest;
  }

  /** @returns what a step that fails for `fault` fails for */
  protected explain(fault: number): number {
    return fault;
  }

  private takeTurn(now: number): boolean {
    const { turn } = this;
    if (turn === undefined)
      return true;
    if (turn.owner !== undefined && turn.owner !== this && (now - turn.since | 0) < LONGEST_TURN)
      return false;
    turn.owner = this;
    turn.since = now;
    return true;
  }
}

/** A part on an I2C bus, with the bytes that go out and come in. */
export abstract class I2CPart extends Part {
  protected readonly io: I2CPort;
  protected readonly output: Uint8Array;
  protected readonly input: Uint8Array;

  constructor(io: I2CPort, quantityCount: number, outputLength: number, inputLength: number, turn?: Turn) {
    super(quantityCount, turn);
    this.io = io;
    this.output = new Uint8Array(outputLength);
    this.input = new Uint8Array(inputLength);
  }

  /** Two bytes, the high one first. @returns a fault, negative, or 0 */
  protected send(word: number): number {
    const { output } = this;
    output[0] = word >> 8;
    output[1] = word;
    return -this.io.write(output);
  }

  /** @returns a fault, negative, or 0 */
  protected receive(): number {
    return -this.io.read(this.input);
  }

  /** A bus that is stuck is freed, here and now, for the others on it. */
  protected override explain(fault: number): number {
    return fault === NO_ANSWER || fault === STUCK_BUS ? this.io.recover() : fault;
  }

  /** The word at `offset` of what has come in, the high byte first. */
  protected wordAt(offset: number): number {
    return this.input[offset]! << 8 | this.input[offset + 1]!;
  }
}

/** One quantity of a part, for one sensor of the configuration. */
export class PartSensor implements Sensor {
  private readonly part: Part;
  private readonly index: number;
  private taken = 0;

  constructor(part: Part, index: number) {
    this.part = part;
    this.index = index;
  }

  get fault(): number {
    return this.part.fault;
  }

  prepare(now: number): number {
    return this.part.prepare(now, this.taken);
  }

  read(): number {
    const { part } = this;
    this.taken = part.count;
    return part.fault === NO_FAULT ? part.values[this.index]! : NaN;
  }
}

/** For steps that end a measurement. @param isRight whether all of its values are */
export const finished = (isRight: boolean): number => isRight ? DONE : -OUT_OF_RANGE;
