import { describe, expect, test } from 'vitest';
import { Fault } from '../../../shared/fault.ts';
import { memorySharedBucket } from '../../../shared/memory/shared-bucket.ts';
import { EPOCHS_MAX, type Ports, type Switched, switchVip, take } from '../../../shared/switch/switch-vip.ts';
import { durationMs, plus, seconds } from '../../../shared/time.ts';
import type { Failover } from '../../../shared/timeline/timeline.ts';
import type { Claim } from '../../../shared/vip/claim.ts';
import { UNKNOWN_LANDS_WITHIN } from '../../../shared/vip/lease.ts';
import { windowOf } from '../../../shared/vip/liveness.ts';
import { nodeStateFrom } from '../../../shared/vip/node-state.ts';
import type { Vip } from '../../../shared/vip/vip.ts';
import {
  claimOf,
  finish,
  item,
  memberOf,
  outcomesOf,
  reconciles,
  START,
  says,
  targets,
  type World,
  world,
} from '../../support/world.ts';

const A = memberOf('i-a');
const cause = { kind: 'order', why: 'test', atMs: START } as const;
const lost = (what: string) => new Fault('unknown', 'TimeoutError', `${what}: socket hang up`);

/** Records a claim behind everybody's back, as another invocation would. */
function record(w: World, claim: Claim): void {
  const nodeState = nodeStateFrom(claim, w.clock.now());
  const telling = {
    vip: 'web',
    node: claim.node,
    nodeState,
    window: windowOf(claim.timeMs),
    as: 'news',
  } as const;
  void w.vips.recordClaim(telling, w.clock.now());
}

/** Takes the lease for the elected node and switches. */
async function switches(w: World, over: Partial<Ports> = {}): Promise<Switched> {
  const ports = { ...w.ports, ...over };
  const taken = (await take(w.ports, item(w), item(w), cause))!;
  return finish(w, switchVip(ports, taken, w.ec2.observe(taken), []));
}

function elected(): World {
  const w = world();
  record(w, claimOf('i-a'));
  return w;
}

