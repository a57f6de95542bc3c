/**
 * Where every message must be when everything has arrived that can: at the broker, and at the nodes that asked for it,
 * or given up for a reason that holds for it, and counted. What the gateway has counted is compared with what is
 * missing.
 */
import * as Loss from '../../src/upstream/losses.ts';
import { type Campaign, follows } from './campaign.ts';
import { type Entry, seconds } from './ledger.ts';
import { FAMILIES, READINGS, type Rule, ruleOf } from './rules.ts';
import type { SoakNode } from './soak-node.ts';
import type { Totals } from './tally.ts';

const SECOND = 1000;
/** Milliseconds in which a disk has written what nobody waits for. */
const UNFLUSHED = 2 * SECOND;
/** Messages of a block: the power may fail between giving it up and counting them, or the other way round. */
const MOST_IN_BLOCK = 16;
/** In which a connection is noticed to be dead. */
const UNNOTICED = 150 * SECOND;
/** In which all that is retained is told again. */
const LONGEST_TELLING = 300 * SECOND;

export class Judgement {
  private readonly campaign: Campaign;
  private readonly entries: readonly Entry[];
  /** What was counted since the last judgement. */
  private readonly counted: Totals;
  /** Rules of the lives that this is about. */
  private readonly rules: readonly (readonly Rule[])[];
  private readonly missing = new Set<Entry>();

  constructor(campaign: Campaign) {
    const { before, ledger, rulesOfLives, site } = campaign;
    const total = site.tally.total(site.status);
    this.campaign = campaign;
    this.counted = site.tally.total(site.status).addAll(before, -1);
    this.entries = [...ledger.entries.values()];
    this.rules = rulesOfLives.slice(campaign.firstLife);
    campaign.before = total;
  }

  judge(): void {
    const { campaign: { ledger, nodes }, entries } = this;
    for (const family of [...FAMILIES, READINGS])
      this.judgeFamily(family, entries.filter(entry => entry.family === family));
    this.judgeNodes(nodes.filter(({ options }) => options.isPersistent));
    this.judgeLast();
    this.judgeRetained();
    for (const entry of entries)
      ledger.settle(entry, !this.missing.has(entry));
  }

  // Towards the broker

  private judgeFamily(family: string, entries: readonly Entry[]): void {
    const { campaign, counted } = this;
    const promised = entries.filter(({ isPromised }) => isPromised);
    const missing = promised.filter(entry => entry.atBroker.length === 0 && !this.isExcused(entry));
    const pattern = `${family}/#`;
    const dropped = counted.get(`dropped ${pattern}`);
    const isRuleless = this.rules.some(rules => ruleOf(rules, family) === undefined);
    const unruled = (isRuleless ? counted.get('lost ') + counted.get('lost in the dark ') : 0)
      + counted.get(`lost in the dark ${pattern}`);
    const says = `${missing.length} of ${promised.length} messages of ${pattern} are missing, and ${dropped} were counted`
      + (unruled > 0 ? `, ${unruled} without a rule or in the dark` : '');
    if (missing.length > dropped + unruled)
      this.fail(`${says}: ${examples(missing)}`);
    const unsure = this.countUnsure(entries, campaign.lossTimes.get(pattern) ?? []);
    if (dropped > missing.length + unsure)
      this.fail(`${says}, ${dropped - missing.length - unsure} more than can be`);
    const expired = counted.get(`lost ${pattern} for ${Loss.EXPIRED}`);
    const unexpired = missing.filter(entry => !this.mayExpire(entry));
    if (unexpired.length > dropped - expired + unruled)
      this.fail(`${says}, ${expired} of them as too old: ${examples(unexpired)} could not be too old`);
    this.judgeExpiries(pattern, entries);
    const kept = missing.filter(entry => !this.mayGiveWay(entry));
    if (kept.length > expired + unruled)
      this.fail(`${says}, ${expired} of them as too old: ${examples(kept)} had to be kept`);
    for (const entry of missing)
      this.missing.add(entry);
    for (const entry of entries)
      this.judgeCopies(entry, campaign.isUndisturbed);
  }

