import { describe, expect, test } from 'vitest';
import { Fault } from '../../../shared/fault.ts';
import type { Observation } from '../../../shared/network/observation.ts';
import { VIEW_AGE_MAX } from '../../../shared/network/view-cache.ts';
import { heldLease } from '../../../shared/switch/held-lease.ts';
import { type EpochPorts, type EpochResult, runEpoch } from '../../../shared/switch/run-epoch.ts';
import { durationMs, hours, minus, plus } from '../../../shared/time.ts';
import type { Intent } from '../../../shared/timeline/timeline.ts';
import { OBSERVE_TIMEOUT, STALE_READ } from '../../../shared/vip/lease.ts';
import { nodeStateFrom } from '../../../shared/vip/node-state.ts';
import type { Vip } from '../../../shared/vip/vip.ts';
import {
  ACCOUNT,
  claimOf,
  finish,
  item,
  memberOf,
  outcomesOf,
  routeTo,
  START,
  targets,
  V4,
  type World,
  world,
} from '../../support/world.ts';

const A = memberOf('i-a');
const cause = { kind: 'claim', node: 'i-a', why: 'i-a said MASTER', atMs: START } as const;

/** Node a is elected and epoch 7 is held for it. */
function held(over: Partial<Vip> = {}): World {
  const w = world();
  const lease = { holder: 'me', epoch: 7, expiresAtMs: plus(START, hours(1)), cause };
  const claims = { 'i-a': nodeStateFrom(claimOf('i-a'), START) };
  const open = { me: { epoch: 7, cause } };
  w.vips.items.set('web', { ...item(w), epoch: 7, lease, open, claims, ...over });
  return w;
}

interface Ways {
  readonly observing?: Promise<Observation>;
  readonly tools?: (w: World) => Partial<EpochPorts>;
}
const holds = (w: World, { observing, tools }: Ways = {}): Promise<EpochResult> => {
  const vip = item(w);
  const mine = heldLease('web', vip.lease!, w.vips, w.ports);
  const all = { ...w.ports, ...tools?.(w) };
  return finish(w, runEpoch({ ports: all, heldLease: mine, vip }, observing ?? w.ec2.observe(vip), []));
};

const never = new Promise<never>(() => undefined);
const stagesOf = ({ failover }: EpochResult) => failover.stages.map((s) => s.stage);

describe('one lease', () => {
  test('elects, plans, carries out, reads back and records one outcome under its epoch and cause', async () => {
    const w = held();
    const done = await holds(w);
    expect(targets(w)).toEqual([A.eni]);
    expect(done).toMatchObject({ recorded: true, committable: true, target: A, closedHolders: ['me'] });
    expect(done.failover).toMatchObject({
      epoch: 7,
      cause,
      outcome: 'switched',
      to: 'i-a',
      why: 'newest MASTER is i-a',
      verified: true,
      notes: [],
    });
    const stages = 'described, first mutation sent, last mutation accepted, read back';
    expect(stagesOf(done).join(', ')).toBe(stages);
    expect(outcomesOf(w)).toEqual([done.failover]);
  });

  test('the intent stands in the record with every step, also of those that fail', async () => {
    const w = held();
    const denied = async () => {
      throw new Fault('denied', 'UnauthorizedOperation', 'not yours');
    };
    const done = await holds(w, { tools: () => ({ ec2: { ...w.ec2, apply: denied } }) });
    const intent = w.timeline.entries[0] as Intent;
    expect(intent).toMatchObject({ entry: 'intent', epoch: 7, cause, to: 'i-a' });
    expect(intent.steps).toHaveLength(9);
    expect(done).toMatchObject({ committable: false, failover: { outcome: 'failed' } });
  });

  test('an intent that cannot be written prevents nothing, and the outcome reports it', async () => {
    const w = held();
    const put: World['timeline']['put'] = (entry) =>
      entry.entry === 'intent' ? Promise.reject(new Error('table gone')) : w.timeline.put(entry);
    const done = await holds(w, { tools: () => ({ timeline: { ...w.timeline, put } }) });
    expect(done.failover.outcome).toBe('switched');
    expect(done.failover.notes).toEqual(['the intent could not be recorded: table gone']);
  });

  test('an outcome that cannot be written is told, after bounded tries: then nothing may be released', async () => {
    const w = held();
    let tries = 0;
    const put: World['timeline']['put'] = (entry) => {
      if (entry.entry === 'intent') return w.timeline.put(entry);
      tries += 1;
      return Promise.reject(new Error('table gone'));
    };
    const done = await holds(w, { tools: () => ({ timeline: { ...w.timeline, put } }) });
    expect([done.recorded, tries]).toEqual([false, 3]);
  });

  test('with nothing to do it sends nothing, writes no intent and says unchanged', async () => {
    const w = held();
    await holds(w);
    await w.clock.advance(STALE_READ);
    const effects = w.ec2.effects.length;
    w.vips.items.set('web', { ...item(w), lease: { ...item(w).lease!, epoch: 8 } });
    const again = await holds(w);
    const nothing = { steps: [], conflicts: [], notes: [] };
    expect(again.failover).toMatchObject({ outcome: 'unchanged', verified: true, ...nothing });
    expect(again.bugs).toEqual([]);
    expect(w.ec2.effects).toHaveLength(effects);
    expect(w.timeline.entries.filter((e) => e.entry === 'intent')).toHaveLength(1);
  });
});

