import { describe, expect, it } from 'vitest';
import type { FailoverOrder } from '../../../shared/forced-failover/order.ts';
import { operatorsReasons, preflight, ROUTES_PER_TABLE } from '../../../shared/forced-failover/preflight.ts';
import { type Rates, rates } from '../../../shared/rate-limit/local-bucket.ts';
import { hours, plus } from '../../../shared/time.ts';
import { addTable, item, START, says, world } from '../../support/world.ts';

const order: FailoverOrder = {
  ...{ vip: 'web', to: 'i-b', mode: 'routes-only', reason: 'patching', by: 'ann' },
  ...{ dryRun: false, approval: false, pinMinutes: 60, claimWaitSeconds: 30 },
};

/** Node a owns the VIP, b stands by. */
async function pair() {
  const w = world();
  await says(w, 'i-b', { state: 'BACKUP', sinceMs: -1000 });
  await says(w, 'i-a');
  return w;
}
const look = async (w: Awaited<ReturnType<typeof pair>>, over: Partial<FailoverOrder> = {}) =>
  preflight(item(w), await w.ec2.observe(item(w)), { ...order, ...over }, { now: w.clock.now() });

describe('preflight', () => {
  it('says how long EC2 takes at the least, by the buckets of the account: each action has its own', async () => {
    const w = await pair();
    for (let n = 5; n <= 60; n++) addTable(w.ec2, `rtb-${n}`, 'web');
    const seen = await w.ec2.observe(item(w));
    const known = (sizes?: Rates) => preflight(item(w), seen, order, { now: w.clock.now(), sizes }).atLeastMs;
    // 4 tables are replaced, 56 get two routes made: 112 calls, 49 of them at once.
    expect(known()).toBe(Math.round(((112 - 49) / 4.95) * 1000));
    expect(known({ ...rates, CreateRoute: { burst: 200, perSecond: 20 } })).toBe(0);
  });

  it('of a fit node tells the plan, and refuses nothing', async () => {
    const w = await pair();
    const found = await look(w);
    expect(found).toMatchObject({ outcome: 'fit', reasons: [], before: { owner: 'i-a' }, atLeastMs: 0 });
    expect(found.plan.map((s) => s.call)).toEqual(['AssociateAddress', ...Array(8).fill('ReplaceRoute')]);
  });

  it.each([
    [{ to: 'i-c' }, 'not fit: i-c is not a member'],
    [{ to: 'i-a' }, 'i-a is the owner already'],
    [{ pinMinutes: 0 }, 'routes-only without a pin: reconcile would follow keepalived back within a minute'],
  ])('refuses %j: %s', async (over, reason) => {
    expect((await look(await pair(), over)).reasons).toContain(reason);
  });

  it('names every reason at once, so that no one has to ask twice', async () => {
    const w = await pair();
    w.vips.items.set('web', {
      ...item(w),
      hold: 'master',
      freeze: { untilMs: plus(START, hours(1)), by: 'bob', reason: 'no' },
    });
    const { outcome, reasons } = await look(w, { to: 'i-c' });
    expect(outcome).toBe('refused');
    expect(reasons.map((r) => r.split(' ')[0])).toEqual(['frozen', 'hold', 'not', 'EC2']);
  });

  it('refuses a node that withdrew itself', async () => {
    const w = await pair();
    await says(w, 'i-b', { state: 'FAULT', sinceMs: 5000, atMs: 5000 });
    expect((await look(w)).reasons).toEqual(['not fit: the last report of i-b is FAULT']);
  });

  it('refuses a full table that lacks the route, and lets one pass that has it', async () => {
    const w = await pair();
    const seen = await w.ec2.observe(item(w));
    const full = (routes: object) => ({
      ...seen,
      tables: seen.tables.map((t, n) => (n === 0 ? { ...t, total: ROUTES_PER_TABLE, ...routes } : t)),
    });
    const judge = (observation: typeof seen) =>
      preflight(item(w), observation, order, { now: w.clock.now() }).reasons;
    expect(judge(full({}))).toEqual([]);
    expect(judge(full({ routes: {} }))).toEqual([
      `${seen.tables[0]!.table} has ${ROUTES_PER_TABLE} of ${ROUTES_PER_TABLE} routes and 2 are missing: no headroom`,
    ]);
  });

  it('does not stand in the way of the operator’s own pin', async () => {
    const w = await pair();
    const pin = { node: 'i-b', untilMs: plus(START, hours(1)), by: 'ann', reason: 'patching' };
    expect(operatorsReasons({ ...item(w), pin }, order, w.clock.now())).toEqual([]);
    expect(operatorsReasons({ ...item(w), pin: { ...pin, node: 'i-a' } }, order, w.clock.now())).toHaveLength(
      1,
    );
  });
});
