/** A key that people know from mosquitto.conf is answered with what it is called here. */
import { expect, test } from 'vitest';
import { readConfiguration, readSchema } from '../../src/host/config.ts';
import type { Schema } from '../../src/host/config-violations.ts';
import { FOREIGN_KEYS } from '../../src/host/foreign-keys.ts';

const keysOf = ({ items, properties = {} }: Schema): string[] => [
  ...Object.entries(properties).flatMap(([key, inner]) => [key, ...keysOf(inner)]),
  ...items === undefined ? [] : keysOf(items),
];

test('is no key of ours, and what is proposed exists', () => {
  const known = keysOf(readSchema());
  expect(Object.keys(FOREIGN_KEYS).filter(key => known.includes(key))).toEqual([]);
  for (const text of Object.values(FOREIGN_KEYS))
    for (const [path] of text.matchAll(/\b(?:upstream|listener|store)\.[a-z_]+/g))
      expect(known, path).toContain(path.split('.')[1]);
});

test.each(['password_file', 'idle_timeout', 'try_private', 'log_type'])('%s is answered', key => {
  expect(readConfiguration(`{ "upstream": { "${key}": true } }`, 'f').errors)
    .toEqual([`f:1:17: upstream.${key}: there is no such key; ${FOREIGN_KEYS[key]}`]);
});

test.each([
  ['listener', 'max_qos'], ['listener', 'host'], ['listener', 'bind'], ['listener', 'tls'], ['upstream', 'server'], ['upstream', 'url'],
  ['upstream', 'host'], ['upstream', 'tls'], ['upstream', 'port'], ['', 'keepalive'], ['', 'client_id'], ['', 'cafile'], ['', 'broker'],
  ['', 'base_topic'], ['', 'allow_zero_length_clientid'],
])('what another product has in "%s" as %s is answered with a key that is ours', (section, key) => {
  const known = keysOf(readSchema());
  const file = { [key]: 1 };
  const { errors } = readConfiguration(JSON.stringify(section === '' ? file : { [section]: file }), 'f');
  expect(errors.join()).toMatch(/there is no such key; (write|remove it; )/);
  for (const [path] of errors.join().replace(/^[^;]*;/, '').matchAll(/\b(?:upstream|listener|store)\.[a-z_]+/g))
    expect(known, path).toContain(path.split('.')[1]);
  expect(errors.join()).not.toContain('one of these instead');
});

test.each(['# Mosquitto\n\nlistener 1883\n', 'pid_file /run/m.pid\n', '\nallow_anonymous true'])('a whole mosquitto.conf is answered: %j', text => {
  expect(readConfiguration(text, 'm.conf').errors).toEqual(['m.conf:1:1: this is a configuration of Mosquitto; '
    + 'write "ringbridge import m.conf > gateway.json" instead, and use that file']);
});

test.each(['{ "listener": { port 1883 } }', 'port', '// port 1883\n{', 'listener: { "port": 1883 }'])('a slip of the pen is none: %j', text => {
  expect(readConfiguration(text, 'm.conf').errors.join()).not.toContain('Mosquitto');
});
