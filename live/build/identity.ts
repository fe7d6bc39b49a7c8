// Identity: the IAM role that the run's machines have, and what it may.
//
// Invariant: the same words as resources/policies/node-policies.yml, which an operator attaches: say its own state on this bus, as itself, and
// take commands through SSM. Inline, so that it goes with the role.
import {
  AddRoleToInstanceProfileCommand,
  CreateInstanceProfileCommand,
  CreateRoleCommand,
  GetInstanceProfileCommand,
  type IAMClient,
  PutRolePolicyCommand,
} from '@aws-sdk/client-iam';
import { busOf, RUN_TAG, type Run } from '../run-id.ts';

export interface Identity {
  readonly profile: string;
  readonly roleId: string;
  readonly roleArn: string;
}

export interface Place {
  readonly region: string;
  readonly account: string;
  readonly partition: string;
}

const trust = {
  Version: '2012-10-17',
  // No other principal: one that may assume it chooses the session name in a claim's source.
  Statement: [{ Effect: 'Allow', Principal: { Service: 'ec2.amazonaws.com' }, Action: 'sts:AssumeRole' }],
};

export const rights = (bus: string) => ({
  Version: '2012-10-17',
  Statement: [
    {
      Sid: 'SayOwnState',
      Effect: 'Allow',
      Action: 'events:PutEvents',
      Resource: bus,
      Condition: {
        'ForAllValues:StringEquals': {
          'events:source': `vipshift.notify/\${aws:userid}`,
          'events:detail-type': 'VRRP State Change',
        },
        Null: { 'events:source': 'false', 'events:detail-type': 'false' },
      },
    },
    {
      Sid: 'AgentOfThisInstance',
      Effect: 'Allow',
      Action: [
        'ssm:UpdateInstanceInformation',
        'ssm:ListInstanceAssociations',
        'ssmmessages:CreateControlChannel',
        'ssmmessages:CreateDataChannel',
        'ssmmessages:OpenControlChannel',
        'ssmmessages:OpenDataChannel',
        'ec2messages:AcknowledgeMessage',
        'ec2messages:DeleteMessage',
        'ec2messages:FailMessage',
        'ec2messages:GetEndpoint',
        'ec2messages:GetMessages',
        'ec2messages:SendReply',
      ],
      Resource: '*',
    },
  ],
});

/** The name of the role's one policy. */
export const POLICY = 'drill';

export async function makeIdentity(
  iam: IAMClient,
  run: Run,
  place: Place,
  signal: AbortSignal,
): Promise<Identity> {
  const at = { abortSignal: signal };
  const names = { RoleName: run.name, InstanceProfileName: run.name };
  const Tags = [{ Key: RUN_TAG, Value: run.id }];
  const made = await iam.send(
    new CreateRoleCommand({ RoleName: run.name, AssumeRolePolicyDocument: JSON.stringify(trust), Tags }),
    at,
  );
  const { partition, region, account } = place;
  const bus = `arn:${partition}:events:${region}:${account}:event-bus/${busOf(run.stage)}`;
  const PolicyDocument = JSON.stringify(rights(bus));
  await iam.send(new PutRolePolicyCommand({ RoleName: run.name, PolicyName: POLICY, PolicyDocument }), at);
  await iam.send(new CreateInstanceProfileCommand({ InstanceProfileName: run.name, Tags }), at);
  await iam.send(new AddRoleToInstanceProfileCommand(names), at);
  return { profile: run.name, roleId: made.Role!.RoleId!, roleArn: made.Role!.Arn! };
}

/** The identity of a stage that is there already. */
export async function givenIdentity(iam: IAMClient, profile: string): Promise<Identity> {
  const { InstanceProfile } = await iam.send(new GetInstanceProfileCommand({ InstanceProfileName: profile }));
  const role = InstanceProfile?.Roles?.[0];
  if (role === undefined)
    throw new Error(`the instance profile ${profile} has no role, expected that of the stage’s nodes`);
  return { profile, roleId: role.RoleId!, roleArn: role.Arn! };
}
