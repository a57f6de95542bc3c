/**
 * A gateway for as long as one likes, with everything that happens to one drawn from a seed: nodes, a broker, sensors,
 * and disturbances of all kinds. It goes in epochs: some hours in which things happen, then peace until everything that
 * can arrive has arrived, then judgement (judge.ts).
 */
import type { IPublishPacket } from 'mqtt-packet';
import type { PartialConfiguration } from '../../src/config/configuration.ts';
import type { FullPolicy } from '../../src/config/store-configuration.ts';
import * as Loss from '../../src/upstream/losses.ts';
import { Chance } from './chance.ts';
import { Disturbances, type Kind } from './disturbances.ts';
import { Judgement } from './judge.ts';
import { type Entry, Ledger, seconds } from './ledger.ts';
import { COMMANDS, configurationOf, DOWN, edited, FAMILIES, firstRules, READINGS, type Rule, ruleOf } from './rules.ts';
import { Site } from './site.ts';
import type { PacketHandler } from '../world/peer.ts';
import { SoakBroker } from './soak-broker.ts';
import { SoakNode } from './soak-node.ts';
import { Totals } from './tally.ts';

const SECOND = 1000;
const HOUR = 3600 * SECOND;
export const DAY = 24 * HOUR;

/** Milliseconds in which everything must be over when nothing happens any more. */
const DRAIN = 2 * HOUR;
/** After which nothing comes any more, not even what is told again. */
const QUIET = 150 * SECOND;
/** Messages that a node keeps to itself before it makes no more. */
const MOST_KEPT_BY_NODE = 40;
const EVENTS = 20_000_000;
/** Milliseconds before a power cut in which a reading may not be durable yet. */
const UNFLUSHED = 2 * SECOND;

/** Whether one of the times is within `span` after `moment`. */
export const follows = (times: readonly number[], moment: number, span: number): boolean =>
  times.some(time => time >= moment && time - moment < span);


export class Campaign {
  readonly seed: number;
  readonly chance: Chance;
  readonly ledger = new Ledger();
  readonly site: Site;
  readonly broker: SoakBroker;
  readonly nodes: readonly SoakNode[];
  readonly durability: 'flash' | 'ram';
  readonly isDisk: boolean;
  /** Rules of each life, its number is the index. */
  readonly rulesOfLives: Rule[][] = [[]];
  rules: Rule[];
  private readonly allRules: readonly Rule[];
  private readonly disturbances: Disturbances;
  private readonly fixed: PartialConfiguration;
  /** What was counted before this epoch, and when it began. */
  before = new Totals();
  began = 0;
  /** Of this epoch. */
  kills = 0;
  stops = 0;
  /** When the gateway was not known to a broker that accepted it. */
  readonly forgottenTimes: number[] = [];
  readonly killTimes: number[] = [];
  /** By pattern. */
  readonly lossTimes = new Map<string, number[]>();
  /** When a message was given up as too old. */
  readonly expiries: { readonly pattern: string; readonly time: number }[] = [];
  /** When the gateway has noticed that it was not connected any more. */
  readonly closedTimes: number[] = [];
  firstLife = 1;
  /** Nothing happens in it but messages. */
  isUndisturbed = false;
  epoch = 0;
  kindsText = '';
  /** Told of everything that happens to messages of this topic, and to the gateway. */
  onTrace: ((text: string) => void) | undefined = undefined;
  tracedTopic = '';

