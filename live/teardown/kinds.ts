// Kinds: everything that a run makes, in the order in which it has to be removed; how it is found, and how taken away. The stack of its
// network and machines; of its own stage the stack and what that leaves behind; or, in a stage that belongs to someone else, its VIP.
//
// Invariant: what is found is the run's alone: by its tag, or by a name that has its id.
import {
  type CloudWatchLogsClient,
  DeleteLogGroupCommand,
  DescribeLogGroupsCommand,
} from '@aws-sdk/client-cloudwatch-logs';
import { DeleteTableCommand, DescribeTableCommand, type DynamoDBClient } from '@aws-sdk/client-dynamodb';
import type { Stacks } from '../aws/stacks.ts';
import type { Service } from '../build/service.ts';
import type { Registry } from '../registry.ts';
import { RUN_TAG, type Run, tablesOf, testBedStack } from '../run-id.ts';
import { ifThere } from './absence.ts';

export interface Kind {
  readonly what: string;
  /** The ids of those that are there. */
  find(): Promise<readonly string[]>;
  /** Throws when it is refused. */
  take(id: string): Promise<unknown>;
  /** How long those that were taken may still be there; not at all by default. */
  readonly lingersMs?: number;
}

const TABLE_MS = 120_000;

export interface OfStage {
  readonly service: Service;
  readonly dynamo: DynamoDBClient;
  readonly logs: CloudWatchLogsClient;
}

/** The stack first: while it exists, it uses everything else. */
export function stageKinds({ service, dynamo, logs }: OfStage, run: Run): readonly Kind[] {
  const prefix = `/aws/lambda/vipshift-${run.stage}-`;
  return [
    {
      what: 'stack',
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

export const testBedKind = (stacks: Stacks, run: Run): Kind => ({
  what: 'stack',
  async find() {
    const found = await stacks.find(testBedStack(run));
    return found?.tags[RUN_TAG] === run.id ? [testBedStack(run)] : [];
  },
  take: (name) => stacks.remove(name),
});
