/** What the device bundle's constants become: the program stays the same, whatever stands around a name. */
import { parseAst } from 'rollup/parseAst';
import { expect, test } from 'vitest';
import { inlineConstants } from '../inline-constants.mjs';

const inline = (code: string): string => inlineConstants(code, parseAst(code));

test('a whole number stands where its name stood, with the name behind it, and is no variable any more', () => {
  expect(inline('const PUBLISH = 3;\nif (type === PUBLISH) go();')).toBe('\nif (type === 3 /* PUBLISH */) go();');
});

test('constants of constants are put in too', () => {
  expect(inline('const A = 2, B = 1; const SHIFT = 28;\nconst HEADER = SHIFT << 1 | 2;\nuse(HEADER);')).toBe('const A = 2, B = 1; \n\nuse(58 /* HEADER */);');
});

test('the name of a property stays, and a short property gets its name back', () => {
  expect(inline('const A = 1;\nuse({ A, b: A, A: 2 }, o.A, o[A]);class C { A = A; }'))
    .toBe('\nuse({ A: 1 /* A */, b: 1 /* A */, A: 2 }, o.A, o[1 /* A */]);class C { A = 1 /* A */; }');
});

test.each([
  ['negative, which is two operations on XS', 'const A = -1;\nuse(A);'],
  ['below zero when folded', 'const A = 1 - 2;\nuse(A);'],
  ['a double', 'const A = 0.5;\nuse(A);'],
  ['beyond 31 bits', 'const A = 0x8000_0000;\nuse(A);'],
  ['a text', 'const A = "text";\nuse(A);'],
  ['not in capitals', 'const a = 1;\nuse(a);'],
  ['exported', 'const A = 1;\nuse(A);\nexport { A as B };'],
  ['variable', 'let A = 1;\nuse(A);'],
  ['hidden by a local variable', 'const A = 1;\nfunction f(A) { return A; }'],
  ['hidden by a variable of a pattern', 'const A = 1;\nfunction f({ a: A }) { return A; }'],
  ['hidden by a block', 'const A = 1;\n{ const A = 2; use(A); }'],
  ['caught', 'const A = 1;\ntry { use(A); } catch (A) { use(A); }'],
])('what is %s stays as it is', (_what, code) => {
  expect(inline(code)).toBe(code);
});
