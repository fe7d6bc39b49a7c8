import { globSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { RegoEngine, TemplateFile } from '@aws/cloudformation-validate';
import { build } from 'esbuild';
import { beforeAll, describe, expect, it } from 'vitest';
import { sdkPlugins } from '../../build/sdk-plugins.ts';
import { CONTROLLER_SOURCE, FAILED, FINISHED } from '../../shared/aws/announce.ts';
import { DETAIL_TYPE } from '../../shared/aws/claim-event.ts';
import { FUNCTION_TIMEOUT_MIN } from '../../shared/lease.ts';
import { SOURCE_PREFIX } from '../../shared/rejection.ts';
import { packaged, type Resource, statements, type Template } from './packaged.ts';

const root = join(import.meta.dirname, '..', '..');
const roleArn = 'arn:aws:iam::111122223333:role/vipshift-node';

/** Findings of @aws/cloudformation-validate that we live with, and why. What is not here fails. */
const accepted: Readonly<Record<string, string>> = {
  'W3005 FailoverRole': 'osls writes DependsOn beside the reference to the role',
  'W3005 ReconcileRole': 'osls writes DependsOn beside the reference to the role',
};

let text: string;
let prod: Template;
let other: Template;

beforeAll(async () => {
  const role = { nodeRoleId: 'AROAEXAMPLE000000001', nodeRoleArn: roleArn };
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
  it('is valid, with no warning but the accepted ones', () => {
    const folder = mkdtempSync(join(tmpdir(), 'vipshift-test-'));
    const file = join(folder, 'template.json');
    writeFileSync(file, text);
    const engine = new RegoEngine();
    const report = engine.validateStandard(new TemplateFile(file), { severityLevel: 'WARN' });
    engine.free();
    rmSync(folder, { recursive: true });
    expect(report.status).toBe('OK');
    const found = report.diagnostics.map(
      ({ ruleId, message }) => `${ruleId} ${/'(\w+)'/.exec(message)?.[1] ?? message}`,
    );
    expect(new Set(found)).toEqual(new Set(Object.keys(accepted)));
  });

  it('keeps the logical ids that hold state: another id would make CloudFormation replace the table', () => {
    const ids = Object.entries(prod.Resources).map(([id, { Type }]) => `${Type} ${id}`);
    const stateful = ids.filter((id) => /DynamoDB|SQS::Queue |EventBus|Role/.test(id));
    expect(stateful.toSorted((a, b) => a.localeCompare(b))).toMatchInlineSnapshot(`
      [
        "AWS::DynamoDB::Table TimelineTable",
        "AWS::DynamoDB::Table VipsTable",
        "AWS::Events::EventBus Bus",
        "AWS::IAM::Role FailoverRole",
        "AWS::IAM::Role NoticeMachineRole",
        "AWS::IAM::Role NoticeRuleRole",
        "AWS::IAM::Role ReconcileRole",
        "AWS::SQS::Queue FunctionFailures",
        "AWS::SQS::Queue RuleDeadLetters",
      ]
    `);
  });

  it('shares no name between two stages of an account', () => {
    const names = (template: Template) =>
      Object.values(template.Resources).flatMap(({ Properties }) =>
        ['TableName', 'QueueName', 'FunctionName', 'LogGroupName', 'Name', 'RoleName']
          .map((key) => Properties?.[key])
          .filter((name) => typeof name === 'string'),
      );
    expect(names(prod).length).toBeGreaterThan(5);
    expect(names(prod).filter((name) => names(other).includes(name))).toEqual([]);
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
    expect(functions.map(([id]) => id)).toEqual(['FailoverLambdaFunction', 'ReconcileLambdaFunction']);
    for (const [id, { Properties }] of functions) {
      expect(Properties, id).toMatchObject({ Runtime: 'nodejs24.x', Architectures: ['arm64'] });
      expect(Properties.Timeout * 1000).toBeGreaterThanOrEqual(FUNCTION_TIMEOUT_MIN);
    }
    const retention = ofType(prod, 'AWS::Logs::LogGroup').map(
      ([, { Properties }]) => Properties.RetentionInDays,
    );
    expect(retention).toEqual([90, 90]);
  });

  it('are given every variable that the code reads', () => {
    const wire = readFileSync(join(root, 'shared', 'aws', 'wire.ts'), 'utf8');
    const read = new Set(wire.match(/VIPSHIFT_\w+/g));
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
  it('denies the source of a claim to everybody but the node role', () => {
    const { Policy } = resource(prod, 'Bus').Properties;
    const [condition, policy] = Policy['Fn::If'];
    expect(prod.Conditions).toMatchObject({
      [condition]: { 'Fn::Not': [{ 'Fn::Equals': [{ Ref: 'NodeRoleArn' }, ''] }] },
    });
    expect(policy.Statement).toEqual([
      expect.objectContaining({
        Effect: 'Deny',
        Principal: '*',
        Action: 'events:PutEvents',
        Condition: {
          'ForAnyValue:StringLike': { 'events:source': `${SOURCE_PREFIX}*` },
          ArnNotEquals: { 'aws:PrincipalArn': { Ref: 'NodeRoleArn' } },
        },
      }),
    ]);
    expect(prod.Parameters.NodeRoleArn!.Default).toBe(roleArn);
    expect(other.Parameters.NodeRoleArn!.Default, 'without a node role there is no policy').toBe('');
  });
});

describe('the roles', () => {
  const roles = ['FailoverRole', 'ReconcileRole'];

  it('have one action in each statement, and none that deletes, releases, tags or is a pattern', () => {
    const all = ofType(prod, 'AWS::IAM::Role').map(([id]) => id);
    expect(all).toEqual(expect.arrayContaining(roles));
    for (const { Action } of all.flatMap((role) => statements(prod, role))) {
      expect(Action).toMatch(/^[a-z0-9]+:[A-Z][A-Za-z]+$/);
      expect(Action).not.toMatch(/Delete|Release|Disassociate|Tag|Terminate|Create(?!Route$|LogStream$)/);
    }
  });

  it('change EC2 only where the tag of their own stage is', () => {
    for (const [template, stage] of [
      [prod, 'prod'],
      [other, 'other'],
    ] as const) {
      const changes = roles
        .flatMap((role) => statements(template, role))
        .filter(({ Action }) => /^ec2:(?!Describe)/.test(Action));
      expect(changes).toHaveLength(8);
      for (const { Condition } of changes)
        expect(Condition).toEqual({ Null: { [`aws:ResourceTag/vipshift:${stage}`]: 'false' } });
    }
  });

  it('name a resource for every action but Describe, which has none', () => {
    for (const { Action, Resource } of roles.flatMap((role) => statements(prod, role))) {
      expect(Resource === '*', Action).toBe(Action.startsWith('ec2:Describe'));
    }
  });

  it('let a function count rejections in the timeline, but change no record of a failover', () => {
    const updates = statements(prod, 'FailoverRole').filter(({ Action }) => Action === 'dynamodb:UpdateItem');
    const onTimeline = updates.find(({ Resource }) => JSON.stringify(Resource).includes('TimelineTable'));
    expect(onTimeline?.Condition).toMatchObject({
      'ForAllValues:StringLike': { 'dynamodb:LeadingKeys': ['rejected/*'] },
    });
  });

  it('let a function announce a finished failover, and not speak as a node', () => {
    const announce = statements(prod, 'FailoverRole').find(({ Action }) => Action === 'events:PutEvents');
    expect(announce?.Condition?.['ForAllValues:StringEquals']).toEqual({
      'events:source': CONTROLLER_SOURCE,
      'events:detail-type': [FINISHED, FAILED],
    });
  });

  it('allow what the code calls, and nothing else', async () => {
    const allowed = new Set(roles.flatMap((role) => statements(prod, role)).map(({ Action }) => Action));
    // Lambda's own doings, which are no calls of ours.
    for (const own of ['logs:CreateLogStream', 'logs:PutLogEvents', 'sqs:SendMessage'])
      expect(allowed.delete(own)).toBe(true);
    expect(allowed).toEqual(await actionsInBundles());
  });
});

/** The AWS calls that are left in the functions' bundles once the rest has fallen away. */
async function actionsInBundles(): Promise<Set<string>> {
  const { outputFiles } = await build({
    entryPoints: globSync('functions/*.ts', { cwd: root }).map((path) => join(root, path)),
    bundle: true,
    write: false,
    outdir: root,
    platform: 'node',
    format: 'esm',
    mainFields: ['module', 'main'],
    plugins: [...sdkPlugins],
  });
  const prefixes: Record<string, string> = {
    'client-ec2': 'ec2',
    'client-dynamodb': 'dynamodb',
    'client-eventbridge': 'events',
  };
  const actions = outputFiles.flatMap(({ text: code }) =>
    [
      ...code.matchAll(/node_modules\/@aws-sdk\/(client-[a-z0-9]+)\/dist-es\/commands\/(\w+)Command\.js/g),
    ].map(([, client, action]) => `${prefixes[client!]}:${action}`),
  );
  // Behind endpoint discovery, which is off unless an environment variable asks for it.
  return new Set(actions.filter((action) => action !== 'dynamodb:DescribeEndpoints'));
}
