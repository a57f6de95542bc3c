/**
 * Where the configuration of a device is: compiled in, under `ringbridge` of the manifest's `config`, or, stronger, in
 * storage, as JSON under `ringbridge`, `config` of the preferences. One that cannot work must not cost the device, so
 * the compiled-in one comes next.
 */
import config from 'mc/config';
import Preference from 'preference';
import { completeConfiguration, limitConflicts, type Configuration, type PartialConfiguration } from './core.ts';
import { describeError, log } from './log.ts';

/** Where the user may find the configuration that is at fault. */
type Source = 'stored' | 'compiled-in';

/**
 * Calls `use` with the strongest configuration that it does not refuse by an exception.
 * @throws what `use` throws with the compiled-in one
 */
export function useConfiguration<T>(use: (configuration: Configuration) => T): T {
  const stored = read('stored', () => Preference.get('ringbridge', 'config'));
  if (stored !== undefined)
    try {
      return use(checked(completeConfiguration(stored)));
    } catch (error) {
      log(`the stored configuration does not work, the compiled-in one is used: ${describeError(error)}`);
    }
  return use(checked(completeConfiguration(read('compiled-in', () => config.ringbridge) ?? {})));
}

/** @throws Error when limits contradict each other */
function checked(configuration: Configuration): Configuration {
  const conflict = limitConflicts(configuration)[0];
  if (conflict !== undefined)
    throw new Error(`${conflict.path.join('.')}: ${conflict.text}`);
  return configuration;
}

type Values = Readonly<Record<string, unknown>>;

/** @returns the path of a number that is too large for one, such as 1e999, which JSON.parse makes infinite */
function findInfinite(values: Values): string | undefined {
  for (const key of Object.keys(values)) {
    const value = values[key];
    if (value === Infinity || value === -Infinity)
      return key;
    const inner = typeof value === 'object' && value !== null ? findInfinite(value as Values) : undefined;
    if (inner !== undefined)
      return `${key}.${inner}`;
  }
  return undefined;
}

/** @returns undefined when there is none or it is broken, which is told */
function read(source: Source, get: () => unknown): PartialConfiguration | undefined {
  try {
    const value = get();
    if (value === undefined || value === null)
      return undefined;
    const parsed: unknown = typeof value === 'string' ? JSON.parse(value) : value; // from mcconfig's command line it is text
    if (typeof parsed !== 'object' || parsed === null || Array.isArray(parsed))
      throw new Error('it is not an object');
    const path = findInfinite(parsed as Values);
    if (path !== undefined)
      throw new Error(`${path} is no number that can be used`);
    return parsed;
  } catch (error) {
    log(`the ${source} configuration is ignored: ${describeError(error)}`);
    return undefined;
  }
}
