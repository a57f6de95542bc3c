/** An arena with one region to write into, filled with 0xA5, and bytes put into it. */
import { Arena, ArenaPlan } from '../../src/bytes/arena.ts';

export const POISON = 0xA5;

/** Offset 0 to `capacity` is free; the staging area is as long. */
export function testArena(capacity: number): Arena {
  const plan = new ArenaPlan();
  plan.reserve('test', capacity);
  const arena = new Arena(plan, { landingCapacity: 0, stagingCapacity: capacity, resizable: false });
  arena.bytes.fill(POISON);
  return arena;
}

/** Puts bytes, or the UTF-8 of a text as Node encodes it, at `offset`. @returns their number */
export function put(arena: Arena, offset: number, content: string | ArrayLike<number>): number {
  const bytes = typeof content === 'string' ? Buffer.from(content, 'utf8') : content;
  arena.bytes.set(bytes, offset);
  return bytes.length;
}

export const hexOf = (arena: Arena, offset: number, end: number): string =>
  Buffer.from(arena.bytes.slice(offset, end)).toString('hex');

/** Whether nothing but [`offset`, `end`) has been written. */
export const isPoisonOutside = (arena: Arena, offset: number, end: number): boolean =>
  arena.bytes.every((byte, index) => index >= offset && index < end || byte === POISON);
