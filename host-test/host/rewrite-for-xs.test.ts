/** What becomes of the device bundle: the program stays the same, whatever stands around. That it does what it did is for host-test/xs. */
import { parseAst } from 'rollup/parseAst';
import { expect, test } from 'vitest';
import { inlineConstants, inlineImportedConstants } from '../../src/host/rewrite-constants.mjs';
import { inlineFunctions } from '../../src/host/rewrite-functions.mjs';
import { askForBits, assignClasses, chainFields, countFirst, declareBeforeLoops, declareLate, nestConditions, readFields, stepInLoops } from '../../src/host/rewrite-statements.mjs';

const inline = (code: string): string => inlineConstants(code, parseAst(code));
const putIn = (code: string): string => inlineFunctions(code, parseAst(code));
const read = (code: string): string => readFields(code, parseAst(code));
const nest = (code: string): string => nestConditions(code, parseAst(code));
const declare = (code: string): string => declareBeforeLoops(code, parseAst(code));
const assign = (code: string): string => assignClasses(code, parseAst(code));
const step = (code: string): string => stepInLoops(code, parseAst(code));
const count = (code: string): string => countFirst(code, parseAst(code));
const ask = (code: string): string => askForBits(code, parseAst(code));
const late = (code: string): string => declareLate(code, parseAst(code));
const chain = (code: string): string => chainFields(code, parseAst(code));

test('a whole number stands where its name stood, with the name behind it, and is no variable any more', () => {
  expect(inline('const PUBLISH = 3;\nif (type === PUBLISH) go();')).toBe('\nif (type === 3 /* PUBLISH */) go();');
});

test('constants of constants are put in too', () => {
  expect(inline('const A = 2, B = 1; const SHIFT = 28;\nconst HEADER = SHIFT << 1 | 2;\nuse(HEADER);')).toBe('const A = 2, B = 1; \n\nuse(58 /* HEADER */);');
});

test('numbers that take more than a variable share one where they are the same', () => {
  expect(inline('const NONE = -1;\nconst END = -1;\nconst HIGH = 0x8000_0000 | 0;\nuse(NONE, END, { END }, HIGH);'))
    .toBe('const NONE = -1;\n\nconst HIGH = 0x8000_0000 | 0;\nuse(NONE, NONE /* END */, { END: NONE /* END */ }, HIGH);');
});

test('a text that is short or read once, and its length, stand where its name stood', () => {
  expect(inline('const A = "text";\nconst B = "some more words that are read only once";\nconst LENGTH = A.length;\nuse(A, A, B, LENGTH);'))
    .toBe('\n\n\nuse("text" /* A */, "text" /* A */, "some more words that are read only once" /* B */, 4 /* LENGTH */);');
  const repeated = 'const B = "some more words that are read often enough";\nuse(B, B);';
  expect(inline(repeated)).toBe(repeated);
});

test('a double that is read once stands where its name stood', () => {
  expect(inline('const A = 0.5;\nuse(A);')).toBe('\nuse(0.5 /* A */);');
});

test('the name of a property stays, and a short property gets its name back', () => {
  expect(inline('const A = 1;\nuse({ A, b: A, A: 2 }, o.A, o[A]);class C { A = A; }'))
    .toBe('\nuse({ A: 1 /* A */, b: 1 /* A */, A: 2 }, o.A, o[1 /* A */]);class C { A = 1 /* A */; }');
});

test.each([
  ['negative, which is two operations on XS', 'const A = -1;\nuse(A);'],
  ['below zero when folded', 'const A = 1 - 2;\nuse(A);'],
  ['a double that is read twice', 'const A = 0.5;\nuse(A, A);'],
  ['beyond 31 bits and read twice', 'const A = 0x8000_0000;\nuse(A, A);'],
  ['no number', 'const A = NaN;\nuse(A);'],
  ['computed from a text', 'const A = "text";\nconst B = A + 1;\nuse(B, A, A, A, A, A, A, A, A, A, A, A, A, A, A, A, A, A, A, A, A, A, A, A, A, A, A, A);'],
  ['not in capitals', 'const a = 1;\nuse(a);'],
  ['exported', 'const A = 1;\nuse(A);\nexport { A as B };'],
  ['variable', 'let A = 1;\nuse(A);'],
  ['hidden by a local variable', 'const A = 1;\nfunction f(A) { return A; }'],
  ['hidden by a variable of a pattern', 'const A = 1;\nfunction f({ a: A }) { return A; }'],
  ['hidden by a block', 'const A = 1;\n{ const A = 2; use(A); }'],
  ['caught', 'const A = 1;\ntry { use(A); } catch (A) { use(A); }'],
])('a constant that is %s stays as it is', (_what, code) => {
  expect(inline(code)).toBe(code);
});

