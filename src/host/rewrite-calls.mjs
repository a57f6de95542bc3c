/**
 * The body of a function where it is called, if that is in one place only, for the device bundle (rewrite-for-xs.mjs): sources may
 * consist of small functions, a board need not. On XS a function costs some 30 bytes and 8 for each parameter, a call 8 bytes and 14 steps or more.
 *
 * Functions of the module and private methods whose parameters are plain names. What it is not sure of, it leaves as it is.
 */
import { assignedVariables, isFirstOf } from './evaluation.mjs';
import { apply, contains, countBindings, readsIn, walk } from './syntax-tree.mjs';

const isFunction = ({ type }) => /Function/.test(type);
const isStatement = ({ type }) => /Statement$|^VariableDeclaration$/.test(type);

/** What a body cannot take along, or what cannot be taken out of it. */
const FIXTURES = /^(Super|MetaProperty|FunctionDeclaration|YieldExpression|AwaitExpression)$/;

/** Names of what a class keeps to itself, as TypeScript has it. */
const PRIVATE_METHOD = /^ +private (\w+)\(/gm;

/** @param {string} source in TypeScript @returns the names of its private methods */
export const privateMethodsOf = source => [...source.matchAll(PRIVATE_METHOD)].map(([, name]) => name);

function parentsIn(program) {
  const parents = new Map();
  walk(program, (node, parent) => parents.set(node, parent));
  return parents;
}

/** The nodes from the statement that a call stands in, to the call; [] where that is not a statement of a function. */
function pathTo(call, parents) {
  const path = [call];
  while (!isStatement(path[0])) {
    const parent = parents.get(path[0]);
    if (parent === undefined || isFunction(parent) || parent.type === 'PropertyDefinition')
      return [];
    path.unshift(parent);
  }
  return path;
}

/** The function that a node stands in, and all those around it. */
function functionsAround(node, parents) {
  const around = [];
  for (let parent = parents.get(node); parent !== undefined; parent = parents.get(parent))
    if (isFunction(parent))
      around.push(parent);
  return around;
}

/** @returns the functions of the module that are called in one place and mentioned nowhere else */
function functionsCalledOnce(program, parents) {
  const counts = countBindings(program);
  const reads = readsIn(program);
  return program.body.filter(({ type, id }) => type === 'FunctionDeclaration' && counts.get(id.name) === 1).flatMap(callee => {
    const [use, another] = reads.filter(({ node }) => node.name === callee.id.name);
    return use?.key === 'callee' && another === undefined ? [{ name: callee.id.name, node: callee, callee, call: parents.get(use.node) }] : [];
  });
}

/** @returns the private methods that their class calls in one place, of itself, and mentions nowhere else */
function methodsCalledOnce(program, privateMethods, parents) {
  const methods = new Map();
  const mentions = new Map();
  const add = (map, name, node) => map.set(name, [...map.get(name) ?? [], node]);
  walk(program, node => {
    if (node.type === 'MethodDefinition' || node.type === 'PropertyDefinition' || node.type === 'Property')
      add(methods, node.key.name, node);
    if (node.type === 'MemberExpression' && !node.computed)
      add(mentions, node.property.name, node);
  });
  return [...privateMethods].flatMap(name => {
    const [method, another] = methods.get(name) ?? [];
    const [mention, secondMention] = mentions.get(name) ?? [];
    const call = parents.get(mention);
    if (method?.kind !== 'method' || method.static || another !== undefined || mention?.object.type !== 'ThisExpression' || secondMention !== undefined
      || call.type !== 'CallExpression' || call.callee !== mention || functionsAround(call, parents).filter(({ type }) => type !== 'ArrowFunctionExpression').length !== 1)
      return [];
    return [{ name, node: method, callee: method.value, call }];
  });
}

/** @returns the return statements of a function, without those of functions within it */
function returnsOf(callee) {
  const inner = new Set();
  walk(callee.body, node => isFunction(node) && walk(node, part => inner.add(part)));
  const returns = [];
  walk(callee.body, node => node.type === 'ReturnStatement' && !inner.has(node) && returns.push(node));
  return returns;
}

/** Whether nothing follows a statement in its function. */
function isLast(statement, parents) {
  const parent = parents.get(statement);
  if (parent.type === 'BlockStatement')
    return parent.body.at(-1) === statement && (isFunction(parents.get(parent)) || isLast(parent, parents));
  return parent.type === 'IfStatement' && isLast(parent, parents);
}

/** Whether a function's variables may be read or assigned to from elsewhere, or after it has returned. */
const sharesVariables = ({ body }) => contains(body, part => isFunction(part) || part.type === 'TryStatement');

/** @returns the names that a function declares with const */
function constantsIn(node) {
  const names = new Set();
  walk(node, ({ type, kind, declarations }) => type === 'VariableDeclaration' && kind === 'const' && declarations.forEach(({ id }) => names.add(id.name)));
  return names;
}

const ends = statement => statement?.type === 'ReturnStatement' || statement?.type === 'ThrowStatement';

/** Each return takes up to 5 bytes more where it only leaves a block. */
const MOST_RETURNS = 6;

/**
 * What becomes of the statement with the call, around the body.
 * @returns {{ isEnd?: boolean, before?: string, after?: string, leave?: [string, string], value?: object, result?: string } | undefined} texts
 *   before and after the body, and instead of its returns before and after their values; `isEnd`: the caller ends there; `value`: the only
 *   return statement, whose value stands for the call; `result`: the variable that does; undefined when the body cannot stand there
 */
function placeFor({ callee, call, name }, parents, varying) {
  const path = pathTo(call, parents);
  const [statement] = path;
  const returns = returnsOf(callee), last = callee.body.body.at(-1);
  if (statement === undefined)
    return undefined;
  const label = `${name}: {`, leave = `break ${name};`;
  if (path.length === 2 && statement.type === 'ReturnStatement')
    return { statement, isEnd: true, after: ends(last) || isLast(statement, parents) ? '' : ' return;' };
  if (path.length === 2 && statement.type === 'ExpressionStatement' && returns.every(({ argument }) => argument === null)) {
    const isEnd = isLast(statement, parents);
    return isEnd || returns.length === 0 ? { statement, isEnd } : { statement, before: label, after: '}', leave: ['', leave] };
  }
  if (!returns.includes(last) || returns.some(({ argument }) => argument === null) || parents.get(statement).type !== 'BlockStatement' || !isFirstOf(path, varying))
    return undefined;
  if (returns.length === 1)
    return { statement, value: last };
  if (returns.length > MOST_RETURNS)
    return undefined;
  const result = `${name}$value`;
  return { statement, result, before: `let ${result}; ${label}`, after: '} ', leave: [`{ ${result} = `, `; ${leave} }`] };
}

/**
 * Whether a value or variable of the caller can be the parameter itself: nobody assigns to it meanwhile, or nobody reads it after what
 * the body assigns to it.
 */
function canStandFor(argument, isAssigned, { callee, call }, { isEnd }, caller) {
  if (argument.type === 'Literal')
    return !isAssigned;
  if (argument.type !== 'Identifier' || sharesVariables(callee) || sharesVariables(caller))
    return false;
  const isLocal = countBindings(caller).get(argument.name) === 1;
  if (!isAssigned)
    return isLocal;
  const isPassedOnce = call.arguments.filter(({ type, name }) => type === 'Identifier' && name === argument.name).length === 1;
  return isEnd && isPassedOnce && isLocal && !constantsIn(caller).has(argument.name);
}

/** @returns the edits that put a function where it is called, and the parts of the text that they read or write; undefined where that cannot be */
function move(code, program, found, { parents, names, varying }) {
  const { call, callee, name, node } = found;
  const [caller] = functionsAround(call, parents).slice(-1);
  const place = caller && placeFor(found, parents, varying);
  if (place === undefined)
    return undefined;
  const { statement, after = '', before = '', leave, result, value } = place;
  const textOf = ({ start, end }) => code.slice(start, end);
  const inCaller = new Set(), declared = countBindings(callee), declaredByCaller = countBindings(caller);
  walk(caller, ({ type, name: other }) => type === 'Identifier' && inCaller.add(other));
  const reads = readsIn(callee.body);
  if (reads.some(({ node: { name: free } }) => !declared.has(free) && declaredByCaller.has(free)))
    return undefined;
  // Names that the caller has too get others.
  const renamed = new Map();
  for (const local of declared.keys())
    if (inCaller.has(local)) {
      let count = 1;
      while (names.has(`${local}$${count}`))
        ++count;
      names.add(`${local}$${count}`);
      renamed.set(local, `${local}$${count}`);
    }
  const assigned = assignedVariables(callee.body);
  const declarations = callee.params.map(({ name: param }, index) => {
    const argument = call.arguments[index];
    if (canStandFor(argument, assigned.has(param), found, place, caller)) {
      renamed.set(param, textOf(argument));
      return '';
    }
    return `${assigned.has(param) ? 'let' : 'const'} ${renamed.get(param) ?? param} = ${textOf(argument)}; `;
  });
  const edits = [];
  walk(callee.body, (item, parent, key) => {
    if (item.type !== 'Identifier' || !renamed.has(item.name) || ((key === 'property' || key === 'key') && !parent.computed))
      return;
    edits.push({ start: item.start, end: item.end, text: (parent.shorthand && key === 'value' ? `${item.name}: ` : '') + renamed.get(item.name) });
  });
  for (const { start, end, argument } of leave === undefined ? [] : returnsOf(callee))
    edits.push({ start, end: argument?.start ?? start, text: leave[0] }, { start: argument?.end ?? start, end, text: leave[1] });
  const textWithin = ({ start, end }) => apply(code.slice(start, end), edits.filter(edit => edit.start >= start && edit.end <= end)
    .map(edit => ({ ...edit, start: edit.start - start, end: edit.end - start })));
  const body = textWithin({ start: callee.body.start + 1, end: value?.start ?? callee.body.end - 1 });
  const isWhole = isStatement(parents.get(call)) || parents.get(call).type === 'VariableDeclarator';
  const expression = value && (isWhole ? textWithin(value.argument) : `(${textWithin(value.argument)})`);
  const rest = (value ?? result) === undefined ? '' : code.slice(statement.start, call.start) + (result ?? expression) + code.slice(call.end, statement.end);
  const isFlat = statement.type === 'VariableDeclaration';
  const text = `/* ${name} */ ${before}${declarations.join('')}${body}${after}${rest}`;
  return [{ start: node.start, end: node.end, text: '' }, { start: statement.start, end: statement.end, text: isFlat ? text : `{ ${text} }` }];
}

const isPlain = ({ callee, call }) => !callee.async && !callee.generator && callee.params.every(({ type }) => type === 'Identifier')
  && call.type === 'CallExpression' && !call.optional && call.arguments.length === callee.params.length
  && call.arguments.every(({ type }) => type !== 'SpreadElement');

const hasFixtures = ({ callee }) => contains(callee, ({ type, name }) => FIXTURES.test(type) || (type === 'Identifier' && name === 'arguments'));

/**
 * @param {{ fields: Set<string>, privateMethods: Set<string> }} about `fields`: names of the fields that are assigned to anywhere
 */
export function inlineCalledOnce(code, program, { fields, privateMethods }) {
  const parents = parentsIn(program);
  const names = new Set();
  walk(program, ({ type, name }) => type === 'Identifier' && names.add(name));
  const tools = { parents, names, varying: { fields, variables: assignedVariables(program) } };
  const all = [];
  for (const found of [...functionsCalledOnce(program, parents), ...methodsCalledOnce(program, privateMethods, parents)]) {
    if (!isPlain(found) || hasFixtures(found) || functionsAround(found.call, parents).includes(found.callee))
      continue;
    const edits = move(code, program, found, tools);
    // One within another has to wait for the next round.
    if (edits?.every(({ start, end }) => all.every(other => end <= other.start || start >= other.end)))
      all.push(...edits);
  }
  return apply(code, all);
}
