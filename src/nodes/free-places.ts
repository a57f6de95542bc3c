/**
 * The free places for sessions, in fixed memory: the one that has been free for longest is given first, so that it is
 * remembered for long who was there; any other may be taken too. A ring of two-byte numbers, one per place.
 */
import type { Arena } from '../bytes/arena.ts';
import type { NodeState } from './node-state.ts';

const ENTRY = 2;

/** The same, where places are so few that they are looked through; one is free. */
export function firstFreeOf(states: readonly NodeState[]): NodeState | undefined {
  let found: NodeState | undefined;
  for (let index = 0; index < states.length; ++index)
    if (states[index]!.identifierLength === 0 && (found === undefined || states[index]!.awaySince < found.awaySince))
      found = states[index];
  return found;
}

export class FreePlaces {
  private readonly arena: Arena;
  private readonly offset: number;
  private readonly capacity: number;
  private head = 0;
  private count: number;

  static lengthFor(count: number): number {
    return count * ENTRY;
  }

  /** All places are free, the first one is given first. @param offset of `lengthFor(count)` bytes */
  constructor(arena: Arena, offset: number, count: number) {
    this.arena = arena;
    this.offset = offset;
    this.capacity = this.count = count;
    for (let index = 0; index < count; ++index)
      arena.view.setUint16(offset + index * ENTRY, index);
  }

  /** The place that is given next; there is one. */
  get first(): number {
    return this.at(0);
  }

  /** A place has become free. */
  add(place: number): void {
    this.put(this.count++, place);
  }

  /** A free place is taken: the first one or the last one, as a rule; one between them costs a search. */
  take(place: number): void {
    let step = --this.count;
    if (this.at(step) === place)
      return;
    let moved = this.at(0);
    for (step = 0; moved !== place;) { // those before it move up
      const next = this.at(++step);
      this.put(step, moved);
      moved = next;
    }
    this.head = this.positionOf(1);
  }

  private positionOf(step: number): number {
    const position = this.head + step;
    return position < this.capacity ? position : position - this.capacity;
  }

  private at(step: number): number {
    return this.arena.view.getUint16(this.offset + this.positionOf(step) * ENTRY);
  }

  private put(step: number, place: number): void {
    this.arena.view.setUint16(this.offset + this.positionOf(step) * ENTRY, place);
  }
}
