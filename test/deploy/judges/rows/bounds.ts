// Where each right ends: what is asked of every action that a policy allows, and of the same action on what is not ours, without the tag or
// without the key. held.ts says which part of a policy no question holds.
import type { Row } from '../question.ts';
import type { On } from '../things.ts';
import { CONTROLLER, FINISHED, OF_A, put, says, send } from './bus.ts';

type Keys = NonNullable<Row['session']>;
type Words = readonly [
  who: Row['who'],
  whats: readonly string[],
  on: Row['on'],
  expected: Row['expected'],
  session?: Keys,
];
const each = (...[who, whats, on, expected, session]: Words): readonly Row[] =>
  whats.map((what) => ({ who, what, on, expected, ...(session === undefined ? {} : { session }) }));

const keys = (key: string): Keys => ({ 'dynamodb:LeadingKeys': [key] });
const get = ['dynamodb:GetItem'];

const functionBounds = (['failover', 'reconcile', 'runbook'] as const).flatMap((who): readonly Row[] => [
  ...each(who, get, 'record', 'allowed', keys('view/web')),
  ...each(who, get, 'record', 'denied', keys('approval/web')),
  ...each(who, get, 'record', 'denied'),
  ...each(who, get, "a customer's table", 'denied', keys('view/web')),
  ...each(who, get, "a customer's table", 'denied', keys('web')),
  ...each(who, ['ec2:CreateRoute'], 'untagged route table', 'denied'),
  ...each(who, ['ec2:CreateRoute', 'ec2:ReplaceRoute'], 'route table of another Region', 'denied'),
  ...each(who, ['ec2:ModifyNetworkInterfaceAttribute'], 'untagged ENI', 'denied'),
  ...each(who, ['ec2:ModifyNetworkInterfaceAttribute'], 'ENI of another Region', 'denied'),
  ...each(who, ['ec2:AssociateAddress'], ['EIP of another Region', 'ENI'], 'denied'),
  ...each(who, ['logs:CreateLogStream'], "a customer's log", 'denied'),
  // The bus would take these of others.
  put(who, says('app', 'Order Placed'), 'denied'),
  put(who, says(CONTROLLER, 'Something Else'), 'denied'),
  put(who, says('app', FINISHED), 'denied'),
  put(who, { 'events:source': CONTROLLER }, 'denied'),
  put(who, { 'events:detail-type': FINISHED }, 'denied'),
]);

const ofFunctions: readonly Row[] = [
  ...functionBounds,
  send('failover', "a customer's queue", 'denied'),
  send('reconcile', "a customer's queue", 'denied'),
  ...each('failover', ['dynamodb:UpdateItem'], 'record', 'denied'),
  ...each('failover', ['dynamodb:UpdateItem'], "a customer's table", 'denied', keys('rejected/web')),
  ...each('reconcile', ['dynamodb:Query'], 'record', 'denied'),
  ...each('reconcile', ['dynamodb:Query'], "a customer's table", 'denied', keys('change/web')),
  ...each('reconcile', ['dynamodb:Scan'], "a customer's table", 'denied'),
  ...each('reconcile', ['logs:CreateLogStream', 'logs:PutLogEvents'], 'log of reconcile', 'allowed'),
  ...each('runbook', ['logs:CreateLogStream', 'logs:PutLogEvents'], 'log of runbook', 'allowed'),
  ...each('runbook', ['ec2:DescribeInstanceStatus'], 'everything', 'allowed'),
  ...each('redrive workflow', ['lambda:InvokeFunction'], "a customer's function", 'denied'),
  ...each('redrive workflow', ['sqs:ReceiveMessage', 'sqs:DeleteMessage'], "a customer's queue", 'denied'),
  put('node a', { 'events:source': OF_A }, 'denied'),
  put('node a', { 'events:detail-type': 'VRRP State Change' }, 'denied'),
  ...each(
    'node a, for via-keepalived',
    ['ssm:UpdateInstanceInformation', 'ssm:ListInstanceAssociations'],
    'node',
    'allowed',
  ),
];

