/** The paths that the page of a computer serves. */
import { PageGate } from '../../src/host/page-gate.ts';
import { pageResources, type PageSources } from '../../src/host/page-resources.ts';

export const allPaths = (): string[] =>
  pageResources({} as PageSources, new PageGate(undefined, () => ''), undefined).map(({ path }) => path);
