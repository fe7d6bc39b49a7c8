/**
 * What each function may do: a role per function, one statement per action, nothing shared. A statement is there because a method of a port
 * needs it, and its Sid says which.
 *
 * Invariant: no function may delete a route, change a tag, release an address or read a table that is not the stack's; EC2 is changed only where
 * the stage's tag is. Limit: IAM cannot say which ENI a route may point to; the controller checks that (guarantee 7).
 */
import { busArn } from '../policies/bus-policy.ts';
import type { Json } from './policy-text.ts';
import { allow, arn, ec2Arn, roleOf, type Statement, tagKey } from './role.ts';

/** What a switch calls, for every caller. */
const switching = [
  'vips.read',
  'vips.write',
  'vips.renew',
  'views.view',
  'timeline.put',
  'ec2.observe',
  'ec2.apply',
  'sharedBucket.reserve',
  'sharedBucket.takeSpare',
  'sharedBucket.pushback',
  'sharedBucket.refund',
  'sharedBucket.drain',
  'bus.finished',
  'bus.failed',
] as const;

/** Port methods by function, as the code calls them; test/deploy/roles.test.ts holds this against the code. */
export const used = {
  failover: [
    ...switching,
    'bus.flapping',
    'bus.leaving',
    'vips.recordClaim',
    'timeline.reject',
    'timeline.probe',
  ],
  reconcile: [
    ...switching,
    'vips.list',
    'views.keepView',
    'ec2.observeAll',
    'ec2.scheduledEvents',
    'changes.note',
    'changes.since',
    'bus.forward',
    'bus.warned',
    'orders.put',
  ],
  runbook: [...switching, 'ec2.hostState', 'orders.put', 'approvals.ask'],
} as const;

export type FunctionName = keyof typeof used;

interface Need {
  readonly action: string;
  readonly resource: Json;
  readonly condition?: Json;
  /** The port methods that send it. */
  readonly for: readonly string[];
}

/** Of one kind of item only: the kind is the key's beginning. Null, since ForAllValues holds where there is no key at all. */
const leading = (keys: string): Json => ({
  'ForAllValues:StringLike': { 'dynamodb:LeadingKeys': [keys] },
  Null: { 'dynamodb:LeadingKeys': 'false' },
});

