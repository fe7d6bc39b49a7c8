// The doctor on the second person: who may both order a forced failover and approve it. With both, `--approval` protects
// from nothing.
//
// Limit: identity policies only, as in iam-policy.ts. Administrators, who may do anything, are left out: they could give
// themselves either right.
import { listText } from '../../bounded.ts';
import type { Vip } from '../../vip/vip.ts';
import { type Finding, warning } from '../finding.ts';
import { allows, type Policy, statements } from './iam-policy.ts';

/** A role or a user, with all policies that apply to it. */
export interface PrincipalFact {
  readonly arn: string;
  readonly policies: readonly Policy[];
}

export interface ApproverFacts {
  /** The ARN of the failover workflow. */
  readonly workflow: string;
  readonly principals: readonly PrincipalFact[];
}

export function approverFindings(vip: Vip, { workflow, principals }: ApproverFacts): readonly Finding[] {
  const may = (policies: readonly Policy[], action: string): boolean =>
    allows(policies, { action, resource: workflow, context: { 'aws:multifactorauthpresent': 'true' } });
  const both = principals
    .filter(({ policies }) => !policies.some(isEverything))
    .filter(({ policies }) => may(policies, 'states:StartExecution'))
    .filter(({ policies }) => may(policies, 'states:SendTaskSuccess'))
    .map(({ arn }) => arn)
    .sort();
  if (both.length === 0) return [];
  return [
    warning('approver-orders', {
      vips: [vip.name],
      subject: workflow.split(':').at(-1)!,
      found: `may order a failover and approve it: ${listText(both)}`,
      expected: 'no one with both rights but administrators',
      remedy: {
        sentence:
          'detach resources/policies/operators/on-call.json or approver.json from each, or take the wider policy away',
      },
    }),
  ];
}

const isEverything = (policy: Policy): boolean =>
  statements(policy).some(
    ({ Effect, Action, Resource, Condition }) =>
      Effect === 'Allow' &&
      [Action].flat().includes('*') &&
      [Resource].flat().includes('*') &&
      Condition === undefined,
  );
