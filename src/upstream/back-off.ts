/**
 * How long to wait before the next attempt to reach the Server. Decorrelated jitter, as Mosquitto's `restart_timeout
 * base cap`: next = random(base, 3 x previous), at most cap. Two things Mosquitto's bridge does not have: a refusal
 * that will not heal by itself (wrong password, identifier, version, certificate) is repeated on a slower curve; and
 * neither curve starts over because a Server accepts, only because it kept the session for a while, else a Server that
 * accepts and kicks is stormed.
 */
import * as ReasonCode from '../packet/reason-code.ts';

/** A refusal waits between `cap` and `cap` times this. */
const REFUSAL_FACTOR = 20;

/** Whether only a change at one of the two ends can help. */
export function isRefusal(reasonCode: number): boolean {
  switch (reasonCode) {
    case ReasonCode.UNSUPPORTED_PROTOCOL_VERSION:
    case ReasonCode.CLIENT_IDENTIFIER_NOT_VALID:
    case ReasonCode.BAD_USER_NAME_OR_PASSWORD:
    case ReasonCode.NOT_AUTHORIZED:
    case ReasonCode.BANNED:
    case ReasonCode.BAD_AUTHENTICATION_METHOD:
    case ReasonCode.RETAIN_NOT_SUPPORTED:
    case ReasonCode.QOS_NOT_SUPPORTED:
    case ReasonCode.USE_ANOTHER_SERVER:
    case ReasonCode.SERVER_MOVED:
    case ReasonCode.UNKNOWN_RETURN_CODE:
    case ReasonCode.SESSION_PRESENT_UNEXPECTED:
    case ReasonCode.TLS_FAILED:
    case ReasonCode.WEBSOCKET_FAILED:
      return true;
    default:
      return false;
  }
}

export class BackOff {
  /** Milliseconds. */
  base: number;
  cap: number;
  private readonly random: () => number;
  private previous = 0;
  private wasRefused = false;

  /** @param base and @param cap in milliseconds @param random uniform in [0, 1) */
  constructor(base: number, cap: number, random: () => number) {
    this.base = base;
    this.cap = cap;
    this.random = random;
  }

  /** A session that lasted this long, in milliseconds, was stable. */
  get stableInterval(): number {
    return this.cap;
  }

  /** The last session was stable: begin anew. */
  reset(): void {
    this.previous = 0;
  }

  /** Milliseconds to wait after an attempt or a session that ended for `reasonCode`. */
  next(reasonCode: number, refused = isRefusal(reasonCode)): number {
    const base = refused ? this.cap : this.base;
    const cap = refused ? this.cap * REFUSAL_FACTOR : this.cap;
    if (refused !== this.wasRefused)
      this.previous = 0;
    this.wasRefused = refused;
    // The first wait is drawn too: after a power cut all gateways of a site come back at the same moment.
    const ceiling = (this.previous === 0 ? base : this.previous) * 3;
    const wait = base + this.random() * (ceiling - base);
    return this.previous = wait < cap ? wait | 0 : cap; // made an integer only when it is known to fit one
  }
}