/** Every action, and the port methods behind it. */
export function needs(): readonly Need[] {
  const tagged = { Null: { [tagKey('aws:ResourceTag')]: 'false' } };
  const vips = { resource: arn.vips };
  const timeline = { resource: arn.timeline };
  // EC2 has no resources for Describe*.
  const observe = { resource: '*', for: ['ec2.observe', 'ec2.observeAll'] };
  const apply = { condition: tagged, for: ['ec2.apply'] };
  return [
    {
      action: 'dynamodb:GetItem',
      ...vips,
      for: ['vips.read', 'views.view', 'sharedBucket.pushback'],
    },
    { action: 'dynamodb:GetItem', ...timeline, condition: leading('view/*'), for: ['views.view'] },
    // Never PutItem: old code keeps attributes that it does not know.
    {
      action: 'dynamodb:UpdateItem',
      ...vips,
      for: [
        ...['vips.recordClaim', 'vips.write', 'vips.renew', 'views.keepView'],
        ...['sharedBucket.reserve', 'sharedBucket.takeSpare', 'sharedBucket.refund', 'sharedBucket.drain'],
      ],
    },
    { action: 'dynamodb:Scan', ...vips, for: ['vips.list'] },
    {
      action: 'dynamodb:PutItem',
      ...timeline,
      for: [
        'timeline.put',
        'timeline.probe',
        'changes.note',
        'orders.put',
        'approvals.ask',
        'views.keepView',
      ],
    },
    // The one thing that is read of the record: who changed what, for the reason of a repair.
    { action: 'dynamodb:Query', ...timeline, condition: leading('change/*'), for: ['changes.since'] },
    // The one thing that is counted in place: rejected claims, by VIP, node, reason and hour.
    {
      action: 'dynamodb:UpdateItem',
      ...timeline,
      condition: leading('rejected/*'),
      for: ['timeline.reject'],
    },
    { action: 'ec2:DescribeRouteTables', ...observe },
    { action: 'ec2:DescribeNetworkInterfaces', ...observe },
    { action: 'ec2:DescribeAddresses', ...observe },
    // Whether the node that a VIP is to go to runs; what is scheduled for the nodes.
    {
      action: 'ec2:DescribeInstanceStatus',
      resource: '*',
      for: ['ec2.hostState', 'ec2.scheduledEvents'],
    },
    { action: 'ec2:ReplaceRoute', resource: ec2Arn('route-table'), ...apply },
    { action: 'ec2:CreateRoute', resource: ec2Arn('route-table'), ...apply },
    // Both ends have the tag.
    {
      action: 'ec2:AssociateAddress',
      resource: [ec2Arn('elastic-ip'), ec2Arn('network-interface')],
      ...apply,
    },
    // Of its attributes only the source/destination check, where the account has shown that IAM knows that condition.
    {
      action: 'ec2:ModifyNetworkInterfaceAttribute',
      resource: ec2Arn('network-interface'),
      ...apply,
      condition: {
        ...tagged,
        StringEquals: {
          'Fn::If': [
            'HasEniAttributeCondition',
            { 'ec2:Attribute': 'SourceDestCheck' },
            { Ref: 'AWS::NoValue' },
          ],
        },
      },
    },
    // A function may say how a failover ended; it cannot say that a node changed its state.
    {
      action: 'events:PutEvents',
      resource: busArn,
      condition: {
        'ForAllValues:StringEquals': {
          'events:source': 'vipshift.controller',
          'events:detail-type': [
            'VIP Failover Finished',
            'VIP Failover Failed',
            'VIP Node Flapping',
            'VIP Node Leaving',
            'VIP Node Warned',
          ],
        },
        Null: { 'events:source': 'false', 'events:detail-type': 'false' },
      },
      for: ['bus.finished', 'bus.failed', 'bus.flapping', 'bus.leaving', 'bus.warned', 'bus.forward'],
    },
  ];
}

export const roleResources = (): Json => ({
  Resources: {
    FailoverRole: role('failover', reportFailure()),
    ReconcileRole: role('reconcile', reportFailure()),
    RunbookRole: role('runbook'),
  },
});

function role(name: FunctionName, ...more: readonly Statement[]): Json {
  const methods: readonly string[] = used[name];
  const statements = needs().flatMap(({ action, resource, condition, for: by }) => {
    const users = by.filter((method) => methods.includes(method));
    if (users.length === 0) return [];
    const onWhat = action === 'dynamodb:UpdateItem' && resource === arn.timeline ? 'Rejections' : '';
    return [{ Sid: sidOf(action, users) + onWhat, ...allow(action, resource, condition) }];
  });
  return roleOf(`the function ${name}`, name, 'lambda.amazonaws.com', [
    ...logs(name),
    ...statements,
    ...more,
  ]);
}

/** `GetItemForVipsReadVipsView`: letters and digits are all that a Sid may have. */
const sidOf = (action: string, users: readonly string[]): string =>
  `${action.split(':')[1]}For${users.map((user) => user.split('.').map(capital).join('')).join('')}`;

const capital = (word: string): string => word.charAt(0).toUpperCase() + word.slice(1);

// Lambda itself sends with the function's role what the function could not do.
function reportFailure(): Statement {
  return { Sid: 'LambdaItselfOnFailure', ...allow('sqs:SendMessage', arn.functionFailures) };
}

// By name, not by reference: the function already refers to its role.
function logs(name: string): Statement[] {
  const group = `log-group:/aws/lambda/vipshift-\${Stage}-${name}:*`;
  const streams = { 'Fn::Sub': `arn:\${AWS::Partition}:logs:\${AWS::Region}:\${AWS::AccountId}:${group}` };
  return [
    { Sid: 'LambdaItselfLogStream', ...allow('logs:CreateLogStream', streams) },
    { Sid: 'LambdaItselfLogEvents', ...allow('logs:PutLogEvents', streams) },
  ];
}
