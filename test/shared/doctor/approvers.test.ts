// Who may order a failover and approve it, by the policies that docs/install.md hands out.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { approverFindings } from '../../../shared/doctor/service/approvers.ts';
import { type Policy, policyFrom } from '../../../shared/doctor/service/iam-policy.ts';
import { newVip } from '../../../shared/vip/vip.ts';
import { entry } from '../../support/world.ts';

const folder = join(import.meta.dirname, '..', '..', '..', 'resources', 'policies', 'operators');
const operator = (name: string): Policy => policyFrom(readFileSync(join(folder, `${name}.json`), 'utf8'))!;
const wide = (Action: string, more: object = {}): Policy => ({
  Statement: { Effect: 'Allow', Action, Resource: '*', ...more },
});
const workflow = 'arn:aws:states:eu-central-1:111122223333:stateMachine:vipshift-prod-failover';
const found = (...policies: readonly Policy[]) =>
  approverFindings(newVip(entry), { workflow, principals: [{ arn: 'arn:aws:iam::1:role/x', policies }] });

describe('who may order a failover and approve it', () => {
  test('is named where the two policies meet', () => {
    expect(found(operator('on-call'), operator('approver'))).toMatchObject([
      {
        check: 'approver-orders',
        severity: 'warning',
        subject: 'vipshift-prod-failover',
        found: 'may order a failover and approve it: arn:aws:iam::1:role/x',
      },
    ]);
  });

  test('is no one with one of the policies, or with any of the others', () => {
    for (const name of ['on-call', 'approver', 'registry-owner', 'auditor'])
      expect(found(operator(name))).toEqual([]);
    expect(found(operator('registry-owner'), operator('approver'))).toEqual([]);
  });

  test('is named with a wider policy, also one that asks for a second factor, and with everything but IAM', () => {
    expect(found(wide('states:*'))).toHaveLength(1);
    expect(
      found(wide('states:*', { Condition: { Bool: { 'aws:MultiFactorAuthPresent': 'true' } } })),
    ).toHaveLength(1);
    expect(found({ Statement: { Effect: 'Allow', NotAction: 'iam:*', Resource: '*' } })).toHaveLength(1);
  });

  test('is not named where a Deny keeps one of the two away, nor for being an administrator', () => {
    const deny = { Statement: { Effect: 'Deny', Action: 'states:SendTask*', Resource: '*' } };
    expect(found(wide('states:*'), deny)).toEqual([]);
    expect(found(wide('*'))).toEqual([]);
  });

  test('names twenty at most, and how many more', () => {
    const principals = Array.from({ length: 25 }, (_, n) => ({
      arn: `arn:aws:iam::1:role/r${n}`,
      policies: [wide('states:*')],
    }));
    expect(approverFindings(newVip(entry), { workflow, principals })[0]!.found).toMatch(/ and 5 more$/);
  });
});
