/** The paths that the page of a computer serves. */
import type { ReloadPlan } from '../../src/io/reload.ts';
import type { Runtime } from '../../src/io/runtime.ts';
import { Log } from '../../src/host/log.ts';
import { PageChanges } from '../../src/host/page-changes.ts';
import { PageGate } from '../../src/host/page-gate.ts';
import { publishing } from '../../src/host/page-publishing.ts';
import { pageResources, type PageSources } from '../../src/host/page-resources.ts';

const nothing = (): void => { /* nobody asks for more than the paths */ };

export const allPaths = (): string[] => [
  ...pageResources({} as PageSources, new PageGate(undefined, () => ''), undefined),
  publishing({} as Runtime, false),
  ...new PageChanges('', {} as Runtime, new Log(nothing), nothing, () => ({}) as ReloadPlan).resources,
].map(({ path }) => path);
