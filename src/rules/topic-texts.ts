/** Topic Names and Topic Filters of a configuration, judged by the core, which judges bytes where they lie. */
import { Arena, ArenaPlan } from '../bytes/arena.ts';
import { encodeUTF8, isPlainText, lengthOfUTF8 } from '../bytes/utf8.ts';
import { isValidTopicName } from '../packet/topic.ts';
import { filtersOverlap, isValidTopicFilter } from '../packet/topic-filter.ts';

export const isTopicName = (text: string): boolean =>
  isValid(text, (arena, offset, length) => isValidTopicName(arena, offset, length)
    && isPlainText(arena, offset, offset + length));
/** Whether it is free of control characters and non-characters. */
export const isPlain = (text: string): boolean =>
  isValid(text, (arena, offset, length) => isPlainText(arena, offset, offset + length));
export const isTopicFilter = (text: string): boolean => isValid(text, isValidTopicFilter);

function isValid(text: string, check: (arena: Arena, offset: number, length: number) => boolean): boolean {
  const plan = new ArenaPlan();
  plan.reserve('text', lengthOfUTF8(text));
  const arena = new Arena(plan, { landingCapacity: 0, stagingCapacity: 0, resizable: false });
  return check(arena, 0, encodeUTF8(arena, 0, text));
}

/** Whether some Topic Name matches both filters. */
export function overlap(a: string, b: string): boolean {
  const plan = new ArenaPlan();
  plan.reserve('filters', lengthOfUTF8(a) + lengthOfUTF8(b));
  const arena = new Arena(plan, { landingCapacity: 0, stagingCapacity: 0, resizable: false });
  const middle = encodeUTF8(arena, 0, a);
  return filtersOverlap(arena, 0, middle, middle, encodeUTF8(arena, middle, b) - middle);
}
