/**
 * When a start has "reached good": nodes could connect for a minute, or, where there is no network, the program has
 * run for ten.
 */
import Timer from 'timer';

const PERIOD = 1000;
/** In periods. */
const LISTENING = 60;
const RUNNING = 600;

export function waitForGood(isListening: () => boolean, onGood: () => void): void {
  let listening = 0;
  let running = 0;
  const timer = Timer.repeat(() => {
    ++running;
    listening = isListening() ? listening + 1 : 0;
    if (listening < LISTENING && running < RUNNING)
      return;
    Timer.schedule(timer);
    onGood();
  }, PERIOD);
}
