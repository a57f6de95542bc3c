/** `ringbridge check` holds the rules against the limits of the broker. */
import { expect, test } from 'vitest';
import { completeConfiguration } from '../../src/config/complete-configuration.ts';
import { PC_SIZES } from '../../src/config/defaults.ts';
import { profileNameOf } from '../../src/config/broker-profiles.ts';
import { readConfiguration } from '../../src/host/config.ts';

const AWS = 'mqtt://a1b2-ats.iot.eu-west-1.amazonaws.com';

const linesOf = (configuration: object): readonly string[] => {
  const { errors, warnings } = readConfiguration(JSON.stringify(configuration), 'FILE');
  return [...errors, ...warnings].map(line => line.replace(/^FILE:[0-9:]+ /, ''));
};

test.each([
  [AWS, 'aws-iot'], ['mqtt://x.azure-devices.net', 'azure-iot-hub'], ['mqtt://rabbitmq:1883', 'rabbitmq'],
  ['mqtt://my-rabbitmq.example.com', 'rabbitmq'], ['mqtt://nats.example.com:1883', 'nats'],
  ['mqtt://192.168.1.10', 'none'], ['mqtt://signatsaver.example', 'none'], ['mqtt://amazonaws.com.example', 'none'],
])('the profile "auto" of %s is %s', (address, expected) => {
  expect(profileNameOf('auto', address)).toBe(expected);
  expect(profileNameOf('nats', address)).toBe('nats');
});

test('a profile lowers what the file does not say, and nothing that it says', () => {
  const { upstream } = completeConfiguration({ upstream: { address: [AWS], max_topic_levels: 20 } }, PC_SIZES);
  expect(upstream).toMatchObject({ max_qos: 1, max_topic_levels: 20, max_topic_length: 256,
    bridge_max_packet_size: 131_072, max_inflight_messages: 100, keepalive_interval: 60 });
  expect(completeConfiguration({ upstream: { address: [AWS], profile: 'none' } }).upstream)
    .toMatchObject({ max_qos: 2, max_topic_levels: 200, bridge_max_packet_size: 0 });
});

test.each<[string, object, RegExp]>([
  ['more levels than it takes', { upstream: { address: [AWS] }, topic: [{ pattern: 'a/b/c/d/e/f/+', remote_prefix: 'x/y/' }] },
    /^topic\[0\]\.pattern: "x\/y\/a\/b\/c\/d\/e\/f\/\+" has 9 levels, and a broker of the profile "aws-iot" takes 8/],
  ['a longer keep-alive', { upstream: { address: [AWS], keepalive_interval: 1201 }, topic: [{}] },
    /^upstream\.keepalive_interval: .* takes 1200 at most.*write 1200 instead$/],
  ['no keep-alive', { upstream: { address: [AWS], keepalive_interval: 0 }, topic: [{}] }, /write 1200 instead$/],
  ['a larger window', { upstream: { address: [AWS], max_inflight_messages: 101 }, topic: [{}] }, /write 100 instead$/],
  ['more filters', { upstream: { address: [AWS] },
    topic: Array.from({ length: 51 }, (_, index) => ({ pattern: `in${index}`, direction: 'in' })) },
    /^topic: 51 rules of direction "in", and .* takes 50 filters/],
  ['a dot in a prefix', { upstream: { profile: 'nats' }, topic: [{ remote_prefix: 'site.a/' }] },
    /^topic\[0\]\.pattern: "site\.a\/#" contains "\.", for which a broker of the profile "nats" closes/],
  ['a Will with QoS 2', { upstream: { profile: 'nats', will: { topic: 'w', qos: 2 } }, topic: [{}] },
    /^upstream\.will\.qos: .* write 1 instead$/],
  ['QoS 2', { upstream: { profile: 'rabbitmq' }, topic: [{ qos: 2 }] },
    /^warning: topic\[0\]\.qos: a broker of the profile "rabbitmq" does not serve QoS 2, so 1 is used/],
  ['a retained Will', { upstream: { profile: 'azure-iot-hub', will: { topic: 'w', retain: true } }, topic: [{}] },
    /^warning: upstream\.will\.retain: .* keeps no retained messages; write false$/],
])('a configuration with %s is told so', (_name, configuration, expected) => {
  const lines = linesOf({ ...configuration, listener: { allow_anonymous: true } });
  expect(lines.some(line => expected.test(line)), lines.join('\n')).toBe(true);
});

test('what fits is not spoken of', () => {
  expect(linesOf({ upstream: { address: [AWS] }, listener: { allow_anonymous: true, address: '127.0.0.1' },
    topic: [{ pattern: 'a/#', remote_prefix: 'x/y/' }] })).toEqual([]);
});
