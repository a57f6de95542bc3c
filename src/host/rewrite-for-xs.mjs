/**
 * Rewrites the device bundle into what XS's compiler, which does not optimise, makes less of: fewer bytes and fewer steps
 * for the same program. The sources stay as people write them.
 *
 * It knows what XS 13 and 17 make of a construct (`xsc -e`, host-test/xs). Each function takes a module's text and its
 * syntax tree (ESTree, with `start` and `end`) and returns the new text. What it is not sure of, it leaves as it is.
 */
import { readFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';

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

// Constants

const CONSTANT_NAME = /^[A-Z][A-Z0-9_$]*$/;
const LARGEST_INTEGER = 0x7FFF_FFFF;

const OPERATIONS = {
  '+': (a, b) => a + b, '-': (a, b) => a - b, '*': (a, b) => a * b, '|': (a, b) => a | b, '&': (a, b) => a & b, '<<': (a, b) => a << b,
};

/** @returns the number that an expression of numbers and constants stands for, or undefined */
function fold(node, constants) {
  if (node.type === 'Literal')
    return typeof node.value === 'number' ? node.value : undefined;
  if (node.type === 'Identifier')
    return constants.get(node.name);
  if (node.type !== 'BinaryExpression' || !(node.operator in OPERATIONS))
    return undefined;
  const left = fold(node.left, constants), right = fold(node.right, constants);
  return left === undefined || right === undefined ? undefined : OPERATIONS[node.operator](left, right);
}

const isInteger = value => Number.isInteger(value) && value >= 0 && value <= LARGEST_INTEGER && !Object.is(value, -0);

/** Where names are declared, or exported: a constant has one such place. */
const BINDING_KEYS = ['id', 'params', 'param', 'local'];

/** How often each name is declared or exported; a default value within a pattern counts too, which only leaves it as it is. */
function countBindings(program) {
  const counts = new Map();
  const count = ({ type, name }) => type === 'Identifier' && counts.set(name, (counts.get(name) ?? 0) + 1);
  walk(program, (node, _parent, key) => {
    if (!BINDING_KEYS.includes(key))
      return;
    count(node);
    if (node.type.endsWith('Pattern') || node.type === 'RestElement')
      walk(node, count);
  });
  return counts;
}

/** Whether an identifier is a name and not a variable. */
const isName = (parent, key) => (key === 'property' || key === 'key') && !parent.computed;

/**
 * Puts the value of a module's numeric constants where their names stand. XS keeps a variable of the module for each (14
 * bytes of code), and every function that mentions it carries a reference (2 or 3 bytes, and 16 of RAM where the module is
 * not preloaded). Only whole numbers from 0 to 2^31 - 1 with a name in CAPITALS: a negative literal is two operations, and
 * a double or a text is stored with each use.
 */
export function inlineConstants(code, program) {
  const declarations = program.body.filter(({ type, kind }) => type === 'VariableDeclaration' && kind === 'const');
  const constants = new Map();
  const counts = countBindings(program);
  for (const { declarations: [declarator, another] } of declarations)
    if (another === undefined && CONSTANT_NAME.test(declarator.id.name ?? '') && counts.get(declarator.id.name) === 1) {
      const value = fold(declarator.init, constants);
      if (isInteger(value))
        constants.set(declarator.id.name, value);
    }
  const edits = declarations.filter(({ declarations: [{ id }] }) => constants.has(id.name)).map(({ start, end }) => ({ start, end, text: '' }));
  return apply(code, [...edits, ...putIn(program, constants)]);
}

/** @returns the edits that put values where the names stand that are read */
function putIn(program, constants) {
  const edits = [];
  walk(program, (node, parent, key) => {
    if (node.type !== 'Identifier' || !constants.has(node.name) || isName(parent, key) || key === 'id' || parent.type === 'ImportSpecifier')
      return;
    const value = `${constants.get(node.name)} /* ${node.name} */`;
    const isShorthand = parent.type === 'Property' && parent.shorthand;
    if (!(isShorthand && key === 'key'))
      edits.push({ start: node.start, end: node.end, text: isShorthand ? `${node.name}: ${value}` : value });
  });
  return edits;
}

const EXPORTED_CONSTANT = /^export const ([A-Z][A-Z0-9_]*)(?:: number)? = (0x[0-9A-Fa-f_]+|[0-9_]+);/gm;

/** @param {string} source in TypeScript @returns the constants that it exports and that are numbers as they stand there */
const exportedConstants = source => new Map([...source.matchAll(EXPORTED_CONSTANT)]
  .map(([, name, digits]) => [name, Number(digits.replaceAll('_', ''))]).filter(([, value]) => isInteger(value)));

/**
 * The same for constants of other modules, so that none has to be exported from one bundle to the other.
 * @param {(specifier: string) => string} readModule the source of a module that is imported
 */
export function inlineImportedConstants(code, program, readModule) {
  const counts = countBindings(program);
  const constants = new Map();
  const namespaces = new Map();
  for (const { type, source, specifiers } of program.body)
    if (type === 'ImportDeclaration' && source.value.startsWith('.') && specifiers.length > 0) {
      const exported = exportedConstants(readModule(source.value));
      for (const { type: kind, imported, local } of specifiers)
        if (counts.get(local.name) !== 1)
          continue;
        else if (kind === 'ImportNamespaceSpecifier')
          namespaces.set(local.name, exported);
        else if (exported.has(imported?.name))
          constants.set(local.name, exported.get(imported.name));
    }
  const edits = putIn(program, constants);
  walk(program, ({ type, computed, object, property, start, end }) => {
    const value = type === 'MemberExpression' && !computed && namespaces.get(object.name)?.get(property.name);
    if (typeof value === 'number')
      edits.push({ start, end, text: `${value} /* ${property.name} */` });
  });
  return apply(code, edits);
}

// Functions

/** A function with more nodes than this in its expression is put in only where it is the only place. */
const SMALL = 12;

const IMPURE = /^(Call|New|Assignment|Update|Await|Yield|Function|ArrowFunction|Class|TaggedTemplate|Import)Expression$|^(SpreadElement|ChainExpression)$/;

const isPure = expression => {
  let pure = !IMPURE.test(expression.type);
  walk(expression, ({ type }) => { pure &&= !IMPURE.test(type); });
  return pure;
};

/** @returns what a statement of the module declares, if that is a function that only returns an expression without effects */
function functionOf({ type, kind, declarations, id, params, body, start, end }) {
  let found;
  if (type === 'VariableDeclaration' && kind === 'const' && declarations.length === 1 && declarations[0].init?.type === 'ArrowFunctionExpression' && declarations[0].init.expression)
    found = { name: declarations[0].id.name, params: declarations[0].init.params, expression: declarations[0].init.body, start, end };
  else if (type === 'FunctionDeclaration' && body.body.length === 1 && body.body[0].type === 'ReturnStatement' && body.body[0].argument !== null)
    found = { name: id.name, params, expression: body.body[0].argument, start, end };
  return found?.params.every(param => param.type === 'Identifier') && isPure(found.expression) ? found : undefined;
}

/** Every place where a variable stands that is read, with what it stands in; `node` itself too. */
function readsIn(node) {
  const reads = [];
  const see = (item, parent, key) => {
    if (item.type === 'Identifier' && !(isName(parent, key) && !(parent.shorthand && key === 'value')) && !BINDING_KEYS.includes(key))
      reads.push({ node: item, parent, key });
  };
  see(node, {}, '');
  walk(node, see);
  return reads;
}

/**
 * Puts small functions of the module, such as `(moment, now) => (now - moment | 0) >= 0`, where they are called: a function
 * costs some 40 bytes, a call 8 bytes and 14 steps or more. Only expressions without effects, of variables that nothing
 * hides, called everywhere with values that may as well be evaluated later, or more than once.
 */
export function inlineFunctions(code, program) {
  const counts = countBindings(program);
  const reads = readsIn(program);
  const textOf = ({ start, end }) => code.slice(start, end);
  const ready = [];
  for (const statement of program.body) {
    const found = functionOf(statement);
    if (found === undefined || counts.get(found.name) !== 1)
      continue;
    const { expression, name, params } = found;
    const names = params.map(param => param.name);
    const inner = readsIn(expression);
    const uses = reads.filter(({ node }) => node.name === name);
    let size = 1;
    walk(expression, () => { ++size; });
    const fits = (argument, param) => {
      const isVariable = argument.type === 'Identifier' || argument.type === 'Literal';
      return isVariable || (inner.filter(({ node }) => node.name === param).length <= 1 && isPure(argument));
    };
    if (uses.length > 0 && (uses.length === 1 || size <= SMALL)
      && inner.every(({ node }) => names.includes(node.name) || (counts.get(node.name) ?? 0) <= 1)
      && uses.every(({ parent, key }) => parent.type === 'CallExpression' && key === 'callee' && !parent.optional && parent.arguments.length === names.length
        && parent.arguments.every((argument, index) => fits(argument, names[index]))))
      ready.push({ ...found, names, inner, uses });
  }
  // One within another has to wait for the next round.
  const isWithin = (inner, outer) => inner.start >= outer.start && inner.end <= outer.end;
  const calls = ready.flatMap(({ uses }) => uses.map(({ parent }) => parent));
  const now = ready.filter(({ expression, uses }) => !calls.some(call => isWithin(call, expression))
    && !uses.some(({ parent }) => calls.some(call => call !== parent && (isWithin(parent, call) || isWithin(call, parent)))));
  const edits = now.flatMap(({ expression, inner, name, names, uses, start, end }) => [
    { start, end, text: '' },
    ...uses.map(({ parent }) => {
      const values = parent.arguments.map(argument => argument.type === 'Identifier' || argument.type === 'Literal' ? textOf(argument) : `(${textOf(argument)})`);
      const substitutions = inner.filter(({ node }) => names.includes(node.name)).map(({ node, parent: user, key }) => ({
        start: node.start - expression.start,
        end: node.end - expression.start,
        text: (user.shorthand && key === 'value' ? `${node.name}: ` : '') + values[names.indexOf(node.name)],
      }));
      return { start: parent.start, end: parent.end, text: `(/* ${name} */ ${apply(textOf(expression), substitutions)})` };
    }),
  ]);
  return apply(code, edits);
}

/** Functions of functions take a round each. */
function inlineAllFunctions(code, parse) {
  for (let before = ''; before !== code;) {
    before = code;
    code = inlineFunctions(code, parse(code));
  }
  return code;
}

// Destructuring

/** Reading a field of a field once more costs 3 bytes; taking an object apart costs 11 and 7 steps. */
const WORTH_REPEATING = 4;

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
  const isField = node.type === 'MemberExpression' && !node.computed && !node.optional && !getters.has(node.property.name);
  return isField ? 1 + depthOf(node.object, getters) : Infinity;
}

