/**
 * Why something ended. The values are the Reason Codes of MQTT 5.0 (section 2.4), for every version: a session that
 * speaks 3.1 or 3.1.1 keeps the same code in memory and the log, and translates it where its version has a return code.
 * 0 means success and, where a function reports an error, "no error". Import as a namespace:
 * `ReasonCode.PROTOCOL_ERROR`.
 */

export const SUCCESS = 0x00;
/** DISCONNECT of a Client that wants its Will to be published. */
export const DISCONNECT_WITH_WILL = 0x04;
export const NO_MATCHING_SUBSCRIBERS = 0x10;
export const NO_SUBSCRIPTION_EXISTED = 0x11;
/** From here on a code means a failure. */
export const UNSPECIFIED_ERROR = 0x80;
export const MALFORMED_PACKET = 0x81;
export const PROTOCOL_ERROR = 0x82;
export const IMPLEMENTATION_SPECIFIC_ERROR = 0x83;
export const UNSUPPORTED_PROTOCOL_VERSION = 0x84;
export const CLIENT_IDENTIFIER_NOT_VALID = 0x85;
export const BAD_USER_NAME_OR_PASSWORD = 0x86;
export const NOT_AUTHORIZED = 0x87;
export const SERVER_UNAVAILABLE = 0x88;
export const SERVER_BUSY = 0x89;
export const BANNED = 0x8A;
export const SERVER_SHUTTING_DOWN = 0x8B;
export const BAD_AUTHENTICATION_METHOD = 0x8C;
export const KEEP_ALIVE_TIMEOUT = 0x8D;
export const SESSION_TAKEN_OVER = 0x8E;
export const TOPIC_FILTER_INVALID = 0x8F;
export const TOPIC_NAME_INVALID = 0x90;
export const PACKET_IDENTIFIER_IN_USE = 0x91;
export const PACKET_IDENTIFIER_NOT_FOUND = 0x92;
export const RECEIVE_MAXIMUM_EXCEEDED = 0x93;
export const TOPIC_ALIAS_INVALID = 0x94;
export const PACKET_TOO_LARGE = 0x95;
export const MESSAGE_RATE_TOO_HIGH = 0x96;
export const QUOTA_EXCEEDED = 0x97;
export const ADMINISTRATIVE_ACTION = 0x98;
export const PAYLOAD_FORMAT_INVALID = 0x99;
export const RETAIN_NOT_SUPPORTED = 0x9A;
export const QOS_NOT_SUPPORTED = 0x9B;
export const USE_ANOTHER_SERVER = 0x9C;
export const SERVER_MOVED = 0x9D;
export const SHARED_SUBSCRIPTIONS_NOT_SUPPORTED = 0x9E;
export const CONNECTION_RATE_EXCEEDED = 0x9F;
export const MAXIMUM_CONNECT_TIME = 0xA0;
export const SUBSCRIPTION_IDENTIFIERS_NOT_SUPPORTED = 0xA1;
export const WILDCARD_SUBSCRIPTIONS_NOT_SUPPORTED = 0xA2;

/**
 * Beyond one byte: endings of a connection for which MQTT has no code, because nothing can be sent any more.
 * They never reach the wire.
 */
export const NETWORK_CLOSED = 0x100;
export const CONNECT_TIMEOUT = 0x101;
export const CONNACK_TIMEOUT = 0x102;
export const PINGRESP_TIMEOUT = 0x103;
/** The peer does not take what we send. */
export const SEND_TIMEOUT = 0x104;
/** A CONNACK return code that no version defines. */
export const UNKNOWN_RETURN_CODE = 0x105;
/** Session Present from a Server, although we asked for a clean session or keep no state [MQTT311-3.2.2-1]. */
export const SESSION_PRESENT_UNEXPECTED = 0x106;
export const NETWORK_UNREACHABLE = 0x107;
export const NAME_NOT_RESOLVED = 0x108;
/** The Server closed the connection in answer to CONNECT, without CONNACK. */
export const CLOSED_BEFORE_CONNACK = 0x109;
/** PUBLISH, PUBREL or SUBSCRIBE that the peer does not acknowledge, although it is alive. */
export const ACKNOWLEDGEMENT_TIMEOUT = 0x10A;
/** Topic and message of the Will together are longer than what is kept of them. */
export const WILL_TOO_LONG = 0x10B;
/** Of our own, for the Server: CONNECT cannot be said. */
export const PASSWORD_MISSING = 0x10C;
/** Of our own, for nodes: what is to be kept over a power cut cannot be written, or has no room where it would be. */
export const STORE_UNAVAILABLE = 0x10D;
export const STORE_FULL = 0x10E;
/** While the node waited for its CONNACK: somebody else needed the place, or users and rights became others. */
export const PLACE_NEEDED = 0x10F;
export const USERS_RELOADED = 0x110;
/**
 * Of our own, for the Server: it and the gateway do not agree on TLS; it has gone in the middle of the handshake; files
 * for TLS cannot be used.
 */
