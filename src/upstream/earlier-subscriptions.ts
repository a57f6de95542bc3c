/**
 * What an earlier configuration has subscribed in a session that the Server keeps, and today's does not: it is
 * unsubscribed when the session goes on, so that nothing of it goes on arriving. With a durable store its map knows
 * each filter that was asked for. Without one nothing is known; then, as Mosquitto's bridge does, what rules of
 * direction "out" would be called there is unsubscribed: a rule whose direction was changed is found so.
 */
import type { Arena, ArenaPlan } from '../bytes/arena.ts';
import { equalBytes } from '../bytes/compare.ts';
import { END, PackedRecords } from '../bytes/packed-records.ts';
import { encodeUTF8, lengthOfUTF8 } from '../bytes/utf8.ts';
import type { TopicRuleConfiguration, UpstreamConfiguration } from '../config/configuration.ts';
import type { ClientSession } from '../session/client-session.ts';
import type { Store } from '../store/message-store.ts';
import { ANNOUNCED } from '../store/record-format.ts';
import { hashOfTopic } from './topic-hash.ts';
import type { TopicRule } from './topic-map.ts';

/** Bytes for filters that were found in the store; those without room are taken back after the next start. */
const FOUND_LENGTH = 256;
const MOST_FOUND = 16;

export interface EarlierPlan {
  readonly filters: readonly string[];
  readonly offset: number;
  readonly found: number | undefined;
}

export class EarlierSubscriptions {
  private readonly arena: Arena;
  private readonly isAllowed: boolean;
  private readonly asked: readonly TopicRule[];
  /** What rules of direction "out" are called there, one after the other. */
  private offsets!: readonly number[];
  private end = 0;
  /** What the store knows and no rule asks for; undefined without a store. */
  private readonly found: PackedRecords | undefined;
  /** How many of `offsets` have been answered in this session. */
  private answeredCount = 0;
  private isContinued = false;

  /** @param room bytes for other rules than these; 0: none @param isDurable whether there is to be a store */
  static plan(plan: ArenaPlan, rules: readonly TopicRuleConfiguration[], room: number,
    isDurable: boolean): EarlierPlan {
    const filters = filtersToTakeBack(rules);
    return {
      filters,
      offset: plan.reserve('upstream: filters taken back',
        Math.max(room, filters.reduce((sum, text) => sum + lengthOfUTF8(text), 0))),
      found: isDurable ? plan.reserve('store: filters taken back', FOUND_LENGTH) : undefined,
    };
  }

  /** @param asked rules of direction "in" */
  constructor(arena: Arena, plan: EarlierPlan, upstream: UpstreamConfiguration, asked: readonly TopicRule[]) {
    this.arena = arena;
    this.isAllowed = upstream.bridge_attempt_unsubscribe;
    this.asked = asked;
    this.takeBack(plan.offset, plan.filters);
    this.found = plan.found === undefined ? undefined : new PackedRecords(arena, plan.found, FOUND_LENGTH, MOST_FOUND);
  }

  /** Writes what is to be taken back to the region at `offset`. @param answered how many of them have been */
  takeBack(offset: number, filters: readonly string[], answered = 0): void {
    const { arena } = this;
    this.offsets = filters.map(text => {
      const start = offset;
      offset = encodeUTF8(arena, start, text);
      return start;
    });
    this.end = offset;
    this.answeredCount = answered;
  }

  /** A connection is accepted. @param isContinued whether the Server may know what was subscribed before */
  begin(isContinued: boolean, store: Store | undefined): void {
    this.isContinued = isContinued && this.isAllowed;
    if (isContinued)
      return;
    this.answeredCount = this.offsets.length; // there is nothing to take back
    while (this.found !== undefined && this.found.count > 0)
      this.forgetFound(this.found, store);
  }

  /** Unsubscribes the next filter, if there is one; `answered` is to be called with the answer. */
  askNext(session: ClientSession): void {
    if (!this.isContinued)
      return;
    const { answeredCount, found, offsets } = this;
    if (answeredCount < offsets.length) {
      const offset = offsets[answeredCount]!;
      session.unsubscribe(offset, (offsets[answeredCount + 1] ?? this.end) - offset);
    } else if (found !== undefined && found.first !== END)
      session.unsubscribe(found.first, found.lengthOf(found.first));
  }

  answered(store: Store | undefined): void {
    const { found } = this;
    if (this.answeredCount < this.offsets.length)
      ++this.answeredCount;
    else if (found !== undefined && found.first !== END)
      this.forgetFound(found, store);
  }

  /** A filter that was asked for at some time is in the store. What is known already, of another storage, stays. */
  restore(offset: number, length: number): void {
    const { arena, found } = this;
    const at = this.isAsked(offset, length) || this.isFound(offset, length) ? END : found!.append(length);
    if (at !== END)
      arena.bytes.copyWithin(at, offset, offset + length);
  }

  private isFound(offset: number, length: number): boolean {
    const { arena, found } = this;
    for (let at = found!.first; at !== END; at = found!.next(at))
      if (found!.lengthOf(at) === length && equalBytes(arena, at, offset, length))
        return true;
    return false;
  }

  /** Stores what is asked for today, before it is, and what is to be taken back. */
  store({ state }: Store): void {
    const { arena, asked, found } = this;
    for (let at = found === undefined ? END : found.first; at !== END; at = found!.next(at)) {
      const key = hashOfTopic(arena, at, found!.lengthOf(at));
      if (state !== undefined && !state.has(ANNOUNCED, key))
        state.put(ANNOUNCED, key, at, found!.lengthOf(at));
    }
    for (let index = 0; index < asked.length; ++index) {
      const { filterLength, filterOffset } = asked[index]!;
      const key = hashOfTopic(arena, filterOffset, filterLength);
      if (state !== undefined && !state.has(ANNOUNCED, key))
        state.put(ANNOUNCED, key, filterOffset, filterLength);
    }
  }

  private isAsked(offset: number, length: number): boolean {
    const { arena, asked } = this;
    for (let index = 0; index < asked.length; ++index)
      if (asked[index]!.filterLength === length && equalBytes(arena, asked[index]!.filterOffset, offset, length))
        return true;
    return false;
  }

  /** The first one is subscribed no more. */
  private forgetFound(found: PackedRecords, store: Store | undefined): void {
    store?.state?.remove(ANNOUNCED, hashOfTopic(this.arena, found.first, found.lengthOf(found.first)));
    found.remove(found.first);
  }
}

/** What rules of direction "out" are called there, unless a rule of direction "in" asks for it. */
export function filtersToTakeBack(rules: readonly TopicRuleConfiguration[]): readonly string[] {
  const filterOf = ({ pattern, remote_prefix }: TopicRuleConfiguration): string => remote_prefix + pattern;
  const asked = new Set(rules.filter(({ direction }) => direction !== 'out').map(filterOf));
  return [...new Set(rules.map(filterOf))].filter(filter => !asked.has(filter));
}
