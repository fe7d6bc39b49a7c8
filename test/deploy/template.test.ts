import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { contradictions, verdictOn } from '../../build/template-check.ts';
import { DETAIL_TYPE } from '../../shared/aws/events/claim-event.ts';
import { CONTROLLER_SOURCE, FLAPPING } from '../../shared/aws/events/publisher.ts';
import { metricNames, metricsNamespace } from '../../shared/aws/lambda/telemetry.ts';
import { settingsFrom } from '../../shared/aws/wire.ts';
import { RESERVE } from '../../shared/controller/reconcile-all.ts';
import { rates } from '../../shared/rate-limit/local-bucket.ts';
import { SOURCE_PREFIX } from '../../shared/vip/admission.ts';
import { FUNCTION_TIMEOUT_MIN } from '../../shared/vip/lease.ts';
import { packaged } from './support/packaged.ts';
import type { Resource, Template } from './support/template.ts';

const root = join(import.meta.dirname, '..', '..');
const roleArn = 'arn:aws:iam::111122223333:role/vipshift-node';

let text: string;
let prod: Template;
let other: Template;

const role = { nodeRoleId: 'AROAEXAMPLE000000001', nodeRoleArn: roleArn };
beforeAll(async () => {
  const [one, two] = await Promise.all([packaged('prod', role), packaged('other')]);
  text = one;
  [prod, other] = [JSON.parse(one) as Template, JSON.parse(two) as Template];
});

function ofType(template: Template, type: string): [string, Resource][] {
  return Object.entries(template.Resources).filter(([, { Type }]) => Type === type);
}

function resource(template: Template, id: string): Resource {
  const found = template.Resources[id];
  if (found === undefined)
    throw new Error(`no resource ${id}, found: ${Object.keys(template.Resources).join(', ')}`);
  return found;
}