  constructor(seed: number) {
    this.seed = seed;
    const chance = this.chance = new Chance(seed);
    this.durability = chance.happens(0.15) ? 'ram' : 'flash';
    this.isDisk = chance.happens(0.5);
    const policy = chance.pick<FullPolicy | undefined>([
      undefined, undefined, 'drop_oldest', 'latest_per_topic', 'drop_newest',
    ]);
    this.allRules = this.rules = firstRules(chance, policy);
    this.fixed = this.drawConfiguration(policy ?? 'drop_oldest');
    this.site = new Site({
      chance, seed, isDisk: this.isDisk, blockCount: chance.integer(40, 64),
      server: ((peer, packet) => this.broker.handle(peer, packet)) satisfies PacketHandler,
      readSensor: retain => this.read(retain),
      onLoss: (pattern, reason) => {
        this.trace(`a message of ${pattern || 'no rule'} is given up for ${reason}`,
          pattern === `${this.tracedTopic.split('/')[0]}/#` ? undefined : '-');
        const times = this.lossTimes.get(pattern) ?? [];
        this.lossTimes.set(pattern, times);
        times.push(this.now);
        if (reason === Loss.EXPIRED)
          this.expiries.push({ pattern, time: this.now });
      },
      onEnd: isKilled => this.lifeEnded(isKilled),
      onConnected: () => this.upstreamConnected(),
      onClosed: () => this.closedTimes.push(this.now),
    });
    this.broker = new SoakBroker({
      onUpward: (packet, connection) => this.arriveAtBroker(packet, connection),
      onTaken: entry => this.take(entry),
      onGatewayConnected: isPresent => {
        if (!isPresent)
          this.forgottenTimes.push(this.now);
        this.trace(isPresent ? 'connected' : 'connected to a broker that does not know it');
      },
    });
    this.nodes = this.drawNodes();
    this.disturbances = new Disturbances(this);
  }

  get now(): number {
    return this.site.now;
  }

  /** @returns what does not hold, in words; nothing if all is well */
  run(days: number, onEpoch: (campaign: Campaign) => void = () => {}): readonly string[] {
    const end = days * DAY;
    this.startGateway(true);
    this.nodes.forEach(node => node.come());
    for (const kinds of this.disturbances.plan()) {
      this.began = this.now;
      this.runEpoch(kinds);
      onEpoch(this);
      if (this.ledger.problems.length > 0 || this.now >= end)
        break;
    }
    return this.ledger.problems;
  }

  get forgettings(): number {
    return this.forgottenTimes.length;
  }

  private trace(text: string, topic = this.tracedTopic): void {
    if (topic === this.tracedTopic)
      this.onTrace?.(`${seconds(this.now)} ${text}`);
  }

  private runEpoch(kinds: ReadonlySet<Kind>): void {
    ++this.epoch;
    this.kills = this.stops = this.forgottenTimes.length = 0;
    const { ledger, site } = this;
    site.forget();
    this.killTimes.length = this.closedTimes.length = 0;
    this.lossTimes.clear();
    this.expiries.length = 0;
    this.firstLife = site.life;
    this.isUndisturbed = [...kinds].every(kind => kind === 'commands');
    this.kindsText = `${[...kinds].join(', ')}, with ${this.durability}${this.isDisk ? ' on a disk' : ''}`;
    this.disturbances.begin(kinds);
    this.makeTraffic();
    site.world.clock.advance(this.chance.spread(HOUR, 10 * HOUR), EVENTS);
    this.disturbances.end();
    this.trace(`epoch ${this.epoch} of ${this.kindsText} ends`);
    if (this.drain())
      new Judgement(this).judge();
    else
      ledger.fail(`not everything has arrived ${DRAIN / HOUR} hours after everything was in order: ${this.whatWaits}`);
    site.calendar.forget(this.began);
  }

  /** @returns whether everything has arrived in time */
  private drain(): boolean {
    const { clock } = this.site.world;
    if (this.rules.length < this.allRules.length)
      clock.runUntil(() => this.site.isConnected, DRAIN, EVENTS);
    if (FAMILIES.some(family => ruleOf(this.rules, family) === undefined)) { // what waits for a rule gets one again
      const missing = this.allRules.filter(({ pattern }) => !this.rules.some(one => one.pattern === pattern));
      this.rules = [...missing, ...this.rules];
      this.site.stop(() => this.disturbances.startLater());
    }
    const end = this.now + DRAIN;
    while (this.now < end) {
      clock.advance(QUIET, EVENTS);
      if (!this.isDrained)
        continue;
      this.audit();
      if (this.isDrained)
        return true;
    }
    return false;
  }