const MODULES: Readonly<Record<string, string>> = {
  './reason-code.ts': '/** Text. */\nexport const SUCCESS = 0x00;\nexport const NETWORK_CLOSED: number = 0x1_00;\nexport const UPSTREAM = -1;\nexport const LIST = 1 + 1;\nexport const f = () => 2;\n',
};
const inlineImported = (code: string): string => inlineImportedConstants(code, parseAst(code), (specifier: string) => MODULES[specifier]!);

test('constants of other modules are put in, by their names and through a namespace', () => {
  expect(inlineImported("import { SUCCESS, NETWORK_CLOSED as CLOSED, f } from './reason-code.ts';\nimport { A } from 'embedded:a';\nuse(SUCCESS, { CLOSED }, o.CLOSED, f, A);"))
    .toBe("import { SUCCESS, NETWORK_CLOSED as CLOSED, f } from './reason-code.ts';\nimport { A } from 'embedded:a';\nuse(0 /* SUCCESS */, { CLOSED: 256 /* CLOSED */ }, o.CLOSED, f, A);");
  expect(inlineImported("import * as Reason from './reason-code.ts';\nuse(Reason.SUCCESS, Reason['SUCCESS'], o.Reason.SUCCESS);"))
    .toBe("import * as Reason from './reason-code.ts';\nuse(0 /* SUCCESS */, Reason['SUCCESS'], o.Reason.SUCCESS);");
});

test.each([
  ['negative', 'use(UPSTREAM);'],
  ['not a number as it stands', 'use(LIST);'],
  ['hidden', 'function g(SUCCESS) { return SUCCESS; }'],
  ['hidden with its namespace', 'function g(Reason) { return Reason.SUCCESS; }'],
  ['exported again', 'export { SUCCESS };'],
])('a constant of another module that is %s stays', (_what, code) => {
  const text = `import { SUCCESS, UPSTREAM, LIST } from './reason-code.ts';\nimport * as Reason from './reason-code.ts';\n${code}`;
  expect(inlineImported(text)).toBe(text);
});

test('a small function stands where it was called, and nowhere else', () => {
  expect(putIn('const isDue = (moment, now) => (now - moment | 0) >= 0;\nfunction g(a) { return isDue(this.at, a) || isDue(a + 1, 5); }'))
    .toBe('\nfunction g(a) { return (/* isDue */ (a - (this.at) | 0) >= 0) || (/* isDue */ (5 - (a + 1) | 0) >= 0); }');
  expect(putIn('function twice(x) { return { x, y: x }; }\nuse(twice(a));')).toBe('\nuse((/* twice */ { x: a, y: a }));');
});

test('functions of functions are put in one after the other', () => {
  const code = 'const f = x => x + 1;\nconst g = x => f(x) * 2;\nuse(g(a));';
  expect(putIn(code)).toBe('\nconst g = x => (/* f */ x + 1) * 2;\nuse(g(a));');
  expect(putIn(putIn(code))).toBe('\n\nuse((/* g */ (/* f */ a + 1) * 2));');
});

test.each([
  ['calls something', 'const f = x => g(x);\nuse(f(a));'],
  ['changes something', 'const f = x => ++x.y;\nuse(f(a));'],
  ['makes a function', 'const f = x => () => x;\nuse(f(a));'],
  ['is exported', 'const f = x => x + 1;\nuse(f(a));\nexport { f };'],
  ['is not only called', 'const f = x => x + 1;\nuse(f(a), f);'],
  ['is hidden', 'const f = x => x + 1;\nfunction g(f) { return f(1); }'],
  ['mentions a variable that is hidden', 'const f = x => x + y;\nfunction g(y) { return f(y); }\nlet y;'],
  ['gets another number of values', 'const f = (x, y) => x + y;\nuse(f(a));'],
  ['gets a value with effects', 'const f = x => x + 1;\nuse(f(g()));'],
  ['gets more than a variable for what it reads twice', 'const f = x => x * x;\nuse(f(a.b));'],
  ['has a default value', 'const f = (x = 1) => x;\nuse(f(a));'],
  ['takes its argument apart', 'const f = ({ x }) => x;\nuse(f(a));'],
  ['has more than an expression', 'function f(x) { g(); return x; }\nuse(f(a));'],
  ['is large and used twice', 'const f = (x, y) => x + y * x + y * x + y * x + y * x;\nuse(f(a, b), f(b, a));'],
])('a function that %s stays', (_what, code) => {
  expect(putIn(code)).toBe(code);
});

test('an object that is a variable or a field is not taken apart', () => {
  expect(read('function f(x) { const { a, b: c } = this, { d } = x.y; }')).toBe('function f(x) { const a = this.a, c = this.b, d = x.y.d; }');
});

test.each([
  ['made by a call', 'const { a, b } = f();'],
  ['behind a getter', 'class C { get x() { return f(); } g() { const { a, b } = this.x; } }'],
  ['found by a computed name', 'const { a } = o[0];'],
  ['far away, for many fields', 'const { a, b, c } = this.x.y;'],
])('an object %s is taken apart', (_what, code) => {
  expect(read(code)).toBe(code);
});

