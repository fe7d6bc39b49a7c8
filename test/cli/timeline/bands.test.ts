// What lasts out of records of instants: owners, pins and freezes.
import { describe, expect, test } from 'vitest';
import { ownerBands, spanOf, standing } from '../../../cli/timeline/bands.ts';
import { epochMs } from '../../../shared/time.ts';
import type { OperatorAction } from '../../../shared/timeline/operator-action.ts';
import { failoverOf } from './records.ts';

const window = { sinceMs: epochMs(0), untilMs: epochMs(1000) };
const failover = (
  epoch: number,
  atMs: number,
  [from, to]: readonly [string | undefined, string],
  more: object = {},
) => {
  const { from: _from, ...rest } = failoverOf(epoch, { atMs: epochMs(atMs), to, ...more });
  return from === undefined ? rest : { ...rest, from };
};
const bandsOf = (...failovers: Parameters<typeof ownerBands>[0]) =>
  ownerBands(failovers, window).map(({ sinceMs, untilMs, node }) => [sinceMs, untilMs, node]);

describe('the owners of a VIP', () => {
  test('follow each other without a gap, the first one from what the first failover found', () => {
    expect(bandsOf(failover(2, 600, ['a', 'b']), failover(1, 200, [undefined, 'a']))).toEqual([
      [0, 200, undefined],
      [200, 600, 'a'],
      [600, 1000, 'b'],
    ]);
  });
  test('do not change with a failover that was not committed, or that found the owner there', () => {
    const bands = bandsOf(
      failover(1, 200, ['a', 'b'], { outcome: 'failed' }),
      failover(2, 300, ['a', 'a']),
      failover(3, 400, ['a', 'b'], { outcome: 'superseded' }),
    );
    expect(bands).toEqual([[0, 1000, 'a']]);
  });
  test('are not known without a failover', () => expect(bandsOf()).toEqual([]));
});

const order = (
  kind: OperatorAction['order'],
  atMs: number,
  more: Partial<OperatorAction> = {},
): OperatorAction => ({
  ...{ entry: 'order', vip: 'web', id: `${kind}/${atMs}`, order: kind, by: 'alice', reason: 'x' },
  atMs: epochMs(atMs),
  ...more,
});
const standingOf = (...orders: readonly OperatorAction[]) =>
  standing(orders, window).map(({ kind, sinceMs, untilMs }) => [kind, sinceMs, untilMs]);

describe('a pin or a freeze', () => {
  test('ends by itself, with the period, by its end ordered before, or by another of its kind', () => {
    const until = (ms: number) => ({ untilMs: epochMs(ms) });
    expect(standingOf(order('pin', 100, until(300)))).toEqual([['pin', 100, 300]]);
    expect(standingOf(order('freeze', 100, until(9000)))).toEqual([['freeze', 100, 1000]]);
    expect(standingOf(order('unpin', 200), order('pin', 100, until(300)))).toEqual([['pin', 100, 200]]);
    expect(standingOf(order('thaw', 200), order('pin', 100, until(300)))).toEqual([['pin', 100, 300]]);
    expect(standingOf(order('break-glass', 200, until(400)), order('pin', 100, until(300)))).toEqual([
      ['pin', 100, 200],
      ['pin', 200, 400],
    ]);
  });
  test('that was not carried out never stood', () => {
    const pin = order('pin', 100, { untilMs: epochMs(300) });
    expect(standingOf(pin, order('not-carried-out', 101, { of: pin.id }))).toEqual([]);
  });
});

test('a chart spans its records and a little more, within the period', () => {
  expect(spanOf([epochMs(500), epochMs(600)], window)).toEqual({ sinceMs: 496, untilMs: 604 });
  expect(spanOf([epochMs(10), epochMs(990)], window)).toEqual({ sinceMs: 0, untilMs: 1000 });
  const { sinceMs, untilMs } = spanOf([epochMs(500)], window);
  expect(untilMs).toBeGreaterThan(sinceMs);
});
