// The parameter DirectPath: a function URL on failover and the nodes' right to it, or nothing at all.
import { beforeAll, describe, expect, it } from 'vitest';
import { packaged } from '../support/packaged.ts';
import type { Policy } from '../support/policy.ts';
import { conditionHolds, REGION, resolve, withParameters } from '../support/resolve.ts';
import type { Resource, Template } from '../support/template.ts';

type Conditional = Resource & { readonly Condition?: string };

let off: Template;
let on: Template;
beforeAll(async () => {
  off = JSON.parse(await packaged('prod')) as Template;
  on = withParameters(off, { DirectPath: 'on' });
});

const made = (template: Template, parts: Readonly<Record<string, object>>): string[] =>
  Object.entries(parts as Readonly<Record<string, Conditional>>)
    .filter(
      ([, { Condition }]) =>
        Condition === undefined || conditionHolds(template, template.Conditions[Condition]),
    )
    .map(([id]) => id);
const nodePolicy = (template: Template) =>
  (resolve(template, template.Resources.NodePolicy!.Properties.PolicyDocument) as Policy).Statement;

describe('the parameter DirectPath', () => {
  it('is off by default: no URL, no output, and the nodes may send events alone', () => {
    expect(made(off, off.Resources)).not.toContain('DirectUrl');
    expect(made(off, off.Outputs)).not.toContain('DirectUrl');
    expect(nodePolicy(off).map(({ Action }) => Action)).toEqual(['events:PutEvents']);
  });

  it('on: one resource and one output more, and a signed URL that buffers', () => {
    const more = (parts: (template: Template) => Readonly<Record<string, object>>) =>
      made(on, parts(on)).filter((id) => !made(off, parts(off)).includes(id));
    expect(more(({ Resources }) => Resources)).toEqual(['DirectUrl']);
    expect(more(({ Outputs }) => Outputs)).toEqual(['DirectUrl']);
    expect(on.Resources.DirectUrl).toEqual({
      Type: 'AWS::Lambda::Url',
      Condition: 'HasDirectPath',
      Properties: {
        TargetFunctionArn: { 'Fn::GetAtt': ['FailoverLambdaFunction', 'Arn'] },
        AuthType: 'AWS_IAM',
        InvokeMode: 'BUFFERED',
      },
    });
  });

  it('on: the nodes may call this URL, and invoke its function by no other way', () => {
    const Resource = `arn:aws:lambda:${REGION}:111122223333:function:vipshift-prod-failover`;
    const [, url, function_] = nodePolicy(on);
    expect([url, function_]).toEqual([
      {
        Sid: 'CallTheUrl',
        Effect: 'Allow',
        Action: 'lambda:InvokeFunctionUrl',
        Resource,
        Condition: { StringEquals: { 'lambda:FunctionUrlAuthType': 'AWS_IAM' } },
      },
      {
        Sid: 'InvokeByTheUrlAlone',
        Effect: 'Allow',
        Action: 'lambda:InvokeFunction',
        Resource,
        Condition: { Bool: { 'lambda:InvokedViaFunctionUrl': 'true' } },
      },
    ]);
  });

  it('gives no one a right by the function’s own policy but the bus’s rule', () => {
    const permissions = Object.values(on.Resources).filter(({ Type }) => Type === 'AWS::Lambda::Permission');
    const failover = permissions.filter(({ Properties }) =>
      JSON.stringify(Properties.FunctionName).includes('Failover'),
    );
    expect(failover.map(({ Properties }) => Properties.Principal)).toEqual(['events.amazonaws.com']);
  });
});
