/**
 * Making room in the persistent store: the oldest block is given up. Of topics whose last message is to be kept, that one
 * moves to the tail, as a new message; the copy says of which record it is one, so that a power cut in between leaves only
 * one of the two (store/format.ts).
 */
import { QOS_SHIFT } from '../packet/control-packet.ts';
import { NONE as NO_RECORD, QUEUED } from '../session/outbound-queue.ts';
import type { StoreBacklog } from './backlog.ts';
import * as Format from '../store/format.ts';
import { hashOf } from '../bytes/compare.ts';
import { NONE } from '../store/store.ts';

/** Gives up the oldest block, or what its rules allow of it. */
export function giveUpOldestBlock(backlog: StoreBacklog, keepsLatest: boolean): void {
  const { store } = backlog;
  backlog.commit(); // nothing may be given up that is on its way into the store
  store.advance(); // so that there is room for what is kept
  if (!store.isWorking)
    return;
  const victim = store.following(store.tailBlock);
  const end = (victim + 1) * store.blockLength;
  backlog.isGivingUp = true;
  for (let position = victim * store.blockLength; store.isWorking && store.pending[victim] !== 0;) {
    position = store.seek(position);
    if (position === NONE || position >= end || position < end - store.blockLength)
      break;
    const packetLength = store.foundLength;
    if (store.load(position, packetLength) && !store.isMarked(Format.DONE))
      giveUp(backlog, position, packetLength, keepsLatest);
    position += Format.lengthOfRecord(packetLength);
  }
  backlog.isGivingUp = false;
  if (!store.isWorking) // the rest stays, it can be read
    return;
  store.pendingCount -= store.pending[victim]!;
  store.pending[victim] = 0;
}

/** Gives up the record in the staging area, or moves it to the tail if its rule and its state allow that. */
function giveUp(backlog: StoreBacklog, position: number, packetLength: number, keepsLatest: boolean): void {
  const { queue, store } = backlog;
  const rule = store.staged(Format.RULE);
  const isMoved = keepsLatest && backlog.policies[rule]?.keepsLatest === true && move(backlog, position, packetLength);
  if (!store.isWorking)
    return;
  const record = queue.findStored(position);
  if (record !== NO_RECORD) {
    // The Server may have it, and PUBREL will follow: after a restart before the block is erased it must not come back.
    backlog.isGivingUp = queue.stateOf(record) === QUEUED;
    store.isDirty = store.isDirty || !backlog.isGivingUp;
    queue.giveUp(record);
    backlog.isGivingUp = true;
  } else if (queue.kind.waitingCount > 0)
    --queue.kind.waitingCount;
  if (!isMoved)
    backlog.losses.onLost(rule, false);
}

/** @returns whether the record is at the tail now */
function move(backlog: StoreBacklog, position: number, packetLength: number): boolean {
  const { latest, queue, receptions, store } = backlog;
  const { arena, fields } = store;
  const topic = backlog.stagedTopic();
  const topicLength = arena.view.getUint16(topic - 2);
  const hash = hashOf(arena, topic, topicLength);
  const qos = arena.bytes[arena.stagingOffset + Format.RECORD_HEADER_LENGTH]! >> QOS_SHIFT & 3;
  const record = queue.findStored(position);
  if (!latest!.isLatest(hash, position) || qos === 2 && record !== NO_RECORD && queue.stateOf(record) !== QUEUED)
    return false;
  const identifiers = store.staged(Format.IDENTIFIERS);
  fields.identifier = backlog.nextIdentifier;
  fields.rule = store.staged(Format.RULE);
  fields.time = store.staged(Format.TIME);
  fields.origin = store.staged(Format.ORIGIN);
  fields.originIdentifier = identifiers >>> 16;
  fields.replaces = position;
  arena.view.setUint16(topic + topicLength, fields.identifier);
  const moved = store.appendStaged(packetLength);
  if (moved <= 0)
    return false;
  backlog.lastIdentifier = fields.identifier;
  latest!.set(hash, moved);
  if (fields.origin !== 0 && receptions.find(fields.origin, fields.originIdentifier) !== NONE)
    receptions.add(fields.origin, fields.originIdentifier, moved);
  // The old one leaves before the new one enters, and the place of the new one may depend on it.
  if (backlog.place(moved, packetLength, QUEUED) !== NO_RECORD)
    ++queue.kind.heldCount;
  return true;
}
