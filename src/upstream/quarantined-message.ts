/** A message in the quarantine, as `Quarantine.read` gives it back. */
import { PlainSpans } from '../packet/packet.ts';

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