describe('a switch', () => {
  test('commits the owner, closes its epoch, frees the lease and announces the change once', async () => {
    const w = elected();
    const { failovers, faults, vip } = await switches(w);
    expect(faults).toEqual([]);
    expect(failovers).toMatchObject([{ epoch: 1, outcome: 'switched', to: 'i-a' }]);
    expect(vip).toMatchObject({ owner: 'i-a', wrote: [A.eni, A.eipEni], open: {}, touchedAtMs: START });
    expect(vip.lease).toBeUndefined();
    expect(item(w)).toEqual(vip);
    expect(w.published).toEqual(failovers);
  });

  test('that changes no owner is not announced', async () => {
    const w = elected();
    await switches(w);
    await w.clock.advance(seconds(10));
    const { failovers } = await switches(w);
    expect(failovers).toMatchObject([{ epoch: 2, outcome: 'unchanged' }]);
    expect(w.published).toHaveLength(1);
  });

  test('a bus that does not take the announcement hurts nothing: the fault is told', async () => {
    const w = elected();
    const bus = {
      finished: () => Promise.reject(new Fault('throttled', 'ThrottlingException', 'slow down')),
      failed: () => Promise.resolve(),
      flapping: () => Promise.resolve(),
      leaving: () => Promise.resolve(),
      warned: () => Promise.resolve(),
      forward: () => Promise.resolve(),
    };
    const { faults, vip } = await switches(w, { bus });
    expect(faults.map((f) => f.code)).toEqual(['ThrottlingException']);
    expect(vip.owner).toBe('i-a');
    expect(vip.lease).toBeUndefined();
  });

  test('without an outcome in the record the lease is not released: the next holder closes the epoch', async () => {
    const w = elected();
    const put: World['timeline']['put'] = (entry) =>
      entry.entry === 'outcome' ? Promise.reject(new Error('table gone')) : w.timeline.put(entry);
    await switches(w, { timeline: { ...w.timeline, put } });
    expect(item(w).lease).toMatchObject({ epoch: 1 });
    expect(item(w).owner).toBeUndefined();
    await w.clock.advance(seconds(11));
    await says(w, 'i-b');
    expect(outcomesOf(w).map((o) => [o.epoch, o.outcome])).toEqual([
      [1, 'abandoned'],
      [2, 'switched'],
    ]);
    expect(item(w)).toMatchObject({ owner: 'i-b', open: {} });
  });

  test.each([
    ['its outcome is recorded', false],
    ['its outcome could not be recorded', true],
  ])(
    'ends only when the places that it did not need are given back, also when %s: a frozen sandbox leaves nothing half done',
    async (_what, fails) => {
      const w = elected();
      w.vips.items.set('web', { ...item(w), tablesSeen: 20 });
      const budget = memorySharedBucket();
      let back = false;
      const giveBack: typeof budget.refund = async (call, count) => {
        await w.clock.wait(seconds(1));
        await budget.refund(call, count);
        back = true;
      };
      const put: World['timeline']['put'] = (entry) =>
        entry.entry === 'outcome' && fails ? Promise.reject(new Error('table gone')) : w.timeline.put(entry);
      await switches(w, { sharedBucket: { ...budget, refund: giveBack }, timeline: { ...w.timeline, put } });
      expect(back).toBe(true);
    },
  );

  test('that failed at one table commits no owner, keeps both sides as its own, and reconcile goes on', async () => {
    const w = elected();
    const ec2 = {
      ...w.ec2,
      apply: (step: Parameters<typeof w.ec2.apply>[0], mayStart: () => boolean) =>
        step.cell.startsWith('rtb-2')
          ? Promise.reject(new Fault('denied', 'UnauthorizedOperation', 'not yours'))
          : w.ec2.apply(step, mayStart),
    };
    const told: string[] = [];
    const bus = { ...w.ports.bus, failed: async (f: Failover) => void told.push(f.outcome) };
    const { failovers, vip } = await switches(w, { ec2, bus });
    expect(failovers).toMatchObject([{ outcome: 'partial' }]);
    expect(told).toEqual(['partial']);
    expect(vip.owner).toBeUndefined();
    expect(vip.wrote).toEqual([A.eni, A.eipEni]);
    expect(w.published).toEqual([]);
  });

  test('that is half done leaves cells on both sides, and both stay ours: the rest is no stranger’s later', async () => {
    const w = elected();
    await switches(w);
    await w.clock.advance(seconds(10));
    record(w, claimOf('i-b', { atMs: 10_000 }));
    const real = { ...w.ec2 };
    const apply: World['ec2']['apply'] = (step, mayStart) =>
      step.cell.startsWith('rtb-2') && mayStart()
        ? Promise.reject(new Fault('denied', 'UnauthorizedOperation', 'not yours'))
        : real.apply(step, mayStart);
    await switches(w, { ec2: { ...w.ec2, apply } });
    const B = memberOf('i-b');
    expect(item(w)).toMatchObject({ owner: 'i-a', wrote: [A.eni, A.eipEni, B.eni, B.eipEni] });
    for (const eni of [A.eni, A.eipEni]) {
      const { label: _label, ...untagged } = w.ec2.enis.get(eni)!;
      w.ec2.enis.set(eni, untagged);
    }
    await w.clock.advance(seconds(60));
    await reconciles(w);
    expect([item(w).owner, targets(w)]).toEqual(['i-b', [B.eni]]);
  });

  test.each([
    ['a good commit forgets', {}, false],
    ['an attempt of before that may still land keeps', { touchedAtMs: plus(START, durationMs(1)) }, true],
    ['one that may land no more, to the millisecond, forgets', { touchedAtMs: START }, false],
    ['a holder that did not come back keeps', { open: { other: { epoch: 0, cause } } }, true],
  ])(
    '%s the ENI of a node that has left: what lies there is ours until nothing more can come',
    async (_what, over, kept) => {
      const w = elected();
      w.vips.items.set('web', { ...item(w), wrote: ['eni-of-one-that-left'], ...over });
      const { vip } = await switches(w);
      expect(vip.owner).toBe('i-a');
      expect(new Set(vip.wrote)).toEqual(
        new Set([...(kept ? ['eni-of-one-that-left'] : []), A.eni, A.eipEni]),
      );
    },
  );

  test('an attempt without an answer makes everything observed untrusted for a while: it may still land', async () => {
    const w = elected();
    let first = true;
    const apply: World['ec2']['apply'] = async (step, mayStart) => {
      await w.ec2.apply(step, mayStart);
      if (first) {
        first = false;
        throw lost('ReplaceRoute');
      }
    };
    const { vip, failovers } = await switches(w, { ec2: { ...w.ec2, apply } });
    expect(failovers[0]!.steps.map((s) => s.unanswered)).toContain(1);
    expect(vip.touchedAtMs - failovers[0]!.atMs).toBe(UNKNOWN_LANDS_WITHIN);
  });
});

