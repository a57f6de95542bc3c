/**
 * What happens in a gateway and is worth a line in the log, as integers, so that telling costs no memory. The edge that
 * has a log turns them into words (event-texts.ts); a device without one need not.
 */

/** subject: index of the session; detail: protocol level. */
export const NODE_CONNECTED = 1;
/** subject: index of the session; detail: reason code. */
export const NODE_CLOSED = 2;
/** subject: index of the session; detail: reason code. It was never connected. */
export const NODE_REFUSED = 3;
/** subject: index of the session. */
export const WILL_PUBLISHED = 4;
/** subject: index of the session, or UPSTREAM; detail: payload length. The packet at hand has the topic. */
export const OVERSIZE_DROPPED = 5;
/** subject: index of the session that the message was for. */
export const NODE_QUEUE_FULL = 6;
/** detail: 1 when the session was present at the Server. */
export const UPSTREAM_CONNECTED = 7;
/** detail: reason code. */
export const UPSTREAM_CLOSED = 8;
/** detail: messages dropped so far. */
export const STORE_FULL = 9;
/**
 * subject: index of the rule among those of direction "out", or -1; detail: a reason of upstream/losses.ts. Told once
 * for each in a connection.
 */
export const MESSAGE_LOST = 60;
/**
 * subject: index of the rule among those of direction "in", or -1; detail: index of the state of the node for which a
 * message had waited too long. Told once, as long as it is the same rule and node.
 */
export const COMMAND_EXPIRED = 98;
/** detail: messages in the store that no rule lets out. */
export const STORE_ORPHANS = 61;
/** The storage works again. */
export const STORE_BACK = 62;
/**
 * subject: index of the rule among those of direction "out", or -1; detail: messages of it that were in the storage
 * alone, which does not have them any more.
 */
export const LOST_WITH_STORAGE = 110;
/** subject: index of the rule among those of direction "in". */
export const SUBSCRIPTION_REFUSED = 10;
export const RETAINED_FULL = 11;
/** subject: index of the session. */
export const SUBSCRIPTIONS_FULL = 12;
/** subject: index of the session; detail: FORBIDDEN_PUBLISH, FORBIDDEN_SUBSCRIBE or FORBIDDEN_WILL. */
export const ACCESS_DENIED = 13;
/** subject: index of the session. It sends faster than listener.max_publish_rate and is made to wait. */
export const RATE_LIMITED = 14;
/**
 * subject: index of the session. What it and perhaps others send fills the store faster than the Server empties it: it
 * is made to wait. Told once, until there is room again.
 */
export const HELD_BY_FULL_STORE = 97;
/** Nothing is stored any more; detail: messages that are in the store. */
export const STORE_FAILED = 15;
/** detail: places in the store that are unreadable. */
export const STORE_DAMAGED = 16;
/** detail: messages found in the store at start. */
export const STORE_RESTORED = 17;
/** subject: index of the session. Told once for a connection. */
export const MESSAGE_REFUSED = 18;
/** The queue of a node that is away is full; detail: index of its state. */
export const ABSENT_QUEUE_FULL = 31;
/** subject: index of the session. A filter with $share/, which is not served; told once. */
export const SHARED_SUBSCRIPTION = 30;
/**
 * subject: index of the session that needed room; detail: index of the node state that made it, still with its old
 * identifier.
 */
export const SESSION_EVICTED = 19;
/** All places were taken: a connection was closed before it could say anything. */
export const TURNED_AWAY = 20;
/** The Server has ended so many sessions in a row soon after it accepted them: detail. */
export const IDENTIFIER_CLASH = 21;
/**
 * subject: index of the session, which has just ended; detail: reason code, or a reason of
 * upstream/quarantine-reasons.ts, negative. Its node fails again and again, and waits for CONNACK from now on.
 */
export const NODE_SLOWED = 22;
/**
 * subject: index of the session that takes over; detail: index of the node state. Nodes throw each other out of it.
 */
