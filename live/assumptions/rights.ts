// Conditions of IAM that are parameters of the stack until they have passed here: each in a role or a stack of the probe's own.

import { ModifyNetworkInterfaceAttributeCommand } from '@aws-sdk/client-ec2';
import { PutEventsCommand } from '@aws-sdk/client-eventbridge';
import {
  CreateRoleCommand,
  DeleteRoleCommand,
  DeleteRolePolicyCommand,
  PutRolePolicyCommand,
} from '@aws-sdk/client-iam';
import {
  DescribeExecutionCommand,
  ListExecutionsCommand,
  SendTaskSuccessCommand,
  StartExecutionCommand,
} from '@aws-sdk/client-sfn';
import { DeleteParameterCommand, GetParameterCommand, ParameterNotFound } from '@aws-sdk/client-ssm';
import { AssumeRoleCommand, GetCallerIdentityCommand } from '@aws-sdk/client-sts';
import { faultFromSdkError } from '../../shared/aws/error-codes.ts';
import { stacksOf } from '../aws/stacks.ts';
import {
  type Account,
  type Credentials,
  fail,
  name,
  network,
  type Probe,
  pass,
  type Undo,
  until,
} from './questions.ts';
import { approvalStack, trustStack } from './stacks.ts';

/** IAM shows a new role everywhere after some seconds. */
const IAM_MAX_S = 60;
const RUN_MAX_S = 60;

/** Credentials of a role that may do this and nothing else. */
async function roleThatMay(
  account: Account,
  undo: Undo,
  { suffix, statement }: { readonly suffix: string; readonly statement: object },
): Promise<Credentials> {
  const { iam, sts } = account;
  const RoleName = `${name}-${suffix}`;
  const { Arn } = await sts.send(new GetCallerIdentityCommand({}));
  const [, partition, , , id] = Arn!.split(':');
  const policy = (Statement: object) => JSON.stringify({ Version: '2012-10-17', Statement });
  const AssumeRolePolicyDocument = policy({
    ...{ Effect: 'Allow', Action: 'sts:AssumeRole' },
    Principal: { AWS: `arn:${partition}:iam::${id}:root` },
  });
  const { Role } = await iam.send(new CreateRoleCommand({ RoleName, AssumeRolePolicyDocument }));
  undo(() => iam.send(new DeleteRoleCommand({ RoleName })));
  const PolicyDocument = policy({ Effect: 'Allow', ...statement });
  await iam.send(new PutRolePolicyCommand({ RoleName, PolicyName: 'probe', PolicyDocument }));
  undo(() => iam.send(new DeleteRolePolicyCommand({ RoleName, PolicyName: 'probe' })));
  const assume = new AssumeRoleCommand({ RoleArn: Role!.Arn!, RoleSessionName: 'probe' });
  const found = await until(account, IAM_MAX_S, async () =>
    sts.send(assume).then(
      ({ Credentials: given }) => given,
      () => undefined,
    ),
  );
  if (found === undefined) throw new Error(`the role ${RoleName} could not be assumed within ${IAM_MAX_S} s`);
  return {
    accessKeyId: found.AccessKeyId!,
    secretAccessKey: found.SecretAccessKey!,
    sessionToken: found.SessionToken!,
  };
}

const codeOf = (call: Promise<unknown>, what: string): Promise<string> =>
  call.then(
    () => 'done',
    (error: unknown) => faultFromSdkError(error, what).code,
  );

