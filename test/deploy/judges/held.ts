// Negative control of the table: what of the policies no question holds. Each statement, each condition and its values, and each action is
// taken out, and each resource is widened; where every answer stays as it was, the table would not notice its loss.
import type { Policy, PolicyStatement } from '../support/policy.ts';
import { type Case, ourVerdict } from './question.ts';

type Mutable = Readonly<Record<string, unknown>>;
interface Mutant {
  readonly what: string;
  readonly statement: PolicyStatement | undefined;
}

const many = (value: string | readonly string[]): readonly string[] => [value].flat();
const without = (record: Mutable, key: string): Mutable =>
  Object.fromEntries(Object.entries(record).filter(([name]) => name !== key));

/** Every statement with one thing less. */
function* mutantsOf(statement: PolicyStatement): Generator<Mutant> {
  const changed = (what: string, change: Mutable): Mutant => ({
    what,
    statement: { ...statement, ...change } as PolicyStatement,
  });
  yield { what: 'the statement', statement: undefined };
  for (const part of ['Action', 'Resource'] as const) {
    const values = many(statement[part]);
    if (values.length > 1)
      for (const value of values) yield changed(value, { [part]: values.filter((other) => other !== value) });
  }
  // A resource's own policy is about itself, whatever it says.
  if (statement.Principal === undefined && !many(statement.Resource).includes('*'))
    yield changed('the resource', { Resource: '*' });
  for (const [operator, keys] of Object.entries(statement.Condition ?? {}))
    for (const [key, wanted] of Object.entries(keys)) {
      const rest = without(keys, key);
      const Condition = without(statement.Condition!, operator);
      yield changed(`${operator} ${key}`, {
        Condition: Object.keys(rest).length === 0 ? Condition : { ...Condition, [operator]: rest },
      });
      const values = many(wanted);
      if (values.length > 1)
        for (const value of values) {
          const fewer = { ...keys, [key]: values.filter((other) => other !== value) };
          yield changed(`${operator} ${key} ${value}`, { Condition: { ...Condition, [operator]: fewer } });
        }
    }
}

/** Where a policy is attached: the same place has other policies with other parameters of the stack. */
interface Attached {
  readonly place: string;
  readonly policy: Policy;
}
function attachedOf({ principal, resourcePolicy, things }: Case): readonly Attached[] {
  const { arn, policies, scp } = principal;
  return [
    ...policies.map((policy, at) => ({ place: `${arn.split(/[/:]/).at(-1)} ${at}`, policy })),
    ...(scp === undefined ? [] : [{ place: 'SCP', policy: scp }]),
    ...(resourcePolicy === undefined
      ? []
      : [{ place: things[0]!.arn.split(':')[5]!, policy: resourcePolicy }]),
  ];
}

function withPolicy(asked: Case, was: Policy, now: Policy): Case {
  const changed = (policy: Policy): Policy => (policy === was ? now : policy);
  const { principal, resourcePolicy } = asked;
  return {
    ...asked,
    principal: {
      ...principal,
      policies: principal.policies.map(changed),
      ...(principal.scp === undefined ? {} : { scp: changed(principal.scp) }),
    },
    ...(resourcePolicy === undefined ? {} : { resourcePolicy: changed(resourcePolicy) }),
  };
}

/** `place, Sid: what`, for everything whose loss changes no answer. What only the table's strangers have (`Wide`) is left out. */
export function unheld(cases: readonly Case[]): readonly string[] {
  const [held, all] = [new Set<string>(), new Set<string>()];
  const places = new Map<string, { readonly policy: Policy; readonly cases: Case[] }[]>();
  for (const asked of cases)
    for (const { place, policy } of attachedOf(asked)) {
      const known = places.get(place) ?? [];
      places.set(place, known);
      const same = known.find((one) => one.policy === policy);
      if (same === undefined) known.push({ policy, cases: [asked] });
      else same.cases.push(asked);
    }
  for (const [place, variants] of places)
    for (const { policy, cases: concerned } of variants) {
      const before = concerned.map(ourVerdict);
      for (const [at, statement] of policy.Statement.entries())
        for (const { what, statement: now } of statement.Sid === 'Wide' ? [] : mutantsOf(statement)) {
          const name = `${place}, ${statement.Sid ?? many(statement.Action).join(' ')}: ${what}`;
          all.add(name);
          if (held.has(name)) continue;
          const Statement = policy.Statement.flatMap((other, index) => (index === at ? (now ?? []) : other));
          const mutant = { ...policy, Statement };
          if (concerned.some((asked, i) => ourVerdict(withPolicy(asked, policy, mutant)) !== before[i]))
            held.add(name);
        }
    }
  return [...all].filter((name) => !held.has(name)).sort();
}
