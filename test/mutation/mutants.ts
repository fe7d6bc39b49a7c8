// Mutants: the fixed set of operators of issue 4, applied mechanically to every place of a file: a condition negated,
// `<` and `<=` exchanged, `&&` and `||` exchanged, a statement dropped, a constant one more or one less. One at a time.
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
  walk(program as unknown as Node, (node) => {
    const of = (field: string) => node[field] as Node;
    const source = (at: Node) => text.slice(at.start, at.end);
    switch (node.type) {
      case 'IfStatement':
      case 'ConditionalExpression':
      case 'WhileStatement':
        add('negated', of('test'), `!(${source(of('test'))})`);
        if (node.type === 'IfStatement' && node.alternate === null) add('dropped', node, ';');
        break;
      case 'ExpressionStatement':
      case 'ThrowStatement':
        add('dropped', node, ';');
        break;
      case 'LogicalExpression':
      case 'BinaryExpression': {
        const sign = node.operator as string;
        const other = bounds[sign] ?? equalities[sign] ?? logic[sign];
        if (other === undefined) break;
        const kind = sign in bounds ? 'bound' : sign in logic ? 'and-or' : 'negated';
        const gap = { start: of('left').end, end: of('right').start };
        const between = text.slice(gap.start, gap.end);
        add(kind, gap, between.replace(sign, other));
        break;
      }
      case 'Literal':
        if (typeof node.value === 'number') {
          add('constant', node, String((node.value as number) + 1));
          add('constant', node, `(${(node.value as number) - 1})`);
        }
        break;
      default:
    }
  });
  return mutants;
}

/** Types are not walked: they are gone when the code runs. */
function walk(node: Node, visit: (node: Node) => void): void {
  if (
    node.type.startsWith('TS') &&
    !['TSAsExpression', 'TSNonNullExpression', 'TSSatisfiesExpression'].includes(node.type)
  )
    return;
  if (node.type === 'ImportDeclaration') return;
  visit(node);
  for (const value of Object.values(node)) {
    for (const child of Array.isArray(value) ? value : [value]) {
      if (child !== null && typeof child === 'object' && typeof (child as Node).type === 'string')
        walk(child as Node, visit);
    }
  }
}

export const mutated = (text: string, mutant: Mutant): string =>
  text.slice(0, mutant.start) + mutant.by + text.slice(mutant.end);
