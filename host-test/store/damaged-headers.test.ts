/**
 * No header of an area is sound: its records tell by themselves which block they lie in, so what is damaged costs
 * nothing but itself. That is the case of a store that is young, whose only block has a damaged header.
 */
import { describe, expect, it } from 'vitest';
import { Arena, ArenaPlan } from '../../src/bytes/arena.ts';
import { BLOCK_HEADER_LENGTH, checksumOfRecord, CLOCK, RECORD_CHECKSUM, RECORD_MARKS, sequenceOfRecord }
  from '../../src/store/record-format.ts';
import { seeded } from '../session/pair.ts';
import { FlashMedium } from '../simulation/simulated-flash.ts';
import { StoreLife } from './store-life.ts';

const BLOCK = 512;
const HALF = { stateShare: 0.5 };
/** What a header may look like. */
const DAMAGES: [name: string, value: number, length: number][] = [
  ['zeros', 0, BLOCK_HEADER_LENGTH], ['anything', 0x55, BLOCK_HEADER_LENGTH], ['erased', 0xFF, BLOCK_HEADER_LENGTH],
  ['another magic', 0x55, 4],
];

const spoil = (medium: FlashMedium, block: number, value: number, length: number): void =>
  void medium.bytes.fill(value, block * BLOCK, block * BLOCK + length);

const valuesOf = ({ states }: StoreLife): string[] =>
  [...states].filter(([key]) => !key.startsWith(`${CLOCK}/`)).map(([key, value]) => `${key}=${value}`).sort();

describe.each(DAMAGES)('the damaged header of the only block, which is %s,', (_name, value, length) => {
  it.each([1, 5])('costs none of %i messages, in this life and in those after it', count => {
    const medium = new FlashMedium(BLOCK, 8);
    const life = new StoreLife(medium, HALF);
    for (let number = 0; number < count; ++number)
      life.push(`${number}`);
    const { payloads } = life;
    spoil(medium, 0, value, length);
    const next = new StoreLife(medium, HALF);
    expect(next.payloads).toEqual(payloads);
    expect(next.report.damagedCount).toBeLessThanOrEqual(1);
    for (let number = 0; number < 30; ++number)
      next.force(`new ${number}`);
    expect(new StoreLife(medium, HALF).payloads).toEqual(next.payloads);
  });

  it.each([1, 5])('costs none of %i values of the map, in this life and in those after it', count => {
    const medium = new FlashMedium(BLOCK, 8);
    const life = new StoreLife(medium, HALF);
    for (let key = 0; key < count; ++key)
      life.put(key, `value ${key}`);
    spoil(medium, 4, value, length);
    const next = new StoreLife(medium, HALF);
    expect(valuesOf(next)).toEqual(valuesOf(new StoreLife(medium, HALF)));
    expect(valuesOf(next)).toHaveLength(count);
    for (let round = 0; round < 100; ++round)
      next.put(7, `${round}`);
    expect(new StoreLife(medium, HALF).states.get('5/7')).toBe('99');
    expect(new StoreLife(medium, HALF).states.get('5/0')).toBe('value 0');
  });
});

it('damaged headers of all blocks of both areas cost no message that waits and no value', () => {
  const medium = new FlashMedium(BLOCK, 12);
  const life = new StoreLife(medium, HALF);
  for (let number = 0; number < 60; ++number) {
    if (life.push(`${number}`.padStart(4, '0')) === 0) {
      life.deliver(12);
      life.push(`${number}`.padStart(4, '0'));
    }
    life.put(number % 5, `${number}`);
  }
  const { payloads } = life;
  const values = valuesOf(new StoreLife(medium, HALF));
  for (let block = 0; block < 12; ++block)
    if (medium.bytes[block * BLOCK] === 0x52)
      spoil(medium, block, 0x55, 20); // the marks stand after it
  const next = new StoreLife(medium, HALF);
  expect(next.payloads).toEqual(payloads);
  expect(valuesOf(next)).toEqual(values);
});

it('a record whose block nobody knows is not believed when it is damaged itself', () => {
  const random = seeded(5);
  let found = 0;
  for (let round = 0; round < 300; ++round) {
    const medium = new FlashMedium(BLOCK, 8);
    const life = new StoreLife(medium);
    const position = life.push('one message and no other');
    spoil(medium, 0, 0x55, BLOCK_HEADER_LENGTH);
    const at = position + 36 + Math.floor(random() * 40);
    medium.bytes[at] = medium.bytes[at]! ^ 1 << Math.floor(random() * 8);
    found += new StoreLife(medium).payloads.length;
  }
  expect(found).toBe(0);
});

it('the sequence that a checksum tells is the one that it was made with', () => {
  const plan = new ArenaPlan();
  const arena = new Arena(plan, { landingCapacity: 0, stagingCapacity: 256, resizable: false });
  const { bytes, stagingOffset, view } = arena;
  const random = seeded(3);
  const any = (most: number): number => Math.floor(random() * most);
  for (let round = 0; round < 500; ++round) {
    for (let at = 0; at < 256; ++at)
      bytes[stagingOffset + at] = any(256);
    const marks = any(6);
    const body = RECORD_MARKS + marks * 4;
    view.setUint32(stagingOffset + 4, any(180));
    const sequence = round < 100 ? round + 1 : any(0xFFFFFFFF) + 1;
    const place = any(0x10000);
    view.setInt32(stagingOffset + RECORD_CHECKSUM, checksumOfRecord(arena, sequence, place, body));
    expect(sequenceOfRecord(arena, place, body)).toBe(sequence);
  }
});
