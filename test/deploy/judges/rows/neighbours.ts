// Hostile neighbours: who stands next to an honest party, and what goes around the policies instead of through them.

import { ACCOUNT, REGION } from '../../support/resolve.ts';
import { A, ROLE_ID } from '../principals.ts';
import { type Row, row } from '../question.ts';
import { CLAIM, CONTROLLER, FAILED, FINISHED, noNodeRole, OF_A, OF_B, put, says, send } from './bus.ts';

const tolerated = { tolerated: true } as const;
const ownSource = (userid: string) => `vipshift.notify/${userid}`;

/** On the bus. */
const senders: readonly Row[] = [
  put('an app of another account', says('app', 'Order Placed'), 'denied'),
  put('an app of another account', says(OF_A), 'denied explicitly'),
  put('an app of another account', says(CONTROLLER, FINISHED), 'denied explicitly'),
  // A rule of another bus that has this one as its target, without a role.
  put('EventBridge', says(OF_A), 'denied explicitly'),
  put('EventBridge', says(CONTROLLER, FINISHED), 'denied explicitly'),
  put('EventBridge', says('app', 'Order Placed'), 'denied'),
  // Its own session in the source: not the nodes' role all the same.
  put('an app with PutEvents', says(ownSource('AROAapp:session')), 'denied explicitly'),
  put('a user named like an instance', says(ownSource('AIDAEXAMPLE')), 'denied explicitly'),
  put('a user named like an instance', says(OF_B), 'denied explicitly'),
  put('root', says(ownSource(ACCOUNT)), 'denied explicitly'),
  put('root', says('vipshift.doctor', FINISHED), 'denied explicitly'),
  put('a role called like a function’s, under a path', says(CONTROLLER, FINISHED), 'denied explicitly'),
  put('a role called nearly like a function’s', says(CONTROLLER, FAILED), 'denied explicitly'),
  put('a function of the stage dev', says(CONTROLLER, FINISHED), 'denied explicitly'),
  put('a function of the stage dev', says(OF_A), 'denied explicitly'),
  // One entry of ten that is another's.
  put('node a, with a wide policy', says([OF_A, 'vipshift.doctor']), 'denied explicitly'),
  put('node a, with a wide policy', says([OF_A, 'app'], [CLAIM, 'Order Placed']), 'denied explicitly'),
  put('node a, with a wide policy', says(Array(10).fill(OF_A).with(9, OF_B)), 'denied explicitly'),
  put('node a, with a wide policy', says([OF_A, CONTROLLER], [CLAIM, FINISHED]), 'denied explicitly'),
  put('failover', says([CONTROLLER, OF_A], [FINISHED, CLAIM]), 'denied explicitly'),
  put('on call', says(['vipshift.doctor', CONTROLLER], [CLAIM, FINISHED]), 'denied explicitly'),
  put('on call', says('vipshift.doctor', FINISHED), 'denied explicitly'),
  // Spelled otherwise.
  put('node a, with a wide policy', says(OF_A.toUpperCase()), 'denied explicitly'),
  put('node a', says(`${OF_A} `), 'denied explicitly'),
  put('node a', says(`vipshift.notify/${ROLE_ID}`), 'denied explicitly'),
  put('node a', says(`vipshift.notify/${ROLE_ID}:${A.toUpperCase()}`), 'denied explicitly'),
  put('node a', says('vipshift.notify/*'), 'denied explicitly'),
  put('node a', says('vipshift.notify/${aws:userid}'), 'denied explicitly'),
  put('an app with PutEvents', says('vipshift.notify'), 'denied explicitly'),
  // No rule of ours takes these: rows/rules.ts.
  put('an app with PutEvents', says('app', CLAIM.toLowerCase()), 'allowed', tolerated),
  put('an app with PutEvents', says(`${CONTROLLER} `, 'Something Else'), 'allowed', tolerated),
  put('an app with PutEvents', says(CONTROLLER.toUpperCase(), 'Something Else'), 'allowed', tolerated),
  // The function rejects and counts it.
  put('node a, with a wide policy', says('vipshift.doctor'), 'allowed', tolerated),
  // Without a node role only the name of a source tells who speaks: a limit that is documented.
  put('an app with PutEvents', says(OF_A), 'allowed', { ...noNodeRole, ...tolerated }),
];

const ruleOf = (account: string, rest: string) => ({
  'aws:SourceArn': `arn:aws:events:${REGION}:${account}:rule/${rest}`,
});
/** Into the queues, whose messages are driven again. */
const writers: readonly Row[] = [
  send('EventBridge', 'rule dead letters', 'denied explicitly', ruleOf('999999999999', 'ClaimRule')),
  send('EventBridge', 'rule dead letters', 'denied explicitly', ruleOf(ACCOUNT, 'orders/ClaimRule')),
  send('EventBridge', 'rule dead letters', 'denied explicitly', ruleOf(ACCOUNT, 'ClaimRule2')),
  send('EventBridge', 'rule dead letters', 'denied explicitly', ruleOf(ACCOUNT, 'x/../ClaimRule')),
  // A service that another rule lets in is none of ours, though it can show our rule's ARN.
  send('SNS', 'rule dead letters', 'denied', ruleOf(ACCOUNT, 'ClaimRule')),
  send('SNS', 'function failures', 'denied explicitly', {
    'aws:SourceArn': `arn:aws:sns:${REGION}:${ACCOUNT}:orders`,
  }),
  // It sends with the function's role and never as itself.
  send('Lambda', 'function failures', 'denied explicitly'),
  send('root', 'rule dead letters', 'denied explicitly'),
  send('redrive workflow', 'function failures', 'denied explicitly'),
  send('redrive workflow', 'rule dead letters', 'denied explicitly'),
  send('reconcile', 'rule dead letters', 'denied explicitly'),
  send('on call', 'rule dead letters', 'denied explicitly'),
  send('a function of the stage dev', 'function failures', 'denied explicitly'),
  send('a role called nearly like a function’s', 'function failures', 'denied explicitly'),
  send('an app of another account', 'function failures', 'denied explicitly'),
  send('an app of another account', 'rule dead letters', 'denied explicitly'),
];

