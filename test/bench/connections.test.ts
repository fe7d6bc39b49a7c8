// The rows about connections: the deployed handler over TLS, in this process.
import { expect, it } from 'vitest';
import { connectionRows } from '../../bench/rows/connections.ts';

it('measures a failover with connections open, cut, and cut before an assertion: each run moves every table', async () => {
  const rows = await connectionRows({ ec2Ms: 1, dynamoMs: 1 }, [1, 3], 2);
  expect(
    rows.map(({ name, n, runs }) => [name.replace('vipshift over TLS, connections ', ''), n, runs]),
  ).toEqual([
    ['open', 1, 2],
    ['cut', 1, 2],
    ['cut, then one assertion', 1, 2],
    ['open', 3, 2],
    ['cut', 3, 2],
    ['cut, then one assertion', 3, 2],
  ]);
  expect(rows.every(({ medianMs }) => medianMs! > 2)).toBe(true);
});
