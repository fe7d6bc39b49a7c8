// What people may do: the four policies of resources/policies/operators/.

import { type Row, row } from '../question.ts';
import type { On } from '../things.ts';

const adopting = { session: { 'aws:TagKeys': ['vipshift:prod'] } };
const naming = { session: { 'aws:TagKeys': ['Name'] } };
const approvals = { session: { 'dynamodb:LeadingKeys': ['approval/web'] } };

const looks = [
  ...['ec2:DescribeInstances', 'ec2:DescribeNetworkInterfaces', 'ec2:DescribeSecurityGroups'],
  ...['ec2:DescribeVpcs', 'iam:GetAccountAuthorizationDetails'],
];

export const ownerRows: readonly Row[] = [
  ...looks.map((what) => row('registry owner', what, 'everything', 'allowed')),
  row('registry owner', 'dynamodb:UpdateItem', 'registry', 'allowed'),
  row('registry owner', 'dynamodb:PutItem', 'record', 'allowed'),
  row('registry owner', 'dynamodb:DeleteItem', 'record', 'denied'),
  row('registry owner', 'dynamodb:UpdateItem', "a customer's table", 'denied'),
  row('registry owner', 'ec2:CreateTags', 'untagged route table', 'allowed', adopting),
  row('registry owner', 'ec2:CreateTags', 'untagged ENI', 'allowed', adopting),
  row('registry owner', 'ec2:CreateTags', 'untagged EIP', 'allowed', adopting),
  row('registry owner', 'ec2:CreateTags', 'untagged route table', 'denied', naming),
  row('registry owner', 'ec2:CreateTags', 'route table of another VPC', 'denied', adopting),
  row('registry owner', 'ec2:CreateTags', 'ENI of another VPC', 'denied', adopting),
  row('registry owner', 'ec2:CreateTags', 'EIP of something else', 'denied', adopting),
  row('registry owner', 'ec2:CreateTags', 'security group', 'denied', adopting),
  row('registry owner', 'ec2:ReplaceRoute', 'route table', 'denied'),
  row('registry owner', 'ec2:AssociateAddress', ['EIP', 'ENI'], 'denied'),
  row('registry owner', 'states:StartExecution', 'failover workflow', 'denied'),
  row('registry owner', 'iam:GetRole', 'node role', 'allowed'),
  row('registry owner', 'lambda:UpdateFunctionCode', 'function failover', 'denied'),
  row('registry owner', 'dynamodb:UpdateTimeToLive', 'record', 'denied'),
  row('registry owner', 'events:PutTargets', 'rule of the bus', 'denied'),
];

export const onCallRows: readonly Row[] = [
  ...looks.map((what) => row('on call', what, 'everything', 'allowed')),
  row('on call', 'dynamodb:UpdateItem', 'registry', 'allowed'),
  row('on call', 'dynamodb:Query', 'record by day', 'allowed'),
  row('on call', 'ec2:DescribeRouteTables', 'everything', 'allowed'),
  row('on call', 'lambda:AddPermission', 'function reconcile', 'denied'),
  row('on call', 'sns:Subscribe', 'notices', 'denied'),
  row('on call', 'dynamodb:UpdateTable', 'registry', 'denied'),
  row('on call', 'ec2:ReplaceRoute', 'route table', 'allowed'),
  row('on call', 'ec2:CreateRoute', 'route table', 'allowed'),
  row('on call', 'ec2:ModifyNetworkInterfaceAttribute', 'ENI', 'allowed'),
  row('on call', 'ec2:AssociateAddress', ['EIP', 'ENI'], 'allowed'),
  row('on call', 'ec2:ReplaceRoute', 'untagged route table', 'denied'),
  row('on call', 'ec2:ReplaceRoute', "another stage's route table", 'denied'),
  row('on call', 'ec2:ReplaceRoute', 'route table of another VPC', 'denied'),
  row('on call', 'ec2:AssociateAddress', ['EIP', 'ENI of another VPC'], 'denied'),
  row('on call', 'ec2:AssociateAddress', ['untagged EIP', 'ENI'], 'denied'),
  row('on call', 'ec2:CreateTags', 'untagged route table', 'denied', adopting),
  row('on call', 'ec2:CreateTags', 'EIP of something else', 'denied', adopting),
  row('on call', 'ec2:DeleteRoute', 'route table', 'denied'),
  row('on call', 'states:StartExecution', 'failover workflow', 'allowed'),
  row('on call', 'states:StartExecution', 'redrive workflow', 'allowed'),
  row('on call', 'states:StartExecution', "a customer's workflow", 'denied'),
  row('on call', 'states:DescribeExecution', 'execution', 'allowed'),
  row('on call', 'states:SendTaskSuccess', 'failover workflow', 'denied'),
  row('on call', 'states:SendTaskFailure', 'failover workflow', 'denied'),
  row('on call', 'ssm:SendCommand', ['hand-over document', 'node'], 'allowed'),
  row('on call', 'ssm:SendCommand', ['AWS-RunShellScript', 'node'], 'denied'),
  row('on call', 'ssm:SendCommand', ['hand-over document', 'another instance'], 'denied'),
  row('on call', 'logs:FilterLogEvents', 'log group', 'allowed'),
  row('on call', 'logs:FilterLogEvents', "a customer's log group", 'denied'),
  row('on call', 'cloudformation:DescribeStacks', 'stack', 'allowed'),
  row('on call', 'cloudtrail:LookupEvents', 'everything', 'allowed'),
  row('on call', 'iam:GetRole', 'node role', 'allowed'),
  row('on call', 'iam:AttachRolePolicy', 'node role', 'denied'),
];

