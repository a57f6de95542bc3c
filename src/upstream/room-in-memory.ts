/**
 * Making room in the queue of the upstream session, when that is all the store there is: the same policies as for the
 * persistent store, and messages that have become too old.
 */
import { equalBytes } from '../bytes/compare.ts';
import type { Message } from '../packet/packet.ts';
import type { OutboundQueue } from '../session/outbound-queue.ts';
import { NONE, QUEUED } from '../session/record-layout.ts';
import type { Aging } from './aging.ts';
import type { StorePolicy } from './full-policy.ts';
import * as Loss from './losses.ts';

/**
 * Gives up the oldest message of the queue to make room for `message`, or moves it after the others if it is the last
 * one of its topic and those are kept. @returns false when that could break a promise (OutboundQueue.dropOldest)
 */
export function makeRoom(queue: OutboundQueue, message: Message, isConnected: boolean, keepsLatest: boolean,
  losses: Loss.LossObserver): boolean {
  const { oldest } = queue;
  if (oldest === NONE)
    return false;
  const rule = queue.ruleOf(oldest);
  if (keepsLatest && queue.stateOf(oldest) === QUEUED && isLatest(queue, oldest, message)) {
    if (!queue.moveOldest())
      losses.onLost(rule, Loss.NO_ROOM);
    return true;
  }
  if (!queue.dropOldest(isConnected))
    return false;
  losses.onLost(rule, Loss.NO_ROOM);
  return true;
}

/** Gives up what has waited longer than its rule allows. */
export function dropExpired(queue: OutboundQueue, policies: readonly StorePolicy[], time: Aging,
  losses: Loss.LossObserver): void {
  for (let record = queue.following(NONE); record !== NONE;) {
    const rule = queue.ruleOf(record);
    if (queue.stateOf(record) === QUEUED && policies[rule]?.isExpired(time.age(queue.timeOf(record))) === true) {
      queue.giveUp(record);
      losses.onLost(rule, Loss.EXPIRED);
      record = queue.following(NONE); // the head may have moved
    } else
      record = queue.following(record);
  }
}

/** Whether neither a later record nor `message` has the topic of `record`. */
function isLatest(queue: OutboundQueue, record: number, message: Message): boolean {
  const { arena } = queue.limits;
  const topic = queue.topicOf(record);
  const length = arena.view.getUint16(topic - 2);
  if (length === message.topicNameLength && equalBytes(arena, topic, message.topicNameOffset, length))
    return false;
  for (let later = queue.following(record); later !== NONE; later = queue.following(later)) {
    const other = queue.topicOf(later);
    if (arena.view.getUint16(other - 2) === length && equalBytes(arena, topic, other, length))
      return false;
  }
  return true;
}
