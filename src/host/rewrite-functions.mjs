/**
 * Small functions where they are called, and plain parameters, for the device bundle (rewrite-for-xs.mjs).
 *
 * It knows what a function, a parameter and a call cost on XS. What it is not sure of, it leaves as it is.
 */
import { assignedVariables } from './evaluation.mjs';
import { apply, contains, countBindings, readsIn, walk } from './syntax-tree.mjs';

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

// Parameters

/** @returns the name of a parameter that is taken apart, which nothing in the module has */
function freshName(names) {
  let count = 1;
  while (names.has(`given$${count}`))
    ++count;
  names.add(`given$${count}`);
  return `given$${count}`;
}

/**
 * Makes `(given, c) => given.a + c` of `({ a }, c) => a + c`, and reads the fields at the beginning of a body of statements: XS takes
 * 10 bytes and as many steps to take an object apart. In an expression, only fields that nobody assigns to, and once each.
 */
export function nameParameters(code, program, { fields }) {
  const names = new Set();
  walk(program, ({ type, name }) => type === 'Identifier' && names.add(name));
  const edits = [];
  walk(program, ({ type, params, body }) => {
    if (!/Function/.test(type) || !params.every(param => param.type === 'Identifier' || (param.type === 'ObjectPattern' && param.properties.length > 0
      && param.properties.every(({ type: kind, computed, value }) => kind === 'Property' && !computed && value.type === 'Identifier'))))
      return;
    for (const param of params)
      if (param.type === 'ObjectPattern') {
        const sources = new Map(param.properties.map(({ key, value }) => [value.name, key.name]));
        const reads = readsIn({ body }).filter(({ node }) => sources.has(node.name));
        const isBlock = body.type === 'BlockStatement';
        const counts = countBindings({ body });
        if (!isBlock && (contains({ body }, node => /Function/.test(node.type)) || [...sources].some(([name, field]) => counts.has(name) || fields.has(field)
          || reads.filter(({ node }) => node.name === name).length > 1)))
          continue;
        const given = freshName(names);
        edits.push({ start: param.start, end: param.end, text: given });
        const declarations = [...sources].map(([name, field]) => `${name} = ${given}.${field}`).join(', ');
        const kind = [...sources.keys()].some(name => assignedVariables({ body }).has(name)) ? 'let' : 'const';
        if (isBlock)
          edits.push({ start: body.start, end: body.start + 1, text: `{ ${kind} ${declarations};` });
        else
          edits.push(...reads.map(({ node, parent, key }) => ({
            start: node.start, end: node.end, text: `${parent.shorthand && key === 'value' ? `${node.name}: ` : ''}${given}.${sources.get(node.name)}`,
          })));
      }
  });
  return apply(code, edits);
}

/** Names what a class passes to its parent's constructor, where its own says `super(...arguments)`: XS makes two lists of them, 60 bytes. */
export function passArguments(code, program) {
  const parameters = new Map();
  const edits = [];
  for (const { type, id, superClass, body } of program.body) {
    if (type !== 'ClassDeclaration')
      continue;
    const constructor = body.body.find(({ kind }) => kind === 'constructor');
    const passes = node => node.type === 'CallExpression' && node.callee.type === 'Super' && code.slice(node.start, node.end) === 'super(...arguments)';
    const inherited = superClass === null ? [] : parameters.get(superClass.name);
    if (inherited !== undefined && constructor?.value.params.length === 0 && contains(constructor.value, passes)) {
      parameters.set(id.name, inherited);
      walk(constructor.value, node => passes(node) && edits.push({ start: node.start, end: node.end, text: `super(${inherited.join(', ')})` }));
      edits.push({ start: constructor.value.start, end: constructor.value.start + 1, text: `(${inherited.join(', ')}` });
    } else if (constructor === undefined ? inherited !== undefined : constructor.value.params.every(param => param.type === 'Identifier'))
      parameters.set(id.name, constructor === undefined ? inherited : constructor.value.params.map(({ name }) => name));
  }
  return apply(code, edits);
}
