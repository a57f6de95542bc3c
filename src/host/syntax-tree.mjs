/**
 * What the rewritings for XS have in common: walking an ESTree, telling variables from names, changing a text in places.
 *
 * It knows syntax, and nothing of XS.
 */
/** Replaces parts of a text; an edit within another one is dropped. */
export function apply(code, edits) {
  let text = '', position = 0;
  for (const { start, end, text: replacement } of edits.sort((a, b) => a.start - b.start || b.end - a.end))
    if (start >= position) {
      text += code.slice(position, start) + replacement;
      position = end;
    }
  return text + code.slice(position);
}

/** Calls `visit(node, parent, key)` for every node below `node`. */
export function walk(node, visit) {
  for (const [key, child] of Object.entries(node))
    for (const item of Array.isArray(child) ? child : [child])
      if (typeof item?.type === 'string') {
        visit(item, node, key);
        walk(item, visit);
      }
}

/** Whether a node, below itself, contains one that passes a test. */
export function contains(node, test) {
  let does = false;
  walk(node, part => { does ||= test(part); });
  return does;
}

/** Where names are declared, or exported: a constant has one such place. */
const BINDING_KEYS = ['id', 'params', 'param', 'local'];

/** How often each name is declared or exported; a default value within a pattern counts too, which only leaves it as it is. */
export function countBindings(program) {
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
export const isName = (parent, key) => (key === 'property' || key === 'key') && !parent.computed;

/** Every place where a variable stands that is read, with what it stands in; `node` itself too. */
export function readsIn(node) {
  const reads = [];
  const see = (item, parent, key) => {
    if (item.type === 'Identifier' && !(isName(parent, key) && !(parent.shorthand && key === 'value')) && !BINDING_KEYS.includes(key))
      reads.push({ node: item, parent, key });
  };
  see(node, {}, '');
  walk(node, see);
  return reads;
}
