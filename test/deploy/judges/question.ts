// One row of the table, and how its words become what a judge is asked.

import { evaluate, type Policy, type Verdict } from '../support/policy.ts';
import { ACCOUNT, resolve, withParameters } from '../support/resolve.ts';
import type { Template } from '../support/template.ts';
import { type Principal, principalsOf, type Who } from './principals.ts';
import { type On, type Thing, things } from './things.ts';

export interface Row {
  readonly who: Who;
  /** The IAM action. */
  readonly what: string;
  /** Everything that the call touches: each has to be allowed. */
  readonly on: On | readonly On[];
  /** What the request says of itself; the principal's own keys and those of the thing are added. */
  readonly session?: Readonly<Record<string, string | readonly string[]>>;
  /** Parameters of the stack that are not the defaults. */
  readonly stack?: Readonly<Record<string, string>>;
  readonly expected: Verdict;
  /** Allowed, though it is no honest party's: a limit that is documented. */
  readonly tolerated?: true;
  /** Where the other judge answers otherwise, and why that is no finding. */
  readonly other?: { readonly expected: Verdict; readonly why: string };
}

/** All that a judge has to know. */
export interface Case {
  readonly principal: Principal;
  readonly action: string;
  readonly things: readonly Thing[];
  readonly context: Readonly<Record<string, string | readonly string[]>>;
  readonly resourcePolicy?: Policy;
}

export function caseOf(template: Template, row: Row): Case {
  const { principals, resourcePolicies } = policiesOf(template, row.stack ?? {});
  const principal: Principal = principals[row.who];
  const touched = [row.on].flat() as readonly On[];
  const own = principal.service
    ? { 'aws:PrincipalIsAWSService': 'true', 'aws:PrincipalServiceName': principal.arn }
    : {
        ...{ 'aws:PrincipalArn': principal.arn, 'aws:PrincipalAccount': principal.arn.split(':')[4]! },
        ...{ 'aws:userid': principal.userid, 'aws:PrincipalIsAWSService': 'false' },
      };
  const policy = resourcePolicies[touched[0]!];
  return {
    principal,
    action: row.what,
    things: touched.map((name): Thing => things[name]),
    context: { ...own, ...row.session },
    ...(policy === undefined ? {} : { resourcePolicy: policy }),
  };
}

interface Policies {
  readonly principals: ReturnType<typeof principalsOf>;
  readonly resourcePolicies: Readonly<Partial<Record<On, Policy>>>;
}
const known = new WeakMap<Template, Map<string, Policies>>();

/** Of the stack with these parameters; each is resolved once. */
function policiesOf(template: Template, parameters: NonNullable<Row['stack']>): Policies {
  const ofTemplate = known.get(template) ?? new Map<string, Policies>();
  known.set(template, ofTemplate);
  const key = JSON.stringify(parameters);
  const found = ofTemplate.get(key);
  if (found !== undefined) return found;
  const stack = withParameters(template, parameters);
  const of = (id: string, property: string) =>
    resolve(stack, stack.Resources[id]!.Properties[property]) as Policy;
  const policies = {
    principals: principalsOf(stack),
    resourcePolicies: {
      bus: of('Bus', 'Policy'),
      'function failures': of('FunctionFailuresPolicy', 'PolicyDocument'),
      'rule dead letters': of('RuleDeadLettersPolicy', 'PolicyDocument'),
      notices: of('NoticesPolicy', 'PolicyDocument'),
      'function failover': permissionsOf(stack, 'FailoverLambdaFunction'),
    },
  };
  ofTemplate.set(key, policies);
  return policies;
}

/** A function's own policy, as Lambda writes it of the permissions for it. */
function permissionsOf(stack: Template, id: string): Policy {
  const own = Object.values(stack.Resources).filter(
    ({ Type, Properties }) =>
      Type === 'AWS::Lambda::Permission' && JSON.stringify(Properties.FunctionName).includes(`"${id}"`),
  );
  return {
    Statement: own.map(({ Properties }) => {
      const { Action, FunctionName, Principal, SourceArn } = resolve(stack, Properties) as Record<
        string,
        string
      >;
      return {
        ...{ Effect: 'Allow', Principal: { Service: Principal! }, Action: Action!, Resource: FunctionName! },
        Condition: { ArnLike: { 'AWS:SourceArn': SourceArn! } },
      };
    }),
  };
}

/** The evaluator of test/deploy/support/policy.ts. */
export function ourVerdict({ principal, action, things: touched, context, resourcePolicy }: Case): Verdict {
  const { policies, scp, service, arn } = principal;
  return evaluate(
    [
      ...policies,
      ...(scp === undefined ? [] : [scp]),
      ...(resourcePolicy === undefined ? [] : [resourcePolicy]),
    ],
    {
      action,
      resources: touched.map((thing) => thing.arn),
      context,
      of: Object.fromEntries(touched.map((thing) => [thing.arn, thing.keys ?? {}])),
      ...(service === true
        ? { service: arn }
        : { isForeign: touched.some((thing) => accountOf(thing) !== arn.split(':')[4]) }),
    },
  );
}

export const isHonest = ({ expected, tolerated }: Row): boolean =>
  expected === 'allowed' && tolerated !== true;

export const textOf = ({ who, what, on, session, stack }: Row): string =>
  [
    `${who}: ${what} on ${[on].flat().join(' and ')}`,
    ...Object.entries(session ?? {}).map(([key, value]) => `${key}=${valuesText([value].flat())}`),
    ...Object.entries(stack ?? {}).map(([key, value]) => `with ${key} ${value}`),
  ].join(', ');

function valuesText(values: readonly string[]): string {
  const once = [...new Set(values)];
  return once.length < values.length ? `${values.length} × ${once.join('|')}` : once.join('|');
}

/** The account of a thing, for judges that ask. */
export const accountOf = (thing: Thing): string => thing.arn.split(':')[4] || ACCOUNT;

type Words = readonly [
  who: Row['who'],
  what: string,
  on: Row['on'],
  expected: Row['expected'],
  more?: Partial<Row>,
];
/** One question, in the order in which it is read. */
export const row = (...[who, what, on, expected, more = {}]: Words): Row => ({
  ...{ who, what, on, expected },
  ...more,
});
