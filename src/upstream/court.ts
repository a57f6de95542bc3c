/** What suspects.ts finds out, and who does what follows from it. */
import * as ReasonCode from '../packet/reason-code.ts';
import type { Probation } from './probation.ts';

export const CALM = 0;
export const CAUTIOUS = 1;
export const CONTROL = 2;
export const BLAMED = 3;

/** What is established about a Server that closes connections, for the log and the advice. */
export const UNKNOWN_CAUSE = 0;
/** It is being found out. */
export const EXAMINED = 1;
/** It closes a connection with nothing under way as well. */
export const CLOSES_IDLE = 2;
/** It closes for different messages: of a node by a rule, of a rule, of any. */
export const NODE_BLAMED = 3;
export const RULE_BLAMED = 4;
export const SERVER_BLAMED = 5;

/** Times that the same one is seen before it is guilty. */
export const STRIKES = 3;
/**
 * Milliseconds: where several may be the cause, a close that comes later after the sending tells nothing of it; so long
 * a connection must hold without it.
 */
export const SOON = 5000;

/**
 * In place of a packet identifier: the birth of the gateway; nobody. A Topic Filter of the rule with index n is
 * -2 - n.
 */
export const BIRTH = 0;
export const NOBODY = -1;
export const FILTER = -2;

/** Whether DISCONNECT of a Server says that it was for a packet, and not for which. */
export const blamesPacket = (code: number): boolean => code >= ReasonCode.UNSPECIFIED_ERROR
  && code <= ReasonCode.IMPLEMENTATION_SPECIFIC_ERROR || code === ReasonCode.NOT_AUTHORIZED
  || code === ReasonCode.TOPIC_NAME_INVALID || code === ReasonCode.PACKET_TOO_LARGE
  || code >= ReasonCode.PAYLOAD_FORMAT_INVALID && code <= ReasonCode.QOS_NOT_SUPPORTED;

/** Does what has been decided. */
export interface Court {
  /** Who waits because of what it has sent. */
  readonly probation: Probation;
  /** Lets every message be looked at, and QoS 0 wait; also while somebody is on probation. */
  setCautious(isCautious: boolean): void;
  /** Who has messages in the quarantine waits from the beginning. */
  remind(): void;
  /** What waits, and lies where the log has no room any more, is set aside: others need the room. */
  makeWay(): void;
  /** @returns the number of the message in the quarantine; 0: it could not be set aside */
  setAside(record: number, reason: number): number;
  /** @returns whether the message is back in the store */
  putBack(number: number): boolean;
  setFilterAside(rule: number, reason: number): void;
  setBirthAside(): void;
  /** The rule whose filter is asked for and not granted, -1: none. */
  readonly pendingFilter: number;
  /** Whether the node has as many in the quarantine as it may have. @param rule index */
  isShareFull(origin: number, rule: number): boolean;
  /** Nothing goes out with more than this QoS any more. @param isSilent it does not answer, else it closes */
  lowerQoS(isSilent: boolean): void;
  onCause(cause: number, rule: number): void;
}
