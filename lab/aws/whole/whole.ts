// What a deployment has in an account and the emulators do not make of the template, and what docs/install.md has an operator do
// once: the nodes' role, tables that no VIP uses, guarded storage, a subscriber. Then the doctor has nothing to say.
import {
  DynamoDBClient,
  UpdateContinuousBackupsCommand,
  UpdateTableCommand,
  UpdateTimeToLiveCommand,
} from '@aws-sdk/client-dynamodb';
import { AssociateIamInstanceProfileCommand, CreateTagsCommand } from '@aws-sdk/client-ec2';
import { EnableRuleCommand, EventBridgeClient, ListRulesCommand } from '@aws-sdk/client-eventbridge';
import {
  AddRoleToInstanceProfileCommand,
  CreateInstanceProfileCommand,
  CreateRoleCommand,
  IAMClient,
  PutRolePolicyCommand,
} from '@aws-sdk/client-iam';
import { SNSClient, SubscribeCommand } from '@aws-sdk/client-sns';
import type { Deployment } from '../stack/deploy.ts';
import { NODE_ROLE_ID, STAGE, type Stack } from '../stack/stack.ts';
import { startBusFront, startIamFront } from './fronts.ts';
import { busPolicy, ROLE, trust } from './policies.ts';

export interface Whole {
  /** For the command line, besides the local AWS's own. */
  readonly env: Readonly<Record<string, string>>;
  stop(): Promise<void>;
}

export async function makeWhole(stack: Stack): Promise<Whole> {
  const { aws, deployment } = stack;
  const access = {
    region: aws.region,
    endpoint: aws.endpoint,
    credentials: { accessKeyId: aws.accountId, secretAccessKey: 'local' },
  };
  const iam = new IAMClient(access);
  const events = new EventBridgeClient(access);
  const [bus, roles] = await Promise.all([
    startBusFront(aws.endpoint),
    startIamFront(aws.endpoint, NODE_ROLE_ID),
  ]);
  const stop = async () => {
    await Promise.all([bus.stop(), roles.stop()]);
  };
  try {
    bus.policy = busPolicy(deployment.busArn, aws.accountId);
    await leaveOut(stack);
    await makeRole(iam, deployment.busArn);
    await attachRole(stack, iam, new IAMClient({ ...access, endpoint: aws.ec2Endpoint }));
    await guard(new DynamoDBClient(access), new SNSClient(access), deployment);
    const { Rules = [] } = await events.send(new ListRulesCommand({}));
    for (const { Name, ScheduleExpression } of Rules)
      if (ScheduleExpression !== undefined) await events.send(new EnableRuleCommand({ Name }));
  } catch (error) {
    await stop();
    throw error;
  }
  return { env: { AWS_ENDPOINT_URL_EVENTBRIDGE: bus.url, AWS_ENDPOINT_URL_IAM: roles.url }, stop };
}

/** Tables whose clients reach no VIP, on purpose. */
const leaveOut = ({ vpc, ec2 }: Stack) =>
  ec2.send(
    new CreateTagsCommand({
      Resources: vpc.tables.filter((table) => !table.labelled).map((table) => table.routeTableId),
      Tags: [{ Key: `vipshift:${STAGE}`, Value: '-' }],
    }),
  );

export async function makeRole(iam: IAMClient, bus: string): Promise<void> {
  const AssumeRolePolicyDocument = trust('ec2.amazonaws.com');
  await iam.send(new CreateRoleCommand({ RoleName: ROLE, AssumeRolePolicyDocument }));
  await iam.send(nodePolicy(bus));
}

/** The instances are moto's, which keeps roles of its own. */
async function attachRole({ vpc, ec2 }: Stack, iam: IAMClient, ofInstances: IAMClient): Promise<void> {
  const InstanceProfileName = ROLE;
  await ofInstances.send(
    new CreateRoleCommand({ RoleName: ROLE, AssumeRolePolicyDocument: trust('ec2.amazonaws.com') }),
  );
  for (const client of [iam, ofInstances]) {
    await client.send(new CreateInstanceProfileCommand({ InstanceProfileName }));
    await client.send(new AddRoleToInstanceProfileCommand({ InstanceProfileName, RoleName: ROLE }));
  }
  for (const { instanceId } of [vpc.nodes.a, vpc.nodes.b])
    await ec2.send(
      new AssociateIamInstanceProfileCommand({
        InstanceId: instanceId,
        IamInstanceProfile: { Name: InstanceProfileName },
      }),
    );
}

export const nodePolicy = (bus: string) =>
  new PutRolePolicyCommand({
    RoleName: ROLE,
    PolicyName: 'vipshift',
    PolicyDocument: JSON.stringify({
      Version: '2012-10-17',
      Statement: [
        {
          Effect: 'Allow',
          Action: 'events:PutEvents',
          Resource: bus,
          Condition: {
            'ForAllValues:StringEquals': {
              'events:source': 'vipshift.notify/${aws:userid}',
              'events:detail-type': 'VRRP State Change',
            },
            Null: { 'events:source': 'false' },
          },
        },
      ],
    }),
  });

/** What the stack asks for and the emulator does not make, and what only an operator can do. */
export async function guard(
  dynamo: DynamoDBClient,
  sns: SNSClient,
  { vipsTable, timelineTable, outputs }: Deployment,
): Promise<void> {
  for (const TableName of [vipsTable, timelineTable]) {
    await dynamo.send(new UpdateTableCommand({ TableName, DeletionProtectionEnabled: true }));
    const PointInTimeRecoverySpecification = { PointInTimeRecoveryEnabled: true };
    await dynamo.send(new UpdateContinuousBackupsCommand({ TableName, PointInTimeRecoverySpecification }));
  }
  const TimeToLiveSpecification = { Enabled: true, AttributeName: 'expiresAtS' };
  await dynamo.send(new UpdateTimeToLiveCommand({ TableName: timelineTable, TimeToLiveSpecification }));
  const TopicArn = outputs.NoticesTopicArn!;
  await sns.send(
    new SubscribeCommand({ TopicArn, Protocol: 'sqs', Endpoint: TopicArn.replace('sns', 'sqs') }),
  );
}
