/**
 * What was published, and what has become of it: one entry for each message, from whoever published it, to the broker
 * and to each node. Knows no gateway: entries say what was seen outside of it.
 */

/** Where a message was seen. */
export interface Arrival {
  /** In virtual milliseconds. */
  readonly time: number;
  /** Number of the connection on which it came, counted by whoever received it. */
  readonly connection: number;
  readonly qos: number;
}

export type Source = 'node' | 'broker' | 'sensor';

export class Entry {
  readonly id: number;
  /** Name of the node, or what kind of source. */
  readonly author: string;
  readonly source: Source;
  /** On this side of the gateway. */
  readonly topic: string;
  /** Within its topic. */
  readonly sequence: number;
  readonly qos: number;
  readonly retain: boolean;
  readonly payload: string;
  readonly publishedAt: number;
  /** PUBLISH packets that have left. */
  sends = 0;
  /** PUBACK or PUBREC has come, at that time; a reading is taken when it is made. */
  takenAt = NaN;
  /** Numbers of lives of the gateway: that to which it was first sent, or the one before; that which has taken it. */
  firstLife = -1;
  life = -1;
  /** Nobody sends it any more: its node was to forget it, its broker has lost it. */
  isAbandoned = false;
  /** It was taken when there was no connection to the broker, and there has been none since. */
  isOffline = false;
  /** Why it must not arrive any more; empty if it may. */
  verdict = '';
  readonly atBroker: Arrival[] = [];
  readonly atNodes = new Map<string, Arrival[]>();

  constructor(id: number, fields: EntryFields, sequence: number) {
    this.id = id;
    this.author = fields.author;
    this.source = fields.source;
    this.topic = fields.topic;
    this.sequence = sequence;
    this.qos = fields.qos;
    this.retain = fields.retain;
    this.payload = fields.source === 'sensor' ? `${id}` : `${id} ${'x'.repeat(fields.padding)}`;
    this.publishedAt = fields.at;
  }

  get isTaken(): boolean {
    return !Number.isNaN(this.takenAt);
  }

  /** First level of the topic: for each there is a rule. */
  get family(): string {
    return this.topic.slice(0, this.topic.indexOf('/'));
  }

  /** Of nodes and sensors, with an acknowledgement that says so. */
  get isPromised(): boolean {
    return this.qos > 0 && this.isTaken;
  }

  toString(): string {
    const taken = this.isTaken ? `taken at ${seconds(this.takenAt)}` : this.isAbandoned ? 'abandoned' : 'not taken';
    const arrivals = this.atBroker.map(({ connection, time }) => `${seconds(time)} #${connection}`).join(', ');
    return `message ${this.id} ${this.topic} q${this.qos}${this.retain ? ' retained' : ''} by ${this.author}, published `
      + `at ${seconds(this.publishedAt)}, sent ${this.sends} times, ${taken} in life ${this.life}, `
      + `at the broker: ${arrivals || 'never'}`;
  }
}

export interface EntryFields {
  readonly author: string;
  readonly source: Source;
  readonly topic: string;
  readonly qos: number;
  readonly retain: boolean;
  readonly padding: number;
  readonly at: number;
}

export const seconds = (time: number): string => `${(time / 1000).toFixed(3)} s`;

const MOST_RECENT = 10_000;

export class Ledger {
  /** What is not judged yet, in order. */
  readonly entries = new Map<number, Entry>();
  /** What does not hold, in words. */
  readonly problems: string[] = [];
  private nextId = 1;
  private readonly sequences = new Map<string, number>();
  /** Of what was judged: what has arrived, and what was given up. */
  private readonly arrived = new Set<number>();
  private readonly givenUp = new Map<number, Entry>();
  /** Per receiver and topic: the newest that has arrived, and the one that has arrived last. */
  readonly newest = new Map<string, Entry>();
  readonly last = new Map<string, Entry>();
  /** Of what has arrived, the last ones, to tell of them. */
  private readonly recent = new Map<number, Entry>();
  /** Of each topic that is retained: the newest entry that was taken and settled, and those after it. */
  readonly states = new Map<string, Entry[]>();

  get publishedCount(): number {
    return this.nextId - 1;
  }

  publish(fields: EntryFields): Entry {
    const sequence = (this.sequences.get(fields.topic) ?? 0) + 1;
    this.sequences.set(fields.topic, sequence);
    const entry = new Entry(this.nextId++, fields, sequence);
    this.entries.set(entry.id, entry);
    return entry;
  }

  fail(problem: string): void {
    this.problems.push(problem);
  }

  /** A message has come to `receiver`. @returns its entry; undefined when it was judged, which is told */
  find(payload: string, receiver: string): Entry | undefined {
    const id = parseInt(payload, 10);
    const entry = this.entries.get(id);
    if (entry !== undefined)
      return entry;
    const lost = this.givenUp.get(id);
    const state = [...this.states.values()].flat().find(one => one.id === id);
    if (state !== undefined)
      return state; // it is told again
    if (lost !== undefined)
      this.fail(`${receiver} got ${lost}, which had been given up and counted`);
    else if (!this.arrived.has(id))
      this.fail(`${receiver} got "${payload.slice(0, 20)}", which nobody has published`);
    else
      this.fail(`${receiver} got ${this.recent.get(id) ?? `message ${id}`} again, long after it had arrived`);
    return undefined;
  }

  /** Per topic, of what was promised and is to be retained. */
  get newestRetained(): Map<string, Entry> {
    const newest = new Map<string, Entry>();
    for (const entry of [...[...this.states.values()].flat(), ...this.entries.values()])
      if (entry.retain && entry.isPromised && entry.source !== 'broker' && entry.verdict !== 'memory')
        newest.set(entry.topic, entry);
    return newest;
  }

  /** Whether it is the state of its topic. */
  isNewestRetained({ id, retain, topic }: Entry): boolean {
    return retain && this.newestRetained.get(topic)?.id === id;
  }

  /**
   * Notes order: of what is promised nothing older comes for the first time after something newer of its topic.
   * @param mayBeTorn whether the newer one was in the store, without the older one, although nobody was told so
   */
  noteOrder(receiver: string, entry: Entry, isFirst: boolean,
    mayBeTorn: (older: Entry, newer: Entry) => boolean): void {
    const key = `${receiver} ${entry.topic}`;
    const newest = this.newest.get(key);
    if (isFirst && newest !== undefined && newest.sequence > entry.sequence && !mayBeTorn(entry, newest))
      this.fail(`${receiver} got ${entry} after the newer ${newest}`);
    if (newest === undefined || newest.sequence < entry.sequence)
      this.newest.set(key, entry);
    this.last.set(key, entry);
  }

  /** It is not looked at any more. */
  settle(entry: Entry, hasArrived: boolean): void {
    this.entries.delete(entry.id);
    if (hasArrived)
      this.arrived.add(entry.id);
    else
      this.givenUp.set(entry.id, entry);
    this.recent.set(entry.id, entry);
    if (this.recent.size > MOST_RECENT)
      this.recent.delete(this.recent.keys().next().value!);
    if (entry.retain && entry.source !== 'broker') {
      const states = entry.isTaken ? [] : this.states.get(entry.topic) ?? [];
      this.states.set(entry.topic, [...states, entry]);
    }
  }
}
