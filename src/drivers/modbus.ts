/**
 * Modbus RTU (Modbus over Serial Line 1.02), as master: a number of one or two registers of a device. All that are on a
 * line take turns, with the silence between them that the specification asks for.
 */
import { BAD_CHECKSUM, NO_ANSWER, REFUSED } from '../sensors/sensor-faults.ts';
import type { SerialPort } from './buses.ts';
import { crcModbus } from './checksums.ts';
import { finished, Part, type Turn } from './part.ts';

const REQUEST_LENGTH = 8;
/** Address, function, count of bytes; and the checksum behind them. */
const HEAD_LENGTH = 3;
const CHECKSUM_LENGTH = 2;
const EXCEPTION = 0x80;
/** That a line keeps. */
const MOST_LEFT = 1024;
/** Two registers at most. */
const LONGEST_ANSWER = HEAD_LENGTH + 4 + CHECKSUM_LENGTH;

const HOLDING = 3;
const INPUT = 4;

/** Milliseconds; the specification has 1.75 as the shortest between frames. */
const SILENCE = 5;
const PAUSE = 10;
/** Half a second: what the specification calls typical of a slow device. */
const PAUSES = 50;

const LARGEST = Number.MAX_VALUE;

/** Names as ESPHome has them; `_R`: the lower word comes first. */
const IS_SIGNED = 1;
const IS_DOUBLE = 2;
const IS_REVERSED = 4;
const IS_FLOAT = 8;
const FORMS: Readonly<Record<string, number>> = Object.freeze({
  U_WORD: 0, S_WORD: IS_SIGNED, U_DWORD: IS_DOUBLE, S_DWORD: IS_DOUBLE | IS_SIGNED,
  U_DWORD_R: IS_DOUBLE | IS_REVERSED, S_DWORD_R: IS_DOUBLE | IS_SIGNED | IS_REVERSED,
  FP32: IS_DOUBLE | IS_FLOAT, FP32_R: IS_DOUBLE | IS_FLOAT | IS_REVERSED,
});

export interface ModbusRegister {
  /** Of the device, 1 to 247. */
  readonly address: number;
  /** As in the telegram: the first one is 0. */
  readonly register: number;
  readonly register_type: 'holding' | 'input';
  /** One of FORMS. */
  readonly value_type: string;
}

export class ModbusPart extends Part {
  private readonly io: SerialPort;
  private readonly form: number;
  private readonly request = new Uint8Array(REQUEST_LENGTH);
  private readonly answer = new Uint8Array(LONGEST_ANSWER);
  private readonly byte = new Uint8Array(1);
  private readonly view = new DataView(new ArrayBuffer(4));
  private length = 0;

  constructor(io: SerialPort, turn: Turn, { address, register, register_type, value_type }: ModbusRegister) {
    super(1, turn);
    this.io = io;
    const form = this.form = FORMS[value_type]!;
    const { request } = this;
    request[0] = address;
    request[1] = register_type === 'holding' ? HOLDING : INPUT;
    request[2] = register >> 8;
    request[3] = register;
    request[5] = (form & IS_DOUBLE) !== 0 ? 2 : 1;
    const crc = crcModbus(request, REQUEST_LENGTH - CHECKSUM_LENGTH);
    request[6] = crc;
    request[7] = crc >> 8;
  }

  protected override step(stage: number): number {
    const { io } = this;
    switch (stage) {
      case 0:
        for (let left = MOST_LEFT; left-- > 0 && io.read(this.byte) > 0;); // of an answer that came too late
        return SILENCE;
      case 1:
        this.length = 0;
        io.write(this.request);
        return PAUSE;
      default: return this.listen();
    }
  }

  /** How long the answer is: an exception has one byte in place of the count and what it counts. */
  private get expected(): number {
    const { answer, length, request } = this;
    return length >= 2 && (answer[1]! & EXCEPTION) !== 0 ? HEAD_LENGTH + CHECKSUM_LENGTH
      : HEAD_LENGTH + 2 * request[5]! + CHECKSUM_LENGTH;
  }

  private listen(): number {
    const { answer, byte, io, request } = this;
    while (this.length < this.expected && io.read(byte) > 0)
      answer[this.length++] = byte[0]!;
    const { expected, length } = this;
    if (length < expected) {
      const wait = this.repeat(PAUSE, PAUSES);
      return wait > 0 ? wait : length === 0 ? -NO_ANSWER : -BAD_CHECKSUM;
    }
    const crc = crcModbus(answer, expected - CHECKSUM_LENGTH);
    if (answer[expected - 2] !== (crc & 0xFF) || answer[expected - 1] !== crc >> 8)
      return -BAD_CHECKSUM;
    if (answer[0] !== request[0])
      return -NO_ANSWER;
    if (answer[1] !== request[1])
      return -REFUSED;
    return answer[2] === 2 * request[5]! ? this.convert() : -BAD_CHECKSUM;
  }

  private convert(): number {
    const { answer, form, view } = this;
    const first = answer[3]! << 8 | answer[4]!;
    if ((form & IS_DOUBLE) === 0)
      return finished(this.put(0, (form & IS_SIGNED) !== 0 ? first << 16 >> 16 : first, -LARGEST, LARGEST));
    const second = answer[5]! << 8 | answer[6]!;
    const isReversed = (form & IS_REVERSED) !== 0;
    view.setUint16(0, isReversed ? second : first);
    view.setUint16(2, isReversed ? first : second);
    return finished(this.put(0, (form & IS_FLOAT) !== 0 ? view.getFloat32(0)
      : (form & IS_SIGNED) !== 0 ? view.getInt32(0) : view.getUint32(0), -LARGEST, LARGEST));
  }
}
