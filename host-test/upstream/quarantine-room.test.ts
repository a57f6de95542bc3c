/** How much of the map of a store messages may have that are set aside: the rest is for what nodes are promised. */
import { expect, it } from 'vitest';
import { Arena, ArenaPlan } from '../../src/bytes/arena.ts';
import { completeConfiguration } from '../../src/config/complete-configuration.ts';
import { PC_SIZES } from '../../src/config/defaults.ts';
import { quarantineRoom } from '../../src/gateway/state-limits.ts';
import { warningsOf } from '../../src/host/config-warnings.ts';
import { MessageSpans } from '../../src/packet/packet.ts';
import type { Store } from '../../src/store/message-store.ts';
import { Quarantine } from '../../src/upstream/quarantine.ts';

const LONGEST = 2000;

function durable(capacity: number): { quarantine: Quarantine; message: MessageSpans } {
  const plan = new ArenaPlan();
  const offset = Quarantine.plan(plan, [16, 8192], LONGEST, true);
  const topic = plan.reserve('topic', LONGEST);
  const arena = new Arena(plan, { landingCapacity: 0, stagingCapacity: 0, resizable: false });
  const quarantine = new Quarantine(arena, offset, [16, 8192], LONGEST, true);
  quarantine.store = {
    isWorking: true, state: { capacity, put: () => true, remove: () => true, load: () => 0 },
  } as unknown as Store;
  const message = new MessageSpans();
  message.topicNameOffset = message.payloadOffset = topic;
  message.topicNameLength = 4;
  return { quarantine, message };
}

const SUSPECT = { origin: 0, rule: 0, takenAt: 0, reason: 1 };

it('is a quarter of the map: the oldest gives way, and one message is always taken', () => {
  const { message, quarantine } = durable(4000);
  message.payloadLength = 180; // 200 bytes each
  for (let count = 0; count < 8; ++count)
    expect(quarantine.add(message, 1, SUSPECT, undefined)).toBe(count + 1);
  const { count, givenUpCount, room, usedLength } = quarantine;
  expect([room, count, usedLength, givenUpCount]).toEqual([1000, 5, 1000, 3]);
  message.payloadLength = 1980;
  expect(quarantine.add(message, 1, SUSPECT, undefined)).toBe(9);
  expect([quarantine.count, quarantine.usedLength]).toEqual([1, 2000]);
});

it('is as much as is written where the map is larger', () => {
  expect(durable(1_000_000).quarantine.room).toBe(8192);
});

it.each([65_536, 1_048_576, 4_194_304, 67_108_864])('by default has room in a store of %i bytes, on a board and on a PC', size => {
  for (const sizes of [{}, PC_SIZES]) {
    const configuration = completeConfiguration({ store: { durability: 'flash', size } }, sizes);
    if (quarantineRoom(configuration, size) > 0) // else the store is refused
      expect(configuration.store.quarantine[1]).toBeLessThanOrEqual(quarantineRoom(configuration, size));
  }
});

it('of no messages is told of by check, with what that means', () => {
  const texts = warningsOf(completeConfiguration({ store: { quarantine: [0, 0] } }, PC_SIZES)).map(({ text }) => text);
  expect(texts.filter(text => text.startsWith('nothing can be set aside: '))).toHaveLength(1);
});

it('if more is written, check says how much there is', () => {
  const configuration =
    completeConfiguration({ store: { durability: 'flash', quarantine: [100, 262_144] } }, PC_SIZES);
  expect(warningsOf(configuration).map(({ text }) => text)).toContain('a store of 1048576 bytes keeps 49140 bytes of messages '
    + 'that are set aside, and not 262144; write [100, 49140], or raise store.size');
});
