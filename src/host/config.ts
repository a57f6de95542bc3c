/** Reads a configuration file. */
import { readFileSync } from 'node:fs';
import { parse } from 'jsonc-parser';
import { completeConfiguration, type Configuration, type PartialConfiguration } from '../gateway/configuration.ts';

export interface LoadedConfiguration {
  /** Undefined when there are errors. */
  readonly configuration: Configuration | undefined;
  readonly errors: readonly string[];
  readonly warnings: readonly string[];
}

export function loadConfiguration(file: string): LoadedConfiguration {
  const partial = parse(readFileSync(file, 'utf8')) as PartialConfiguration & { $schema?: string };
  return { configuration: completeConfiguration(partial), errors: [], warnings: [] };
}
