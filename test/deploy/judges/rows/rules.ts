// Which event which rule takes: all examples of events/, what AWS sends, and hostile neighbours of both.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { healthEvent, listedEvent, rebalanceAdvice, spotWarning } from '../../../support/warnings.ts';
import { ACCOUNT, roleArn } from '../../support/resolve.ts';

const examples = join(import.meta.dirname, '..', '..', '..', '..', 'events', 'examples');
type Json = Readonly<Record<string, unknown>>;

export interface RuleRow {
  /** Logical id. */
  readonly rule:
    | 'ClaimRule'
    | 'NoticeRule'
    | 'InstanceHints'
    | 'ChangeHints'
    | 'WarningRule'
    | 'HealthRule'
    | 'WarnedRule';
  readonly what: string;
  readonly event: Json;
  readonly matches: boolean;
}

const example = (name: string): Json => JSON.parse(readFileSync(join(examples, name), 'utf8')) as Json;
const row = (rule: RuleRow['rule'], what: string, event: Json, matches: boolean): RuleRow => ({
  rule,
  what,
  event,
  matches,
});
const without = (event: Json, key: string): Json => {
  const { [key]: _gone, ...rest } = event;
  return rest;
};
const nested = (depth: number): unknown => (depth === 0 ? 'end' : { in: nested(depth - 1) });

const claim = example('transition-master.json');
const finished = example('finished.json');

/** What differs from an event in one thing, and is not the rule's; the last ones are. */
const neighbours = (rule: RuleRow['rule'], event: Json): readonly RuleRow[] => {
  const type = String(event['detail-type']);
  const other: readonly (readonly [string, unknown])[] = [
    ['in capitals', type.toUpperCase()],
    ['in small letters', type.toLowerCase()],
    ['with a blank before', ` ${type}`],
    ['with a blank after', `${type} `],
    ['with a wildcard', '*'],
    ['empty', ''],
    ['null', null],
    ['a number', 5],
    ['an object', { type }],
  ];
  return [
    ...other.map(([how, value]) =>
      row(rule, `detail-type ${how}`, { ...event, 'detail-type': value }, false),
    ),
    row(rule, 'no detail-type', without(event, 'detail-type'), false),
    row(
      rule,
      'the detail-type in the detail alone',
      { ...without(event, 'detail-type'), detail: event },
      false,
    ),
    row(rule, 'a replay', { ...event, 'replay-name': 'audit' }, false),
    row(rule, 'a replay without a name', { ...event, 'replay-name': '' }, false),
    row(rule, 'a replay called null', { ...event, 'replay-name': null }, false),
    row(
      rule,
      'a replay-name in the detail: a sender wrote it',
      {
        ...event,
        detail: { ...(event.detail as Json), 'replay-name': 'audit' },
      },
      true,
    ),
    row(rule, 'depth 400', { ...event, more: nested(400) }, true),
    row(rule, '250 KB', { ...event, more: 'x'.repeat(250_000) }, true),
  ];
};

export const claimRows: readonly RuleRow[] = [
  ...readdirSync(examples).map((name) =>
    row('ClaimRule', name, example(name), example(name)['detail-type'] === 'VRRP State Change'),
  ),
  ...neighbours('ClaimRule', claim),
  // The function rejects and counts it; the bus's policy lets none of them on.
  row('ClaimRule', 'another source', { ...claim, source: 'x' }, true),
  row('ClaimRule', 'a detail that is none', { ...claim, detail: 'text' }, true),
];

const caused = (kind: unknown): Json => ({
  ...finished,
  detail: { ...(finished.detail as Json), cause: { ...((finished.detail as Json).cause as Json), kind } },
});
const announced = ['finished.json', 'flapping.json', 'leaving.json'];
export const noticeRows: readonly RuleRow[] = [
  ...readdirSync(examples).map((name) => row('NoticeRule', name, example(name), announced.includes(name))),
  ...neighbours('NoticeRule', finished),
  row('NoticeRule', 'a failure', { ...caused('claim'), 'detail-type': 'VIP Failover Failed' }, true),
  row('NoticeRule', 'by reconcile', caused('reconcile'), true),
  row(
    'NoticeRule',
    'a failover of a storm, of which there is one notice',
    { ...finished, detail: { ...(finished.detail as Json), flapping: ['i-0a1b2c3d4e5f60718'] } },
    false,
  ),
  row('NoticeRule', 'by an order, whose message is the workflow’s', caused('order'), false),
  row('NoticeRule', 'a cause of several kinds', caused(['order', 'claim']), true),
  row('NoticeRule', 'no cause', { ...finished, detail: without(finished.detail as Json, 'cause') }, false),
  ...[
    'app',
    'VIPSHIFT.CONTROLLER',
    'vipshift.controller ',
    'vipshift.controller/x',
    'vipshift.notify/r:i',
  ].map((source) => row('NoticeRule', `source ${JSON.stringify(source)}`, { ...finished, source }, false)),
];

const state = (word: string, over: Json = {}): Json => ({
  ...{ version: '0', id: 'e', source: 'aws.ec2', account: ACCOUNT, time: '2026-11-22T14:00:00Z' },
  ...{ region: 'eu-central-1', resources: [], 'detail-type': 'EC2 Instance State-change Notification' },
  detail: { 'instance-id': 'i-0aaaaaaaaaaaaaaaa', state: word },
  ...over,
});
export const instanceRows: readonly RuleRow[] = [
  ...['running', 'stopping', 'stopped', 'shutting-down', 'terminated'].map((word) =>
    row('InstanceHints', word, state(word), true),
  ),
  ...['pending', 'rebooting', 'STOPPED', ''].map((word) =>
    row('InstanceHints', `state ${JSON.stringify(word)}`, state(word), false),
  ),
  ...neighbours('InstanceHints', state('stopped')),
  row('InstanceHints', 'another source', state('stopped', { source: 'app' }), false),
];

