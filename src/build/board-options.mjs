/**
 * What mcconfig needs to know of a board beside the manifest: options of ESP-IDF and a partition table for its flash.
 *
 * A target of the SDK that has options of its own keeps them, and ours come after them, so that every release build
 * has the watchdogs and every bootloader checks an update: the folder with both is given to mcconfig by its
 * environment.
 */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';

/** Those that mcconfig merges (tools/mcmanifest.js of the SDK): for all builds, release builds, instrumented ones. */
const FILES = ['sdkconfig.defaults', 'sdkconfig.defaults.release', 'sdkconfig.inst'];
const PARTITIONS = { 4: 'partitions.csv', 8: 'partitions-8mb.csv', 16: 'partitions-16mb.csv' };

/**
 * @param {{ moddable: string; target: string; device: string; output: string }} options the SDK; like
 * `esp32/nodemcu`; the
 *   folder src/device; where the merged options go
 * @returns {{ SDKCONFIGPATH: string; PARTITIONS_FILE: string }} for the environment of mcconfig @throws Error when
 * the flash of the target is too small
 */
export function makeBoardOptions({ moddable, target, device, output }) {
  const own = optionsOfTarget(moddable, target);
  mkdirSync(output, { recursive: true });
  for (const file of FILES) {
    const text = [own, device].map(folder => readIfThere(folder && join(folder, file))).join('\n');
    if (text.trim() !== '')
      writeFileSync(join(output, file), text);
  }
  const table = PARTITIONS[flashSize(own, target)];
  return { SDKCONFIGPATH: resolve(output), PARTITIONS_FILE: resolve(device, table) };
}

/** @returns the folder that the manifest of the target names, also one that this manifest includes; undefined: none */
function optionsOfTarget(moddable, target) {
  const name = target.split('/')[1];
  if (name === undefined)
    return undefined;
  const manifest = join(moddable, 'build/devices/esp32/targets', name, 'manifest.json');
  const path = existsSync(manifest) ? JSON.parse(readFileSync(manifest, 'utf8')).build?.SDKCONFIGPATH : undefined;
  return path === undefined ? undefined : resolve(dirname(manifest), path.replaceAll('$(MODDABLE)', moddable)
    .replaceAll('$(BUILD)', join(moddable, 'build')));
}

/** Megabytes; the SDK says 4 where the target does not say otherwise. */
function flashSize(own, target) {
  const size = Number(/^CONFIG_ESPTOOLPY_FLASHSIZE_(\d+)MB=y/m.exec(readIfThere(own && join(own, FILES[0])))?.[1] ?? 4);
  if (size < 4)
    throw new Error(`${target} has ${size} MB of flash: two programs and a store need 4 MB`);
  return size >= 16 ? 16 : size >= 8 ? 8 : 4;
}

const readIfThere = path => path !== undefined && existsSync(path) ? readFileSync(path, 'utf8') : '';