export const IDENTIFIER_FOUGHT_OVER = 23;

/** detail: bytes of the topic. The Server has sent a message that no node may get; the packet at hand has the topic. */
export const UNFIT_TOPIC = 80;
/** subject: index of the rule among those of direction "out"; detail: a reason of upstream/quarantine-reasons.ts. */
export const MESSAGE_SET_ASIDE = 91;
/** The same of a message that need not arrive: it was dropped. */
export const MESSAGE_UNFIT = 92;
/** subject: index of the session, which is closed; detail: as above. */
export const MESSAGE_TURNED_BACK = 93;
/** subject: index of the rule among those of direction "in"; detail: as above. Its filter is not asked for any more. */
export const FILTER_SET_ASIDE = 94;
/** subject: index of the rule that is to blame, or -1; detail: a cause of upstream/suspects.ts. */
export const UPSTREAM_CAUSE = 95;
/**
 * subject: index of the rule among those of direction "out"; detail: reason code of 5.0. The Server has refused a
 * message, which is sent again after a while; the packet at hand says so. Told once, until it takes one.
 */
export const MESSAGE_REJECTED = 100;
/** detail: protocol level. The Server does not speak that version: the next one is tried. */
export const VERSION_REFUSED = 101;
/** detail: what the Server does otherwise than MQTT says, see upstream/experiments.ts. Told once. */
export const BROKER_DEVIATES = 96;
/**
 * The store has no room for state; subject: index of the session, or UPSTREAM; detail: FULL_FOR_SESSION and so on. What
 * depends on it is refused.
 */
export const STATE_FULL = 70;
/** Of what was restored from the store so many, detail, were dropped; subject: DROPPED_USER and so on. */
export const RESTORED_DROPPED = 71;
/** detail: index of the node state, whose node has not come back after a start. */
export const STORED_WILL_PUBLISHED = 72;
/** detail: index of the node state, whose node has gone; its Will Delay is over, or its session. */
export const DELAYED_WILL_PUBLISHED = 99;
/**
 * detail: index of the node state, still with its identifier. It was away for longer than persistent_client_expiration.
 */
export const SESSION_EXPIRED = 73;

export const FULL_FOR_SESSION = 1;
export const FULL_FOR_SUBSCRIPTION = 2;
export const FULL_FOR_RETAINED = 3;
export const FULL_FOR_WILL = 4;
/**
 * Three each, in the order of `HALF_FULL`, `FULL` and `UNFIT` of nodes/stored-messages.ts: the node is away, and does
 * not get the message; it is connected, and gets it, though the message does not survive a restart.
 */
export const FULL_FOR_MESSAGE = 5;
export const FULL_IN_MEMORY = 8;

/** Sessions of users that are not there any more, or whose name fits no mount point. */
export const DROPPED_USER = 0;
/** Sessions that were away for too long. */
export const DROPPED_EXPIRED = 1;
/** Sessions for which there is no place. */
export const DROPPED_PLACE = 2;
/** Subscriptions that are not allowed, or have no room. */
export const DROPPED_FILTER = 3;
/** Messages that the node may not read, or for which its queue has no room. */
export const DROPPED_MESSAGE = 4;
/** Wills of users that are not there any more. */
export const DROPPED_WILL = 5;
/** Wills of nodes that are away, which lay in the storage alone that was there before. */
export const DROPPED_LOST_WILL = 6;
export const DROPPED_REASONS = 7;

/** The Server has sent a message that no rule asks for; the packet at hand has the topic. Told once on a connection. */
export const UNASKED = 81;

export const FORBIDDEN_PUBLISH = 1;
export const FORBIDDEN_SUBSCRIBE = 2;
export const FORBIDDEN_WILL = 3;

export const UPSTREAM = -1;

export interface GatewayObserver {
  /** Called from the middle of things: it must not call the gateway. */
  onEvent(event: number, subject: number, detail: number): void;
}
