/**
 * The module `board` in Moddable's simulator: the network is there, pins and drivers are not.
 */
import Modules from 'modules';
import Time from 'time';
import Timer from 'timer';
import type { Arena } from '../bytes/arena.ts';
import type { BlockStorage } from '../store/block-storage.ts';
import type { StoreConfiguration } from '../config/store-configuration.ts';
import { blockLengthFor } from '../store/record-format.ts';
import { type Flash, FlashBlocks } from './core.ts';
import { ConfigFile } from './config-file.ts';
import { type Directory, FileFlash } from './file-flash.ts';
import { log } from './log.ts';
import type { Natives } from './natives.ts';
import type { SensorFactory } from '../sensors/sensor-state.ts';
import { SimulatedSensors } from '../simulated/simulated-buses.ts';

/** Not on every system, so it is asked for. */
const FILES = 'embedded:storage/files';

/** Stands for the partition `config`. */
const CONFIG_FILE = 'ringbridge.config';

/** All are simulated: parts on buses with the drivers of a board, the others as their values alone. */
export function createSensors(_natives: Natives | undefined): SensorFactory {
  const sensors = new SimulatedSensors(Math.random, () => Time.ticks);
  return configuration => {
    if (!configuration.type.startsWith('simulated'))
      log(`sensor "${configuration.name}": ${configuration.type} is simulated here`);
    return sensors.create(configuration);
  };
}

export function startNetwork(onReady: () => void): undefined {
  Timer.set(onReady);
  return undefined;
}

/** The computer has a name already. */
export function announce(_name: string): void { /* nothing to do */ }

/**
 * A file: `store.path` and `store.size` say which and how long, in the folder `files` of the manifest's `config`, or in
 * the home folder.
 * @throws Error saying what to do
 */
export function openStorage({ path, size }: StoreConfiguration, arena: Arena, longestPacket: number): BlockStorage {
  if (!Modules.has(FILES))
    throw new Error('the simulator has no files on this system: write "ram" in store.durability');
  const directory = Modules.importNow(FILES) as Directory;
  return new FlashBlocks(new FileFlash(directory, path, size, blockLengthFor(longestPacket)), arena, longestPacket);
}

/** @throws Error when there are no files */
export function openConfigFlash(): Flash {
  if (!Modules.has(FILES))
    throw new Error('the simulator has no files on this system');
  return new ConfigFile(Modules.importNow(FILES) as Directory, CONFIG_FILE);
}

export const hasBrokerHere = true;

/** What they tell is known of a board only. */
export const createNatives = (): Natives | undefined => undefined;

export function restart(): void {
  log('a board would restart now');
}
