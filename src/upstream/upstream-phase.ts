/**
 * What the driver of the upstream connection is doing, for io/upstream.ts, which does it, and status.ts, which tells
 * it.
 */

export const STOPPED = 0;
export const RESOLVING = 1;
export const CONNECTING = 2;
/** The network connection stands; the session knows the rest. */
export const OPEN = 3;
export const WAITING = 4;
