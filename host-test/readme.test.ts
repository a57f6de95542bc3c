/**
 * What the documents say is so: the example is valid, commands and links exist, and nothing refers to what is not here.
 */
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it, test } from 'vitest';
import { readConfiguration } from '../src/host/config.ts';

const root = resolve(dirname(fileURLToPath(import.meta.url)), '..');
const read = (file: string): string => readFileSync(join(root, file), 'utf8');
const tracked =
  execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard'], { cwd: root, encoding: 'utf8' })
  .split('\n').filter(file => file !== '' && existsSync(join(root, file)));
const documents = tracked.filter(file => file.endsWith('.md'));

/** The length that people read before they decide. */
const LONGEST_README = 170;

it('the README is a front door', () => {
  expect(read('README.md').split('\n').length).toBeLessThanOrEqual(LONGEST_README);
});

it('the example is a valid configuration', () => {
  const json = /<!-- example -->\n```json\n([^]*?)```\n<!-- \/example -->/.exec(read('README.md'))![1]!;
  expect(readConfiguration(json, 'README.md').errors).toEqual([]);
});

describe.each(documents)('%s', document => {
  it('names npm commands that exist', () => {
    const { scripts } = JSON.parse(read('package.json')) as { scripts: Record<string, string> };
    for (const [, name] of read(document).matchAll(/npm run ([a-z:]+)/g))
      expect(Object.keys(scripts)).toContain(name);
  });

  it('has links that lead to a file and, in it, to a heading', () => {
    for (const [, target, anchor] of read(document).matchAll(/\]\((?!https?:)([^)#]+)(?:#([^)]+))?\)/g)) {
      const file = join(root, dirname(document), target!);
      expect(existsSync(file), target).toBe(true);
      if (anchor !== undefined)
        expect(headingsOf(readFileSync(file, 'utf8')), `${target}#${anchor}`).toContain(anchor);
    }
  });
});

describe('the package', () => {
  const { files } = JSON.parse(read('package.json')) as { files: string[] };
  const isUnder = (file: string, folder: string): boolean => file === folder || file.startsWith(`${folder}/`);
  const isPacked = (file: string): boolean =>
    ['README.md', 'LICENSE', 'package.json', ...files].some(folder => isUnder(file, folder))
    && !files.some(folder => folder.startsWith('!') && isUnder(file, folder.slice(1)));

  test.each(documents.filter(isPacked))('has what %s links to', document => {
    const targets = [...read(document).matchAll(/\]\((?!https?:)([^)#]+)(?:#[^)]+)?\)/g)]
      .map(([, target]) => join(dirname(document), target!));
    expect(targets.filter(target => !isPacked(target))).toEqual([]);
  });

  it('has no demo', () => expect(isPacked('dist/host/demo.js')).toBe(false));
});

/** As GitHub makes anchors of them. */
function headingsOf(text: string): string[] {
  return [...text.matchAll(/^#+ (.*)$/gm)].map(([, heading]) =>
    heading!.toLowerCase().replace(/[^\w\- ]/g, '').replaceAll(' ', '-'));
}

it('nothing refers to a document that is not in the repository', () => {
  const OUTSIDE = /\bDESIGN\.md|\bHOUSE\.md|\bSTYLE\.md|\bshared\/[a-z-]+\.md|user's notes|docs of the project/;
  const referring = tracked.filter(file => /\.(ts|mjs|c|h|md|json)$/.test(file) && !file.endsWith('readme.test.ts'))
    .filter(file => OUTSIDE.test(read(file)));
  expect(referring).toEqual([]);
});