  /** What was lost without being counted, as is said; or had no rule when it was taken, or perhaps then. */
  private isExcused(entry: Entry): boolean {
    const { campaign } = this;
    const rule = campaign.ruleOf(entry, entry.life);
    if (rule === undefined || entry.verdict === 'memory')
      return true;
    for (let life = entry.firstLife; life < entry.life; ++life)
      if (campaign.ruleOf(entry, life) === undefined)
        return true;
    return rule.qos === 0 && campaign.closedTimes.some(time => time >= entry.publishedAt - SECOND
        && time < entry.takenAt + UNNOTICED)
      || campaign.isUnflushed(entry);
  }

  /** Messages that may have been counted although nobody misses them, or they are there. */
  private countUnsure(entries: readonly Entry[], lossTimes: readonly number[]): number {
    const { campaign } = this;
    const undone = campaign.isDisk ? UNFLUSHED : 1;
    // The power failed before the mark was durable that says so.
    let sum = lossTimes.filter(time => follows(campaign.killTimes, time, undone)).length;
    for (const entry of entries) {
      const arrival = entry.atBroker.at(-1)?.time;
      if (!entry.isPromised || this.isExcused(entry))
        sum += entry.sends;
      else if (arrival !== undefined && (follows(campaign.closedTimes, arrival, UNNOTICED)
        || follows(campaign.lossTimes.get(`${entry.family}/#`) ?? [], arrival, SECOND)))
        ++sum; // it was given up when it was on its way
      else if (entry.source === 'node')
        sum += entry.sends - 1;
      if (entry.retain)
        sum += campaign.forgettings + campaign.stops; // it was told again
    }
    return sum;
  }

  /** Whether it may have been too old by then, in one of its lives; perhaps since it was first sent. */
  private mayExpire(entry: Entry, time = this.campaign.now): boolean {
    const { campaign } = this;
    const { most } = campaign.site.calendar.age(entry.publishedAt, time);
    for (let { life } = entry; life <= campaign.site.life; ++life) {
      const allowed = campaign.allowedAge(entry, life);
      if (allowed > 0 && most > allowed * SECOND)
        return true;
    }
    return false;
  }

  /** Whenever one was given up as too old, there was one more that was too old. */
  private judgeExpiries(pattern: string, entries: readonly Entry[]): void {
    const { campaign } = this;
    const times = campaign.expiries.filter(one => one.pattern === pattern).map(({ time }) => time);
    for (const [index, time] of times.entries()) {
      const old = entries.filter(entry => entry.publishedAt < time && this.mayExpire(entry, time))
        .reduce((sum, { sends }) => sum + sends, 0);
      const again = times.filter(before => before <= time && follows(campaign.killTimes, before, UNFLUSHED)).length;
      if (index < old + again)
        continue;
      this.fail(`${index + 1} messages of ${pattern} were given up as too old by ${seconds(time)}, and ${old} were`);
      return;
    }
  }

  /** Whether somebody may have given it up for something newer. A reading cannot wait outside. */
  private mayGiveWay(entry: Entry): boolean {
    return entry.source === 'sensor' || this.rules.some(rules => rules.some(({ full }) => full !== 'drop_newest'));
  }

  private judgeCopies(entry: Entry, isUndisturbed: boolean): void {
    const { campaign } = this;
    const { atBroker: { length: count } } = entry;
    if (isUndisturbed && count > 1)
      this.fail(`the broker got ${entry}, though nothing had happened`);
    const once = entry.qos === 2 && campaign.durability === 'flash' && campaign.forgettings === 0
      && !entry.retain && entry.source === 'node' && !entry.isAbandoned
      && this.rules.every(rules => ruleOf(rules, entry.family)?.qos === 2);
    if (once && count > 1)
      this.fail(`the broker got ${entry}, which is of QoS 2`);
    const perConnection = new Map<number, number>();
    for (const { connection } of entry.atBroker)
      perConnection.set(connection, (perConnection.get(connection) ?? 0) + 1);
    if (Math.max(0, ...perConnection.values()) > entry.sends + (entry.retain ? 1 : 0))
      this.fail(`the broker got ${entry}, on one connection`);
    if (entry.qos === 0 && count > 1 + (entry.retain ? campaign.forgettings + campaign.stops + campaign.kills : 0))
      this.fail(`the broker got ${entry}, which is of QoS 0`);
  }

  // Towards the nodes