export const eniAttribute: Probe = {
  what: 'ec2:Attribute confines ModifyNetworkInterfaceAttribute to the check (eniAttributeCondition)',
  async ask(account, undo) {
    const { eni } = await network(account, undo);
    const NetworkInterfaceId = await eni();
    const credentials = await roleThatMay(account, undo, {
      suffix: 'attribute',
      statement: {
        ...{ Action: 'ec2:ModifyNetworkInterfaceAttribute', Resource: '*' },
        Condition: { StringEquals: { 'ec2:Attribute': 'SourceDestCheck' } },
      },
    });
    const { ec2 } = account.as(credentials);
    const set = (more: object) =>
      codeOf(
        ec2.send(new ModifyNetworkInterfaceAttributeCommand({ NetworkInterfaceId, ...more })),
        'ModifyNetworkInterfaceAttribute',
      );
    // What a role may do is known everywhere some seconds after the role itself.
    const check = await until(account, IAM_MAX_S, async () =>
      (await set({ SourceDestCheck: { Value: false } })) === 'done' ? 'done' : undefined,
    );
    if (check === undefined) return fail(`the check could not be set within ${IAM_MAX_S} s`);
    const other = await set({ Description: { Value: 'changed' } });
    return other === 'done'
      ? fail('the description could be changed as well')
      : pass(`the check was set, the description not: ${other}`);
  },
};

export const approvalRight: Probe = {
  what: 'states:SendTaskSuccess is allowed by the workflow’s ARN (resources/policies/operators/approver.json)',
  async ask(account, undo) {
    const { sfn, ssm } = account;
    // After the stack, whose workflow writes it.
    undo(() => ssm.send(new DeleteParameterCommand({ Name: name })).catch(unlessGone));
    const { Machine } = await stackOf(account, undo, 'approval', approvalStack(name));
    await sfn.send(new StartExecutionCommand({ stateMachineArn: Machine! }));
    const token = await until(account, RUN_MAX_S, () =>
      ssm.send(new GetParameterCommand({ Name: name })).then(
        ({ Parameter }) => Parameter?.Value,
        () => undefined,
      ),
    );
    if (token === undefined) return fail(`no task waited within ${RUN_MAX_S} s`);
    const credentials = await roleThatMay(account, undo, {
      suffix: 'approver',
      statement: { Action: 'states:SendTaskSuccess', Resource: Machine! },
    });
    const answer = () =>
      codeOf(
        account.as(credentials).sfn.send(new SendTaskSuccessCommand({ taskToken: token, output: '{}' })),
        'SendTaskSuccess',
      );
    let last = '';
    const taken = await until(account, IAM_MAX_S, async () => {
      last = await answer();
      return last === 'done' ? true : undefined;
    });
    return taken === true ? pass('answered') : fail(`refused for ${IAM_MAX_S} s: ${last}`);
  },
};

export const trustAccount: Probe = {
  what: 'aws:SourceAccount is in the context when Lambda, Step Functions and EventBridge take a role (trustSourceAccount)',
  async ask(account, undo) {
    const { sfn, events } = account;
    // Lambda takes a function's role as it makes the function, Step Functions and EventBridge as they use theirs.
    const { Machine, Bus } = await stackOf(account, undo, 'trust', trustStack());
    const event = { EventBusName: Bus!, Source: 'vipshift.assumptions', DetailType: 'start', Detail: '{}' };
    await events.send(new PutEventsCommand({ Entries: [event] }));
    const ended = await until(account, RUN_MAX_S, async () => {
      const { executions = [] } = await sfn.send(new ListExecutionsCommand({ stateMachineArn: Machine! }));
      const [first] = executions;
      return first === undefined || first.status === 'RUNNING' ? undefined : first;
    });
    if (ended === undefined) return fail(`EventBridge started nothing that ended within ${RUN_MAX_S} s`);
    if (ended.status === 'SUCCEEDED') return pass('a rule started a workflow, which invoked a function');
    const { error, cause } = await sfn.send(
      new DescribeExecutionCommand({ executionArn: ended.executionArn! }),
    );
    return fail(`the workflow ended with ${ended.status}: ${error} ${cause}`);
  },
};

function unlessGone(error: unknown): void {
  if (!(error instanceof ParameterNotFound)) throw error;
}

async function stackOf(
  { cloudFormation, signal }: Account,
  undo: Undo,
  suffix: string,
  template: object,
): Promise<Readonly<Record<string, string>>> {
  const stacks = stacksOf(cloudFormation, 2000);
  const stack = `${name}-${suffix}`;
  undo(() => stacks.remove(stack));
  const made = await stacks.create({ name: stack, template, parameters: {}, tags: {} }, signal);
  return made.outputs;
}