  /** A node that was never there gets what is retained. */
  private audit(): void {
    const { ledger, site: { world } } = this;
    const expected = ledger.newestRetained;
    const auditor = world.client('auditor', {}, () => {});
    auditor.subscribe('#');
    world.run(5 * SECOND);
    auditor.close();
    if (this.durability === 'ram')
      return;
    const retained = new Map(auditor.all('publish').filter(({ retain }) => retain)
      .map(({ payload, topic }) => [topic, parseInt(payload.toString(), 10)]));
    for (const [topic, entry] of expected)
      if (!(retained.get(topic)! >= entry.id) && !this.isUnflushed(entry))
        ledger.fail(`a new node got ${retained.get(topic) ?? 'nothing'} as retained, not ${entry}`);
  }

  /** Whether the power failed before a reading can have been durable. */
  isUnflushed(entry: Entry): boolean {
    return entry.source === 'sensor' && follows(this.killTimes, entry.takenAt, UNFLUSHED);
  }

  private get isDrained(): boolean {
    const { broker, site } = this;
    if (!site.isConnected || !broker.isConnected || broker.waitingCount > 0)
      return false;
    const { gateway } = site.world;
    return gateway.waiting.pendingCount === 0 && gateway.nodes.states.every(({ queue }) => queue.count === 0)
      && this.nodes.every(node => node.isConnected && node.waitingCount === 0);
  }

  private get whatWaits(): string {
    const { broker, nodes, site } = this;
    const { gateway } = site.world;
    return `gateway ${site.isConnected ? 'connected' : site.isOn ? 'not connected' : 'off'}, ${gateway.waiting.pendingCount} `
      + `for the broker, ${broker.waitingCount} at the broker, ${nodes.map(({ isConnected, name, waitingCount }) =>
        `${name} ${isConnected ? 'connected' : 'away'} ${waitingCount}`).join(', ')}; for nodes ${
        gateway.nodes.states.map(({ queue }) => queue.count).join(' ')}; ${site.status.advice}`;
  }

  // Lives of the gateway

  /** @param isFirst the rules are not edited */
  startGateway(isCalendarKnown: boolean, editsRules = false, cutAfter = Infinity): void {
    if (editsRules)
      this.rules = edited(this.rules, this.allRules, this.chance);
    this.rulesOfLives.push(this.rules);
    this.trace(`life ${this.rulesOfLives.length - 1} begins, ${cutAfter} steps of the flash long`);
    this.site.start(configurationOf(this.rules, this.fixed), isCalendarKnown, cutAfter);
  }

  private lifeEnded(isKilled: boolean): void {
    this.trace(isKilled ? 'the power fails' : 'it has stopped');
    if (isKilled) {
      ++this.kills;
      this.killTimes.push(this.now);
    } else
      ++this.stops;
    this.closedTimes.push(this.now);
    this.disturbances.lifeEnded(isKilled);
    if (this.durability === 'flash')
      return;
    for (const node of this.nodes)
      node.mayBeForgotten = true;
    for (const entry of [...this.ledger.entries.values(), ...[...this.ledger.states.values()].flat()])
      if (entry.isTaken)
        entry.verdict ||= 'memory';
  }

  /** What has been waiting since before it was too old has no way any more, unless a power cut makes it younger. */
  private upstreamConnected(): void {
    for (const entry of this.ledger.entries.values()) {
      if (entry.isOffline && entry.verdict === '' && entry.atBroker.length === 0 && this.isExpired(entry))
        entry.verdict = 'expired';
      entry.isOffline = false;
    }
  }

  /** Whether it certainly is too old, by what its rule said when it was taken and by what it says now. */
  private isExpired(entry: Entry): boolean {
    const allowed = this.allowedAge(entry, this.site.life);
    return allowed > 0 && this.site.calendar.age(entry.takenAt, this.now).least > allowed * SECOND;
  }

  /**
   * Seconds that a message may wait, in that life of the gateway: as long as its rule says then, or has said when it
   * was sent, whichever is longer; 0: as long as it likes.
   */
  allowedAge(entry: Entry, life: number): number {
    let most = this.ruleOf(entry, life)?.expiry ?? 1;
    for (let then = entry.firstLife; then <= entry.life; ++then) {
      const expiry = this.ruleOf(entry, then)?.expiry ?? 1;
      most = expiry === 0 || most === 0 ? 0 : Math.max(most, expiry);
    }
    return most;
  }

