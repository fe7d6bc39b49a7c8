// Who asks: every principal of the table with its own policies, from the packaged template and from resources/policies/.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Policy } from '../support/policy.ts';
import { ACCOUNT, resolve, roleArn } from '../support/resolve.ts';
import { statements, type Template } from '../support/template.ts';

const policies = join(import.meta.dirname, '..', '..', '..', 'resources', 'policies');

export const NODE_ROLE = roleArn('keepalived-node');
export const ROLE_ID = 'AROAEXAMPLE000000001';
export const A = 'i-0aaaaaaaaaaaaaaaa';
export const B = 'i-0bbbbbbbbbbbbbbbb';
export const VPC = 'vpc-0prod';
export const EIP = 'eipalloc-0prod';
/** What the packages that the judges look at are made with. */
export const PARAMS = { nodeRoleId: ROLE_ID, nodeRoleArn: NODE_ROLE } as const;

export interface Principal {
  /** The role, the user or the root user; for a service its name. */
  readonly arn: string;
  readonly userid: string;
  readonly policies: readonly Policy[];
  /** The organisation's, on top of what its own allow. */
  readonly scp?: Policy;
  readonly service?: boolean;
}

const allow = (Action: string, Resource = '*'): Policy => ({
  Statement: [{ Sid: 'Wide', Effect: 'Allow', Action, Resource }],
});

/** A file of resources/policies/, with the VPC and the EIP named as docs/install.md says. */
export const operatorPolicy = (name: string): Policy =>
  JSON.parse(
    readFileSync(join(policies, 'operators', `${name}.json`), 'utf8')
      .replaceAll('VPC_ID', VPC)
      .replaceAll('ALLOCATION_ID', EIP),
  ) as Policy;

export function principalsOf(template: Template) {
  const inline = (role: string): Policy =>
    resolve(template, { Statement: statements(template, role) }) as Policy;
  const managed = (id: string): Policy =>
    resolve(template, template.Resources[id]!.Properties.PolicyDocument) as Policy;
  const scp = JSON.parse(readFileSync(join(policies, 'sample-scp.json'), 'utf8')) as Policy;
  const role = (name: string, own: readonly Policy[], userid = `AROA${name}:session`): Principal => ({
    arn: roleArn(name),
    userid,
    policies: own,
  });
  /** A role that CloudFormation has named. */
  const ofStack = (id: string): Principal => role(`vipshift-prod-${id}-EXAMPLE`, [inline(id)]);
  const node = (userid: string, ...more: readonly Policy[]): Principal =>
    role('keepalived-node', [managed('NodePolicy'), ...more], userid);
  const puts = allow('events:PutEvents');
  const everything = allow('*');
  return {
    'node a': node(`${ROLE_ID}:${A}`),
    'node a, for via-keepalived': node(`${ROLE_ID}:${A}`, managed('NodeHandOverPolicy')),
    'node a, with a wide policy': node(`${ROLE_ID}:${A}`, puts),
    'node a, under the SCP': { ...node(`${ROLE_ID}:${A}`), scp },
    'a session that is named i-b': role('ci', [puts], `AROACI:${B}`),
    'a human in the node role, named i-b': node(`${ROLE_ID}:${B}`),
    'an app with PutEvents': role('app', [puts]),
    'an app of another account': {
      ...role('app', [puts, allow('sqs:*'), allow('lambda:*')]),
      arn: 'arn:aws:iam::999999999999:role/app',
    },
    'a user named like an instance': {
      arn: `arn:aws:iam::${ACCOUNT}:user/${B}`,
      userid: 'AIDAEXAMPLE',
      policies: [puts],
    },
    'a role called like a function’s, under a path': role('x/vipshift-prod-FailoverRole-EXAMPLE', [puts]),
    'a role called nearly like a function’s': role('vipshift-prod-FailoverRole-EXAMPLE2', [
      puts,
      allow('sqs:*'),
    ]),
    'a function of the stage dev': role('vipshift-dev-FailoverRole-EXAMPLE', [puts, allow('sqs:*')]),
    'a role of the same name under a path': role('x/keepalived-node', [puts], `AROAOTHER:${A}`),
    'a role that is called like the stack': role('vipshift-prod-operator', [puts]),
    'an app with lambda': role('app', [allow('lambda:*')]),
    'an app with sqs': role('app', [allow('sqs:*')]),
    admin: role('admin', [everything]),
    root: { arn: `arn:aws:iam::${ACCOUNT}:root`, userid: ACCOUNT, policies: [everything] },
    failover: ofStack('FailoverRole'),
    reconcile: ofStack('ReconcileRole'),
    runbook: ofStack('RunbookRole'),
    'failover workflow': ofStack('FailoverMachineRole'),
    'notice workflow': ofStack('NoticeMachineRole'),
    'redrive workflow': ofStack('RedriveMachineRole'),
    'notice rule': ofStack('NoticeRuleRole'),
    'warning workflow': ofStack('WarningMachineRole'),
    'departure workflow': ofStack('DepartureMachineRole'),
    'warning rule': ofStack('WarningRuleRole'),
    'registry owner': role('vipshift-registry-owner', [operatorPolicy('registry-owner')]),
    'on call': role('vipshift-on-call', [operatorPolicy('on-call')]),
    approver: role('approver', [operatorPolicy('approver')]),
    auditor: role('auditor', [operatorPolicy('auditor')]),
    'failover, under the SCP': { ...ofStack('FailoverRole'), scp },
    'on call, under the SCP': { ...role('vipshift-on-call', [operatorPolicy('on-call')]), scp },
    'registry owner, under the SCP': {
      ...role('vipshift-registry-owner', [operatorPolicy('registry-owner')]),
      scp,
    },
    'reconcile, under the SCP': { ...ofStack('ReconcileRole'), scp },
    'runbook, under the SCP': { ...ofStack('RunbookRole'), scp },
    'failover workflow, under the SCP': { ...ofStack('FailoverMachineRole'), scp },
    'redrive workflow, under the SCP': { ...ofStack('RedriveMachineRole'), scp },
    developer: { ...role('developer', [everything]), scp },
    terraform: { ...role('terraform', [everything]), scp },
    'a role that someone called like a function’s': {
      ...role('vipshift-x-FailoverRole-x', [everything]),
      scp,
    },
    'network admin': { ...role('network-admin', [everything]), scp },
    'terraform of a member account': {
      ...role('terraform', [everything]),
      arn: 'arn:aws:iam::999999999999:role/terraform',
      scp,
    },
    EventBridge: { arn: 'events.amazonaws.com', userid: '', policies: [], service: true },
    CloudWatch: { arn: 'cloudwatch.amazonaws.com', userid: '', policies: [], service: true },
    S3: { arn: 's3.amazonaws.com', userid: '', policies: [], service: true },
    SNS: { arn: 'sns.amazonaws.com', userid: '', policies: [], service: true },
    Lambda: { arn: 'lambda.amazonaws.com', userid: '', policies: [], service: true },
  } as const satisfies Record<string, Principal>;
}

export type Who = keyof ReturnType<typeof principalsOf>;
