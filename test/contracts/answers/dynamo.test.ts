// The contracts through the real SDK on a DynamoDB in this process, which gives small pages and the oldest weak reads that it may.
// ports.aws.test.ts runs the same ones on an emulator's DynamoDB, in every weather.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { awsApprovals } from '../../../shared/aws/dynamodb/approvals.ts';
import { awsChangeLog } from '../../../shared/aws/dynamodb/change-log.ts';
import { recordedEpoch } from '../../../shared/aws/dynamodb/last-epoch.ts';
import { awsOperatorActions } from '../../../shared/aws/dynamodb/operator-actions.ts';
import { awsReservations } from '../../../shared/aws/dynamodb/reservations.ts';
import { awsSharedBucket } from '../../../shared/aws/dynamodb/shared-bucket.ts';
import { awsTimeline } from '../../../shared/aws/dynamodb/timeline.ts';
import { awsAuditLog } from '../../../shared/aws/dynamodb/timeline-query.ts';
import { awsVips } from '../../../shared/aws/dynamodb/vip-store.ts';
import { awsViews } from '../../../shared/aws/view-cache.ts';
import { rates } from '../../../shared/rate-limit/local-bucket.ts';
import { hours, plus } from '../../../shared/time.ts';
import { type DynamoEndpoint, startDynamo } from '../../support/aws/dynamo.ts';
import { auditLogContract } from '../stores/audit-log.ts';
import { newestChangesContract, RETENTION_DAYS, recordsContract } from '../stores/records.ts';
import { reservationsContract } from '../stores/reservations.ts';
import { sharedBucketContract } from '../stores/shared-bucket.ts';
import { timelineContract } from '../timeline.ts';
import { emptyView, viewCacheContract } from '../view-cache.ts';
import { vipStoreContract } from '../vip-store.ts';

let dynamo: DynamoEndpoint;
let roomy: DynamoEndpoint;
let nonces = 0;
const signal = new AbortController().signal;
beforeAll(async () => {
  dynamo = await startDynamo();
  roomy = await startDynamo(100);
});
afterAll(async () => {
  await dynamo?.stop();
  await roomy?.stop();
});

const vipTable = () => ({
  ...{ client: dynamo.clients.dynamo, table: 'vips', signal },
  nonce: () => `token-${++nonces}`,
});
const vips = () => awsVips(vipTable());
const client = () => dynamo.clients.dynamo;
const table = () => ({ client: client(), table: 'timeline', signal, retentionDays: RETENTION_DAYS });
const stored = (key: string) => dynamo.items('timeline').filter(({ vip }) => vip === key);

describe('the VIP store', () => {
  vipStoreContract(vips, () => dynamo.settle());
});

describe('stored views', () => {
  const views = () => awsViews({ timeline: table(), vipsTable: 'vips' });
  viewCacheContract(views);

  it('are one item each under a key of their own, which the functions’ policy and the other version know', async () => {
    for (const endedAtMs of [emptyView.endedAtMs, plus(emptyView.endedAtMs, hours(1))])
      await views().keepView('kept', { ...emptyView, endedAtMs });
    expect(stored('view/kept').map(({ id, entry }) => [id, entry])).toEqual([['latest', 'view']]);
    expect(stored('kept')).toEqual([]);
  });
});

describe('the timeline', () => {
  timelineContract(() => ({
    timeline: awsTimeline(table()),
    rejections: async (vip) => stored(`rejected/${vip}`) as never,
    probes: async (vip) => stored(`probe/${vip}`).length,
  }));
});

describe('what else the timeline’s table keeps', () => {
  recordsContract(() => ({
    approvals: awsApprovals(table()),
    changes: awsChangeLog(table()),
    orders: awsOperatorActions(table()),
    timeline: awsTimeline(table()),
    lastEpoch: (vip) => recordedEpoch(table(), vip),
    stored: async (key) => stored(key),
    settle: () => dynamo.settle(),
  }));
});

describe('where a page has room', () => {
  newestChangesContract(() => ({
    changes: awsChangeLog({ ...table(), client: roomy.clients.dynamo }),
    settle: () => roomy.settle(),
  }));
});

describe('reservations', () => {
  reservationsContract(() => ({
    vips: vips(),
    at: (now, meanwhile) =>
      awsReservations({
        dynamo: vipTable(),
        now: () => now,
        async vip(name) {
          await meanwhile?.();
          return vips().read(name);
        },
      }),
  }));
});

describe('the audit', () => {
  auditLogContract(async () => {
    dynamo.clear();
    return {
      log: awsAuditLog(table(), async () => ['web', 'db']),
      timeline: awsTimeline(table()),
      orders: awsOperatorActions(table()),
      settle: () => dynamo.settle(),
    };
  }, 15);
});

describe('the account’s budget', () => {
  sharedBucketContract(() => {
    const name = `budget-${++nonces}`;
    return [1, 2, 3].map(() =>
      awsSharedBucket({ client: client(), table: name, sizes: rates, seen: new Map(), signal }),
    );
  }, 40);
});