const look = [
  ...['ec2:DescribeAddresses', 'ec2:DescribeAvailabilityZones', 'ec2:DescribeInstanceStatus'],
  'ec2:DescribeNatGateways',
  ...['ec2:DescribeNetworkAcls', 'ec2:DescribeRouteTables', 'ec2:DescribeSubnets', 'ec2:DescribeTags'],
  ...['ec2:DescribeVpcAttribute', 'ec2:DescribeVpcEndpoints'],
];
const ofRole = ['iam:GetRolePolicy', 'iam:ListAttachedRolePolicies', 'iam:ListRolePolicies'];
const ofPolicy = ['iam:GetPolicy', 'iam:GetPolicyVersion'];

const ofTable = [
  ...['dynamodb:DescribeContinuousBackups', 'dynamodb:DescribeTable', 'dynamodb:DescribeTimeToLive'],
];
const ofFunction = [
  ...['lambda:GetFunctionConcurrency', 'lambda:GetFunctionConfiguration', 'lambda:GetFunctionUrlConfig'],
  'lambda:GetPolicy',
];

/** What both may who write the registry. */
const writerBounds = (['registry owner', 'on call'] as const).flatMap((who): readonly Row[] => [
  ...each(who, look, 'everything', 'allowed'),
  ...each(who, ['ec2:GetManagedPrefixListEntries'], 'prefix list', 'allowed'),
  ...each(who, ofRole, 'node role', 'allowed'),
  ...each(who, ofPolicy, "a customer's managed policy", 'allowed'),
  ...each(who, ['iam:GetInstanceProfile'], 'instance profile', 'allowed'),
  ...each(who, [...get, 'dynamodb:Scan'], 'registry', 'allowed'),
  ...each(who, [...get, 'dynamodb:Scan', 'dynamodb:UpdateItem'], "another stage's registry", 'denied'),
  ...each(who, [...get, 'dynamodb:Query', 'dynamodb:PutItem'], 'record', 'allowed'),
  ...each(who, ['dynamodb:Query'], 'record by day', 'allowed'),
  ...each(who, [...get, 'dynamodb:Query', 'dynamodb:PutItem'], "a customer's table", 'denied'),
  ...each(who, ['events:DescribeEventBus'], 'bus', 'allowed'),
  ...each(who, ['events:DescribeEventBus'], 'another bus', 'denied'),
  // What the doctor looks at of the service itself.
  ...each(who, ['dynamodb:BatchGetItem'], 'record', 'allowed'),
  ...(['registry', 'record'] as const).flatMap((on) => each(who, ofTable, on, 'allowed')),
  ...each(who, ofTable, "a customer's table", 'denied'),
  ...each(who, ['cloudwatch:DescribeAlarms'], 'alarm', 'allowed'),
  ...each(who, ['cloudwatch:DescribeAlarms'], "a customer's alarm", 'denied'),
  ...each(who, ['sns:ListSubscriptionsByTopic'], 'notices', 'allowed'),
  ...each(who, ['sns:ListSubscriptionsByTopic'], 'another topic', 'denied'),
  ...(['function failover', 'function reconcile', 'function runbook'] as const).flatMap((on) =>
    each(who, ofFunction, on, 'allowed'),
  ),
  ...each(who, ofFunction, "a customer's function", 'denied'),
  ...(['rule of the bus', 'rule of the schedule'] as const).flatMap((on) =>
    each(who, ['events:ListTargetsByRule'], on, 'allowed'),
  ),
  ...each(who, ['events:ListTargetsByRule'], "a customer's rule", 'denied'),
  ...each(who, ['events:ListRules'], 'everything', 'allowed'),
  ...(['function failures', 'rule dead letters'] as const).flatMap((on) =>
    each(who, ['sqs:GetQueueAttributes'], on, 'allowed'),
  ),
  ...each(who, ['sqs:GetQueueAttributes'], "a customer's queue", 'denied'),
  ...each(who, ['cloudformation:DescribeStacks'], "a customer's stack", 'denied'),
  put(who, says('app', 'Order Placed'), 'denied'),
  put(who, says('vipshift.doctor', 'Something Else'), 'denied'),
  put(who, { 'events:source': 'vipshift.doctor' }, 'denied'),
  put(who, { 'events:detail-type': 'VRRP State Change' }, 'denied'),
  put(who, says('vipshift.doctor'), 'denied', { on: 'another bus' }),
]);

const adopting: Keys = { 'aws:TagKeys': ['vipshift:prod'] };
const reading = ['states:DescribeExecution', 'states:GetExecutionHistory'];
const logGroups: readonly On[] = ['log group', 'log group of reconcile', 'log group of runbook'];

