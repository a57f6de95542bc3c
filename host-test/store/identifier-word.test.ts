/** The word with the identifier under which a message is being sent, when the power fails while it is programmed. */
import { describe, expect, it } from 'vitest';
import { FIRST_DESTINATION, IDENTIFIER_MARK, RECORD_MARKS, SPARE_IDENTIFIER,
  WORD } from '../../src/store/record-format.ts';
import { MOVE } from '../../src/store/store-owner.ts';
import { FlashMedium } from '../simulation/simulated-flash.ts';
import { StoreLife } from './store-life.ts';

const IDENTIFIER = RECORD_MARKS + (FIRST_DESTINATION + IDENTIFIER_MARK) * WORD;
/** Some bits of the word for identifier 0x1234, and all of them. */
const TORN = 0x9FF7EFCF;
const WHOLE = 0x1234EDCB;

function stored(words: Record<number, number>): { life: StoreLife; position: number } {
  const medium = new FlashMedium(512, 4);
  const first = new StoreLife(medium);
  const position = first.push('one', { qos: 2 });
  for (const [field, word] of Object.entries(words))
    new DataView(medium.bytes.buffer).setUint32(position + Number(field), word);
  return { life: new StoreLife(medium), position };
}

const identifierAfterRestart = (life: StoreLife): number => new StoreLife(life.flash.medium).waiting[0]!.identifier;

describe('the identifier of a message', () => {
  it('is remembered when its word is erased', () => {
    const { life, position } = stored({});
    expect(life.store.queue.underWay(position, 0, 77, true)).toBe(true);
    expect(identifierAfterRestart(life)).toBe(77);
  });

  it('is remembered when a power cut has torn its word: the spare one takes it', () => {
    const { life, position } = stored({ [IDENTIFIER]: TORN });
    expect(life.waiting[0]!.identifier, 'nothing was sent under the torn one').toBe(0);
    expect(life.store.queue.underWay(position, 0, 77, true)).toBe(true);
    expect(identifierAfterRestart(life)).toBe(77);
  });

  it('in the spare word moves with the message when room is made', () => {
    const { life, position } = stored({ [IDENTIFIER]: TORN });
    life.store.queue.underWay(position, 0, 77, true);
    while (life.moved.length === 0)
      life.force('x'.repeat(200), {}, ({ payload }) => payload === 'one' ? MOVE : 0);
    const { store: { queue } } = new StoreLife(life.flash.medium);
    expect(queue.load(life.moved[0]![1])).toBe(true);
    expect(queue.record.identifiers[0]).toBe(77);
  });

  it('is not remembered when two power cuts have torn both words', () => {
    const { life, position } = stored({ [IDENTIFIER]: TORN, [SPARE_IDENTIFIER]: TORN });
    expect(life.store.queue.underWay(position, 0, 77, true)).toBe(false);
    expect(life.store.isWorking).toBe(true);
    expect(identifierAfterRestart(life)).toBe(0);
  });

  it('is not replaced by another one', () => {
    const { life, position } = stored({ [IDENTIFIER]: WHOLE });
    expect(life.store.queue.underWay(position, 0, 77, true)).toBe(false);
    expect(identifierAfterRestart(life)).toBe(0x1234);
  });

  it('of a second destination is not taken for that of the first one', () => {
    const medium = new FlashMedium(512, 4);
    const life = new StoreLife(medium);
    const position = life.push('one', { qos: 2, destinations: 2 });
    new DataView(medium.bytes.buffer).setUint32(position + IDENTIFIER + 4 * WORD, TORN);
    expect(life.store.queue.underWay(position, 1, 77, true)).toBe(false);
    expect(identifierAfterRestart(life)).toBe(0);
  });
});
