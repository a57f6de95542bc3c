/** Local constants without a variable: the program does what it did, in the same order. */
import { parseAst } from 'rollup/parseAst';
import { expect, test } from 'vitest';
import { varyingFields } from '../../src/host/evaluation.mjs';
import { readAtOnce, repeatFields, shareVariables, splitDeclarations } from '../../src/host/rewrite-locals.mjs';

const FIELDS = new Set(['changed']);
const repeat = (code: string): string => repeatFields(code, parseAst(code), { fields: FIELDS });
const atOnce = (code: string): string => readAtOnce(code, parseAst(code), { fields: FIELDS });

const share = (code: string): string => shareVariables(code, parseAst(code));

test('declarations of more than one variable are taken apart', () => {
  const code = 'function f() { const a = 1, b = [2, 3], c = g(a, b); for (let i = 0, n = 2; i < n; ++i) g(i); }';
  expect(splitDeclarations(code, parseAst(code))).toBe('function f() { const a = 1; const b = [2, 3]; const c = g(a, b); for (let i = 0, n = 2; i < n; ++i) g(i); }');
});

test('a field that is read a few times is read where its constant was', () => {
  expect(repeat('function f() { const a = this.a; g(a); return { a, b: a }; }')).toBe('function f() {  g(this.a); return { a: this.a, b: this.a }; }');
  expect(repeat('function f(p) { const a = p.a; g(a, a); }')).toBe('function f(p) {  g(p.a, p.a); }');
  expect(repeat('function f() { const a = this.b.a; g(a, a); }')).toBe('function f() {  g(this.b.a, this.b.a); }');
});

test.each([
  ['assigned to somewhere', 'function f() { const a = this.changed; g(a); }'],
  ['read often', 'function f() { const a = this.a; g(a, a, a, a, a, a); }'],
  ['read often, and not of this', 'function f(p) { const a = p.a; g(a, a, a, a); }'],
  ['deep and read often', 'function f() { const a = this.b.a; g(a, a, a); }'],
  ['found by a name', 'function f(p) { const a = p[0]; g(a); }'],
  ['read in a loop', 'function f() { const a = this.a; while (g()) h(a); }'],
  ['read by a function later', 'function f() { const a = this.a; return () => a; }'],
  ['called, so that it would get another object', 'function f() { const a = this.a; return a(); }'],
  ['of a constructor, which sets it', 'class A { constructor() { const a = this.a; g(a); } }'],
  ['of a variable that changes', 'function f(p) { const a = p.a; p = g(); return a; }'],
  ['of a variable that is hidden', 'function f(p) { const a = p.a; { const p = g(); return a; } }'],
  ['the length of something', 'function f(p) { const length = p.changed.length; g(length); }'],
])('a field that is %s keeps its constant', (_what, code) => {
  expect(repeat(code)).toBe(code);
});

test('a constant that is variable stays', () => {
  const code = 'function f() { let a = this.a; ++a; g(a); }';
  expect(repeat(code)).toBe(code);
});

test('a constant that the next statement reads first is its value', () => {
  expect(atOnce('function f() { const a = g(); if (a === 0) h(); }')).toBe('function f() {  if (g() === 0) h(); }');
  expect(atOnce('function f(p) { const a = p || g(); return h(p, 1, a); }')).toBe('function f(p) {  return h(p, 1, (p || g())); }');
  expect(atOnce('function f() { const a = g(); this.a = a; }')).toBe('function f() {  this.a = g(); }');
  expect(atOnce('function f() { const a = g() + 1; const b = a; return b * b; }')).toBe('function f() {  const b = g() + 1; return b * b; }');
});

test.each([
  ['later', 'function f() { const a = g(); h(); return a; }'],
  ['twice', 'function f() { const a = g(); return a + a; }'],
  ['after something else', 'function f() { const a = g(); return h() + a; }'],
  ['after what may be changed', 'function f(p) { const a = g(); return p.changed + a; }'],
  ['after a variable that changes', 'function f(p) { const a = p++; return p + a; }'],
  ['perhaps', 'function f(p) { const a = g(); return p && a; }'],
  ['in a loop', 'function f() { const a = g(); while (a) h(); }'],
  ['by a function', 'function f() { const a = g(); return () => a; }'],
  ['as a function', 'function f(p) { const a = p.g; return a(); }'],
  ['in a block', 'function f(p) { const a = p + 1; { const p = h(a); return p * p; } }'],
  ['and added to', 'function f() { const a = g(); this.b += a; }'],
])('a constant that is read %s stays', (_what, code) => {
  expect(atOnce(code)).toBe(code);
});

test('a variable that nobody reads any more takes the next value', () => {
  expect(share('function f(a, b) { const c = a + 1; return g(b, { c }); }')).toBe('function f(a, b) { /* c */ a = a + 1; return g(b, { c: a }); }');
  expect(share('function f() { const a = g(); h(a); { const b = (1 + i()); h(b, this.b); } }')).toBe('function f() { let a = g(); h(a); { /* b */ a = (1 + i()); h(a, this.b); } }');
  expect(share('function f() { while (g()) { const a = h(); i(a); const b = h(); i(b); } }')).toBe('function f() { while (g()) { let a = h(); i(a); /* b */ a = h(); i(a); } }');
  expect(share('function f(a) { g(a); while (h()) { const b = i(); g(b); } }')).toBe('function f(a) { g(a); while (h()) { /* b */ a = i(); g(a); } }');
});

test.each([
  ['is read later', 'function f(a) { const b = g(); return h(a, b); }'],
  ['is read in the next round', 'function f(a) { while (g(a)) { const b = h(); i(b); } }'],
  ['is read in the next round, before', 'function f() { const a = g(); while (h()) { i(a); const b = h(); i(b); } }'],
  ['is not visible there', 'function f() { { const a = g(); h(a); } const b = g(); h(b); }'],
  ['is kept by a function', 'function f(a) { g(() => a); const b = g(); return b; }'],
  ['has a name that is declared twice', 'function f() { const a = g(); h(a); { const a = i(); h(a); } const b = g(); { const b = g(); h(b); } }'],
  ['comes from no plain name', 'function f({ a }) { g(a); const b = h(); return b; }'],
])('a variable that %s stays', (_what, code) => {
  expect(share(code)).toBe(code);
});

test('fields vary that somebody assigns to, getters compute, or the language changes', () => {
  const code = 'class A { constructor(p) { this.a = p; p.b = 1; this.n.m = 2; const f = () => { this.l = 1; }; } set() { this.c = 2; ++this.d; [this.e] = g(); for (this.h of g()); } get i() { return 1; } }\no.k += 1;';
  expect([...varyingFields(parseAst(code))].sort()).toEqual(['b', 'byteLength', 'c', 'd', 'e', 'h', 'i', 'k', 'l', 'lastIndex', 'length', 'm', 'size']);
});
