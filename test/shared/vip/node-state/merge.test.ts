// What stays of two words of one node where they tie, where one was sent late, and where EC2 said that it is gone.
import { describe, expect, test } from 'vitest';
import { epochMs } from '../../../../shared/time.ts';
import {
  contradicts,
  goneAt,
  isNewerTransition,
  merge,
  type NodeState,
  nodeStateFrom,
  withdrawn,
} from '../../../../shared/vip/node-state.ts';
import { claimOf, START, type Words } from '../../../support/world.ts';

const said = (words: Words = {}): NodeState => nodeStateFrom(claimOf('i-a', words), START);
const bothWays = (a: NodeState, b: NodeState): NodeState => {
  const is = merge(a, b);
  expect(merge(b, a)).toEqual(is);
  return is;
};

describe('of two words', () => {
  test('the later one gives the state, and the one that was sent later its clocks: a spool sends again', () => {
    const later = said({ kind: 'assertion', sinceMs: 0, atMs: 10_000 });
    const resent = said({
      kind: 'assertion',
      sinceMs: 0,
      atMs: 5000,
      priority: 7,
      over: { uptimeMs: 3_620_000, ageMs: 15_000, timeMs: epochMs(START + 20_000) },
    });
    expect(bothWays(later, resent)).toMatchObject({ seq: later.seq, priority: 100, upMs: resent.upMs });
  });

  test('one that was said at the very µs of the other’s transition is ordered by when they were sent', () => {
    const first = said({ atMs: 1000 });
    const second = { ...said({ atMs: 2000, sinceMs: 500 }), seq: first.since };
    expect([isNewerTransition(first, second), isNewerTransition(second, first)]).toEqual([false, true]);
  });

  test('neither contradicts the other where both were sent at once: no clock tells which came first', () => {
    const known = said({ sinceMs: 1000, atMs: 2000, kind: 'assertion' });
    const older = said({ sinceMs: 500, atMs: 2000, kind: 'assertion' });
    expect(contradicts(known, older)).toBeUndefined();
    expect(contradicts(known, { ...older, upMs: known.upMs + 1 })).toBe('transition-went-back');
  });
});

describe('an instance that is gone', () => {
  test('is so no earlier than a millisecond after it spoke last, whatever the hint is dated', () => {
    const last = said({ atMs: 8000 });
    const saidLast = last.bootAtMs + last.upMs;
    expect(goneAt(withdrawn(last, epochMs(saidLast - 5000)))).toBe(saidLast + 1);
    expect(goneAt(withdrawn(last, epochMs(saidLast + 5000)))).toBe(saidLast + 5000);
  });

  test('is not one that still says MASTER, nor one that said STOP itself', () => {
    const last = said();
    expect(goneAt({ ...last, seq: (last.upMs + 1) * 1000 })).toBeUndefined();
    expect(goneAt(said({ state: 'STOP' }))).toBeUndefined();
  });

  test('is gone since one instant, in whatever order two hints are merged: also where its clock had stood still', () => {
    const before = withdrawn(said({ atMs: 1000 }), epochMs(START + 30_000));
    const stood = said({
      kind: 'assertion',
      sinceMs: 1000,
      atMs: 2000,
      over: { timeMs: epochMs(START + 40_000) },
    });
    const after = withdrawn(stood, epochMs(START + 50_000));
    expect(after.seq).toBeLessThan(before.seq);
    expect(bothWays(before, after).state).toBe('STOP');
  });
});