  private judgeNodes(nodes: readonly SoakNode[]): void {
    const { campaign: { broker, kills }, counted, entries } = this;
    const missing: string[] = [];
    let unsure = kills * MOST_IN_BLOCK;
    for (const entry of entries) {
      for (const node of this.campaign.nodes) {
        const arrivals = entry.atNodes.get(node.name) ?? [];
        const qos = Math.min(entry.qos, node.grantedFor(entry.topic));
        if (qos < 0)
          continue;
        const isOwed = qos > 0 && entry.isTaken && nodes.includes(node) && node.subscribedAt < entry.publishedAt
          && entry.verdict !== 'memory';
        if (isOwed && arrivals.length === 0)
          missing.push(`${node.name} has not got ${entry}`);
        if (!isOwed || entry.sends > 1)
          unsure += entry.sends;
        if (isOwed && qos === 2 && arrivals.length > 1 && entry.sends === 1)
          this.fail(`${node.name} got ${arrivals.length} times ${entry}`);
      }
    }
    const dropped = counted.get('droppedForNodes');
    const says = `${missing.length} messages for nodes are missing, and ${dropped} were counted`;
    if (missing.length > dropped)
      this.fail(`${says}: ${missing.slice(0, 3).join('; ')}`);
    if (dropped > missing.length + unsure)
      this.fail(`${says}, ${dropped - missing.length - unsure} more than can be`);
    if (broker.waitingCount > 0)
      this.fail(`${broker.waitingCount} messages wait at the broker`);
  }

  // What is the state of things

  /**
   * Whoever looks at the last message of a topic sees the newest one that has arrived. A newer one of QoS 2 is not
   * repeated when an older one of QoS 1 is: MQTT keeps no order between them. Of two that were sent again, each of the
   * copies is a message that may be given up. After a power cut a disk may know that the newer one is done and not that
   * the older one is.
   */
  private judgeLast(): void {
    const { isDisk, killTimes, ledger: { last, newest } } = this.campaign;
    for (const [key, entry] of last) {
      const other = newest.get(key)!;
      const areRepeated = entry.sends > 1 && other.sends > 1 || isDisk && killTimes.some(time => time >= other.takenAt);
      if (other !== entry && other.isTaken && other.qos <= entry.qos && !areRepeated
        && !this.campaign.mayBeTorn(entry, other))
        this.fail(`the last of ${key.replace(' ', ', ')} was ${entry}, not ${other}`);
    }
  }

  /**
   * The newest value that has arrived is what a broker has retained that had forgotten everything, even if power has
   * failed while it was told; in memory only nothing is known of that after a restart.
   */
  private judgeRetained(): void {
    const { campaign: { broker, forgottenTimes, killTimes, ledger }, missing, rules } = this;
    const isTold = forgottenTimes.length > 0 && (this.campaign.durability === 'flash'
      || !forgottenTimes.some(forgotten => follows(killTimes, forgotten, LONGEST_TELLING)));
    for (const [topic, entry] of isTold ? ledger.newestRetained : []) {
      const prefixes = new Set(rules.map(one => ruleOf(one, entry.family)?.remote_prefix));
      const [prefix] = prefixes;
      const payload = broker.retained.get(`${prefix}${topic}`);
      if (prefixes.size === 1 && entry.verdict !== 'memory' && !missing.has(entry) && !this.isExcused(entry)
        && !(parseInt(payload ?? '', 10) >= entry.id) && !this.isRepeatedBefore(topic, payload, entry))
        this.fail(`the broker has retained ${payload ?? 'nothing'}, not ${entry}`);
    }
  }

  /** As in `judgeLast`: both were sent again, but the newer one, of QoS 2, is not repeated as the older of QoS 1 is. */
  private isRepeatedBefore(topic: string, payload: string | undefined, newer: Entry): boolean {
    const last = this.campaign.ledger.last.get(`the broker ${topic}`);
    return last !== undefined && last.payload === payload && last.qos < newer.qos && last.sends > 1 && newer.sends > 1
      && last.atBroker.length > 1;
  }

  private fail(problem: string): void {
    this.campaign.ledger.fail(problem);
  }
}

const examples = (entries: readonly Entry[]): string =>
  entries.slice(0, 3).join('; ') + (entries.length > 3 ? `; and ${entries.length - 3} more` : '');
