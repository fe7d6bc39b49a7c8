import { describe, expect, it } from 'vitest';
import { Fault } from '../../../shared/fault.ts';
import type { ExecutionState } from '../../../shared/forced-failover/execution.ts';
import type { FailoverOrder } from '../../../shared/forced-failover/order.ts';
import { operatorsReasons, preflight } from '../../../shared/forced-failover/preflight.ts';
import { type ForcedFailoverPorts, steps } from '../../../shared/forced-failover/steps.ts';
import { ROUTES_PER_TABLE } from '../../../shared/network/next-owner.ts';
import type { HostStates } from '../../../shared/network/observation.ts';
import { type Rates, rates } from '../../../shared/rate-limit/local-bucket.ts';
import { hours, plus } from '../../../shared/time.ts';
import { addTable, finish, item, START, says, world } from '../../support/world.ts';

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
    const small = { burst: 4, perSecond: 2 };
    expect(known({ ...rates, ReplaceRoute: small }), 'side by side, so the slowest decides').toBe(known());
    expect(known({ ...rates, CreateRoute: { burst: 112, perSecond: 20 }, ReplaceRoute: small })).toBe(2000);
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

describe('the node that a VIP is to go to', () => {
  const judge = async (hosts: HostStates | undefined) => {
    const w = await pair();
    const { reasons } = preflight(item(w), await w.ec2.observe(item(w)), order, {
      now: w.clock.now(),
      hosts,
    });
    return reasons;
  };

  it('has to run, as EC2 shows its instance; where EC2 does not tell, the order is not held up', async () => {
    expect(await judge(new Map([['i-b', 'running']]))).toEqual([]);
    expect(await judge(undefined)).toEqual([]);
    for (const state of ['pending', 'stopping', 'stopped', 'shutting-down', 'terminated'])
      expect(await judge(new Map([['i-b', state]]))).toEqual([
        `the instance i-b is ${state}, expected running`,
      ]);
    expect(await judge(new Map())).toEqual(['EC2 shows no instance i-b']);
  });

  it('is asked for in the workflow’s preflight, whose answer does not wait for an EC2 that is down', async () => {
    const w = await pair();
    const look = (ports: object) =>
      finish(
        w,
        steps.preflight({ ...w.ports, ...ports } as unknown as ForcedFailoverPorts, {
          story: { preflight: { order } } as ExecutionState,
          ...{ execution: 'x', stage: 'dev' },
        }),
      );
    w.ec2.halted.set('i-b', 'stopped');
    expect((await look({})).reasons).toEqual(['the instance i-b is stopped, expected running']);
    const hostState = () => Promise.reject(new Fault('denied', 'UnauthorizedOperation', 'no'));
    expect((await look({ ec2: { ...w.ec2, hostState } })).reasons).toEqual([]);
    const mistake = () => Promise.reject(new TypeError('ours'));
    await expect(look({ ec2: { ...w.ec2, hostState: mistake } })).rejects.toThrow('ours');
  });
});
