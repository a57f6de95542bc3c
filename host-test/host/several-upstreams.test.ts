/** A configuration with several upstreams: what each part is, and where what is wrong stands in the file. */
import { describe, expect, it } from 'vitest';
import { readConfiguration } from '../../src/host/config.ts';

const HOME = { name: 'home', address: ['mqtt://10.0.0.1'] };
const CLOUD = { name: 'cloud', address: ['mqtt://10.0.0.2'] };

const read = (value: object, sizes?: object) => readConfiguration(JSON.stringify(value, undefined, 1), 'f.json', ...sizes === undefined ? [] : [sizes]);
const errorsOf = (value: object): string[] =>
  read({ listener: { allow_anonymous: true, address: '127.0.0.1' }, ...value }).errors.map(line => line.replace(/^f\.json:\d+:\d+: /, ''));

describe('several upstreams', () => {
  it('are a gateway each, with the rules that name them', () => {
    const { configuration, further } = read({
      name: 'gw', upstream: [HOME, CLOUD], store: { path: 'waiting', durability: 'flash' },
      listener: { max_packet_size: 5000, max_queued_messages: 77, acl: [{ topic: '#', access: 'read' }] },
      sensors: [{ name: 's', type: 'simulated', topic: 's' }],
      topic: [{ pattern: 'a/#' }, { pattern: 'b/#', upstream: 'cloud' }, { pattern: 'c/#', upstream: '*' },
        { pattern: '$SYS/#', upstream: '*' }, { pattern: 'd/#', upstream: 'home' }],
    });
    const patternsOf = (topic: readonly { pattern: string }[]): string[] => topic.map(({ pattern }) => pattern);
    expect(patternsOf(configuration!.topic)).toEqual(['a/#', 'c/#', '$SYS/#', 'd/#']);
    expect(configuration!.upstream.remote_clientid).toBe('gw');
    expect(further!.map(({ name }) => name)).toEqual(['cloud']);
    const { listener, sensors, store, topic, upstream } = further![0]!.configuration;
    expect(patternsOf(topic)).toEqual(['b/#', 'c/#']);
    expect(upstream).toMatchObject({ address: ['mqtt://10.0.0.2'], remote_clientid: 'gw-cloud' });
    expect([sensors, store.path, store.durability]).toEqual([[], 'waiting-cloud', 'flash']);
    // Nothing of the first one's nodes, or broker, is too long for it; what its own broker sends is for nodes.
    expect(listener).toMatchObject(
      { max_packet_size: 65_536 + 1024, max_queued_messages: 77, acl: [], max_connections: 1 });
    expect(upstream.max_packet_size).toBe(5000 - 1024);
  });

  it('may be one, in a list or not, which a rule may name', () => {
    for (const upstream of [HOME, [HOME]]) {
      const { configuration, further } = read({ upstream, topic: [{ pattern: 'a', upstream: 'home' }, { pattern: 'b', upstream: '*' }] });
      expect([configuration!.topic.length, configuration!.upstream.address, further]).toEqual([2, HOME.address, []]);
    }
  });

  it.each<[string, object, string[]]>([
    ['no name', { upstream: [HOME, { address: CLOUD.address }] },
      ['upstream[1]: each of several upstreams has a name; write "name": "cloud" as well']],
    ['a name twice', { upstream: [HOME, HOME] },
      ['upstream[1].name: there is an upstream "home" already; write another name instead']],
    ['a name that is none', { upstream: [HOME, { ...CLOUD, name: 'a b' }] },
      ['upstream[1].name: "a b" is no name of an upstream; write letters, digits, "-", "_" and "." only']],
    ['a rule for nobody', { upstream: [HOME, CLOUD], topic: [{ pattern: 'a', upstream: 'clod' }] },
      ['topic[0].upstream: there is no upstream "clod"; write "home" or "cloud" or "*" instead']],
    ['a rule for nobody beside one upstream', { topic: [{ pattern: 'a', upstream: 'x' }] },
      ['topic[0].upstream: there is no upstream "x"; write "*" instead']],
    ['figures for a further one', { upstream: [HOME, CLOUD], topic: [{ pattern: '$SYS/#', upstream: 'cloud' }] },
      ['topic[0].upstream: what begins with "$" goes to the first upstream only; leave this out']],
    ['a wrong key of the second', { upstream: [HOME, { ...CLOUD, adress: [] }] },
      ['upstream[1].adress: there is no such key; write "address" instead']],
    ['a wrong value of the second', { upstream: [HOME, { ...CLOUD, address: ['10.0.0.2'] }] },
      ['upstream[1].address[0]: "10.0.0.2" is not an upstream address; write "mqtt://10.0.0.2" instead']],
    ['a wrong rule of the second, behind others', { upstream: [HOME, CLOUD],
      topic: [{ pattern: 'a' }, { pattern: 'b' }, { pattern: 'c/#/d', upstream: 'cloud' }] },
    ['topic[2].pattern: "c/#/d" is no Topic Filter: "+" and "#" stand for whole levels, "#" for the last ones; write for '
      + 'example "a/+/b" or "a/#" instead']],
    ['something wrong for all, once', { upstream: [HOME, CLOUD], store: { ram: -1 } }, [expect.stringMatching(/^store\.ram: /) as string]],
    ['more from a further broker than a node may send', { upstream: [HOME, { ...CLOUD, max_packet_size: 9000 }],
      listener: { allow_anonymous: true, address: '127.0.0.1', max_packet_size: 5000 } },
    ['upstream[1].max_packet_size: nodes get what comes from there as messages of a node, of 5000 bytes at most '
      + '(listener.max_packet_size); write 3976 or less instead']],
    ['two brokers that send everything back', { upstream: [HOME, CLOUD], topic: [{ pattern: 'a/#', direction: 'both', upstream: '*' }] },
      [expect.stringMatching(/^topic\[0\]\.direction: what goes out by this rule comes back from upstream "home", goes to another one/) as string,
        expect.stringMatching(/^topic\[0\]\.direction: what goes out by this rule comes back from upstream "cloud"/) as string]],
    ['an empty list', { upstream: [] }, [expect.stringMatching(/^upstream: has too few entries/) as string]],
    ['a list in the list', { upstream: [[HOME]] }, [expect.stringMatching(/^upstream\[0\]/) as string]],
  ])('are refused with %s', (_name, value, errors) => {
    expect(errorsOf(value)).toEqual(errors);
  });

  it('are no storm where one of two brokers keeps back what it has got', () => {
    const five = { ...CLOUD, bridge_protocol_version: 'mqttv50' };
    expect(read({ upstream: [HOME, five], topic: [{ pattern: 'a/#', direction: 'both', upstream: '*' }] }).errors).toEqual([]);
  });

  it('are for a computer: a board has one', () => {
    expect(read({ upstream: [HOME, CLOUD] }, {}).errors).toEqual(
      ['f.json:2:2: upstream: a board has one upstream; write one object {...} instead of the list']);
  });
});
