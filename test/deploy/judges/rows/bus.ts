// Who may say what on the bus, and who may put what into its queues.

import { REGION } from '../../support/resolve.ts';
import { A, B, ROLE_ID } from '../principals.ts';
import type { Row } from '../question.ts';

export const CLAIM = 'VRRP State Change';
export const FINISHED = 'VIP Failover Finished';
export const FAILED = 'VIP Failover Failed';
export const FLAPPING = 'VIP Node Flapping';
export const LEAVING = 'VIP Node Leaving';
export const WARNED = 'VIP Node Warned';
export const OF_A = `vipshift.notify/${ROLE_ID}:${A}`;
export const OF_B = `vipshift.notify/${ROLE_ID}:${B}`;
export const CONTROLLER = 'vipshift.controller';

/** The keys of a request with these entries: each value once, in any order. */
export const says = (source: string | readonly string[], type: string | readonly string[] = CLAIM) => ({
  'events:source': source,
  'events:detail-type': type,
});
export const put = (
  who: Row['who'],
  session: Row['session'],
  expected: Row['expected'],
  more: Partial<Row> = {},
): Row => ({
  ...{ who, what: 'events:PutEvents', on: 'bus', expected, ...more },
  session: { ...session, ...more.session },
});

const instance = { 'ec2:SourceInstanceARN': `arn:aws:ec2:${REGION}:111122223333:instance/${A}` };
const inVpc = { 'aws:EC2InstanceSourceVPC': 'vpc-0prod' };
const byArn = { stack: { InstanceCredentials: 'instance-arn' } };
const byVpc = { stack: { InstanceCredentials: 'instance-vpc' } };
export const noNodeRole = { stack: { NodeRoleArn: '', NodeRoleId: '', NodeIdentity: 'none' } };

export const nodeRows: readonly Row[] = [
  put('node a', says(OF_A), 'allowed'),
  put('node a', says(Array(10).fill(OF_A), Array(10).fill(CLAIM)), 'allowed'),
  put('node a', says(OF_A), 'allowed', { session: instance }),
  put('node a', says(OF_A), 'allowed', { session: inVpc }),
  put('node a', says(OF_B), 'denied explicitly'),
  put('node a', says([OF_A, OF_B]), 'denied explicitly'),
  put('node a', says(OF_A, FINISHED), 'denied explicitly'),
  put('node a', says(OF_A, [CLAIM, FINISHED]), 'denied explicitly'),
  put('node a', says(CONTROLLER, FINISHED), 'denied explicitly'),
  put('node a', says('vipshift.doctor'), 'denied'),
  put('node a', says(OF_A, 'Something Else'), 'denied'),
  put('node a', says(OF_A), 'denied', { on: 'another bus' }),
  put('node a', says(OF_A), 'denied', { on: 'the bus of another account' }),
  put('node a', says(`vipshift.notify/${ROLE_ID}:${A}:more`), 'denied explicitly'),
  put('node a', says('vipshift.notify/'), 'denied explicitly'),
  put('node a, with a wide policy', says(OF_A), 'allowed'),
  put('node a, with a wide policy', says(OF_B), 'denied explicitly'),
  put('node a, with a wide policy', says([OF_A, OF_B]), 'denied explicitly'),
  put('node a, with a wide policy', says('x'), 'denied explicitly'),
  put('node a, with a wide policy', says(CONTROLLER, FINISHED), 'denied explicitly'),
  put('node a, with a wide policy', says('app', 'Order Placed'), 'allowed'),
  put('a human in the node role, named i-b', says(OF_B), 'allowed', { tolerated: true }),
  put('a human in the node role, named i-b', says(OF_A), 'denied explicitly'),
  put('a human in the node role, named i-b', says(OF_B), 'denied explicitly', byArn),
  put('a human in the node role, named i-b', says(OF_B), 'denied explicitly', byVpc),
  put('node a', says(OF_A), 'allowed', { ...byArn, session: instance }),
  put('node a', says(OF_A), 'allowed', { ...byVpc, session: inVpc }),
  put('node a', says([OF_A]), 'allowed', { ...byArn, session: { ...instance, ...inVpc } }),
  put('node a', says([OF_A]), 'allowed', { ...byVpc, session: { ...instance, ...inVpc } }),
  put('node a', says(OF_A), 'denied explicitly', byArn),
  put('node a', says(OF_A), 'allowed', noNodeRole),
  put('node a', says(OF_B), 'denied', noNodeRole),
  put('a session that is named i-b', says(`vipshift.notify/AROACI:${B}`), 'denied explicitly'),
  put('a session that is named i-b', says(OF_B), 'denied explicitly'),
  put('a role of the same name under a path', says(OF_A), 'denied explicitly'),
  put('a role that is called like the stack', says(OF_A), 'denied explicitly'),
];

