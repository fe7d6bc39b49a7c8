// What a run makes outside its VPC: stack, tables, log groups, and the IAM role of its machines; or, in a stage that belongs to someone else, its VIP.
import {
  type CloudWatchLogsClient,
  DeleteLogGroupCommand,
  DescribeLogGroupsCommand,
} from '@aws-sdk/client-cloudwatch-logs';
import { DeleteTableCommand, DescribeTableCommand, type DynamoDBClient } from '@aws-sdk/client-dynamodb';
import {
  DeleteInstanceProfileCommand,
  DeleteRoleCommand,
  DeleteRolePolicyCommand,
  GetInstanceProfileCommand,
  GetRoleCommand,
  type IAMClient,
  RemoveRoleFromInstanceProfileCommand,
} from '@aws-sdk/client-iam';
import { POLICY } from '../build/identity.ts';
import type { Service } from '../build/service.ts';
import type { Registry } from '../registry.ts';
import { type Run, tablesOf } from '../run-id.ts';
import { ifThere } from './absence.ts';
import type { Kind } from './inventory.ts';

/** CloudFormation takes minutes. */
const STACK_MS = 900_000;
const TABLE_MS = 120_000;

/** The stack first: while it exists, it uses everything else. */
export function stageKinds(
  service: Service,
  dynamo: DynamoDBClient,
  logs: CloudWatchLogsClient,
  run: Run,
): readonly Kind[] {
  const prefix = `/aws/lambda/vipshift-${run.stage}-`;
  return [
    {
      what: 'stack',
      lingersMs: STACK_MS,
      find: async () => ((await service.isThere(run.stage)) ? [run.stage] : []),
      take: (stage) => service.remove(stage),
    },
    {
      what: 'table',
      lingersMs: TABLE_MS,
      async find() {
        const there: string[] = [];
        for (const TableName of Object.values(tablesOf(run.stage)))
          if ((await ifThere(() => dynamo.send(new DescribeTableCommand({ TableName })))) !== undefined)
            there.push(TableName);
        return there;
      },
      take: (TableName) => dynamo.send(new DeleteTableCommand({ TableName })),
    },
    {
      what: 'log group',
      async find() {
        const { logGroups = [] } = await logs.send(
          new DescribeLogGroupsCommand({ logGroupNamePrefix: prefix }),
        );
        return logGroups.map(({ logGroupName = '' }) => logGroupName);
      },
      take: (logGroupName) => logs.send(new DeleteLogGroupCommand({ logGroupName })),
    },
  ];
}

/** In a stage that is not the run's own only the VIP is. */
export const vipKind = (registry: Registry, run: Run): Kind => ({
  what: 'VIP',
  find: async () => ((await registry.isRegistered()) ? [run.vip] : []),
  take: () => registry.remove(),
});

export function identityKinds(iam: IAMClient, run: Run): readonly Kind[] {
  const names = { InstanceProfileName: run.name, RoleName: run.name };
  return [
    {
      what: 'instance profile',
      find: async () => named(await ifThere(() => iam.send(new GetInstanceProfileCommand(names)))),
      async take() {
        await ifThere(() => iam.send(new RemoveRoleFromInstanceProfileCommand(names)));
        await iam.send(new DeleteInstanceProfileCommand(names));
      },
    },
    {
      what: 'role',
      find: async () => named(await ifThere(() => iam.send(new GetRoleCommand(names)))),
      async take() {
        await ifThere(() =>
          iam.send(new DeleteRolePolicyCommand({ RoleName: run.name, PolicyName: POLICY })),
        );
        await iam.send(new DeleteRoleCommand({ RoleName: run.name }));
      },
    },
  ];

  function named(found: unknown): readonly string[] {
    return found === undefined ? [] : [run.name];
  }
}
