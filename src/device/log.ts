/**
 * Lines for the debugger, the simulator's output and the serial line of a board. What may happen with every packet,
 * such as a queue that is full, is not told every time, because each line costs memory: ten lines of a kind in ten
 * seconds, then only how many there were.
 */
import { describeEvent } from '../gateway/event-texts.ts';
import type { Gateway } from './core.ts';

const KINDS = 32;
const LINES_PER_PERIOD = 10;
const PERIOD = 10_000;

/** The serial line of a release build, which has no other output. */
let writeLine: ((text: string) => void) | undefined;

export function setLineWriter(writer: (text: string) => void): void {
  writeLine = writer;
}

export function log(text: string): void {
  trace(`${text}\n`);
  writeLine?.(text);
}

export const describeError = (error: unknown): string => error instanceof Error ? error.message : String(error);

export class EventLog {
  private readonly count = new Uint32Array(KINDS);
  private readonly begin = new Int32Array(KINDS);

  report(gateway: Gateway, event: number, subject: number, detail: number): void {
    const kind = event % KINDS;
    const { begin, count } = this;
    const { now } = gateway.clock;
    if ((now - begin[kind]! | 0) >= PERIOD || (now - begin[kind]! | 0) < 0) {
      const silent = count[kind]! - LINES_PER_PERIOD;
      begin[kind] = now;
      count[kind] = 0;
      if (silent > 0)
        log(`(${silent} more of the next kind not shown)`);
    }
    if (++count[kind]! <= LINES_PER_PERIOD)
      log(describeEvent(gateway, event, subject, detail));
  }
}
