/** What the README says is so: generated parts are current, the example is valid, commands and links exist. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { readConfiguration } from '../src/host/config.ts';
import { stateDiagram } from './session/state-diagram.ts';
import { STEP_BUDGETS } from './xs/budgets.ts';
import { workloads } from './xs/workloads.ts';

const root = resolve(dirname(fileURLToPath(import.meta.url)), '..');
const file = join(root, 'README.md');
const readme = readFileSync(file, 'utf8');

/** The part between two markers. */
function part(name: string): string {
  const match = new RegExp(`<!-- ${name} -->\n([^]*?)<!-- /${name} -->`).exec(readme);
  expect(match, `the README has no part "${name}"`).not.toBeNull();
  return match![1]!;
}

const GENERATED: Readonly<Record<string, () => string>> = {
  'state diagram': () => `\`\`\`mermaid\n${stateDiagram()}\`\`\`\n`,
  'steps': () => ['| workload | steps | |', '|---|--:|---|',
    ...workloads.map(({ description, name }) => `| ${name} | ${STEP_BUDGETS[name]} | ${description} |`), ''].join('\n'),
};

it.each(Object.keys(GENERATED))('the part "%s" is current (README_WRITE=1 npm test rewrites it)', name => {
  const expected = GENERATED[name]!();
  if (process.env['README_WRITE'] === '1') {
    const current = readFileSync(file, 'utf8');
    writeFileSync(file, current.replace(new RegExp(`(<!-- ${name} -->\n)[^]*?(<!-- /${name} -->)`), (_all, open: string, close: string) => open + expected + close));
  } else
    expect(part(name)).toBe(expected);
});

it('the example is a valid configuration', () => {
  const json = /```json\n([^]*?)```/.exec(part('example'))![1]!;
  expect(readConfiguration(json, 'README.md').errors).toEqual([]);
});

it('every npm command exists', () => {
  const { scripts } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { scripts: Record<string, string> };
  for (const [, name] of readme.matchAll(/npm run ([a-z:]+)/g))
    expect(Object.keys(scripts)).toContain(name);
});

it('every link leads to a file', () => {
  for (const [, target] of readme.matchAll(/\]\((?!https?:)([^)#]+)\)/g))
    expect(existsSync(join(root, target!)), target).toBe(true);
});
