// The judge of policies that we did not write: @cloud-copilot/iam-simulate. It knows of each action which resources and condition keys it
// has, so it also finds a condition that no request could ever meet.
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Verdict } from '../support/policy.ts';
import { ACCOUNT } from '../support/resolve.ts';
import { iamSimulate } from './pinned.ts';
import { accountOf, type Case } from './question.ts';

type Result = 'Allowed' | 'ExplicitlyDenied' | 'ImplicitlyDenied';
interface Simulated {
  readonly resultType: 'single' | 'wildcard' | 'error';
  readonly overallResult?: Result;
  readonly errors?: { readonly message: string };
}
type Simulate = (simulation: object, options: object) => Promise<Simulated>;

const verdicts: Readonly<Record<Result, Verdict>> = {
  Allowed: 'allowed',
  ExplicitlyDenied: 'denied explicitly',
  ImplicitlyDenied: 'denied',
};
const everything = { Version: '2012-10-17', Statement: [{ Effect: 'Allow', Action: '*', Resource: '*' }] };

/** Of a call that touches several things each has to be allowed, as with our own evaluator. */
export async function iamJudge(): Promise<(asked: Case) => Promise<Verdict | `error: ${string}`>> {
  const entry = pathToFileURL(join(await iamSimulate(), 'dist', 'esm', 'index.js')).href;
  const { runSimulation } = (await import(entry)) as { runSimulation: Simulate };
  return async (asked) => {
    const each: Verdict[] = [];
    for (const thing of asked.things) {
      const on = (one: Case['things'][number]) => runSimulation(simulationOf(asked, one), {});
      let answer = await on(thing);
      // Of an action without resources a policy has to say `*`.
      if (answer.errors?.message === 'must.use.wildcard') answer = await on({ ...thing, arn: '*' });
      const { resultType, overallResult, errors } = answer;
      if (resultType === 'error' || overallResult === undefined) return `error: ${errors?.message}`;
      each.push(verdicts[overallResult]);
    }
    if (each.includes('denied explicitly')) return 'denied explicitly';
    return each.every((verdict) => verdict === 'allowed') ? 'allowed' : 'denied';
  };
}

function simulationOf(
  { principal, action, context, resourcePolicy }: Case,
  thing: Case['things'][number],
): object {
  const named = (policy: object, name: string) => ({ name, policy: { Version: '2012-10-17', ...policy } });
  const scps = principal.scp === undefined ? [] : [named(principal.scp, 'sample')];
  return {
    request: {
      principal: sessionOf(principal),
      action,
      resource: { resource: thing.arn, accountId: accountOf(thing) },
      contextVariables: { ...context, ...thing.keys },
    },
    identityPolicies: principal.policies.map((policy, at) => named(policy, `policy ${at}`)),
    serviceControlPolicies: [{ orgIdentifier: 'r-root', policies: [named(everything, 'full'), ...scps] }],
    resourceControlPolicies: [],
    ...(resourcePolicy === undefined ? {} : { resourcePolicy: { Version: '2012-10-17', ...resourcePolicy } }),
  };
}

/** A role speaks through a session. */
function sessionOf({ arn, userid, service }: Case['principal']): string {
  if (service === true || !arn.includes(':role/')) return arn;
  const [, account = ACCOUNT, name] = /^arn:aws:iam::(\d+):role\/(?:.*\/)?([^/]+)$/.exec(arn) ?? [];
  return `arn:aws:sts::${account}:assumed-role/${name}/${userid.split(':')[1]}`;
}