describe('the packaged template', () => {
  it('does not stop a deployment by a warning, or by a check that fails itself: that is said', () => {
    const folder = mkdtempSync(join(tmpdir(), 'vipshift-test-'));
    const file = join(folder, 'template.json');
    writeFileSync(file, text);
    const one = (isError: boolean) => ({ id: `${isError ? 'E1' : 'W1'} Bus`, message: 'no good', isError });
    const verdicts = [
      () => [one(true), one(false)],
      () => {
        throw new Error('unreachable executed');
      },
    ].map((look) => verdictOn(file, look));
    rmSync(folder, { recursive: true });
    expect(verdicts).toEqual([
      { stops: ['E1 Bus: no good'], says: ['W1 Bus: no good'] },
      {
        stops: [],
        says: [expect.stringMatching(/^the template was not checked, .*: unreachable executed$/)],
      },
    ]);
  });

  it('keeps the logical ids that hold state: another id would make CloudFormation replace the table', () => {
    const ids = Object.entries(prod.Resources).map(([id, { Type }]) => `${Type} ${id}`);
    const stateful = ids.filter((id) => /DynamoDB|SQS::Queue |EventBus|Role/.test(id));
    expect(stateful.toSorted((a, b) => a.localeCompare(b))).toMatchInlineSnapshot(`
      [
        "AWS::DynamoDB::Table TimelineTable",
        "AWS::DynamoDB::Table VipsTable",
        "AWS::Events::EventBus Bus",
        "AWS::IAM::Role DepartureMachineRole",
        "AWS::IAM::Role FailoverMachineRole",
        "AWS::IAM::Role FailoverRole",
        "AWS::IAM::Role NoticeMachineRole",
        "AWS::IAM::Role NoticeRuleRole",
        "AWS::IAM::Role ReconcileRole",
        "AWS::IAM::Role RedriveMachineRole",
        "AWS::IAM::Role RunbookRole",
        "AWS::IAM::Role WarningMachineRole",
        "AWS::IAM::Role WarningRuleRole",
        "AWS::SQS::Queue FunctionFailures",
        "AWS::SQS::Queue RuleDeadLetters",
      ]
    `);
  });

  it('shares no name between two stages of an account', () => {
    const names = (template: Template) =>
      Object.values(template.Resources).flatMap(({ Properties }) =>
        Object.keys(Properties ?? {})
          .filter((key) => /^(Name|\w+Name)$/.test(key) && key !== 'MetricName')
          .map((key) => Properties[key])
          .filter((name) => typeof name === 'string'),
      );
    // Tables, bus, archive, queues, topic, workflows, document, alarms, dashboard, functions, log groups.
    expect(names(prod).length).toBeGreaterThan(20);
    expect(names(prod).filter((name) => names(other).includes(name))).toEqual([]);
  });

  it('names no partition, region or account: the same file for all', () => {
    expect(text).not.toMatch(/arn:aws[a-z-]*:(?!iam::111122223333:role\/vipshift-node)/);
    expect(text).not.toMatch(/(eu|us|ap|cn)-[a-z]+-\d/);
  });

  it('is refused before anything is made where claims are to be bound to a role that no one named', () => {
    expect(contradictions(prod.Parameters)).toEqual([]);
    expect(contradictions(other.Parameters)).toEqual([
      'nodeIdentity is "source", and nodeRoleId, nodeRoleArn are empty: name the nodes’ role (aws iam get-role), or set nodeIdentity=none',
    ]);
    const none = { ...other.Parameters, NodeIdentity: { Default: 'none' } };
    expect(contradictions(none)).toEqual([]);
  });

  it('keeps both tables, encrypted and recoverable, when the stack goes; only the timeline forgets by itself', () => {
    for (const [id, table] of ofType(prod, 'AWS::DynamoDB::Table')) {
      expect(table, id).toMatchObject({
        DeletionPolicy: 'Retain',
        UpdateReplacePolicy: 'Retain',
        Properties: {
          BillingMode: 'PAY_PER_REQUEST',
          DeletionProtectionEnabled: true,
          PointInTimeRecoverySpecification: { PointInTimeRecoveryEnabled: true },
          SSESpecification: { SSEEnabled: true },
        },
      });
    }
    const ttl = ofType(prod, 'AWS::DynamoDB::Table').map(([id, table]) => [
      id,
      table.Properties.TimeToLiveSpecification,
    ]);
    expect(Object.fromEntries(ttl)).toEqual({
      VipsTable: undefined,
      TimelineTable: { AttributeName: 'expiresAtS', Enabled: true },
    });
  });
});

