/**
 * Functions where they are called, for the device bundle (rewrite-for-xs.mjs).
 *
 * It knows what a function and a call cost on XS. What it is not sure of, it leaves as it is.
 */
import { apply, countBindings, readsIn, walk } from './syntax-tree.mjs';

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
