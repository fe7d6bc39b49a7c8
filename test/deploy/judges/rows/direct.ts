// Who may call failover: by its function URL, which asks for two rights, or by plain Invoke, which hands it any envelope.
//
// Limit of IAM: a principal of the account with a policy of its own may; by the URL the function itself refuses it, by Invoke nothing does.
import { REGION } from '../../support/resolve.ts';
import { type Row, row } from '../question.ts';
import type { On } from '../things.ts';

const on = { stack: { DirectPath: 'on' } } as const;
const tolerated = { tolerated: true } as const;
const signed = { 'lambda:FunctionUrlAuthType': 'AWS_IAM' };
const viaUrl = { 'lambda:InvokedViaFunctionUrl': 'true' };

type More = Pick<Row, 'stack' | 'tolerated'>;
type Call = readonly [what: string, session: NonNullable<Row['session']>];
const byUrl: readonly Call[] = [
  ['lambda:InvokeFunctionUrl', signed],
  ['lambda:InvokeFunction', viaUrl],
];

const calls = (
  who: Row['who'],
  expected: Row['expected'],
  more: More = {},
  thing: On = 'function failover',
) => byUrl.map(([what, session]): Row => row(who, what, thing, expected, { session, ...more }));
const plain = (who: Row['who'], expected: Row['expected'], more: More = {}): Row =>
  row(who, 'lambda:InvokeFunction', 'function failover', expected, more);

const claimRule = { 'aws:SourceArn': `arn:aws:events:${REGION}:111122223333:rule/ClaimRule` };
const otherRule = { 'aws:SourceArn': `arn:aws:events:${REGION}:111122223333:rule/orders` };
const people = ['on call', 'auditor', 'approver', 'registry owner'] as const;

export const directRows: readonly Row[] = [
  // A node, by its URL and by nothing else.
  ...(
    ['node a', 'node a, for via-keepalived', 'node a, with a wide policy', 'node a, under the SCP'] as const
  ).flatMap((who) => calls(who, 'allowed', on)),
  plain('node a', 'denied', on),
  row('node a', 'lambda:InvokeFunction', 'function failover', 'denied', {
    ...on,
    session: { 'lambda:InvokedViaFunctionUrl': 'false' },
  }),
  row('node a', 'lambda:InvokeFunctionUrl', 'function failover', 'denied', {
    ...on,
    session: { 'lambda:FunctionUrlAuthType': 'NONE' },
  }),
  row('node a', 'lambda:InvokeFunctionUrl', 'function failover', 'denied', on),
  ...calls('node a', 'denied', on, 'function reconcile'),
  ...calls('node a', 'denied', on, 'function runbook'),
  ...calls('node a', 'denied', on, "a customer's function"),
  // The bus’s rule, with and without the URL.
  row('EventBridge', 'lambda:InvokeFunction', 'function failover', 'allowed', { ...on, session: claimRule }),
  row('EventBridge', 'lambda:InvokeFunction', 'function failover', 'allowed', { session: claimRule }),
  row('EventBridge', 'lambda:InvokeFunction', 'function failover', 'denied', { ...on, session: otherRule }),
  row('EventBridge', 'lambda:InvokeFunctionUrl', 'function failover', 'denied', {
    ...on,
    session: claimRule,
  }),
  // Off: no one, by either way.
  ...calls('node a', 'denied'),
  plain('node a', 'denied'),
  // People and other functions of ours.
  ...people.flatMap((who) => [...calls(who, 'denied', on), plain(who, 'denied', on)]),
  ...(['reconcile', 'runbook', 'notice workflow'] as const).flatMap((who) => [
    ...calls(who, 'denied', on),
    plain(who, 'denied', on),
  ]),
  // What drives dead letters again invokes the function as it is.
  plain('redrive workflow', 'allowed', on),
  // Others of the account: not by the stack; with a policy of their own they may, which the doctor tells.
  ...calls('an app with PutEvents', 'denied', on),
  plain('an app with PutEvents', 'denied', on),
  ...calls('an app with lambda', 'allowed', { ...on, ...tolerated }),
  plain('an app with lambda', 'allowed', { ...on, ...tolerated }),
  ...calls('an app of another account', 'denied', on),
  plain('an app of another account', 'denied', on),
  // The organisation can keep them out.
  row('developer', 'lambda:InvokeFunctionUrl', 'function failover', 'denied explicitly', {
    ...on,
    session: signed,
  }),
  plain('developer', 'denied explicitly', on),
  row('developer', 'lambda:InvokeFunctionUrl', "a customer's function", 'allowed', { session: signed }),
];
