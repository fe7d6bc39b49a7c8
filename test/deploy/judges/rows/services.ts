// What the functions, the workflows and AWS's own services may do.
import { type Row, row } from '../question.ts';

const functions = ['failover', 'reconcile', 'runbook'] as const;
const attribute = (name: string) => ({ session: { 'ec2:Attribute': name } });
const narrowed = { stack: { EniAttributeCondition: 'on' } };
const keys = (key: string) => ({ session: { 'dynamodb:LeadingKeys': [key] } });

export const functionRows: readonly Row[] = [
  ...functions.flatMap((who): readonly Row[] => [
    row(who, 'ec2:ReplaceRoute', 'route table', 'allowed'),
    row(who, 'ec2:CreateRoute', 'route table', 'allowed'),
    row(who, 'ec2:AssociateAddress', ['EIP', 'ENI'], 'allowed'),
    ...['ec2:DescribeRouteTables', 'ec2:DescribeNetworkInterfaces', 'ec2:DescribeAddresses'].map((what) =>
      row(who, what, 'everything', 'allowed'),
    ),
    row(who, 'ec2:ModifyNetworkInterfaceAttribute', 'ENI', 'allowed', attribute('SourceDestCheck')),
    row(who, 'ec2:ModifyNetworkInterfaceAttribute', 'ENI', 'allowed', {
      ...narrowed,
      ...attribute('SourceDestCheck'),
    }),
    row(who, 'ec2:ModifyNetworkInterfaceAttribute', 'ENI', 'denied', {
      ...narrowed,
      ...attribute('Description'),
    }),
    row(who, 'ec2:ReplaceRoute', 'untagged route table', 'denied'),
    row(who, 'ec2:AssociateAddress', ['EIP', 'untagged ENI'], 'denied'),
    row(who, 'ec2:DeleteRoute', 'route table', 'denied'),
    row(who, 'dynamodb:GetItem', 'registry', 'allowed'),
    row(who, 'dynamodb:UpdateItem', 'registry', 'allowed'),
    row(who, 'dynamodb:PutItem', 'registry', 'denied'),
    row(who, 'dynamodb:PutItem', 'record', 'allowed', keys('web')),
    row(who, 'dynamodb:DeleteItem', 'record', 'denied', keys('web')),
    row(who, 'dynamodb:UpdateItem', 'record', 'denied', keys('web')),
    row(who, 'logs:PutLogEvents', "a customer's log", 'denied'),
  ]),
  row('failover', 'ec2:ModifyNetworkInterfaceAttribute', 'ENI', 'denied', {
    ...narrowed,
    ...attribute('DeleteOnTermination'),
  }),
  row(
    'failover',
    'ec2:ModifyNetworkInterfaceAttribute',
    'untagged ENI',
    'denied',
    attribute('SourceDestCheck'),
  ),
  row('failover', 'ec2:ReplaceRoute', "another stage's route table", 'denied'),
  row('failover', 'ec2:ReplaceRoute', 'route table of another account', 'denied'),
  row('failover', 'ec2:CreateTags', 'untagged route table', 'denied'),
  row('failover', 'ec2:ReleaseAddress', 'EIP', 'denied'),
  row('failover', 'ec2:DisassociateAddress', ['EIP', 'ENI'], 'denied'),
  row('failover', 'ec2:AuthorizeSecurityGroupIngress', 'security group', 'denied'),
  row('failover', 'dynamodb:GetItem', "another stage's registry", 'denied'),
  row('failover', 'dynamodb:GetItem', "a customer's table", 'denied'),
  row('failover', 'dynamodb:UpdateItem', 'record', 'allowed', keys('rejected/web')),
  row('reconcile', 'dynamodb:UpdateItem', 'record', 'denied', keys('rejected/web')),
  row('reconcile', 'dynamodb:Query', 'record', 'allowed', keys('change/web')),
  row('reconcile', 'dynamodb:Query', 'record', 'denied', keys('approval/web')),
  row('reconcile', 'dynamodb:Scan', 'registry', 'allowed'),
  row('reconcile', 'ec2:DescribeInstanceStatus', 'everything', 'allowed'),
  row('failover', 'ec2:DescribeInstanceStatus', 'everything', 'denied'),
  row('failover', 'logs:CreateLogStream', 'log', 'allowed'),
  row('failover', 'logs:PutLogEvents', 'log', 'allowed'),
  row('reconcile', 'logs:PutLogEvents', 'log', 'denied'),
];

const ofTheAgent = [
  ...['ssmmessages:CreateControlChannel', 'ssmmessages:CreateDataChannel'],
  ...['ssmmessages:OpenControlChannel', 'ssmmessages:OpenDataChannel'],
  ...['ec2messages:AcknowledgeMessage', 'ec2messages:DeleteMessage', 'ec2messages:FailMessage'],
  ...['ec2messages:GetEndpoint', 'ec2messages:GetMessages', 'ec2messages:SendReply'],
];
export const agentRows: readonly Row[] = [
  ...ofTheAgent.map((what) => row('node a, for via-keepalived', what, 'everything', 'allowed')),
  row('node a, for via-keepalived', 'ssm:SendCommand', ['hand-over document', 'node'], 'denied'),
  row('node a, for via-keepalived', 'ec2:ReplaceRoute', 'route table', 'denied'),
];

