// Drains at work: who moves the VIP, under which cause, behind whom in EC2's budget; and what is said where it stays.
import { describe, expect, it } from 'vitest';
import { assess } from '../../../shared/controller/assess.ts';
import { drainCause, goesWithTheVip, outlookOf, staysText } from '../../../shared/controller/drained.ts';
import { statusOf } from '../../../shared/controller/status/status.ts';
import { operatorsReasons } from '../../../shared/forced-failover/preflight.ts';
import { memorySharedBucket } from '../../../shared/memory/shared-bucket.ts';
import { callQueueFor } from '../../../shared/rate-limit/call-queue.ts';
import { localBucket } from '../../../shared/rate-limit/local-bucket.ts';
import { durationMs, epochMs, hours, plus, seconds } from '../../../shared/time.ts';
import { nodeStateFrom } from '../../../shared/vip/node-state.ts';
import type { Vip } from '../../../shared/vip/vip.ts';
import { newVip, withDrain } from '../../../shared/vip/vip.ts';
import {
  claimOf,
  entry,
  item,
  memberOf,
  owned,
  reconciles,
  START,
  says,
  type World,
} from '../../support/world.ts';

const drain = { untilMs: plus(START, hours(4)), by: 'ann', reason: 'kernel' };
const SAID = 'i-a is drained until 2026-11-22T18:00:00.000Z by ann: kernel';

/** Node a is master and owns the VIP, b stands by; a is drained. */
async function drained(over: Partial<Vip> = {}): Promise<World> {
  const w = await owned();
  await says(w, 'i-b', { state: 'BACKUP', priority: 90 });
  w.vips.items.set('web', { ...withDrain(item(w), 'i-a', drain), hold: 'both', ...over });
  return w;
}

describe('a drained owner', () => {
  it('loses the VIP by its own next assertion, which takes the lease under the drain as the cause', async () => {
    const w = await drained();
    await says(w, 'i-a', { kind: 'assertion', sinceMs: 0 });
    expect(item(w)).toMatchObject({ owner: 'i-b' });
    const told = w.timeline.entries.findLast((entry) => entry.entry === 'outcome');
    expect(told).toMatchObject({
      ...{ from: 'i-a', to: 'i-b', outcome: 'switched', reason: { key: 'drained' } },
      cause: { kind: 'order', node: 'i-b', by: 'ann', why: SAID },
    });
  });

  it('loses it by reconcile, whose cause names the drain', async () => {
    const w = await drained();
    expect(assess(item(w), await w.ec2.observe(item(w)), START).take).toBe(SAID);
  });

  it('is no cause where another thing moves the VIP', async () => {
    const w = await drained();
    expect(drainCause(item(w), START)).toMatchObject({ why: SAID });
    expect(drainCause({ ...item(w), owner: 'i-b' }, START)).toBeUndefined();
    expect(drainCause(item(w), drain.untilMs)).toBeUndefined();
  });
});

describe('in EC2’s budget', () => {
  const reserves = async (over: Partial<Vip>) => {
    const w = await drained();
    const bucket = memorySharedBucket();
    callQueueFor(
      { clock: w.clock, localBucket: localBucket(), sharedBucket: bucket },
      { ...item(w), tablesSeen: 4, ...over },
    );
    await w.clock.advance(durationMs(10));
    return bucket.buckets.size > 0;
  };

  it('a move for a drain goes behind the claims of all others, and reserves nothing', async () => {
    expect(await reserves({})).toBe(false);
    expect(await reserves({ drains: {} })).toBe(true);
  });

  it('a move from a drained owner that does not serve any more is as urgent as any', async () => {
    const w = await drained();
    const gone = { ...item(w).claims['i-a']!, state: 'FAULT' as const };
    expect(await reserves({ claims: { ...item(w).claims, 'i-a': gone } })).toBe(true);
  });
});

