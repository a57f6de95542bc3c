/**
 * What lies between two simulated sockets, and what can go wrong there. One link is one TCP connection: two directions,
 * each a queue of frames that arrive in order, later. Tests set the faults, before the connection is made
 * (`network.onLink`) or at any time while it lives.
 *
 * Knows frames only: what a frame does on arrival is the endpoints' business (simulated-endpoint.ts).
 */
import type { Random } from './random.ts';
import type { VirtualClock } from './virtual-clock.ts';

/** Times in milliseconds of virtual time. */
export interface DirectionFaults {
  /** From one end to the other. */
  latency: number;
  /** Up to so much is added to the latency, at random; the order is kept. */
  jitter: number;
  /** Longest segment, each one reported by itself; 0: as long as TCP makes them. */
  fragmentLength: number;
  /** Segments of 1 to `fragmentLength` bytes, at random. */
  isFragmentLengthRandom: boolean;
  /** Frames arrive only at multiples of this time, all that are due together; 0: each at its own time. */
  coalescing: number;
  /** 0: no limit. */
  bytesPerSecond: number;
}

export type CutKind = 'reset' | 'close' | 'silence';

/** What the link may do to its two ends. */
export interface LinkEnd {
  receiveReset(): void;
  receiveFIN(): void;
  output(): void;
}

/** Keeps fragments apart: an exact binary fraction of a millisecond, too short to matter for any time-out. */
const FRAGMENT_DISTANCE = 1 / 1024;

const NO_FAULTS: DirectionFaults = {
  latency: 1, jitter: 0, fragmentLength: 0, isFragmentLengthRandom: false, coalescing: 0, bytesPerSecond: 0,
};

export class Direction {
  readonly faults: DirectionFaults = { ...NO_FAULTS };
  isStalled = false;
  /** Bytes that have arrived. */
  carriedLength = 0;
  cutLength = Infinity;
  cutKind: CutKind = 'reset';
  isLost = false;
  private readonly clock: VirtualClock;
  private readonly random: Random;
  private readonly frames: (() => void)[] = [];
  private busyUntil = 0;
  private lastArrival = 0;
  private lostCount = 0;

  constructor(clock: VirtualClock, random: Random) {
    this.clock = clock;
    this.random = random;
  }

  set(faults: Partial<DirectionFaults>): void {
    Object.assign(this.faults, faults);
  }

  /** After `length` more bytes have arrived the connection ends. */
  cutAfter(length: number, kind: CutKind): void {
    this.cutLength = this.carriedLength + length;
    this.cutKind = kind;
  }

  /** @returns longest segment that may be sent now */
  segmentLength(longest: number): number {
    const { fragmentLength, isFragmentLengthRandom } = this.faults;
    if (fragmentLength === 0)
      return longest;
    return Math.min(longest, isFragmentLengthRandom ? this.random.integer(1, fragmentLength) : fragmentLength);
  }

  /** Sends a frame of `length` bytes; `onArrival` is called when it arrives, after those sent before. */
  transmit(length: number, onArrival: () => void): void {
    const { latency, jitter, coalescing, bytesPerSecond, fragmentLength } = this.faults;
    const { clock } = this;
    this.busyUntil = Math.max(clock.time, this.busyUntil) + (bytesPerSecond > 0 ? length * 1000 / bytesPerSecond : 0);
    let arrival = this.busyUntil + latency + (jitter > 0 ? this.random.integer(0, jitter) : 0);
    if (coalescing > 0)
      arrival = Math.ceil(arrival / coalescing) * coalescing;
    else if (fragmentLength > 0 && length > 0)
      arrival = Math.max(arrival, this.lastArrival + FRAGMENT_DISTANCE);
    this.lastArrival = Math.max(arrival, this.lastArrival);
    this.frames.push(onArrival);
    clock.schedule(this.lastArrival - clock.time, this.onArrival);
  }

  /** What was lost is sent once more: that is what TCP would do. */
  restore(): void {
    this.isLost = false;
    this.lastArrival = Math.max(this.lastArrival, this.clock.time + this.faults.latency);
    for (; this.lostCount > 0; this.lostCount--)
      this.clock.schedule(this.lastArrival - this.clock.time, this.onArrival);
  }

  private readonly onArrival = (): void => {
    if (this.isLost)
      this.lostCount++;
    else
      this.frames.shift()!();
  };
}

export class SimulatedLink {
  /** What the client asked for. */
  readonly address: string;
  readonly port: number;
  readonly toServer: Direction;
  readonly toClient: Direction;
  /** RST is the answer to the connection attempt. */
  isRefused = false;
  /** The connection attempt is never answered. */
  isIgnored = false;
  client: LinkEnd | undefined;
  /** Once the server has seen the connection attempt. */
  server: LinkEnd | undefined;

  constructor(address: string, port: number, clock: VirtualClock, random: Random) {
    this.address = address;
    this.port = port;
    this.toServer = new Direction(clock, random);
    this.toClient = new Direction(clock, random);
  }

  /** The same in both directions. */
  set(faults: Partial<DirectionFaults>): void {
    this.toServer.set(faults);
    this.toClient.set(faults);
  }

  /** The receiver of `direction` announces a window of zero: nothing more is sent until `resume`. */
  stall(direction: Direction): void {
    direction.isStalled = true;
  }

  resume(direction: Direction): void {
    direction.isStalled = false;
    (direction === this.toServer ? this.client : this.server)?.output();
  }

  /** Both ends receive RST now; what is on its way is lost. */
  reset(): void {
    this.client?.receiveReset();
    this.server?.receiveReset();
  }

  /** Half-open: from now on nothing arrives, in either direction, and nobody is told. */
  drop(): void {
    this.toServer.isLost = this.toClient.isLost = true;
  }

  /** The cable is plugged in again: what was lost is sent once more. */
  restore(): void {
    this.toServer.restore();
    this.toClient.restore();
  }

  /** `direction.cutAfter` has come true. */
  cut(direction: Direction): void {
    direction.cutLength = Infinity;
    if (direction.cutKind === 'silence')
      this.drop();
    else if (direction.cutKind === 'reset')
      this.reset();
    else {
      this.client?.receiveFIN();
      this.server?.receiveFIN();
    }
  }
}
