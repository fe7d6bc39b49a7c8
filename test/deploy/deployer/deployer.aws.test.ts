// The deployer's policies, judged: everything that a deployment asks of IAM is allowed, nothing else is, and each part of them is needed.
import { beforeAll, describe, expect, it } from 'vitest';
import { evaluate, type Policy, type Question } from '../support/policy.ts';
import { unused } from './needs.ts';
import { deployerPolicies, whatADeploymentAsks } from './policies.ts';

const policies = Object.values(deployerPolicies());
let asked: Awaited<ReturnType<typeof whatADeploymentAsks>>;
beforeAll(async () => {
  asked = await whatADeploymentAsks();
});

const denied = (by: readonly Policy[], questions: readonly Question[]): readonly string[] =>
  questions
    .filter((question) => evaluate(by, question) !== 'allowed')
    .map(({ action, resources }) => `${action} on ${resources.join(' and ')}`);
const statements = policies.flatMap(({ Statement }) => Statement);
const list = (value: string | readonly string[]): readonly string[] => [value].flat();

describe('the deployer’s policies', () => {
  it('allow all that a deployment asks: its own calls, and those of CloudFormation for each resource', () => {
    expect(asked.questions.length).toBeGreaterThan(400);
    expect(denied(policies, asked.questions)).toEqual([]);
  });

  it('allow no action that a deployment does not ask for', () => {
    const needed = new Set(asked.questions.map(({ action }) => action));
    expect(statements.flatMap(({ Action }) => list(Action)).filter((action) => !needed.has(action))).toEqual(
      [],
    );
  });

  it('name no resource too many: without any one of them something is denied', () => {
    const idle = statements.flatMap((statement) => {
      const resources = list(statement.Resource);
      const concerned = asked.questions.filter(({ action }) => list(statement.Action).includes(action));
      return resources
        .filter((value) => {
          const Resource = resources.filter((other) => other !== value);
          const fewer = policies.map(({ Statement }) => ({
            Statement: Statement.map((one) => (one === statement ? { ...one, Resource } : one)),
          }));
          return denied(fewer, concerned).length === 0;
        })
        .map((value) => `${statement.Sid}: ${value}`);
    });
    expect(idle).toEqual([]);
  });

  it('name the stage’s own things; what IAM knows no resource of is in a statement of its own', () => {
    expect(statements.filter(({ Resource }) => list(Resource).includes('*')).map(({ Sid }) => Sid)).toEqual([
      'NoResource',
    ]);
    const wide = new Set(list(statements.find(({ Sid }) => Sid === 'NoResource')!.Action));
    const elsewhere = asked.questions
      .filter(({ action }) => !wide.has(action))
      .map((question) => ({
        ...question,
        resources: question.resources.map((arn) => arn.replaceAll('vipshift-prod', 'vipshift-other')),
      }));
    expect(elsewhere.filter((question) => evaluate(policies, question) === 'allowed')).toEqual([]);
  });

  it('pass the stack’s roles to the services that the stack gives them to, and to no other', () => {
    const roles = asked.questions.filter(({ action }) => action === 'iam:PassRole');
    expect(new Set(roles.map(({ context }) => context!['iam:PassedToService']))).toEqual(
      new Set(['events.amazonaws.com', 'lambda.amazonaws.com', 'states.amazonaws.com']),
    );
    for (const role of roles) {
      const context = { 'iam:PassedToService': 'ec2.amazonaws.com' };
      expect(evaluate(policies, { ...role, context })).toBe('denied');
    }
  });

  it.each(Object.entries(deployerPolicies()))(
    '%s fits into one managed policy: 6,144 characters without white space (IAM quotas)',
    (_name, policy) => {
      expect(JSON.stringify(policy).length).toBeLessThan(6144);
    },
  );
});

it('what is left out of CloudFormation’s handlers is there to be left out', () => {
  const all = Object.entries(asked.handlers).flatMap(([type, actions]) =>
    actions.map((one) => `${type} ${one}`),
  );
  expect(unused.filter(([pattern]) => !all.some((one) => pattern.test(one))).map(String)).toEqual([]);
});