  ruleOf(entry: Entry, life: number): Rule | undefined {
    return ruleOf(this.rulesOfLives[life] ?? [], entry.family);
  }

  // Messages

  private makeTraffic(): void {
    const { chance, disturbances } = this;
    for (const node of this.nodes)
      this.repeat(chance.spread(5 * SECOND, 300 * SECOND), () => {
        for (let left = chance.happens(0.03) ? chance.integer(2, 30) : 1; left > 0; --left)
          this.publishFrom(node);
      });
    if (disturbances.has('commands'))
      this.repeat(chance.spread(20 * SECOND, 400 * SECOND), () => {
        for (let left = chance.happens(0.05) ? chance.integer(2, 30) : 1; left > 0; --left)
          this.command();
      });
  }

  /** As long as this epoch lasts. */
  private repeat(interval: number, action: () => void): void {
    this.disturbances.schedule(() => this.chance.around(interval), action);
  }

  private publishFrom(node: SoakNode): void {
    const { chance } = this;
    if (node.waitingCount >= MOST_KEPT_BY_NODE || !node.isConnected && !node.options.isPersistent)
      return;
    const number = chance.integer(0, 3);
    const entry = this.ledger.publish({
      author: node.name, source: 'node', topic: `${chance.pick(FAMILIES)}/${node.name}/${number}`,
      qos: number === 0 ? 0 : chance.integer(1, 2), retain: number === 1, padding: chance.spread(1, 200), at: this.now,
    });
    entry.isOffline = !this.site.isConnected;
    entry.firstLife = this.site.life;
    this.trace(`${node.name}${node.isConnected ? '' : ', not connected,'} publishes ${entry}`, entry.topic);
    node.publish(entry);
  }

  private command(): void {
    const { broker, chance } = this;
    const number = chance.integer(0, 3);
    const entry = this.ledger.publish({
      author: 'broker', source: 'broker', topic: `${COMMANDS}/${number}`, qos: number === 0 ? 0 : chance.integer(1, 2),
      retain: false, padding: chance.spread(1, 200), at: this.now,
    });
    if (!broker.publish(entry, DOWN + entry.topic))
      entry.isAbandoned = true;
  }

  private read(retain: boolean): number {
    const entry = this.ledger.publish({
      author: 'sensor', source: 'sensor', topic: `${READINGS}/air${retain ? '/last' : ''}`, qos: 1, retain, padding: 0,
      at: this.now,
    });
    entry.isOffline = !this.site.isConnected;
    entry.firstLife = this.site.life;
    entry.sends = 1;
    this.take(entry);
    return entry.id;
  }

  private take(entry: Entry): void {
    entry.takenAt = this.now;
    entry.life = this.site.life;
    entry.isOffline &&= !this.site.isConnected;
    this.trace(`message ${entry.id} is taken`, entry.topic);
  }

  private arriveAtBroker(packet: IPublishPacket, connection: number): void {
    const { ledger } = this;
    const payload = packet.payload.toString();
    if (packet.topic.startsWith('status/'))
      return;
    const entry = ledger.find(payload, 'the broker');
    if (entry === undefined)
      return;
    this.trace(`the broker gets message ${entry.id} q${packet.qos}${packet.retain ? ' retained' : ''}${
      packet.dup ? ' dup' : ''} #${packet.messageId} on connection ${connection}`, entry.topic);
    const isFirst = entry.atBroker.length === 0;
    entry.atBroker.push({ time: this.now, connection, qos: packet.qos });
    const rule = this.ruleOf(entry, this.site.life);
    const topic = (rule?.remote_prefix ?? '?/') + entry.topic;
    if (packet.topic !== topic || packet.retain !== entry.retain || packet.payload.toString() !== entry.payload)
      ledger.fail(`the broker got ${entry} as ${packet.topic}${packet.retain ? ' retained' : ''}, not as ${topic}`);
    if (entry.verdict === 'expired' && this.isExpired(entry) && !ledger.isNewestRetained(entry))
      ledger.fail(`the broker got ${entry}, which had been too old`);
    if (entry.qos > 0)
      ledger.noteOrder('the broker', entry, isFirst, this.mayBeTorn);
  }

