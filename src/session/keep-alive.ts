/**
 * Keep Alive: seconds on the wire, milliseconds here. MQTT 3.1.1 section 3.1.2.10. A value of 0 turns it off; ask
 * first.
 */

/**
 * A Client that has been silent, or has heard nothing, for this long asks for a sign of life; early enough for a slow
 * link.
 */
export const pingInterval = (keepAlive: number): number => keepAlive * 750;

/**
 * A Server gives a silent Client one and a half times the Keep Alive [MQTT311-3.1.2-24], and a second more: many
 * libraries count whole seconds, and are a second late at a Keep Alive of 2.
 */
export const expiryInterval = (keepAlive: number): number => keepAlive * 1500 + 1000;

/** A node that is made to wait is read a packet after this time. */
export const heldReadInterval = (keepAlive: number): number => keepAlive * 250;
