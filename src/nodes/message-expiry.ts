/**
 * Gives up what has waited for its node for longer than `expiry` of its topic rule of direction "in" allows. What has
 * been sent is not given up: its node may know it. Nobody is asked for each message: when the first of those that wait
 * may be too old all queues are looked through.
 *
 * Time is seconds of power since the start; what comes from the store is as old here as it is there.
 */
import { type Clock, isDue } from '../session/clock.ts';
import { MessageAge } from '../session/message-age.ts';
import type { OutboundQueue } from '../session/outbound-queue.ts';
import { NONE, QUEUED } from '../session/record-layout.ts';
import type { Delivery } from './delivery.ts';
import type { NodeState } from './node-state.ts';
import type { NodeStates } from './node-states.ts';

/** Of a rule that the configuration has no more. */
export const UNKNOWN = -1;

/** Knows the rules of direction "in", by their identity. */
export interface RuleLifetimes {
  /** Seconds, 0: for ever; or UNKNOWN. */
  lifetimeOf(rule: number): number;
  /** A message for this node has been given up. */
  onExpired(rule: number, node: NodeState): void;
}

/** Milliseconds from one look to the next, at least and at most. */
const SHORTEST_PAUSE = 1000;
const LONGEST_PAUSE = 600_000;

export class MessageExpiry {
  /** Of the message that is entered next. */
  readonly age = new MessageAge();
  private readonly noted = new MessageAge();
  private readonly clock: Clock;
  private readonly nodes: NodeStates;
  private readonly delivery: Delivery;
  private readonly rules: RuleLifetimes;
  private seconds = 0;
  private milliseconds = 0;
  private countedAt = 0;
  private isPending = false;
  private dueAt = 0;

  constructor(clock: Clock, nodes: NodeStates, delivery: Delivery, rules: RuleLifetimes) {
    this.clock = clock;
    this.nodes = nodes;
    this.delivery = delivery;
    this.rules = rules;
    this.countedAt = clock.now;
  }

  /** What is delivered now, until `end`, may wait for so many seconds. */
  begin(rule: number, lifetime: number): void {
    this.note(rule, lifetime, 0);
  }

  end(): void {
    this.age.lifetime = 0;
  }

  /**
   * A message of the store is going to be entered, until `end`. @param lifetime seconds, not 0 @param age in seconds
   * @returns false when it is too old: it is given up
   */
  restore(rule: number, lifetime: number, age: number, node: NodeState): boolean {
    if (this.isTooOld(rule, lifetime, age)) {
      this.giveUp(rule, node);
      return false;
    }
    this.note(rule, lifetime, age);
    return true;
  }

  /** Reads how old the message of a record is, `takenAt` seconds, and may become, into `age`. */
  readAge(queue: OutboundQueue, record: number, age: MessageAge): void {
    const { ageOffset, arena: { view } } = queue.limits;
    age.read(view, record + ageOffset);
    age.takenAt = this.now - age.takenAt;
  }

  handleTimeout(): void {
    const { clock, nodes: { states } } = this;
    if (!this.isPending)
      return;
    if (!isDue(this.dueAt, clock.now)) {
      clock.request(this.dueAt);
      return;
    }
    this.isPending = false;
    const { now } = this;
    for (let index = 0; index < states.length; ++index)
      if (states[index]!.queue.count > 0)
        this.look(states[index]!, now);
  }

  private get now(): number {
    const { clock } = this;
    this.milliseconds += clock.now - this.countedAt >>> 0;
    this.countedAt = clock.now;
    this.seconds += this.milliseconds / 1000 | 0;
    this.milliseconds %= 1000;
    return this.seconds;
  }

  private note(rule: number, lifetime: number, age: number): void {
    this.age.takenAt = this.now - age;
    this.age.lifetime = lifetime;
    this.age.rule = rule;
    this.lookIn(lifetime - age);
  }

  /** @param seconds after which something may be too old */
  private lookIn(seconds: number): void {
    const { clock } = this;
    const pause = Math.max(SHORTEST_PAUSE, Math.min(LONGEST_PAUSE, (seconds + 1) * 1000));
    if (this.isPending && isDue(this.dueAt, clock.now + pause | 0))
      return;
    this.isPending = true;
    clock.request(this.dueAt = clock.now + pause | 0);
  }

  /** An edit of the configuration makes none older: what its rule said then, or says now, whichever is longer. */
  private isTooOld(rule: number, lifetime: number, age: number): boolean {
    const today = this.rules.lifetimeOf(rule);
    return age > lifetime && today !== 0 && age > today;
  }

  private look(node: NodeState, now: number): void {
    const { noted } = this;
    const queue: OutboundQueue = node.queue;
    const { ageOffset, arena: { view } } = queue.limits;
    for (let record = queue.following(NONE), next = NONE; record !== NONE; record = next) {
      next = queue.following(record);
      noted.read(view, record + ageOffset);
      const { lifetime, rule, takenAt } = noted;
      if (lifetime === 0 || queue.stateOf(record) !== QUEUED)
        continue;
      if (!this.isTooOld(rule, lifetime, now - takenAt)) {
        this.lookIn(takenAt + lifetime - now);
        continue;
      }
      queue.giveUp(record);
      this.giveUp(rule, node);
      if (queue.count === 0)
        return; // what followed was done
    }
  }

  private giveUp(rule: number, node: NodeState): void {
    ++this.delivery.droppedCount;
    this.rules.onExpired(rule, node);
  }
}