describe('the functions', () => {
  it('run on Node 24, arm64, with a timeout that the lease allows and logs that end', () => {
    const functions = ofType(prod, 'AWS::Lambda::Function');
    expect(functions.map(([id]) => id)).toEqual([
      'FailoverLambdaFunction',
      'ReconcileLambdaFunction',
      'RunbookLambdaFunction',
    ]);
    for (const [id, { Properties }] of functions) {
      expect(Properties, id).toMatchObject({ Runtime: 'nodejs24.x', Architectures: ['arm64'] });
      expect(Properties.Timeout * 1000).toBeGreaterThanOrEqual(FUNCTION_TIMEOUT_MIN);
    }
    const retention = ofType(prod, 'AWS::Logs::LogGroup').map(
      ([, { Properties }]) => Properties.RetentionInDays,
    );
    expect(retention).toEqual([90, 90, 90]);
  });

  it('outlast what EC2’s budget makes of the largest plan, and a sweep leaves that time to what it begins last', () => {
    const { burst, perSecond } = rates.ReplaceRoute;
    const largestMs = ((400 - burst) / perSecond) * 1000;
    expect(RESERVE).toBeGreaterThan(largestMs);
    for (const [id, { Properties }] of ofType(prod, 'AWS::Lambda::Function'))
      expect(Properties.Timeout * 1000, id).toBeGreaterThan(2 * RESERVE);
    // One vCPU where clients wait for it.
    expect(resource(prod, 'FailoverLambdaFunction').Properties.MemorySize).toBe(1769);
  });

  it('are told EC2’s request buckets by a parameter of the stack, which takes what the code reads', () => {
    expect(resource(prod, 'RunbookLambdaFunction').Properties.Environment.Variables).toMatchObject({
      VIPSHIFT_EC2_RATES: { Ref: 'Ec2Rates' },
    });
    const { Default, AllowedPattern } = prod.Parameters.Ec2Rates!;
    expect(Default).toBe('');
    const takes = new RegExp(AllowedPattern!);
    const told = 'ReplaceRoute=100/10,AssociateAddress=60/7.5';
    expect([told, '', 'ReplaceRoute', 'ReplaceRoute=/5'].map((text) => takes.test(text))).toEqual([
      ...[true, true, false, false],
    ]);
    const env = {
      ...{ VIPSHIFT_STAGE: 's', VIPSHIFT_VIPS_TABLE: 'v', VIPSHIFT_TIMELINE_TABLE: 't', VIPSHIFT_BUS: 'b' },
      ...{ VIPSHIFT_NODE_IDENTITY: 'none', VIPSHIFT_EC2_RATES: told },
    };
    expect(settingsFrom(env).rates).toEqual({
      ...rates,
      ReplaceRoute: { burst: 100, perSecond: 10 },
      AssociateAddress: { burst: 60, perSecond: 7.5 },
    });
  });

  it('are given every variable that the code reads', () => {
    const ports = readFileSync(join(root, 'shared', 'aws', 'wire.ts'), 'utf8');
    const read = new Set(ports.match(/VIPSHIFT_\w+/g));
    const { Variables } = resource(prod, 'FailoverLambdaFunction').Properties.Environment;
    expect([...read].filter((name) => !(name in Variables))).toEqual([]);
  });

  it('get their events once at most a minute late, and lose none without a trace', () => {
    const failover = resource(prod, 'FailoverLambdaEvConf').Properties;
    expect(failover).toMatchObject({
      MaximumEventAgeInSeconds: 60,
      MaximumRetryAttempts: 2,
      DestinationConfig: { OnFailure: { Destination: { 'Fn::GetAtt': ['FunctionFailures', 'Arn'] } } },
    });
    const rule = resource(prod, 'ClaimRule').Properties;
    expect(rule.EventPattern).toEqual({ 'detail-type': [DETAIL_TYPE], 'replay-name': [{ exists: false }] });
    expect(rule.Targets).toHaveLength(1);
    expect(rule.Targets[0]).toMatchObject({
      RetryPolicy: { MaximumEventAgeInSeconds: 60 },
      DeadLetterConfig: { Arn: { 'Fn::GetAtt': ['RuleDeadLetters', 'Arn'] } },
    });
    for (const [id, { Properties }] of ofType(prod, 'AWS::SQS::Queue')) {
      expect(
        Properties.FifoQueue,
        `${id}: a FIFO queue cannot be a dead-letter target of a rule`,
      ).toBeUndefined();
    }
  });
});

describe("the bus's policy", () => {
  it('speaks of the same words as the code: of another spelling it would keep no one away', () => {
    const text = JSON.stringify(resource(prod, 'Bus').Properties.Policy);
    const words = [
      `${SOURCE_PREFIX}*`,
      DETAIL_TYPE,
      CONTROLLER_SOURCE,
      'VIP Failover Finished',
      'VIP Failover Failed',
      FLAPPING,
    ];
    for (const word of words) expect(text).toContain(JSON.stringify(word));
  });

  it('denies the source of a claim to everybody but the node role', () => {
    const { Policy } = resource(prod, 'Bus').Properties;
    const [[condition, statement]] = Policy.Statement.map(
      (one: { 'Fn::If'?: unknown }) => one['Fn::If'],
    ).filter((one: unknown) => one !== undefined);
    expect(prod.Conditions).toMatchObject({
      [condition]: { 'Fn::Not': [{ 'Fn::Equals': [{ Ref: 'NodeRoleArn' }, ''] }] },
    });
    expect(statement).toMatchObject({
      Effect: 'Deny',
      Principal: '*',
      Action: 'events:PutEvents',
      Condition: {
        'ForAnyValue:StringLike': { 'events:source': `${SOURCE_PREFIX}*` },
        ArnNotEquals: { 'aws:PrincipalArn': { Ref: 'NodeRoleArn' } },
      },
    });
    expect(prod.Parameters.NodeRoleArn!.Default).toBe(roleArn);
    expect(other.Parameters.NodeRoleArn!.Default, 'without a node role there is no such statement').toBe('');
  });
});

