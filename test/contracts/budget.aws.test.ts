// The account's budget in memory and on DynamoDB, in every weather: the same bookings lead to the same places, and a storm
// of them loses none.
import { CreateTableCommand, DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type LocalAws, startLocalAws } from '../../lab/aws/local-aws.ts';
import { awsSharedBucket } from '../../shared/aws/dynamodb/shared-bucket.ts';
import { awsVips } from '../../shared/aws/dynamodb/vip-store.ts';
import { clients } from '../../shared/aws/wire.ts';
import { memorySharedBucket } from '../../shared/memory/shared-bucket.ts';
import { rates } from '../../shared/rate-limit/local-bucket.ts';
import type { Priority, SharedBucket } from '../../shared/rate-limit/shared-bucket.ts';
import { durationMs, plus } from '../../shared/time.ts';
import { newVip } from '../../shared/vip/vip.ts';
import { entry, START } from '../support/world.ts';
import { budgetWeathers, inWeather } from './weather.ts';

let aws: LocalAws;
let client: DynamoDBClient;
const credentials = { accessKeyId: 'test', secretAccessKey: 'test' };
const signal = new AbortController().signal;
let tables = 0;

beforeAll(async () => {
  aws = await startLocalAws();
  client = new DynamoDBClient({ endpoint: aws.endpoint, region: aws.region, credentials });
});
afterAll(async () => {
  client?.destroy();
  await aws?.stop();
});

async function newTable(): Promise<string> {
  const table = `vips-${++tables}`;
  await client.send(
    new CreateTableCommand({
      TableName: table,
      BillingMode: 'PAY_PER_REQUEST',
      AttributeDefinitions: [{ AttributeName: 'vip', AttributeType: 'S' }],
      KeySchema: [{ AttributeName: 'vip', KeyType: 'HASH' }],
    }),
  );
  return table;
}

/** A sandbox of its own: what others have done it learns from the table only. */
const sandboxOn = (through: DynamoDBClient, table: string): SharedBucket =>
  awsSharedBucket({ client: through, table, sizes: rates, seen: new Map(), signal });

type Deed = readonly [atMs: number, does: 'back' | 'front' | 'spare' | 'giveBack' | 'empty', count: number];
const history: readonly Deed[] = [
  [0, 'back', 10],
  [5, 'front', 10],
  [10, 'back', 40],
  [20, 'front', 5],
  [30, 'front', 5],
  [40, 'back', 30],
  [900, 'giveBack', 7],
  [950, 'back', 1],
  [60_000, 'front', 3],
  [60_001, 'empty', 0],
  [60_002, 'back', 2],
  [60_003, 'front', 2],
  [60_004, 'empty', 0],
  [200_000, 'giveBack', 1],
  [200_001, 'back', 49],
  [200_002, 'spare', 1],
  [206_000, 'spare', 10],
  [206_001, 'spare', 10],
  [206_002, 'back', 1],
  [400_000, 'spare', 10],
  [400_001, 'spare', 10],
  [400_002, 'spare', 10],
];

async function tell(budgets: readonly SharedBucket[]): Promise<unknown[]> {
  const answers: unknown[] = [];
  for (const [n, [atMs, does, count]] of history.entries()) {
    const budget = budgets[n % budgets.length]!;
    const now = plus(START, durationMs(atMs));
    if (does === 'giveBack') await budget.refund('ReplaceRoute', count);
    else if (does === 'empty') await budget.drain('ReplaceRoute', now);
    else if (does === 'spare') answers.push((await budget.takeSpare('ReplaceRoute', count, now)) ?? 'none');
    else answers.push(await budget.reserve('ReplaceRoute', count, does as Priority, now));
    answers.push(await budget.pushback('ReplaceRoute'));
  }
  return answers;
}

const contract = (deployed: () => DynamoDBClient): void => {
  test('gives the same places as in memory, also to sandboxes that know nothing of each other', async () => {
    const table = await newTable();
    const told = await tell([
      sandboxOn(deployed(), table),
      sandboxOn(deployed(), table),
      sandboxOn(deployed(), table),
    ]);
    expect(told).toEqual(await tell([memorySharedBucket()]));
    expect(
      told.filter((answer) => answer === 'none').length,
      'there is not always one to spare',
    ).toBeGreaterThan(1);
  });

  test('forty sandboxes that book at once all get places, and no two the same', async () => {
    const table = await newTable();
    const bookings = await Promise.all(
      Array.from({ length: 40 }, () =>
        sandboxOn(deployed(), table).reserve('ReplaceRoute', 10, 'back', START),
      ),
    );
    const firsts = bookings.map((b) => b.firstAtMs).sort((a, b) => a - b);
    const took = Math.ceil(10_000 / rates.ReplaceRoute.perSecond);
    for (const [n, first] of firsts.entries()) expect(first - firsts[0]!).toBeCloseTo(n * took, 0);
  });

  test('each action has a bucket of its own, and no bucket is taken for a VIP', async () => {
    const table = await newTable();
    const budget = sandboxOn(deployed(), table);
    await budget.reserve('ReplaceRoute', 400, 'back', START);
    const eip = await budget.reserve('AssociateAddress', 1, 'back', START);
    expect(eip.firstAtMs).toBeLessThan(START);
    const vips = awsVips({ client: deployed(), table, signal, nonce: () => 'token' });
    await vips.write(undefined, newVip(entry));
    expect((await vips.list()).map((vip) => vip.name)).toEqual(['web']);
  });
};

describe.each(budgetWeathers)('the budget on DynamoDB, $name', (weather) => {
  inWeather(
    weather,
    () => aws.endpoint,
    (endpoint) => {
      let made: DynamoDBClient | undefined;
      afterAll(() => made?.destroy());
      contract(() => {
        made ??= clients({ endpoint: endpoint(), region: aws.region, credentials }).dynamo;
        return made;
      });
    },
  );
});
