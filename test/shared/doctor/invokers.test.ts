// Who else can hand failover an envelope: by the account's policies, the function's own, and its URL.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { rights } from '../../../live/build/node-role.ts';
import { type Policy, policyFrom } from '../../../shared/doctor/service/iam-policy.ts';
import { forgerFindings, invokerFindings } from '../../../shared/doctor/service/invokers.ts';
import type { ServiceFacts } from '../../../shared/doctor/service/stack.ts';
import { newVip } from '../../../shared/vip/vip.ts';
import { entry } from '../../support/world.ts';

const folder = join(import.meta.dirname, '..', '..', '..', 'resources', 'policies', 'operators');
const failover = 'arn:aws:lambda:eu-central-1:111122223333:function:vipshift-prod-failover';
const role = (name: string): string => `arn:aws:iam::111122223333:role/${name}`;
const allow = (Action: string, more: object = {}): Policy => ({
  Statement: { Effect: 'Allow', Action, Resource: '*', ...more },
});

describe('by a policy of its own', () => {
  const of = (arn: string, ...policies: readonly Policy[]) =>
    forgerFindings(newVip(entry), {
      stage: 'prod',
      workflow: 'w',
      failover,
      principals: [{ arn, policies }],
    });

  test.each<[string, Policy]>([
    ['a role that may invoke every function', allow('lambda:InvokeFunction')],
    ['one that may do all of Lambda', allow('lambda:*')],
    [
      'one that may do everything but IAM',
      { Statement: { Effect: 'Allow', NotAction: 'iam:*', Resource: '*' } },
    ],
    ['one that names the function', allow('lambda:Invoke*', { Resource: failover })],
  ])('%s is named, with what it could do', (_what, policy) => {
    expect(of(role('ci'), policy)).toMatchObject([
      {
        check: 'failover-invokers',
        severity: 'warning',
        subject: 'vipshift-prod-failover',
        found: `may invoke it with any envelope, and so forge a claim of any node: ${role('ci')}`,
      },
    ]);
  });

  test('on a condition that is not judged here: apart', () => {
    const inOffice = { Condition: { IpAddress: { 'aws:SourceIp': '192.0.2.0/24' } } };
    expect(of(role('ci'), allow('lambda:*', inOffice))[0]!.found).toMatch(/, or not, by conditions/);
  });

  test.each<[string, string, readonly Policy[]]>([
    ['a node, by its URL alone', 'node', [rights({ bus: 'arn:bus', failover }) as Policy]],
    ['an administrator', 'admin', [allow('*')]],
    ['the workflow redrive', 'vipshift-prod-RedriveMachineRole-0A1B', [allow('lambda:InvokeFunction')]],
    ['who may call any function URL', 'app', [allow('lambda:InvokeFunctionUrl')]],
    [
      'who is denied it',
      'ci',
      [
        allow('lambda:*'),
        { Statement: { Effect: 'Deny', Action: 'lambda:InvokeFunction', Resource: failover } },
      ],
    ],
    ...['on-call', 'approver', 'registry-owner', 'auditor'].map(
      (name): [string, string, readonly Policy[]] => [
        name,
        name,
        [policyFrom(readFileSync(join(folder, `${name}.json`), 'utf8'))!],
      ],
    ),
  ])('%s is not named', (_who, name, policies) => {
    expect(of(role(name), ...policies)).toEqual([]);
  });

  test('the workflow redrive of another stage is named', () => {
    expect(of(role('vipshift-dev-RedriveMachineRole-0A1B'), allow('lambda:InvokeFunction'))).toHaveLength(1);
  });
});

describe('by the function’s own policy', () => {
  const claims = 'arn:aws:events:eu-central-1:111122223333:rule/vipshift-prod/ClaimRule';
  const events = { Service: 'events.amazonaws.com' };
  const from = (source: string) => ({ ArnLike: { 'AWS:SourceArn': source } });
  const of = (...Statement: readonly object[]) => {
    const found = {
      ...{
        arn: failover,
        state: 'Active',
        lastUpdate: 'Successful',
        timeoutS: 300,
        invokers: [],
        environment: {},
      },
      policy: { Statement } as Policy,
    };
    const rule = { kind: 'claims', name: 'c', arn: claims, bus: 'b', enabled: true, targets: [] } as const;
    const facts: ServiceFacts = {
      place: { stage: 'prod', region: 'eu-central-1' },
      names: { bus: 'b', vipsTable: 'v', timelineTable: 't' },
      rules: [rule],
      functions: [{ name: 'failover', found }],
    };
    return invokerFindings(facts);
  };
  const invoke = (more: object) => ({
    Sid: 'one',
    Effect: 'Allow',
    Action: 'lambda:InvokeFunction',
    ...more,
  });

  test('EventBridge may, for the rule that takes claims', () => {
    expect(of(invoke({ Principal: events, Condition: from(claims) }))).toEqual([]);
  });

  test.each<[string, object, string]>([
    [
      'EventBridge for another rule',
      { Principal: events, Condition: from(`${claims}2`) },
      'Service events.amazonaws.com',
    ],
    ['EventBridge for any rule', { Principal: events }, 'Service events.amazonaws.com'],
    [
      'another service',
      { Principal: { Service: 's3.amazonaws.com' }, Condition: from(claims) },
      'Service s3.amazonaws.com',
    ],
    ['another account', { Principal: { AWS: '999999999999' } }, 'AWS 999999999999'],
    ['everybody', { Principal: '*' }, '*'],
    ['everybody, by a pattern of actions', { Principal: '*', Action: 'lambda:*' }, '*'],
  ])('%s is a fault, taken back by name', (_what, more, who) => {
    expect(of(invoke(more))).toMatchObject([
      {
        check: 'failover-invokers',
        severity: 'fault',
        found: `its own policy lets ${who} invoke it with any envelope, and so forge a claim of any node`,
        command: expect.stringContaining(
          'lambda remove-permission --function-name vipshift-prod-failover --statement-id one',
        ),
      },
    ]);
  });

  test('everybody by the URL is a fault; a principal that is named the function refuses itself', () => {
    const url = { Action: 'lambda:InvokeFunctionUrl' };
    expect(of(invoke({ ...url, Principal: { AWS: '*' } }))).toMatchObject([
      { severity: 'fault', found: 'its own policy lets AWS * call its function URL' },
    ]);
    expect(of(invoke({ ...url, Principal: { AWS: '999999999999' } }))).toEqual([]);
  });
});
