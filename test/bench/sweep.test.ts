// Reconcile at scale, by what it asks: calls are counted, time is only printed (npm run bench -- --only sweep).
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type FakeRegion, startFakeRegion } from '../../bench/fake/region.ts';
import { quietReconcile } from '../../bench/rows/sweep.ts';

const VIPS = 1000;
const TABLES_EACH = 4;
const NODES_EACH = 2;
const HEAP_MAX_MB = 256;

let region: FakeRegion;
beforeAll(async () => {
  region = await startFakeRegion();
});
afterAll(() => region?.stop());

test('1,000 VIPs of 4 tables without drift: calls are bounded by pages, memory by 256 MB, and nothing is written', async () => {
  const run = await quietReconcile(region, { ec2Ms: 0, dynamoMs: 0 }, VIPS);
  expect(run.switched).toBe(0);
  expect(run.calls).toEqual({
    Scan: Math.ceil(VIPS / 300),
    DescribeRouteTables: (VIPS * TABLES_EACH) / 100,
    DescribeNetworkInterfaces: Math.ceil((VIPS * NODES_EACH) / 1000),
    DescribeAddresses: 1,
    DescribeInstanceStatus: 1,
    // The item and the view of each.
    GetItem: VIPS * 2,
  });
  expect(run.heapMb).toBeLessThan(HEAP_MAX_MB);
  console.log(`sweep of ${VIPS} VIPs: ${Math.round(run.ms)} ms, heap at most ${Math.round(run.heapMb)} MB`);
}, 600_000);
