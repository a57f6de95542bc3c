/** Functions that are called once, where they are called: the program does what it did, which is tried. That a board does is for host-test/xs. */
import { parseAst } from 'rollup/parseAst';
import { expect, test } from 'vitest';
import { inlineCalledOnce, privateMethodsOf } from '../../src/host/rewrite-calls.mjs';

const FIELDS = new Set(['changed']);
const move = (code: string, ...methods: string[]): string =>
  inlineCalledOnce(code, parseAst(code), { fields: FIELDS, privateMethods: new Set(methods) });

/** What `main(…)` of a program returns for some arguments, or throws. */
const run = (code: string, values: unknown[]): unknown => {
  const main = new Function(`${code}\nreturn main;`) as () => (...values: unknown[]) => unknown;
  try {
    return main()(...structuredClone(values));
  } catch (error) {
    return String(error);
  }
};

/** A program whose function f is called once, in another one, and what is passed to `main`. */
const PROGRAMS: [what: string, code: string, values: unknown[][]][] = [
  ['as a statement', 'const log = [];\nfunction f(a, b) { const c = a + b; log.push(c); }\nfunction main(a) { f(a, 2); log.push(a); return log; }', [[1], ['x']]],
  ['with returns on its way', 'const log = [];\nfunction f(a) { if (a > 2) return; for (let i = 0; i < 5; ++i) { if (i === a) return; log.push(i); } }\nfunction main(a) { f(a); log.push("end"); return log; }', [[0], [2], [3]]],
  ['at the end, with returns on its way', 'const log = [];\nfunction f(a) { if (a > 2) return; log.push(a); }\nfunction main(a) { if (a) { log.push(0); f(a); } else log.push(1); }\nconst run = main;\nmain = a => { run(a); return log; };', [[1], [3], [0]]],
  ['for its value, at the end', 'function f(a) { if (a > 2) return 3; a += 1; return a; }\nfunction main(a) { a *= 2; return f(a); }', [[1], [2], [0]]],
  ['for its value, which may be none', 'function f(a) { if (a > 2) return 3; }\nfunction main(a) { if (a < 5) return f(a); return 7; }', [[1], [4], [6]]],
  ['for its value, in a declaration', 'function f(a) { const b = a * 2; return b + a; }\nfunction main(a) { const b = f(a); return b * b; }', [[1], [4]]],
  ['for its value, in a condition', 'function f(a) { const b = a * 2; return b > 4; }\nfunction main(a) { if (!f(a)) return 1; return 2; }', [[1], [4]]],
  ['for one of its values, in a condition', 'function f(a) { if (a === 1) return true; for (let i = 0; i < 3; ++i) if (i * i === a) return true; return false; }\nfunction main(a) { const b = 5; if (f(a)) return b; return a; }', [[1], [4], [9]]],
  ['with names that the caller has', 'function f(a, b) { const c = a - b; if (c) { const a = c * 2; b += a; } return { a, b, c }; }\nfunction main(b, a) { const c = f(a, b); return [a, b, c]; }', [[1, 5]]],
  ['with values that change', 'function f(a, b) { a += b; return a * b; }\nfunction main(a, b) { const c = f(b, a++) + a; return [a, b, c]; }', [[1, 5]]],
  ['with the same variable twice', 'function f(a, b) { a += 1; return a * b; }\nfunction main(a) { return f(a, a); }', [[3]]],
  ['in a loop', 'function f(a, b) { let c = a; while (c < b) { if (c === 7) return c; c += 2; } return -c; }\nfunction main(a) { let sum = 0; for (let i = 0; i < a; ++i) { const c = f(i, 9); sum += c; } return sum; }', [[3], [10]]],
  ['in a switch', 'function f(a) { const b = a + 1; return b * b; }\nfunction main(a) { switch (a) { case 1: return f(a); case 2: { const b = 9; return b; } default: return 0; } }', [[1], [2], [3]]],
];

