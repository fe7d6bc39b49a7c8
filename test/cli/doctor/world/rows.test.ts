// Every row before the doctor, and a right world.
import { afterAll, describe, expect, test } from 'vitest';
import { look } from './look.ts';
import { carriedOut } from './rows/carried-out.ts';
import { rows } from './rows/rows.ts';
import { rightWorld } from './world.ts';

test('a right world has nothing wrong, with the ports named or not', async () => {
  expect((await look(rightWorld(), { port: [{ protocol: 'tcp', port: 443 }] })).findings).toEqual([]);
  expect((await look(rightWorld())).findings).toEqual([]);
});

describe('what operators get wrong', () => {
  const counted = { repaired: 0, 'by hand': 0 };
  afterAll(() =>
    console.log(
      `${rows.length} rows: ${counted.repaired + counted['by hand']} found, ${counted.repaired} repaired by the command that is printed, ${counted['by hand']} by hand`,
    ),
  );

  test.each(rows.map((row) => [row.what, row] as const))('%s', async (_what, row) => {
    counted[await carriedOut(row)] += 1;
  });
});
