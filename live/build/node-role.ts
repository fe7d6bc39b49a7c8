// Node role: what the run's machines may, and whose role it is.
//
// Invariant: the same words as resources/policies/node-policies.yml, which an operator attaches: say its own state on this bus, as itself, call
// the function URL of failover where the stage has one, and take commands through SSM.
import { GetInstanceProfileCommand, type IAMClient } from '@aws-sdk/client-iam';

/** The role that the machines of a run have. */
export interface Identity {
  readonly roleId: string;
  readonly roleArn: string;
}

/** In China EC2 has a name of its own. */
export const trustIn = (region: string) => ({
  Version: '2012-10-17',
  // No other principal: one that may assume it chooses the session name in a claim's source.
  Statement: [
    {
      Effect: 'Allow',
      Principal: { Service: region.startsWith('cn-') ? 'ec2.amazonaws.com.cn' : 'ec2.amazonaws.com' },
      Action: 'sts:AssumeRole',
    },
  ],
});

/** ARNs, or what CloudFormation makes them of. */
export interface Called {
  readonly bus: string | object;
  /** The function; without it no right to its URL. */
  readonly failover?: string | object;
}

export const rights = ({ bus, failover }: Called) => ({
  Version: '2012-10-17',
  Statement: [
    ...(failover === undefined ? [] : direct(failover)),
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

const direct = (failover: string | object) => [
  {
    Sid: 'CallTheUrl',
    Effect: 'Allow',
    Action: 'lambda:InvokeFunctionUrl',
    Resource: failover,
    Condition: { StringEquals: { 'lambda:FunctionUrlAuthType': 'AWS_IAM' } },
  },
  {
    Sid: 'InvokeByTheUrlAlone',
    Effect: 'Allow',
    Action: 'lambda:InvokeFunction',
    Resource: failover,
    Condition: { Bool: { 'lambda:InvokedViaFunctionUrl': 'true' } },
  },
];

/** The identity of a stage that is there already. */
export async function givenIdentity(iam: IAMClient, profile: string): Promise<Identity> {
  const { InstanceProfile } = await iam.send(new GetInstanceProfileCommand({ InstanceProfileName: profile }));
  const role = InstanceProfile?.Roles?.[0];
  if (role === undefined)
    throw new Error(`the instance profile ${profile} has no role, expected that of the stage’s nodes`);
  return { roleId: role.RoleId!, roleArn: role.Arn! };
}
