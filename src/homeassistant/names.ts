/**
 * Names of things for Home Assistant: identifiers, and what a topic of the gateway's side is called at the broker, by
 * the rules of the configuration. Texts, once for a configuration; what passes is mapped by upstream/topic-map.ts.
 */
import type { TopicRuleConfiguration } from '../config/configuration.ts';

/** Between the identifier of the gateway and the name of what belongs to it: `identifierOf` never gives two of them. */
export const SEPARATOR = '__';

const HEXADECIMAL = '0123456789abcdef';

/** Letters, digits and `-` stay, `_` and two hexadecimal digits are any other byte. No two texts have the same. */
export function identifierOf(text: string): string {
  let identifier = '';
  for (const character of text) {
    if (/[A-Za-z0-9-]/.test(character)) {
      identifier += character;
      continue;
    }
    const code = character.codePointAt(0)!;
    const rest = code < 0x80 ? 0 : code < 0x800 ? 1 : code < 0x10000 ? 2 : 3;
    for (let left = rest; left >= 0; --left) {
      const bits = code >> left * 6;
      const byte = rest === 0 ? code : left === rest ? 0xF00 >> rest + 1 & 0xFF | bits : 0x80 | bits & 0x3F;
      identifier += `_${HEXADECIMAL[byte >> 4]!}${HEXADECIMAL[byte & 15]!}`;
    }
  }
  return identifier;
}

/** Of a part of a device, in it: small letters, digits and `_`. */
export const keyOf = (text: string): string =>
  text.toLowerCase().replaceAll(/[^a-z0-9]+/g, '_').replaceAll(/^_+|_+$/g, '');

/** What a topic of ours is called at the broker; undefined: no rule carries it there. */
export function remoteNameOf(rules: readonly TopicRuleConfiguration[], topic: string): string | undefined {
  const rule = rules.find(({ direction, local_prefix, pattern }) =>
    direction !== 'in' && matches(local_prefix + pattern, topic));
  return rule && rule.remote_prefix + topic.slice(rule.local_prefix.length);
}

/** What a topic at the broker is called that arrives here under this name; undefined: no rule brings it. */
export function commandNameOf(rules: readonly TopicRuleConfiguration[], topic: string): string | undefined {
  const inward = rules.filter(({ direction }) => direction !== 'out');
  for (const rule of inward) {
    const remote = rule.remote_prefix + topic.slice(rule.local_prefix.length);
    if (topic.startsWith(rule.local_prefix)
      && inward.find(({ pattern, remote_prefix }) => matches(remote_prefix + pattern, remote)) === rule)
      return remote;
  }
  return undefined;
}

/** Whether a Topic Name matches a Topic Filter. */
function matches(filter: string, name: string): boolean {
  if (name.startsWith('$') && /^[+#]/.test(filter)) // [MQTT311-4.7.2-1]
    return false;
  const levels = name.split('/');
  const wanted = filter.split('/');
  if (wanted.at(-1) === '#' ? levels.length < wanted.length - 1 : levels.length !== wanted.length)
    return false;
  return wanted.every((level, index) => level === '#' || level === '+' || level === levels[index]);
}
