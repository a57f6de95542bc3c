/** Runs footprint.ts: the memory that configurations take on 32-bit XS. */
import { rm } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { buildHost } from '../xs/build-host.mjs';
import { bundleForXS } from '../xs/bundle.mjs';
import { runXS } from '../xs/run-xs.mjs';

const ROOT = resolve(dirname(fileURLToPath(import.meta.url)), '../..');
/** Of the partition that a board's store has. */
const STORE_SECTORS = 240;
const SLOT_LENGTH = 16;

/**
 * heapBytes: slots and chunks together.
 * @typedef {{ arenaBytes: number, slots: number, chunkBytes: number, heapBytes: number }} Footprint
 */

/**
 * @param {object[]} configurations
 * @returns {Promise<Footprint[]>}
 */
export async function measureFootprints(configurations) {
  const program = await bundleForXS(join(ROOT, 'host-test/size/footprint.ts'), `footprint-${process.pid}`);
  try {
    const { code, stderr, stdout } =
      await runXS(await buildHost(32), program, [String(STORE_SECTORS), JSON.stringify(configurations)]);
    if (code !== 0) throw new Error(`the gateway on XS ended with ${code}: ${stderr}`);
    return JSON.parse(stdout).map(footprint =>
      ({ ...footprint, heapBytes: footprint.slots * SLOT_LENGTH + footprint.chunkBytes }));
  } finally {
    await rm(dirname(program), { recursive: true });
  }
}
