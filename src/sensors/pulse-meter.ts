/**
 * What a sensor of type `pulse_count` makes of the pulses since its last reading, when more is asked for: their total,
 * which outlives a restart, or their rate.
 *
 * With a durable store the total lies in its map. It is written there before it is published, at most once a minute and
 * at a clean stop, and nothing else is published: after a power cut it goes on from what everybody knows, never from
 * less, and no pulse counts twice. Those of the minute before are lost. Without such a store it begins at 0 with each
 * start; while the storage does not work it goes on in memory.
 */
import type { SensorConfiguration } from '../config/configuration.ts';
import { isDue } from '../session/clock.ts';
import { PULSES } from '../store/record-format.ts';
import type { StateMap } from '../store/state-map.ts';
import type { Store } from '../store/message-store.ts';

/** Milliseconds between two writes: flash wears. */
const PAUSE = 60_000;
const MINUTE = 60_000;
/** Of a number in the map. */
const LENGTH = 8;

const FNV_BASIS = 0x811C9DC5 | 0;
const FNV_PRIME = 0x01000193;

export class PulseMeter {
  /** Of the entry in the map: the name says which sensor it is, wherever it stands in the file. */
  private readonly key: number;
  private readonly isTotal: boolean;
  /** In the map; NaN as long as nobody has looked. */
  private stored = NaN;
  /** Since then. */
  private pending = 0;
  private storesAt = 0;
  private hasStored = false;
  /** The last reading, for the rate. */
  private readAt = 0;
  private hasRead = false;

  /** @returns undefined: the pulses themselves are asked for, or it is another sensor */
  static of(configuration: SensorConfiguration): PulseMeter | undefined {
    return isMetered(configuration) ? new PulseMeter(configuration) : undefined;
  }

  private constructor({ name, quantity }: SensorConfiguration) {
    let hash = FNV_BASIS;
    for (let index = 0; index < name.length; ++index)
      hash = Math.imul(hash ^ name.charCodeAt(index), FNV_PRIME);
    this.key = hash;
    this.isTotal = quantity === 'total';
  }

  /** @param pulses since the last call @param store undefined: there is none that lasts @returns NaN: nothing yet */
  read(pulses: number, now: number, store: Store | undefined): number {
    return this.isTotal ? this.count(pulses, now, store) : this.rate(pulses, now);
  }

  /** Writes what is not written yet: at a clean stop, and before another configuration. */
  save(store: Store | undefined): void {
    const map = mapOf(store);
    if (this.isTotal && map !== undefined && this.pending > 0) {
      this.load(store!, map);
      this.write(store!, map);
    }
  }

  private count(pulses: number, now: number, store: Store | undefined): number {
    const map = mapOf(store);
    this.pending += pulses;
    if (map === undefined)
      return (this.stored === this.stored ? this.stored : 0) + this.pending;
    this.load(store!, map);
    if (this.pending === 0)
      return this.stored;
    if (!this.hasStored || isDue(this.storesAt, now)) {
      if (!this.write(store!, map))
        return this.stored + this.pending;
      this.hasStored = true;
      this.storesAt = now + PAUSE | 0;
    }
    return this.stored;
  }

  private load({ arena }: Store, map: StateMap): void {
    if (this.stored === this.stored)
      return;
    this.stored = map.read(PULSES, this.key) && map.valueLength === LENGTH
      ? arena.view.getFloat64(map.valueOffset) : 0;
  }

  private write({ arena }: Store, map: StateMap): boolean {
    const { key, pending } = this;
    const offset = map.begin(PULSES, key, LENGTH);
    if (offset === 0)
      return false;
    arena.view.setFloat64(offset, this.stored + pending);
    if (!map.end(PULSES, key, LENGTH))
      return false;
    this.stored += pending;
    this.pending = 0;
    return true;
  }

  /** Pulses a minute since the last reading. */
  private rate(pulses: number, now: number): number {
    const elapsed = now - this.readAt | 0;
    const rate = this.hasRead && elapsed > 0 ? pulses * MINUTE / elapsed : NaN;
    this.readAt = now;
    this.hasRead = true;
    return rate;
  }
}

/** While its storage works. */
const mapOf = (store: Store | undefined): StateMap | undefined => store?.isWorking === true ? store.state : undefined;

/** Whether a sensor has a total or a rate. */
const isMetered = ({ quantity, type }: SensorConfiguration): boolean =>
  type === 'pulse_count' && (quantity === 'total' || quantity === 'rate');
