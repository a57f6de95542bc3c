import { describe, expect, it } from 'vitest';
import * as ReasonCode from '../../src/packet/reason-code.ts';

/** Every constant of the file. */
const CODES: [name: string, code: number][] = Object.entries(ReasonCode)
  .flatMap(([name, value]) => typeof value === 'number' ? [[name, value]] : []);

describe('reason codes', () => {
  it('have the values of MQTT 5.0, section 2.4', () => {
    const values: Record<string, number> = {
      SUCCESS: 0x00, DISCONNECT_WITH_WILL: 0x04, NO_MATCHING_SUBSCRIBERS: 0x10, NO_SUBSCRIPTION_EXISTED: 0x11,
      UNSPECIFIED_ERROR: 0x80, MALFORMED_PACKET: 0x81, PROTOCOL_ERROR: 0x82,
        IMPLEMENTATION_SPECIFIC_ERROR: 0x83,
      UNSUPPORTED_PROTOCOL_VERSION: 0x84, CLIENT_IDENTIFIER_NOT_VALID: 0x85, BAD_USER_NAME_OR_PASSWORD: 0x86,
        NOT_AUTHORIZED: 0x87,
      SERVER_UNAVAILABLE: 0x88, SERVER_BUSY: 0x89, BANNED: 0x8A, SERVER_SHUTTING_DOWN: 0x8B,
        BAD_AUTHENTICATION_METHOD: 0x8C,
      KEEP_ALIVE_TIMEOUT: 0x8D, SESSION_TAKEN_OVER: 0x8E, TOPIC_FILTER_INVALID: 0x8F, TOPIC_NAME_INVALID: 0x90,
      PACKET_IDENTIFIER_IN_USE: 0x91, PACKET_IDENTIFIER_NOT_FOUND: 0x92, RECEIVE_MAXIMUM_EXCEEDED: 0x93,
        TOPIC_ALIAS_INVALID: 0x94,
      PACKET_TOO_LARGE: 0x95, MESSAGE_RATE_TOO_HIGH: 0x96, QUOTA_EXCEEDED: 0x97, ADMINISTRATIVE_ACTION: 0x98,
      PAYLOAD_FORMAT_INVALID: 0x99, RETAIN_NOT_SUPPORTED: 0x9A, QOS_NOT_SUPPORTED: 0x9B, USE_ANOTHER_SERVER: 0x9C,
        SERVER_MOVED: 0x9D,
      CONNECTION_RATE_EXCEEDED: 0x9F, MAXIMUM_CONNECT_TIME: 0xA0, WILDCARD_SUBSCRIPTIONS_NOT_SUPPORTED: 0xA2,
      SHARED_SUBSCRIPTIONS_NOT_SUPPORTED: 0x9E, SUBSCRIPTION_IDENTIFIERS_NOT_SUPPORTED: 0xA1,
    };
    for (const [name, code] of CODES)
      if (code < 0x100)
        expect({ [name]: code }).toEqual({ [name]: values[name] });
    expect(CODES.filter(([, code]) => code < 0x100).length).toBeGreaterThanOrEqual(19);
  });

  it('differ from each other', () => {
    expect(new Set(CODES.map(([, code]) => code)).size).toBe(CODES.length);
  });
});

describe('return codes of CONNACK (3.1.1 table 3.1)', () => {
  const TABLE = [
    [0, ReasonCode.SUCCESS], [1, ReasonCode.UNSUPPORTED_PROTOCOL_VERSION], [2, ReasonCode.CLIENT_IDENTIFIER_NOT_VALID],
    [3, ReasonCode.SERVER_UNAVAILABLE], [4, ReasonCode.BAD_USER_NAME_OR_PASSWORD], [5, ReasonCode.NOT_AUTHORIZED],
  ] as const;

  it.each(TABLE)('%i stands for reason %i, both ways', (returnCode, reasonCode) => {
    expect(ReasonCode.fromReturnCode(returnCode)).toBe(reasonCode);
    expect(ReasonCode.toReturnCode(reasonCode)).toBe(returnCode);
  });

  it('6 to 255 mean a refusal with a reason of its own', () => {
    for (let returnCode = 6; returnCode < 256; ++returnCode)
      expect(ReasonCode.fromReturnCode(returnCode)).toBe(ReasonCode.UNKNOWN_RETURN_CODE);
  });

  const UNAVAILABLE: readonly number[] = [
    ReasonCode.SERVER_BUSY, ReasonCode.WILL_TOO_LONG, ReasonCode.STORE_UNAVAILABLE, ReasonCode.STORE_FULL,
    ReasonCode.PLACE_NEEDED, ReasonCode.USERS_RELOADED,
  ];
  it.each(UNAVAILABLE)('reason %i is "server unavailable" to a Client',
    reasonCode => {
    expect(ReasonCode.toReturnCode(reasonCode)).toBe(3);
  });

  it('every other reason has a return code or none, and the way back leads to the same reason [MQTT311-3.2.2-6]',
    () => {
    for (let reasonCode = -1; reasonCode < 0x200; ++reasonCode) {
      const returnCode = ReasonCode.toReturnCode(reasonCode);
      if (TABLE.some(([, reason]) => reason === reasonCode))
        expect(ReasonCode.fromReturnCode(returnCode)).toBe(reasonCode);
      else if (!UNAVAILABLE.includes(reasonCode))
        expect(returnCode).toBe(-1);
    }
  });
});
