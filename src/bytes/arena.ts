/**
 * The one block of memory. Every ring, queue and table of a gateway is a region of a single ArrayBuffer, so that
 * `copyWithin`, which moves bytes without creating a view, is the only copy that the program ever needs.
 *
 * A plan hands out the regions, then the arena is allocated once, at its full size. Two areas lie after the regions:
 *
 *   | regions ... | landing | staging |
 *
 * landing: received bytes arrive here; whole packets are parsed where they lie.
 * staging: a packet to send is built here.
 *
 * An ECMA-419 socket reads and writes exactly one view; the two length-tracking views `landingView` and `stagingView`
 * become exactly as long as wanted when the buffer is shrunk for a moment (io/exact-view.ts). Staging is the last
 * area, so a shrink that cuts it down never touches what lies in landing; a shrink that cuts landing down makes
 * staging zero. So staging never keeps anything from one event to the next.
 *
 * Knows nothing of MQTT.
 */

/** One line of the RAM map. */
export interface ArenaRegion {
  readonly name: string;
  readonly count: number;
  readonly length: number;
}

/** Collects the regions before the arena exists; its list is the RAM map that users see. */
export class ArenaPlan {
  readonly regions: ArenaRegion[] = [];
  length = 0;

  /**
   * Reserves `count` neighbouring regions of `length` bytes.
   * @returns offset of the first one in the arena to come
   * @throws RangeError when a size is not a whole number of bytes
   */
  reserve(name: string, length: number, count = 1): number {
    if (!Number.isInteger(length) || length < 0 || !Number.isInteger(count) || count < 0)
      throw new RangeError(`region "${name}" needs whole, non-negative sizes, got ${count} x ${length} bytes`);
    const offset = this.length;
    this.regions.push({ name, count, length });
    this.length += length * count;
    return offset;
  }
}

/** Where a length-tracking view is not used, the buffer need not be resizable; Node's engine is faster then. */
export interface ArenaOptions {
  readonly landingCapacity: number;
  readonly stagingCapacity: number;
  readonly resizable?: boolean;
}

export class Arena {
  readonly bytes: Uint8Array;
  readonly view: DataView;
  readonly buffer: ArrayBuffer;
  readonly landingOffset: number;
  readonly stagingOffset: number;
  readonly landingCapacity: number;
  readonly stagingCapacity: number;
  readonly length: number;
  readonly landingView: Uint8Array;
  readonly stagingView: Uint8Array;

  constructor(plan: ArenaPlan, options: ArenaOptions) {
    this.landingCapacity = options.landingCapacity;
    this.stagingCapacity = options.stagingCapacity;
    this.landingOffset = plan.reserve('landing', options.landingCapacity);
    this.stagingOffset = plan.reserve('staging', options.stagingCapacity);
    this.length = plan.length;
    // Created at its full length: growing for the first time would allocate a second chunk on XS.
    this.buffer = options.resizable === false
      ? new ArrayBuffer(this.length)
      : new ArrayBuffer(this.length, { maxByteLength: this.length });
    this.bytes = new Uint8Array(this.buffer);
    this.view = new DataView(this.buffer);
    this.landingView = new Uint8Array(this.buffer, this.landingOffset);
    this.stagingView = new Uint8Array(this.buffer, this.stagingOffset);
  }
}
