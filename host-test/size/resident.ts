/**
 * Runs on XS: what a gateway keeps of the engine's heap, in slots and chunk bytes, and its RAM map. Script argument:
 * the configuration as JSON. Prints one JSON object. The arena is a chunk too; its bytes are told apart.
 */
import type { ArenaPlan } from '../../src/bytes/arena.ts';
import {
  completeConfiguration, createSimulatedSensor, type PartialConfiguration, type Runtime, type RuntimeObserver,
} from '../../src/device/core.ts';
import type { TCPOptions, TCPSocket } from '../../src/io/transport.ts';
import { HandDrivenNetwork, PLENTY } from '../world/hand-driven.ts';
import { silentObserver } from '../world/platform.ts';

declare const print: (line: string) => void;
declare const readCounters: (counters: Float64Array) => void;
declare const collect: () => void;
declare const feed: (bytes: Uint8Array) => void;
declare const socketRead: (view: Uint8Array) => number;
declare const socketWrite: (view: Uint8Array) => number;
declare const scriptArguments: string[];

/** As src/device/main.ts. */
const LANDING_CAPACITY = 1536;

class Heap {
  slots = 0;
  chunkBytes = 0;
}

const counters = new Float64Array(5);

/** Everything that is not reachable is gone first. */
function read(heap: Heap): void {
  collect();
  readCounters(counters);
  heap.slots = counters[0]!;
  heap.chunkBytes = counters[1]!;
}

const before = new Heap();
const after = new Heap();
const difference = (): { slots: number; chunkBytes: number } =>
  ({ slots: after.slots - before.slots, chunkBytes: after.chunkBytes - before.chunkBytes });

/** The socket of a board, as far as JavaScript sees it: one object. */
class Socket implements TCPSocket {
  declare read: (view: Uint8Array) => number;
  declare write: (view: Uint8Array) => number;

  constructor(options: TCPOptions) {
    // A board keeps the callbacks, outside of the engine's heap, and not the options.
    if (options.onReadable !== undefined)
      callbacks = options;
  }

  close(): void { /* nothing to release */ }
}
Socket.prototype.read = socketRead;
Socket.prototype.write = socketWrite;

/** Those of every link. */
let callbacks: TCPOptions = {};

const network = new HandDrivenNetwork<TCPSocket>(Socket, {
  createSensor: configuration => createSimulatedSensor(configuration, () => 0.5),
  createTimer: () => ({ set() { /* never fires */ }, clear() { /* not set */ } }), // as a board's, an object of its own
  landingCapacity: LANDING_CAPACITY,
});

/** Of the first gateway. */
let regions: ArenaPlan['regions'] | undefined;

const observer: RuntimeObserver = { ...silentObserver, onPlanned(plan) { regions ??= plan; } };
const start = (configuration: PartialConfiguration): Runtime => network.start(configuration, observer);

/** A node connects with MQTT 3.1.1 and an identifier of one letter. */
function connectNode(letter: number): void {
  const socket = network.accept(new Socket({}));
  callbacks.onWritable!.call(socket, PLENTY);
  feed(new Uint8Array([0x10, 13, 0, 4, 0x4D, 0x51, 0x54, 0x54, 4, 2, 0, 60, 0, 1, letter]));
  callbacks.onReadable!.call(socket, 15);
}

const configuration = JSON.parse(scriptArguments[0]!) as PartialConfiguration;
const withConnections = (count: number): PartialConfiguration =>
  ({ ...configuration, listener: { ...configuration.listener, max_connections: count } });

// Once for what the engine itself keeps of a first time: names, for instance.
start(configuration);
network.forget();

read(before);
let runtime = start(configuration);
read(after);
const started = difference();
const arenaBytes = runtime.gateway.arena.length;

connectNode(0x61);
read(before);
connectNode(0x62);
read(after);
const connected = difference();
if (runtime.gateway.connectedCount !== 2)
  throw new Error('the nodes are not connected');

/** Heap with so many possible connections; the gateway before is given up. */
function heapWith(count: number, heap: Heap): number {
  runtime = start(withConnections(count));
  read(heap);
  return runtime.gateway.arena.length;
}
const { max_connections } = completeConfiguration(configuration).listener;
const arenaWithOne = heapWith(max_connections, before);
const arenaWithMore = heapWith(max_connections + 1, after);
const possible = difference();
const arenaOfNode = arenaWithMore - arenaWithOne;

print(JSON.stringify({
  arenaBytes,
  started: { slots: started.slots, chunkBytes: started.chunkBytes - arenaBytes },
  possibleNode: { slots: possible.slots, chunkBytes: possible.chunkBytes - arenaOfNode, arenaBytes: arenaOfNode },
  connectedNode: connected,
  regions,
}));
