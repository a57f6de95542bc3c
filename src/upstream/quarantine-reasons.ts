/** Why a message is not sent to the Server, but set aside, or not taken. */

export const FINE = 0;

// Known beforehand (broker-limits.ts)
/** upstream.max_topic_levels */
export const TOO_MANY_LEVELS = 1;
/** upstream.max_topic_length */
export const TOPIC_TOO_LONG = 2;
/** upstream.bridge_max_packet_size */
export const PACKET_TOO_LONG = 3;
/** The profile of the Server names characters that no topic may have. */
export const FORBIDDEN_CHARACTER = 4;

// Found out (suspects.ts)
/** The Server has closed the connection each time that it was sent. */
export const CLOSED_ON = 5;
/** The Server has acknowledged others, but never this one. */
export const NEVER_ACKNOWLEDGED = 6;

/**
 * From here on a reason is the reason code of 5.0 with which the Server has refused the message (rejections.ts). One
 * byte, as it is stored.
 */
export const FIRST_CODE = 0x80;

/** Its node has as many in the quarantine, by that rule, as it may have. */
export const SHARE_FULL = 7;
/** For another one of its node by that rule the Server has closed the connection; as many wait as may. */
export const ON_PROBATION = 8;
/** The same, and it has waited until there was no room for that any more. */
export const NO_ROOM_TO_WAIT = 9;

/** Whether it was not known beforehand. */
export const isFoundOut = (reason: number): boolean => reason >= CLOSED_ON;
