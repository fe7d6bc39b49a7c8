// Every honest party before every Deny: whichever parameters a stack has, and under the sample SCP, none of them is shut out.
import { REGION } from '../../support/resolve.ts';
import { A } from '../principals.ts';
import type { Row } from '../question.ts';
import { CLAIM, CONTROLLER, FAILED, FINISHED, noNodeRole, OF_A, put, says, send } from './bus.ts';

/** What EC2's own credentials may show. */
const instance = {
  'ec2:SourceInstanceARN': `arn:aws:ec2:${REGION}:111122223333:instance/${A}`,
  'aws:EC2InstanceSourceVPC': 'vpc-0prod',
};
const strict = (InstanceCredentials: string) => ({
  stack: { InstanceCredentials, EniAttributeCondition: 'on', TrustSourceAccount: 'on' },
});
const stacks = [strict('instance-arn'), strict('instance-vpc'), noNodeRole] as const;

const inEveryStack = stacks.flatMap((stack): readonly Row[] => [
  put('node a', says(OF_A), 'allowed', { ...stack, session: instance }),
  put('node a', says(Array(10).fill(OF_A), Array(10).fill(CLAIM)), 'allowed', {
    ...stack,
    session: instance,
  }),
  ...(['failover', 'reconcile', 'runbook'] as const).flatMap((who) => [
    put(who, says(CONTROLLER, FINISHED), 'allowed', stack),
    put(who, says(CONTROLLER, FAILED), 'allowed', stack),
    put(who, says(Array(10).fill(CONTROLLER), [FINISHED, FAILED]), 'allowed', stack),
  ]),
  ...(['registry owner', 'on call'] as const).map((who) =>
    put(who, says('vipshift.doctor'), 'allowed', stack),
  ),
  put('an app with PutEvents', says(['app', 'shop'], 'Order Placed'), 'allowed', stack),
  ...(['failover', 'reconcile'] as const).map((who) => ({
    ...send(who, 'function failures', 'allowed'),
    ...stack,
  })),
  ...[
    'ClaimRule',
    'NoticeRule',
    'InstanceHints',
    'ChangeHints',
    'WarningRule',
    'HealthRule',
    'WarnedRule',
  ].map((id) => ({
    ...send('EventBridge', 'rule dead letters', 'allowed', {
      'aws:SourceArn': `arn:aws:events:${REGION}:111122223333:rule/${id}`,
    }),
    ...stack,
  })),
  ...(['function failures', 'rule dead letters'] as const).flatMap((on) =>
    ['sqs:ReceiveMessage', 'sqs:DeleteMessage'].map(
      (what): Row => ({ who: 'redrive workflow', what, on, expected: 'allowed', ...stack }),
    ),
  ),
]);

const may = (who: Row['who'], whats: readonly string[], on: Row['on'], session?: Row['session']) =>
  whats.map((what): Row => ({ who, what, on, expected: 'allowed', ...(session && { session }) }));

const underTheScp = (['failover', 'reconcile', 'runbook'] as const).flatMap((name) => {
  const who = `${name}, under the SCP` as const;
  return [
    ...may(who, ['dynamodb:GetItem', 'dynamodb:UpdateItem'], 'registry'),
    ...may(who, ['dynamodb:PutItem'], 'record', { 'dynamodb:LeadingKeys': ['web'] }),
    ...may(who, ['ec2:CreateRoute', 'ec2:ReplaceRoute'], 'route table'),
    ...may(who, ['ec2:AssociateAddress'], ['EIP', 'ENI']),
    ...may(who, ['ec2:ModifyNetworkInterfaceAttribute'], 'ENI', { 'ec2:Attribute': 'SourceDestCheck' }),
    put(who, says(CONTROLLER, FINISHED), 'allowed'),
  ];
});
const people: readonly Row[] = [
  ...may('on call, under the SCP', ['dynamodb:PutItem'], 'record'),
  ...may('on call, under the SCP', ['ec2:CreateRoute'], 'route table'),
  ...may('on call, under the SCP', ['ec2:AssociateAddress'], ['EIP', 'ENI']),
  ...may('on call, under the SCP', ['ec2:ModifyNetworkInterfaceAttribute'], 'ENI'),
  ...may('on call, under the SCP', ['states:StartExecution'], ['failover workflow']),
  ...may('registry owner, under the SCP', ['ec2:CreateTags'], 'untagged ENI', {
    'aws:TagKeys': ['vipshift:prod'],
  }),
  ...may('registry owner, under the SCP', ['dynamodb:PutItem'], 'record'),
];

export const honestRows: readonly Row[] = [...inEveryStack, ...underTheScp, ...people];
