/**
 * The log: one line per event, `timestamp level text`. What repeats itself is said a few times, then counted and said
 * again with the count when ten minutes have passed; what floods is cut off. So a broker that is away for a week
 * costs a line every ten minutes. What one node does is no repetition of what another one does. Names that nodes gave
 * themselves cannot break a line or reach the terminal as a control sequence.
 */

import type { LogLevel } from '../config/configuration.ts';

/** The least important first. */
const LEVELS: readonly LogLevel[] = ['debug', 'info', 'warning', 'error'];

/** Milliseconds after which a repeated line is said again. */
export const REPEAT_INTERVAL = 600_000;
/**
 * Lines about nodes within REPEAT_INTERVAL; the rest is counted. Of all lines it is twice as many, so that strangers
 * cannot keep the rest out.
 */
export const LINE_LIMIT = 2000;
/** Different lines that are remembered. */
const MEMORY = 2000;

/** Times that something is said before it is only counted. */
export const ONCE = 1;
export const A_FEW_TIMES = 3;
export const TEN_TIMES = 10;

interface Repetition {
  level: LogLevel;
  text: string;
  since: number;
  said: number;
  unsaid: number;
}

export class Log {
  /** Nothing less important is said. */
  level: LogLevel = 'info';
  /** Told each line that is said, as well. */
  onLine: ((line: string) => void) | undefined = undefined;
  private readonly output: (line: string) => void;
  private readonly now: () => number;
  private readonly repetitions = new Map<string, Repetition>();
  private intervalStart = 0;
  private lineCount = 0;
  private leftOut = 0;

  /** @param output takes a line without its end @param now milliseconds since 1970 */
  constructor(output: (line: string) => void, now: () => number = Date.now) {
    this.output = output;
    this.now = now;
  }

  /**
   * @param key what makes this line a repetition of another one
   * @param times how often it is said within REPEAT_INTERVAL
   * @param limit said only if fewer lines than this have been said within REPEAT_INTERVAL
   * @returns whether it was said
   */
  write(level: LogLevel, text: string, key = text, times = A_FEW_TIMES, limit = 2 * LINE_LIMIT): boolean {
    if (!this.tells(level))
      return false;
    const now = this.now();
    const repetition = this.repetitions.get(key);
    if (repetition === undefined) {
      this.remember(key, { level, text, since: now, said: 1, unsaid: 0 });
      return this.say(level, text, limit);
    }
    repetition.text = text;
    if (now - repetition.since >= REPEAT_INTERVAL) {
      const said = this.say(level, text + countOf(repetition.unsaid), limit);
      Object.assign(repetition, { since: now, said: 1, unsaid: 0 });
      return said;
    }
    if (repetition.said < times) {
      ++repetition.said;
      return this.say(level, text, limit);
    }
    ++repetition.unsaid;
    return false;
  }

  /** Whether lines of this level are said. */
  tells(level: LogLevel): boolean {
    return LEVELS.indexOf(level) >= LEVELS.indexOf(this.level);
  }

  /** A line about a single message, of level debug: none is left out. */
  trace(text: string): void {
    this.print(this.now(), 'debug', text);
  }

  /** Whatever begins like this is news again. */
  forget(keyPrefix: string): void {
    for (const key of this.repetitions.keys())
      if (key.startsWith(keyPrefix))
        this.repetitions.delete(key);
  }

  /** Says what has only been counted for long enough. To be called now and then. */
  flush(): void {
    const now = this.now();
    for (const [key, repetition] of this.repetitions) {
      if (now - repetition.since < REPEAT_INTERVAL)
        continue;
      if (repetition.unsaid === 0)
        this.repetitions.delete(key);
      else {
        this.say(repetition.level, repetition.text + countOf(repetition.unsaid), LINE_LIMIT);
        Object.assign(repetition, { since: now, said: 1, unsaid: 0 });
      }
    }
  }

  private remember(key: string, repetition: Repetition): void {
    if (this.repetitions.size >= MEMORY)
      this.repetitions.delete(this.repetitions.keys().next().value!);
    this.repetitions.set(key, repetition);
  }

  private say(level: LogLevel, text: string, limit: number): boolean {
    const now = this.now();
    if (now - this.intervalStart >= REPEAT_INTERVAL) {
      if (this.leftOut > 0)
        this.print(now, 'warning', `${this.leftOut} lines were left out: `
          + `there had been ${this.lineCount} in ${REPEAT_INTERVAL / 60_000} minutes`);
      this.intervalStart = now;
      this.lineCount = this.leftOut = 0;
    }
    if (this.lineCount >= limit) {
      ++this.leftOut;
      return false;
    }
    ++this.lineCount;
    this.print(now, level, text);
    return true;
  }

  private print(now: number, level: LogLevel, text: string): void {
    const line = `${new Date(now).toISOString()} ${level} ${printable(text)}`;
    this.output(line);
    this.onLine?.(line);
  }
}

const countOf = (unsaid: number): string => unsaid === 0 ? ''
  : ` (${unsaid} more time${unsaid === 1 ? '' : 's'} since it was last said)`;

/** Control characters, line ends and marks that turn the direction of writing become \u escapes. */
export function printable(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/gu, character =>
    `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`);
}

export const messageOf = (error: unknown): string => error instanceof Error ? error.message : String(error);
