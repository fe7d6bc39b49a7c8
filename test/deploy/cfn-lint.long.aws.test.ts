// The packaged template before cfn-lint: no error and no warning but those that are known to be none.
import { beforeAll, expect, test } from 'vitest';
import { cfnLint } from './support/cfn-lint.ts';
import { parametric } from './support/packaged.ts';
import type { Template } from './support/template.ts';

/** Why each finding is none. */
const accepted: Readonly<Record<string, string>> = {
  'E3601 Resources/DepartureMachine/Properties/Definition/States/done/OutputPath':
    'the states language gives Succeed an OutputPath; the schema of the rule leaves it out',
  'E3601 Resources/FailoverMachine/Properties/Definition/States/dryRunEnds/OutputPath':
    'the states language gives Succeed an OutputPath; the schema of the rule leaves it out',
  'E3601 Resources/WarningMachine/Properties/Definition/States/done/OutputPath':
    'the states language gives Succeed an OutputPath; the schema of the rule leaves it out',
  'W1020 Resources/Bus/Properties/Policy/Statement/4/Fn::If/1/Condition/ForAnyValue:StringNotEquals/events:source/Fn::Sub':
    'without it osls would take the variable of IAM for one of its own',
  'W1020 Resources/NodePolicy/Properties/PolicyDocument/Statement/0/Condition/ForAllValues:StringEquals/events:source/Fn::Sub':
    'without it osls would take the variable of IAM for one of its own',
  'W3005 Resources/FailoverLambdaFunction/DependsOn/1':
    'osls writes it in addition to the reference to the role',
  'W3005 Resources/ReconcileLambdaFunction/DependsOn/1':
    'osls writes it in addition to the reference to the role',
  'W3005 Resources/RunbookLambdaFunction/DependsOn/1':
    'osls writes it in addition to the reference to the role',
};

const role = {
  nodeRoleId: 'AROAEXAMPLE000000001',
  nodeRoleArn: 'arn:aws:iam::111122223333:role/vipshift-node',
};
let text: string;
beforeAll(async () => {
  text = await parametric('prod', role);
});

test('the template has no other finding', async () => {
  expect((await cfnLint(text)).map(({ id }) => id).toSorted()).toEqual(Object.keys(accepted).toSorted());
});

test('a broken template has the finding that belongs to it, and the checks of workflows bite', async () => {
  const template = JSON.parse(text) as Template & { Resources: Record<string, unknown> };
  template.Resources.VipsTable!.Properties.BillingMode = 'SOMETIMES';
  template.Resources.FailoverMachine!.Properties.Definition.States.dryRunEnds.Type = 'Succed';
  template.Resources.RuleDeadLetters!.Properties.NoSuchProperty = true;
  const ids = (await cfnLint(JSON.stringify(template))).map(({ id }) => id);
  expect(ids).toEqual(
    expect.arrayContaining([
      'E3030 Resources/VipsTable/Properties/BillingMode',
      expect.stringMatching(/^E3601 Resources\/FailoverMachine\/Properties\/Definition\/States\/dryRunEnds/),
      expect.stringMatching(/^E3002 Resources\/RuleDeadLetters\/Properties\/NoSuchProperty/),
    ]),
  );
  expect((await cfnLint('{')).map(({ id }) => id)).toEqual([expect.stringMatching(/^E0000 /)]);
});