  private arriveAtNode(node: SoakNode, packet: IPublishPacket): void {
    const { ledger } = this;
    const entry = ledger.find(packet.payload.toString(), node.name);
    if (entry === undefined)
      return;
    this.trace(`${node.name} gets message ${entry.id} q${packet.qos}${packet.dup ? ' dup' : ''} #${packet.messageId}`,
      entry.topic);
    const arrivals = entry.atNodes.get(node.name) ?? [];
    entry.atNodes.set(node.name, arrivals);
    const isFirst = arrivals.length === 0;
    arrivals.push({ time: this.now, connection: node.connectionCount, qos: packet.qos });
    const qos = Math.min(entry.qos, node.grantedFor(entry.topic));
    if (packet.topic !== entry.topic || packet.payload.toString() !== entry.payload || packet.qos !== qos)
      ledger.fail(`${node.name} got ${entry} as ${packet.topic} q${packet.qos}`);
    if (qos > 0)
      ledger.noteOrder(node.name, entry, isFirst, this.mayBeTorn);
  }

  /**
   * Whether a power cut may have left the newer one in the store without the older one, although both were sent in
   * order and nobody was told that either is there: a disk writes in any order, and a rule of QoS 0 sends without the
   * log what nothing waits before. Of what is retained, the older one is the state that is told again, if the newer one
   * was in the log and not yet the state. Or the older one was given up when it was sent first, and is there since it
   * was sent again.
   */
  readonly mayBeTorn = (older: Entry, newer: Entry): boolean =>
    (this.isDisk || older.retain || this.ruleOf(older, older.firstLife)?.qos === 0)
      && this.killTimes.some(time => time >= newer.publishedAt && !(newer.takenAt < time)
        && (older.retain || !(older.takenAt < time)))
    || older.sends > 1 && (this.lossTimes.get(`${older.family}/#`) ?? []).some(time => time > older.publishedAt);

  // What is drawn

  private drawNodes(): SoakNode[] {
    const { chance } = this;
    const owner = {
      world: this.site.world, chance,
      onDownward: (node: SoakNode, packet: IPublishPacket) => this.arriveAtNode(node, packet),
      onTaken: (entry: Entry) => this.take(entry),
      onSessionLost: ({ name }: SoakNode) => this.ledger.fail(`the session of ${name} is lost, in life ${this.site.life}, at ${seconds(this.now)}`),
    };
    return Array.from({ length: chance.integer(2, 4) }, (_value, index) => new SoakNode(owner, {
      name: `n${index}`, isPersistent: index === 0 || chance.happens(0.7),
      subscriptions: index === 1 ? []
        : [[`${COMMANDS}/#`, chance.pick([1, 2])], [`${chance.pick(FAMILIES)}/n1/#`, chance.pick([0, 1, 2])]],
    }));
  }

  private drawConfiguration(full: FullPolicy): PartialConfiguration {
    const { chance } = this;
    return {
      upstream: {
        max_inflight_messages: chance.pick([1, 4, 20]), max_packet_size: 400, keepalive_interval: 60,
        acknowledgement_timeout: 20, will: { topic: 'status/gateway', payload: 'offline', qos: 1, retain: true },
      },
      listener: {
        max_connections: 6, max_sessions: 8, max_packet_size: 400, max_inflight_messages: chance.pick([2, 20]),
        max_queued_messages: chance.pick([20, 100]), max_queued_bytes: 4096,
        queue_full: chance.pick(['drop_newest', 'drop_oldest']), max_retained_messages: 64, max_retained_bytes: 16_384,
        sys_interval: 60, max_subscriptions: 16, max_subscription_bytes: 512, max_clientid_length: 23,
        max_will_size: 64,
      },
      memory: { topics: chance.pick([16, 64]), topic_length: 32 },
      store: {
        ram: chance.pick([2048, 8192]), durability: this.durability, full, replay_rate: chance.pick([0, 0, 5, 50]),
      },
      sensors: [
        { name: 'air', type: 'simulated', topic: `${READINGS}/air`, interval: 120, decimals: 0 },
        { name: 'last', type: 'simulated', topic: `${READINGS}/air/last`, interval: 300, decimals: 0, retain: true },
      ],
    };
  }
}
