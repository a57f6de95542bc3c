/**
 * Declarations, conditions, loops and assignments in the form that XS makes least of, for the device bundle (rewrite-for-xs.mjs).
 *
 * It knows what XS's compiler makes of a statement. What it is not sure of, it leaves as it is.
 */
import { apply, contains, countBindings, readsIn, walk } from './syntax-tree.mjs';

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

/** The same text, as long as it was. */
const withoutComments = text => text.replace(COMMENT, comment => ' '.repeat(comment.length));

/**
 * Makes `if (a) if (b) c();` of `if (a && b) c();`: XS would keep the value of `a` for an expression nobody reads, 2 bytes
 * and 2 steps. With an else there is nothing to gain.
 */
export function nestConditions(code, program) {
  const edits = [];
  walk(program, node => {
    if (node.type !== 'IfStatement' || node.alternate !== null || withoutComments(code.slice(node.start, node.test.start)).split('(').length > 2)
      return;
    // An operand in parentheses begins after them; then the parentheses hold together what has to stay together.
    for (let test = node.test; test.type === 'LogicalExpression' && test.operator === '&&' && test.start === node.test.start; test = test.left) {
      const between = withoutComments(code.slice(test.left.end, test.right.start));
      const at = between.indexOf('&&');
      edits.push({ start: test.left.end + at, end: test.left.end + at + 2, text: ') if (' });
    }
  });
  return apply(code, edits);
}

const containsFunction = node => contains(node, ({ type }) => /Function|ClassExpression/.test(type));

const isLoop = ({ type }) => /^(For|While|DoWhile)/.test(type);

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

/** Whether a loop is gone on with from within its body: by its label, or by no label outside of loops within it. */
function isContinued(node, isWithinLoop = false) {
  if (node.type === 'ContinueStatement')
    return node.label !== null || !isWithinLoop;
  return Object.values(node).flat().some(child => typeof child?.type === 'string' && isContinued(child, isWithinLoop || isLoop(node)));
}

/**
 * Makes `while (test) { body; ++i; }` of `for (; test; ++i) body`: XS keeps the value of the last expression of a for, a byte
 * and a step in every round.
 */
export function stepInLoops(code, program) {
  const edits = [];
  const textOf = ({ start, end }) => code.slice(start, end);
  walk(program, ({ type, init, test, update, body, start }) => {
    if (type !== 'ForStatement' || init !== null || update === null || test === null || isContinued(body))
      return;
    const names = new Set(readsIn({ update }).map(({ node }) => node.name));
    if (body.type === 'BlockStatement' && [...countBindings(body).keys()].some(name => names.has(name)))
      return;
    const steps = (update.type === 'SequenceExpression' ? update.expressions : [update]).map(step => `${textOf(step)};`).join(' ');
    edits.push({ start, end: body.start, text: `while (${textOf(test)}) ${body.type === 'BlockStatement' ? '' : '{ '}` });
    edits.push(body.type === 'BlockStatement' ? { start: body.end - 1, end: body.end, text: `${steps} }` } : { start: body.end, end: body.end, text: ` ${steps} }` });
  });
  return apply(code, edits);
}

/** Makes `a[++i - 1]` of `a[i++]`, for which XS keeps a copy: 4 bytes and 4 steps. An index is a whole number. */
export function countFirst(code, program) {
  const edits = [];
  walk(program, ({ type, operator, prefix, argument, start, end }, parent, key) => {
    if (type === 'UpdateExpression' && operator === '++' && !prefix && argument.type === 'Identifier' && parent.type === 'MemberExpression' && key === 'property')
      edits.push({ start, end, text: `++${argument.name} - 1` });
  });
  return apply(code, edits);
}

// Conditions

const BITS = ['&', '|', '^', '<<', '>>', '>>>'];

/** Whether an expression is a whole number for sure, which is false only if it is 0. */
const isWhole = ({ type, operator, callee }) => (type === 'BinaryExpression' && BITS.includes(operator))
  || (type === 'CallExpression' && /^get(Ui|I)nt(8|16|32)$/.test(callee.property?.name));

/** Makes `if (flags & 4)` of `if ((flags & 4) !== 0)`, 3 bytes and 2 steps, and `if (!(flags & 4))` of `if ((flags & 4) === 0)`. */
export function askForBits(code, program) {
  const edits = [];
  const visit = test => {
    if (test === null)
      return;
    if (test.type === 'LogicalExpression') {
      visit(test.left);
      visit(test.right);
    } else if (test.type === 'UnaryExpression' && test.operator === '!')
      visit(test.argument);
    else if (test.type === 'BinaryExpression' && /^[!=]==$/.test(test.operator) && test.right.value === 0 && isWhole(test.left))
      edits.push({ start: test.start, end: test.end, text: `${test.operator === '===' ? '!' : ''}(${code.slice(test.left.start, test.left.end)})` });
  };
  walk(program, node => {
    if (/^(If|While|DoWhile|For)Statement$|^ConditionalExpression$/.test(node.type))
      visit(node.test);
  });
  return apply(code, edits);
}

const isExit = ({ type, alternate, consequent }) => type === 'IfStatement' && alternate === null
  && /^(Return|Throw)Statement$/.test((consequent.type === 'BlockStatement' ? consequent.body.at(-1) : consequent)?.type);

/**
 * Puts what follows an `if (…) return` at the top of a function into a block of its own, if it declares variables: XS makes those of a
 * block when it begins, a step for each. A block that ends with its function costs nothing.
 */
export function declareLate(code, program) {
  const edits = [];
  walk(program, (node) => {
    if (!/Function/.test(node.type) || node.body?.type !== 'BlockStatement')
      return;
    const { body } = node.body;
    const first = body.findIndex((statement, index) => isExit(statement) && body.slice(index + 1).some(({ type }) => type === 'VariableDeclaration'));
    if (first < 0 || body.some(({ type }) => type === 'FunctionDeclaration') || contains({ body: body.slice(0, first + 1) }, ({ type }) => /Function/.test(type)))
      return;
    edits.push({ start: body[first].end, end: body[first].end, text: ' {' }, { start: node.body.end - 1, end: node.body.end, text: '} }' });
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

// Classes

/**
 * Makes `const Name = class { … };` of the module's `class Name { … }`, which is the same to everybody: a declared class keeps a
 * variable of its own for its name within it, 10 bytes.
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