export const strangerRows: readonly Row[] = [
  put('an app with PutEvents', says(OF_A), 'denied explicitly'),
  put('an app with PutEvents', says('VIPSHIFT.NOTIFY/x'), 'denied explicitly'),
  put('an app with PutEvents', says('x'), 'denied explicitly'),
  put('an app with PutEvents', says(['app', 'x'], ['Order Placed', CLAIM]), 'denied explicitly'),
  put('an app with PutEvents', says(CONTROLLER, FINISHED), 'denied explicitly'),
  put('an app with PutEvents', says(CONTROLLER, 'Something Else'), 'denied explicitly'),
  put('an app with PutEvents', says('app', FINISHED), 'denied explicitly'),
  put('an app with PutEvents', says('app', FAILED), 'denied explicitly'),
  put('an app with PutEvents', says('app', FLAPPING), 'denied explicitly'),
  put('an app with PutEvents', says('app', LEAVING), 'denied explicitly'),
  put('an app with PutEvents', says('app', WARNED), 'denied explicitly'),
  put('an app with PutEvents', says('app', 'Order Placed'), 'allowed'),
  put('an app with PutEvents', says(['app', 'shop'], ['Order Placed', 'Order Paid']), 'allowed'),
  put('an app with PutEvents', says('vipshift.doctor'), 'allowed', { tolerated: true }),
  put('an app with PutEvents', says(OF_A), 'allowed', { on: 'another bus' }),
  put('an app with PutEvents', says(CONTROLLER, FINISHED), 'denied explicitly', noNodeRole),
  put('an app with PutEvents', says('x'), 'denied explicitly', noNodeRole),
  put('a role that is called like the stack', says(CONTROLLER, FINISHED), 'denied explicitly'),
  put('admin', says(OF_A), 'denied explicitly'),
  put('admin', says(CONTROLLER, FINISHED), 'denied explicitly'),
  put('admin', says('admin.test', 'Test'), 'allowed'),
  put('root', says(OF_A), 'denied explicitly'),
  put('root', says(CONTROLLER, FAILED), 'denied explicitly'),
  ...(['failover', 'reconcile', 'runbook'] as const).flatMap((who) => [
    put(who, says(CONTROLLER, FINISHED), 'allowed'),
    put(who, says(CONTROLLER, FAILED), 'allowed'),
    put(who, says(CONTROLLER, FLAPPING), 'allowed'),
    put(who, says(CONTROLLER, LEAVING), 'allowed'),
    put(who, says(CONTROLLER, WARNED), 'allowed'),
    put(who, says(OF_A), 'denied explicitly'),
    put(who, says('vipshift.doctor'), 'denied'),
    put(who, says(CONTROLLER, FINISHED), 'denied', { on: 'another bus' }),
  ]),
  put('failover', says(CONTROLLER, [FINISHED, FAILED]), 'allowed'),
  put('failover', says(CONTROLLER, FINISHED), 'allowed', byArn),
  put('redrive workflow', says(CONTROLLER, FINISHED), 'denied explicitly'),
  put('failover workflow', says(CONTROLLER, FINISHED), 'denied explicitly'),
  ...(['registry owner', 'on call'] as const).flatMap((who) => [
    put(who, says('vipshift.doctor'), 'allowed'),
    put(who, says('vipshift.doctor'), 'allowed', byArn),
    put(who, says(OF_A), 'denied explicitly'),
    put(who, says(CONTROLLER, FINISHED), 'denied explicitly'),
    put(who, says('x'), 'denied explicitly'),
  ]),
  put('approver', says('vipshift.doctor'), 'denied'),
  put('auditor', says('vipshift.doctor'), 'denied'),
];

export const send = (
  who: Row['who'],
  on: Row['on'],
  expected: Row['expected'],
  session: Row['session'] = {},
): Row => ({
  ...{ who, what: 'sqs:SendMessage', on, session, expected },
});
const rule = (id: string) => ({ 'aws:SourceArn': `arn:aws:events:${REGION}:111122223333:rule/${id}` });

export const queueRows: readonly Row[] = [
  send('failover', 'function failures', 'allowed'),
  send('reconcile', 'function failures', 'allowed'),
  send('runbook', 'function failures', 'denied explicitly'),
  send('an app with sqs', 'function failures', 'denied explicitly'),
  send('admin', 'function failures', 'denied explicitly'),
  send('root', 'function failures', 'denied explicitly'),
  send('node a, with a wide policy', 'function failures', 'denied explicitly'),
  send('on call', 'function failures', 'denied explicitly'),
  send('EventBridge', 'function failures', 'denied explicitly', rule('ClaimRule')),
  send('failover', 'rule dead letters', 'denied explicitly'),
  send('an app with sqs', 'rule dead letters', 'denied explicitly'),
  send('admin', 'rule dead letters', 'denied explicitly'),
  ...[
    'ClaimRule',
    'NoticeRule',
    'InstanceHints',
    'ChangeHints',
    'WarningRule',
    'HealthRule',
    'WarnedRule',
  ].map((id) => send('EventBridge', 'rule dead letters', 'allowed', rule(id))),
  send('EventBridge', 'rule dead letters', 'denied explicitly', rule('somebody-elses')),
  send('EventBridge', 'rule dead letters', 'denied explicitly'),
  send('S3', 'rule dead letters', 'denied explicitly', { 'aws:SourceArn': 'arn:aws:s3:::bucket' }),
  send('an app with sqs', "a customer's queue", 'allowed'),
  ...(['function failures', 'rule dead letters'] as const).flatMap((on): readonly Row[] => [
    { who: 'redrive workflow', what: 'sqs:ReceiveMessage', on, expected: 'allowed' },
    { who: 'redrive workflow', what: 'sqs:DeleteMessage', on, expected: 'allowed' },
    { who: 'redrive workflow', what: 'sqs:PurgeQueue', on, expected: 'denied' },
    { who: 'on call', what: 'sqs:ReceiveMessage', on, expected: 'allowed' },
    { who: 'on call', what: 'sqs:DeleteMessage', on, expected: 'allowed' },
    { who: 'on call', what: 'sqs:PurgeQueue', on, expected: 'denied' },
    { who: 'auditor', what: 'sqs:ReceiveMessage', on, expected: 'denied' },
  ]),
];
