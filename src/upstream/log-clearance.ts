/**
 * Room in the log for everybody else. It is a ring: a message that waits because its sender is guilty (probation.ts)
 * keeps the blocks behind it, however much is delivered after it. When little is left it is set aside, and waits there;
 * when the quarantine is full it goes the way of the oldest message of a full log. It is not moved to the end of the
 * log, because the order there is the order of its topic.
 */
import { NONE as NO_RECORD } from '../session/record-layout.ts';
import { NONE } from '../store/message-queue.ts';
import { MESSAGE_UP, type StoredMessage } from '../store/stored-message.ts';
import type { Backlog } from './backlog.ts';
import type { Court } from './court.ts';
import type { Guard } from './guard.ts';
import * as Reason from './quarantine-reasons.ts';
import { NO_RULE } from './topic-map.ts';

/** Messages at a time. */
const MOST = 8;
/** Bytes; of a message that is short enough for any storage. */
const LONGEST_SHORT = 128;
/** Part of the blocks that is little. */
const LITTLE_SHIFT = 2;

/** Called now and then while somebody is on probation. */
export function makeWay(backlog: Backlog, guard: Guard, court: Court): void {
  const { queue, store, store: { queue: log }, window } = backlog;
  const { probation } = guard;
  for (let left = MOST; left > 0 && window.deferredCount + window.heldCount > 0 && store.isWorking
    && !hasBlocks(backlog, log.ring.blockCount >> LITTLE_SHIFT); --left) {
    const position = log.first();
    if (position === NONE || log.record.kind !== MESSAGE_UP)
      return;
    const hasPlace = guard.quarantine.hasRoom(log.record.topicNameLength + log.record.payloadLength);
    if (!hasPlace && hasBlocks(backlog, backlog.spare + 1))
      return;
    const isGivenUp = !hasPlace && !backlog.refusesNew;
    const record = queue.findStored(position);
    if (record === NO_RECORD) {
      if (!clearLogged(log.record, backlog, guard, isGivenUp))
        return;
    } else if (!queue.isHeld(record) || !probation.isGuilty(probation.findOf(queue, record)))
      return;
    else if (isGivenUp)
      backlog.giveUpHeld(record);
    else if (court.setAside(record, Reason.NO_ROOM_TO_WAIT) === 0)
      return;
  }
}

/** Whether so many blocks, and those for messages down, are free after the one that is written. */
const hasBlocks = ({ spare, store: { queue: log } }: Backlog, count: number): boolean =>
  log.canPush(LONGEST_SHORT, Math.max(count, spare));

function clearLogged(message: StoredMessage, backlog: Backlog, guard: Guard, isGivenUp: boolean): boolean {
  const { rules, store } = backlog;
  const { origin, position, qos, takenAt } = message;
  const rule = rules.find(message);
  if (rule === NO_RULE || backlog.isUnderWay(message) || !backlog.isOfGuilty(message, rule))
    return false;
  if (!isGivenUp && guard.setAside(message, rule, qos,
    guard.describe(origin, rules.policies[rule]!.rule.identity, takenAt, Reason.NO_ROOM_TO_WAIT)) === 0)
    return false;
  if (!isGivenUp)
    store.settle();
  backlog.takeOut(position, rule, isGivenUp);
  return true;
}
