/**
 * Constants where their names stand, for the device bundle (rewrite-for-xs.mjs).
 *
 * It knows which constants XS makes less of as literals. What it is not sure of, it leaves as it is.
 */
import { apply, countBindings, isName, readsIn, walk } from './syntax-tree.mjs';

const CONSTANT_NAME = /^[A-Z][A-Z0-9_$]*$/;
const LARGEST_INTEGER = 0x7FFF_FFFF;

const OPERATIONS = {
  '+': (a, b) => a + b, '-': (a, b) => a - b, '*': (a, b) => a * b, '|': (a, b) => a | b, '&': (a, b) => a & b, '<<': (a, b) => a << b,
};

/** @returns the number or text that an expression of literals and constants stands for, or undefined */
function fold(node, constants) {
  if (node.type === 'Literal')
    return typeof node.value === 'number' || typeof node.value === 'string' ? node.value : undefined;
  if (node.type === 'Identifier')
    return constants.get(node.name);
  if (node.type === 'UnaryExpression' && node.operator === '-')
    return -fold(node.argument, constants);
  if (node.type === 'MemberExpression' && !node.computed && node.property.name === 'length')
    return fold(node.object, constants)?.length;
  if (node.type !== 'BinaryExpression' || !(node.operator in OPERATIONS))
    return undefined;
  const left = fold(node.left, constants), right = fold(node.right, constants);
  return typeof left === 'number' && typeof right === 'number' ? OPERATIONS[node.operator](left, right) : undefined;
}

const isLiteral = value => Number.isInteger(value) && value >= 0 && value <= LARGEST_INTEGER && !Object.is(value, -0);

/** What a variable of the module takes beside its value, and each function that mentions it; what a text takes beside its letters. */
const VARIABLE_BYTES = 16, MENTION_BYTES = 4, TEXT_BYTES = 3;

/** Whether a constant takes less wherever it is read than in a variable of the module. */
function isShorterAsLiteral(value, uses) {
  if (typeof value === 'string')
    return (uses - 1) * (value.length + TEXT_BYTES) < VARIABLE_BYTES + uses * MENTION_BYTES;
  return isLiteral(value) || (uses === 1 && value > 0);
}

/** @returns the constants of the module and their values, by their names: numbers and texts with a name in CAPITALS that nothing hides */
function constantsOf(program) {
  const counts = countBindings(program);
  const constants = new Map();
  for (const { type, kind, declarations } of program.body)
    if (type === 'VariableDeclaration' && kind === 'const' && declarations.length === 1 && CONSTANT_NAME.test(declarations[0].id.name ?? '')
      && counts.get(declarations[0].id.name) === 1) {
      const value = fold(declarations[0].init, constants);
      if (typeof value === 'string' || typeof value === 'number' && !Number.isNaN(value))
        constants.set(declarations[0].id.name, value);
    }
  return constants;
}

/**
 * Puts the value of a module's constants where their names stand. XS keeps a variable of the module for each (16 bytes of
 * code), and every function that mentions it carries a reference (2 or 3 bytes, and 16 of RAM where the module is not
 * preloaded). Whole numbers from 0 to 2^31 - 1 are always less; texts where they are short or read once. Other numbers, a
 * negative one is two operations, share one variable where they are the same.
 */
export function inlineConstants(code, program) {
  const constants = constantsOf(program);
  const reads = readsIn(program);
  const texts = new Map();
  const variables = new Map();
  for (const [name, value] of constants)
    if (isShorterAsLiteral(value, reads.filter(({ node }) => node.name === name).length))
      texts.set(name, `${JSON.stringify(value)} /* ${name} */`);
    else if (variables.has(value))
      texts.set(name, `${variables.get(value)} /* ${name} */`);
    else
      variables.set(value, name);
  const edits = program.body.filter(({ type, declarations }) => type === 'VariableDeclaration' && texts.has(declarations[0].id.name))
    .map(({ start, end }) => ({ start, end, text: '' }));
  return apply(code, [...edits, ...putIn(program, texts)]);
}

/** @returns the edits that put texts where the names stand that are read */
function putIn(program, texts) {
  const edits = [];
  walk(program, (node, parent, key) => {
    if (node.type !== 'Identifier' || !texts.has(node.name) || isName(parent, key) || key === 'id' || parent.type === 'ImportSpecifier')
      return;
    const text = texts.get(node.name);
    const isShorthand = parent.type === 'Property' && parent.shorthand;
    if (!(isShorthand && key === 'key'))
      edits.push({ start: node.start, end: node.end, text: isShorthand ? `${node.name}: ${text}` : text });
  });
  return edits;
}

const EXPORTED_CONSTANT = /^export const ([A-Z][A-Z0-9_]*)(?:: number)? = (0x[0-9A-Fa-f_]+|[0-9_]+);/gm;

/** @param {string} source in TypeScript @returns the constants that it exports and that are numbers as they stand there */
const exportedConstants = source => new Map([...source.matchAll(EXPORTED_CONSTANT)]
  .map(([, name, digits]) => [name, Number(digits.replaceAll('_', ''))]).filter(([, value]) => isLiteral(value)));

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
          constants.set(local.name, `${exported.get(imported.name)} /* ${local.name} */`);
    }
  const edits = putIn(program, constants);
  walk(program, ({ type, computed, object, property, start, end }) => {
    const value = type === 'MemberExpression' && !computed && namespaces.get(object.name)?.get(property.name);
    if (typeof value === 'number')
      edits.push({ start, end, text: `${value} /* ${property.name} */` });
  });
  return apply(code, edits);
}