describe('what may not be trusted', () => {
  const cells = 9;

  test('an observation that began less than STALE_READ after the last mutations: every cell is set again', async () => {
    for (const [ms, steps] of [
      [STALE_READ - 1, cells],
      [STALE_READ, 0],
    ] as const) {
      const w = held();
      await holds(w);
      w.vips.items.set('web', {
        ...item(w),
        lease: { ...item(w).lease!, epoch: 8 },
        touchedAtMs: minus(w.clock.now(), durationMs(ms)),
      });
      expect([ms, (await holds(w)).failover.steps.length]).toEqual([ms, steps]);
    }
  });

  test('anything, while another holder’s epoch is open: it may still be sending', async () => {
    const w = held();
    await holds(w);
    const lease = { ...item(w).lease!, epoch: 8 };
    w.vips.items.set('web', {
      ...item(w),
      lease,
      open: { other: { epoch: 3, cause }, me: { epoch: 8, cause } },
    });
    const done = await holds(w);
    expect(done.failover.steps).toHaveLength(cells);
    expect(done.closedHolders).toEqual(['other', 'me']);
  });

  test('an epoch that another left open is closed as abandoned, with what is found now', async () => {
    const w = held({ open: { other: { epoch: 3, cause }, me: { epoch: 7, cause } } });
    routeTo(w, 'rtb-1', V4, { target: 'eni-i-b-service' });
    await holds(w);
    const left = outcomesOf(w).find((o) => o.epoch === 3);
    expect(left).toMatchObject({ outcome: 'abandoned', holder: 'other', steps: [], verified: false });
    expect(left!.notes).toContain(`found rtb-1 ${V4} → eni-i-b-service`);
    expect(left!.notes).toContain(`found rtb-2 ${V4} → nothing`);
    expect(left!.notes).toContain('found eipalloc-1 → nothing');
  });

  test('an epoch that cannot be closed stays open for the next holder', async () => {
    const w = held({ open: { other: { epoch: 3, cause }, me: { epoch: 7, cause } } });
    const put: World['timeline']['put'] = (entry) =>
      entry.epoch === 3 ? Promise.reject(new Error('slow down')) : w.timeline.put(entry);
    const done = await holds(w, { tools: () => ({ timeline: { ...w.timeline, put } }) });
    expect(done).toMatchObject({ closedHolders: ['me'], recorded: true, failover: { outcome: 'switched' } });
  });
});

describe('describes that are slow or fail', () => {
  test('are waited for strictly less than OBSERVE_PATIENCE; then the stored view serves, and the record reports it', async () => {
    for (const [ms, source] of [
      [OBSERVE_TIMEOUT - 1, 'described'],
      [OBSERVE_TIMEOUT + 1, 'stored view taken'],
    ] as const) {
      const w = held();
      w.vips.views.set('web', await w.ec2.observe(item(w)));
      const observing = w.clock.wait(durationMs(ms)).then(() => w.ec2.observe(item(w)));
      const done = await holds(w, { observing });
      expect(stagesOf(done)[0]).toBe(source);
      expect(targets(w)).toEqual([A.eni]);
    }
  });

  test('the stored view sets every cell, since it is old', async () => {
    const w = held();
    await holds(w);
    w.vips.views.set('web', await w.ec2.observe(item(w)));
    await w.clock.advance(hours(1));
    const lease = { ...item(w).lease!, epoch: 8, expiresAtMs: plus(w.clock.now(), hours(1)) };
    w.vips.items.set('web', { ...item(w), lease });
    const done = await holds(w, { observing: never });
    expect(done.failover.steps).toHaveLength(9);
    expect(done.failover.notes).toEqual([
      'planned from the view stored 2026-11-22T14:00:00.000Z: the describes did not answer in time',
    ]);
  });

  test('a describe that fails at once takes the stored view without waiting', async () => {
    const w = held();
    w.vips.views.set('web', await w.ec2.observe(item(w)));
    const done = await holds(w, { observing: Promise.reject(new Error('throttled')) });
    expect(done.failover.outcome).toBe('switched');
    expect(w.clock.now()).toBe(START);
  });

  test('without a stored view they are waited for, however slow, and asked again a bounded number of times', async () => {
    const w = held();
    const slow = w.clock.wait(durationMs(5000)).then(() => w.ec2.observe(item(w)));
    expect((await holds(w, { observing: slow })).failover.outcome).toBe('switched');
    const failing = held();
    let looks = 0;
    const observe = () => {
      looks += 1;
      return Promise.reject(new Error('RequestLimitExceeded'));
    };
    const done = await holds(failing, {
      observing: observe(),
      tools: () => ({ ec2: { ...failing.ec2, observe } }),
    });
    expect(looks).toBe(3);
    const failed = { outcome: 'failed', notes: ['describe failed: RequestLimitExceeded'] };
    expect(done).toMatchObject({ committable: false, failover: failed });
    expect(stagesOf(done)).toEqual(['describe failed']);
    expect(failing.ec2.effects).toEqual([]);
  });

  test('a view that is too old is not planned from: the describes are asked again, and the record says why', async () => {
    for (const [ms, outcome] of [
      [VIEW_AGE_MAX, 'switched'],
      [VIEW_AGE_MAX + 1, 'failed'],
    ] as const) {
      const w = held();
      const view = await w.ec2.observe(item(w));
      w.vips.views.set('web', { ...view, endedAtMs: minus(w.clock.now(), durationMs(ms)) });
      let looks = 0;
      const observe = () => {
        looks += 1;
        return Promise.reject(new Error('RequestLimitExceeded'));
      };
      const tools = () => ({ ec2: { ...w.ec2, observe } });
      const { failover } = await holds(w, { observing: observe(), tools });
      expect(w.ec2.effects.length > 0).toBe(outcome === 'switched');
      if (outcome === 'failed')
        expect([looks, failover.notes]).toEqual([
          3,
          [
            'describe failed: RequestLimitExceeded; the stored view is of 2026-11-22T07:59:59.999Z, expected at most 6 h old',
          ],
        ]);
    }
  });

  test('a store that cannot give the view either is no reason to stop', async () => {
    const w = held();
    const view = () => Promise.reject(new Error('slow down'));
    const slow = w.clock.wait(durationMs(5000)).then(() => w.ec2.observe(item(w)));
    const done = await holds(w, { observing: slow, tools: () => ({ views: { ...w.vips, view } }) });
    expect(done.failover.outcome).toBe('switched');
  });
});

