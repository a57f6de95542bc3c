/** Why nothing is read of a node for a while: bits, for one of them does not know of the others. */

/** It sends more messages than `maximumPublishRate` allows. */
export const HELD_BY_RATE = 1;
/** Its messages fill its share of what waits for the Server. */
export const HELD_BY_STORE = 2;
/** One of its packets is long work. */
export const HELD_BY_WORK = 4;
/** A node for which its message is has a full queue: that one comes first when it is read again. */
export const HELD_BY_NODE = 8;
