import { describe, expect, test } from 'vitest';
import { Fault } from '../../../shared/fault.ts';
import { take } from '../../../shared/switch/switch-vip.ts';
import { durationMs, epochMs, plus } from '../../../shared/time.ts';
import { ATTEMPT_MAX, isLive, LEASE_TTL, type Lease, mayStart, SKEW } from '../../../shared/vip/lease.ts';
import { windowOf } from '../../../shared/vip/liveness.ts';
import { nodeStateFrom } from '../../../shared/vip/node-state.ts';
import type { ClaimWrite, ClaimWriteResult } from '../../../shared/vip/store.ts';
import type { Vip } from '../../../shared/vip/vip.ts';
import { AFTER_LEASE, claimOf, item, START, says, type World, world } from '../../support/world.ts';

const cause = { kind: 'claim', why: 'test', atMs: START } as const;
const lease: Lease = { holder: 'nonce-x', epoch: 7, expiresAtMs: AFTER_LEASE, cause };
const shifted = (ms: number) => plus(AFTER_LEASE, durationMs(ms));

describe('a lease', () => {
  test('is live strictly before it expires by everybody’s clock; at that instant the next holder may take it', () => {
    expect(isLive(lease, shifted(SKEW - 1))).toBe(true);
    expect(isLive(lease, shifted(SKEW))).toBe(false);
    expect(isLive(undefined, START)).toBe(false);
  });

  test('an attempt starts only while all of it surely fits: strictly before R and twice the skew from the end', () => {
    const margin = ATTEMPT_MAX + 2 * SKEW;
    expect(mayStart(lease.expiresAtMs, shifted(-margin - 1))).toBe(true);
    expect(mayStart(lease.expiresAtMs, shifted(-margin))).toBe(false);
  });

  test('what the last attempt may still do ends before the next holder begins, by either clock', () => {
    const latestStart = AFTER_LEASE - ATTEMPT_MAX - 2 * SKEW - 1;
    const itsEndByAFastClock = latestStart + ATTEMPT_MAX + SKEW;
    expect(itsEndByAFastClock).toBeLessThan(AFTER_LEASE + SKEW);
  });
});

const telling = (node: string, atMs: number, holder: string): ClaimWrite => {
  const claim = claimOf(node, { atMs });
  const asked = { holder, expiresAtMs: plus(epochMs(START + atMs), LEASE_TTL), cause };
  const nodeState = nodeStateFrom(claim, epochMs(START + atMs));
  return { vip: 'web', node, nodeState, window: windowOf(claim.timeMs), as: 'news', lease: asked };
};
const tell = (w: World, node: string, atMs: number, holder: string): Promise<ClaimWriteResult> =>
  w.vips.recordClaim(telling(node, atMs, holder), epochMs(START + atMs));

describe('taking it', () => {
  test('refuses a live lease a millisecond before its end, and grants it at the end', async () => {
    const w = world();
    await tell(w, 'i-a', 0, 'first');
    const end = LEASE_TTL + SKEW;
    expect((await tell(w, 'i-b', end - 1, 'second')).answer).toBe('refused');
    expect((await tell(w, 'i-b', end, 'second')).answer).toBe('recorded');
    expect(item(w).lease).toMatchObject({ holder: 'second', epoch: 2 });
  });

  test('a dead lease that is taken over leaves its epoch open, to be closed in the record', async () => {
    const w = world();
    await tell(w, 'i-a', 0, 'first');
    await tell(w, 'i-b', LEASE_TTL + SKEW, 'second');
    expect(Object.entries(item(w).open).map(([holder, open]) => [holder, open.epoch])).toEqual([
      ['first', 1],
      ['second', 2],
    ]);
  });

  test('refuses the same event delivered again: the holder is a nonce per acquire', async () => {
    const w = world();
    await tell(w, 'i-a', 0, 'first delivery');
    const again = await tell(w, 'i-a', 0, 'second delivery');
    expect(again.answer).toBe('refused');
    expect(again.vip?.lease?.holder).toBe('first delivery');
  });

  test('the refused learns the holder in the same round trip', async () => {
    const w = world();
    await tell(w, 'i-a', 0, 'first');
    expect((await tell(w, 'i-b', 1, 'second')).vip?.lease?.holder).toBe('first');
  });

  test('is one step with the look: of two takers that read the same item one gets it', async () => {
    const w = world();
    const read = item(w);
    const taken = await Promise.all([take(w.ports, read, read, cause), take(w.ports, read, read, cause)]);
    expect(taken.filter((vip) => vip !== undefined)).toHaveLength(1);
    expect(item(w).epoch).toBe(1);
  });

  test('a take whose reply was lost is settled by a read: granted to itself, not to the one that came first', async () => {
    const w = world();
    const lost = { ...w.ports, vips: { ...w.vips, write: lose(w) } };
    const taken = await take(lost, item(w), item(w), cause);
    expect(taken?.lease?.holder).toBe('nonce-1');
    expect(await take(lost, item(w), item(w), cause)).toBeUndefined();
  });

  test('a take that was never carried out, its reply lost, is none; nor is one of an item that is gone', async () => {
    const w = world();
    const write = () => Promise.reject(new Fault('unknown', 'TimeoutError', 'socket hang up'));
    const ports = { ...w.ports, vips: { ...w.vips, write } };
    expect(await take(ports, item(w), item(w), cause)).toBeUndefined();
    const was = item(w);
    w.vips.items.delete('web');
    expect(await take(ports, was, was, cause)).toBeUndefined();
  });

  test('no one takes the lease of a VIP that left the registry', async () => {
    const w = world();
    const removed = { ...item(w), removedAtMs: START };
    w.vips.items.set('web', removed);
    expect(await take(w.ports, removed, removed, cause)).toBeUndefined();
    expect(item(w)).toBe(removed);
  });
});

/** Carries the write out and loses its reply. */
const lose = (w: World) => async (before: Parameters<typeof w.vips.write>[0], after: Vip) => {
  await w.vips.write(before, after);
  throw new Fault('unknown', 'TimeoutError', 'socket hang up');
};

describe('the epoch', () => {
  test('only rises, over releases as well: the item is kept', async () => {
    const w = world();
    const epochs: number[] = [];
    for (const node of ['i-a', 'i-b', 'i-a', 'i-b']) {
      await w.clock.advance(durationMs(5000));
      await says(w, node);
      epochs.push(item(w).epoch);
    }
    expect(epochs).toEqual([1, 2, 3, 4]);
    expect(item(w).lease).toBeUndefined();
  });
});
