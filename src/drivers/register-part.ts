/** A part with registers: their number goes out, and their bytes come in or follow. */
import type { I2CPort } from './buses.ts';
import { I2CPart, type Turn } from './part.ts';

export abstract class RegisterPart extends I2CPart {
  private readonly register: Uint8Array;
  private readonly registerAndByte: Uint8Array;

  constructor(io: I2CPort, quantityCount: number, inputLength: number, turn?: Turn) {
    super(io, quantityCount, 3, inputLength, turn);
    this.register = this.output.subarray(0, 1);
    this.registerAndByte = this.output.subarray(0, 2);
  }

  /** As many bytes as the view has. @returns a fault, negative, or 0 */
  protected get(register: number, bytes = this.input): number {
    this.output[0] = register;
    return -this.io.write(this.register) || -this.io.read(bytes);
  }

  protected setByte(register: number, value: number): number {
    const { output } = this;
    output[0] = register;
    output[1] = value;
    return -this.io.write(this.registerAndByte);
  }

  /** The high byte first. */
  protected setWord(register: number, value: number): number {
    const { output } = this;
    output[0] = register;
    output[1] = value >> 8;
    output[2] = value;
    return -this.io.write(output);
  }

  /** The first two bytes of what has come in, as a number with a sign. */
  protected signedWord(): number {
    return this.wordAt(0) << 16 >> 16;
  }
}
