// The profile of a failover: every part has a share, and together they are all of it.
import { expect, it } from 'vitest';
import { startFakeRegion } from '../../bench/fake/region.ts';
import { loadHandler } from '../../bench/rows/handler.ts';
import { profileRows } from '../../bench/rows/profile.ts';

it('divides the CPU of a failover among its parts', async () => {
  await using region = await startFakeRegion();
  const handler = await loadHandler(region.endpoint, 'profile');
  const options = { latency: { ec2Ms: 1, dynamoMs: 1 }, tables: 5, runs: 2 };
  const [all, ...parts] = await profileRows(region, handler, options);
  expect(all!.value).toBeGreaterThan(0);
  expect(parts.map(({ name }) => name)).toContain('CPU of a failover, %: XML');
  expect(parts.map(({ name }) => name)).toContain('CPU of a failover, %: HTTP, sockets, streams');
  expect(parts.reduce((sum, { value }) => sum + value!, 0)).toBeCloseTo(100, 0);
});
