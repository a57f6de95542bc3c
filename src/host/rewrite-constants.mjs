/**
 * Constants where their names stand, for the device bundle (rewrite-for-xs.mjs).
 *
 * It knows which constants XS makes less of as literals. What it is not sure of, it leaves as it is.
 */
import { apply, countBindings, isName, walk } from './syntax-tree.mjs';

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
