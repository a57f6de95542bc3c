/**
 * Says in the log who is refused by the page: at once, and then at most one line a minute for an address, with how
 * often it was. Of more addresses than are remembered there is one line for all.
 */
import type { Log } from './log.ts';

/** Milliseconds. */
const INTERVAL = 60_000;
const MOST_ADDRESSES = 64;
const OTHERS = 'other addresses';

const NEWS = Infinity;

export class PageRefusals {
  private readonly counts = new Map<string, number>();
  private readonly log: Log;

  constructor(log: Log) {
    this.log = log;
  }

  /** A password from there was wrong, or came too soon after others that were. */
  add(from: string): void {
    const address = this.counts.has(from) || this.counts.size < MOST_ADDRESSES ? from : OTHERS;
    const count = this.counts.get(address);
    this.counts.set(address, (count ?? -1) + 1);
    if (count !== undefined)
      return;
    this.say(`a wrong password from ${address}`);
    this.wait(address);
  }

  private wait(address: string): void {
    setTimeout(() => {
      const count = this.counts.get(address)!;
      this.counts.delete(address);
      if (count === 0)
        return;
      this.counts.set(address, 0);
      this.say(`${count} more attempts with a password from ${address} were refused within a minute`);
      this.wait(address);
    }, INTERVAL).unref();
  }

  private say(text: string): void {
    this.log.write('warning', `page: ${text}`, `page: ${text}`, NEWS);
  }
}
