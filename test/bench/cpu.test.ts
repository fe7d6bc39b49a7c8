// The rows about CPU: each way really moves every table.
import { expect, it } from 'vitest';
import { startFakeRegion } from '../../bench/fake/region.ts';
import { cpuName, cpuRows, ways } from '../../bench/rows/cpu.ts';

it('measures the same mutations by each way, and holds them against the bare calls', async () => {
  await using region = await startFakeRegion();
  const rows = await cpuRows(region, 3, 2);
  expect(rows.map(({ name, n, runs }) => [name, n, runs])).toEqual(ways.map((way) => [cpuName(way), 3, 2]));
});