const tagless = 'another instance';
export const workflowRows: readonly Row[] = [
  row('failover workflow', 'lambda:InvokeFunction', 'function runbook', 'allowed'),
  row('failover workflow', 'lambda:InvokeFunction', 'function failover', 'denied'),
  row('failover workflow', 'ssm:SendCommand', ['hand-over document', 'node'], 'allowed'),
  row('failover workflow', 'ssm:SendCommand', ['AWS-RunShellScript', 'node'], 'denied'),
  row('failover workflow', 'ssm:SendCommand', ['hand-over document', tagless], 'denied'),
  row('failover workflow', 'sns:Publish', 'notices', 'allowed'),
  row('failover workflow', 'sns:Publish', 'another topic', 'denied'),
  row('notice workflow', 'sns:Publish', 'notices', 'allowed'),
  row('notice workflow', 'sns:Publish', 'another topic', 'denied'),
  row('redrive workflow', 'lambda:InvokeFunction', 'function failover', 'allowed'),
  row('redrive workflow', 'lambda:InvokeFunction', 'function reconcile', 'allowed'),
  row('redrive workflow', 'lambda:InvokeFunction', 'function runbook', 'allowed'),
  row('redrive workflow', 'states:StartExecution', 'notice workflow', 'allowed'),
  row('redrive workflow', 'states:StartExecution', 'failover workflow', 'denied'),
  row('notice rule', 'states:StartExecution', 'notice workflow', 'allowed'),
  row('notice rule', 'states:StartExecution', 'failover workflow', 'denied'),
  row('warning rule', 'states:StartExecution', 'warning workflow', 'allowed'),
  row('warning rule', 'states:StartExecution', 'departure workflow', 'denied'),
  row('warning rule', 'states:StartExecution', 'failover workflow', 'denied'),
  row('warning workflow', 'lambda:InvokeFunction', 'function reconcile', 'allowed'),
  row('warning workflow', 'lambda:InvokeFunction', 'function runbook', 'denied'),
  row('warning workflow', 'states:StartExecution', 'departure workflow', 'allowed'),
  row('warning workflow', 'states:StartExecution', 'failover workflow', 'denied'),
  row('warning workflow', 'sns:Publish', 'notices', 'denied'),
  row('departure workflow', 'lambda:InvokeFunction', 'function reconcile', 'allowed'),
  row('departure workflow', 'lambda:InvokeFunction', 'function failover', 'denied'),
  row('departure workflow', 'states:StartExecution', 'failover workflow', 'allowed'),
  row('departure workflow', 'states:StartExecution', 'redrive workflow', 'denied'),
  row('departure workflow', 'ssm:SendCommand', ['hand-over document', 'node'], 'denied'),
  row('departure workflow', 'sns:Publish', 'notices', 'allowed'),
  row('departure workflow', 'sns:Publish', 'another topic', 'denied'),
  row('CloudWatch', 'sns:Publish', 'notices', 'allowed', {
    session: { 'aws:SourceAccount': '111122223333' },
  }),
  row('CloudWatch', 'sns:Publish', 'notices', 'denied', { session: { 'aws:SourceAccount': '999999999999' } }),
  row('S3', 'sns:Publish', 'notices', 'denied', { session: { 'aws:SourceAccount': '111122223333' } }),
];

const adopting = { session: { 'aws:TagKeys': ['vipshift:prod'] } };
const labels = { session: { 'aws:TagKeys': ['Name', 'vipshift:prod'] } };
export const scpRows: readonly Row[] = [
  row('developer', 'ec2:CreateTags', 'untagged route table', 'denied explicitly', labels),
  row('developer', 'ec2:DeleteTags', 'route table', 'denied explicitly', labels),
  row('developer', 'ec2:CreateTags', 'route table', 'allowed', { session: { 'aws:TagKeys': ['team'] } }),
  row('developer', 'ec2:DeleteTags', 'route table', 'denied explicitly'),
  row('developer', 'ec2:DeleteTags', 'untagged route table', 'allowed'),
  row('network admin', 'ec2:CreateTags', 'untagged route table', 'allowed', labels),
  row('network admin', 'ec2:DeleteTags', 'route table', 'allowed'),
  row('network admin', 'dynamodb:UpdateItem', 'registry', 'allowed'),
  row('developer', 'dynamodb:UpdateItem', 'registry', 'denied explicitly'),
  row('developer', 'dynamodb:PutItem', 'record', 'denied explicitly'),
  row('developer', 'dynamodb:GetItem', 'registry', 'allowed'),
  row('on call, under the SCP', 'dynamodb:UpdateItem', 'registry', 'allowed'),
  row('on call, under the SCP', 'ec2:ReplaceRoute', 'route table', 'allowed'),
  row('registry owner, under the SCP', 'ec2:CreateTags', 'untagged route table', 'allowed', adopting),
  row('registry owner, under the SCP', 'dynamodb:UpdateItem', 'registry', 'allowed'),
  row('developer', 'dynamodb:UpdateItem', "a customer's table", 'allowed'),
  row(
    'terraform of a member account',
    'ec2:CreateTags',
    'route table of another account',
    'denied explicitly',
    labels,
  ),
];
