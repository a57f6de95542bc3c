/**
 * Shared subscriptions (5.0 section 4.8.2): those to the same `$share/GROUP/FILTER` are a group, whose members stand in
 * a circle. The first record of each group says whose turn it is, and stands for all of them where names are matched.
 * Fields of a record:
 *
 *   | next member (2) | whose turn it is (2), in the first record; NOT_FIRST in others |
 */
import { equalBytes } from '../bytes/compare.ts';
import { lengthOfShare } from '../packet/topic-filter.ts';
import { END, FILTER, NODE, QOS, SHARED, SubscriptionRecords } from './subscription-records.ts';

const TURN = 2;
const NOT_FIRST = 0xFFFF;

export class ShareGroups extends SubscriptionRecords {
  /** Subscriptions that are shared. */
  sharedCount = 0;

  /** The node of a subscription. */
  nodeOf(number: number): number {
    return this.arena.view.getUint16(this.recordOf(number) + NODE);
  }

  isShared(number: number): boolean {
    return (this.arena.bytes[this.recordOf(number) + QOS]! & SHARED) !== 0;
  }

  /** Whether one of the subscriptions of a node is. */
  isMember(node: number): boolean {
    let number = this.sharedCount === 0 ? END : this.nextOf(node, END);
    while (number !== END && !this.isShared(number))
      number = this.nextOf(node, number);
    return number !== END;
  }

  /** @param first of a group @returns the member whose turn it is */
  turnOf(first: number): number {
    return this.arena.view.getUint16(this.groupAt(this.recordOf(first)) + TURN);
  }

  /** The member before this one has had its turn. */
  passTurn(first: number, member: number): void {
    this.arena.view.setUint16(this.groupAt(this.recordOf(first)) + TURN, this.memberAfter(member));
  }

  memberAfter(member: number): number {
    return this.arena.view.getUint16(this.groupAt(this.recordOf(member)));
  }

  /** @returns the member of a node in the group whose first one is `first`, or END */
  protected memberOf(node: number, first: number): number {
    for (let member = first; member !== END;) {
      if (this.nodeOf(member) === node)
        return member;
      member = this.memberAfter(member);
      if (member === first)
        break;
    }
    return END;
  }

  /** Whether a record of the group is the one that stands for it. */
  protected isFirst(record: number): boolean {
    return this.arena.view.getUint16(this.groupAt(record) + TURN) !== NOT_FIRST;
  }

  /** Whether a record is the first one of the group with this whole filter. */
  protected isGroup(record: number, filterOffset: number, filterLength: number): boolean {
    const { arena, arena: { bytes, view } } = this;
    return (bytes[record + QOS]! & SHARED) !== 0 && view.getUint16(record) === filterLength && this.isFirst(record)
      && equalBytes(arena, record + FILTER, filterOffset, filterLength);
  }

  /** Bytes in front of the filter proper of a record. */
  protected shareLengthAt(record: number): number {
    const { arena, arena: { bytes, view } } = this;
    return (bytes[record + QOS]! & SHARED) === 0 ? 0 : lengthOfShare(arena, record + FILTER, view.getUint16(record));
  }

  /** A new member, behind the others. @param first of its group; END: it is that */
  protected enterGroup(number: number, first: number): void {
    const { view } = this.arena;
    const fields = this.groupAt(this.recordOf(number));
    ++this.sharedCount;
    view.setUint16(fields, first === END ? number : first);
    view.setUint16(fields + TURN, first === END ? number : NOT_FIRST);
    if (first === END)
      return;
    let last = first;
    while (this.memberAfter(last) !== first)
      last = this.memberAfter(last);
    view.setUint16(this.groupAt(this.recordOf(last)), number);
  }

  /** @returns who is the first one from now on; END: it was not that, or is the last one that goes */
  protected leaveGroup(number: number): number {
    const { view } = this.arena;
    const next = this.memberAfter(number);
    let first = number, last = number;
    --this.sharedCount;
    for (let member = next; member !== number; member = this.memberAfter(member)) {
      last = member;
      if (this.isFirst(this.recordOf(member)))
        first = member;
    }
    if (last === number)
      return END;
    view.setUint16(this.groupAt(this.recordOf(last)), next);
    const turn = this.turnOf(first);
    const heir = first === number ? next : first;
    view.setUint16(this.groupAt(this.recordOf(heir)) + TURN, turn === number ? next : turn);
    return first === number ? next : END;
  }
}
