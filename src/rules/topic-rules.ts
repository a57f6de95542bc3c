/** What must hold for a topic rule. */
import type { TopicRuleConfiguration } from '../config/configuration.ts';
import type { Findings, Path } from './findings.ts';
import { isTopicFilter } from './topic-texts.ts';

/** @param name of the upstream, the only one here */
export function judgeUpstreamOf(findings: Findings, { upstream }: TopicRuleConfiguration, path: Path, name = '*'): void {
  if (upstream !== undefined && upstream !== '*' && upstream !== name)
    findings.add([...path, 'upstream'], `there is no upstream "${upstream}" here; write "${name}" instead, or leave it out`);
}

export function judgeRule(findings: Findings, rule: TopicRuleConfiguration, path: Path): void {
  const { local_prefix, pattern, remote_prefix } = rule;
  for (const key of ['local_prefix', 'remote_prefix'] as const)
    if (/[+#]/.test(rule[key])) {
      findings.add([...path, key], 'a prefix has no wildcards; write them in "pattern" instead');
      return;
    }
  if (pattern === '') {
    if (local_prefix === '' || remote_prefix === '')
      findings.add([...path, 'pattern'], 'an empty pattern maps one topic to another; '
        + 'write both "local_prefix" and "remote_prefix" as well, or "#" instead');
    return;
  }
  if (!isTopicFilter(pattern)) {
    findings.add([...path, 'pattern'], `"${pattern}" is no Topic Filter: "+" and "#" stand for whole levels, `
      + '"#" for the last ones; write for example "a/+/b" or "a/#" instead');
    return;
  }
  for (const key of ['local_prefix', 'remote_prefix'] as const)
    if (!isTopicFilter(rule[key] + pattern))
      findings.add([...path, key], `"${rule[key]}${pattern}" is no Topic Filter; write "${rule[key]}/" instead`);
}
