/**
 * The architecture as a test: imports point down only, no folder in a folder, no file without limit, and nothing in the
 * folders of the packet path that allocates, outside constructors, unless it stands in the list of exceptions with its
 * reason and its rate.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';
import { describe, expect, it } from 'vitest';
import { ALLOCATION_EXCEPTIONS } from './source-exceptions.ts';

const source = resolve(dirname(fileURLToPath(import.meta.url)), '../src');

/**
 * Lowest first; a file imports from its own folder and from those before it, but for those that stand beside each
 * other.
 */
const LAYERS =
  ['bytes', 'packet', 'config', 'store', 'session', 'nodes', 'upstream', 'homeassistant', 'gateway', 'rules', 'sensors',
    'drivers', 'simulated', 'io', 'web', 'device',
    'host', 'demo', 'build'];
/** Folders in which nothing allocates per packet. */
const PACKET_PATH = LAYERS.slice(0, LAYERS.indexOf('device'));
/** Neither knows the other. */
const BESIDE: readonly (readonly [string, string])[] =
  [['config', 'store'], ['config', 'session'], ['store', 'session'], ['device', 'host']];
/** The files that read a configuration, and those that read an old store, know each other. */
const KNOWN_CYCLES = /^host\/config|^store\/(block-scan|version-one|message-queue)|^session\/(server-|filter-)/;

interface SourceFile {
  readonly name: string;
  readonly layer: string;
  readonly text: string;
  readonly tree: ts.SourceFile;
}

const files: SourceFile[] = LAYERS.flatMap(layer => readdirSync(join(source, layer))
  .filter(file => file.endsWith('.ts') && !file.endsWith('.d.ts'))
  .map(file => {
    const text = readFileSync(join(source, layer, file), 'utf8');
    return { name: `${layer}/${file}`, layer, text,
      tree: ts.createSourceFile(file, text, ts.ScriptTarget.ES2022, true) };
  }));

function specifiersOf({ tree }: SourceFile): string[] {
  return tree.statements
    .filter(statement => ts.isImportDeclaration(statement) || ts.isExportDeclaration(statement))
    .flatMap(({ moduleSpecifier }) => moduleSpecifier === undefined ? []
      : [(moduleSpecifier as ts.StringLiteral).text]);
}

/**
 * `Class.method`, or the name of the function, that a node belongs to; undefined at module level and in constructors.
 */
function ownerOf(node: ts.Node): string | undefined {
  for (let at: ts.Node | undefined = node.parent; at !== undefined; at = at.parent) {
    if (ts.isConstructorDeclaration(at) || ts.isPropertyDeclaration(at))
      return undefined;
    if (ts.isMethodDeclaration(at) || ts.isGetAccessor(at) || ts.isSetAccessor(at)) {
      if (ts.isClassLike(at.parent))
        return `${at.parent.name?.text ?? ''}.${at.name.getText()}`;
    } else if (ts.isFunctionDeclaration(at))
      return at.name?.text;
    else if (ts.isVariableDeclaration(at) && ts.isSourceFile(at.parent.parent.parent) && at.initializer !== undefined
      && ts.isArrowFunction(at.initializer) && at.initializer !== node)
      return at.name.getText();
  }
  return undefined;
}

const fileOf = (owner: string): string => owner.slice(0, owner.indexOf(':'));

const STRING_METHODS =
  new Set(['charCodeAt', 'codePointAt', 'concat', 'join', 'map', 'filter', 'slice', 'split', 'subarray',
  'substring', 'toString', 'toFixed', 'reduce', 'replace', 'startsWith', 'endsWith', 'padStart', 'fromCharCode',
    'fromCodePoint', 'bind']);

function isLiteralContainer(node: ts.Expression): boolean {
  return ts.isAsExpression(node) || ts.isSatisfiesExpression(node) ? isLiteralContainer(node.expression)
    : ts.isObjectLiteralExpression(node) || ts.isArrayLiteralExpression(node);
}

const isStatic = ({ modifiers }: ts.PropertyDeclaration): boolean =>
  modifiers?.some(({ kind }) => kind === ts.SyntaxKind.StaticKeyword) ?? false;

/** What a node allocates, in words; undefined when nothing. */
function allocationOf(node: ts.Node): string | undefined {
  if (ts.isObjectLiteralExpression(node)) return 'an object literal';
  if (ts.isArrayLiteralExpression(node)) return 'an array literal';
  if (ts.isArrowFunction(node) || ts.isFunctionExpression(node)) return 'a closure';
  if (ts.isNewExpression(node)) return 'new';
  if (ts.isTemplateExpression(node)) return 'a template';
  if (ts.isSpreadElement(node) || ts.isSpreadAssignment(node)) return 'spread';
  if (ts.isForOfStatement(node) || ts.isForInStatement(node)) return 'an iterator';
  if (ts.isArrayBindingPattern(node)) return 'destructuring of an array';
  if (ts.isRegularExpressionLiteral(node)) return 'a regular expression';
  if (ts.isBigIntLiteral(node)) return 'a BigInt';
  if (ts.isAwaitExpression(node) || ts.isYieldExpression(node)) return 'await or yield';
  if (ts.isParameter(node) && node.dotDotDotToken !== undefined) return 'a rest parameter';
  // In a preloaded module, each time
  if (ts.isBinaryExpression(node) && [node.left, node.right].some(ts.isStringLiteral)) return 'a text';
  if (ts.isCallExpression(node) && ts.isPropertyAccessExpression(node.expression)
    && STRING_METHODS.has(node.expression.name.text))
    return `.${node.expression.name.text}()`;
  return undefined;
}

