// No logic on sentences: a program decides by a key, a kind, a code or a typed field. Text is made from these where a
// person reads, so that its wording can be improved without a change of behaviour (docs/decisions/0028).
//
// What is seen: a comparison with words in a literal; a search for words in a text; any search in something that is called
// a message, a why, a reason; ids that are split again at a blank; `x === undefined ? {} : {…}`, which is defined()'s.
// Limit: words that come from another file, a parameter or a field are not seen.
import { lineAt, type Node, type Source, treeOf, walk } from './sources.ts';

interface Exception {
  readonly path: string;
  /** The flagged source, or its beginning. */
  readonly code: string;
  readonly because: string;
}

const lineOf = (program: string) => `a line that ${program} prints, which is all that it gives`;

/** Each has to be needed: one that nothing is found for is a complaint itself. */
export const exceptions: readonly Exception[] = [
  {
    path: 'shared/aws/error-codes.ts',
    code: 'noRouteText.test(',
    because: 'EC2 answers a missing route with the code of every wrong parameter; only its text differs',
  },
  {
    path: 'cli/command/aws-errors.ts',
    code: 'hint.words?.test(message)',
    because:
      'the SDK has no code for a missing Region, nor DynamoDB for a missing index; only advice hangs on it',
  },
  {
    path: 'cli/command/print/fit.ts',
    code: "text.split(' ')",
    because: 'it wraps text in the columns of a table',
  },
  {
    path: 'build/sdk-plugins.ts',
    code: 'source.matchAll(',
    because: 'JavaScript of the SDK’s, read as such',
  },
  {
    path: 'build/template-check.ts',
    code: "/'(\\w+)'/.exec(message)",
    because: 'the checker of templates names the resource in its message alone',
  },
  {
    path: 'shared/instants.ts',
    code: 'MOMENT.exec(',
    because: 'the form of an instant: its date and time may have a blank between',
  },
  { path: 'lab/netns/scenario/batch.ts', code: 'FAILED_LINE.exec(', because: lineOf('ip or nft') },
  { path: 'lab/aws/python.ts', code: '/No module named', because: lineOf('Python') },
  { path: 'lab/demo/node.ts', code: "said.includes('reading ')", because: lineOf('the shim') },
  { path: 'lab/shim/node.ts', code: '/^VmRSS:', because: lineOf('the kernel') },
  { path: 'lab/netns/node/client.ts', code: "line.split(' ')", because: lineOf('the probe') },
  {
    path: 'lab/netns/sandbox/machine.ts',
    code: "readFileSync('/proc/uptime'",
    because: lineOf('the kernel'),
  },
  { path: 'lab/netns/sandbox/machine.ts', code: "text === 'machine up'", because: lineOf('a machine') },
  {
    path: 'lab/shim/signature.ts',
    code: '/^AWS4-HMAC-SHA256',
    because: 'a header of Signature Version 4, whose parts a blank separates',
  },
  {
    path: 'live/assumptions/script.ts',
    code: '/VIPSHIFT switched',
    because: lineOf('the script on the instance'),
  },
  {
    path: 'live/assumptions/script.ts',
    code: '/VIPSHIFT keys',
    because: lineOf('the script on the instance'),
  },
  {
    path: 'live/local/emulated-machines.ts',
    code: "words.split(' ')",
    because: 'arguments of a command line',
  },
  { path: 'live/machines.ts', code: "line.split(' ')", because: lineOf('the probe') },
  {
    path: 'live/teardown/absence.ts',
    code: '/does not exist/.test(error.message)',
    because: 'CloudFormation answers a missing stack with the code of every wrong request',
  },
];

