/**
 * Messages for the Server that are in its queue and in no log although their rules want that: the storage in which they
 * lay has lost them, or did not work when they came. When a storage works again they are written to it, at its end,
 * under the local topic that they had, and with what is known of their exchange.
 */
import { MessageSpans } from '../packet/packet.ts';
import { expiryOf } from '../packet/publish-properties.ts';
import type { Clock } from '../session/clock.ts';
import { isUnstored } from '../session/doubted-positions.ts';
import { readKept } from '../session/message-forms.ts';
import type { OutboundQueue } from '../session/outbound-queue.ts';
import { NONE, PENDING, RELEASED, STAMP, STATE, TIME } from '../session/record-layout.ts';
import type { OriginIndex } from '../nodes/stored-messages.ts';
import type { Store } from '../store/message-store.ts';
import { MessageFields } from '../store/stored-message.ts';
import type { LatestRecords } from './latest-records.ts';
import type { StoredRules } from './stored-rules.ts';
import { hashOfTopic } from './topic-hash.ts';

/** The one destination of a message. */
const UPSTREAM = 0;

/** What they are written to. */
export interface UpstreamLog {
  readonly store: Store;
  readonly queue: OutboundQueue;
  readonly rules: StoredRules;
  readonly latest: LatestRecords | undefined;
  readonly spare: number;
  readonly stamp: number;
}

export class UnstoredUpstream {
  private readonly backlog: UpstreamLog;
  private readonly clock: Clock;
  private readonly origins: OriginIndex;
  private readonly message = new MessageSpans();
  private readonly fields = new MessageFields();

  constructor(log: UpstreamLog, clock: Clock, origins: OriginIndex) {
    this.backlog = log;
    this.clock = clock;
    this.origins = origins;
  }

  /** How many there are. */
  get count(): number {
    const { queue } = this.backlog;
    let count = 0;
    for (let record = queue.following(NONE); record !== NONE; record = queue.following(record))
      if (this.isUnstored(record))
        ++count;
    return count;
  }

  /** The clock by which messages grow old has been set forward by so many seconds, in which none of them has. */
  setForward(seconds: number): void {
    const { queue, queue: { limits: { arena: { view } } } } = this.backlog;
    for (let record = queue.following(NONE); record !== NONE; record = queue.following(record))
      if (queue.timeOf(record) !== 0)
        view.setUint32(record + TIME, queue.timeOf(record) + seconds);
  }

  /** Writes them; what has no room stays in memory alone. */
  write(): void {
    const { queue, store } = this.backlog;
    for (let record = queue.following(NONE); record !== NONE && store.isWorking; record = queue.following(record))
      if (this.isUnstored(record))
        this.writeOne(record);
  }

  private isUnstored(record: number): boolean {
    const { queue, rules: { policies } } = this.backlog;
    return isUnstored(queue, record) && policies[queue.ruleOf(record)]?.isStored === true;
  }

  private writeOne(record: number): void {
    const { fields, backlog: { latest, queue, rules: { map, policies }, store }, message, origins } = this;
    const { arena, headerLength } = queue.limits;
    const policy = policies[queue.ruleOf(record)]!;
    readKept(arena, record + headerLength, queue.lengthOf(record), message);
    fields.topicNameLength = map.unmap(policy.rule, message.topicNameOffset, message.topicNameLength);
    fields.topicNameOffset = map.placesOffset + map.uncached * map.placeLength;
    fields.payloadOffset = message.payloadOffset;
    fields.payloadLength = message.payloadLength;
    fields.propertiesOffset = message.propertiesOffset;
    fields.propertiesLength = message.propertiesLength;
    fields.qos = queue.qosOf(record);
    fields.retain = message.retain;
    fields.rule = policy.rule.identity;
    fields.identifier = queue.identifierOf(record);
    const origin = origins.indexOfStored(queue.positionOf(record));
    fields.origin = queue.originOf(record) | 0;
    fields.originIdentifier = origin === NONE ? 0 : origins.identifierAt(origin);
    const position = this.push(queue.timeOf(record), policy.expiry);
    if (position <= 0)
      return;
    if (queue.stateOf(record) === RELEASED)
      store.queue.received(position, UPSTREAM);
    if (origin !== NONE)
      origins.moveTo(origin, position);
    latest?.set(hashOfTopic(arena, fields.topicNameOffset, fields.topicNameLength), position);
    queue.notePosition(record, position);
    if ((arena.bytes[record + STATE]! & PENDING) !== 0)
      arena.view.setUint32(record + STAMP, this.backlog.stamp);
  }

  /** @param time when it was taken, 0 if nobody knows @param expiry seconds, 0: none @returns as `MessageQueue.push` */
  private push(time: number, expiry: number): number {
    const { fields, backlog: { queue: { limits: { arena, arena: { view } } }, spare, store } } = this;
    const { now } = store.clock;
    // In a queue it is the second at which the message expires, in the log what was left when it came.
    const at = expiryOf(fields, arena);
    const end = at < 0 ? 0 : view.getUint32(at);
    if (at >= 0)
      view.setUint32(at, Math.max(0, end - this.clock.countSeconds()));
    fields.takenAt = at >= 0 || time === 0 ? now : time;
    fields.deadline = expiry === 0 ? 0 : fields.takenAt + expiry;
    const position = store.queue.push(fields, 1, spare);
    if (at >= 0)
      view.setUint32(at, end);
    return position;
  }
}
