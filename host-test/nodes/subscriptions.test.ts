/** The subscriptions of all nodes beside a list that is searched: whatever comes and goes, the answers are the same. */
import { describe, expect, it } from 'vitest';
import { Arena, ArenaPlan } from '../../src/bytes/arena.ts';
import { encodeUTF8 } from '../../src/bytes/utf8.ts';
import { END, HAS_IDENTIFIER, IDENTIFIED, SHARED, Subscriptions } from '../../src/nodes/subscriptions.ts';
import { seeded } from '../session/pair.ts';

const NODES = 12;
const LONGEST = 400;

/** MQTT 3.1.1 section 4.7, level by level. */
function matches(filter: string, name: string): boolean {
  const levels = filter.split('/'), names = name.split('/');
  if (name.startsWith('$') && !filter.startsWith('$'))
    return false;
  for (const [index, level] of levels.entries()) {
    if (level === '#')
      return true;
    if (index === names.length || level !== '+' && level !== names[index])
      return false;
    if (index === levels.length - 2 && levels[index + 1] === '#' && names.length === index + 1)
      return true;
  }
  return levels.length === names.length;
}

interface Listed {
  node: number;
  filter: string;
  qos: number;
  /** 0: none. */
  identifier: number;
  /** Bytes. */
  span: number;
}

/** `$share/GROUP/` of a filter, and the filter proper. */
function parts(filter: string): [share: string, proper: string] {
  const found = /^(\$share\/[^/]+\/)(.*)$/.exec(filter);
  return found === null ? ['', filter] : [found[1]!, found[2]!];
}

const isShared = (filter: string): boolean => parts(filter)[0] !== '';

/** Bytes of a record. */
const spanOf = (filter: string, identifier: number): number =>
  7 + filter.length + (isShared(filter) ? 4 : 0) + (identifier === 0 ? 0 : 4) + 3 & ~3;

class Both {
  readonly list: Listed[] = [];
  readonly subscriptions: Subscriptions;
  private readonly arena: Arena;
  private readonly at: number;
  private readonly capacity: number;
  private readonly maximumCount: number;

  constructor(capacity: number, maximumCount: number) {
    const plan = new ArenaPlan();
    const places = Subscriptions.plan(plan, capacity, maximumCount, NODES);
    this.at = plan.reserve('text', LONGEST);
    this.arena = new Arena(plan, { landingCapacity: 0, stagingCapacity: 0 });
    this.subscriptions = new Subscriptions(this.arena, places, NODES);
    this.capacity = capacity;
    this.maximumCount = maximumCount;
  }

  write(text: string): number {
    return encodeUTF8(this.arena, this.at, text) - this.at;
  }

  get usedLength(): number {
    return this.list.reduce((sum, { span }) => sum + span, 0);
  }

  add(node: number, filter: string, qos: number, identifier = 0): void {
    const known = this.list.find(each => each.node === node && each.filter === filter);
    const span = spanOf(filter, identifier);
    const hasRoom = this.usedLength + span <= this.capacity;
    const fits = known === undefined ? hasRoom && this.list.length < this.maximumCount
      : hasRoom || (known.identifier === 0) === (identifier === 0);
    this.subscriptions.identifier = identifier;
    const number = this.subscriptions.add(node, this.at, this.write(filter), qos, false);
    expect(number !== END).toBe(fits);
    if (!fits)
      return;
    if (known === undefined)
      this.list.push({ node, filter, qos, identifier, span });
    else
      Object.assign(known, { qos, identifier, span });
    expect([this.subscriptions.qosOf(number), this.subscriptions.identifierOf(number)]).toEqual([qos, identifier]);
  }

  remove(node: number, filter: string): void {
    const index = this.list.findIndex(each => each.node === node && each.filter === filter);
    const number = this.subscriptions.find(node, this.at, this.write(filter));
    expect(number !== END).toBe(index >= 0);
    if (number === END)
      return;
    this.subscriptions.remove(number);
    this.list.splice(index, 1);
  }

  removeAll(node: number): void {
    this.subscriptions.removeAll(node);
    for (let index = this.list.length; index-- > 0;)
      if (this.list[index]!.node === node)
        this.list.splice(index, 1);
  }

  readers(name: string): (readonly [node: number, qos: number])[] {
    const { subscriptions } = this;
    subscriptions.match(this.at, this.write(name));
    const found = Array.from(subscriptions.matched.subarray(0, subscriptions.matchedCount),
      node => [node, subscriptions.granted[node]! & ~HAS_IDENTIFIER] as const);
    subscriptions.forgetMatch();
    return found.sort(([a], [b]) => a - b);
  }

  expectReaders(name: string): void {
    const qosOf = new Map<number, number>();
    for (const { node, filter, qos } of this.list)
      if (!isShared(filter) && matches(filter, name))
        qosOf.set(node, Math.max(qos, qosOf.get(node) ?? 0));
    expect(this.readers(name)).toEqual([...qosOf].sort(([a], [b]) => a - b));
    this.expectGroups(name);
    const { subscriptions } = this;
    const identified = this.found(name, IDENTIFIED).map(number =>
      `${subscriptions.nodeOf(number)} ${subscriptions.identifierOf(number)}`);
    expect(identified.sort()).toEqual(this.list
      .filter(({ filter, identifier }) => identifier > 0 && !isShared(filter) && matches(filter, name))
      .map(({ identifier, node }) => `${node} ${identifier}`).sort());
  }

