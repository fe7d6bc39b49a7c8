// What a claim's one write makes of an item, and where it is refused: the same for every store (test/contracts/vip-store.ts).
import { describe, expect, test } from 'vitest';
import { epochMs } from '../../../../shared/time.ts';
import { FLAPS_MIN, FLAPS_STORED_MAX, type Transition } from '../../../../shared/vip/flapping.ts';
import { windowOf } from '../../../../shared/vip/liveness.ts';
import { nodeStateFrom } from '../../../../shared/vip/node-state.ts';
import { afterClaimWrite, type ClaimWrite } from '../../../../shared/vip/store.ts';
import { newVip, type Vip } from '../../../../shared/vip/vip.ts';
import { claimOf, entry, memberOf, START, type Words } from '../../../support/world.ts';

const stored = (count: number): readonly Transition[] =>
  Array.from({ length: count }, (_, n) => ({ boot: 'boot-of-', since: n, atMs: epochMs(START - n) }));

const itemWith = (count: number): Vip => ({
  ...newVip(entry),
  members: { 'i-a': memberOf('i-a') },
  claims: { 'i-a': nodeStateFrom(claimOf('i-a'), START) },
  ...(count === 0 ? {} : { transitions: { 'i-a': stored(count) } }),
});

const write = (as: ClaimWrite['as'], words: Words, over: Partial<ClaimWrite> = {}): ClaimWrite => {
  const claim = claimOf('i-a', words);
  return {
    vip: 'web',
    node: 'i-a',
    nodeState: nodeStateFrom(claim, START),
    window: windowOf(claim.timeMs),
    as,
    ...over,
  };
};
const lease = {
  holder: 'h',
  expiresAtMs: epochMs(START + 10_000),
  cause: { kind: 'reconcile', id: 'r', why: 'test', atMs: START },
} as const;

describe('a new transition', () => {
  const next = { atMs: 1000 };
  test('is added up to the limit of what is stored, and refused at it', () => {
    expect(
      afterClaimWrite(itemWith(FLAPS_STORED_MAX - 1), write('news', next), START)?.transitions?.['i-a'],
    ).toHaveLength(FLAPS_STORED_MAX);
    expect(afterClaimWrite(itemWith(FLAPS_STORED_MAX), write('news', next), START)).toBeUndefined();
  });

  test('takes the lease only where it cannot be the one that damps the node', () => {
    const taken = (count: number) => afterClaimWrite(itemWith(count), write('news', next, { lease }), START);
    expect(taken(FLAPS_MIN - 2)?.lease).toMatchObject({ holder: 'h', epoch: 1 });
    expect(taken(FLAPS_MIN - 1)).toBeUndefined();
  });

  test('to another state than MASTER leaves no trace among the transitions', () => {
    const after = afterClaimWrite(itemWith(0), write('news', { ...next, state: 'BACKUP' }), START);
    expect(after?.rev).toBe(2);
    expect(after).not.toHaveProperty('transitions');
  });
});

describe('an assertion of what is known', () => {
  const again: Words = { kind: 'assertion', sinceMs: 0, atMs: 1000 };
  test('is recorded however many transitions are stored', () => {
    expect(afterClaimWrite(itemWith(FLAPS_STORED_MAX), write('refresh', again), START)?.rev).toBe(2);
  });

  test('adds no transition: what an order has taken out stays out', () => {
    expect(afterClaimWrite(itemWith(0), write('refresh', again), START)).not.toHaveProperty('transitions');
  });
});
