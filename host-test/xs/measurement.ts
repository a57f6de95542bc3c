/** Builds the programs for XS, runs them and reads what they print. */
import { fileURLToPath } from 'node:url';
import { buildHost } from './build-host.mjs';
import { bundleForXS } from './bundle.mjs';
import { canRun32 } from './programs-32.mjs';
import { runXS } from './run-xs.mjs';

/** A line of measure.ts. */
export interface Measurement {
  readonly engine: 'xs32' | 'xs64';
  readonly workload: string;
  readonly subject: string;
  readonly steps: number;
  readonly slots: number;
  readonly chunkBytes: number;
  readonly collections: number;
  readonly nsPerPacket: number;
  /** Highest C stack; 0 where it is not known. */
  readonly stackBytes: number;
}

export type Width = 32 | 64;

/**
 * Engines that can be built here. Where it decides whether work lands, both are demanded: there a missing package shows
 * as an error that names it.
 */
export function widths(): readonly Width[] {
  return process.env['CI'] === 'true' || canRun32() ? [32, 64] : [64];
}

/** Runs a program of this folder on XS. @returns its lines @throws Error with what XS says when it fails */
export async function runProgram(width: Width, name: string, args: readonly string[] = []): Promise<string[]> {
  const program = await bundleForXS(fileURLToPath(new URL(`${name}.ts`, import.meta.url)), `${name}-${width}`);
  const { code, stderr, stdout } = await runXS(await buildHost(width), program, [...args]);
  if (code !== 0)
    throw new Error(`${name} on XS, ${width} bits, ended with ${code}: ${stderr}`);
  return stdout.split('\n').slice(0, -1);
}

/** @param names of workloads; none: all */
export async function measure(width: Width, rounds: number, names: readonly string[] = []): Promise<Measurement[]> {
  return (await runProgram(width, 'measure', [String(rounds), ...names])).map(line => JSON.parse(line) as Measurement);
}