const isPlainProperty = ({ type, computed, value }) => type === 'Property' && !computed && value.type === 'Identifier';

/** Makes `const a = this.a, b = this.b` of `const { a, b } = this`. */
export function readFields(code, program) {
  const getters = getterNames(program);
  const edits = [];
  walk(program, (node, parent) => {
    if (node.type !== 'VariableDeclarator' || node.id.type !== 'ObjectPattern' || parent.type !== 'VariableDeclaration' || node.init === null)
      return;
    const { properties } = node.id;
    if (properties.length === 0 || !properties.every(isPlainProperty) || depthOf(node.init, getters) * properties.length > WORTH_REPEATING)
      return;
    const source = code.slice(node.init.start, node.init.end);
    const text = properties.map(({ key, value }) => `${value.name} = ${source}.${key.name}`).join(', ');
    edits.push({ start: node.start, end: node.end, text });
  });
  return apply(code, edits);
}

// Conditions and loops

const COMMENT = /\/\*[^]*?\*\/|\/\/.*/g;

/**
 * Makes `if (a) if (b) c();` of `if (a && b) c();`: XS would keep the value of `a` for an expression nobody reads, 2 bytes
 * and 2 steps. With an else there is nothing to gain.
 */
export function nestConditions(code, program) {
  const edits = [];
  walk(program, node => {
    if (node.type !== 'IfStatement' || node.alternate !== null)
      return;
    // An operand in parentheses begins after them; then the parentheses hold together what has to stay together.
    for (let test = node.test; test.type === 'LogicalExpression' && test.operator === '&&' && test.start === node.test.start; test = test.left) {
      const between = code.slice(test.left.end, test.right.start).replace(COMMENT, comment => ' '.repeat(comment.length));
      const at = between.indexOf('&&');
      edits.push({ start: test.left.end + at, end: test.left.end + at + 2, text: ') if (' });
    }
  });
  return apply(code, edits);
}

