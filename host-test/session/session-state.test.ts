import { describe, expect, it } from 'vitest';
import { Arena, ArenaPlan } from '../../src/bytes/arena.ts';
import { SessionState } from '../../src/session/session-state.ts';
import { NONE } from '../../src/session/record-layout.ts';
import { QueueLimits, type SessionLimits } from '../../src/session/queue-limits.ts';
import { NO_IDENTIFIERS } from './pair.ts';

function make(limits: SessionLimits) {
  const plan = new ArenaPlan();
  const length = QueueLimits.lengthOf(limits);
  plan.reserve('before', 8);
  const offset = plan.reserve('state', length);
  plan.reserve('after', 8);
  const arena = new Arena(plan, { landingCapacity: 0, stagingCapacity: 256, resizable: false });
  arena.bytes.fill(0xA5);
  return { arena, offset, length, state: new SessionState(new QueueLimits(arena, limits), offset) };
}

const LIMITS: SessionLimits = { queueCapacity: 61, maximumQueuedMessages: 4, maximumInflightMessages: 3 };

describe('the QoS 2 messages that came in', () => {
  it('are known from PUBLISH until PUBREL, in whatever order they are released [MQTT311-4.3.3-2]', () => {
    const { state } = make(LIMITS);
    for (const identifier of [7, 65535, 256])
      expect(state.addReceived(identifier, 0)).toBe(true);
    expect([7, 65535, 256].map(identifier => state.hasReceived(identifier))).toEqual([true, true, true]);
    state.removeReceived(65535);
    expect([7, 65535, 256].map(identifier => state.hasReceived(identifier))).toEqual([true, false, true]);
    state.removeReceived(7);
    expect([7, 65535, 256].map(identifier => state.hasReceived(identifier))).toEqual([false, false, true]);
    state.removeReceived(256);
    expect(state.receivedCount).toBe(0);
    expect(state.hasReceived(256)).toBe(false); // although its bytes still lie there
  });

  it('are at most as many as the limit says; one more is refused and changes nothing', () => {
    const { state } = make(LIMITS);
    for (const identifier of [1, 2, 3])
      state.addReceived(identifier, 0);
    expect(state.addReceived(4, 0)).toBe(false);
    expect(state.receivedCount).toBe(3);
    expect(state.hasReceived(4)).toBe(false);
    state.removeReceived(1);
    expect(state.addReceived(4, 0)).toBe(true);
  });

  it('do not change when an unknown identifier is released', () => {
    const { state } = make(LIMITS);
    state.addReceived(1, 0);
    state.removeReceived(2);
    expect(state.receivedCount).toBe(1);
    expect(state.hasReceived(1)).toBe(true);
  });

  it('are compared as 16 bits, both bytes', () => {
    const { state } = make(LIMITS);
    state.addReceived(0x0102, 0);
    expect([0x0102, 0x0201, 0x0002, 0x0100].map(identifier => state.hasReceived(identifier))).toEqual([true, false,
      false, false]);
  });
});

describe('the limit of unreleased messages', () => {
  it('is its own: a sender of 3.x that bursts does not know what we may have in flight', () => {
    const { length, state } = make({ ...LIMITS, maximumUnreleasedMessages: 5 });
    expect(length).toBe(64 + 10);
    for (let identifier = 1; identifier <= 5; ++identifier)
      expect(state.addReceived(identifier, 0)).toBe(true);
    expect(state.addReceived(6, 0)).toBe(false);
    expect(state.queue.limits.maximumInflight).toBe(3);
  });
});

describe('the region', () => {
  it('has the announced length, a queue of whole words included, and nothing beyond it is written', () => {
    const { arena, length, offset, state } = make(LIMITS);
    expect(length).toBe(64 + 6);
    expect(state.queue.capacity).toBe(64);
    const topic =
      { topicNameOffset: offset - 8, topicNameLength: 1, payloadOffset: offset - 8, payloadLength: 8, qos: 0,
        retain: 0, packetIdentifier: 0, propertiesOffset: 0, propertiesLength: 0, ...NO_IDENTIFIERS };
    while (state.queue.append(topic, 2) !== NONE);
    for (const identifier of [1, 2, 3])
      state.addReceived(identifier, 0);
    expect(Array.from(arena.bytes.subarray(offset - 8, offset)).every(byte => byte === 0xA5)).toBe(true);
    expect(Array.from(arena.bytes.subarray(offset + length, offset + length + 8)).every(byte =>
      byte === 0xA5)).toBe(true);
    expect(state.hasReceived(1)).toBe(true);
  });
});

describe('a new session', () => {
  it('inherits neither messages nor identifiers [MQTT311-3.1.2-6]', () => {
    const { offset, state } = make(LIMITS);
    state.queue.append({ topicNameOffset: offset - 8, topicNameLength: 1, payloadOffset: offset - 8, payloadLength: 0,
      qos: 0, retain: 0, packetIdentifier: 0, propertiesOffset: 0, propertiesLength: 0, ...NO_IDENTIFIERS }, 1);
    state.addReceived(9, 0);
    state.forget();
    expect(state.queue.count).toBe(0);
    expect(state.queue.hasUnsent).toBe(false);
    expect(state.receivedCount).toBe(0);
    expect(state.hasReceived(9)).toBe(false);
  });
});
