/** The quarantine in words: why a message is in it, whose it is, and what to write. */
import { decodeUTF8 } from '../bytes/utf8.ts';
import * as Event from '../config/events.ts';
import { IMPLEMENTATION_SPECIFIC_ERROR } from '../packet/reason-code.ts';
import type { UpstreamConfiguration } from '../config/configuration.ts';
import type { BrokerLimits } from '../upstream/broker-limits.ts';
import * as Reason from '../upstream/quarantine-reasons.ts';
import type { QuarantinedMessage } from '../upstream/quarantined-message.ts';
import type { Gateway } from './gateway.ts';
import { describeReason } from './reason-texts.ts';
import { serverWords } from './server-words.ts';

export interface QuarantineStatus {
  count: number;
  bytes: number;
  capacity: readonly [messages: number, bytes: number];
  /** Since the start; and those that had to make room. */
  setAside: number;
  givenUp: number;
  messages: { number: number; topic: string; bytes: number; node: string; rule: string; reason: string; age: number }[];
}

/** Why a message is not sent, with the key that decides about it. @param words of the broker about that */
export function describeSetAside(gateway: Gateway, reason: number, words = ''): string {
  const { bridge: { guard: { limits } }, configuration: { upstream } } = gateway;
  if (reason >= Reason.FIRST_CODE)
    return `the broker refuses this message: ${describeCode(reason)}${words}`;
  return describeLimit(reason, limits, upstream) ?? describeFound(reason);
}

/** What is known beforehand. @returns undefined for any other reason */
export function describeLimit(reason: number, limits: BrokerLimits,
  upstream: UpstreamConfiguration): string | undefined {
  switch (reason) {
    case Reason.TOO_MANY_LEVELS:
      return `its topic at the broker would have more than ${upstream.max_topic_levels} levels (upstream.max_topic_levels)`;
    case Reason.TOPIC_TOO_LONG:
      return `its topic at the broker would have more than ${upstream.max_topic_length} bytes (upstream.max_topic_length)`;
    case Reason.PACKET_TOO_LONG:
      return limits.packetLength === limits.configuredLength
        ? `its packet would have more than ${limits.packetLength} bytes (upstream.bridge_max_packet_size)`
        : `its packet would have more than ${limits.packetLength} bytes, which is all that the broker takes`;
    case Reason.FORBIDDEN_CHARACTER:
      return 'its topic has a space or a dot, for which this broker closes the connection (upstream.profile)';
    default:
      return undefined;
  }
}

function describeFound(reason: number): string {
  switch (reason) {
    case Reason.CLOSED_ON:
      return 'the broker closes the connection each time that it gets this message, and does not say why';
    case Reason.NEVER_ACKNOWLEDGED:
      return 'the broker acknowledges others, but never this message';
    case Reason.ON_PROBATION:
      return 'the broker has closed the connection for other messages of its node by this rule, so they are sent one now '
        + 'and then, and as many wait as may';
    case Reason.NO_ROOM_TO_WAIT:
      return 'the broker has closed the connection for other messages of its node by this rule, so it has waited, and there '
        + 'is no room left in the store for that (store.size)';
    default:
      return `its node has as many messages in the quarantine by this rule as it may have (a quarter of store.quarantine)`;
  }
}

/** A reason code with which the broker refuses a message. */
export const describeCode = (code: number): string =>
  `${code === IMPLEMENTATION_SPECIFIC_ERROR ? 'implementation specific error' : describeReason(code)} `
  + `(0x${code.toString(16)})`;

/** Whose message in the quarantine it is. */
function describeSender(gateway: Gateway, { nameLength, nameOffset, origin }: QuarantinedMessage): string {
  return nameLength > 0 ? `node "${decodeUTF8(gateway.arena, nameOffset, nameLength)}"` : describeOrigin(gateway, origin);
}

/** Whose the message at this place of the quarantine is, and the rule by which it came. */
export function describeQuarantined(gateway: Gateway, index: number): { sender: string; pattern: string } {
  const message = gateway.bridge.guard.quarantine.read(index);
  return { sender: describeSender(gateway, message), pattern: patternOf(gateway, message) };
}

const patternOf = ({ bridge: { outbound } }: Gateway, { rule }: QuarantinedMessage): string =>
  outbound.rules.find(({ identity }) => identity === rule)?.configuration.pattern ?? '';

/** @param origin identity of a node */
function describeOrigin({ arena, nodes }: Gateway, origin: number): string {
  if (origin === 0)
    return 'the gateway itself';
  const node = nodes.identities.findName(origin);
  return node === undefined ? `a node that is forgotten (${(origin >>> 0).toString(16)})`
    : `node "${decodeUTF8(arena, node.identifierOffset, node.identifierLength || node.formerLength)}"`;
}

/** Topic and size of the message at hand. */
export function describeNamed({ arena, bridge: { guard: { named } } }: Gateway): string {
  const { payloadLength, topicNameLength, topicNameOffset } = named;
  const topic = decodeUTF8(arena, topicNameOffset, Math.min(topicNameLength, LONGEST));
  return `"${topic}${topicNameLength > LONGEST ? '...' : ''}" (${payloadLength} bytes)`;
}

/** Bytes of a topic in a line of the log. */
const LONGEST = 120;

/** @param node name of the session's node, where there is one */
export function describeQuarantineEvent(gateway: Gateway, event: number, detail: number, node: string): string {
  const why = describeSetAside(gateway, detail, detail >= Reason.FIRST_CODE ? serverWords(gateway.packet) : '');
  switch (event) {
    case Event.MESSAGE_SET_ASIDE: {
      const { guard, guard: { quarantine, quarantine: { count } } } = gateway.bridge;
      guard.named = quarantine.read(count - 1); // where it was may be used for something else already
      return `set aside a message to ${describeNamed(gateway)} of ${describeSender(gateway, quarantine.read(count - 1))}: ${why}; it stays in `
        + `the quarantine, with ${count} in all, until somebody decides: ringbridge quarantine FILE list`;
    }
    case Event.MESSAGE_UNFIT:
      return `dropped a message to ${describeNamed(gateway)}, which need not arrive: ${why}`;
    default:
      return `did not take a message of node ${node} to ${describeNamed(gateway)}: ${why}; the node keeps it, and its `
        + 'connection is closed';
  }
}

/** For the status. */
export function quarantineOf(gateway: Gateway): QuarantineStatus {
  const { arena, bridge: { aging, guard: { quarantine } } } = gateway;
  return {
    count: quarantine.count,
    bytes: quarantine.usedLength,
    capacity: [quarantine.capacity, quarantine.room],
    setAside: quarantine.setAsideCount,
    givenUp: quarantine.givenUpCount,
    messages: quarantine.inOrder().map(index => {
      const message = quarantine.read(index);
      return {
        number: message.number,
        topic: decodeUTF8(arena, message.topicNameOffset, message.topicNameLength),
        bytes: message.payloadLength,
        node: describeSender(gateway, message),
        rule: patternOf(gateway, message),
        reason: describeSetAside(gateway, message.reason),
        age: aging.age(message.takenAt),
      };
    }),
  };
}
