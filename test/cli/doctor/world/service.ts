// The deployed service of a world, and the identities: as the stack and docs/install.md make them.
import type { MetricAlarm } from '@aws-sdk/client-cloudwatch';
import { busPolicy, ROLE, trust } from '../../../../lab/aws/whole/policies.ts';
import type { Statement } from '../../../../shared/doctor/service/iam-policy.ts';
import { patterns, SCHEDULE } from '../../../../shared/doctor/service/patterns.ts';
import { alarmNames } from '../../../../shared/doctor/service/watch.ts';
import { VERSION } from '../../../../shared/version.ts';
import { ACCOUNT, arn, BUS_ARN, nodes, REGION, RETENTION_DAYS, ROLE_ID, TOPIC } from './names.ts';

const NODE_POLICY = arn('iam', 'policy/vipshift-dev-NodePolicy').replace(REGION, '');

export function service() {
  const name = (what: string) => `vipshift-dev-${what}`;
  const functionArn = (what: string) => arn('lambda', `function:${name(what)}`);
  const rule = (what: string, bus: string, starts: string, more: object) => ({
    Name: `${name(what)}-X`,
    EventBusName: bus,
    Arn: arn('events', bus === 'default' ? `rule/${name(what)}-X` : `rule/${bus}/${name(what)}-X`),
    State: 'ENABLED',
    ...more,
    targets: [starts],
  });
  const pattern = (of: object) => ({ EventPattern: JSON.stringify(of) });
  const rules = [
    rule('ClaimRule', 'vipshift-dev', functionArn('failover'), pattern(patterns.claims)),
    rule(
      'NoticeRule',
      'vipshift-dev',
      arn('states', `stateMachine:${name('notice')}`),
      pattern(patterns.notices),
    ),
    rule('InstanceHints', 'default', functionArn('reconcile'), pattern(patterns.instances)),
    rule(
      'ChangeHints',
      'default',
      functionArn('reconcile'),
      pattern({ ...patterns.changes, detail: { eventSource: ['ec2.amazonaws.com'] } }),
    ),
    ...(
      [
        ['WarningRule', 'default', patterns.warnings],
        ['HealthRule', 'default', patterns.health],
        ['WarnedRule', 'vipshift-dev', patterns.scheduled],
      ] as const
    ).map(([what, bus, of]) =>
      rule(what, bus, arn('states', `stateMachine:${name('warning')}`), pattern(of)),
    ),
    rule('ReconcileEventsRuleSchedule1', 'default', functionArn('reconcile'), {
      ScheduleExpression: SCHEDULE,
    }),
  ];
  const starting = {
    failover: ['ClaimRule'],
    reconcile: ['InstanceHints', 'ChangeHints', 'Reconcile'],
    runbook: [],
  };
  const lambda = (what: keyof typeof starting) => ({
    config: {
      ...{ FunctionArn: functionArn(what), State: 'Active', LastUpdateStatus: 'Successful', Timeout: 300 },
      Environment: {
        Variables: {
          ...{ VIPSHIFT_STAGE: 'dev', VIPSHIFT_BUS: 'vipshift-dev', VIPSHIFT_NODE_IDENTITY: 'source' },
          ...{ VIPSHIFT_VIPS_TABLE: name('vips'), VIPSHIFT_TIMELINE_TABLE: name('timeline') },
          ...{ VIPSHIFT_NODE_ROLE_ID: ROLE_ID, VIPSHIFT_RETENTION_DAYS: String(RETENTION_DAYS) },
        } as Record<string, string>,
      },
    },
    reserved: undefined as number | undefined,
    policy: rules
      .filter((one) => starting[what].some((part) => one.Name.includes(part)))
      .map((one) => ({
        Effect: 'Allow',
        Principal: { Service: 'events.amazonaws.com' },
        Action: 'lambda:InvokeFunction',
        Condition: { ArnLike: { 'AWS:SourceArn': one.Arn } },
      })) as Statement[],
  });
  const tableState = { status: 'ACTIVE', isProtected: true, recovers: true };
  return {
    stack: {
      StackStatus: 'UPDATE_COMPLETE',
      Parameters: { NodeRoleId: ROLE_ID, ReservedConcurrency: '0' } as Record<string, string>,
      Outputs: {
        ...{ NoticesTopicArn: TOPIC, NoticeMachineArn: arn('states', `stateMachine:${name('notice')}`) },
        WarningMachineArn: arn('states', `stateMachine:${name('warning')}`),
        ...{
          RuleDeadLettersUrl: 'https://sqs/rule-dead-letters',
          FunctionFailuresUrl: 'https://sqs/function-failures',
        },
        ...{
          RedriveMachineArn: arn('states', `stateMachine:${name('redrive')}`),
          NodePolicyArn: NODE_POLICY,
          Version: VERSION,
        },
      } as Record<string, string>,
    },
    rules,
    /** Inputs of their own, which no target has. */
    inputs: {} as Record<string, { readonly Input: string } | undefined>,
    functions: {
      failover: lambda('failover'),
      reconcile: lambda('reconcile'),
      runbook: lambda('runbook'),
    } as Record<string, ReturnType<typeof lambda> | undefined>,
    /** The function URL of failover, by its AuthType. */
    url: undefined as string | undefined,
    queues: { 'https://sqs/rule-dead-letters': 0, 'https://sqs/function-failures': 0 } as Record<
      string,
      number | undefined
    >,
    subscriptions: [`${TOPIC}:1`],
    alarms: alarmNames.map(
      (alarm): MetricAlarm => ({
        ...{ AlarmName: name(alarm), StateValue: 'OK', ActionsEnabled: true, AlarmActions: [TOPIC] },
      }),
    ),
    dynamo: {
      [name('vips')]: { ...tableState, ttl: undefined as string | undefined },
      [name('timeline')]: { ...tableState, ttl: 'expiresAtS' as string | undefined },
    } as Record<string, (typeof tableState & { ttl: string | undefined }) | undefined>,
  };
}

export function identities() {
  const allow = {
    ...{ Effect: 'Allow', Action: 'events:PutEvents', Resource: BUS_ARN },
    Condition: {
      'ForAllValues:StringEquals': {
        'events:source': 'vipshift.notify/${aws:userid}',
        'events:detail-type': 'VRRP State Change',
      },
      Null: { 'events:source': 'false' },
    },
  };
  return {
    bus: { Arn: BUS_ARN, Policy: busPolicy(BUS_ARN, ACCOUNT) } as { Arn: string; Policy: string } | undefined,
    role: {
      RoleName: ROLE,
      Arn: `arn:aws:iam::${ACCOUNT}:role/${ROLE}`,
      RoleId: ROLE_ID,
      AssumeRolePolicyDocument: trust('ec2.amazonaws.com'),
    },
    inline: {} as Record<string, string>,
    attached: [NODE_POLICY],
    managed: {
      [NODE_POLICY]: JSON.stringify({ Version: '2012-10-17', Statement: [allow] }),
    } as Record<string, string>,
    /** Other roles of the account, with an inline policy each. */
    otherRoles: {} as Record<string, string>,
    profileOf: { [nodes.a]: 'nodes', [nodes.b]: 'nodes' } as Record<string, string | undefined>,
  };
}
