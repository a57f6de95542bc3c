/**
 * Local constants that XS makes less of without a variable, for the device bundle (rewrite-for-xs.mjs). A declaration takes 6 bytes and
 * 4 steps beside its value: sources give names to what a board reads again, or reads at once.
 *
 * It knows what a variable and a field cost on XS. What it is not sure of, it leaves as it is.
 */
import { assignedVariables, isFirstOf, isFixed } from './evaluation.mjs';
import { apply, contains, countBindings, isName, readsIn, walk } from './syntax-tree.mjs';

/** Makes `const a = 1; const b = 2;` of `const a = 1, b = 2;`, which XS makes the same of. */
export function splitDeclarations(code, program) {
  const edits = [];
  walk(program, ({ type, kind, declarations }, parent) => {
    if (type !== 'VariableDeclaration' || parent.type !== 'BlockStatement')
      return;
    for (const [index, { start }] of declarations.entries())
      if (index > 0)
        edits.push({ start: code.lastIndexOf(',', start), end: start, text: `; ${kind} ` });
  });
  return apply(code, edits);
}

const isFunction = ({ type }) => /Function/.test(type);
const isLoop = ({ type }) => /^(For|While|DoWhile)/.test(type);

/** Calls `visit(node, ancestors, key)` for every node below `node`; the nearest is the last. */
function walkDeep(node, visit, ancestors = [node]) {
  walkChildren(node, (child, key) => {
    visit(child, ancestors, key);
    walkDeep(child, visit, [...ancestors, child]);
  });
}

function walkChildren(node, visit) {
  for (const [key, child] of Object.entries(node))
    for (const item of Array.isArray(child) ? child : [child])
      if (typeof item?.type === 'string')
        visit(item, key);
}

/** @returns the local constants of a program: declaration, block, the place within it, what encloses it, and where it is read */
function localsOf(program) {
  const locals = [];
  walkDeep(program, (statement, ancestors) => {
    const block = ancestors.at(-1), outermost = ancestors.find(isFunction);
    if (statement.type !== 'VariableDeclaration' || block.type !== 'BlockStatement' || outermost === undefined || statement.declarations.length !== 1)
      return;
    const [{ id, init }] = statement.declarations;
    if (id.type !== 'Identifier' || init === null || /Function|Class/.test(init.type))
      return;
    locals.push({ block, id, init, outermost, statement, isInConstructor: ancestors.some(({ type, kind }) => type === 'MethodDefinition' && kind === 'constructor') });
  });
  return locals;
}

/** Where a variable is read in its block: the nodes from the block to each place. */
function pathsTo({ block, id }) {
  const reads = new Set(readsIn(block).filter(({ node }) => node.name === id.name).map(({ node }) => node));
  const paths = [];
  walkDeep(block, (node, ancestors) => reads.has(node) && paths.push([...ancestors, node]));
  return paths;
}

/** The root of a path like `this.arena.bytes`, and how many fields it goes down; undefined when it is something else. */
function fieldOf(node) {
  for (let depth = 0; ; ++depth, node = node.object) {
    if (node.type === 'ThisExpression' || node.type === 'Identifier')
      return { depth, root: node };
    if (node.type !== 'MemberExpression')
      return undefined;
  }
}

/** Whether reading a field as often takes neither more bytes nor more steps than a variable for it. */
function isWorthRepeating({ depth, root }, uses) {
  const bytes = (root.type === 'ThisExpression' ? 1 : 2) + 3 * depth, steps = 1 + depth;
  return uses * bytes <= 6 + bytes + 2 * uses && uses * steps <= 3 + steps + uses;
}

const replace = ({ start, end }, path, text) => {
  const [parent, node] = path.slice(-2);
  const isShorthand = parent.type === 'Property' && parent.shorthand;
  return [{ start: node.start, end: node.end, text: isShorthand ? `${node.name}: ${text}` : text }, { start, end, text: '' }];
};

/** Reads fields that nobody assigns to where a constant is read that has their value, if that is seldom. */
export function repeatFields(code, program, { fields }) {
  const edits = [];
  const done = new Set();
  for (const { block, id, init, isInConstructor, outermost, statement } of localsOf(program)) {
    const field = fieldOf(init);
    if (field === undefined || field.depth === 0 || (isInConstructor && field.root.type === 'ThisExpression'))
      continue;
    const variables = assignedVariables(outermost);
    const bindings = countBindings(block);
    const paths = pathsTo({ block, id });
    const isHidden = field.root.type === 'Identifier' && (bindings.get(field.root.name) ?? 0) > 0;
    if (bindings.get(id.name) !== 1 || variables.has(id.name) || isHidden || !isFixed(init, { fields, variables }) || !isWorthRepeating(field, paths.length)
      || paths.some(path => path.some(isLoop) || path.some((node, index) => index > 0 && isFunction(node)) || path.at(-2).callee === path.at(-1)))
      continue;
    // What another one reads that goes, or is replaced itself, waits for the next round.
    if (done.has(field.root.name) || paths.some(path => path.some(node => done.has(node))))
      continue;
    done.add(id.name).add(statement);
    for (const path of paths)
      edits.push(...replace(statement, path, code.slice(init.start, init.end)));
    if (paths.length === 0)
      edits.push({ start: statement.start, end: statement.end, text: '' });
  }
  return apply(code, edits);
}

