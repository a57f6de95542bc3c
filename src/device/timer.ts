/**
 * The one timer of the gateway on the board and in the simulator: made once, then only scheduled anew, which allocates
 * nothing. It repeats, because only a repeating timer can be scheduled again; so it is stopped when it fires.
 */
import Timer from 'timer';
import type { Timer as GatewayTimer } from '../io/transport.ts';

/** Until the first `set`; no call comes from it, the timer is stopped at once. */
const A_MINUTE = 60_000;

export class DeviceTimer implements GatewayTimer {
  private readonly timer: object;

  constructor(callback: () => void) {
    const timer = this.timer = Timer.repeat(() => {
      Timer.schedule(timer);
      callback();
    }, A_MINUTE);
    Timer.schedule(timer);
  }

  set(milliseconds: number): void {
    const wait = milliseconds > 0 ? milliseconds : 1; // 0 would stop it, or crash the simulator
    Timer.schedule(this.timer, wait, wait); // a repetition that differs makes a new timer
  }

  clear(): void {
    Timer.schedule(this.timer);
  }
}