const labels = (...keys: readonly string[]) => ({ session: { 'aws:TagKeys': keys } });

/** Past the bus, the queues and the record. */
const detours: readonly Row[] = [
  // The caller of a function hands it any event; only the organisation can forbid that.
  row('developer', 'lambda:InvokeFunction', 'function failover', 'denied explicitly'),
  row('developer', 'lambda:InvokeFunction', 'function reconcile', 'denied explicitly'),
  row('developer', 'lambda:InvokeFunction', "a customer's function", 'allowed'),
  row('network admin', 'lambda:InvokeFunction', 'function failover', 'allowed'),
  row('terraform', 'lambda:InvokeFunction', 'function runbook', 'denied explicitly'),
  row('failover workflow, under the SCP', 'lambda:InvokeFunction', 'function runbook', 'allowed'),
  row('redrive workflow, under the SCP', 'lambda:InvokeFunction', 'function failover', 'allowed'),
  row('redrive workflow, under the SCP', 'lambda:InvokeFunction', 'function reconcile', 'allowed'),
  row('on call', 'lambda:InvokeFunction', 'function failover', 'denied'),
  row('approver', 'lambda:InvokeFunction', 'function runbook', 'denied'),
  row('on call', 'lambda:UpdateFunctionCode', 'function failover', 'denied'),
  row('on call', 'events:PutRule', 'rule of the bus', 'denied'),
  row('on call', 'events:PutTargets', 'rule of the bus', 'denied'),
  row('on call', 'events:DisableRule', 'rule of the schedule', 'denied'),
  row('on call', 'events:PutPermission', 'everything', 'denied'),
  row('on call', 'events:StartReplay', 'archive', 'denied'),
  row('on call', 'sqs:SetQueueAttributes', 'function failures', 'denied'),
  row('on call', 'sqs:AddPermission', 'rule dead letters', 'denied'),
  row('on call', 'states:UpdateStateMachine', 'failover workflow', 'denied'),
  row('approver', 'states:StartExecution', 'redrive workflow', 'denied'),
  row('approver', 'states:RedriveExecution', 'execution', 'denied'),
  row('registry owner', 'states:SendTaskSuccess', 'failover workflow', 'denied'),
  row('on call', 'dynamodb:DeleteItem', 'record', 'denied'),
  row('on call', 'dynamodb:UpdateItem', 'record', 'denied'),
  row('on call', 'dynamodb:PutItem', 'registry', 'denied'),
  row('on call', 'dynamodb:DeleteItem', 'registry', 'denied'),
  row('on call', 'logs:DeleteLogGroup', 'log group', 'denied'),
  row('auditor', 'logs:PutLogEvents', 'log', 'denied'),
  row('auditor', 'logs:FilterLogEvents', 'log group of the stage prod-x', 'denied'),
  row('on call', 'logs:FilterLogEvents', 'log group of the stage prod-x', 'denied'),
  row('on call', 'events:DescribeRule', 'rule of the stage production', 'denied'),
  // The tag is the permission.
  row('on call', 'ec2:ReplaceRoute', 'route table of no known VPC', 'denied'),
  row('on call', 'ec2:DeleteTags', 'route table', 'denied', labels('vipshift:prod')),
  row('registry owner', 'ec2:DeleteTags', 'route table', 'denied', labels('vipshift:prod')),
  row('registry owner', 'ec2:CreateTags', 'route table', 'denied', labels('vipshift:prod', 'Name')),
  row('registry owner', 'ec2:CreateTags', 'route table', 'denied', labels('VIPSHIFT:prod')),
  row('registry owner', 'ec2:CreateTags', 'route table', 'denied', labels('vipshift:dev')),
  row('registry owner', 'ec2:CreateTags', 'route table', 'denied'),
  row('registry owner', 'ec2:CreateTags', 'untagged EIP', 'denied', labels('Name')),
  row('registry owner', 'ec2:CreateTags', 'untagged EIP', 'denied'),
  row('registry owner', 'ec2:CreateTags', 'route table of no known VPC', 'denied', labels('vipshift:prod')),
  // Who may create roles there may take this one's place: an administrator of that account.
  row(
    'a role that someone called like a function’s',
    'dynamodb:UpdateItem',
    'registry',
    'allowed',
    tolerated,
  ),
];

export const neighbourRows: readonly Row[] = [...senders, ...writers, ...detours];
