// Two words of one node by two clocks, at the edges of what both clocks may do.
import { describe, expect, test } from 'vitest';
import {
  bySending,
  clocksDisagree,
  contradiction,
  DRIFT_MAX,
  ORDER_DOUBT,
  othersEndBy,
  type Sending,
  UNDER_WAY_MAX,
} from '../../../shared/vip/boot-clock.ts';

/** The first word of a boot that has been up for an hour. */
const STAMP = 1_700_000_000_000;
const UP = 3_600_000;
const word = (stampMs: number, upMs: number, bootId = 'boot'): Sending => ({
  ...{ bootId, stampMs, upMs, bootAtMs: stampMs - upMs },
});
const first = word(STAMP, UP);
const next = (passedMs: number, ranMs: number): Sending => word(STAMP + passedMs, UP + ranMs);
const both = (a: Sending, b: Sending) => [contradiction(a, b), contradiction(b, a)];

describe('of two words of one boot', () => {
  test.each([
    ['the clock stood still for as long as two requests may cross', next(ORDER_DOUBT, 0), undefined],
    ['the clock stood still for longer', next(ORDER_DOUBT + 1, 0), 'clock-ran-back'],
    ['the clock went on by a millisecond: the host was paused', next(ORDER_DOUBT + 1, 1), undefined],
    ['the clock ran back', next(60_000, -1), 'clock-ran-back'],
    ['both were stamped in one second', next(0, 60_000), undefined],
    ['the clock ran ahead as far as a word may be under way', next(0, UNDER_WAY_MAX), undefined],
    ['the clock ran ahead further', next(0, UNDER_WAY_MAX + 1), 'clock-ran-ahead'],
    [
      'the clock ran ahead by what drift and way allow',
      next(1_000_000, 1_000_000 * (1 + DRIFT_MAX) + UNDER_WAY_MAX),
      undefined,
    ],
    [
      'the clock ran ahead by more than that',
      next(1_000_000, 1_000_000 * (1 + DRIFT_MAX) + UNDER_WAY_MAX + 1),
      'clock-ran-ahead',
    ],
  ])('in either order: %s', (_what, second, found) => {
    expect(both(first, second)).toEqual([found, found]);
    expect([clocksDisagree(first, second), clocksDisagree(second, first)]).toEqual(
      Array(2).fill(found !== undefined),
    );
  });

  test('the one with more uptime was sent later, where the clocks agree; else the one with the later stamp', () => {
    expect([bySending(first, next(0, 60_000)), bySending(next(0, 60_000), first)]).toEqual([-60_000, 60_000]);
    expect(bySending(first, next(60_000, 50_000))).toBe(-50_000);
    expect([bySending(first, next(60_000, -1)), bySending(next(60_000, -1), first)]).toEqual([
      -60_000, 60_000,
    ]);
  });
});

describe('of two boots', () => {
  /** Booted when the first word's stamp was so old. */
  const booted = (afterMs: number, upMs: number) => word(STAMP + afterMs + upMs, upMs, 'other');

  test('the one that spoke last was not up while the other one spoke, give or take what two requests may cross', () => {
    expect(both(first, booted(0 - ORDER_DOUBT, ORDER_DOUBT + 1000))).toEqual([undefined, undefined]);
    expect(both(first, booted(0 - ORDER_DOUBT - 4, ORDER_DOUBT + 1000))).toEqual(
      Array(2).fill('two-boots-at-once'),
    );
  });

  test('the other one’s words end by its boot, with the drift of its clock since, in whole milliseconds', () => {
    expect(othersEndBy(word(STAMP, UP))).toBe(STAMP - UP + ORDER_DOUBT + 1800);
    expect(othersEndBy(word(STAMP, 3))).toBe(STAMP - 3 + ORDER_DOUBT);
  });

  test('the later stamp was sent later; of one second the later boot, and of one instant always the same one', () => {
    const [a, b] = [word(STAMP, 1000, 'a'), word(STAMP, 1000, 'b')];
    expect([bySending(a, b), bySending(b, a)]).toEqual([-1, 1]);
    expect(bySending(word(STAMP, 1000, 'a'), word(STAMP, 400, 'b'))).toBe(-600);
    expect(bySending(word(STAMP + 2000, 9000, 'a'), word(STAMP, 400, 'b'))).toBe(2000);
  });
});
