/**
 * Runs on XS: what a gateway takes when it has started and all nodes that it has room for are connected: arena, slots
 * and chunk bytes beside it. Script arguments: blocks of the flash, and a JSON array of configurations. Prints one JSON
 * array.
 */
import {
  createSimulatedSensor, FlashBlocks, type Flash, type PartialConfiguration, type Runtime,
} from '../../src/device/core.ts';
import type { Buses } from '../../src/drivers/buses.ts';
import { DriverSensors } from '../../src/drivers/driver-sensors.ts';
import type { TCPOptions, TCPSocket } from '../../src/io/transport.ts';
import { HandDrivenNetwork, PLENTY } from '../world/hand-driven.ts';

declare const print: (line: string) => void;
declare const readCounters: (counters: Float64Array) => void;
declare const collect: () => void;
declare const feed: (bytes: Uint8Array) => void;
declare const socketRead: (view: Uint8Array) => number;
declare const socketWrite: (view: Uint8Array) => number;
declare const scriptArguments: string[];

const SECTOR = 4096;
const WORD = 4;
const FIRST_LETTER = 0x61;

const sectors = Number(scriptArguments[0]);
const configurations = JSON.parse(scriptArguments[1]!) as PartialConfiguration[];
const texts = configurations.map(configuration => JSON.stringify(configuration));

/** A flash that is always erased; as on a board, its bytes lie outside of the engine's heap. */
class BlankFlash implements Flash {
  read(view: Uint8Array): void {
    view.fill(0xFF);
  }

  write(): void { /* forgotten */ }
  eraseBlock(): void { /* it is */ }
  close(): void { /* nothing to release */ }

  status(): { size: number; blockLength: number; blocks: number } {
    return { size: sectors * SECTOR, blockLength: SECTOR, blocks: sectors };
  }
}

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

/** As on a board, where the lines take their memory outside of the engine's heap. */
const port = {
  write: () => 0, read: () => 0, recover: () => 0, reset: () => 0, readByte: () => 0,
  writeByte() { /* nobody hears */ },
};
const buses: Buses = { openI2C: () => port, openSerial: () => port, openOneWire: () => port };

const network = new HandDrivenNetwork<TCPSocket>(Socket, {
  // Parts on a bus have their drivers, each its own; whatever else is wired to a board counts as a simulated sensor.
  createSensor: configuration => new DriverSensors(buses).create(configuration) ?? createSimulatedSensor({
    ...configuration, type: configuration.type.startsWith('simulated') ? configuration.type : 'simulated',
  }, () => 0.5),
  createTimer: () => ({ set() { /* never fires */ }, clear() { /* not set */ } }), // as a board's, an object of its own
  openStorage: (_store, arena, longestPacket) =>
    new FlashBlocks(new BlankFlash(), arena, longestPacket),
});

/** A node connects with MQTT 3.1.1 and an identifier of one letter. */
function connectNode(letter: number): void {
  const socket = network.accept(new Socket({}));
  callbacks.onWritable!.call(socket, PLENTY);
  feed(new Uint8Array([0x10, 13, 0, 4, 0x4D, 0x51, 0x54, 0x54, 4, 2, 0, 60, 0, 1, letter]));
  callbacks.onReadable!.call(socket, 15);
}

/** The configuration is read here, as a board reads it: what the gateway keeps of it counts. */
function startAndConnect(text: string): Runtime {
  const runtime = network.start(JSON.parse(text) as PartialConfiguration);
  const { max_connections } = runtime.gateway.configuration.listener;
  for (let node = 0; node < max_connections; ++node)
    connectNode(FIRST_LETTER + node);
  if (runtime.gateway.connectedCount !== max_connections)
    throw new Error(`not all nodes are connected with ${text}`);
  return runtime;
}

const before = new Float64Array(5);
const after = new Float64Array(5);

/** Everything that is not reachable is gone first. */
function read(counters: Float64Array): void {
  collect();
  readCounters(counters);
}

print(JSON.stringify(texts.map(text => {
  // Once for what the engine itself keeps of a first time: names, for instance.
  startAndConnect(text);
  network.forget();
  callbacks = {};
  read(before);
  const runtime = startAndConnect(text);
  read(after);
  const arenaBytes = runtime.gateway.arena.length;
  const chunkBytes = after[1]! - before[1]! - Math.ceil(arenaBytes / WORD) * WORD; // a chunk is whole words
  return { arenaBytes, slots: after[0]! - before[0]!, chunkBytes };
})));