/** A blank beside a letter: words, not a separator. */
const WORDS = /[A-Za-z’'] | [A-Za-z]/;
/** What is called so is written for people. */
const PROSE = /^(?:message|why|reason|cause|detail|remedy|note|said|sentence)$/;
const WORD = /[A-Za-z]{3}/;
const searches = new Set([
  'startsWith',
  'endsWith',
  'includes',
  'indexOf',
  'match',
  'matchAll',
  'search',
  'split',
]);
const tests = new Set(['test', 'exec']);

const isNode = (value: unknown): value is Node =>
  typeof value === 'object' && value !== null && typeof (value as Node).type === 'string';

/** The text of a literal, of a template's fixed parts, or of a pattern. */
function literalOf(node: unknown): string | undefined {
  if (!isNode(node)) return undefined;
  if (node.type === 'Literal') {
    const { regex } = node as unknown as { readonly regex?: { readonly pattern: string } };
    if (regex !== undefined) return regex.pattern;
    return typeof node.value === 'string' ? node.value : undefined;
  }
  if (node.type !== 'TemplateLiteral') return undefined;
  const quasis = node.quasis as readonly { readonly value: { readonly raw: string } }[];
  return quasis.map((q) => q.value.raw).join('…');
}

/** `why` of `why`, `error.message` and `failover.why`. */
function nameOf(node: unknown): string | undefined {
  if (!isNode(node)) return undefined;
  if (node.type === 'ChainExpression') return nameOf(node.expression);
  if (node.type === 'MemberExpression') return nameOf(node.property);
  return node.type === 'Identifier' ? (node.name as string) : undefined;
}

const isWords = (node: unknown): boolean => WORDS.test(literalOf(node) ?? '');

/** Patterns that the file has given a name. */
function patternsOf(tree: Node): ReadonlyMap<string, string> {
  const found = new Map<string, string>();
  walk(tree, (node) => {
    if (node.type !== 'VariableDeclarator' || !isNode(node.init) || node.init.regex === undefined) return;
    found.set(nameOf(node.id) ?? '', literalOf(node.init)!);
  });
  return found;
}

const isProse = (node: unknown): boolean => PROSE.test(nameOf(node) ?? '');

function decidesByWords(node: Node, patterns: ReadonlyMap<string, string>): boolean {
  if (node.type === 'SwitchCase') return isWords(node.test);
  if (node.type === 'BinaryExpression')
    return /^[!=]==?$/.test(node.operator as string) && (isWords(node.left) || isWords(node.right));
  if (node.type !== 'CallExpression' || !isNode(node.callee)) return false;
  const { callee } = node;
  const [given] = node.arguments as readonly unknown[];
  if (callee.type !== 'MemberExpression') return false;
  const method = nameOf(callee.property) ?? '';
  if (tests.has(method)) {
    const named = WORDS.test(patterns.get(nameOf(callee.object) ?? '') ?? '');
    return named || isWords(callee.object) || isProse(given);
  }
  if (!searches.has(method)) return false;
  const said = isProse(callee.object) && WORD.test(literalOf(given) ?? '');
  return said || isWords(given) || isSplitAtBlank(method, given);
}

const isSplitAtBlank = (method: string, given: unknown): boolean =>
  method === 'split' && literalOf(given) === ' ';

function isAbsence(node: Node): boolean {
  if (node.type !== 'ConditionalExpression' || !isNode(node.test) || !isNode(node.consequent)) return false;
  const { operator, right } = node.test as { readonly operator?: string; readonly right?: unknown };
  const empty =
    node.consequent.type === 'ObjectExpression' && (node.consequent.properties as unknown[]).length === 0;
  return operator === '===' && nameOf(right) === 'undefined' && empty;
}

interface Found {
  readonly at: string;
  readonly path: string;
  readonly code: string;
  readonly want: string;
}

function foundIn(source: Source): readonly Found[] {
  const found: Found[] = [];
  const tree = treeOf(source);
  const patterns = patternsOf(tree);
  walk(tree, (node) => {
    const want = decidesByWords(node, patterns)
      ? 'a decision by a key, a kind or a code'
      : isAbsence(node)
        ? 'defined() or ifDefined() of shared/optional.ts'
        : undefined;
    if (want === undefined) return;
    const code = source.text.slice(node.start, node.end as number).replace(/\s+/g, ' ');
    found.push({ at: `${source.path}:${lineAt(source.text, node.start)}`, path: source.path, code, want });
  });
  return found;
}

/** `allowed` are the exceptions; those that are not needed are told, too. */
export function sentenceComplaints(
  sources: readonly Source[],
  allowed: readonly Exception[] = exceptions,
): readonly string[] {
  const needed = new Set<Exception>();
  const complaints = sources.flatMap(foundIn).flatMap(({ at, path, code, want }) => {
    const exception = allowed.find((e) => e.path === path && code.startsWith(e.code));
    if (exception !== undefined) needed.add(exception);
    return exception === undefined ? [`${at}: ${code.slice(0, 120)}, expected ${want}`] : [];
  });
  const idle = allowed.filter((e) => !needed.has(e));
  return [...complaints, ...idle.map((e) => `the exception for ${e.code} in ${e.path} is not needed`)];
}
