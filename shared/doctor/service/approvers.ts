// The doctor on the second person: who may both order a forced failover and approve it. With both, `--approval` protects
// from nothing.
//
// Limit: identity policies and permissions boundaries; what an organisation's or a session's policy takes away is not seen,
// nor that one person may take two roles. Administrators, who may do anything, are left out: they could give themselves
// either right.
import { listText } from '../../bounded.ts';
import { defined } from '../../optional.ts';
import type { Vip } from '../../vip/vip.ts';
import { type Finding, warning } from '../finding.ts';
import { may, type Rights, statements } from './iam-policy.ts';

/** A role or a user, with all policies that apply to it. */
export interface PrincipalFact extends Rights {
  readonly arn: string;
}

export interface ApproverFacts {
  readonly stage: string;
  /** The ARN of the failover workflow. */
  readonly workflow: string;
  /** The ARN of the function failover. */
  readonly failover: string;
  readonly principals: readonly PrincipalFact[];
}

export function approverFindings(
  vip: Vip,
  { workflow, principals }: Pick<ApproverFacts, 'workflow' | 'principals'>,
): readonly Finding[] {
  const people = principals.filter((one) => !isAdministrator(one));
  const answers = people.map((one) => {
    const each = ['states:StartExecution', 'states:SendTaskSuccess'].map((action) =>
      may(one, { action, resource: workflow, context }),
    );
    return { arn: one.arn, is: !each.includes(false) && (each.includes(undefined) ? undefined : true) };
  });
  const finding = (what: string, arns: readonly string[]): readonly Finding[] =>
    arns.length === 0
      ? []
      : [
          warning('approver-orders', {
            vips: [vip.name],
            subject: workflow.split(':').at(-1)!,
            found: `${what}: ${listText(arns)}`,
            expected: 'no one with both rights but administrators',
            remedy: {
              sentence:
                'detach resources/policies/operators/on-call.json or approver.json from each, or take the wider policy away',
            },
          }),
        ];
  return [
    ...finding('may order a failover and approve it', named(answers, true)),
    ...finding(
      'may order a failover and approve it, or not, by conditions that are not judged here',
      named(answers, undefined),
    ),
  ];
}

/** Those of whom this is the answer; undefined: it depends on a condition that cannot be judged. */
export const named = (
  answers: readonly { readonly arn: string; readonly is: boolean | undefined }[],
  is: true | undefined,
): readonly string[] =>
  answers
    .filter((one) => one.is === is)
    .map(({ arn }) => arn)
    .sort();

/** A condition that asks for a second factor is met. */
const context = { 'aws:multifactorauthpresent': 'true' };

/** By one statement about everything, as AWS's own policy has it. */
export const isAdministrator = ({ policies, boundary }: Rights): boolean =>
  policies
    .flatMap(statements)
    .some(
      (statement) =>
        [statement.Action].flat().includes('*') &&
        [statement.Resource].flat().includes('*') &&
        may(
          { policies: [{ Statement: statement }], ...defined({ boundary }) },
          { action: 'iam:AttachRolePolicy', resource: '*', context },
        ) === true,
    );