  /** Each group that matches is found once, with all its members, whose turns come one after the other. */
  expectGroups(name: string): void {
    const { subscriptions } = this;
    const groups = new Map<string, number[]>();
    for (const { filter, node } of this.list)
      if (isShared(filter) && matches(parts(filter)[1], name))
        groups.set(filter, [...groups.get(filter) ?? [], node]);
    const found = this.found(name, SHARED).map(first => {
      const members: number[] = [];
      do {
        const member = subscriptions.turnOf(first);
        members.push(subscriptions.nodeOf(member));
        subscriptions.passTurn(first, member);
      } while (members.length < 2 * NODES && members.indexOf(subscriptions.nodeOf(subscriptions.turnOf(first))) < 0);
      return members.sort((a, b) => a - b).join(' ');
    });
    expect(found.sort()).toEqual([...groups.values()].map(nodes => nodes.sort((a, b) => a - b).join(' ')).sort());
  }

  private found(name: string, form: number): number[] {
    const { at, subscriptions } = this;
    const length = this.write(name);
    const found: number[] = [];
    for (let number = subscriptions.nextMatch(END, at, length, form); number !== END;
      number = subscriptions.nextMatch(number, at, length, form))
      found.push(number);
    return found;
  }

  expectChains(): void {
    const { subscriptions } = this;
    expect(subscriptions.count).toBe(this.list.length);
    expect(subscriptions.dollarCount).toBe(this.list.filter(({ filter }) => parts(filter)[1].startsWith('$')).length);
    expect(subscriptions.sharedCount).toBe(this.list.filter(({ filter }) => isShared(filter)).length);
    for (let node = 0; node < NODES; ++node) {
      const own = this.list.filter(each => each.node === node);
      const lengths: number[] = [];
      for (let number = subscriptions.nextOf(node, END); number !== END; number = subscriptions.nextOf(node, number))
        lengths.push(subscriptions.filterLengthOf(number));
      expect(lengths).toEqual(own.map(({ filter }) => filter.length));
      expect(subscriptions.countOf(node)).toBe(own.length);
    }
  }
}

/** Few words, so that names meet filters; now and then so deep that no hash is kept. */
function text(random: () => number, wildcards: boolean): string {
  const pick = (count: number): number => Math.floor(random() * count);
  const depth = pick(20) === 0 ? 15 + pick(5) : 1 + pick(4);
  const levels = Array.from({ length: depth }, (_, index) => {
    if (wildcards && pick(4) === 0)
      return '+';
    return index === 0 && pick(8) === 0 ? '$SYS' : ['a', 'b', '', 'long level', 'a0'][pick(depth > 4 ? 1 : 5)]!;
  });
  if (wildcards && pick(3) === 0)
    levels[levels.length - 1] = '#';
  const joined = levels.join('/');
  return joined === '' ? 'a' : joined;
}

describe('subscriptions of all nodes', () => {
  it.each([
    [1, 4000, 400], [2, 4000, 30], [3, 600, 400], [4, 100_000, 4000], [5, 100_000, 4000], [6, 64, 8],
  ])('are found as in a list that is searched, with seed %i, %i bytes and %i places', (seed, capacity, count) => {
    const random = seeded(seed);
    const both = new Both(capacity, count);
    for (let step = 0; step < 2500; ++step) {
      const node = Math.floor(random() * NODES);
      const what = random();
      if (what < 0.5)
        both.add(node, (random() < 0.3 ? `$share/g${Math.floor(random() * 2)}/` : '') + text(random, true),
          Math.floor(random() * 3), random() < 0.3 ? 1 + Math.floor(random() * 1e6) : 0);
      else if (what < 0.7 && both.list.length > 0) {
        const victim = both.list[Math.floor(random() * both.list.length)]!;
        both.remove(victim.node, victim.filter);
      } else if (what < 0.75)
        both.remove(node, text(random, true));
      else if (what < 0.76)
        both.removeAll(node);
      else
        both.expectReaders(text(random, false));
    }
    both.expectChains();
    for (let step = 0; step < 150; ++step)
      both.expectReaders(text(random, false));
  });

  it('are found beside more kinds of wildcards than have a place of their own', () => {
    const both = new Both(100_000, 1000);
    for (let kind = 0; kind < 256; ++kind) {
      const levels = Array.from({ length: 8 }, (_, index) => (kind >> index & 1) === 1 ? '+' : 'x');
      both.add(kind % NODES, levels.join('/'), kind % 3);
    }
    for (let kind = 0; kind < 256; kind += 3) { // places become free, and are taken by other kinds
      const { filter, node } = both.list[Math.floor(kind / 2)]!;
      both.remove(node, filter);
      both.add(node, `${filter}/#`, 1);
    }
    for (let kind = 0; kind < 256; ++kind)
      both.expectReaders(Array.from({ length: 8 }, (_, index) => (kind >> index & 1) === 1 ? 'y' : 'x').join('/'));
    both.expectChains();
    for (const { filter, node } of [...both.list])
      both.remove(node, filter);
    expect(both.subscriptions.count).toBe(0);
  });

  it('cost about the same to look up, however many there are', () => {
    const looksFor = (count: number): number => {
      const both = new Both(1_000_000, 10_000);
      for (let number = 0; number < count; ++number)
        both.add(number % NODES, number % 5 === 0 ? `building/+/room${number}/#` : `building/floor/room${number}`, 1);
      let looks = 0;
      const { index } = both.subscriptions as unknown as { index: { next(entry: number): number } };
      const next = index.next.bind(index);
      index.next = entry => {
        ++looks;
        return next(entry);
      };
      for (let number = 0; number < 50; ++number)
        expect(both.readers(`building/floor/room${number}`)).toHaveLength(1);
      return looks;
    };
    expect(looksFor(10_000)).toBeLessThanOrEqual(looksFor(50) * 1.5);
  });
});
