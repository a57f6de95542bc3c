/** Reason codes in words. */
import * as ReasonCode from '../packet/reason-code.ts';
import type { Gateway } from './gateway.ts';

/** The same of the end of the connection to the broker, with what that says. */
export function describeUpstreamReason({ serverWords, upstream: { toldReason } }: Gateway, reasonCode: number): string {
  return toldReason === ReasonCode.SUCCESS || toldReason !== reasonCode ? describeReason(reasonCode)
    : (reasonCode === ReasonCode.IMPLEMENTATION_SPECIFIC_ERROR ? 'implementation specific error'
      : describeReason(reasonCode)) + serverWords;
}

/** What happened, in words for a log or a status line. */
export function describeReason(reasonCode: number): string {
  switch (reasonCode) {
    case ReasonCode.SUCCESS: return 'normal disconnection';
    case ReasonCode.UNSPECIFIED_ERROR: return 'unspecified error';
    case ReasonCode.MALFORMED_PACKET: return 'malformed packet';
    case ReasonCode.PROTOCOL_ERROR: return 'protocol error';
    case ReasonCode.IMPLEMENTATION_SPECIFIC_ERROR: return 'defect of this program';
    case ReasonCode.UNSUPPORTED_PROTOCOL_VERSION: return 'protocol version not accepted';
    case ReasonCode.CLIENT_IDENTIFIER_NOT_VALID: return 'client identifier rejected';
    case ReasonCode.BAD_USER_NAME_OR_PASSWORD: return 'bad user name or password';
    case ReasonCode.NOT_AUTHORIZED: return 'not authorized';
    case ReasonCode.SERVER_UNAVAILABLE: return 'server unavailable';
    case ReasonCode.SERVER_BUSY: return 'server busy';
    case ReasonCode.BANNED: return 'banned';
    case ReasonCode.SERVER_SHUTTING_DOWN: return 'shutting down';
    case ReasonCode.BAD_AUTHENTICATION_METHOD: return 'authentication method not served';
    case ReasonCode.KEEP_ALIVE_TIMEOUT: return 'keep alive timeout';
    case ReasonCode.SESSION_TAKEN_OVER: return 'session taken over by a new connection with the same client identifier';
    case ReasonCode.TOPIC_NAME_INVALID: return 'invalid topic name';
    case ReasonCode.TOPIC_FILTER_INVALID: return 'invalid topic filter';
    case ReasonCode.PACKET_IDENTIFIER_IN_USE: return 'packet identifier in use';
    case ReasonCode.RECEIVE_MAXIMUM_EXCEEDED: return 'too many QoS 2 messages in flight';
    case ReasonCode.TOPIC_ALIAS_INVALID: return 'Topic Alias that may not be used (listener.max_topic_alias)';
    case ReasonCode.TOPIC_ALIASES_FULL: return 'no room for the topics of its Topic Aliases (memory.topic_length)';
    case ReasonCode.PACKET_TOO_LARGE: return 'packet too large';
    case ReasonCode.MESSAGE_RATE_TOO_HIGH: return 'message rate too high';
    case ReasonCode.QUOTA_EXCEEDED: return 'quota exceeded';
    case ReasonCode.ADMINISTRATIVE_ACTION: return 'closed by the operator';
    case ReasonCode.PAYLOAD_FORMAT_INVALID: return 'payload format invalid';
    case ReasonCode.RETAIN_NOT_SUPPORTED: return 'retained messages not supported';
    case ReasonCode.QOS_NOT_SUPPORTED: return 'QoS not supported';
    case ReasonCode.USE_ANOTHER_SERVER: return 'another server is to be used';
    case ReasonCode.SERVER_MOVED: return 'server moved';
    case ReasonCode.CONNECTION_RATE_EXCEEDED: return 'too many connections in this time';
    case ReasonCode.MAXIMUM_CONNECT_TIME: return 'connected for as long as is allowed';
    case ReasonCode.NETWORK_CLOSED: return 'network connection lost';
    case ReasonCode.CONNECT_TIMEOUT: return 'no CONNECT in time';
    case ReasonCode.CONNACK_TIMEOUT: return 'no CONNACK in time';
    case ReasonCode.PINGRESP_TIMEOUT: return 'no PINGRESP in time';
    case ReasonCode.SEND_TIMEOUT: return 'peer stopped reading';
    case ReasonCode.UNKNOWN_RETURN_CODE: return 'refused with an unknown return code';
    case ReasonCode.SESSION_PRESENT_UNEXPECTED: return 'session present where none was asked for';
    case ReasonCode.NETWORK_UNREACHABLE: return 'cannot reach the network address';
    case ReasonCode.NAME_NOT_RESOLVED: return 'cannot resolve the host name';
    case ReasonCode.ACKNOWLEDGEMENT_TIMEOUT: return 'no acknowledgement in time';
    case ReasonCode.NOTHING_FLOWS: return 'connected, but nothing flows: three probes in a row did not come back (upstream.probe)';
    case ReasonCode.WILL_TOO_LONG: return 'Will too long';
    case ReasonCode.CLOSED_BEFORE_CONNACK: return 'connection closed instead of a CONNACK';
    case ReasonCode.PASSWORD_MISSING: return 'there is no password in upstream.remote_password_file';
    case ReasonCode.STORE_UNAVAILABLE: return 'server unavailable, the storage of the store does not work';
    case ReasonCode.STORE_FULL: return 'server unavailable, no room in the store';
    case ReasonCode.PLACE_NEEDED: return 'server unavailable, somebody else needed the place';
    case ReasonCode.USERS_RELOADED: return 'server unavailable, other users or rights were taken';
    case ReasonCode.TLS_FAILED: return 'no agreement on TLS';
    case ReasonCode.TLS_CLOSED: return 'connection closed in the TLS handshake';
    case ReasonCode.TLS_SPOKEN: return 'TLS where plain MQTT is spoken: let it connect without, or set listener.certfile';
    case ReasonCode.WEBSOCKET_FAILED: return 'no agreement on WebSocket';
    case ReasonCode.TLS_UNUSABLE: return 'the files for TLS cannot be used';
    default: return `reason code 0x${reasonCode.toString(16)}`;
  }
}
