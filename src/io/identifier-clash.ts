/**
 * Two Clients of one identifier throw each other out for ever (3.1.1 section 3.1.4); neither is told why. Sessions that
 * a Server ends soon, one after the other, show it.
 */
import * as ReasonCode from '../packet/reason-code.ts';

/** A Server that ends this many sessions in a row, each within so many milliseconds, mostly gives them to others. */
const CLASH_COUNT = 3;
export const CLASH_INTERVAL = 10_000;

export class IdentifierClash {
  /** Sessions in a row that the Server has ended soon. */
  count = 0;

  get isLikely(): boolean {
    return this.count >= CLASH_COUNT;
  }

  /**
   * A session has ended. @param duration milliseconds @param isCause what was under way may be the cause: that says
   * nothing @returns whether it is likely now
   */
  note(reasonCode: number, duration: number, isCause: boolean): boolean {
    const isTaken = reasonCode === ReasonCode.NETWORK_CLOSED || reasonCode === ReasonCode.SESSION_TAKEN_OVER;
    if (isTaken && isCause)
      return false;
    this.count = isTaken && duration < CLASH_INTERVAL ? this.count + 1 : 0;
    return this.isLikely;
  }
}
