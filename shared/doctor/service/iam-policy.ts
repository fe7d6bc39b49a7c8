// Just enough of IAM's policy language to tell whether a role may send claims to the bus, and whether a policy denies
// everybody else. Pure.
//
// Limit: identity and resource policies, and a permissions boundary; session and service control policies are not looked
// at. A condition on a key that the call does not tell is unsure.

/** Whom a statement of a resource policy is about. */
type Named = string | Readonly<Record<string, string | readonly string[]>>;

export interface Statement {
  readonly Sid?: string;
  readonly Effect?: string;
  readonly Action?: string | readonly string[];
  readonly NotAction?: string | readonly string[];
  readonly Resource?: string | readonly string[];
  readonly NotResource?: string | readonly string[];
  readonly Principal?: Named;
  readonly NotPrincipal?: Named;
  readonly Condition?: Readonly<
    Record<string, Readonly<Record<string, string | boolean | readonly string[]>>>
  >;
}
export interface Policy {
  readonly Version?: string;
  readonly Statement?: Statement | readonly Statement[];
}

/** Undefined when the text is no policy. IAM hands documents out URL-encoded. */
export function policyFrom(text: string | undefined): Policy | undefined {
  if (text === undefined || text === '') return undefined;
  try {
    const plain = text.startsWith('%') ? decodeURIComponent(text) : text;
    const parsed: unknown = JSON.parse(plain);
    return typeof parsed === 'object' && parsed !== null ? (parsed as Policy) : undefined;
  } catch {
    return undefined;
  }
}

export const statements = (policy: Policy | undefined): readonly Statement[] =>
  policy?.Statement === undefined ? [] : ([policy.Statement].flat() as readonly Statement[]);

const many = (value: string | boolean | readonly string[] | undefined): readonly string[] =>
  value === undefined ? [] : typeof value === 'object' ? value : [String(value)];

/** `*` and `?` as IAM reads them, without regard to case where `loose`. */
export function like(pattern: string, text: string, loose = false): boolean {
  const escaped = pattern
    .replace(/[.+^${}()|[\]\\]/g, '\\$&')
    .replaceAll('*', '.*')
    .replaceAll('?', '.');
  return new RegExp(`^${escaped}$`, loose ? 'i' : '').test(text);
}

export interface Call {
  readonly action: string;
  readonly resource: string;
  /** Lower-case keys. */
  readonly context: Readonly<Record<string, string>>;
}

function speaksOf(statement: Statement, call: Call): boolean {
  const action = many(statement.Action).some((p) => like(p, call.action, true));
  const notAction =
    statement.NotAction !== undefined && !many(statement.NotAction).some((p) => like(p, call.action, true));
  const resource =
    statement.Resource === undefined || many(statement.Resource).some((p) => like(p, call.resource));
  const except = many(statement.NotResource).some((p) => like(p, call.resource));
  return (action || notAction) && resource && !except && namesCaller(statement, call);
}

/** An identity policy’s statement names no one: it is about those who have it. */
function namesCaller({ Principal, NotPrincipal }: Statement, call: Call): boolean {
  const caller = call.context['aws:principalarn'];
  const isNamed = (named: Named): boolean =>
    namedIn(named).some(({ kind, name }) => name === '*' || (kind === 'AWS' && isCaller(name, caller)));
  if (NotPrincipal !== undefined) return !isNamed(NotPrincipal);
  return Principal === undefined || isNamed(Principal);
}

/** By its ARN, its account, or the session of its role. */
function isCaller(name: string, caller: string | undefined): boolean {
  if (caller === undefined) return false;
  const account = caller.split(':')[4];
  if (name === caller || name === account) return true;
  const [, , service, , ofAccount, what = ''] = name.split(':');
  if (ofAccount !== account) return false;
  if (service === 'iam') return what === 'root';
  const [kind, role] = what.split('/');
  return service === 'sts' && kind === 'assumed-role' && caller.split('/').at(-1) === role;
}

