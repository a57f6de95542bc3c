/**
 * Keeps what happens to the stored messages of nodes where it survives a power cut. Positions are the journal's own.
 */
export interface NodeJournal {
  /** A number for all that has been written; 0 when that is durable. */
  readonly stamp: number;
  /** Whether all that had been written when this `stamp` was given is durable. */
  isDurable(stamp: number): boolean;
  /** The queue of the node of this index waits for something to be durable: it is told when anything is. */
  awaitDurable(index: number): void;
  /** The message is going to be sent under this identifier for the first time. */
  underWay(position: number, identifier: number, qos: number): void;
  /** PUBREC has come. */
  received(position: number): void;
  /** Delivered, or given up. */
  done(position: number, packetLength: number): void;
}
