// The template of a release: what a stage deploys today, with stage, sizes and the place of the code as parameters.
import { beforeAll, describe, expect, it } from 'vitest';
import { INLINE_MAX, PACKAGED_STAGE, releasedTemplate, TEMPLATE_MAX } from '../../build/release/template.ts';
import { packagedByOsls } from '../../lab/aws/stack/packaged.ts';
import { VERSION } from '../../shared/version.ts';
import { parametric } from '../deploy/support/packaged.ts';
import { settled } from '../deploy/support/settled.ts';
import type { Template } from '../deploy/support/template.ts';

const role = {
  nodeRoleId: 'AROAEXAMPLE000000001',
  nodeRoleArn: 'arn:aws:iam::111122223333:role/vipshift-node',
};
type Released = Template & {
  readonly Rules: Readonly<Record<string, unknown>>;
  readonly Parameters: Readonly<
    Record<string, { readonly Default?: unknown; readonly Description?: string }>
  >;
};

let released: Released;
let prod: Template;
beforeAll(async () => {
  const [one, two] = await Promise.all([
    parametric(PACKAGED_STAGE),
    packagedByOsls({ stage: 'prod', params: role }),
  ]);
  released = releasedTemplate(one) as unknown as Released;
  prod = JSON.parse(two.template) as Template;
});

/** As `npm run deploy` would have it: without where its code is. */
function comparable(template: Template): unknown {
  const ofOsls = ([id]: [string, unknown]) => !id.startsWith('ServerlessDeploymentBucket');
  const Resources = Object.fromEntries(
    Object.entries(template.Resources)
      .filter(ofOsls)
      .map(([id, { Properties, ...others }]) => [
        id,
        { ...others, Properties: { ...Properties, Code: undefined } },
      ]),
  );
  return { Resources, Outputs: Object.fromEntries(Object.entries(template.Outputs).filter(ofOsls)) };
}

it('the stage and the parameters that the tests put into one package are those that osls puts into one of its own', async () => {
  const undated = (template: unknown) => JSON.stringify(template).replaceAll(/\d{13}-[\d-]+T[\d:.]+Z/g, '');
  const putIn = JSON.parse(await parametric('prod', role)) as Template;
  expect(JSON.parse(undated(putIn))).toEqual(JSON.parse(undated(prod)));
  expect(JSON.stringify(putIn), 'with the stage in other places than the parameter').toContain('-prod-');
});

describe('the template of a release', () => {
  it('makes for a stage what `npm run deploy` makes for it, resource by resource, the place of the code aside', () => {
    const forProd = { ...released, Parameters: { ...released.Parameters, Stage: { Default: 'prod' } } };
    expect(comparable(settled(forProd as Template))).toEqual(comparable(settled(prod)));
    expect(comparable(released)).toEqual(comparable(prod));
  });

  it('has the logical ids that were deployed before there were releases: another one would replace what is there', () => {
    expect(Object.keys(released.Resources).toSorted()).toMatchInlineSnapshot(`
      [
        "Archive",
        "Bugs",
        "Bus",
        "ChangeHints",
        "ChangeHintsMayInvoke",
        "ClaimRule",
        "ClaimRuleMayInvoke",
        "ClaimsContradicted",
        "ClaimsOfNewerVersion",
        "ClaimsRejected",
        "Dashboard",
        "DeadMan",
        "DepartureFailed",
        "DepartureMachine",
        "DepartureMachineRole",
        "DirectUrl",
        "FailoverLambdaEvConf",
        "FailoverLambdaFunction",
        "FailoverLogGroup",
        "FailoverMachine",
        "FailoverMachineRole",
        "FailoverRole",
        "FailoverThrottled",
        "FailoverTrouble",
        "FunctionFailures",
        "FunctionFailuresPolicy",
        "FunctionFailuresWaiting",
        "HandOverDocument",
        "HealthRule",
        "InstanceHints",
        "InstanceHintsMayInvoke",
        "NoClaims",
        "NodeFlapping",
        "NodeHandOverPolicy",
        "NodePolicy",
        "NoticeMachine",
        "NoticeMachineRole",
        "NoticeRule",
        "NoticeRuleRole",
        "Notices",
        "NoticesByMail",
        "NoticesPolicy",
        "ReconcileEventsRuleSchedule1",
        "ReconcileLambdaEvConf",
        "ReconcileLambdaFunction",
        "ReconcileLambdaPermissionEventsRuleSchedule1",
        "ReconcileLogGroup",
        "ReconcileRole",
        "RedriveMachine",
        "RedriveMachineRole",
        "RuleDeadLetters",
        "RuleDeadLettersPolicy",
        "RuleDeadLettersWaiting",
        "RunbookLambdaEvConf",
        "RunbookLambdaFunction",
        "RunbookLogGroup",
        "RunbookRole",
        "SplitBrain",
        "TimelineTable",
        "Unhealthy",
        "VipsTable",
        "WarnedRule",
        "WarningMachine",
        "WarningMachineRole",
        "WarningRule",
        "WarningRuleRole",
        "WarningsUnread",
      ]
    `);
  });

  it('fits what CloudFormation takes from a bucket, and not what it takes with the call', () => {
    const bytes = Buffer.byteLength(JSON.stringify(released));
    expect(bytes).toBeLessThan(TEMPLATE_MAX);
    expect(bytes, 'docs/decisions/0040 can be thought over').toBeGreaterThan(INLINE_MAX);
  });

  it('asks for the stage and the bucket; every parameter is described', () => {
    const all = Object.entries(released.Parameters);
    expect(all.filter(([, { Default }]) => Default === undefined).map(([name]) => name)).toEqual([
      'Stage',
      'CodeBucket',
    ]);
    for (const [name, { Description = '' }] of all) expect(Description.length, name).toBeGreaterThan(10);
    expect(released.Parameters.CodePrefix!.Default).toBe(`vipshift/${VERSION}/`);
  });

  it('takes each function from its own zip, whose name changes with the version', () => {
    const code = Object.entries(released.Resources)
      .filter(([, { Type }]) => Type === 'AWS::Lambda::Function')
      .map(([id, { Properties }]) => [id, Properties.Code]);
    const from = (name: string) => ({
      S3Bucket: { Ref: 'CodeBucket' },
      S3Key: { 'Fn::Sub': `\${CodePrefix}${name}-${VERSION}.zip` },
    });
    expect(Object.fromEntries(code)).toEqual({
      FailoverLambdaFunction: from('failover'),
      ReconcileLambdaFunction: from('reconcile'),
      RunbookLambdaFunction: from('runbook'),
    });
  });

  it('refuses by itself what a deployment refuses: claims bound to a role that no one named', () => {
    expect(Object.keys(released.Rules)).toEqual(['NodeRoleIsNamed']);
    expect(JSON.stringify(released.Rules)).toMatch(/NodeRoleId.*NodeRoleArn/);
  });

  it('says its version, as every function does', () => {
    expect(released.Outputs.Version).toMatchObject({ Value: VERSION });
    for (const { Type, Properties } of Object.values(released.Resources))
      if (Type === 'AWS::Lambda::Function') expect(Properties.Description).toContain(`(vipshift ${VERSION})`);
  });
});