const containsFunction = node => {
  let contains = false;
  walk(node, ({ type }) => { contains ||= type.endsWith('FunctionExpression') || type === 'FunctionDeclaration' || type === 'ClassExpression'; });
  return contains;
};

/**
 * Declares the variables of a loop before it, in a block of its own: XS copies them in every round for the sake of
 * functions made there, 4 bytes and 2 steps. Only where there are no such functions.
 */
export function declareBeforeLoops(code, program) {
  const edits = [];
  walk(program, (node, parent) => {
    if (node.type !== 'ForStatement' || node.init?.type !== 'VariableDeclaration' || node.init.kind !== 'let' || containsFunction(node)
      || parent.type === 'LabeledStatement')
      return;
    const { init } = node;
    edits.push({ start: node.start, end: init.start, text: '{ ' });
    edits.push({ start: init.end, end: init.end, text: '; for (' });
    edits.push({ start: node.end, end: node.end, text: ' }' });
  });
  return apply(code, edits);
}

// Fields of the same value

const isSimple = ({ type, name, operator, argument }) => type === 'Literal' || (type === 'Identifier' && name === 'undefined')
  || (type === 'UnaryExpression' && operator === '-' && argument.type === 'Literal');

/** `this.field = value` with a value that is the same however often it is evaluated. */
const isFieldOfValue = ({ type, expression }) => type === 'ExpressionStatement' && expression.type === 'AssignmentExpression'
  && expression.operator === '=' && expression.left.type === 'MemberExpression' && !expression.left.computed
  && expression.left.object.type === 'ThisExpression' && isSimple(expression.right);

/**
 * Makes `this.b = this.a = 0` of `this.a = 0; this.b = 0`, which sets them in the same order: 3 bytes and 2 steps less for
 * each field but the first. Comments between them go.
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
      while (last + 1 < body.length && isFieldOfValue(body[last + 1]) && textOf(body[last + 1].expression.right) === value)
        ++last;
      if (last === first)
        continue;
      const fields = body.slice(first, last + 1).map(({ expression }) => textOf(expression.left)).reverse();
      edits.push({ start: body[first].start, end: body[last].end, text: `${fields.join(' = ')} = ${value};` });
    }
  });
  return apply(code, edits);
}

// All of them

const REWRITINGS = [readFields, nestConditions, declareBeforeLoops, chainFields];

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