/** IAM's reference gives the two actions no resource, while Step Functions is known to name the workflow when it denies them. */
const noResource = {
  other: {
    expected: 'denied',
    why: 'IAM’s reference knows no resource of this action; live --assumptions asks AWS',
  },
} as const;
const reads: readonly (readonly [string, On, Row['session']?])[] = [
  ['dynamodb:GetItem', 'registry'],
  ['dynamodb:Scan', 'registry'],
  ['states:DescribeExecution', 'execution'],
  ['states:GetExecutionHistory', 'execution'],
];

export const approverRows: readonly Row[] = [
  row('approver', 'states:SendTaskSuccess', 'failover workflow', 'allowed', noResource),
  row('approver', 'states:SendTaskFailure', 'failover workflow', 'allowed', noResource),
  row('approver', 'states:SendTaskSuccess', "a customer's workflow", 'denied'),
  ...reads.map(([what, on]) => row('approver', what, on, 'allowed')),
  row('approver', 'ec2:DescribeInstances', 'everything', 'allowed'),
  row('approver', 'dynamodb:Query', 'record', 'allowed', approvals),
  row('approver', 'dynamodb:Query', 'record', 'denied', { session: { 'dynamodb:LeadingKeys': ['web'] } }),
  row('approver', 'ec2:DescribeRouteTables', 'everything', 'allowed'),
  row('approver', 'states:StartExecution', 'failover workflow', 'denied'),
  row('approver', 'dynamodb:UpdateItem', 'registry', 'denied'),
  row('approver', 'dynamodb:PutItem', 'record', 'denied'),
  row('approver', 'ec2:ReplaceRoute', 'route table', 'denied'),
];

export const auditorRows: readonly Row[] = [
  ...reads.map(([what, on]) => row('auditor', what, on, 'allowed')),
  row('auditor', 'ec2:DescribeInstances', 'everything', 'allowed'),
  row('auditor', 'dynamodb:Query', 'record by day', 'allowed'),
  row('auditor', 'logs:FilterLogEvents', 'log group', 'allowed'),
  row('auditor', 'logs:FilterLogEvents', "a customer's log group", 'denied'),
  row('auditor', 'logs:DescribeLogGroups', 'everything', 'allowed'),
  row('auditor', 'iam:GetAccountAuthorizationDetails', 'everything', 'allowed'),
  row('auditor', 'cloudtrail:LookupEvents', 'everything', 'allowed'),
  row('auditor', 'dynamodb:PutItem', 'record', 'denied'),
  row('auditor', 'dynamodb:UpdateItem', 'registry', 'denied'),
  row('auditor', 'states:StartExecution', 'failover workflow', 'denied'),
  row('auditor', 'states:SendTaskSuccess', 'failover workflow', 'denied'),
  row('auditor', 'ec2:ReplaceRoute', 'route table', 'denied'),
];
