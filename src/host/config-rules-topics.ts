/** What must hold for topic rules, each by itself and all together. */
import type { TopicRuleConfiguration } from '../config/configuration.ts';
import type { Judge, Path } from './config-findings.ts';
import { isTopicFilter, overlap } from './topic-texts.ts';

export function judgeRule(judge: Judge, rule: TopicRuleConfiguration, path: Path): void {
  const { local_prefix, pattern, remote_prefix } = rule;
  for (const key of ['local_prefix', 'remote_prefix'] as const)
    if (/[+#]/.test(rule[key])) {
      judge.error([...path, key], 'a prefix has no wildcards; write them in "pattern" instead');
      return;
    }
  if (pattern === '') {
    if (local_prefix === '' || remote_prefix === '')
      judge.error([...path, 'pattern'], 'an empty pattern maps one topic to another; '
        + 'write both "local_prefix" and "remote_prefix" as well, or "#" instead');
    return;
  }
  if (!isTopicFilter(pattern)) {
    judge.error([...path, 'pattern'], `"${pattern}" is no Topic Filter: "+" and "#" stand for whole levels, `
      + '"#" for the last ones; write for example "a/+/b" or "a/#" instead');
    return;
  }
  for (const key of ['local_prefix', 'remote_prefix'] as const)
    if (!isTopicFilter(rule[key] + pattern))
      judge.error([...path, key], `"${rule[key]}${pattern}" is no Topic Filter; write "${rule[key]}/" instead`);
}

/** Rules that do nothing together, or too much. */
export function judgeRules(judge: Judge, rules: readonly TopicRuleConfiguration[]): void {
  if (rules.length === 0)
    judge.warn(['topic'], 'there are no topic rules: nothing crosses the bridge; '
      + 'write for example [{ "pattern": "#", "direction": "out" }]');
  rules.forEach((out, outIndex) => {
    if (out.direction === 'in')
      return;
    if (out.direction === 'both')
      judge.warn(['topic', outIndex, 'direction'], 'what goes out comes back in: nodes that subscribe to what '
        + 'they publish get it twice; use two rules with different topics if that matters');
    rules.forEach((inward, inIndex) => {
      if (inIndex === outIndex || inward.direction === 'out')
        return;
      const remote = inward.remote_prefix + inward.pattern;
      if (overlap(out.remote_prefix + out.pattern, remote))
        judge.warn(['topic', inIndex, 'pattern'], `what rule topic[${outIndex}] sends out comes back in here, `
          + `as far as it matches "${remote}" at the broker; use topics that do not overlap if that matters`);
    });
  });
}
