import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { percentile, rowOf } from '../../bench/figures.ts';

const main = join(import.meta.dirname, '..', '..', 'bench', 'main.ts');

test('a percentile is one of the samples, by nearest rank', () => {
  const samples = Array.from({ length: 200 }, (_, n) => n + 1);
  expect([percentile(samples, 0.5), percentile(samples, 0.99), percentile([7], 0.99)]).toEqual([100, 198, 7]);
});

test('a ratio is to the median of the bare calls of the same run', () => {
  expect(rowOf('ours', 10, [140, 150, 160], { floorMs: 125 })).toMatchObject({
    medianMs: 150,
    ratioToFloor: 1.2,
    runs: 3,
  });
});

test('--json prints an array of rows and nothing else', async () => {
  const { stdout } = await promisify(execFile)(process.execPath, [
    main,
    '--json',
    '--quick',
    '--only',
    'warm,pure',
  ]);
  const rows = JSON.parse(stdout) as object[];
  expect(rows.length).toBeGreaterThan(5);
  for (const row of rows) {
    expect(Object.keys(row)).toEqual(
      expect.arrayContaining(['name', 'n', 'medianMs', 'p99Ms', 'ratioToFloor']),
    );
  }
}, 600_000);