describe('what a drain means for a VIP', () => {
  it.each<readonly [string, Partial<Vip>, object, RegExp | undefined]>([
    ['moves', {}, { key: 'moves', to: 'i-b' }, undefined],
    ['is elsewhere already', { owner: 'i-b' }, { key: 'clear' }, undefined],
    [
      'has to be moved by keepalived with hold master',
      { hold: 'master' },
      { key: 'demotes', to: 'i-b' },
      /keepalived’s master is there; a failover to i-b moves it$/,
    ],
    [
      'would go to another drained node',
      { hold: 'master', drains: { 'i-a': drain, 'i-b': drain } },
      { key: 'next-drained', next: 'i-b' },
      /keepalived would elect i-b, which is drained too$/,
    ],
    [
      'is frozen',
      { freeze: drain },
      { key: 'frozen' },
      /it is frozen, so nothing moves before it is unfrozen$/,
    ],
  ])('%s', async (_what, over, outlook, text) => {
    const vip = item(await drained(over));
    expect(outlookOf(vip, START)).toEqual(outlook);
    const stays = staysText(vip, START);
    if (text === undefined) expect(stays).toBeUndefined();
    else expect(stays).toMatch(text);
  });

  it('has to be moved to the standby that keepalived would elect: of those that stay the highest priority, then the lower id', () => {
    const says = (state: 'MASTER' | 'BACKUP', priority: number, over: object = {}) => ({
      ...nodeStateFrom(claimOf('i-x', { state, priority }), START),
      ...over,
    });
    const to = (claims: Vip['claims']) => {
      const members = Object.fromEntries(Object.keys(claims).map((node) => [node, memberOf(node)]));
      const vip: Vip = { ...newVip(entry), hold: 'master', owner: 'i-a', members, claims };
      return outlookOf(withDrain(vip, 'i-a', drain), START);
    };
    const [a, low, high] = [says('MASTER', 200), says('BACKUP', 50), says('BACKUP', 90)];
    expect(to({ 'i-a': a, 'i-b': low, 'i-c': high })).toEqual({ key: 'demotes', to: 'i-c' });
    for (const claims of [
      { 'i-a': a, 'i-c': high, 'i-b': high },
      { 'i-b': high, 'i-c': high, 'i-a': a },
    ])
      expect(to(claims)).toEqual({ key: 'demotes', to: 'i-b' });
    const leaves = says('BACKUP', 90, { leaving: 'spot-stop' });
    expect(to({ 'i-a': a, 'i-b': low, 'i-c': leaves })).toEqual({ key: 'demotes', to: 'i-b' });
  });

  it('stays with the last that can have it, and reconcile reports that as trouble', async () => {
    const w = await drained();
    await w.clock.advance(seconds(5));
    await says(w, 'i-b', { state: 'FAULT' });
    expect(outlookOf(item(w), START)).toEqual({ key: 'last' });
    const found = await reconciles(w);
    expect(found.trouble).toContain(`${SAID}, and keeps the VIP: no other node is eligible`);
    expect(item(w).owner).toBe('i-a');
  });
});

it('reconcile takes out a drain that has ended, and no other', async () => {
  const w = await drained({ drains: { 'i-a': drain, 'i-b': { ...drain, untilMs: START } } });
  await reconciles(w);
  expect(Object.keys(item(w).drains!)).toEqual(['i-a']);
});

it('status shows the drain at its node', async () => {
  const w = await drained();
  const seen = await w.ec2.observe(item(w));
  expect(statusOf(item(w), seen, START).claims.map((claim) => claim.drained)).toEqual([drain, undefined]);
  const moved = statusOf({ ...item(w), owner: 'i-b' }, seen, START);
  expect(moved.standbys).toMatchObject([{ node: 'i-a', ready: false }]);
  expect(moved.standbys[0]!.why).toContain('is drained until 2026-11-22T18:00:00.000Z');
  const stays = statusOf({ ...item(w), hold: 'master' }, seen, START);
  expect(stays.reasons).toEqual([expect.stringMatching(`^${SAID}, and keeps the VIP: keepalived’s master`)]);
});

it('no order takes a VIP to a drained node', async () => {
  const w = await drained();
  const order = {
    vip: 'web',
    to: 'i-a',
    mode: 'routes-only',
    reason: 'x',
    by: 'bob',
    dryRun: false,
  } as const;
  const full = { ...order, approval: false, pinMinutes: 60, claimWaitSeconds: 30 };
  expect(operatorsReasons(item(w), full, START)).toEqual([SAID]);
  expect(operatorsReasons(item(w), { ...full, to: 'i-b' }, START)).toEqual([]);
});

describe('an owner that is about to go', () => {
  const word = (node: string, leaving: Partial<{ leaving: string }> = {}) => ({
    ...nodeStateFrom(claimOf(node), START),
    ...leaving,
  });
  const vip: Vip = {
    ...newVip(entry),
    ...{ owner: 'i-a', hold: 'both', members: { 'i-a': memberOf('i-a'), 'i-b': memberOf('i-b') } },
    claims: { 'i-a': word('i-a', { leaving: 'spot-stop' }), 'i-b': { ...word('i-b'), state: 'BACKUP' } },
  };
  const freeze = { untilMs: epochMs(START + 1000), by: 'ann', reason: 'change' };

  it('under a freeze: with the command that ends the freeze', () => {
    expect(goesWithTheVip({ ...vip, freeze }, START)).toBe(
      `i-a is about to go (spot-stop), and the VIP is frozen: run vipshift unfreeze ${vip.name}`,
    );
  });

  it('is the last: as that', () => {
    const alone = { ...vip, members: { 'i-a': memberOf('i-a') } };
    expect(goesWithTheVip(alone, START)).toContain('keeps the VIP: no other node is eligible');
  });

  it('says nothing where the VIP moves, and where it stays itself', () => {
    expect(goesWithTheVip(vip, START)).toBeUndefined();
    expect(goesWithTheVip({ ...vip, claims: { 'i-a': word('i-a') }, freeze }, START)).toBeUndefined();
  });
});
