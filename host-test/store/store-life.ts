/** One life of a store on a simulated medium, by itself: no gateway, no network. Several of them share a medium. */
import { Arena, ArenaPlan } from '../../src/bytes/arena.ts';
import { Store, type StoreSettings } from '../../src/store/message-store.ts';
import { StateMap } from '../../src/store/state-map.ts';
import { GIVE_UP, StoreReport, type VictimHandler } from '../../src/store/store-owner.ts';
import { MESSAGE_UP, MessageFields, type StoredMessage } from '../../src/store/stored-message.ts';
import { type CutOptions, FlashMedium, SimulatedFlash } from '../simulation/simulated-flash.ts';

const SOURCE = 8192;

export interface Item {
  readonly position: number;
  readonly topic: string;
  readonly payload: string;
  readonly qos: number;
  readonly retain: number;
  readonly takenAt: number;
  readonly deadline: number;
  readonly rule: number;
  readonly origin: number;
  readonly originIdentifier: number;
  readonly kind: number;
  readonly isMapped: boolean;
  readonly isReleased: boolean;
  readonly isSettled: boolean;
  readonly identifier: number;
  readonly states: number[];
}

export type Pushed = Partial<Omit<Item, 'position' | 'states'>> & { readonly destinations?: number };

export interface LifeOptions extends CutOptions {
  readonly stateShare?: number;
  readonly stateCapacity?: number;
  readonly staging?: number;
}

export class StoreLife {
  readonly arena: Arena;
  readonly store: Store;
  readonly flash: SimulatedFlash;
  readonly report = new StoreReport();
  /** What recovery has handed out. */
  readonly recovered: Item[] = [];
  readonly states = new Map<string, string>();
  readonly durables: number[] = [];
  readonly moved: (readonly [from: number, to: number])[] = [];
  readonly erased: number[] = [];
  readonly failures: string[] = [];
  private readonly source: number;

  constructor(medium: FlashMedium, options: LifeOptions = {}) {
    const plan = new ArenaPlan();
    this.source = plan.reserve('source', SOURCE);
    this.arena = new Arena(plan, { landingCapacity: 0, stagingCapacity: options.staging ?? 4096, resizable: false });
    this.flash = new SimulatedFlash(this.arena, medium, options);
    const settings: StoreSettings = {
      stateShare: options.stateShare ?? 0,
      createMap: options.stateShare === undefined ? undefined : (where, walker) =>
        new StateMap(where, walker, options.stateCapacity ?? 64),
    };
    const store = this.store = new Store(this.arena, settings);
    this.flash.onFlushed = isDurable => store.flushed(isDurable);
    store.open(this.flash, {
      onDurable: durable => this.durables.push(durable),
      onMoved: (from, to) => this.moved.push([from, to]),
      onBlockErased: start => this.erased.push(start / medium.blockLength),
      onStorageFailed: reason => this.failures.push(reason),
    }, {
      onMessage: message => this.recovered.push(this.read(message)),
      onState: (kind, key, offset, length) => this.states.set(`${kind}/${key}`, this.textAt(offset, length)),
    }, this.report);
  }

  push(payload: string, pushed: Pushed = {}): number {
    const message = new MessageFields();
    const topic = pushed.topic ?? 't';
    this.arena.bytes.set(Buffer.from(topic + payload, 'latin1'), this.source);
    message.topicNameOffset = this.source;
    message.topicNameLength = topic.length;
    message.payloadOffset = this.source + topic.length;
    message.payloadLength = payload.length;
    message.kind = pushed.kind ?? MESSAGE_UP;
    message.qos = pushed.qos ?? 1;
    message.retain = pushed.retain ?? 0;
    message.takenAt = pushed.takenAt ?? this.store.clock.now;
    message.deadline = pushed.deadline ?? 0;
    message.rule = pushed.rule ?? 0;
    message.origin = pushed.origin ?? 0;
    message.originIdentifier = pushed.originIdentifier ?? 0;
    return this.store.queue.push(message, pushed.destinations ?? 1);
  }

  put(key: number, value: string, kind = 5): boolean {
    this.arena.bytes.set(Buffer.from(value, 'latin1'), this.source);
    return this.store.state!.put(kind, key, this.source, value.length);
  }

  /** All that waits, as `first` and `next` show it. */
  get waiting(): Item[] {
    const { queue } = this.store;
    const items: Item[] = [];
    for (let position = queue.first(); position >= 0; position = queue.next(position + queue.record.length))
      items.push(this.read(queue.record));
    return items;
  }

  get payloads(): string[] {
    return this.waiting.map(({ payload }) => payload);
  }

  /** Delivers the oldest ones. */
  deliver(count: number): string[] {
    const { queue } = this.store;
    const payloads: string[] = [];
    for (let position = queue.first(); position >= 0
      && payloads.length < count; position = queue.next(position + queue.record.length)) {
      payloads.push(this.read(queue.record).payload);
      const { length } = queue.record;
      queue.done(position, 0);
      queue.record.length = length;
    }
    return payloads;
  }

  /** Pushes, and gives up the oldest for it if there is no room. @returns what was given up */
  force(payload: string, pushed: Pushed = {}, judge: (item: Item) => number = () => GIVE_UP): string[] {
    const lost: string[] = [];
    for (let left = 4; left > 0 && this.push(payload, pushed) === 0; --left)
      this.store.queue.makeRoom(this.handler(judge, lost));
    return lost;
  }

  handler(judge: (item: Item) => number, lost: string[]): VictimHandler {
    return { mayKeep: true, onVictim: message => judge(this.read(message)), onGivenUp: message =>
      { lost.push(this.read(message).payload); } };
  }

  read(message: StoredMessage): Item {
    const { deadline, destinationCount, isMapped, isReleased, isSettled, kind, origin, originIdentifier, position,
      qos, retain, rule, takenAt } = message;
    return {
      position, qos, retain, takenAt, deadline, rule, origin, originIdentifier, kind, isMapped, isReleased, isSettled,
      topic: this.textAt(message.topicNameOffset, message.topicNameLength),
      payload: this.textAt(message.payloadOffset, message.payloadLength),
      identifier: message.identifiers[0]!,
      states: [...message.states.subarray(0, destinationCount)],
    };
  }

  private textAt(offset: number, length: number): string {
    return Buffer.from(this.arena.bytes.subarray(offset, offset + length)).toString('latin1');
  }
}

export const numbered = (from: number, to: number): string[] =>
  Array.from({ length: to - from }, (_value, index) => `${from + index}`.padStart(4, '0'));
