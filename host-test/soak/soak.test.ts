/**
 * A virtual day of each of some seeds, those that have found something. What fails is told again by
 * `npm run soak -- --seed N --days 1 --trace TOPIC`.
 */
import { expect, it } from 'vitest';
import { Campaign } from './campaign.ts';

const SEEDS = [5, 27, 48, 75, 89];
const PATIENCE = 180_000;

it.each(SEEDS)('a virtual day, with seed %i, leaves every message where it must be', seed => {
  expect(new Campaign(seed).run(1)).toEqual([]);
}, PATIENCE);

it('a seed repeats itself exactly', () => {
  const [first, second] = [new Campaign(3), new Campaign(3)];
  first.run(0.1);
  second.run(0.1);
  expect(second.now).toBe(first.now);
  expect(second.ledger.publishedCount).toBe(first.ledger.publishedCount);
  expect(second.before.toString()).toBe(first.before.toString());
}, PATIENCE);
