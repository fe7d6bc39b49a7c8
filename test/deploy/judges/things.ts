// On what: ARNs, and the keys that a request has because of the thing that it touches (its tags, its VPC).
import { ACCOUNT, REGION } from '../support/resolve.ts';
import { EIP as OWN_EIP, VPC } from './principals.ts';

export interface Thing {
  readonly arn: string;
  readonly keys?: Readonly<Record<string, string>>;
}

const at = (service: string, rest: string, account = ACCOUNT): Thing => ({
  arn: `arn:aws:${service}:${REGION}:${account}:${rest}`,
});
const ec2 = (rest: string, keys: Readonly<Record<string, string>>, account = ACCOUNT): Thing => ({
  ...at('ec2', rest, account),
  keys,
});
const elsewhere = (thing: Thing): Thing => ({ ...thing, arn: thing.arn.replace(REGION, 'us-east-1') });
const vpc = (id: string) => ({ 'ec2:Vpc': at('ec2', `vpc/${id}`).arn });
const tag = (key: string, value = 'web') => ({ [`aws:ResourceTag/${key}`]: value });
const own = { ...vpc(VPC), ...tag('vipshift:prod') };

export const things = {
  bus: at('events', 'event-bus/vipshift-prod'),
  'another bus': at('events', 'event-bus/default'),
  'the bus of another account': at('events', 'event-bus/vipshift-prod', '999999999999'),
  registry: at('dynamodb', 'table/vipshift-prod-vips'),
  record: at('dynamodb', 'table/vipshift-prod-timeline'),
  'record by day': at('dynamodb', 'table/vipshift-prod-timeline/index/byDay'),
  "a customer's index": at('dynamodb', 'table/customers/index/byDay'),
  "another stage's registry": at('dynamodb', 'table/vipshift-dev-vips'),
  "a customer's table": at('dynamodb', 'table/customers'),
  'route table': ec2('route-table/rtb-1', own),
  'untagged route table': ec2('route-table/rtb-2', vpc(VPC)),
  "another stage's route table": ec2('route-table/rtb-3', { ...vpc(VPC), ...tag('vipshift:dev') }),
  'route table of another VPC': ec2('route-table/rtb-4', { ...vpc('vpc-0other'), ...tag('vipshift:prod') }),
  'route table of another account': ec2('route-table/rtb-5', own, '999999999999'),
  ENI: ec2('network-interface/eni-1', own),
  'untagged ENI': ec2('network-interface/eni-2', vpc(VPC)),
  'ENI of another VPC': ec2('network-interface/eni-3', { ...vpc('vpc-0other'), ...tag('vipshift:prod') }),
  EIP: ec2(`elastic-ip/${OWN_EIP}`, tag('vipshift:prod')),
  'untagged EIP': ec2(`elastic-ip/${OWN_EIP}`, {}),
  'EIP of something else': ec2('elastic-ip/eipalloc-0other', {}),
  'route table of another Region': elsewhere(ec2('route-table/rtb-7', own)),
  'ENI of another Region': elsewhere(ec2('network-interface/eni-4', own)),
  'EIP of another Region': elsewhere(ec2('elastic-ip/eipalloc-1', tag('vipshift:prod'))),
  'route table of no known VPC': ec2('route-table/rtb-6', tag('vipshift:prod')),
  'security group': ec2('security-group/sg-1', own),
  'prefix list': ec2('prefix-list/pl-0a', {}),
  'managed node': {
    ...at('ssm', 'managed-instance/mi-0cccccccccccccccc'),
    keys: { 'ssm:resourceTag/vipshift:prod': 'web' },
  },
  node: ec2('instance/i-0aaaaaaaaaaaaaaaa', { 'ssm:resourceTag/vipshift:prod': 'web' }),
  'instance of the VPC': ec2('instance/i-0dddddddddddddddd', own),
  'another instance': ec2('instance/i-0cccccccccccccccc', {}),
  'hand-over document': at('ssm', 'document/vipshift-prod-hand-over'),
  'AWS-RunShellScript': at('ssm', 'document/AWS-RunShellScript'),
  'function failures': at('sqs', 'vipshift-prod-function-failures'),
  'rule dead letters': at('sqs', 'vipshift-prod-rule-dead-letters'),
  "a customer's queue": at('sqs', 'orders'),
  alarm: at('cloudwatch', 'alarm:vipshift-prod-dead-man'),
  "a customer's alarm": at('cloudwatch', 'alarm:orders'),
  notices: at('sns', 'vipshift-prod-notices'),
  'another topic': at('sns', 'billing'),
  'function failover': at('lambda', 'function:vipshift-prod-failover'),
  'function reconcile': at('lambda', 'function:vipshift-prod-reconcile'),
  'function runbook': at('lambda', 'function:vipshift-prod-runbook'),
  "a customer's function": at('lambda', 'function:payments'),
  'failover workflow': at('states', 'stateMachine:vipshift-prod-failover'),
  'redrive workflow': at('states', 'stateMachine:vipshift-prod-redrive'),
  'notice workflow': at('states', 'stateMachine:vipshift-prod-notice'),
  'warning workflow': at('states', 'stateMachine:vipshift-prod-warning'),
  'departure workflow': at('states', 'stateMachine:vipshift-prod-departure'),
  "a customer's workflow": at('states', 'stateMachine:orders'),
  execution: at('states', 'execution:vipshift-prod-failover:web-1'),
  'execution of redrive': at('states', 'execution:vipshift-prod-redrive:1'),
  "a customer's execution": at('states', 'execution:orders:1'),
  log: at('logs', 'log-group:/aws/lambda/vipshift-prod-failover:log-stream:x'),
  'log of runbook': at('logs', 'log-group:/aws/lambda/vipshift-prod-runbook:log-stream:x'),
  'log group': at('logs', 'log-group:/aws/lambda/vipshift-prod-failover'),
  'log group of reconcile': at('logs', 'log-group:/aws/lambda/vipshift-prod-reconcile'),
  'log group of runbook': at('logs', 'log-group:/aws/lambda/vipshift-prod-runbook'),
  'log group of the stage prod-x': at('logs', 'log-group:/aws/lambda/vipshift-prod-x-failover'),
  "a customer's log": at('logs', 'log-group:/aws/lambda/payments:log-stream:x'),
  'log of reconcile': at('logs', 'log-group:/aws/lambda/vipshift-prod-reconcile:log-stream:x'),
  "a customer's log group": at('logs', 'log-group:/aws/lambda/payments'),
  'node role': { arn: `arn:aws:iam::${ACCOUNT}:role/keepalived-node` },
  "a customer's managed policy": { arn: `arn:aws:iam::${ACCOUNT}:policy/payments` },
  'instance profile': { arn: `arn:aws:iam::${ACCOUNT}:instance-profile/keepalived-node` },
  archive: at('events', 'archive/vipshift-prod'),
  'rule of the bus': at('events', 'rule/vipshift-prod/vipshift-prod-ClaimRule-EXAMPLE'),
  'rule of the schedule': at('events', 'rule/vipshift-prod-ReconcileEventsRuleSchedule1-EXAMPLE'),
  'rule of the stage production': at(
    'events',
    'rule/vipshift-production-ReconcileEventsRuleSchedule1-EXAMPLE',
  ),
  "a customer's rule": at('events', 'rule/orders'),
  stack: at('cloudformation', 'stack/vipshift-prod/1'),
  "a customer's stack": at('cloudformation', 'stack/payments/1'),
  everything: { arn: '*' },
} as const satisfies Record<string, Thing>;

export type On = keyof typeof things;
