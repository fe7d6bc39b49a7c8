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
    expect(
      found(wide('*', { Condition: { Bool: { 'aws:MultiFactorAuthPresent': 'true' } } })),
      'one with a second factor is one, too',
    ).toEqual([]);
  });

  test('is found where resources are named by what they are not', () => {
    const but = (NotResource: string, Effect: 'Allow' | 'Deny' = 'Allow'): Policy => ({
      Statement: { Effect, Action: 'states:*', NotResource },
    });
    const another = workflow.replace('vipshift-prod', 'orders');
    expect(found(but(another))).toHaveLength(1);
    expect(found(but(workflow))).toEqual([]);
    expect(found(wide('states:*'), but(workflow, 'Deny'))).toHaveLength(1);
    expect(found(wide('states:*'), but(another, 'Deny'))).toEqual([]);
  });

  test('is named apart where a condition decides that the doctor cannot judge, of an Allow or of a Deny', () => {
    const inOffice = { Condition: { IpAddress: { 'aws:SourceIp': '203.0.113.0/24' } } };
    const maybe =
      'may order a failover and approve it, or not, by conditions that are not judged here: arn:aws:iam::1:role/x';
    expect(found(wide('states:*', inOffice))).toMatchObject([{ check: 'approver-orders', found: maybe }]);
    expect(found(operator('on-call'), wide('states:SendTaskSuccess', inOffice))).toMatchObject([
      { found: maybe },
    ]);
    const deny = { Statement: { Effect: 'Deny', Action: 'states:*', Resource: '*', ...inOffice } };
    expect(found(wide('states:*'), deny)).toMatchObject([{ found: maybe }]);
    const two = approverFindings(newVip(entry), {
      workflow,
      principals: [
        { arn: 'sure', policies: [wide('states:*')] },
        { arn: 'unsure', policies: [wide('states:*', inOffice)] },
      ],
    });
    expect(two.map((finding) => finding.found)).toEqual([
      'may order a failover and approve it: sure',
      'may order a failover and approve it, or not, by conditions that are not judged here: unsure',
    ]);
  });

  test('is not named where its permissions boundary has not both, and is where it has', () => {
    const within = (boundary: Policy, ...policies: readonly Policy[]) =>
      approverFindings(newVip(entry), { workflow, principals: [{ arn: 'x', policies, boundary }] });
    expect(within(operator('on-call'), wide('states:*'))).toEqual([]);
    expect(within(operator('on-call'), wide('*'))).toEqual([]);
    expect(
      within(wide('states:*'), wide('*')),
      'no administrator: its boundary ends at Step Functions',
    ).toHaveLength(1);
    expect(within(wide('*'), operator('on-call'), operator('approver'))).toHaveLength(1);
  });

  test('names twenty at most, and how many more', () => {
    const principals = Array.from({ length: 25 }, (_, n) => ({
      arn: `arn:aws:iam::1:role/r${n}`,
      policies: [wide('states:*')],
    }));
    expect(approverFindings(newVip(entry), { workflow, principals })[0]!.found).toMatch(/ and 5 more$/);
  });
});
