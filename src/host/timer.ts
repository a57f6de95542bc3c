/**
 * The one timer of the gateway on Node. Knows neither what time it is nor what it is for.
 */
import type { Timer } from '../io/transport.ts';

/**
 * Node takes longer times for 1 ms. This is 24.8 days: whoever wants to wait longer is called early, and sets it
 * again.
 */
export const LONGEST_TIME = 0x7FFFFFFF;

export class HostTimer implements Timer {
  #timeout: NodeJS.Timeout | undefined;
  readonly #callback: () => void;

  constructor(callback: () => void) {
    this.#callback = callback;
  }

  set(milliseconds: number): void {
    clearTimeout(this.#timeout);
    this.#timeout = setTimeout(this.#callback, Math.min(milliseconds, LONGEST_TIME));
  }

  clear(): void {
    clearTimeout(this.#timeout);
    this.#timeout = undefined;
  }
}