describe('every alarm', () => {
  const alarms = () => ofType(prod, 'AWS::CloudWatch::Alarm');
  const docs = readFileSync(join(root, 'docs', 'operations.md'), 'utf8');

  it('says what missing data means, what to do, and where to read on', () => {
    expect(alarms().length).toBeGreaterThan(5);
    for (const [id, { Properties }] of alarms()) {
      // Without a sweep no one knows whether anybody is heard; that there is none the dead man says.
      const missing = { DeadMan: 'breaching', NoClaims: 'ignore' }[id] ?? 'notBreaching';
      expect(Properties.TreatMissingData, id).toBe(missing);
      expect(Properties.AlarmActions, id).toEqual([{ Ref: 'Notices' }]);
      const section = /docs\/operations\.md#([a-z-]+)$/.exec(Properties.AlarmDescription)?.[1];
      expect(docs, `${id}: its section`).toContain(`\n### ${section}\n`);
    }
  });

  it('has its section, and no section of docs/operations.md is about an alarm that is no more', () => {
    const sections = [
      ...docs
        .slice(docs.indexOf('\n## Alarms\n'))
        .split(/\n## /)[1]!
        .matchAll(/\n### (.+)\n/g),
    ];
    const named = alarms().map<string>(([, { Properties }]) => Properties.AlarmDescription.split('#').at(-1));
    expect(sections.map(([, title]) => title!).toSorted((a, b) => a.localeCompare(b))).toEqual(
      named.toSorted((a, b) => a.localeCompare(b)),
    );
  });

  it('on our own metrics looks where they are, in the namespace of the stage and without a VIP', () => {
    const ours = alarms().filter(([, { Properties }]) => Properties.Namespace === metricsNamespace('prod'));
    expect(ours.length).toBeGreaterThan(3);
    for (const [id, { Properties }] of ours) {
      expect(Object.values(metricNames), id).toContain(Properties.MetricName);
      expect(Properties.Dimensions).toEqual([{ Name: 'service', Value: 'vipshift' }]);
    }
  });

  it('the dead man: no successful reconcile for 3 minutes, and silence is one', () => {
    expect(resource(prod, 'DeadMan').Properties).toMatchObject({
      ...{ MetricName: metricNames.reconciled, Period: 60, EvaluationPeriods: 3, DatapointsToAlarm: 3 },
      ...{ ComparisonOperator: 'LessThanThreshold', Threshold: 1, TreatMissingData: 'breaching' },
    });
  });
});

describe('the rules', () => {
  it('leave replays of the archive out, and have a dead-letter queue that takes from them', () => {
    const rules = ofType(prod, 'AWS::Events::Rule').filter(([id]) => !id.includes('Schedule'));
    expect(rules.map(([id]) => id).sort()).toEqual([
      'ChangeHints',
      'ClaimRule',
      'HealthRule',
      'InstanceHints',
      'NoticeRule',
      'WarnedRule',
      'WarningRule',
    ]);
    const taking = JSON.stringify(resource(prod, 'RuleDeadLettersPolicy').Properties);
    for (const [id, { Properties }] of rules) {
      expect(Properties.EventPattern['replay-name'], id).toEqual([{ exists: false }]);
      expect(Properties.Targets[0].DeadLetterConfig, id).toEqual({
        Arn: { 'Fn::GetAtt': ['RuleDeadLetters', 'Arn'] },
      });
      expect(taking).toContain(`["${id}","Arn"]`);
    }
  });
});
