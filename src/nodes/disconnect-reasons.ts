/** How many connections of nodes have ended for which reason. Codes of reason-code.ts lie in two short ranges. */
import * as ReasonCode from '../packet/reason-code.ts';

const BROKEN_RULES: readonly number[] = Object.freeze([
  ReasonCode.MALFORMED_PACKET, ReasonCode.PROTOCOL_ERROR, ReasonCode.TOPIC_NAME_INVALID, ReasonCode.PACKET_TOO_LARGE,
    ReasonCode.RECEIVE_MAXIMUM_EXCEEDED, ReasonCode.TOPIC_ALIAS_INVALID, ReasonCode.TLS_SPOKEN,
]);

const FIRST_ERROR = 0x80;
const FIRST_NETWORK_REASON = 0x100;
const PLACES_PER_RANGE = 32;

/** SUCCESS, 0x80 to 0x9F, 0x100 to 0x11F. */
const placeOf = (reasonCode: number): number => reasonCode === 0 ? 0
  : 1 + (reasonCode < FIRST_NETWORK_REASON ? 0 : PLACES_PER_RANGE) + (reasonCode & PLACES_PER_RANGE - 1);

/** All codes that are counted, in the order of their places. */
export const COUNTED_REASONS: readonly number[] = Object.freeze([
  0,
  ...Array.from({ length: PLACES_PER_RANGE }, (_, index) => FIRST_ERROR + index),
  ...Array.from({ length: PLACES_PER_RANGE }, (_, index) => FIRST_NETWORK_REASON + index),
]);

export class EndingCounts {
  /** Connections that were refused, of all; and those that found no place, not even to be refused. */
  refusedCount = 0;
  turnedAwayCount = 0;
  private readonly counts = new Uint32Array(1 + 2 * PLACES_PER_RANGE);

  add(reasonCode: number): void {
    ++this.counts[placeOf(reasonCode)]!;
  }

  /** Connections of nodes that ended because of what the node sent. */
  get brokenRuleCount(): number {
    let count = 0;
    for (let index = 0; index < BROKEN_RULES.length; ++index)
      count += this.of(BROKEN_RULES[index]!);
    return count;
  }

  of(reasonCode: number): number {
    return this.counts[placeOf(reasonCode)]!;
  }
}
