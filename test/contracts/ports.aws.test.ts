// The same contracts through the real SDK, on the local AWS, in every weather. The clients are those that are deployed.
import {
  CreateTableCommand,
  DynamoDBClient,
  GetItemCommand,
  PutItemCommand,
  QueryCommand,
  UpdateItemCommand,
} from '@aws-sdk/client-dynamodb';
import { unmarshall } from '@aws-sdk/util-dynamodb';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type LocalAws, startLocalAws } from '../../lab/aws/local-aws.ts';
import { awsApprovals } from '../../shared/aws/dynamodb/approvals.ts';
import { awsChangeLog } from '../../shared/aws/dynamodb/change-log.ts';
import { recordedEpoch } from '../../shared/aws/dynamodb/last-epoch.ts';
import { awsOperatorActions } from '../../shared/aws/dynamodb/operator-actions.ts';
import { awsReservations } from '../../shared/aws/dynamodb/reservations.ts';
import { awsTimeline } from '../../shared/aws/dynamodb/timeline.ts';
import { value } from '../../shared/aws/dynamodb/update-expression.ts';
import { awsVips } from '../../shared/aws/dynamodb/vip-store.ts';
import { awsViews } from '../../shared/aws/view-cache.ts';
import { clients } from '../../shared/aws/wire.ts';
import type { FailoverOrder } from '../../shared/forced-failover/order.ts';
import { plus, seconds } from '../../shared/time.ts';
import { newVip } from '../../shared/vip/vip.ts';
import { claimOf, entry, memberOf, START, type Words } from '../support/world.ts';
import { newestChangesContract, RETENTION_DAYS, recordsContract } from './stores/records.ts';
import { reservationsContract } from './stores/reservations.ts';
import { timelineContract } from './timeline.ts';
import { emptyView, viewCacheContract } from './view-cache.ts';
import { telling, vipStoreContract } from './vip-store.ts';
import { dynamoWeathers, inWeather } from './weather.ts';

const order: FailoverOrder = {
  ...{ vip: 'web', to: 'i-b', mode: 'routes-only', reason: 'patching', by: 'ann' },
  ...{ dryRun: false, approval: true, pinMinutes: 60, claimWaitSeconds: 30 },
};

let aws: LocalAws;
let client: DynamoDBClient;
const signal = new AbortController().signal;
let nonces = 0;
const nonce = () => `token-${++nonces}`;
const credentials = { accessKeyId: 'test', secretAccessKey: 'test' };

beforeAll(async () => {
  aws = await startLocalAws();
  client = new DynamoDBClient({ endpoint: aws.endpoint, region: aws.region, credentials });
  await createTable('vips', 'vip');
  await createTable('timeline', 'vip', 'id');
});
afterAll(() => aws?.stop());

async function createTable(name: string, hash: string, range?: string): Promise<void> {
  const keys = [hash, ...(range === undefined ? [] : [range])];
  await client.send(
    new CreateTableCommand({
      TableName: name,
      BillingMode: 'PAY_PER_REQUEST',
      AttributeDefinitions: keys.map((key) => ({ AttributeName: key, AttributeType: 'S' })),
      KeySchema: keys.map((key, n) => ({ AttributeName: key, KeyType: n === 0 ? 'HASH' : 'RANGE' })),
    }),
  );
}

async function itemsOf(key: string): Promise<Record<string, unknown>[]> {
  const request = {
    TableName: 'timeline',
    KeyConditionExpression: 'vip = :vip',
    ExpressionAttributeValues: { ':vip': value(key) },
  };
  return ((await client.send(new QueryCommand(request))).Items ?? []).map((item) => unmarshall(item));
}

