/**
 * The configurations of a campaign: a rule for each family of topics, and what is edited between two lives of the
 * gateway. A family is the first level of a topic, so that the model knows which rule is whose without a filter.
 */
import type { PartialConfiguration, TopicRuleConfiguration } from '../../src/config/configuration.ts';
import type { FullPolicy } from '../../src/config/store-configuration.ts';
import type { Chance } from './chance.ts';

/** What nodes publish, sensors measure, and what comes down. */
export const FAMILIES = ['a', 'b', 'c', 'd', 'e', 'f'] as const;
export const READINGS = 'r';
export const COMMANDS = 'cmd';
export const DOWN = 'down/';

export type Rule = Pick<TopicRuleConfiguration, 'pattern' | 'qos' | 'remote_prefix' | 'expiry'> & {
  readonly full: FullPolicy;
};

const patternOf = (family: string): string => `${family}/#`;

/** The rules of a campaign at its beginning. @param policy of those that may have any */
export function firstRules(chance: Chance, policy: FullPolicy | undefined): Rule[] {
  const full = (): FullPolicy => policy ?? chance.pick(['drop_oldest', 'latest_per_topic', 'drop_newest']);
  const rule = (family: string, qos: number, expiry = 0): Rule =>
    ({ pattern: patternOf(family), qos, remote_prefix: 'up/', full: full(), expiry });
  return [
    rule('a', 1), rule('b', 2), rule('c', 1), rule('d', 1, chance.spread(300, 20_000)), rule('e', 0), rule('f', 2),
    rule(READINGS, 1),
  ];
}

/** One change, as somebody makes it in a file. */
export function edited(rules: readonly Rule[], all: readonly Rule[], chance: Chance): Rule[] {
  const changed = [...rules];
  const at = chance.integer(0, changed.length - 1);
  const rule = changed[at]!;
  switch (chance.integer(0, 5)) {
    case 0: return chance.shuffled(changed);
    case 1: return [{ ...rule, pattern: `tmp${chance.integer(0, 99)}/#`, expiry: 1 }, ...changed];
    case 2: {
      const missing = all.filter(({ pattern }) => !changed.some(one => one.pattern === pattern));
      if (missing.length > 0)
        return [...missing, ...changed];
      return rule.pattern === patternOf(READINGS) ? changed : changed.filter(one => one !== rule);
    }
    case 3: changed[at] = { ...rule, remote_prefix: chance.pick(['up/', 'there/', 'x/y/']) }; break;
    case 4: changed[at] = { ...rule, full: chance.pick(['drop_oldest', 'latest_per_topic', 'drop_newest']) }; break;
    default:
      if (rule.expiry > 0)
        changed[at] = { ...rule, expiry: chance.spread(300, 20_000) };
  }
  return changed;
}

export const ruleOf = (rules: readonly Rule[], family: string): Rule | undefined =>
  rules.find(({ pattern }) => pattern === patternOf(family));

/** What a gateway is given. */
export function configurationOf(rules: readonly Rule[], fixed: PartialConfiguration): PartialConfiguration {
  return {
    ...fixed,
    topic: [
      ...rules.map(rule => ({ direction: 'out' as const, ...rule })),
      { pattern: patternOf(COMMANDS), direction: 'in', qos: 2, remote_prefix: DOWN },
    ],
  };
}
