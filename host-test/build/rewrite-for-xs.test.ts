/**
 * What becomes of the device bundle: the program stays the same, whatever stands around. That it does what it did is
 * for host-test/xs.
 */
import { readFileSync } from 'node:fs';
import { parseAst } from 'rollup/parseAst';
import { expect, test } from 'vitest';
import { assignClasses, chainFields, declareBeforeLoops, declareLate, nestConditions, readFields, rewrite,
  sayUndefined } from '../../src/build/rewrite-for-xs.mjs';

const read = (code: string): string => readFields(code, parseAst(code));
const nest = (code: string): string => nestConditions(code, parseAst(code));
const declare = (code: string): string => declareBeforeLoops(code, parseAst(code));
const late = (code: string): string => declareLate(code, parseAst(code));
const chain = (code: string): string => chainFields(code, parseAst(code));
const assign = (code: string): string => assignClasses(code, parseAst(code));

test('an object that is a variable or a field is not taken apart', () => {
  expect(read('function f(x) { const { a, b: c } = this, { d } = x.y; }')).toBe('function f(x) { const a = this.a, c = this.b, d = x.y.d; }');
});

test('nor is an object within it, whatever else the pattern names', () => {
  expect(read('const { a, b: { c, d: { e } } } = this.x;'))
    .toBe('const a = this.x.a, c = this.x.b.c, e = this.x.b.d.e;');
});

test.each([
  ['made by a call', 'const { a, b } = f();'],
  ['behind a getter', 'class C { get x() { return f(); } g() { const { a, b } = this.x; } }'],
  ['found by a computed name', 'const { a } = o[0];'],
  ['behind a getter, within another', 'class C { get x() { return f(); } g() { const { x: { a, b } } = this; } }'],
  ['far away, for many fields', 'const { a, b, c, d } = this.x.y;'],
])('an object %s is taken apart', (_what, code) => {
  expect(read(code)).toBe(code);
});

test.each([
  ['a default value', 'const { a = 1 } = this;'],
  ['a rest', 'const { a, ...rest } = this;'],
  ['a default value within', 'const { a: { b = 1 } } = this;'],
  ['nothing', 'const { } = this;'],
  ['a computed name', 'const { [a]: b } = this;'],
])('a pattern with %s stays', (_what, code) => {
  expect(read(code)).toBe(code);
});

test('of the device bundle only what a call or an index gives is taken apart: no getter has the name of a field in such a path', () => {
  const code = readFileSync(new URL('../../dist/device/core.js', import.meta.url), 'utf8');
  const pattern = /(?<=(?:const|let|,) )\{[^{}()=]*\} = (?:this|[a-z]\w*)(?:\.\w+)*(?=[,;])/g;
  expect('const {a, b} = this.x.y, {c} = z;'.match(pattern)).toEqual(['{a, b} = this.x.y', '{c} = z']);
  expect(code.match(pattern)).toBeNull();
});

test('conditions that all have to hold are asked one after the other', () => {
  expect(nest('if (a && b || c) f(); if (a && (b || c) && d) f(); else if (x) { if ((a || b) && (c)) g(); }'))
    .toBe('if (a && b || c) f(); if (a && (b || c) && d) f(); else if (x) { if ((a || b) ) if ( (c)) g(); }');
  expect(nest('if (a && (b && c) && d) f();')).toBe('if (a ) if ( (b && c) ) if ( d) f();');
});

test.each([
  ['with an else', 'if (a && b) f(); else g();'],
  ['whose parts stand in parentheses', 'if (!(a && b)) f();'],
])('a condition %s stays', (_what, code) => {
  expect(nest(code)).toBe(code);
});

test('the variables of a loop are declared before it, in their own block', () => {
  expect(declare('if (a) for (let i = 0, n = 2; i < n; ++i) for (let j = 0; j < i; ++j) f(j); else g();'))
    .toBe('if (a) { let i = 0, n = 2; for (; i < n; ++i) { let j = 0; for (; j < i; ++j) f(j); } } else g();');
});

