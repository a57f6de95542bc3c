/** Parts of documents that are made from the program are current; `npm run figures` rewrites them. */
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { reloadTable } from './reload-table.ts';
import { stateDiagram } from './session/state-diagram.ts';
import { STEP_BUDGETS } from './xs/budgets.ts';
import { workloads } from './xs/workloads.ts';

interface Figure {
  /** Between `<!-- name -->` and `<!-- /name -->`. */
  readonly name: string;
  readonly file: string;
  readonly text: () => string;
}

const FIGURES: readonly Figure[] = [
  { name: 'state diagram', file: 'src/session/CONNECT-RULES.md', text: () =>
    `\`\`\`mermaid\n${stateDiagram()}\`\`\`\n` },
  {
    name: 'steps', file: 'host-test/xs/COSTS.md', text: () => ['| workload | steps | |', '|---|--:|---|',
      ...workloads.map(({ description, name }) => `| ${name} | ${STEP_BUDGETS[name]} | ${description} |`),
        ''].join('\n'),
  },
  { name: 'reload', file: 'src/host/README.md', text: reloadTable },
];

it.each(FIGURES)('the part "$name" of $file is current (npm run figures)', ({ file, name, text }) => {
  const path = fileURLToPath(new URL(`../${file}`, import.meta.url));
  const document = readFileSync(path, 'utf8');
  const [open, close] = [`<!-- ${name} -->\n`, `<!-- /${name} -->`];
  const start = document.indexOf(open) + open.length;
  const end = document.indexOf(close);
  expect(start, `${file} has no part "${name}"`).toBeGreaterThanOrEqual(open.length);
  expect(end, `the part "${name}" of ${file} has no end`).toBeGreaterThanOrEqual(start);
  if (process.env['FIGURES'] === 'write')
    writeFileSync(path, document.slice(0, start) + text() + document.slice(end));
  else
    expect(document.slice(start, end)).toBe(text());
});