const NEEDS_NO_PARENTHESES = /^(Identifier|Literal|MemberExpression|CallExpression|ThisExpression|NewExpression)$/;

/** Puts a constant's value where it is read, if that is in one place, and first of all in the next statement. */
export function readAtOnce(code, program, { fields }) {
  const edits = [];
  let end = 0;
  for (const { block, id, init, outermost, statement } of localsOf(program)) {
    const next = block.body[block.body.indexOf(statement) + 1];
    const [path, another] = pathsTo({ block, id });
    if (next === undefined || path === undefined || another !== undefined || path[1] !== next || statement.start < end || countBindings(block).get(id.name) !== 1)
      continue;
    const variables = assignedVariables(outermost);
    if (variables.has(id.name) || path.some(isLoop) || path.some((node, index) => index > 0 && isFunction(node)) || path.at(-2).callee === path.at(-1)
      || !isFirstOf(path.slice(1), { fields, variables }))
      continue;
    const text = code.slice(init.start, init.end);
    const isWhole = /Statement$|VariableDeclarator/.test(path.at(-2).type) && !/^If|^Switch/.test(path.at(-2).type);
    edits.push(...replace(statement, path, isWhole || NEEDS_NO_PARENTHESES.test(init.type) ? text : `(${text})`));
    end = next.end;
  }
  return apply(code, edits);
}

/** @returns the variables of a function that come from its parameters or a statement, with where they are visible and all their places */
function variablesOf(outermost) {
  const counts = countBindings(outermost);
  const variables = new Map();
  const add = (id, block, statement) => {
    if (id.type === 'Identifier' && counts.get(id.name) === 1)
      variables.set(id.name, { block, id, loops: [], places: [], statement });
  };
  for (const param of outermost.params)
    add(param, outermost.body);
  walkDeep(outermost.body, (node, ancestors) => {
    if (node.type === 'VariableDeclaration' && ancestors.at(-1).type === 'BlockStatement' && node.declarations.length === 1 && node.declarations[0].init !== null)
      add(node.declarations[0].id, ancestors.at(-1), node);
  });
  walkDeep(outermost.body, (node, ancestors, key) => {
    const variable = node.type === 'Identifier' && !isName(ancestors.at(-1), key) && variables.get(node.name);
    if (variable) {
      variable.places.push({ node, parent: ancestors.at(-1), ancestors });
      if (node === variable.id)
        variable.loops = ancestors.filter(isLoop);
    }
  });
  return [...variables.values()];
}

/** Whether nobody reads a variable any more once another one is declared, in this round of a loop or in the next. */
const isOver = (old, { block, loops, statement }) => old.places.every(({ node }) => node.end <= statement.end)
  && (old.block === block || (old.block.start <= block.start && block.end <= old.block.end)) && (old.statement?.end ?? 0) <= statement.start
  && loops.every(loop => old.loops.includes(loop) || old.places.every(({ node }) => node.end <= loop.start || node.start >= loop.end));

/** Makes `a = g();` of `const b = g();` where nobody reads `a` any more: 4 bytes and 2 steps. Not where functions may keep variables. */
export function shareVariables(code, program) {
  const edits = [];
  walkDeep(program, (outermost, ancestors) => {
    if (!isFunction(outermost) || ancestors.some(isFunction) || outermost.body.type !== 'BlockStatement' || contains(outermost, isFunction))
      return;
    const variables = variablesOf(outermost);
    for (const next of variables) {
      const old = next.statement && variables.find(variable => variable !== next && isOver(variable, next));
      if (old === undefined)
        continue;
      const { id, init } = next.statement.declarations[0];
      if (old.statement !== undefined)
        edits.push({ start: old.statement.start, end: old.statement.declarations[0].start, text: 'let ' });
      if (init.type === 'Identifier' && init.name === old.id.name)
        edits.push({ start: next.statement.start, end: next.statement.end, text: '' });
      edits.push({ start: next.statement.start, end: id.end, text: `/* ${id.name} */ ${old.id.name}` });
      for (const { node, parent } of next.places)
        if (node !== id && node.start >= init.end)
          edits.push({ start: node.start, end: node.end, text: parent.type === 'Property' && parent.shorthand ? `${node.name}: ${old.id.name}` : old.id.name });
      return; // the rest in the next round
    }
  });
  return apply(code, edits);
}
