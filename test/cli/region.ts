// A Region for tests of the command line: a local AWS with the two tables, a VPC and two nodes, without the functions.
import { CreateTableCommand, DynamoDBClient, type KeySchemaElement } from '@aws-sdk/client-dynamodb';
import { EC2Client } from '@aws-sdk/client-ec2';
import { childEnv, type LocalAws, startLocalAws } from '../../lab/aws/local-aws.ts';
import { buildVpc, type LabVpc } from '../../lab/aws/stack/vpc.ts';
import { awsTimeline } from '../../shared/aws/dynamodb/timeline.ts';
import { awsVips } from '../../shared/aws/dynamodb/vip-store.ts';
import type { Timeline } from '../../shared/timeline/timeline.ts';
import type { VipStore } from '../../shared/vip/store.ts';
import { type Ran, run } from './front-door/command-line.ts';

export const STAGE = 'dev';

export interface Region {
  readonly aws: LocalAws;
  readonly vpc: LabVpc;
  readonly ec2: EC2Client;
  readonly dynamo: DynamoDBClient;
  readonly vips: VipStore;
  readonly timeline: Timeline;
  readonly env: NodeJS.ProcessEnv;
  vipshift(...args: readonly string[]): Promise<Ran>;
  stop(): Promise<void>;
}

export const tables = { vips: `vipshift-${STAGE}-vips`, timeline: `vipshift-${STAGE}-timeline` };

export async function startRegion(label = 'web'): Promise<Region> {
  const aws = await startLocalAws();
  try {
    const access = {
      region: aws.region,
      credentials: { accessKeyId: aws.accountId, secretAccessKey: 'local' },
    };
    const ec2 = new EC2Client({ ...access, endpoint: aws.ec2Endpoint });
    const dynamo = new DynamoDBClient({ ...access, endpoint: aws.endpoint });
    const [vpc] = await Promise.all([buildVpc(ec2, { stage: STAGE, label }), makeTables(dynamo)]);
    const { signal } = new AbortController();
    const env = { ...childEnv(aws), VIPSHIFT_STAGE: STAGE };
    return {
      aws,
      vpc,
      ec2,
      dynamo,
      env,
      vips: awsVips({ client: dynamo, table: tables.vips, signal, nonce: () => crypto.randomUUID() }),
      timeline: awsTimeline({ client: dynamo, table: tables.timeline, signal, retentionDays: 400 }),
      vipshift: (...args) => run(args, env),
      async stop() {
        ec2.destroy();
        dynamo.destroy();
        await aws.stop();
      },
    };
  } catch (error) {
    await aws.stop();
    throw error;
  }
}

/** As resources/tables.yml makes them. */
async function makeTables(dynamo: DynamoDBClient): Promise<void> {
  const key = (hash: string, range?: string): KeySchemaElement[] => [
    { AttributeName: hash, KeyType: 'HASH' },
    ...(range === undefined ? [] : [{ AttributeName: range, KeyType: 'RANGE' as const }]),
  ];
  const names = (...attributes: string[]) =>
    attributes.map((AttributeName) => ({ AttributeName, AttributeType: 'S' as const }));
  const index = (IndexName: string, hash: string) => ({
    IndexName,
    KeySchema: key(hash, 'at'),
    Projection: { ProjectionType: 'ALL' as const },
  });
  await dynamo.send(
    new CreateTableCommand({
      TableName: tables.vips,
      BillingMode: 'PAY_PER_REQUEST',
      AttributeDefinitions: names('vip'),
      KeySchema: key('vip'),
    }),
  );
  await dynamo.send(
    new CreateTableCommand({
      TableName: tables.timeline,
      BillingMode: 'PAY_PER_REQUEST',
      AttributeDefinitions: names('vip', 'id', 'day', 'at', 'node', 'from'),
      KeySchema: key('vip', 'id'),
      GlobalSecondaryIndexes: [index('byDay', 'day'), index('byNode', 'node'), index('byFrom', 'from')],
    }),
  );
}
