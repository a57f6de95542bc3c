/**
 * What a test vector is. The hex of a vector is written by hand from the specification, never by our writers, with a
 * space between fields. These files import neither `node:` nor the test runner: the same vectors run on XS.
 */

/**
 * The fields of a packet, as expected or as found; absent means that the packet has no such field. Bytes are text:
 * printable ASCII as it is, anything else as `\xNN`, and 16 or more equal bytes as one and a count: `x{127}`.
 */
export interface PacketFields {
  readonly type: string;
  readonly version?: number;
  readonly connectFlags?: number;
  readonly keepAlive?: number;
  readonly clientIdentifier?: string;
  readonly willTopic?: string;
  readonly willPayload?: string;
  readonly userName?: string;
  readonly password?: string;
  readonly reasonCode?: number;
  readonly sessionPresent?: boolean;
  readonly dup?: true;
  readonly qos?: number;
  readonly retain?: true;
  readonly topicName?: string;
  readonly packetIdentifier?: number;
  readonly payload?: string;
  /** Instead of `payload`, when it was announced but skipped. */
  readonly oversizePayloadLength?: number;
  /** Those that go with a message or a Will. */
  readonly properties?: string;
  /** One `filter` (UNSUBSCRIBE) or `filter:options` (SUBSCRIBE; before 5.0 the QoS) each. */
  readonly topicFilters?: readonly string[];
  readonly returnCodes?: readonly number[];
}

export type Sender = 'client' | 'server';

interface VectorHead {
  readonly name: string;
  /** Protocol level: 3 is MQTT 3.1, 4 is MQTT 3.1.1, 5 is MQTT 5.0. */
  readonly version: 3 | 4 | 5;
  readonly sender: Sender;
  /** One packet; `78{125}` is 125 times the byte 78. */
  readonly hex: string;
}

export interface Acceptance extends VectorHead {
  readonly expected: PacketFields;
  /** What our writers make of these fields, where that is not `hex`; null where no writer makes this packet. */
  readonly written?: string | null;
}

export interface Rejection extends VectorHead {
  readonly reasonCode: number;
  /** After how many bytes it must be reported, neither sooner nor later. Without it: with the last one. */
  readonly after?: number;
}

export type Vector = Acceptance | Rejection;

/** @throws Error when it is not hex: a vector with a slip of the pen must not pass for a rejection */
export function bytesOf(hex: string): Uint8Array {
  const found: [byte: number, count: number][] = [];
  let length = 0;
  for (let at = 0; at < hex.length;) {
    if (hex[at] === ' ') {
      ++at;
      continue;
    }
    const digits = hex.slice(at, at + 2);
    if (!/^[0-9a-f]{2}$/.test(digits))
      throw new Error(`no hex at ${at}: ${hex}`);
    at += 2;
    let count = 1;
    if (hex[at] === '{') {
      const close = hex.indexOf('}', at);
      count = Number(hex.slice(at + 1, close));
      if (close < 0 || !Number.isInteger(count))
        throw new Error(`no count at ${at}: ${hex}`);
      at = close + 1;
    }
    found.push([parseInt(digits, 16), count]);
    length += count;
  }
  const bytes = new Uint8Array(length);
  let end = 0;
  for (const [byte, count] of found)
    bytes.fill(byte, end, end += count);
  return bytes;
}
