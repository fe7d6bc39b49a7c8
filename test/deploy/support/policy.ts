// An evaluator for the part of IAM's policy language that our policies use: statements, actions and resources with wildcards, principals,
// and the condition operators below. An explicit deny wins, then an allow in any policy; nothing said is a deny (IAM user guide, "Policy
// evaluation logic"). A condition operator or a policy element that it does not know fails the test instead of being skipped.
//
// Limit: one account; no permission boundaries, sessions or VPC endpoints.

export interface PolicyStatement {
  readonly Sid?: string;
  readonly Effect: 'Allow' | 'Deny';
  readonly Principal?: unknown;
  readonly Action: string | readonly string[];
  readonly Resource: string | readonly string[];
  readonly Condition?: Readonly<Record<string, Readonly<Record<string, string | readonly string[]>>>>;
}
export interface Policy {
  readonly Statement: readonly PolicyStatement[];
}

export interface Question {
  readonly action: string;
  /** Every resource that the call touches: each has to be allowed. */
  readonly resources: readonly string[];
  /** Condition keys, in any case. Keys of one resource (its tags) go with `of`. */
  readonly context?: Readonly<Record<string, string | readonly string[]>>;
  readonly of?: Readonly<Record<string, Readonly<Record<string, string>>>>;
}

export type Verdict = 'allowed' | 'denied' | 'denied explicitly';

/** What IAM says when all these policies apply to the caller: its own, the resource's, the organisation's. */
export function evaluate(policies: readonly Policy[], question: Question): Verdict {
  const verdicts = question.resources.map((resource) => evaluateOne(policies, question, resource));
  if (verdicts.includes('denied explicitly')) return 'denied explicitly';
  return verdicts.every((v) => v === 'allowed') ? 'allowed' : 'denied';
}

function evaluateOne(policies: readonly Policy[], question: Question, resource: string): Verdict {
  const context = lowerKeys({ ...question.context, ...question.of?.[resource] });
  const applying = policies
    .flatMap((policy) => policy.Statement)
    .filter((s) => matches(s, question.action, resource, context));
  if (applying.some((s) => s.Effect === 'Deny')) return 'denied explicitly';
  return applying.some((s) => s.Effect === 'Allow') ? 'allowed' : 'denied';
}

type Context = Readonly<Record<string, readonly string[]>>;

const known = new Set(['Sid', 'Effect', 'Principal', 'Action', 'Resource', 'Condition']);

function matches(s: PolicyStatement, action: string, resource: string, context: Context): boolean {
  const strange = Object.keys(s).filter((key) => !known.has(key));
  if (strange.length > 0) throw new Error(`the evaluator does not know ${strange.join(', ')}`);
  return (
    list(s.Action).some((a) => like(a.toLowerCase(), action.toLowerCase())) &&
    list(s.Resource).some((r) => like(r, resource)) &&
    Object.entries(s.Condition ?? {}).every(([operator, keys]) =>
      Object.entries(keys).every(([key, wanted]) =>
        holds(operator, context[key.toLowerCase()], withVariables(list(wanted), context)),
      ),
    )
  );
}

const compare: Readonly<Record<string, (wanted: string, found: string) => boolean>> = {
  StringEquals: (wanted, found) => wanted === found,
  StringLike: like,
  ArnEquals: like,
  ArnLike: like,
};

function holds(operator: string, found: readonly string[] | undefined, wanted: readonly string[]): boolean {
  if (operator === 'Null') return wanted.includes(String(found === undefined));
  const [quantifier, base = quantifier!] = operator.includes(':')
    ? operator.split(':')
    : [undefined, operator];
  const negated = /^(String|Arn)Not/.test(base);
  const test = compare[base.replace('Not', '')];
  if (test === undefined) throw new Error(`the evaluator does not know the condition operator ${operator}`);
  const any = (value: string) => wanted.some((w) => test(w, value));
  const one = (value: string) => (negated ? !any(value) : any(value));
  // Without the key ForAllValues holds, ForAnyValue does not, and of the plain operators only the negated ones do.
  if (found === undefined) return quantifier === 'ForAllValues' || (quantifier === undefined && negated);
  return quantifier === 'ForAnyValue' ? found.some(one) : found.every(one);
}

/** `${aws:userid}` in a policy stands for what the context says; without it nothing matches. */
const withVariables = (values: readonly string[], context: Context): readonly string[] =>
  values.map((value) =>
    value.replace(/\$\{([^}]+)\}/g, (_, key: string) => context[key.toLowerCase()]?.[0] ?? '\u0000'),
  );

function like(pattern: string, text: string): boolean {
  const source = pattern
    .replace(/[.+^$()|[\]{}\\]/g, '\\$&')
    .replace(/\*/g, '.*')
    .replace(/\?/g, '.');
  return new RegExp(`^${source}$`, 's').test(text);
}

const list = (value: string | readonly string[]): readonly string[] =>
  typeof value === 'string' ? [value] : value;

const lowerKeys = (context: Readonly<Record<string, string | readonly string[]>>): Context =>
  Object.fromEntries(Object.entries(context).map(([key, value]) => [key.toLowerCase(), list(value)]));