describe('the release', () => {
  /** Runs `meanwhile` right before the first write of the release. */
  const atRelease = (w: World, meanwhile: () => void): Partial<Ports> => {
    let done = false;
    return {
      vips: {
        ...w.vips,
        write: (was, is) => {
          if (!done) meanwhile();
          done = true;
          return w.vips.write(was, is);
        },
      },
    };
  };

  test('is repeated when a claim came that changes nothing, and keeps that claim', async () => {
    const w = elected();
    const { failovers } = await switches(
      w,
      atRelease(w, () => record(w, claimOf('i-b', { state: 'BACKUP' }))),
    );
    expect(failovers).toHaveLength(1);
    expect(item(w)).toMatchObject({ owner: 'i-a', epoch: 1, claims: { 'i-b': { state: 'BACKUP' } } });
    expect(item(w).lease).toBeUndefined();
  });

  test('becomes a new epoch when a claim changed the election: no one else need come for it', async () => {
    const w = elected();
    const { failovers } = await switches(
      w,
      atRelease(w, () => record(w, claimOf('i-b', { atMs: 5000 }))),
    );
    expect(failovers.map((f) => [f.epoch, f.outcome, f.to])).toEqual([
      [1, 'switched', 'i-a'],
      [2, 'switched', 'i-b'],
    ]);
    expect(failovers[1]!.cause.why).toBe(
      'the election changed while epoch 1 was under way: newest MASTER is i-b',
    );
    expect(targets(w)).toEqual([memberOf('i-b').eni]);
    expect(item(w)).toMatchObject({ owner: 'i-b', open: {} });
    expect(w.published.map((f) => f.to)).toEqual(['i-a', 'i-b']);
  });

  test('of a VIP that left the registry meanwhile begins no new epoch, though another node is elected', async () => {
    const w = elected();
    const leave = () => {
      record(w, claimOf('i-b', { atMs: 5000 }));
      w.vips.items.set('web', { ...item(w), rev: item(w).rev + 1, removedAtMs: START });
    };
    const { failovers } = await switches(w, atRelease(w, leave));
    expect([failovers.length, item(w).lease, item(w).epoch]).toEqual([1, undefined, 1]);
  });

  test('stops when the lease is someone else’s: nothing is committed, and the record stands', async () => {
    const w = elected();
    const steal = () => {
      const lease = { ...item(w).lease!, epoch: 2, holder: 'other' };
      w.vips.items.set('web', { ...item(w), rev: item(w).rev + 1, epoch: 2, lease });
    };
    const { failovers, vip } = await switches(w, atRelease(w, steal));
    expect(failovers).toHaveLength(1);
    expect(vip.owner).toBeUndefined();
    expect(item(w).lease).toMatchObject({ holder: 'other' });
    expect(w.published).toEqual([]);
  });

  test.each([
    ['the item is gone', 1, () => undefined],
    ['no one has a lease any more', 1, ({ lease: _lease, ...free }: Vip) => free],
    ['others are quicker again and again', 20, (vip: Vip) => vip],
  ])('commits and announces nothing when %s', async (_what, tries, then) => {
    const w = elected();
    let writes = 0;
    const vips: Ports['vips'] = {
      ...w.vips,
      write: async () => {
        writes += 1;
        return undefined;
      },
      read: async () => (writes === 0 ? item(w) : then(item(w))),
    };
    const { failovers, vip } = await switches(w, { vips });
    expect([failovers.length, writes, vip.owner, w.published]).toEqual([1, tries, undefined, []]);
  });

  test('whose reply was lost is settled by a read: done, and announced', async () => {
    const w = elected();
    let writes = 0;
    const write: World['vips']['write'] = async (was, is) => {
      writes += 1;
      const written = await w.vips.write(was, is);
      if (writes === 1) throw lost('release');
      return written;
    };
    const { vip } = await switches(w, { vips: { ...w.vips, write } });
    expect([writes, vip.owner, vip.lease]).toEqual([1, 'i-a', undefined]);
    expect(w.published).toHaveLength(1);
  });

  test('whose reply was lost, of an item that is gone, commits and announces nothing', async () => {
    const w = elected();
    let writes = 0;
    const vips: Ports['vips'] = {
      ...w.vips,
      write: async () => {
        writes += 1;
        throw lost('release');
      },
      read: async () => (writes === 0 ? item(w) : undefined),
    };
    expect((await switches(w, { vips })).failovers).toHaveLength(1);
    expect([writes, w.published]).toEqual([1, []]);
  });

  test('that was never carried out is repeated', async () => {
    const w = elected();
    let writes = 0;
    const write: World['vips']['write'] = async (was, is) => {
      writes += 1;
      if (writes === 1) throw lost('release');
      return w.vips.write(was, is);
    };
    await switches(w, { vips: { ...w.vips, write } });
    expect([writes, item(w).owner, item(w).lease]).toEqual([2, 'i-a', undefined]);
  });

  test('a VIP whose election keeps changing is followed a bounded number of times, and then released', async () => {
    const w = elected();
    const followed = new Set<number>();
    const write: World['vips']['write'] = (was, is) => {
      const epoch = was?.epoch ?? 0;
      const node = epoch % 2 === 0 ? 'i-a' : 'i-b';
      // Seldom enough that neither node is damped.
      if (!followed.has(epoch)) record(w, claimOf(node, { atMs: 12_000 * epoch }));
      followed.add(epoch);
      return w.vips.write(was, is);
    };
    const { failovers, vip } = await switches(w, { vips: { ...w.vips, write } });
    expect(failovers.map((f) => f.epoch)).toEqual(Array.from({ length: EPOCHS_MAX }, (_, n) => n + 1));
    expect(vip).toMatchObject({ epoch: EPOCHS_MAX, open: {} });
    expect(vip.lease).toBeUndefined();
    await w.clock.advance(seconds(60));
    await reconciles(w);
    expect(targets(w)).toEqual([memberOf('i-a').eni]);
  });

  test('an invocation with no time left does not begin another epoch: the next claim or reconcile does', async () => {
    const w = elected();
    const deadline = plus(START, durationMs(4000));
    const over = { ...atRelease(w, () => record(w, claimOf('i-b', { atMs: 3000 }))), deadline };
    const { failovers } = await switches(w, over);
    expect(failovers).toHaveLength(1);
    expect(item(w).lease).toBeUndefined();
    expect(item(w).owner).toBe('i-a');
    await w.clock.advance(seconds(10));
    await says(w, 'i-b', { kind: 'assertion', sinceMs: 3000 });
    expect(targets(w)).toEqual([memberOf('i-b').eni]);
  });

  test.each([
    [5000, 1],
    [5001, 2],
  ])(
    '%i ms before the end of the invocation: epochs %i, for a plain switch needs more than five seconds',
    async (ms, epochs) => {
      const w = elected();
      const deadline = plus(START, durationMs(ms));
      const over = { ...atRelease(w, () => record(w, claimOf('i-b', { atMs: 3000 }))), deadline };
      expect((await switches(w, over)).failovers).toHaveLength(epochs);
    },
  );

  test('that became a new epoch, its reply lost, is settled by a read and followed', async () => {
    const w = elected();
    let writes = 0;
    const write: World['vips']['write'] = async (was, is) => {
      writes += 1;
      if (writes === 1) record(w, claimOf('i-b', { atMs: 5000 }));
      const written = await w.vips.write(was, is);
      if (writes === 2) throw lost('release');
      return written;
    };
    const { failovers } = await switches(w, { vips: { ...w.vips, write } });
    expect([failovers.map((f) => f.epoch), item(w).owner, item(w).lease]).toEqual([[1, 2], 'i-b', undefined]);
  });

  const nextEpoch = 'that was to become a new epoch, its reply lost';
  test.each([
    ['and never carried out, is repeated', 2, (vip: Vip) => vip],
    ['while another caller took the lease, commits nothing', 1, (vip: Vip): Vip => taken(vip, 'other')],
    ['and that no one has now, commits nothing', 1, ({ lease: _lease, ...free }: Vip): Vip => free],
    ['of an item that is gone, commits nothing', 1, () => undefined],
  ])(`${nextEpoch} %s`, async (_what, epochs, then) => {
    const w = elected();
    let writes = 0;
    const vips: Ports['vips'] = {
      ...w.vips,
      write: async (was, is) => {
        writes += 1;
        if (writes > 2) return w.vips.write(was, is);
        if (writes === 1) {
          record(w, claimOf('i-b', { atMs: 5000 }));
          return undefined;
        }
        const found = then(item(w));
        if (found === undefined) w.vips.items.delete('web');
        else w.vips.items.set('web', found);
        throw lost('release');
      },
    };
    const { failovers } = await switches(w, { vips });
    expect(failovers).toHaveLength(epochs);
    expect(w.published).toHaveLength(epochs === 2 ? 2 : 0);
  });
  const taken = (vip: Vip, holder: string): Vip => ({
    ...vip,
    ...{ rev: vip.rev + 1, epoch: vip.epoch + 1, lease: { ...vip.lease!, holder, epoch: vip.epoch + 1 } },
  });

  test('leaves an epoch open that could not be closed', async () => {
    const w = elected();
    w.vips.items.set('web', { ...item(w), open: { other: { epoch: 0, cause } } });
    const put: World['timeline']['put'] = (entry) =>
      entry.epoch === 0 ? Promise.reject(new Error('slow down')) : w.timeline.put(entry);
    await switches(w, { timeline: { ...w.timeline, put } });
    expect(item(w)).toMatchObject({ owner: 'i-a' });
    expect(Object.keys(item(w).open)).toEqual(['other']);
  });

  test('whose write failed for another reason than a lost reply is thrown: to throw is to say deliver again', async () => {
    const w = elected();
    const write = () => Promise.reject(new Fault('denied', 'AccessDenied', 'no'));
    await expect(switches(w, { vips: { ...w.vips, write } })).rejects.toThrow('no');
  });

  test('leaves what newer code wrote into the item: only what changed is changed', async () => {
    const w = elected();
    w.vips.items.set('web', { ...item(w), later: 'kept' } as Vip);
    await switches(w);
    expect(item(w)).toMatchObject({ later: 'kept', owner: 'i-a' });
  });
});
