/**
 * Making room in the queue of the upstream session, when that is all the store there is: the same policies as for the
 * persistent store, and messages that have become too old.
 */
import { equalBytes } from '../bytes/compare.ts';
import type { Message } from '../packet/packet.ts';
import { NONE, type OutboundQueue, QUEUED } from '../session/outbound-queue.ts';
import type { LossObserver } from './backlog.ts';
import type { StorePolicy } from './full-policy.ts';

/**
 * Gives up the oldest message of the queue to make room for `message`, or moves it behind the others if it is the last one
 * of its topic and those are kept. @returns false when that could break a promise (OutboundQueue.dropOldest)
 */
export function makeRoom(queue: OutboundQueue, message: Message, isConnected: boolean, keepsLatest: boolean, losses: LossObserver): boolean {
  const { oldest } = queue;
  if (oldest === NONE)
    return false;
  const rule = queue.ruleOf(oldest);
  const isKept = keepsLatest && queue.stateOf(oldest) === QUEUED && isLatest(queue, oldest, message);
  const length = isKept ? queue.lengthOf(oldest) : 0;
  if (isKept)
    queue.stage(oldest, length);
  const time = queue.timeOf(oldest);
  if (!queue.dropOldest(isConnected))
    return false;
  if (!isKept || !queue.appendStaged(length, rule, time))
    losses.onLost(rule, false);
  return true;
}

/** Gives up what has waited longer than its rule allows. */
export function dropExpired(queue: OutboundQueue, policies: readonly StorePolicy[], now: number, losses: LossObserver): void {
  for (let record = queue.following(NONE); record !== NONE;) {
    const rule = queue.ruleOf(record);
    if (queue.stateOf(record) === QUEUED && policies[rule]?.isExpired(queue.timeOf(record), now)) {
      queue.giveUp(record);
      losses.onLost(rule, true);
      record = queue.following(NONE); // the head may have moved
    } else
      record = queue.following(record);
  }
}

/** Whether neither a later record nor `message` has the topic of `record`. */
function isLatest(queue: OutboundQueue, record: number, message: Message): boolean {
  const { arena } = queue.kind;
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
