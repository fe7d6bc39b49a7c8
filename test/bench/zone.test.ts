// A zone failure on EC2's real buckets, small: what the account's budget is for, and what happens without it.
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type FakeRegion, startFakeRegion } from '../../bench/fake/region.ts';
import { zoneFailure } from '../../bench/rows/zone.ts';

const latency = { ec2Ms: 5, dynamoMs: 1 };
const history = { latency, vips: 7, tables: 10, timeoutMs: 300_000 };

let region: FakeRegion;
beforeAll(async () => {
  region = await startFakeRegion();
});
afterAll(() => region?.stop());

describe('70 calls of 7 sandboxes that know nothing of each other', () => {
  test('are hardly refused, and every VIP moves whole', async () => {
    const run = await zoneFailure(region, { ...history, shared: true });
    expect(run.refusedShare).toBeLessThan(0.1);
    expect(run.doneMs).toHaveLength(history.vips);
    expect(run.doneMs.every(Number.isFinite)).toBe(true);
  });

  test('without the shared budget all send at once, and a good part is refused: the control', async () => {
    const run = await zoneFailure(region, { ...history, shared: false });
    expect(run.refusedShare).toBeGreaterThan(0.1);
  });
});
