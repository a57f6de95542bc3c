/**
 * Sets the clock of the board by a time server (SNTP): as soon as there is an answer, then once a day. Until then
 * nobody knows the time here: `expiry` of topic rules and the time in readings wait for it.
 */
import SNTP from 'sntp';
import Time from 'time';
import Timer from 'timer';
import { describeError, log } from './log.ts';

const RETRY_DELAY = 60_000;
const DAY = 86_400_000;

export class NetworkTime {
  private readonly host: string;
  private isTold = false;

  constructor(host: string) {
    this.host = host;
    this.ask();
  }

  private ask(): void {
    try {
      new SNTP({ host: this.host }, (message, value) => this.answer(message, value));
    } catch (error) { // no socket, no memory, no network
      this.fail(describeError(error));
    }
  }

  /** Without a result the SDK closes the question after a failure. */
  private answer(message: number, value: unknown): void {
    if (message === SNTP.time) {
      Time.set(value as number);
      if (!this.isTold)
        log(`the clock is set by ${this.host}`);
      this.isTold = true;
      Timer.set(() => this.ask(), DAY);
    } else if (message === SNTP.error)
      this.fail(String(value));
  }

  private fail(reason: string): void {
    log(`${this.host} does not tell the time: ${reason}`);
    Timer.set(() => this.ask(), RETRY_DELAY);
  }
}
