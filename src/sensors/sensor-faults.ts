/**
 * Why a sensor has no reading, as a number, so that a driver needs no memory to say it, and in words for log and
 * status.
 */

export const NO_FAULT = 0;
export const NO_ANSWER = 1;
export const STUCK_BUS = 2;
export const BAD_CHECKSUM = 3;
export const OUT_OF_RANGE = 4;
export const TOO_LATE = 5;
export const OTHER_PART = 6;
export const REFUSED = 7;
/** Whatever else: the sensor has thrown an error, or its reading cannot be written. */
export const OTHER_FAULT = 8;
export const TOO_FAST = 9;

const TEXTS: readonly string[] = Object.freeze([
  '',
  'it does not answer: look at its power, its wires and its address',
  'its bus is stuck, because something holds a line low: look at the wires, and at what else is on them',
  'the checksum of its answer is wrong: look at the length of its wires and their pull-ups',
  'it says what the part cannot measure',
  'it has not finished its measurement in time',
  'another part is at its address: look at "type" and "address"',
  'it refuses what it is asked for: look at "register" and "register_type"',
  'it has failed',
  'there are more pulses than can be counted here, edge by edge: 50 a second',
]);

/** @param fault one of the numbers above */
export const describeFault = (fault: number): string => TEXTS[fault]!;