export const TLS_FAILED = 0x111;
export const TLS_CLOSED = 0x112;
export const TLS_UNUSABLE = 0x113;
/** A node speaks TLS where it is not spoken. */
export const TLS_SPOKEN = 0x114;
/** Of our own, for the Server: it does not begin a WebSocket, or breaks a rule of it. */
export const WEBSOCKET_FAILED = 0x115;
/** Of our own: the Server acknowledges, and passes nothing on (upstream.probe). */
export const NOTHING_FLOWS = 0x116;
/** The topics of the Topic Aliases of a node are longer together than what is kept of them. */
export const TOPIC_ALIASES_FULL = 0x117;

/**
 * Whether the code is success, or one of 0x80 to 0x9F with its bit in `mask`; those beyond are a Server's, in CONNACK,
 * SUBACK and DISCONNECT.
 */
export const isListed = (code: number, mask: number): boolean =>
  code === SUCCESS || code >= UNSPECIFIED_ERROR && code < 0xA0 && (mask >> (code & 31) & 1) !== 0;

/** Return codes of CONNACK in 3.1 and 3.1.1 (table 3.1); index is the code on the wire. */
const RETURN_CODES: readonly number[] = Object.freeze([
  SUCCESS, UNSUPPORTED_PROTOCOL_VERSION, CLIENT_IDENTIFIER_NOT_VALID, SERVER_UNAVAILABLE, BAD_USER_NAME_OR_PASSWORD,
  NOT_AUTHORIZED,
]);

/** @returns the reason for a return code; 6 to 255 are reserved and mean a refusal all the same */
export const fromReturnCode = (returnCode: number): number =>
  returnCode < RETURN_CODES.length ? RETURN_CODES[returnCode]! : UNKNOWN_RETURN_CODE;

/** Reasons that are "server unavailable" to a Client of 3.x. */
const isUnavailable = (reasonCode: number): boolean => reasonCode === SERVER_BUSY || reasonCode === WILL_TOO_LONG
  || reasonCode >= STORE_UNAVAILABLE && reasonCode <= USERS_RELOADED;

/**
 * @returns the return code for a reason, or -1 when 3.x has none: then the connection is closed without CONNACK
 * [MQTT311-3.2.2-6]
 */
export const toReturnCode = (reasonCode: number): number =>
  RETURN_CODES.indexOf(isUnavailable(reasonCode) ? SERVER_UNAVAILABLE : reasonCode);

/**
 * Of CONNACK in 5.0 [MQTT5-3.2.2-8]. @returns the code for a reason, or -1: then the connection is closed without
 * CONNACK
 */
export const toConnackCode = (reasonCode: number): number =>
  reasonCode === STORE_FULL ? QUOTA_EXCEEDED : reasonCode === WILL_TOO_LONG ? PACKET_TOO_LARGE
    : isUnavailable(reasonCode) ? SERVER_BUSY
      : reasonCode < NETWORK_CLOSED && reasonCode !== SESSION_TAKEN_OVER && reasonCode !== SERVER_SHUTTING_DOWN
        ? reasonCode : -1;

/** Of a Server's DISCONNECT [MQTT5-3.14.2-1]. @returns SUCCESS when there is nothing to be said */
export const toDisconnectCode = (reasonCode: number): number =>
  reasonCode < NETWORK_CLOSED ? reasonCode : reasonCode === TOPIC_ALIASES_FULL ? QUOTA_EXCEEDED
    : reasonCode === STORE_UNAVAILABLE ? IMPLEMENTATION_SPECIFIC_ERROR : SUCCESS;