const asked = new Set([
  ...['on call ec2:DescribeRouteTables everything', 'on call dynamodb:Query record by day'],
  'registry owner dynamodb:PutItem record',
]);
const ofPeople: readonly Row[] = [
  ...writerBounds.filter(
    // Asked already: rows/operators.ts.
    ({ who, what, on }) => !asked.has([who, what, on].flat().join(' ')),
  ),
  ...each('on call', ['dynamodb:Query'], "a customer's index", 'denied'),
  ...each('registry owner', ['ec2:CreateTags'], 'security group', 'denied', { 'aws:TagKeys': ['Name'] }),
  ...each('on call', ['ec2:AssociateAddress'], ['EIP', 'instance of the VPC'], 'denied'),
  ...each('on call', ['states:GetExecutionHistory'], 'execution', 'allowed'),
  ...each('on call', ['states:DescribeExecution'], 'execution of redrive', 'allowed'),
  ...each('on call', ['states:GetExecutionHistory'], 'execution of redrive', 'denied'),
  ...each('on call', ['sqs:ReceiveMessage', 'sqs:DeleteMessage'], "a customer's queue", 'denied'),
  ...each('on call', ['logs:DescribeLogGroups', 'sts:DecodeAuthorizationMessage'], 'everything', 'allowed'),
  ...each('registry owner', ['cloudformation:DescribeStacks'], 'stack', 'allowed'),
  ...each('on call', ['ssm:SendCommand'], ['hand-over document', 'managed node'], 'denied'),
  ...(['rule of the bus', 'rule of the schedule'] as const).flatMap((on) =>
    each('on call', ['events:DescribeRule'], on, 'allowed'),
  ),
  ...each('on call', ['events:DescribeRule'], "a customer's rule", 'denied'),
  ...logGroups
    .slice(1)
    .flatMap((on) => [
      ...each('on call', ['logs:FilterLogEvents'], on, 'allowed'),
      ...each('auditor', ['logs:FilterLogEvents'], on, 'allowed'),
    ]),
  ...each('approver', ['ec2:DescribeAddresses', 'ec2:DescribeNetworkInterfaces'], 'everything', 'allowed'),
  ...each('approver', [...get, 'dynamodb:Scan'], "another stage's registry", 'denied'),
  ...each('approver', ['dynamodb:Query'], 'record', 'denied'),
  ...each('approver', ['dynamodb:Query'], "a customer's table", 'denied', keys('approval/web')),
  ...each('approver', ['dynamodb:Query'], 'record by day', 'denied', keys('2026-11-30')),
  ...each('approver', reading, "a customer's execution", 'denied'),
  ...each('auditor', [...get, 'dynamodb:Query'], 'record', 'allowed'),
  ...each('auditor', [...get, 'dynamodb:Query'], "a customer's table", 'denied'),
  ...each('auditor', [...get, 'dynamodb:Scan'], "another stage's registry", 'denied'),
  ...each('auditor', ['states:ListExecutions'], 'failover workflow', 'allowed'),
  ...each('auditor', ['states:ListExecutions'], "a customer's workflow", 'denied'),
  ...each('auditor', reading, "a customer's execution", 'denied'),
];

const written = [
  ...['dynamodb:BatchWriteItem', 'dynamodb:DeleteItem', 'dynamodb:DeleteTable', 'dynamodb:PartiQLDelete'],
  ...[
    'dynamodb:PartiQLInsert',
    'dynamodb:PartiQLUpdate',
    'dynamodb:UpdateTable',
    'dynamodb:UpdateTimeToLive',
  ],
];
const naming: Keys = { 'aws:TagKeys': ['team'] };
const ofOrganisation: readonly Row[] = [
  ...each('developer', written, 'record', 'denied explicitly'),
  ...each('terraform', ['ec2:CreateTags'], 'untagged route table', 'allowed', adopting),
  ...each('terraform', ['ec2:DeleteTags'], 'route table', 'allowed'),
  ...each('terraform', ['dynamodb:UpdateItem'], 'registry', 'allowed'),
  ...each('developer', ['ec2:DeleteTags'], 'route table', 'allowed', naming),
];

export const boundRows: readonly Row[] = [...ofFunctions, ...ofPeople, ...ofOrganisation];
