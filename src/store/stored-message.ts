/**
 * A message as the store takes it, and as it gives it back. Spans lie in the arena; those of a message that was read
 * lie in the staging area and are valid until the store is called again.
 */
import { MessageSpans } from '../packet/packet.ts';

export const MESSAGE_UP = 1;
export const MESSAGE_DOWN = 2;

/** Destinations that a message can have. */
export const MOST_DESTINATIONS = 4;

/** What is pushed. Filled again and again. */
export class MessageFields extends MessageSpans {
  /** MESSAGE_UP or MESSAGE_DOWN. */
  kind = MESSAGE_UP;
  /** Seconds of the store clock. */
  takenAt = 0;
  /** Seconds of the store clock, 0 for none. */
  deadline = 0;
  /**
   * Identity of its rule; of an RBS1 record the position of the rule in the configuration. Of a message down the
   * identity of who sends it with QoS 2.
   */
  rule = 0;
  /** Identity of the node that sends it with QoS 2, or of the node that it is for; 0 for none. */
  origin = 0;
  /** Packet identifier of the origin. */
  originIdentifier = 0;
  /** Packet identifier under which it goes to its first destination, when that is known at once; else 0. */
  identifier = 0;
}

/** Of one destination. */
export const RECEIVED = 1;
export const DONE = 2;
export const GIVEN_UP = 4;
/** It needs nothing more. */
export const SETTLED = DONE | GIVEN_UP;

/** A record that was read. */
export class StoredMessage extends MessageFields {
  /** Place in the storage, its name for as long as it exists. */
  position = 0;
  /** Bytes that it takes in the storage. */
  length = 0;
  /** The topic was mapped before it was stored (RBS1): no rule may be applied to it again. */
  isMapped = false;
  /** The origin will not send it again. */
  isReleased = false;
  destinationCount = 0;
  /** Position of the record that it replaces, 0 for none. */
  copyOf = 0;
  /** Packet identifier under way, 0 for none, per destination. Of an RBS1 record: its identifier, sent or not. */
  readonly identifiers = new Uint16Array(MOST_DESTINATIONS);
  /** RECEIVED, DONE, GIVEN_UP, per destination. */
  readonly states = new Uint8Array(MOST_DESTINATIONS);

  /** Identity of who sends it with QoS 2, and may send it again; 0: nobody. A Will has no identifier. */
  get sender(): number {
    return this.kind === MESSAGE_DOWN ? this.rule : this.qos === 2 && this.originIdentifier !== 0 ? this.origin : 0;
  }

  /** Done or given up for every destination. */
  get isSettled(): boolean {
    for (let index = 0; index < this.destinationCount; ++index)
      if ((this.states[index]! & SETTLED) === 0)
        return false;
    return true;
  }
}
