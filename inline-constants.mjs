/**
 * A rollup plugin for XS: puts the value of a module's numeric constants where their names stand, `3` for `PUBLISH`.
 *
 * XS keeps a variable of the module for each constant (14 bytes of code), and every function that mentions it carries a
 * reference (2 or 3 bytes, and 16 of RAM where the module is not preloaded). Only whole numbers from 0 to 2^31 - 1 with a
 * name in CAPITALS are put in: a negative literal is two operations on XS, and a double or a text is stored with each use.
 */

const NAME = /^[A-Z][A-Z0-9_$]*$/;
const LARGEST = 0x7FFF_FFFF;

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

const isInlined = value => Number.isInteger(value) && value >= 0 && value <= LARGEST && !Object.is(value, -0);

/** Calls `visit(node, parent, key)` for every node below `node`. */
function walk(node, visit) {
  for (const [key, child] of Object.entries(node))
    for (const item of Array.isArray(child) ? child : [child])
      if (typeof item?.type === 'string') {
        visit(item, node, key);
        walk(item, visit);
      }
}

/** Whether an identifier is a name and not a variable that is read. */
const isName = (parent, key) => (key === 'property' || key === 'key') && !parent.computed;

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

/**
 * @param {string} code of a module
 * @param {object} program its syntax tree (ESTree, with `start` and `end`)
 * @returns {string}
 */
export function inlineConstants(code, program) {
  const declarations = program.body.filter(({ type, kind }) => type === 'VariableDeclaration' && kind === 'const');
  const constants = new Map();
  const counts = countBindings(program);
  for (const { declarations: [declarator, another] } of declarations)
    if (another === undefined && NAME.test(declarator.id.name ?? '') && counts.get(declarator.id.name) === 1) {
      const value = fold(declarator.init, constants);
      if (isInlined(value))
        constants.set(declarator.id.name, value);
    }
  const edits = declarations.filter(({ declarations: [{ id }] }) => constants.has(id.name)).map(({ start, end }) => ({ start, end, text: '' }));
  walk(program, (node, parent, key) => {
    if (node.type !== 'Identifier' || !constants.has(node.name) || isName(parent, key) || key === 'id')
      return;
    const value = `${constants.get(node.name)} /* ${node.name} */`;
    const isShorthand = parent.type === 'Property' && parent.shorthand;
    if (!(isShorthand && key === 'key'))
      edits.push({ start: node.start, end: node.end, text: isShorthand ? `${node.name}: ${value}` : value });
  });
  return apply(code, edits);
}

/** What lies in a declaration that goes away goes away with it. */
function apply(code, edits) {
  let text = '', position = 0;
  for (const { start, end, text: replacement } of edits.sort((a, b) => a.start - b.start || b.end - a.end))
    if (start >= position) {
      text += code.slice(position, start) + replacement;
      position = end;
    }
  return text + code.slice(position);
}

/** The plugin. */
export const inliningConstants = {
  name: 'inline-constants',
  renderChunk(code) {
    return { code: inlineConstants(code, this.parse(code)), map: null };
  },
};