function allocationsIn(file: SourceFile): { owner: string; what: string; line: number }[] {
  const found: { owner: string; what: string; line: number }[] = [];
  const visit = (node: ts.Node): void => {
    const what = allocationOf(node);
    const owner = what === undefined ? undefined : ownerOf(node);
    if (what !== undefined && owner !== undefined)
      found.push({ owner: `${file.name}: ${owner}`, what,
        line: file.tree.getLineAndCharacterOfPosition(node.getStart()).line + 1 });
    ts.forEachChild(node, visit);
  };
  visit(file.tree);
  return found;
}

describe('the source', () => {
  it('has no cycle of imports, those of types included', () => {
    const graph = new Map(files.map(file => [file.name, specifiersOf(file).filter(name => name.startsWith('.'))
      .map(name => join(dirname(file.name), name)).filter(name => files.some(other => other.name === name))]));
    const cycles: string[] = [];
    const done = new Set<string>();
    const visit = (name: string, path: readonly string[]): void => {
      if (path.includes(name)) {
        cycles.push([...path.slice(path.indexOf(name)), name].join(' > '));
        return;
      }
      if (done.has(name))
        return;
      for (const next of graph.get(name) ?? [])
        visit(next, [...path, name]);
      done.add(name);
    };
    for (const name of graph.keys())
      visit(name, []);
    expect(cycles.filter(cycle => !KNOWN_CYCLES.test(cycle))).toEqual([]);
  });

  it('has no folder in a folder', () => {
    for (const layer of LAYERS) // but for the source of the page, which a browser runs
      expect(readdirSync(join(source, layer), { withFileTypes: true }).filter(entry => entry.isDirectory())
        .map(({ name }) => name).filter(name => layer !== 'web' || name !== 'page'), layer).toEqual([]);
    const folders = readdirSync(source, { withFileTypes: true }).filter(entry => entry.isDirectory());
    expect(folders.map(({ name }) => name).sort()).toEqual([...LAYERS].sort());
  });

  it.each(files.map(file => [file.name, file] as const))('%s imports from its own layer and from those below',
    (_name, file) => {
    for (const specifier of specifiersOf(file)) {
      if (!specifier.startsWith('.')) {
        expect(specifier.startsWith('embedded:') || ['device'].includes(file.layer) ? ['device']
          : ['host', 'demo', 'build'], specifier).toContain(file.layer);
        continue;
      }
      const layer = specifier.startsWith('./') ? file.layer : specifier.split('/')[1]!;
      expect(LAYERS.indexOf(layer), specifier).toBeLessThanOrEqual(LAYERS.indexOf(file.layer));
      expect(BESIDE, specifier).not.toContainEqual([layer, file.layer]);
    }
  });

  /**
   * A board keeps modules in flash. What is not frozen there costs memory, a place for the copy that a change would
   * make.
   */
  it('freezes the objects and lists that a module or a class keeps', () => {
    const thawed = files.filter(({ layer }) => PACKET_PATH.includes(layer)).flatMap(({ name, tree }) => tree.statements
      .flatMap((statement): readonly (ts.VariableDeclaration | ts.PropertyDeclaration)[] =>
        ts.isVariableStatement(statement) ? statement.declarationList.declarations
          : ts.isClassDeclaration(statement) ? statement.members.filter(ts.isPropertyDeclaration).filter(isStatic) : [])
      .filter(({ initializer }) => initializer !== undefined && isLiteralContainer(initializer))
      .map(declaration => `${name}: ${declaration.name.getText()}`));
    expect(thawed).toEqual([]);
  });

  it('opens each file with what it is for', () => {
    expect(files.filter(({ text }) => !text.startsWith('/**')).map(({ name }) => name)).toEqual([]);
  });

  const allocations = files.filter(({ layer }) => PACKET_PATH.includes(layer)).flatMap(allocationsIn);

  it('allocates in the folders of the packet path only in constructors and where the list of exceptions says why',
    () => {
    const unlisted =
      allocations.filter(({ owner }) => !(owner in ALLOCATION_EXCEPTIONS) && !(fileOf(owner) in ALLOCATION_EXCEPTIONS));
    expect(unlisted.map(({ owner, what, line }) => `${owner}, line ${line}: ${what}`)).toEqual([]);
  });

  it('has no exception that is not needed', () => {
    expect(Object.keys(ALLOCATION_EXCEPTIONS).filter(name =>
      !allocations.some(({ owner }) => owner === name || fileOf(owner) === name))).toEqual([]);
  });

  it('would find each kind of allocation', () => {
    const text = `class C { m(a, ...b) { const [c] = a; for (const d of a) ({}); return [\`\${c}\`, () => 1, new C(), /x/, 1n, a.slice(1), a === 'b']; } }`;
    const planted: SourceFile =
      { name: 'planted.ts', layer: 'bytes', text,
        tree: ts.createSourceFile('planted.ts', text, ts.ScriptTarget.ES2022, true) };
    expect(allocationsIn(planted).map(({ what }) => what).sort()).toEqual([
      '.slice()', 'a BigInt', 'a closure', 'a regular expression', 'a rest parameter', 'a template', 'a text',
        'an array literal',
      'an iterator', 'an object literal', 'destructuring of an array', 'new',
    ]);
  });
});
