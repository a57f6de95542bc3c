/**
 * What was subscribed upstream and is no rule's any more, because the configuration was read again: unsubscribed one by
 * one, on this connection or, if the Server keeps the session, on the next one.
 */
import type { Arena } from '../bytes/arena.ts';
import { encodeUTF8 } from '../bytes/utf8.ts';
import type { ClientSession } from '../session/client-session.ts';
import type { TopicMap } from './topic-map.ts';

export class ObsoleteFilters {
  private readonly arena: Arena;
  private readonly session: ClientSession;
  /** Its place for names that have no number is where a filter is put together. */
  private readonly map: TopicMap;
  private filters: readonly string[] = [];
  /** The first of them has been unsubscribed, and the Server has not answered. */
  private isUnderWay = false;
  /** An answer is awaited that is about no rule of today. */
  private isAwaited = false;

  constructor(arena: Arena, session: ClientSession, map: TopicMap) {
    this.arena = arena;
    this.session = session;
    this.map = map;
  }

  /** @param before the filters of all rules, as they were @param now as they are */
  add(before: readonly string[], now: readonly string[]): void {
    const underWay = this.isUnderWay ? this.filters.slice(0, 1) : [];
    const others = [...this.filters.slice(underWay.length), ...before];
    this.filters = [...underWay, ...new Set(others.filter(filter => !now.includes(filter)))];
    this.isAwaited = this.session.isSubscribing;
  }

  /** A new connection. */
  begin(): void {
    this.isUnderWay = this.isAwaited = false;
  }

  /** @returns whether an answer of the Server was about what is no rule's */
  takesAnswer(): boolean {
    const { isAwaited } = this;
    this.isAwaited = false;
    if (this.isUnderWay)
      this.filters = this.filters.slice(1);
    this.isUnderWay = false;
    return isAwaited;
  }

  /** Unsubscribes the next one. @returns whether there was one */
  unsubscribeNext(): boolean {
    const [filter] = this.filters;
    if (filter === undefined)
      return false;
    const { map } = this;
    const offset = map.placesOffset + map.uncached * map.placeLength;
    this.isUnderWay = this.isAwaited =
      this.session.unsubscribe(offset, encodeUTF8(this.arena, offset, filter) - offset);
    return this.isUnderWay;
  }
}
