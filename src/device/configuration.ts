/**
 * Which configuration a device uses: the one that its flash partition `config` holds (config-slots.ts, start-
 * plan.ts), else the one that is compiled in, under `ringbridge` of the manifest's `config`. A stored one is judged
 * before anything of what it asks for is acquired, in the words of `ringbridge check`: its form, what must hold
 * between its values, its memory. What versions before this one have stored, under `ringbridge`, `config` of the
 * preferences, is moved there once.
 */
import config from 'mc/config';
import Preference from 'preference';
import { openConfigFlash } from 'board';
import { type Configuration, MemoryShortage, type PartialConfiguration, type TextSource } from './core.ts';
import type { StoredConfiguration } from './config-slots.ts';
import { describeLack, type Judgement, judgeText } from './judgement.ts';
import { describeError, log } from './log.ts';
import { StartPlan } from './start-plan.ts';
import { encodeText, sourceOf } from './texts.ts';

/** @param arenaLimit bytes that there are for the arena */
type Use<T> = (configuration: Configuration, arenaLimit: number) => T;

export interface Start<T> {
  readonly used: T;
  /** Undefined where there is no partition `config`. */
  readonly plan: StartPlan | undefined;
}

/**
 * Calls `use` with the best configuration that it does not refuse by an exception.
 * @throws what `use` throws with the compiled-in one
 */
export function useConfiguration<T>(use: Use<T>): Start<T> {
  const plan = openPlan();
  const preference = movePreference(plan);
  if (plan?.isSafeMode === true)
    log(`safe mode: the last ${plan.failureCount} starts have not worked for a minute; `
      + 'the built-in configuration is used, and the store is left alone');
  else if (plan?.slots.hasLaterVersion === true)
    log('a configuration that a later version of the gateway has stored is not used');
  for (const stored of candidatesOf(plan)) {
    const used = tryStored(use, stored, `the stored configuration ${stored.sequence}`, () => begin(plan, stored));
    if (used !== undefined)
      return { used: used.result, plan };
  }
  if (preference !== undefined) {
    const used = tryStored(use, preference, 'the configuration in the preferences', () => {});
    if (used !== undefined)
      return { used: used.result, plan };
  }
  begin(plan, undefined);
  return { used: useBuiltIn(use, plan?.isSafeMode === true), plan };
}

/** A flash that is worn out must not cost the gateway. */
function begin(plan: StartPlan | undefined, stored: StoredConfiguration | undefined): void {
  attempt(() => plan?.begin(stored));
}

export function attempt(write: () => void): void {
  try {
    write();
  } catch (error) {
    log(`the list of starts cannot be written: ${describeError(error)}`);
  }
}

function candidatesOf(plan: StartPlan | undefined): StoredConfiguration[] {
  try {
    return plan?.candidates(log) ?? [];
  } catch (error) {
    log(`what is stored cannot be used: ${describeError(error)}`);
    return [];
  }
}

/** @returns undefined when it was refused, which has been told */
function tryStored<T>(use: Use<T>, source: TextSource, name: string, onUse: () => void): { result: T } | undefined {
  const { arenaLimit, configuration, errors } = judgeText(source, false);
  errors.forEach(text => log(`${name}: ${text}`));
  if (configuration !== undefined)
    try {
      onUse();
      return { result: use(configuration, arenaLimit) };
    } catch (error) {
      log(`${name}: ${describeFailure(error)}`);
    }
  log(`${name} is not used`);
  return undefined;
}

function useBuiltIn<T>(use: Use<T>, isSafeMode: boolean): T {
  const { arenaLimit, configuration, errors } = judgeBuiltIn();
  if (configuration === undefined)
    throw new Error(errors.join('; '));
  try {
    const store = { ...configuration.store, durability: 'ram' as const };
    return use(isSafeMode ? { ...configuration, store } : configuration, arenaLimit);
  } catch (error) {
    throw new Error(describeFailure(error));
  }
}

/** From mcconfig's command line it is text, from the manifest a tree, which lies in flash. */
function judgeBuiltIn(): Judgement {
  const value: unknown = config.ringbridge;
  return typeof value === 'string' ? judgeText(sourceOf(encodeText(value)), true)
    : judgeText(sourceOf(encodeText(JSON.stringify(value ?? {}))), true, (value ?? {}) as PartialConfiguration);
}

function describeFailure(error: unknown): string {
  return error instanceof MemoryShortage ? describeLack(error.missing) : describeError(error);
}

function openPlan(): StartPlan | undefined {
  try {
    return new StartPlan(openConfigFlash());
  } catch (error) {
    log(`no configuration can be stored: ${describeError(error)}`);
    return undefined;
  }
}

/** A power cut between storing and deleting repeats the move, which then finds the same text there. */
function movePreference(plan: StartPlan | undefined): TextSource | undefined {
  const text = Preference.get('ringbridge', 'config');
  if (typeof text !== 'string')
    return undefined;
  const bytes = encodeText(text);
  if (plan === undefined)
    return sourceOf(bytes);
  try {
    plan.slots.write(bytes);
    Preference.delete('ringbridge', 'config');
    log('the configuration in the preferences was moved to the partition "config"');
    return undefined;
  } catch (error) {
    log(`the configuration in the preferences was not moved: ${describeError(error)}`);
    return sourceOf(bytes);
  }
}