test.each([
  ['a default value', 'const { a = 1 } = this;'],
  ['a rest', 'const { a, ...rest } = this;'],
  ['a pattern within', 'const { a: { b } } = this;'],
  ['a computed name', 'const { [a]: b } = this;'],
])('a pattern with %s stays', (_what, code) => {
  expect(read(code)).toBe(code);
});

test('conditions that all have to hold are asked one after the other', () => {
  expect(nest('if (a && b || c) f(); if (a && (b || c) && d) f(); else if (x) { if ((a || b) && (c)) g(); }'))
    .toBe('if (a && b || c) f(); if (a && (b || c) && d) f(); else if (x) { if ((a || b) ) if ( (c)) g(); }');
  expect(nest('if (a && (b && c) && d) f();')).toBe('if (a ) if ( (b && c) ) if ( d) f();');
  expect(nest('if (a /* && */ && b) f();')).toBe('if (a /* && */ ) if ( b) f();');
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

test('a loop makes its step as a statement', () => {
  expect(step('for (; i < 2; ++i) { f(i); for (; j < 2; i += 2, ++j) g(); }')).toBe('while (i < 2) { f(i); while (j < 2) { g(); i += 2; ++j; } ++i; }');
  expect(step('for (; a; ++i) { while (b) continue; }')).toBe('while (a) { while (b) continue; ++i; }');
});

test.each([
  ['is gone on with', 'for (; i < 2; ++i) { if (f(i)) continue; g(); }'],
  ['is gone on with by its label', 'a: for (; i < 2; ++i) { while (f(i)) continue a; g(); }'],
  ['declares what its step mentions', 'for (; i < 2; i += j) { const j = f(); g(j); }'],
  ['declares its variable', 'for (let i = 0; i < 2; ++i) f(i);'],
  ['makes no step', 'for (; i < 2;) f(i);'],
  ['does not end', 'for (;; ++i) f(i);'],
])('a loop that %s stays as it is', (_what, code) => {
  expect(step(code)).toBe(code);
});

test('an index is counted up before it is read', () => {
  expect(count('a[i++] = b[j++];')).toBe('a[++i - 1] = b[++j - 1];');
  for (const code of ['a[i--];', 'a[++i];', 'f(i++);', 'a[o.i++];', 'a[i++ + 1];'])
    expect(count(code)).toBe(code);
  const values = [5, 6, 7];
  let before = 1, after = 1;
  expect([values[before++], before]).toEqual([values[++after - 1], after]);
});

test('a condition asks for bits, not for their number', () => {
  expect(ask('if ((a & 4) !== 0 && !((b >> 2) === 0) || c) f();')).toBe('if ((a & 4) && !(!(b >> 2)) || c) f();');
  expect(ask('while (view.getUint16(at) === 0) at += (a | b) === 0 ? 1 : 2;')).toBe('while (!(view.getUint16(at))) at += !(a | b) ? 1 : 2;');
});

test.each([
  ['may be no number', 'if (a === 0) f();'],
  ['is another one', 'if ((a & 4) === 4) f();'],
  ['is a double', 'if (view.getFloat64(0) === 0) f();'],
  ['is not asked for but kept', 'const b = (a & 4) !== 0;'],
])('what %s stays', (_what, code) => {
  expect(ask(code)).toBe(code);
});

test('variables that come after a return are declared after it', () => {
  expect(late('function f(a) { if (a) return 1; const b = g(); return b; }')).toBe('function f(a) { if (a) return 1; {const b = g(); return b; } }'.replace('{const', '{ const'));
  expect(late('class A { m(a) { const b = a; if (a) { h(); throw b; } else i(); if (b) { return; } let c; k(c); } }'))
    .toBe('class A { m(a) { const b = a; if (a) { h(); throw b; } else i(); if (b) { return; } { let c; k(c); } } }');
});

test.each([
  ['no return before', 'function f(a) { if (a) g(); const b = g(); return b; }'],
  ['nothing declared after', 'function f(a) { const b = g(); if (a) return; h(b); }'],
  ['a function before that may mention them', 'function f(a) { const h = () => b; if (a) return 1; const b = g(); return h; }'],
  ['a function declared', 'function f(a) { if (a) return 1; const b = g(); return h; function h() { return b; } }'],
])('with %s they stay', (_what, code) => {
  expect(late(code)).toBe(code);
});

test('fields that are set to the same value one after the other are set by one statement, in the same order', () => {
  expect(chain('class C { constructor() { this.a = 0; this.b = 0; this.c = -1; this.d = -1; this.e = f(); this.g = f(); } }'))
    .toBe('class C { constructor() { this.b = this.a = 0; this.d = this.c = -1; this.e = f(); this.g = f(); } }');
});

test('a field that is changed meanwhile, or is another object\'s, is not', () => {
  for (const code of ['{ this.a = 0; f(); this.b = 0; }', '{ this.a = 0; o.b = 0; }', '{ this.a = 0; this.b += 0; }', '{ this.a = x; this.b = x; }'])
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
