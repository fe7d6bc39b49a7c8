// How much is read to answer an auditor, with 100,000 records on the local AWS: the number of queries of each question
// is bounded, and hardly grows with the record.
import { BatchWriteItemCommand } from '@aws-sdk/client-dynamodb';
import { marshall } from '@aws-sdk/util-dynamodb';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { epochKey } from '../../../shared/aws/dynamodb/timeline.ts';
import { awsAuditLog } from '../../../shared/aws/dynamodb/timeline-query.ts';
import { epochMs } from '../../../shared/time.ts';
import type { Question } from '../../../shared/timeline/query.ts';
import { ownerAt } from '../../../shared/timeline/query.ts';
import { type Region, startRegion, tables } from '../region.ts';

const SIZES = [1_000, 10_000, 100_000];
const VIPS = 4;
const DAY_MS = 86_400_000;
/** Four VIPs fail over in turn, fifty times an hour: 100,000 records in 83 days. */
const STEP_MS = 72_000;
const START = Date.UTC(2026, 0, 1);
const atOf = (n: number) => START + n * STEP_MS;
const vipOf = (n: number) => `vip-${n % VIPS}`;
const epochOf = (n: number) => Math.floor(n / VIPS) + 1;
const toOf = (n: number) => `i-0000000000000000${epochOf(n) % 2}`;

let region: Region;
let written = 0;
beforeAll(async () => {
  region = await startRegion();
});
afterAll(() => region?.stop());

function itemOf(n: number): object {
  const atMs = atOf(n);
  const at = new Date(atMs).toISOString();
  const id = `${epochKey(epochOf(n))}/2-outcome`;
  const outcome = n % 1000 === 500 ? 'failed' : 'switched';
  return {
    entry: 'outcome',
    vip: vipOf(n),
    id,
    day: at.slice(0, 10),
    at: `${at} ${id}`,
    node: toOf(n),
    epoch: epochOf(n),
    cause: { kind: 'claim', why: 'said MASTER', atMs: atMs - 300 },
    outcome,
    ...(epochOf(n) === 1 ? {} : { from: toOf(n + VIPS) }),
    to: toOf(n),
    why: 'newest MASTER',
    steps: [],
    conflicts: [],
    stages: [{ stage: 'controller began', atMs: atMs - 200 }],
    verified: true,
    notes: [],
    atMs,
  };
}

/** One among five hundred failovers. */
function orderOf(n: number): object {
  const at = new Date(atOf(n)).toISOString();
  const id = `order/${at}/${n}`;
  const order = { entry: 'order', order: 'freeze', by: 'someone', reason: 'window' };
  return { ...order, vip: vipOf(n), id, day: at.slice(0, 10), at: `${at} ${id}`, atMs: atOf(n) };
}

async function grow(size: number): Promise<void> {
  const batches: number[][] = [];
  for (let n = written; n < size; n += 24)
    batches.push(Array.from({ length: Math.min(24, size - n) }, (_, i) => n + i));
  written = size;
  const worker = async () => {
    for (let batch = batches.pop(); batch !== undefined; batch = batches.pop()) {
      const items = [...batch.map(itemOf), ...batch.filter((n) => n % 500 === 250).map(orderOf)];
      const puts = items.map((item) => ({ PutRequest: { Item: marshall(item) } }));
      await region.dynamo.send(new BatchWriteItemCommand({ RequestItems: { [tables.timeline]: puts } }));
    }
  };
  await Promise.all(Array.from({ length: 8 }, worker));
}

interface Asked {
  readonly reads: number;
  readonly found: number;
}

async function askAll(size: number): Promise<Readonly<Record<string, Asked>>> {
  const { signal } = new AbortController();
  const table = { client: region.dynamo, table: tables.timeline, signal, retentionDays: 400 };
  const log = awsAuditLog(table, async () => ['web']);
  const end = epochMs(atOf(size));
  const middle = epochMs(atOf(Math.floor(size / 2)));
  const whole = {
    sinceMs: epochMs(0),
    untilMs: end,
    kinds: ['outcome', 'order', 'rejected'],
    limit: 50,
  } as const;
  const find = async (question: Question): Promise<Asked> => {
    const answer = await log.find(question);
    return { reads: answer.reads, found: answer.records.length };
  };
  const around = await log.around('vip-1', middle);
  const owner = ownerAt('vip-1', middle, around);
  expect(owner.owner).toBe(around.before[0]!.to);
  return {
    'the newest 50 of one VIP': await find({ ...whole, vip: 'vip-1' }),
    'one VIP, an hour in the middle': await find({
      ...whole,
      vip: 'vip-1',
      sinceMs: epochMs(middle - 3_600_000),
      untilMs: middle,
    }),
    'one node, a day in the middle': await find({
      ...whole,
      node: toOf(0),
      sinceMs: epochMs(middle - DAY_MS),
      untilMs: middle,
    }),
    'the newest 50 of one node': await find({ ...whole, node: toOf(0) }),
    'all VIPs, one day': await find({
      ...whole,
      limit: 5000,
      sinceMs: epochMs(middle - (middle % DAY_MS)),
      untilMs: epochMs(middle - (middle % DAY_MS) + DAY_MS),
    }),
    'orders of ten days, all VIPs': await find({
      ...whole,
      kinds: ['order'],
      sinceMs: epochMs(middle - 10 * DAY_MS),
      untilMs: middle,
    }),
    'what failed in a day': await find({
      ...whole,
      outcomes: ['failed'],
      sinceMs: epochMs(middle - DAY_MS),
      untilMs: middle,
    }),
    'what failed of one VIP, ever': await find({ ...whole, vip: vipOf(500), outcomes: ['failed'], limit: 5 }),
    'who owned a VIP at an instant': { reads: around.reads, found: around.before.length },
    'one failover': { reads: (await log.epoch('vip-1', Math.floor(size / VIPS / 2))).reads, found: 1 },
  };
}

/** Halving a hundred times the record takes this many more reads. */
const HALVINGS = Math.log2(100);

test('each question is answered by a bounded number of queries, which grows by halvings at the most', async () => {
  const asked: Record<string, Asked>[] = [];
  for (const size of SIZES) {
    await grow(size);
    asked.push(await askAll(size));
  }
  const [small, , large] = asked;
  const rows = Object.keys(large!).map((question) => {
    const reads = asked.map((a) => a[question]!.reads);
    const slope = (reads[2]! - reads[0]!) / HALVINGS;
    const atMillion = Math.ceil(reads[2]! + slope * Math.log2(10));
    return { question, reads, found: large![question]!.found, slope, atMillion };
  });
  const lines = rows.map(
    (r) =>
      `${r.question.padEnd(32)} ${r.reads.map((n) => String(n).padStart(4)).join('')}  ${r.slope.toFixed(2).padStart(5)} per doubling, ${r.atMillion} at a million (${r.found} found)`,
  );
  console.log(`queries with ${SIZES.join(', ')} records\n${lines.join('\n')}`);
  for (const row of rows) {
    expect(row.found, row.question).toBeGreaterThan(0);
    expect(row.slope, row.question).toBeLessThanOrEqual(1.1);
    expect(row.atMillion, row.question).toBeLessThanOrEqual(45);
  }
  for (const question of ['the newest 50 of one VIP', 'the newest 50 of one node'])
    expect(small![question]!.reads, question).toBe(large![question]!.reads);
}, 600_000);
