/** Looks through the queue towards the Server for what may be the reason that a connection has ended. */
import type { OutboundQueue } from '../session/outbound-queue.ts';
import { DONE, NONE } from '../session/record-layout.ts';
import type { ClientSession } from '../session/client-session.ts';
import { BIRTH, type Court, FILTER, NOBODY } from './court.ts';
import type { Probation } from './probation.ts';

/** @returns what is under way if it is only one: packet identifier, BIRTH, FILTER - rule; else NOBODY */
export function findSuspect(session: ClientSession, { pendingFilter }: Court): number {
  const { announcements, role: { clock }, sessionState } = session;
  const { queue } = sessionState!;
  if (pendingFilter >= 0)
    return FILTER - pendingFilter;
  if (announcements.isBirthUnderWay(clock.now))
    return queue.inflightCount === 0 ? BIRTH : NOBODY;
  const record = queue.inflightCount === 1 ? findUnderWay(queue) : NONE;
  return record === NONE ? NOBODY : queue.identifierOf(record);
}

/** @param suspect what `findSuspect` has returned, not NOBODY @returns when it was sent */
export function sentAtOf({ announcements, sessionState }: ClientSession, suspect: number, connectedAt: number): number {
  const { queue } = sessionState!;
  return suspect <= FILTER ? connectedAt : suspect === BIRTH ? announcements.sentAt
    : queue.sentAtOf(queue.findSent(suspect));
}

/** @returns the only record that is under way, or NONE */
function findUnderWay(queue: OutboundQueue): number {
  for (let record = queue.following(NONE); record !== NONE; record = queue.following(record))
    if (queue.isUnderWay(record))
      return record;
  return NONE;
}

/** @returns the record under way that has been waited for longest, or NONE */
export function findLongestUnderWay(queue: OutboundQueue, now: number): number {
  let found = NONE;
  let longest = -1;
  for (let record = queue.following(NONE); record !== NONE; record = queue.following(record))
    if (queue.isUnderWay(record) && (now - queue.sentAtOf(record) | 0) > longest) {
      longest = now - queue.sentAtOf(record) | 0;
      found = record;
    }
  return found;
}

/** Whether a message that came later has been acknowledged. */
export function isOneDoneAfter(queue: OutboundQueue, record: number): boolean {
  for (let later = queue.following(record); later !== NONE; later = queue.following(later))
    if (queue.stateOf(later) === DONE)
      return true;
  return false;
}

/** Whether something is held that will be sent all the same. */
export function hasHeld(queue: OutboundQueue, probation: Probation): boolean {
  for (let record = queue.following(NONE); record !== NONE; record = queue.following(record))
    if (queue.stateOf(record) !== DONE && queue.isHeld(record) && !probation.waits(queue, record))
      return true;
  return false;
}

/** Whether something waits, or is under way, that is not held. */
export function hasOthers(queue: OutboundQueue): boolean {
  for (let record = queue.following(NONE); record !== NONE; record = queue.following(record))
    if (queue.stateOf(record) !== DONE && !queue.isHeld(record))
      return true;
  return queue.window!.waitingCount > queue.window!.deferredCount;
}

/** Whether there is a message of those at this place of `probation`. */
export function hasMembers(queue: OutboundQueue, probation: Probation, at: number): boolean {
  for (let record = queue.following(NONE); record !== NONE; record = queue.following(record))
    if (queue.stateOf(record) !== DONE && probation.findOf(queue, record) === at)
      return true;
  return false;
}

/** Holds what has come by a rule: others first, whether those pass tells who is to blame. */
export function holdGroup(queue: OutboundQueue, court: Court, origin: number, rule: number, isNode: boolean): void {
  holdMembers(queue, origin, rule, isNode);
  if (!hasOthers(queue))
    release(queue, court);
}

/** @param isNode only what this origin has sent */
export function holdMembers(queue: OutboundQueue, origin: number, rule: number, isNode: boolean): void {
  for (let record = queue.following(NONE); record !== NONE; record = queue.following(record))
    if (queue.stateOf(record) !== DONE && queue.ruleOf(record) === rule
      && (!isNode || queue.originOf(record) === origin))
      queue.hold(record);
}

/** Whether a message of the same sender and topic waits that came before it. */
export const isBehindHeld = (queue: OutboundQueue, record: number): boolean => queue.window!.heldCount > 0
  && queue.hasHeld(queue.originOf(record), queue.slotOf(record), record);

/**
 * Whatever was held may be sent, but for those whose turn it is not, and what comes after one of them: what of that has
 * never been sent waits in the log, if there is one, and takes no memory.
 */
export function release(queue: OutboundQueue, { probation }: Court): void {
  queue.releaseHeld();
  probation.heldRevision = probation.revision;
  if (!probation.isHolding)
    return;
  for (let record = queue.following(NONE); record !== NONE; record = queue.following(record))
    if (probation.waits(queue, record) && !queue.unload(record) || isBehindHeld(queue, record))
      queue.hold(record);
  queue.endUnloading();
}
