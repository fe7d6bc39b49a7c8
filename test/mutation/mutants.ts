// Mutants: the fixed set of operators of issue 4, applied mechanically to every place of a file: a condition negated,
// `<` and `<=` exchanged, `&&` and `||` exchanged, a statement dropped, a constant one more or one less. One at a time.
//
// Invariant: no two mutants of a place are the same program. Declarations stay: without them the rest is none.
import { parseSync } from 'vite';

export interface Mutant {
  readonly file: string;
  readonly start: number;
  readonly end: number;
  readonly line: number;
  /** The whole line, as it is without the mutant. */
  readonly source: string;
  readonly operator: 'negated' | 'bound' | 'and-or' | 'dropped' | 'constant';
  readonly was: string;
  readonly by: string;
}

interface Node {
  readonly type: string;
  readonly start: number;
  readonly end: number;
  readonly [field: string]: unknown;
}

const bounds: Readonly<Record<string, string>> = { '<': '<=', '<=': '<', '>': '>=', '>=': '>' };
const equalities: Readonly<Record<string, string>> = { '===': '!==', '!==': '===' };
const logic: Readonly<Record<string, string>> = { '&&': '||', '||': '&&' };

export function mutantsOf(file: string, text: string): readonly Mutant[] {
  const { program, errors } = parseSync(file, text);
  if (errors.length > 0) throw new Error(`${file}: ${errors[0]!.message}`);
  const mutants: Mutant[] = [];
  const add = (operator: Mutant['operator'], { start, end }: { start: number; end: number }, by: string) => {
    const line = text.slice(0, start).split('\n').length;
    mutants.push({
      file,
      start,
      end,
      line,
      source: text.split('\n')[line - 1]!,
      operator,
      was: text.slice(start, end),
      by,
    });
  };
  const idles = new Set<Node>();
  const source = (at: Node) => text.slice(at.start, at.end);
  walk(program as unknown as Node, (node, parent) => {
    const of = (field: string) => node[field] as Node;
    const idle = isFunction(node) ? lastOf(of('body')) : undefined;
    if (idle?.type === 'ReturnStatement' && isUndefined(idle.argument as Node | null)) idles.add(idle);
    if (droppable.has(node.type) && !isAllOf(node, parent) && !idles.has(node)) add('dropped', node, ';');
    if (tested.has(node.type) && node.test !== null) add('negated', of('test'), `!(${source(of('test'))})`);
    if (node.type === 'LogicalExpression' || node.type === 'BinaryExpression') {
      const sign = node.operator as string;
      const other = bounds[sign] ?? equalities[sign] ?? logic[sign];
      // A whole condition has been negated already.
      if (other === undefined || (sign in equalities && tested.has(parent.type) && parent.test === node))
        return;
      const kind = sign in bounds ? 'bound' : sign in logic ? 'and-or' : 'negated';
      const gap = { start: of('left').end, end: of('right').start };
      add(kind, gap, text.slice(gap.start, gap.end).replace(sign, other));
    }
    if (node.type === 'Literal' && typeof node.value === 'number') {
      add('constant', node, String(node.value + 1));
      add('constant', node, `(${node.value - 1})`);
    }
  });
  return mutants;
}

const tested = new Set(['IfStatement', 'ConditionalExpression', 'WhileStatement', 'ForStatement']);
const droppable = new Set([
  ...['ExpressionStatement', 'ThrowStatement', 'ReturnStatement', 'BreakStatement', 'ContinueStatement'],
  ...['IfStatement', 'ForStatement', 'ForOfStatement', 'WhileStatement'],
]);

/** Whether the statement is all that its `if` is for: without it the `if` is as good as dropped. */
const isAllOf = (node: Node, parent: Node): boolean =>
  parent.type === 'IfStatement' && parent.alternate === null && parent.consequent === node;

/** At the end of a function `return undefined` says what happens anyway. */
const isFunction = (node: Node): boolean => node.type.includes('Function') && node.body !== null;
const lastOf = (body: Node): Node | undefined =>
  body.type === 'BlockStatement' ? (body.body as readonly Node[]).at(-1) : undefined;
const isUndefined = (value: Node | null): boolean => value === null || value.name === 'undefined';

/** Types are not walked: they are gone when the code runs. */
function walk(node: Node, visit: (node: Node, parent: Node) => void, parent: Node = node): void {
  if (
    node.type.startsWith('TS') &&
    !['TSAsExpression', 'TSNonNullExpression', 'TSSatisfiesExpression'].includes(node.type)
  )
    return;
  if (node.type === 'ImportDeclaration') return;
  visit(node, parent);
  for (const value of Object.values(node)) {
    for (const child of Array.isArray(value) ? value : [value]) {
      if (child !== null && typeof child === 'object' && typeof (child as Node).type === 'string')
        walk(child as Node, visit, node);
    }
  }
}

export const mutated = (text: string, mutant: Mutant): string =>
  text.slice(0, mutant.start) + mutant.by + text.slice(mutant.end);
