/** Messages in the order in which they came. */
import type { MessageFields, StoredMessage } from './stored-message.ts';
import type { VictimHandler } from './store-owner.ts';

/** Results of `push` that are no position. */
export const NO_ROOM = 0;
export const TOO_LONG = -1;
export const FAILED = -2;
/** No record. */
export const NONE = -1;

export interface MessageQueue {
  /** What `load` has read. */
  readonly record: StoredMessage;
  /** Messages that are not settled, and the bytes that they take. */
  readonly pendingCount: number;
  readonly pendingLength: number;
  /** Bytes from the oldest message that is not settled to the end of the log, in whole blocks but for the last one. */
  readonly usedLength: number;
  /** Bytes that records can fill. */
  readonly capacity: number;
  /** @returns its position, or NO_ROOM, TOO_LONG, FAILED. What it is made of may lie anywhere but in the staging area */
  push(message: MessageFields, destinationCount?: number): number;
  /** Whether records of `length` bytes (`lengthOfMessage`) can be pushed without giving anything up. */
  canPush(length: number): boolean;
  /** @returns the position of the first message at or after `position` that is not settled, or NONE; after `record.position`, ask for `record.position + record.length` */
  next(position: number): number;
  /** The oldest one. */
  first(): number;
  /** Reads it into `record`. @returns whether it is sound */
  load(position: number): boolean;
  /** It is going to be sent under this identifier. @returns false when that cannot be written: it has one, or the storage has failed */
  underWay(position: number, destination: number, identifier: number): boolean;
  /** PUBREC has come. */
  received(position: number, destination: number): void;
  /** Nobody waits for that to be durable: at worst the last step is repeated. */
  done(position: number, destination: number): void;
  giveUp(position: number, destination: number): void;
  /** The origin will not send it again. */
  released(position: number): void;
  /** Gives the oldest block up. @returns false when something in it must be kept, or the storage has failed: nothing has changed then */
  makeRoom(victims: VictimHandler): boolean;
}
