/**
 * What an expression may change and what may change it, so far as the syntax tells: what the rewritings for XS have to know before
 * they evaluate something elsewhere.
 *
 * It takes TypeScript's word for what it checks: that a value is there, and that nobody else uses what is private. It does not know
 * types; what it is not sure of may change anything.
 */
import { walk } from './syntax-tree.mjs';

/** Fields of what the language provides, which nobody has to assign. */
const VARYING = ['length', 'byteLength', 'size', 'lastIndex'];

/** @returns the names of the fields that a module assigns to, but for those that a constructor sets of its own object, and its getters */
export function varyingFields(program) {
  const names = new Set(VARYING);
  const add = target => {
    if (target.type === 'MemberExpression' && !target.computed)
      names.add(target.property.name);
  };
  const see = (node, isInConstructor) => {
    for (const child of Object.values(node).flat())
      if (typeof child?.type === 'string')
        visit(child, isInConstructor);
  };
  const visit = (node, isInConstructor) => {
    const isOwn = ({ object }) => isInConstructor && object?.type === 'ThisExpression';
    if (node.type === 'AssignmentExpression' && !isOwn(node.left)) {
      add(node.left);
      if (node.left.type.endsWith('Pattern'))
        walk(node.left, add);
    }
    if (node.type === 'UpdateExpression' && !isOwn(node.argument))
      add(node.argument);
    if (node.type === 'ForOfStatement' || node.type === 'ForInStatement')
      add(node.left);
    if ((node.type === 'MethodDefinition' || node.type === 'Property') && node.kind === 'get')
      names.add(node.key.name);
    if (node.type === 'MethodDefinition' && node.kind === 'constructor')
      see(node.value, true);
    else
      see(node, isInConstructor && !/Function/.test(node.type));
  };
  visit(program, false);
  return names;
}

/** @returns the names of the variables that a tree assigns to after their declaration */
export function assignedVariables(program) {
  const names = new Set();
  const add = ({ type, name }) => type === 'Identifier' && names.add(name);
  walk(program, ({ type, left, argument }) => {
    if (type === 'UpdateExpression')
      add(argument);
    if (type !== 'AssignmentExpression' && type !== 'ForOfStatement' && type !== 'ForInStatement')
      return;
    add(left);
    if (left.type.endsWith('Pattern'))
      walk(left, add);
  });
  return names;
}

/**
 * Whether an expression gives the same whenever it is evaluated, and does nothing.
 * @param {{ fields: Set<string>, variables: Set<string> }} varying names of what is assigned to
 */
export function isFixed(node, varying) {
  switch (node.type) {
    case 'Literal': case 'ThisExpression':
      return true;
    case 'Identifier':
      return !varying.variables.has(node.name);
    case 'MemberExpression':
      return !node.computed && !node.optional && !varying.fields.has(node.property.name) && isFixed(node.object, varying);
    case 'UnaryExpression':
      return node.operator !== 'delete' && isFixed(node.argument, varying);
    default:
      return false;
  }
}

const areFixed = (nodes, varying) => nodes.every(node => isFixed(node, varying));

/** Whether a part of a node is evaluated always, and nothing before it that changes something or that it could change. */
function comesFirst(node, key, child, varying) {
  switch (node.type) {
    case 'ExpressionStatement': case 'ReturnStatement': case 'ThrowStatement': case 'UnaryExpression':
      return node.operator !== 'delete';
    case 'IfStatement': case 'ConditionalExpression':
      return key === 'test';
    case 'SwitchStatement':
      return key === 'discriminant';
    case 'VariableDeclaration':
      return node.declarations[0] === child;
    case 'VariableDeclarator':
      return key === 'init' && node.id.type === 'Identifier';
    case 'LogicalExpression':
      return key === 'left';
    case 'BinaryExpression':
      return key === 'left' || isFixed(node.left, varying);
    case 'AssignmentExpression':
      return key === 'right' && node.operator === '='
        && (node.left.type === 'Identifier' || (node.left.type === 'MemberExpression' && !node.left.computed && isFixed(node.left.object, varying)));
    case 'MemberExpression':
      return !node.optional && (key === 'object' || isFixed(node.object, varying));
    case 'CallExpression': case 'NewExpression':
      return !node.optional && (key === 'callee' || (isFixed(node.callee, varying) && areFixed(node.arguments.slice(0, node.arguments.indexOf(child)), varying)));
    default:
      return false;
  }
}

/** Whether an expression is evaluated first of all in a statement, or after what is fixed. `path`: the nodes from the statement to it. */
export const isFirstOf = (path, varying) => path.slice(1).every((child, index) => {
  const parent = path[index];
  const key = Object.keys(parent).find(name => parent[name] === child || (Array.isArray(parent[name]) && parent[name].includes(child)));
  return comesFirst(parent, key, child, varying);
});
