/**
 * What only C knows of the machine (the .c files beside this one), called through FFI: a call allocates nothing. On
 * an ESP32 and in the simulator they are the same sources, which have nothing to tell in the simulator.
 */

import type { Machine } from './core.ts';

/** As the C files name them, and the manifest. */
export interface Natives {
  /** Of ESP-IDF (esp_reset_reason_t); 0: unknown. */
  ringbridge_reset_reason(): number;
  /** Bytes; 0: unknown. */
  ringbridge_heap_free(): number;
  ringbridge_heap_minimum(): number;
  ringbridge_heap_largest(): number;
  /** To be called once, first of all. @returns starts since the power came, this one among them */
  ringbridge_note_begin(): number;
  /** What the run before this one has written. */
  ringbridge_note_code(): number;
  ringbridge_note_subject(): number;
  ringbridge_note_write(code: number, subject: number): void;
  /** 1: a new firmware that has not been accepted yet. */
  ringbridge_image_is_on_trial(): number;
  /** @returns 0, or an error of ESP-IDF */
  ringbridge_image_accept(): number;
  ringbridge_image_give_up(): number;
  /** @param now in milliseconds @returns 1 when it was written on the serial line */
  ringbridge_log_line(text: string, now: number): number;
  /** @returns 1: a part is there, 0: none, -1: something holds the line low */
  ringbridge_wire_reset(pin: number): number;
  ringbridge_wire_write(pin: number, byte: number): void;
  ringbridge_wire_read(pin: number): number;
  /** @param form see serial-line.c @returns the port, or -1 */
  ringbridge_serial_open(receive: number, transmit: number, baud: number, form: number): number;
  ringbridge_serial_write(port: number, buffer: ArrayBufferLike, offset: number, length: number): void;
  /** @returns bytes read, plus 0x10000 when some may have been lost before them */
  ringbridge_serial_read(port: number, buffer: ArrayBufferLike, offset: number, length: number): number;
  /** @returns the counter, or -1: there is none (left) */
  ringbridge_pulses_open(pin: number): number;
  /** @returns pulses since then, modulo 2^32 */
  ringbridge_pulses_read(counter: number): number;
}

/** By number. */
const RESET_REASONS: readonly string[] = Object.freeze([
  'for a reason that nobody knows', 'because the power came', 'because of its reset pin',
    'because the program wanted it',
  'because the program failed', 'because of the interrupt watchdog',
    'because of the task watchdog: it hung for ten seconds',
  'because of a watchdog', 'from deep sleep', 'because the voltage was too low', 'because of SDIO',
    'because of its USB port',
  'because of JTAG', 'because of its fuses', 'because of a power glitch', 'because its processor locked up',
]);

/** What XS says when it gives up; a note holds the index, from 1. */
const ABORT_REASONS: readonly string[] = Object.freeze([
  'unhandled exception', 'memory full', 'JavaScript stack overflow', 'dead strip', 'not enough keys',
    'unhandled rejection',
  'native stack overflow', 'too much computation', 'fatal', 'debugger',
]);
const OTHER_REASON = 100;

/** In a note: what was being handled. */
export const NOTHING_AT_HAND = 0;
export const UPSTREAM_AT_HAND = 1;
/** Plus the index of the session. */
export const SESSION_AT_HAND = 2;

/** The board as a machine: its start, the run before it, its memory. */
export class Diagnosis implements Machine {
  readonly resetReason: number;
  /** Since the power came. */
  readonly startCount: number;
  /** Told once after a start. */
  readonly startText: string;
  /** Undefined: there is no network yet. */
  network: { readonly signal: number } | undefined = undefined;
  private readonly natives: Natives;

  constructor(natives: Natives) {
    this.natives = natives;
    this.startCount = natives.ringbridge_note_begin();
    this.resetReason = natives.ringbridge_reset_reason();
    const reason = RESET_REASONS[this.resetReason] ?? `for reason ${this.resetReason}`;
    const crash = describeCrash(natives.ringbridge_note_code(), natives.ringbridge_note_subject());
    this.startText = `started ${reason}, ${this.startCount} times since the power came${crash}`;
  }

  get heapFree(): number {
    return this.natives.ringbridge_heap_free();
  }

  get heapMinimum(): number {
    return this.natives.ringbridge_heap_minimum();
  }

  get heapLargest(): number {
    return this.natives.ringbridge_heap_largest();
  }

  get wifiSignal(): number {
    return this.network?.signal ?? 0;
  }
}

function describeCrash(code: number, subject: number): string {
  if (code === 0)
    return '';
  const atHand = subject === UPSTREAM_AT_HAND ? ', while it handled the connection to the broker'
    : subject >= SESSION_AT_HAND ? `, while it handled session ${subject - SESSION_AT_HAND}` : '';
  return `; before that the program gave up: ${ABORT_REASONS[code - 1] ?? 'for another reason'}${atHand}`;
}

/** For the abort hook: allocates nothing, for there may be no memory. */
export function codeOfAbort(reason: string): number {
  const index = ABORT_REASONS.indexOf(reason);
  return index < 0 ? OTHER_REASON : index + 1;
}
