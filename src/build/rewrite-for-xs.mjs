/**
 * Makes of the device bundle what XS, whose compiler does not optimise, needs fewer bytes and steps for. The sources
 * stay as people write them.
 *
 * What holds for any engine is terser's business: constants and functions go where they are read once, what nobody
 * reads goes. This file knows what is peculiar to XS's compiler, 13 and 17 (seen with `xsc -e` and host-test/xs). Each
 * function takes a module's text and its syntax tree (ESTree, with `start` and `end`) and returns the new text; what it
 * is not sure of, it leaves as it is.
 */
import { relative } from 'node:path';
import { minify } from 'terser';

/**
 * Names stay, for traces. What is off costs more on XS than what it replaces; `reduce_funcs` would have functions made
 * anew whenever they are called, a dozen slots each.
 */
const OPTIONS = {
  module: true,
  ecma: 2020,
  mangle: false,
  format: { beautify: true, comments: /^ src\// },
  compress: { passes: 3, booleans: false, conditionals: false, reduce_funcs: false, sequences: false },
};

/**
 * @param {string} code of a module
 * @param {(code: string) => object} parse gives its syntax tree
 * @returns {Promise<string>} the same program
 */
export async function rewrite(code, parse) {
  const { code: optimised } = await minify(readFields(code, parse(code)), OPTIONS);
  return [sayUndefined, nestConditions, declareBeforeLoops, declareLate, chainFields,
    assignClasses].reduce((text, rewriting) => rewriting(text, parse(text)), optimised);
}

/**
 * Begins the part of each module in the bundle with a line that tells its path: what the bundle is made of (npm run
 * size).
 */
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

/** The rollup plugin. */
export function rewritingForXS() {
  return {
    name: 'rewrite-for-xs',
    async renderChunk(code, { modules }) {
      return { code: await rewrite(nameModules(code, modules), text => this.parse(text)), map: null };
    },
  };
}

// Syntax trees

/** Replaces parts of a text; an edit within another one is dropped. */
function apply(code, edits) {
  let text = '', position = 0;
  for (const { start, end, text: replacement } of edits.sort((a, b) => a.start - b.start || b.end - a.end))
    if (start >= position) {
      text += code.slice(position, start) + replacement;
      position = end;
    }
  return text + code.slice(position);
}

/** Calls `visit(node, parent, key)` for every node below `node`. */
function walk(node, visit) {
  for (const [key, child] of Object.entries(node))
    for (const item of Array.isArray(child) ? child : [child])
      if (typeof item?.type === 'string') {
        visit(item, node, key);
        walk(item, visit);
      }
}

/** Whether a node, below itself, contains one that passes a test. */
function contains(node, test) {
  let does = false;
  walk(node, part => { does ||= test(part); });
  return does;
}

// Destructuring

/**
 * Reading a field of a field once more costs 3 bytes and a step; a pattern costs 11 and 7. For each pattern, one within
 * another included, so many further reads are about as many bytes and fewer steps.
 */
const WORTH_REPEATING = 6;

/** Names of getters: reading one twice might be something else than reading it once. */
function getterNames(program) {
  const names = new Set();
  walk(program, node => {
    if ((node.type === 'MethodDefinition' || node.type === 'Property') && node.kind === 'get')
      names.add(node.key.name);
  });
  return names;
}

/** @returns how many fields a path like `this.arena` goes down, or Infinity when it is something else */
function depthOf(node, getters) {
  if (node.type === 'ThisExpression' || node.type === 'Identifier')
    return 0;
  const isField = node.type === 'MemberExpression' && !node.computed && !node.optional
    && !getters.has(node.property.name);
  return isField ? 1 + depthOf(node.object, getters) : Infinity;
}

/**
 * Takes a pattern that stands for the object `path` apart: adds its variables to `reads`.
 * @returns how many fields of fields are read for them in place of the pattern's objects, Infinity when it must stay
 */
function flatten({ properties }, path, depth, getters, reads) {
  let repeated = properties.length > 0 ? 0 : Infinity;
  for (const { type, computed, key, value } of properties)
    if (type !== 'Property' || computed)
      return Infinity;
    else if (value.type === 'Identifier') {
      reads.push(`${value.name} = ${path}.${key.name}`);
      repeated += depth;
    } else if (value.type === 'ObjectPattern' && !getters.has(key.name))
      repeated += flatten(value, `${path}.${key.name}`, depth + 1, getters, reads) - WORTH_REPEATING;
    else
      return Infinity;
  return repeated;
}

/** Makes `const a = this.a, b = this.b` of `const { a, b } = this`. */
export function readFields(code, program) {
  const getters = getterNames(program);
  const edits = [];
  walk(program, (node, parent) => {
    if (node.type !== 'VariableDeclarator' || node.id.type !== 'ObjectPattern'
      || parent.type !== 'VariableDeclaration' || node.init === null)
      return;
    const reads = [];
    const path = code.slice(node.init.start, node.init.end);
    if (flatten(node.id, path, depthOf(node.init, getters), getters, reads) <= WORTH_REPEATING)
      edits.push({ start: node.start, end: node.end, text: reads.join(', ') });
  });
  return apply(code, edits);
}

// Conditions, loops and variables

/**
 * Makes `if (a) if (b) c();` of `if (a && b) c();`: XS would keep the value of `a` for an expression nobody reads, 2
 * bytes and 2 steps. With an else there is nothing to gain.
 */
export function nestConditions(code, program) {
  const edits = [];
  walk(program, node => {
    if (node.type !== 'IfStatement' || node.alternate !== null
      || code.slice(node.start, node.test.start).split('(').length > 2)
      return;
    // An operand in parentheses begins after them; then the parentheses hold together what has to stay together.
    for (let test = node.test; test.type === 'LogicalExpression' && test.operator === '&&'
      && test.start === node.test.start; test = test.left) {
      const at = code.slice(test.left.end, test.right.start).indexOf('&&');
      edits.push({ start: test.left.end + at, end: test.left.end + at + 2, text: ') if (' });
    }
  });
  return apply(code, edits);
}

const containsFunction = node => contains(node, ({ type }) => /Function|ClassExpression/.test(type));

/**
 * Declares the variables of a loop before it, in a block of its own: XS copies them in every round for the sake of
 * functions made there, 4 bytes and 2 steps. Only where there are no such functions.
 */
export function declareBeforeLoops(code, program) {
  const edits = [];
  walk(program, (node, parent) => {
    if (node.type !== 'ForStatement' || node.init?.type !== 'VariableDeclaration' || node.init.kind !== 'let'
      || containsFunction(node)
      || parent.type === 'LabeledStatement')
      return;
    const { init } = node;
    edits.push({ start: node.start, end: init.start, text: '{ ' });
    edits.push({ start: init.end, end: init.end, text: '; for (' });
    edits.push({ start: node.end, end: node.end, text: ' }' });
  });
  return apply(code, edits);
}

const isExit = ({ type, alternate, consequent }) => type === 'IfStatement' && alternate === null
  && /^(Return|Throw)Statement$/.test((consequent.type === 'BlockStatement' ? consequent.body.at(-1)
    : consequent)?.type);

/**
 * Puts what follows an `if (…) return` at the top of a function into a block of its own, if it declares variables: XS
 * makes those of a block when it begins, a step for each. A block that ends with its function costs nothing.
 */
export function declareLate(code, program) {
  const edits = [];
  walk(program, (node) => {
    if (!/Function/.test(node.type) || node.body?.type !== 'BlockStatement')
      return;
    const { body } = node.body;
    const first =
      body.findIndex((statement, index) => isExit(statement)
        && body.slice(index + 1).some(({ type }) => type === 'VariableDeclaration'));
    if (first < 0 || body.some(({ type }) => type === 'FunctionDeclaration')
      || contains({ body: body.slice(0, first + 1) }, ({ type }) => /Function/.test(type)))
      return;
    edits.push({ start: body[first].end, end: body[first].end, text: ' {' },
      { start: node.body.end - 1, end: node.body.end, text: '} }' });
  });
  return apply(code, edits);
}

// Fields of the same value

const isSimple = ({ type, name, operator, argument }) => type === 'Literal'
  || (type === 'Identifier' && name === 'undefined')
  || (type === 'UnaryExpression' && operator === '-' && argument.type === 'Literal');

/** `this.field = value` with a value that is the same however often it is evaluated. */
const isFieldOfValue = ({ type, expression }) => type === 'ExpressionStatement'
  && expression.type === 'AssignmentExpression'
  && expression.operator === '=' && expression.left.type === 'MemberExpression' && !expression.left.computed
  && expression.left.object.type === 'ThisExpression' && isSimple(expression.right);

/**
 * Makes `this.b = this.a = 0` of `this.a = 0; this.b = 0`, which sets them in the same order: 3 bytes and 2 steps less
 * for each field but the first. Comments between them go.
 */
export function chainFields(code, program) {
  const edits = [];
  const textOf = ({ start, end }) => code.slice(start, end);
  walk(program, ({ type, body }) => {
    if (type !== 'BlockStatement')
      return;
    for (let first = 0, last; first < body.length; first = last + 1) {
      last = first;
      if (!isFieldOfValue(body[first]))
        continue;
      const value = textOf(body[first].expression.right);
      while (last + 1 < body.length && isFieldOfValue(body[last + 1])
        && textOf(body[last + 1].expression.right) === value)
        ++last;
      if (last === first)
        continue;
      const fields = body.slice(first, last + 1).map(({ expression }) => textOf(expression.left)).reverse();
      edits.push({ start: body[first].start, end: body[last].end, text: `${fields.join(' = ')} = ${value};` });
    }
  });
  return apply(code, edits);
}

// Values and classes

/** Makes `undefined` of terser's `void 0`, which has fewer letters, but for XS 2 bytes and a step more. */
export function sayUndefined(code, program) {
  const edits = [];
  walk(program, ({ type, operator, argument, start, end }) => {
    if (type === 'UnaryExpression' && operator === 'void' && argument.type === 'Literal')
      edits.push({ start, end, text: 'undefined' });
  });
  return apply(code, edits);
}

/**
 * Makes `const Name = class { … };` of the module's `class Name { … }`, which is the same to everybody: a declared
 * class keeps a variable of its own for its name within it, 10 bytes.
 */
export function assignClasses(code, program) {
  const edits = [];
  for (const { type, id, start, end } of program.body)
    if (type === 'ClassDeclaration') {
      edits.push({ start, end: id.end, text: `const ${id.name} = class` });
      edits.push({ start: end, end, text: ';' });
    }
  return apply(code, edits);
}
