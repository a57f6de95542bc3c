/** Retained messages found by hash, beside a map: whatever comes, grows, shrinks and goes. */
import { describe, expect, it } from 'vitest';
import { Arena, ArenaPlan } from '../../src/bytes/arena.ts';
import { END } from '../../src/bytes/packed-records.ts';
import { encodeUTF8 } from '../../src/bytes/utf8.ts';
import { RetainedMessages } from '../../src/nodes/retained.ts';
import { MessageSpans } from '../../src/packet/packet.ts';
import { seeded } from '../session/pair.ts';

describe('retained messages', () => {
  it.each([[1, 20_000, 300], [2, 1500, 300], [3, 20_000, 40], [4, 400, 5]])(
    'are those that came last, with seed %i, %i bytes and %i places', (seed, capacity, count) => {
      const random = seeded(seed);
      const plan = new ArenaPlan();
      const retainedPlan = RetainedMessages.plan(plan, capacity, count);
      const text = plan.reserve('text', 400);
      const arena = new Arena(plan, { landingCapacity: 0, stagingCapacity: 0 });
      const retained = new RetainedMessages(arena, retainedPlan);
      const message = new MessageSpans();
      const kept = new Map<string, string>();
      const write = (topic: string, payload: string): void => {
        message.topicNameOffset = text;
        message.payloadOffset = encodeUTF8(arena, text, topic);
        message.topicNameLength = message.payloadOffset - text;
        message.payloadLength = encodeUTF8(arena, message.payloadOffset, payload) - message.payloadOffset;
      };
      const payloadAt = (topic: string, at: number): string =>
        Buffer.from(arena.bytes.slice(at + 3 + topic.length, at + retained.lengthAt(at))).toString();
      for (let step = 0; step < 5000; ++step) {
        const topic = `a/${Math.floor(random() * 400)}/temperature`;
        const payload = random() < 0.25 ? '' : 'x'.repeat(1 + Math.floor(random() * 60));
        write(topic, payload);
        if (retained.update(message) && payload !== '')
          kept.set(topic, payload);
        else
          kept.delete(topic); // also where there is no room for the new one: the old one is not true any more
        if (step % 50 === 0) {
          expect(retained.count).toBe(kept.size);
          for (let number = 0; number < 400; ++number) {
            const name = `a/${number}/temperature`;
            write(name, '');
            const at = retained.locate(message.topicNameOffset, message.topicNameLength);
            expect(at === END ? undefined : payloadAt(name, at)).toBe(kept.get(name));
          }
        }
      }
    });
});
