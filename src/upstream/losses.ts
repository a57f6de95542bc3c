/**
 * Why a message that had been taken does not arrive. Whoever gives one up says so, and by which rule it would have
 * gone.
 */

/** There was no room, and its rule or that of a newer one has it give way. */
export const NO_ROOM = 1;
/** It has waited longer than its rule allows. */
export const EXPIRED = 2;
/** It had no rule any more when room was needed. */
export const ORPHANED = 3;
/** The storage does not give it back. */
export const UNREADABLE = 4;
/** It is longer than what may go out today. */
export const TOO_LONG = 5;

/** The Server would not have it (quarantine-reasons.ts). */
export const UNFIT = 6;
/** It was the oldest one in the quarantine, which was full. */
export const QUARANTINE_FULL = 7;

export interface LossObserver {
  /** @param rule index among those of direction "out", or NO_RULE of topic-map.ts @param count 1 by default */
  onLost(rule: number, reason: number, count?: number): void;
}
