/** What of a configuration exceeds the limits of the broker (config/broker-profiles.ts): it would answer by closing. */
import { lengthOfUTF8 } from '../bytes/utf8.ts';
import { type BrokerProfile, profileNameOf, profileOf } from '../config/broker-profiles.ts';
import type { Configuration, PartialConfiguration, TopicRuleConfiguration } from '../config/configuration.ts';
import type { Findings, Path } from './findings.ts';

const levelsOf = (topic: string): number => topic.split('/').length;

/** @returns what to call it in a sentence */
export function brokerNameOf({ upstream: { address, profile } }: Configuration): string {
  const name = profileNameOf(profile, address[0] ?? '');
  return name === 'none' ? 'the broker' : `a broker of the profile "${name}"`;
}

/** @param written what the user wrote: only of that it can be said that it should be otherwise */
export function judgeBroker(findings: Findings, configuration: Configuration, written: PartialConfiguration): void {
  const { topic, upstream } = configuration;
  const profile = profileOf(upstream.profile, upstream.address[0] ?? '');
  const broker = brokerNameOf(configuration);
  const { keepalive_interval: keepAlive, max_inflight_messages: inflight } = written.upstream ?? {};
  const closes = (most: number): string => `${broker} takes ${most} at most, and closes the connection else; write `
    + `${most} instead`;
  if (profile.keepAlive !== 0 && keepAlive !== undefined && (keepAlive === 0 || keepAlive > profile.keepAlive))
    findings.add(['upstream', 'keepalive_interval'], closes(profile.keepAlive));
  if (profile.inflight !== 0 && inflight !== undefined && inflight > profile.inflight)
    findings.add(['upstream', 'max_inflight_messages'], closes(profile.inflight));
  const inward = topic.filter(({ direction }) => direction !== 'out').length;
  if (profile.filters !== 0 && inward > profile.filters)
    findings.add(['topic'], `${inward} rules of direction "in", and ${broker} takes ${profile.filters} filters of a `
      + 'connection; write fewer, with wildcards, instead');
  topic.forEach((rule, index) => judgeRemoteTopic(findings, rule, ['topic', index, 'pattern'], configuration, profile));
  const { will } = upstream;
  if (will !== null && levelsOf(will.topic) > upstream.max_topic_levels)
    findings.add(['upstream', 'will', 'topic'], `has ${levelsOf(will.topic)} levels, and ${broker} takes `
      + `${upstream.max_topic_levels}; write fewer instead`);
  if (will !== null && will.qos > upstream.max_qos)
    findings.add(['upstream', 'will', 'qos'], `${broker} does not serve QoS ${will.qos}; write ${upstream.max_qos} `
      + 'instead');
}

function judgeRemoteTopic(findings: Findings, { pattern, remote_prefix }: TopicRuleConfiguration, path: Path,
  configuration: Configuration, profile: BrokerProfile): void {
  const { max_topic_length, max_topic_levels } = configuration.upstream;
  const broker = brokerNameOf(configuration);
  const remote = remote_prefix + pattern;
  const levels = levelsOf(remote) - (remote.endsWith('/#') ? 1 : 0);
  if (levels > max_topic_levels)
    findings.add(path, `"${remote}" has ${levels} levels, and ${broker} takes ${max_topic_levels}: it would close the `
      + 'connection; write fewer, or raise upstream.max_topic_levels instead');
  else if (lengthOfUTF8(remote) > max_topic_length)
    findings.add(path, `"${remote.slice(0, 40)}..." has ${lengthOfUTF8(remote)} bytes, and ${broker} takes `
      + `${max_topic_length}; write a shorter one, or raise upstream.max_topic_length instead`);
  for (const character of profile.forbidden)
    if (remote.includes(character))
      findings.add(path, `"${remote}" contains "${character}", for which ${broker} closes the connection; write it `
        + 'without instead');
}