test.each(PROGRAMS)('a function that is called once, %s, stands where it was called', (_what, code, values) => {
  const moved = move(code);
  expect(moved).not.toMatch(/function f/);
  for (const list of values)
    expect(run(moved, list)).toEqual(run(code, list));
});

test('a private method stands where its object calls it', () => {
  const code = 'class A { n = 2; g(a) { return this.h(a + 1) * 2; } h(b) { const c = b * this.n; return c; } }\nconst main = a => new A().g(a);';
  expect(move(code, 'h')).not.toContain('h(');
  expect(run(move(code, 'h'), [4])).toBe(20);
  expect(run(code, [4])).toBe(20);
});

test('functions of functions take a round each', () => {
  const code = 'function f(a) { const b = g(a); return b + 1; }\nfunction g(a) { const b = a * 2; return b; }\nfunction main(a) { const c = f(a); return c; }';
  const once = move(code), twice = move(once);
  expect(twice).not.toMatch(/function [fg]/);
  expect([run(once, [3]), run(twice, [3])]).toEqual([7, 7]);
});

test.each([
  ['called twice', 'function f(a) { g(a); return 1; }\nfunction main(a) { f(a); f(a); }'],
  ['not only called', 'function f(a) { g(a); return 1; }\nfunction main(a) { f(a); return f; }'],
  ['exported', 'function f(a) { g(a); }\nfunction main(a) { f(a); }\nexport { f };'],
  ['called by itself', 'function f(a) { if (a) f(a - 1); }'],
  ['called by the module', 'function f(a) { g(a); return 1; }\nconst b = f(1);'],
  ['called with fewer values', 'function f(a, b) { g(a); }\nfunction main(a) { f(a); }'],
  ['called with a list', 'function f(a) { g(a); }\nfunction main(a) { f(...a); }'],
  ['called perhaps', 'function f(a) { g(a); return 1; }\nfunction main(a) { return a && f(a); }'],
  ['called after something else', 'function f(a) { g(a); return 1; }\nfunction main(a) { const b = g(2) + f(a); return b; }'],
  ['called after what it might change', 'function f(a) { g(a); return 1; }\nfunction main(a) { const b = a.changed + f(a); return b; }'],
  ['called by a condition of a loop', 'function f(a) { g(a); return 1; }\nfunction main(a) { while (f(a)) g(a); }'],
  ['without a name for its values', 'function f({ a }) { g(a); }\nfunction main(a) { f(a); }'],
  ['with a value by default', 'function f(a = 1) { g(a); }\nfunction main(a) { f(a); }'],
  ['that counts its values', 'function f(a) { g(arguments.length, a); }\nfunction main(a) { f(a); }'],
  ['that mentions what its caller hides', 'const b = 1;\nfunction f(a) { g(a, b); }\nfunction main(b) { f(b); }'],
  ['that waits', 'async function f(a) { g(a); }\nfunction main(a) { f(a); }'],
])('a function %s stays', (_what, code) => {
  expect(move(code)).toBe(code);
});

test.each([
  ['not private', 'class A { g() { this.h(); } h() { k(); } }', ''],
  ['of two classes', 'class A { g() { this.h(); } h() { k(); } }\nclass B { h() { k(); } }', 'h'],
  ['of another object', 'class A { g(other) { other.h(); } h() { k(); } }', 'h'],
  ['called within a function that has its own object', 'class A { g() { return function () { this.h(); }; } h() { k(); } }', 'h'],
  ['not called', 'class A { g() { return this.h; } h() { k(); } }', 'h'],
  ['of the class itself', 'class A { static h() { k(); } static g() { this.h(); } }', 'h'],
  ['that reads its parent\'s', 'class A extends B { g() { this.h(); } h() { super.h2(); } }', 'h'],
])('a method that is %s stays', (_what, code, name) => {
  expect(move(code, name)).toBe(code);
});

test('private methods are those that TypeScript knows as such', () => {
  expect(privateMethodsOf('class A {\n  private f(a: number): void {}\n  private readonly b = 1;\n  g(): void {}\n  private constructor(a: number) {}\n}')).toEqual(['f', 'constructor']);
});