describe.each(dynamoWeathers)('on DynamoDB, $name', (weather) => {
  inWeather(
    weather,
    () => aws.endpoint,
    (endpoint) => {
      let deployed: DynamoDBClient | undefined;
      const through = () => {
        deployed ??= clients({ endpoint: endpoint(), region: aws.region, credentials }).dynamo;
        return deployed;
      };
      afterAll(() => deployed?.destroy());
      const store = () => awsVips({ client: through(), table: 'vips', signal, nonce });

      describe('the VIP store', () => {
        vipStoreContract(store);

        it('keeps attributes that this version does not know: a newer one may have put them there', async () => {
          const vip = (await store().write(
            undefined,
            newVip({ ...entry, name: `from-the-future-${nonce()}` }),
          ))!;
          const add = {
            TableName: 'vips',
            Key: { vip: value(vip.name) },
            UpdateExpression: 'SET novelty = :novelty',
            ExpressionAttributeValues: { ':novelty': value({ deep: [1, 2] }) },
          };
          await client.send(new UpdateItemCommand(add));
          const read = (await store().read(vip.name))!;
          const written = await store().write(read, { ...read, owner: 'i-a' });
          expect(written).toMatchObject({ owner: 'i-a', novelty: { deep: [1, 2] } });
        });

        it('reads claims that an older version recorded, without when they were sent, and goes on from them', async () => {
          const name = `from-the-past-${nonce()}`;
          const members = { 'i-a': memberOf('i-a') };
          await store().write(undefined, { ...newVip({ ...entry, name }), members });
          const says = (words: Words) => ({ ...claimOf('i-a', words), vip: name });
          await store().recordClaim(telling(says({ atMs: 5000 })), START);
          const forget = {
            TableName: 'vips',
            Key: { vip: value(name) },
            UpdateExpression: 'REMOVE claims.#node.stampMs, claims.#node.upMs',
            ExpressionAttributeNames: { '#node': 'i-a' },
          };
          await client.send(new UpdateItemCommand(forget));
          const old = (await store().read(name))!.claims['i-a'];
          expect(old).toMatchObject({ stampMs: START + 5000, upMs: 3_605_000 });
          const boot = { uptimeMs: 1000, seq: 1000, since: 1000 };
          const late = says({ atMs: 4000, bootId: 'before', over: boot });
          expect((await store().recordClaim(telling(late), START)).answer, 'an earlier boot').toBe('refused');
          const again = says({ atMs: 9000, sinceMs: 5000, kind: 'assertion' });
          expect((await store().recordClaim(telling(again, { as: 'refresh' }), START)).answer).toBe(
            'recorded',
          );
          const rebooted = says({ atMs: 60_000, bootId: 'next', over: boot });
          const { vip } = await store().recordClaim(telling(rebooted), START);
          expect(vip!.claims['i-a']).toMatchObject({ bootId: 'next', upMs: 1000, stampMs: START + 60_000 });
        });
      });

      // Who changed what is read weakly, and promises no freshness.
      if (weather.rules().length === 0) {
        const table = () => ({ client: through(), table: 'timeline', signal, retentionDays: RETENTION_DAYS });
        describe('what else the timeline’s table keeps', () => {
          const under = () => ({
            approvals: awsApprovals(table()),
            changes: awsChangeLog(table()),
            orders: awsOperatorActions(table()),
            timeline: awsTimeline(table()),
            lastEpoch: (vip: string) => recordedEpoch(table(), vip),
            stored: itemsOf,
            settle: () => undefined,
          });
          recordsContract(under);
          newestChangesContract(under);
        });
      }

      describe('reservations', () => {
        const dynamo = () => ({ client: through(), table: 'vips', signal, nonce });
        reservationsContract(() => ({
          vips: store(),
          at: (now, meanwhile) =>
            awsReservations({
              dynamo: dynamo(),
              now: () => now,
              async vip(name) {
                await meanwhile?.();
                return store().read(name);
              },
            }),
        }));
      });

      it('approvals: to the last page', async () => {
        const approvals = awsApprovals({ client: through(), table: 'timeline', signal, retentionDays: 30 });
        const vip = `asked-${nonce()}`;
        const untilMs = plus(START, seconds(1));
        // A page is a megabyte.
        const large = { ...order, vip, reason: 'x'.repeat(300_000) };
        for (let n = 0; n < 5; n++)
          await approvals.ask({
            ...{
              vip,
              execution: `run-${n}`,
              token: 't',
              plan: [],
              calls: 3,
              atMs: START,
              untilMs,
              order: large,
            },
          });
        expect(await approvals.pending(vip, START)).toHaveLength(5);
      });

      describe('stored views', () => {
        const views = () => {
          const timeline = { client: through(), table: 'timeline', signal, retentionDays: 30 };
          return awsViews({ timeline, vipsTable: 'vips' });
        };
        viewCacheContract(views);

        const before = async (name: string) => {
          const Item = { vip: value(`view/${name}`), view: value(JSON.stringify(emptyView)) };
          await client.send(new PutItemCommand({ TableName: 'vips', Item }));
        };
        const left = async (name: string) => {
          const Key = { vip: value(`view/${name}`) };
          const { Item } = await client.send(new GetItemCommand({ TableName: 'vips', Key }));
          return Item === undefined ? undefined : (unmarshall(Item).view as string);
        };

        it('reads what the version before kept among the VIPs until a view is kept, and then empties it', async () => {
          const name = `moved-${nonce()}`;
          await before(name);
          expect(await views().view(name)).toEqual(emptyView);
          const newer = { ...emptyView, beganAtMs: plus(START, seconds(1)), enis: [] };
          await views().keepView(name, newer);
          expect(await views().view(name)).toEqual(newer);
          expect((await left(name))!.length, 'a Scan of the VIPs pays for it').toBeLessThan(100);
          expect(
            JSON.parse((await left(name))!),
            'the version before reads it after a rollback',
          ).toMatchObject({
            source: 'ec2',
            tables: [],
          });
        });

        it('leaves nothing among the VIPs where there was nothing', async () => {
          const name = `fresh-${nonce()}`;
          await views().keepView(name, emptyView);
          expect(await left(name)).toBeUndefined();
          expect((await store().list()).map((vip) => vip.name)).not.toContain(`view/${name}`);
        });
      });

      describe('the timeline', () => {
        timelineContract(() => ({
          timeline: awsTimeline({ client: through(), table: 'timeline', signal, retentionDays: 30 }),
          rejections: async (vip) => (await itemsOf(`rejected/${vip}`)) as never,
          probes: async (vip) => (await itemsOf(`probe/${vip}`)).length,
        }));

        it('counts rejections in no index, so that a flood of them is not written there before the outcomes', async () => {
          const timeline = awsTimeline({ client: through(), table: 'timeline', signal, retentionDays: 30 });
          const vip = `flooded-${nonce()}`;
          const why = { reason: 'foreign-source', message: 'm', example: 'e' } as const;
          await timeline.reject({ vip, node: 'i-a', ...why, atMs: START });
          const [item] = await itemsOf(`rejected/${vip}`);
          expect(Object.keys(item!).sort()).toEqual([
            'atMs',
            'count',
            'entry',
            'example',
            'expiresAtS',
            'hour',
            'id',
            'message',
            'node',
            'ofVip',
            'reason',
            'vip',
          ]);
        });
      });
    },
  );
});
