/**
 * How long a message may wait for its node, and since when it does: noted beside each record of a node's queue, where a
 * topic rule of direction "in" has `expiry`. What is said here is noted of each message that is entered.
 *
 *   | taken at (4) | may wait for (4), 0: for ever | identity of its rule (4) |
 */

/** Bytes of the note. */
export const AGE_LENGTH = 12;

const LIFETIME = 4;
const RULE = 8;

export class MessageAge {
  /** Seconds of the owner's clock; may be below 0. */
  takenAt = 0;
  /** Seconds; 0: what is entered may wait for ever. */
  lifetime = 0;
  /** Identity of the rule by which it came. */
  rule = 0;

  /** Writes the note at `at`. */
  annotate(view: DataView, at: number): void {
    view.setInt32(at + LIFETIME, this.lifetime);
    if (this.lifetime === 0)
      return;
    view.setInt32(at, this.takenAt);
    view.setInt32(at + RULE, this.rule);
  }

  /** Reads the note at `at`. */
  read(view: DataView, at: number): void {
    this.takenAt = view.getInt32(at);
    this.lifetime = view.getInt32(at + LIFETIME);
    this.rule = view.getInt32(at + RULE);
  }
}
