/** The lines of a part of the program: each begins with its name. */
import type { LogLevel } from '../config/configuration.ts';
import { Log } from './log.ts';

export class PartOfLog extends Log {
  private readonly whole: Log;
  private readonly prefix: string;

  constructor(whole: Log, prefix: string) {
    super(() => { /* the whole says it */ });
    this.whole = whole;
    this.prefix = prefix;
  }

  override write(level: LogLevel, text: string, key = text, ...limits: readonly number[]): boolean {
    return this.whole.write(level, this.prefix + text, this.prefix + key, ...limits);
  }

  override tells(level: LogLevel): boolean {
    return this.whole.tells(level);
  }

  override trace(text: string): void {
    this.whole.trace(this.prefix + text);
  }

  override forget(keyPrefix: string): void {
    this.whole.forget(this.prefix + keyPrefix);
  }

  override flush(): void {
    // with the whole
  }
}
