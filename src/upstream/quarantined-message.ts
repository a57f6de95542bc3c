/** A message in the quarantine, and what is known of one that is set aside. */
import { PlainSpans } from '../packet/packet.ts';

/** As `Quarantine.read` fills it. */
export class QuarantinedMessage extends PlainSpans {
  /** By which people name it. */
  number = 0;
  /** Identity of its node; 0: the gateway itself. */
  origin = 0;
  /** Client Identifier of that, as far as it was known. */
  nameOffset = 0;
  nameLength = 0;
  /** Identity of its rule. */
  rule = 0;
  takenAt = 0;
  /** One of quarantine-reasons.ts. */
  reason = 0;
}

/** What is known of a message that is set aside beside its spans. */
export interface Suspect {
  readonly origin: number;
  readonly rule: number;
  readonly takenAt: number;
  readonly reason: number;
}