describe('orders and scope', () => {
  const order = { untilMs: plus(START, hours(1)), by: 'ops', reason: 'maintenance' };

  test('frozen: nothing moves, and the record says why', async () => {
    const w = held({ owner: 'i-b', freeze: order });
    const done = await holds(w);
    expect(w.ec2.effects).toEqual([]);
    expect(done).toMatchObject({
      committable: false,
      failover: { outcome: 'unchanged', why: 'frozen by order', conflicts: [], notes: [] },
    });
    expect(done.target).toBeUndefined();
  });

  test('without a candidate and without an owner nothing moves, and nothing has failed', async () => {
    const done = await holds(held({ claims: {} }));
    expect(done).toMatchObject({ committable: false, failover: { outcome: 'unchanged', notes: [] } });
    expect(done.failover).not.toHaveProperty('to');
  });

  test('a pin on an unfit node is suspended, and the record reports it', async () => {
    const w = held({ pin: { ...order, node: 'i-b' } });
    const done = await holds(w);
    expect(targets(w)).toEqual([A.eni]);
    expect(done.failover.notes).toEqual(['pin suspended: i-b never reported']);
  });

  test('an elected node that EC2 does not show is said, and the second best is never taken', async () => {
    const w = held({ owner: 'i-b' });
    w.ec2.enis.delete(A.eni);
    const done = await holds(w);
    expect(done.failover).toMatchObject({
      outcome: 'failed',
      to: 'i-a',
      notes: ['EC2 shows no labelled ENI of the elected node i-a'],
    });
    expect(w.ec2.effects).toEqual([]);
  });

  test('a labelled table of another VPC or account is left alone, and said', async () => {
    const w = held();
    const change = (table: string, over: object) =>
      w.ec2.tables.set(table, { ...w.ec2.tables.get(table)!, ...over });
    change('rtb-1', { vpc: 'vpc-2' });
    change('rtb-2', { account: `${ACCOUNT}9` });
    const before = [w.ec2.tables.get('rtb-1'), w.ec2.tables.get('rtb-2')];
    const done = await holds(w);
    expect(done.failover.notes).toEqual([
      'left alone: rtb-1 is in vpc-2, expected vpc-1',
      `left alone: rtb-2 belongs to account ${ACCOUNT}9, expected ${ACCOUNT}`,
    ]);
    expect([w.ec2.tables.get('rtb-1'), w.ec2.tables.get('rtb-2')]).toEqual(before);
    expect(done.failover.outcome).toBe('switched');
  });

  test('a cell left to a stranger makes the failover partial, and names it', async () => {
    const w = held();
    routeTo(w, 'rtb-1', V4, { target: 'tgw-1' });
    const done = await holds(w);
    expect(done.failover.outcome).toBe('partial');
    expect(done.failover.conflicts).toMatchObject([{ cell: `rtb-1 ${V4}`, found: 'tgw-1', kind: 'foreign' }]);
    expect(done.committable).toBe(true);
  });

  test('a source/destination check found on is switched off, and said', async () => {
    const w = held();
    w.ec2.enis.set(A.eni, { ...w.ec2.enis.get(A.eni)!, sourceDestCheck: true });
    const done = await holds(w);
    expect(w.ec2.enis.get(A.eni)!.sourceDestCheck).toBe(false);
    expect(done.failover.notes).toEqual([`source/destination check was on at ${A.eni}; switched off: done`]);
  });
});