/** Conditions on keys of which the call tells; others cannot be judged. */
function holds(statement: Statement, call: Call): boolean | undefined {
  let unsure = false;
  for (const [operator, keys] of Object.entries(statement.Condition ?? {})) {
    const test = operator.replace(/^(ForAnyValue|ForAllValues):/, '').replace(/IfExists$/, '');
    for (const [key, wanted] of Object.entries(keys)) {
      const found = call.context[key.toLowerCase()];
      if (test === 'Null') {
        if ((found === undefined) !== many(wanted).includes('true')) return false;
        continue;
      }
      if (found === undefined) {
        unsure = true;
        continue;
      }
      const any = many(wanted).some((w) =>
        test.endsWith('Like') || test.startsWith('Arn')
          ? like(withVariables(w, call), found)
          : withVariables(w, call) === found,
      );
      const met = test.includes('Not') ? !any : any;
      if (!met) return false;
    }
  }
  return unsure ? undefined : true;
}

/** `${aws:userid}` and its kind. */
const withVariables = (text: string, call: Call): string =>
  text.replace(/\$\{([^}]+)\}/g, (whole, key: string) => call.context[key.toLowerCase()] ?? whole);

/** `true` where a statement of that effect is met, undefined where one might be, by a condition that cannot be judged. */
function meets(policies: readonly Policy[], effect: 'Allow' | 'Deny', call: Call): boolean | undefined {
  const found = policies
    .flatMap(statements)
    .filter((s) => s.Effect === effect && speaksOf(s, call))
    .map((s) => holds(s, call));
  return found.includes(true) || (found.includes(undefined) ? undefined : false);
}

/** A Deny that cannot be judged counts as not met, an Allow neither. */
export const allows = (policies: readonly Policy[], call: Call): boolean =>
  meets(policies, 'Deny', call) !== true && meets(policies, 'Allow', call) === true;

export interface Rights {
  readonly policies: readonly Policy[];
  /** What the rights end at, whatever the policies allow. */
  readonly boundary?: Policy;
}

/** Undefined where it depends on a condition that cannot be judged. */
export function may({ policies, boundary }: Rights, call: Call): boolean | undefined {
  const denied = meets([...policies, ...(boundary === undefined ? [] : [boundary])], 'Deny', call);
  const allowed = [policies, ...(boundary === undefined ? [] : [[boundary]])].map((one) =>
    meets(one, 'Allow', call),
  );
  if (denied === true || allowed.includes(false)) return false;
  return denied === undefined || allowed.includes(undefined) ? undefined : true;
}

/** Whether a resource policy denies the call, whatever else allows it. */
export const denies = (policy: Policy | undefined, call: Call): boolean =>
  policy !== undefined && meets([policy], 'Deny', call) === true;

/** The sources that a statement asks for; none where it asks for none. */
export const sourceArns = ({ Condition = {} }: Statement): readonly string[] =>
  Object.values(Condition).flatMap((keys) =>
    Object.entries(keys).flatMap(([key, value]) =>
      key.toLowerCase() === 'aws:sourcearn' ? many(value) : [],
    ),
  );

export interface Principal {
  /** `Service`, `AWS`, `Federated`; undefined for everybody, which a policy writes as `*`. */
  readonly kind?: string;
  readonly name: string;
}

/** As people read it: `Service ec2.amazonaws.com`. */
export const principalText = ({ kind, name }: Principal): string =>
  kind === undefined ? name : `${kind} ${name}`;

/** Principals that a trust policy lets in. */
export const trusted = (policy: Policy | undefined): readonly Principal[] =>
  statements(policy)
    .filter((s) => s.Effect === 'Allow')
    .flatMap(({ Principal: who, NotPrincipal: others }) =>
      others === undefined ? (who === undefined ? [] : namedIn(who)) : [{ name: '*' }],
    );

const namedIn = (named: Named): readonly Principal[] =>
  typeof named === 'string'
    ? [{ name: named }]
    : Object.entries(named).flatMap(([kind, names]) => many(names).map((name) => ({ kind, name })));
