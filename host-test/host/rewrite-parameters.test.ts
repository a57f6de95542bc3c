/** Parameters in the device bundle: a function gets the same, and does the same with it. */
import { parseAst } from 'rollup/parseAst';
import { expect, test } from 'vitest';
import { nameParameters, passArguments } from '../../src/host/rewrite-functions.mjs';

const named = (code: string): string => nameParameters(code, parseAst(code), { fields: new Set(['changed']) });
const pass = (code: string): string => passArguments(code, parseAst(code));

test('an object that is passed is not taken apart, its fields are read at the beginning', () => {
  expect(named('function f({ a, b: c }, d) { return a + c + d; }')).toBe('function f(given$1, d) { const a = given$1.a, c = given$1.b; return a + c + d; }');
  expect(named('class A { m({ a }) { ++a; return { a }; } }')).toBe('class A { m(given$1) { let a = given$1.a; ++a; return { a }; } }');
});

test('or where they are read, if that is an expression', () => {
  expect(named('const f = ({ a, b: c }) => ({ a, c: c + 1 });')).toBe('const f = (given$1) => ({ a: given$1.a, c: given$1.b + 1 });');
  expect(named('list.map(({ a }, given$1) => a + given$1);')).toBe('list.map((given$2, given$1) => given$2.a + given$1);');
});

test.each([
  ['a value by default', 'function f({ a = 1 }) { return a; }'],
  ['another one by default', 'function f({ a }, b = a) { return b; }'],
  ['a rest', 'function f({ a, ...rest }) { return rest; }'],
  ['a list', 'function f([a]) { return a; }'],
  ['a field that is assigned to somewhere, in an expression', 'const f = ({ changed }) => g(changed);'],
  ['a field that is read twice, in an expression', 'const f = ({ a }) => a + a;'],
  ['a function that reads it later', 'const f = ({ a }) => () => a;'],
])('a parameter with %s stays', (_what, code) => {
  expect(named(code)).toBe(code);
});

test('a class passes to its parent what that names', () => {
  const code = 'class A { constructor(a, b) { this.a = a + b; } }\nclass B extends A {}\nclass C extends B { constructor() { super(...arguments); this.c = 1; } }\nclass D extends C { constructor() { super(...arguments); this.d = 1; } }';
  const passed = pass(code);
  expect(passed).toBe('class A { constructor(a, b) { this.a = a + b; } }\nclass B extends A {}\nclass C extends B { constructor(a, b) { super(a, b); this.c = 1; } }\nclass D extends C { constructor(a, b) { super(a, b); this.d = 1; } }');
  for (const text of [code, passed])
    expect({ ...(new Function(`${text}\nreturn new D(1, 2);`) as () => object)() }).toEqual({ a: 3, c: 1, d: 1 });
  expect(pass('class A {}\nclass B extends A { constructor() { super(...arguments); } }')).toBe('class A {}\nclass B extends A { constructor() { super(); } }');
});

test.each([
  ['is not of the module', 'class B extends Error { constructor() { super(...arguments); } }'],
  ['takes its parameters apart', 'class A { constructor({ a }) { this.a = a; } }\nclass B extends A { constructor() { super(...arguments); } }'],
  ['takes any number', 'class A { constructor(...all) { this.a = all; } }\nclass B extends A { constructor() { super(...arguments); } }'],
])('a class whose parent %s passes all', (_what, code) => {
  expect(pass(code)).toBe(code);
});
