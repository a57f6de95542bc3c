/**
 * Rewrites the device bundle into what XS's compiler, which does not optimise, makes less of: fewer bytes and fewer steps
 * for the same program. The sources stay as people write them.
 *
 * It knows the order of the rewritings. What XS 13 and 17 make of a construct (`xsc -e`, host-test/xs) the files that it imports
 * know. Each function takes a module's text and its syntax tree (ESTree, with `start` and `end`) and returns the new text.
 */
import { readFileSync } from 'node:fs';
import { dirname, relative, resolve } from 'node:path';
import { varyingFields } from './evaluation.mjs';
import { inlineCalledOnce, privateMethodsOf } from './rewrite-calls.mjs';
import { inlineConstants, inlineImportedConstants } from './rewrite-constants.mjs';
import { inlineFunctions, nameParameters, passArguments } from './rewrite-functions.mjs';
import { readAtOnce, repeatFields, shareVariables, splitDeclarations } from './rewrite-locals.mjs';
import { askForBits, assignClasses, chainFields, countFirst, declareBeforeLoops, declareLate, nestConditions, readFields, stepInLoops } from './rewrite-statements.mjs';

/**
 * All rewritings, each until there is nothing left of its kind where one makes room for another.
 * @param {string} code of a module
 * @param {(code: string) => object} parse gives its syntax tree
 * @param {{ fields: Set<string>, privateMethods: Set<string> }} program names of the fields that any module of the program assigns to, of private methods
 */
export function rewrite(code, parse, program) {
  let text = code;
  const apply = (...rewritings) => { text = rewritings.reduce((before, rewriting) => rewriting(before, parse(before), program), text); };
  const repeat = rewriting => {
    for (let before = ''; before !== text;) {
      before = text;
      apply(rewriting);
    }
  };
  apply(inlineConstants, passArguments, nameParameters);
  repeat(inlineFunctions);
  apply(readFields, splitDeclarations);
  [inlineCalledOnce, repeatFields, readAtOnce, shareVariables].forEach(repeat);
  apply(askForBits, nestConditions, declareBeforeLoops, stepInLoops, countFirst, declareLate, chainFields, assignClasses);
  return text;
}

/** Begins the part of each module in the bundle with a line that tells its path: what the bundle is made of (npm run size). */
function nameModules(code, modules) {
  let text = '', rest = code;
  for (const [id, { code: part }] of Object.entries(modules)) {
    const at = part ? rest.indexOf(part) : -1;
    if (at < 0)
      continue;
    text += `${rest.slice(0, at)}// ${relative('', id)}\n${part}`;
    rest = rest.slice(at + part.length);
  }
  return text + rest;
}

/** The rollup plugin. It sees all modules before it sees the first chunk. */
export function rewritingForXS() {
  const fields = new Set(), privateMethods = new Set();
  return {
    name: 'rewrite-for-xs',
    transform(code, id) {
      const readModule = specifier => readFileSync(resolve(dirname(id), specifier), 'utf8');
      for (const name of varyingFields(this.parse(code)))
        fields.add(name);
      for (const name of privateMethodsOf(readFileSync(id, 'utf8')))
        privateMethods.add(name);
      return { code: inlineImportedConstants(code, this.parse(code), readModule), map: null };
    },
    renderChunk(code, { modules }) {
      return { code: rewrite(nameModules(code, modules), text => this.parse(text), { fields, privateMethods }), map: null };
    },
  };
}