export const warningRows: readonly RuleRow[] = [
  row('WarningRule', 'a spot interruption warning', spotWarning(), true),
  row('WarningRule', 'a rebalance recommendation', rebalanceAdvice(), true),
  row('WarningRule', 'an instance that stopped', state('stopped'), false),
  row('WarningRule', 'another source', { ...spotWarning(), source: 'app' }, false),
  ...neighbours('WarningRule', spotWarning()),
  row('HealthRule', 'a retirement', healthEvent(), true),
  row('HealthRule', 'a zone in trouble', healthEvent({ eventTypeCategory: 'issue' }), false),
  row('HealthRule', 'another service', healthEvent({ service: 'RDS' }), false),
  row('HealthRule', 'another source', { ...healthEvent(), source: 'aws.ec2' }, false),
  ...neighbours('HealthRule', healthEvent()),
  row('WarnedRule', 'what reconcile has found', listedEvent(), true),
  row('WarnedRule', 'another source', { ...listedEvent(), source: 'vipshift.doctor' }, false),
  ...neighbours('WarnedRule', listedEvent()),
];

const assumed = (arn: string, session = 'session'): Json => ({
  ...{ type: 'AssumedRole', principalId: `AROAX:${session}`, accountId: ACCOUNT },
  arn: `${arn.replace(':iam:', ':sts:').replace(':role/', ':assumed-role/')}/${session}`,
  sessionContext: { sessionIssuer: { type: 'Role', arn, accountId: ACCOUNT }, attributes: {} },
});
const call = (eventName: string, userIdentity: Json, over: Json = {}): Json => ({
  ...{ version: '0', id: 'e', source: 'aws.ec2', account: ACCOUNT, time: '2026-11-22T14:00:00Z' },
  ...{ region: 'eu-central-1', resources: [], 'detail-type': 'AWS API Call via CloudTrail' },
  detail: { eventVersion: '1.11', eventSource: 'ec2.amazonaws.com', eventName, userIdentity, ...over },
});
const onCall = assumed(roleArn('vipshift-on-call'), 'ann');
const identities: readonly (readonly [string, Json, boolean])[] = [
  ...['FailoverRole', 'ReconcileRole', 'RunbookRole'].map(
    (id) =>
      [`the function’s own role ${id}`, assumed(roleArn(`vipshift-prod-${id}-EXAMPLE`)), false] as const,
  ),
  ['on call', onCall, true],
  ['an operator’s role that is called like the stack', assumed(roleArn('vipshift-prod-operator')), true],
  ['a role that is called like a function’s', assumed(roleArn('vipshift-prod-FailoverRole-EXAMPLE2')), true],
  [
    'a function’s role of another account',
    assumed('arn:aws:iam::999999999999:role/vipshift-prod-FailoverRole-EXAMPLE'),
    true,
  ],
  ['an IAM user', { type: 'IAMUser', arn: `arn:aws:iam::${ACCOUNT}:user/ann` }, true],
  [
    'an IAM user with MFA',
    {
      type: 'IAMUser',
      arn: `arn:aws:iam::${ACCOUNT}:user/ann`,
      sessionContext: { attributes: { mfaAuthenticated: 'true' } },
    },
    true,
  ],
  ['the root user', { type: 'Root', arn: `arn:aws:iam::${ACCOUNT}:root` }, true],
  ['a service that calls for itself', { type: 'AWSService', invokedBy: 'autoscaling.amazonaws.com' }, true],
  ['a caller whom CloudTrail does not name', {}, true],
];
export const changeRows: readonly RuleRow[] = [
  ...identities.map(([what, identity, matches]) =>
    row('ChangeHints', `ReplaceRoute by ${what}`, call('ReplaceRoute', identity), matches),
  ),
  ...[
    ...[
      'CreateRoute',
      'DeleteRoute',
      'DeleteRouteTable',
      'DisassociateRouteTable',
      'ReplaceRouteTableAssociation',
    ],
    ...['AssociateAddress', 'DisassociateAddress', 'ReleaseAddress', 'ModifyNetworkInterfaceAttribute'],
    ...['DetachNetworkInterface', 'UnassignPrivateIpAddresses', 'CreateTags', 'DeleteTags'],
  ].map((name) => row('ChangeHints', name, call(name, onCall), true)),
  ...['RunInstances', 'replaceroute', 'ReplaceRouteX', ''].map((name) =>
    row('ChangeHints', `eventName ${JSON.stringify(name)}`, call(name, onCall), false),
  ),
  row(
    'ChangeHints',
    'a call that EC2 refused',
    call('ReplaceRoute', onCall, { errorCode: 'Client.UnauthorizedOperation' }),
    false,
  ),
  row(
    'ChangeHints',
    'a call of another service',
    call('CreateTags', onCall, { eventSource: 'rds.amazonaws.com' }),
    false,
  ),
  ...neighbours('ChangeHints', call('ReplaceRoute', onCall)),
  row('ChangeHints', 'another source', { ...call('ReplaceRoute', onCall), source: 'app' }, false),
];

export const ruleTable: readonly RuleRow[] = [
  ...claimRows,
  ...noticeRows,
  ...instanceRows,
  ...changeRows,
  ...warningRows,
];
