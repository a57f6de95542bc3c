/** What the gateway says about itself to the Server, as the configuration has it: session/announcements.ts sends it. */
import type { Arena, ArenaPlan } from '../bytes/arena.ts';
import { encodeUTF8, lengthOfUTF8 } from '../bytes/utf8.ts';
import type { ProbeConfiguration, UpstreamConfiguration, WillConfiguration } from '../config/configuration.ts';
import type { GatewayObserver } from '../config/events.ts';
import { PlainSpans } from '../packet/packet.ts';
import type { Announcements } from '../session/announcements.ts';
import type { Bridge } from '../upstream/bridge.ts';
import { Probe, PROBE_LENGTH } from '../upstream/probe.ts';

/** What is said at a clean stop: what the Will says, and where the birth says something else, that there as well. */
function farewellsOf({ birth, will }: UpstreamConfiguration): WillConfiguration[] {
  if (birth === null || will === null)
    return [];
  return birth.topic === will.topic ? [will] : [will, { ...birth, payload: will.payload }];
}

const messagesOf = (upstream: UpstreamConfiguration): WillConfiguration[] =>
  upstream.birth === null ? [] : [upstream.birth, ...farewellsOf(upstream)];

const lengthOf = ({ payload, topic }: WillConfiguration): number => lengthOfUTF8(topic) + lengthOfUTF8(payload);

/** Its number is written later. */
const probeOf = ({ probe }: UpstreamConfiguration): WillConfiguration[] => probe === null ? []
  : [{ topic: probe.topic, payload: '0'.repeat(PROBE_LENGTH), qos: 1, retain: false }];

/** Topic and payload of the longest one. */
export const longestAnnouncement = (upstream: UpstreamConfiguration): number =>
  [...messagesOf(upstream), ...probeOf(upstream)].reduce((longest, message) => Math.max(longest, lengthOf(message)), 0);

/** Topics and payloads of all. */
export const lengthOfAnnouncements = (upstream: UpstreamConfiguration): number =>
  [...messagesOf(upstream), ...probeOf(upstream)].reduce((sum, message) => sum + lengthOf(message), 0);

export const planAnnouncements = (plan: ArenaPlan, upstream: UpstreamConfiguration): number =>
  plan.reserve('upstream: birth', lengthOfAnnouncements(upstream));

/** @param offset what `planAnnouncements` has returned */
export function writeAnnouncements(
  announcements: Announcements, arena: Arena, offset: number, upstream: UpstreamConfiguration,
): void {
  const said = messagesOf(upstream);
  const messages = [...said, ...probeOf(upstream)].map(({ payload, qos, retain, topic }) => {
    const message = new PlainSpans();
    message.topicNameOffset = offset;
    message.payloadOffset = encodeUTF8(arena, offset, topic);
    message.topicNameLength = message.payloadOffset - offset;
    offset = encodeUTF8(arena, message.payloadOffset, payload);
    message.payloadLength = offset - message.payloadOffset;
    message.qos = qos;
    message.retain = retain ? 1 : 0;
    return message;
  });
  announcements.birth = said.length === 0 ? undefined : messages[0];
  announcements.farewells = messages.slice(1, said.length);
  if (messages.length > said.length)
    announcements.probe = messages[said.length];
}

/** @param probe null: none any more */
export function useProbe(bridge: Bridge, probe: ProbeConfiguration | null, observer: GatewayObserver): void {
  const { inbound, session } = bridge;
  bridge.probe = inbound.own = probe === null ? undefined : new Probe(session, probe.interval * 1000, observer);
  inbound.forgetAll();
}
