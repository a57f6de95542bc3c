/** Names that a lax broker sends and that no node may bring in: they are dropped, whoever wants them. */
import { describe, expect, it } from 'vitest';
import * as Event from '../../src/config/events.ts';
import { statusOf } from '../../src/gateway/status.ts';
import { isTopicName } from '../../src/rules/topic-texts.ts';
import { publish, subscribe } from '../world/packets.ts';
import { accept, World } from '../world/world.ts';

const CHARACTERS: readonly (readonly [name: string, character: string])[] = [
  ['U+0001', '\u0001'], ['U+001F', '\u001F'], ['U+007F', '\u007F'], ['U+0085', '\u0085'], ['U+009F', '\u009F'],
  ['U+FDD0', '\uFDD0'], ['U+FDEF', '\uFDEF'], ['U+FFFE', '\uFFFE'], ['U+FFFF', '\uFFFF'], ['U+1FFFF', '\u{1FFFF}'],
  ['U+10FFFE', '\u{10FFFE}'],
];

function start(): World {
  return World.quiet({
    topic: [{ pattern: '#', direction: 'in', qos: 2, remote_prefix: 'site/' }], memory: { topic_length: 32 },
  }, { server: accept });
}

it.each(CHARACTERS)('a configuration may not have %s in the topic of a Will or of a sensor either', (_name, character) => {
  expect([isTopicName(`a${character}`), isTopicName('a')]).toEqual([false, true]);
});

describe('a message from upstream whose topic has', () => {
  it.each(CHARACTERS)('%s is acknowledged, dropped, counted and named; the next one arrives', (_name, character) => {
    const world = start();
    const node = world.node('n', {}, subscribe(1, '#', 1));
    const long = 'l'.repeat(40); // has no place in the topic table
    for (const topic of [`a${character}b`, `a${character}b`, `${long}${character}`, `${long}${character}`])
      world.uplink.post(publish(`site/${topic}`, 'bad', { qos: 1, identifier: 5, retain: true }));
    world.uplink.post(publish('site/good', 'on', { qos: 1, identifier: 6 }));
    world.run();
    expect(node.take()).toEqual(['PUBLISH good=on q1 #1']);
    expect(world.uplink.all('puback').map(({ messageId }) => messageId)).toEqual([5, 5, 5, 5, 6]);
    expect(world.events.filter(({ event }) => event === Event.UNFIT_TOPIC).length).toBe(4);
    expect(world.eventTexts.find(text => text.includes('control character'))).toContain('from upstream');
    expect([world.gateway.bridge.unfitCount, world.gateway.retained.count, world.upstreamEndings]).toEqual([4, 0, []]);
    const { gateway, sensors, upstream } = world.runtime;
    expect(statusOf({ gateway, sensors, upstream }, world.clock.now).counters.unfitFromUpstream).toBe(4);
  });

  it.each([['\u00A0'], ['\uFDCF'], ['\uFFFD'], ['\u{1FFFD}'], ['é']])('%j, which is neither, reaches the nodes', character => {
    const world = start();
    const node = world.node('n', {}, subscribe(1, '#', 0));
    world.uplink.post(publish(`site/a${character}b`, 'good'));
    world.run();
    expect(node.take()).toEqual([`PUBLISH a${character}b=good q0`]);
  });
});