test.each([
  ['makes functions', 'for (let i = 0; i < 2; ++i) f(() => i);'],
  ['goes over a list', 'for (const a of b) f(a);'],
  ['has a label', 'again: for (let i = 0; i < 2; ++i) continue again;'],
  ['declares nothing', 'for (; i < 2; ++i) f(i);'],
])('a loop that %s stays', (_what, code) => {
  expect(declare(code)).toBe(code);
});

test('variables that come after a return are declared after it', () => {
  expect(late('function f(a) { if (a) return 1; const b = g(); return b; }')).toBe('function f(a) { if (a) return 1; {const b = g(); return b; } }'.replace('{const', '{ const'));
  expect(late('class A { m(a) { const b = a; if (a) { h(); throw b; } else i(); if (b) { return; } let c; k(c); } }'))
    .toBe('class A { m(a) { const b = a; if (a) { h(); throw b; } else i(); if (b) { return; } { let c; k(c); } } }');
});

test.each([
  ['no return before', 'function f(a) { if (a) g(); const b = g(); return b; }'],
  ['nothing declared after', 'function f(a) { const b = g(); if (a) return; h(b); }'],
  ['a function before that may mention them',
    'function f(a) { const h = () => b; if (a) return 1; const b = g(); return h; }'],
  ['a function declared', 'function f(a) { if (a) return 1; const b = g(); return h; function h() { return b; } }'],
])('with %s they stay', (_what, code) => {
  expect(late(code)).toBe(code);
});

test('fields that are set to the same value one after the other are set by one statement, in the same order', () => {
  expect(chain('class C { constructor() { this.a = 0; this.b = 0; this.c = -1; this.d = -1; this.e = f(); this.g = f(); } }'))
    .toBe('class C { constructor() { this.b = this.a = 0; this.d = this.c = -1; this.e = f(); this.g = f(); } }');
});

test('a field that is changed meanwhile, or is another object\'s, is not', () => {
  for (const code of ['{ this.a = 0; f(); this.b = 0; }', '{ this.a = 0; o.b = 0; }', '{ this.a = 0; this.b += 0; }',
    '{ this.a = x; this.b = x; }'])
    expect(chain(code)).toBe(code);
});

test('a class of the module is a constant that has its name', () => {
  expect(assign('class A { m() { return new A(); } }\nclass B extends A {}\n(0, use)(B);\nexport { A };'))
    .toBe('const A = class { m() { return new A(); } };\nconst B = class extends A {};\n(0, use)(B);\nexport { A };');
  expect((new Function(`${assign('class A {}')} return A.name;`) as () => string)()).toBe('A');
});

test.each([
  ['in a block', '{ class A {} }'],
  ['that is exported where it stands', 'export class A {}'],
])('a class %s stays', (_what, code) => {
  expect(assign(code)).toBe(code);
});

test('what is undefined says so', () => {
  const code = 'if (a === void 0) f(void 0, void g(), "void 0");';
  expect(sayUndefined(code, parseAst(code))).toBe('if (a === undefined) f(undefined, void g(), "void 0");');
});

test('all together: constants stand where they are read, names and exports stay, and no function is made while another one runs', async () => {
  const code = [
    'const LIMIT = 3;',
    'class Counter { count = 0; total = 0; constructor() { this.count = 0; this.total = 0; }',
    '  add(n) { const { count } = this; if (count > LIMIT && n > 0) this.total = sumOf(count, n); } }',
    'function sumOf(first, second) { let sum = first; for (let at = 0; at < second; ++at) sum += at; return () => sum; }',
    'export { Counter };',
  ].join('\n');
  const rewritten = await rewrite(code, parseAst);
  expect(rewritten).toContain('const Counter = class');
  expect(rewritten).toContain('this.total = this.count = 0');
  expect(rewritten).toMatch(/if \(count > 3 ?\) if \( ?n > 0\)/);
  expect(rewritten).toMatch(/^function sumOf\(/m);
  expect(rewritten).toMatch(/export \{ ?Counter ?\}/);
  expect(rewritten).not.toContain('LIMIT');
});
