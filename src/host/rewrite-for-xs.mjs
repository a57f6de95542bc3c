/**
 * Rewrites the device bundle into what XS's compiler, which does not optimise, makes less of: fewer bytes and fewer steps
 * for the same program. The sources stay as people write them.
 *
 * It knows the order of the rewritings. What XS 13 and 17 make of a construct (`xsc -e`, host-test/xs) the files that it imports
 * know. Each function takes a module's text and its syntax tree (ESTree, with `start` and `end`) and returns the new text.
 */
import { readFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { inlineConstants, inlineImportedConstants } from './rewrite-constants.mjs';
import { inlineAllFunctions } from './rewrite-functions.mjs';
import { assignClasses, chainFields, declareBeforeLoops, nestConditions, readFields } from './rewrite-statements.mjs';

const REWRITINGS = [readFields, nestConditions, declareBeforeLoops, chainFields, assignClasses];

/** The rollup plugin. */
export const rewritingForXS = {
  name: 'rewrite-for-xs',
  transform(code, id) {
    return { code: inlineImportedConstants(code, this.parse(code), specifier => readFileSync(resolve(dirname(id), specifier), 'utf8')), map: null };
  },
  renderChunk(code) {
    const parse = text => this.parse(text);
    const inlined = inlineAllFunctions(inlineConstants(code, parse(code)), parse);
    return { code: REWRITINGS.reduce((text, rewrite) => rewrite(text, parse(text)), inlined), map: null };
  },
};
