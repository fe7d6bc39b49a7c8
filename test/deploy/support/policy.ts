// An evaluator for the part of IAM's policy language that our policies use: statements, actions and resources with wildcards, principals,
// and the condition operators below. An explicit deny wins, then an allow in any policy; nothing said is a deny (IAM user guide, "Policy
// evaluation logic"). A condition operator or a policy element that it does not know fails the test instead of being skipped.
//
// Keys that a request does not have: Null asks for that; a negated operator matches (also in a Deny), every other does not; ForAnyValue
// never holds, ForAllValues always. A variable without a value takes its whole statement out ("Policy variables with no value").
//
// A principal of another account needs an Allow on both sides, its own and the resource's.
//
// Limit: no permission boundaries, sessions or VPC endpoints.

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
  /** The service principal that calls for itself, as `events.amazonaws.com`; without it a principal of the account calls. */
  readonly service?: string;
  /** The caller is of another account than the resource. */
  readonly isForeign?: boolean;
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
    .filter((s) => isMeant(s, question.service) && matches(s, question.action, resource, context));
  if (applying.some((s) => s.Effect === 'Deny')) return 'denied explicitly';
  const allowing = applying.filter((s) => s.Effect === 'Allow');
  const isAllowed =
    question.isForeign === true
      ? allowing.some((s) => s.Principal === undefined) && allowing.some((s) => s.Principal !== undefined)
      : allowing.length > 0;
  return isAllowed ? 'allowed' : 'denied';
}

/** An identity's own policy has no Principal; a resource's names everybody, or a service. */
function isMeant({ Principal: who }: PolicyStatement, service: string | undefined): boolean {
  if (who === undefined) return service === undefined;
  if (who === '*') return true;
  const { Service, ...others } = who as Readonly<Record<string, string | readonly string[]>>;
  if (Service === undefined || Object.keys(others).length > 0)
    throw new Error(`the evaluator does not know the principal ${JSON.stringify(who)}`);
  return service !== undefined && list(Service).includes(service);
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
      Object.entries(keys).every(([key, wanted]) => {
        const values = withVariables(list(wanted), context);
        return values !== undefined && holds(operator, context[key.toLowerCase()], values);
      }),
    )
  );
}

const compare: Readonly<Record<string, (wanted: string, found: string) => boolean>> = {
  StringEquals: (wanted, found) => wanted === found,
  StringLike: like,
  Bool: (wanted, found) => wanted.toLowerCase() === found.toLowerCase(),
  ArnEquals: arnLike,
  ArnLike: arnLike,
};

function holds(operator: string, found: readonly string[] | undefined, wanted: readonly string[]): boolean {
  if (operator === 'Null') return wanted.includes(String(found === undefined));
  const [quantifier, full = quantifier!] = operator.includes(':')
    ? operator.split(':')
    : [undefined, operator];
  const base = full.replace(/IfExists$/, '');
  if (found === undefined && base !== full) return true;
  const negated = /^(String|Arn)Not/.test(base);
  const test = compare[base.replace('Not', '')];
  if (test === undefined) throw new Error(`the evaluator does not know the condition operator ${operator}`);
  const any = (value: string) => wanted.some((w) => test(w, value));
  const one = (value: string) => (negated ? !any(value) : any(value));
  // Without the key ForAllValues holds, ForAnyValue does not, and of the plain operators only the negated ones do.
  if (found === undefined) return quantifier === 'ForAllValues' || (quantifier === undefined && negated);
  return quantifier === 'ForAnyValue' ? found.some(one) : found.every(one);
}

const VARIABLE = /\$\{([^}]+)\}/g;

/** `${aws:userid}` in a policy stands for what the context says; undefined where the context does not. */
function withVariables(values: readonly string[], context: Context): readonly string[] | undefined {
  const valueFor = (key: string) => context[key.toLowerCase()]?.[0];
  if (values.some((value) => [...value.matchAll(VARIABLE)].some(([, key]) => valueFor(key!) === undefined)))
    return undefined;
  return values.map((value) => value.replace(VARIABLE, (_, key: string) => valueFor(key)!));
}

/** Wildcards do not reach across the first five colons (IAM user guide, "Amazon Resource Name (ARN) condition operators"). */
function arnLike(pattern: string, text: string): boolean {
  const parts = (arn: string) => {
    const [a, b, c, d, e, ...rest] = arn.split(':');
    return [a, b, c, d, e, rest.join(':')];
  };
  const found = parts(text);
  return parts(pattern).every((part, at) => like(part ?? '', found[at] ?? ''));
}

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
