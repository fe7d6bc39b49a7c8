// The parts of `npm run lab -- two-ways`: how long the bus takes, and by which way a claim won.
import { expect, test } from 'vitest';
import { percentile } from '../../../lab/netns/scenario/report.ts';
import { BUS_MEDIAN_MS, BUS_P99_MS, busDelayMs } from '../../../lab/two-ways/bus-delay.ts';
import { bounded, type TwoWaysRun, wayOf } from '../../../lab/two-ways/two-ways.ts';

test('the delays of the bus have the median and the 99th percentile that were measured', () => {
  const delays = Array.from({ length: 20_000 }, (_, nth) => busDelayMs(7, nth));
  expect(percentile(delays, 50) / BUS_MEDIAN_MS).toBeCloseTo(1, 1);
  expect(percentile(delays, 99) / BUS_P99_MS).toBeCloseTo(1, 1);
  expect(Math.min(...delays)).toBeGreaterThan(0);
});

test('a seed gives the same delays again, and another one others', () => {
  const of = (seed: number) => Array.from({ length: 10 }, (_, nth) => busDelayMs(seed, nth));
  expect(of(1)).toEqual(of(1));
  expect(of(1)).not.toEqual(of(2));
});

test('the way is the one that the record has as the first stage of the claim', () => {
  const by = (key: 'bus-accepted' | 'direct-accepted') =>
    wayOf({
      timeline: {
        ...{ epoch: 1, outcome: 'switched' },
        stages: [{ key, stage: '', afterMs: -5 }],
      },
    });
  expect([by('bus-accepted'), by('direct-accepted')]).toEqual(['bus', 'direct']);
  expect(wayOf({ timeline: undefined })).toBeUndefined();
});

test('a run breaks where the VIP moved later than a lease and a second after the kill', () => {
  const run = { kind: 'carrier', verdict: 'held', tooLong: [] } as unknown as TwoWaysRun;
  const of = (over: Partial<TwoWaysRun>) => bounded({ ...run, ...over });
  const late = { killedAt: 'ReplaceRoute', movedMs: 11_001 };
  expect(of(late)).toMatchObject({
    verdict: 'broken',
    tooLong: ['moved 11001 ms after the kill, expected 11000 ms or less'],
  });
  for (const over of [{ ...late, movedMs: 11_000 }, { killedAt: 'PutItem' }, { movedMs: 60_000 }])
    expect(of(over)).toMatchObject({ verdict: 'held', tooLong: [] });
});
