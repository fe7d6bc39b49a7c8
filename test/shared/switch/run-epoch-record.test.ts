// What a lease leaves in the record: intent, stages and outcome.
import { describe, expect, test } from 'vitest';
import type { CallQueue } from '../../../shared/rate-limit/call-queue.ts';
import { closeAbandonedEpochs } from '../../../shared/switch/close-abandoned.ts';
import { heldLease } from '../../../shared/switch/held-lease.ts';
import { type EpochPorts, type EpochResult, runEpoch } from '../../../shared/switch/run-epoch.ts';
import { durationMs, hours, plus, seconds } from '../../../shared/time.ts';
import type { Failover, Intent } from '../../../shared/timeline/timeline.ts';
import { windowOf } from '../../../shared/vip/liveness.ts';
import { nodeStateFrom } from '../../../shared/vip/node-state.ts';
import type { Vip } from '../../../shared/vip/vip.ts';
import {
  AFTER_LEASE,
  addTable,
  claimOf,
  finish,
  item,
  memberOf,
  routeTo,
  START,
  V4,
  V6,
  type World,
  world,
} from '../../support/world.ts';

const A = memberOf('i-a');
const B = memberOf('i-b');
const cause = { kind: 'claim', node: 'i-a', why: 'i-a said MASTER', atMs: START } as const;

/** Node a is elected and epoch 7 is held for it. */
function held(over: Partial<Vip> = {}, tables = 4): World {
  const w = world();
  for (let n = 5; n <= tables; n++) addTable(w.ec2, `rtb-${n}`, 'web');
  const lease = { holder: 'me', epoch: 7, expiresAtMs: plus(START, hours(1)), cause };
  const claims = { 'i-a': nodeStateFrom(claimOf('i-a'), START) };
  const open = { me: { epoch: 7, cause } };
  w.vips.items.set('web', { ...item(w), eips: [], epoch: 7, lease, open, claims, ...over });
  return w;
}

function holds(w: World, over: Partial<EpochPorts> = {}): Promise<EpochResult> {
  const vip = item(w);
  const mine = heldLease('web', vip.lease!, w.vips, w.ports);
  return finish(
    w,
    runEpoch({ ports: { ...w.ports, ...over }, heldLease: mine, vip }, w.ec2.observe(vip), []),
  );
}

/** Every route of the labelled tables goes there. */
function all(w: World, target: string): void {
  for (const table of ['rtb-1', 'rtb-2', 'rtb-3', 'rtb-4'])
    for (const address of [V4, V6]) routeTo(w, table, address, { target });
}
const stageOf = ({ stages }: Failover, stage: string) => stages.find((s) => s.stage === stage)?.atMs;

describe('the intent', () => {
  test('says where the VIP lay when it had an owner, and nothing of that when it had none', async () => {
    for (const owner of ['i-b', undefined]) {
      const w = held(owner === undefined ? {} : { owner });
      await holds(w);
      const intent = w.timeline.entries[0] as Intent;
      expect(intent.from).toBe(owner);
      expect('from' in intent).toBe(owner !== undefined);
    }
  });

  test('and the stages say when the last mutation is due, where the request budget makes it wait', async () => {
    const dueAtMs = plus(START, seconds(5));
    const turns = { waitForSlot: () => undefined, drain: () => undefined, dueAtMs: () => dueAtMs };
    const w = held();
    const { failover } = await holds(w, { callQueue: turns as unknown as CallQueue });
    expect((w.timeline.entries[0] as Intent).dueAtMs).toBe(dueAtMs);
    expect(stageOf(failover, 'last mutation due, by the request budget')).toBe(dueAtMs);
    expect(
      stageOf((await holds(held())).failover, 'last mutation due, by the request budget'),
    ).toBeUndefined();
  });
});

describe('the stages', () => {
  test('name the first mutation that was sent and the last one that was accepted, in whatever order they came back', async () => {
    const w = held({ addresses: [V4] });
    const slow = { 'rtb-1': 300, 'rtb-2': 100, 'rtb-3': 0, 'rtb-4': 200 } as Record<string, number>;
    const ec2: World['ec2'] = {
      ...w.ec2,
      apply: async (step, mayStart) => {
        const table = step.cell.split(' ')[0]!;
        await w.clock.wait(durationMs(slow[table]! + 10));
        await w.ec2.apply(step, mayStart);
        await w.clock.wait(durationMs(400 - slow[table]!));
      },
    };
    const { failover } = await holds(w, { ec2 });
    expect(failover.steps.map((s) => s.sentAtMs! - START)).toEqual([310, 110, 10, 210]);
    expect(stageOf(failover, 'first mutation sent')! - START).toBe(10);
    expect(stageOf(failover, 'last mutation accepted')! - START).toBe(410);
  });

  test.each([
    ['eight', V4, 'eni-i-b-service', 8],
    ['a single', V4, undefined, 1],
  ])('%s mutation is read back', async (_count, address, target, count) => {
    const w = held();
    all(w, target ?? A.eni);
    if (target === undefined) routeTo(w, 'rtb-2', address, { target: B.eni });
    let looks = 0;
    const observe: World['ec2']['observe'] = (scope) => {
      looks += 1;
      return w.ec2.observe(scope);
    };
    const { failover } = await holds(w, { ec2: { ...w.ec2, observe } });
    expect([failover.steps.length, looks, failover.verified]).toEqual([count, 1, true]);
    expect(failover.stages.map((s) => s.stage)).toEqual([
      'described',
      'first mutation sent',
      'last mutation accepted',
      'read back',
    ]);
  });

  test('nothing sent is nothing to read back: no second look, and no milestone', async () => {
    const w = held();
    all(w, A.eni);
    let looks = 0;
    const observe: World['ec2']['observe'] = (scope) => {
      looks += 1;
      return w.ec2.observe(scope);
    };
    const { failover } = await holds(w, { ec2: { ...w.ec2, observe } });
    expect([looks, failover.verified]).toEqual([0, true]);
    expect(failover.stages.map((s) => s.stage)).toEqual(['described']);
  });
});

describe('an outcome without a mutation', () => {
  test('is unchanged where every cell is right', async () => {
    const w = held();
    all(w, A.eni);
    expect((await holds(w)).failover.outcome).toBe('unchanged');
  });

  test('is failed where every cell is a stranger’s: nothing of the VIP follows', async () => {
    const w = held();
    all(w, 'tgw-1');
    const { failover } = await holds(w);
    expect(failover.conflicts).toHaveLength(8);
    expect(failover).toMatchObject({ outcome: 'failed', steps: [] });
  });

  test('is partial where one cell is right and the others are strangers’', async () => {
    const w = held();
    all(w, 'tgw-1');
    routeTo(w, 'rtb-3', V6, { target: A.eni });
    const { failover } = await holds(w);
    expect(failover.conflicts).toHaveLength(7);
    expect(failover).toMatchObject({ outcome: 'partial', steps: [] });
  });

  test('counts an Elastic IP as a cell: a right one keeps the failover from having failed', async () => {
    const w = held({ eips: ['eipalloc-1'] });
    all(w, 'tgw-1');
    const place = w.ec2.enis.get(A.eipEni)!.privateAddresses[0]!;
    w.ec2.eips.set('eipalloc-1', { ...w.ec2.eips.get('eipalloc-1')!, eni: A.eipEni, privateAddress: place });
    expect((await holds(w)).failover).toMatchObject({ outcome: 'partial', steps: [] });
  });
});

describe('an epoch that another left open', () => {
  test('is closed with where the VIP lay by then, when it had an owner, and where each Elastic IP lies now', async () => {
    for (const owner of ['i-b', undefined]) {
      const open = { other: { epoch: 3, cause }, me: { epoch: 7, cause } };
      const eips = ['eipalloc-1', 'eipalloc-2'];
      const w = held({ open, eips, ...(owner === undefined ? {} : { owner }) });
      const [one] = w.ec2.enis.get(B.eipEni)!.privateAddresses;
      w.ec2.eips.set('eipalloc-1', { ...w.ec2.eips.get('eipalloc-1')!, eni: B.eipEni, privateAddress: one! });
      w.ec2.eips.set('eipalloc-2', { eip: 'eipalloc-2', publicAddress: '203.0.113.11', label: 'web' });
      await holds(w);
      const left = w.timeline.entries.find((e): e is Failover => e.entry === 'outcome' && e.epoch === 3)!;
      expect(left.from).toBe(owner);
      expect('from' in left).toBe(owner !== undefined);
      expect(left.notes).toContain(`found eipalloc-1 → ${B.eipEni}`);
      expect(left.notes).toContain('found eipalloc-2 → nothing');
    }
  });

  test('has nothing of what its holder may have done, and why where EC2 did not answer', async () => {
    const w = held({ open: { other: { epoch: 3, cause } } });
    expect(await closeAbandonedEpochs(w.ports, item(w), ['other'], new Error('slow\ndown'))).toEqual([
      'other',
    ]);
    expect(w.timeline.entries).toEqual([
      {
        ...{ entry: 'outcome', vip: 'web', epoch: 3, holder: 'other', cause, outcome: 'abandoned' },
        ...{ reason: { key: 'holder-gone' }, why: expect.stringMatching(/did not come back/) },
        ...{ steps: [], conflicts: [], stages: [], verified: false, notes: ['describe failed: slow down'] },
        ...{ claims: item(w).claims, splitBrain: [], atMs: START },
      },
    ]);
  });
});

test('a long plan ends with the election that it was for: what has not been sent by then is not sent', async () => {
  const lease = { holder: 'me', epoch: 7, expiresAtMs: AFTER_LEASE, cause };
  const w = held({ addresses: [V4], lease }, 120);
  const running = holds(w);
  await w.clock.advance(seconds(3));
  const claim = claimOf('i-b', { atMs: 3000 });
  const nodeState = nodeStateFrom(claim, w.clock.now());
  await w.vips.recordClaim(
    { vip: 'web', node: 'i-b', nodeState, window: windowOf(claim.timeMs), as: 'news' },
    w.clock.now(),
  );
  const { failover, committable: good } = await running;
  expect(good).toBe(false);
  expect(failover.outcome).toBe('superseded');
  expect(failover.steps.filter((s) => s.code === 'NotWanted').length).toBeGreaterThan(30);
  expect(w.clock.now() - START, 'the whole plan takes 15 s').toBeLessThan(12_000);
});

test('an epoch after which another node is elected commits no owner, though every call was carried out', async () => {
  const w = held({ addresses: [V4] });
  const newer = nodeStateFrom(claimOf('i-b', { atMs: 5000 }), START);
  const read = async () => ({ ...item(w), claims: { ...item(w).claims, 'i-b': newer } });
  const done = await holds(w, { vips: { ...w.vips, read } });
  expect(done.failover.steps.map((s) => s.result)).toEqual(['done', 'done', 'done', 'done']);
  expect(done).toMatchObject({ committable: false, failover: { outcome: 'superseded', verified: false } });
});

describe('what was read back', () => {
  /** The read-back's own observation ends so long after START. */
  const readsBackAfter = (w: World, ms: number): Partial<EpochPorts> => ({
    ec2: {
      ...w.ec2,
      observe: async (scope) => {
        const seen = await w.ec2.observe(scope);
        w.clock.set(plus(START, durationMs(ms)));
        return { ...seen, endedAtMs: w.clock.now() };
      },
    },
  });
  const shortLease = { holder: 'me', epoch: 7, expiresAtMs: plus(START, seconds(10)), cause };

  test('is dated when EC2 answered, however long the holder slept before it recorded that', async () => {
    const w = held({ owner: 'i-b' });
    const vips = {
      ...w.vips,
      read: async (name: string) => {
        const read = await w.vips.read(name);
        await w.clock.wait(seconds(30));
        return read;
      },
    };
    const { failover } = await holds(w, { vips });
    expect(failover.atMs - START).toBeGreaterThanOrEqual(30_000);
    expect(stageOf(failover, 'read back')! - START).toBeLessThan(5000);
    expect([failover.outcome, failover.verified]).toEqual(['switched', true]);
  });

  test.each([
    [9999, true],
    [10_000, false],
  ])('%i ms after the lease of 10 s began is verified: %s', async (ms, verified) => {
    const w = held({ owner: 'i-b', lease: shortLease });
    const { failover } = await holds(w, readsBackAfter(w, ms));
    expect(failover).toMatchObject({ outcome: 'switched', verified });
    expect(failover.notes).toEqual(verified ? [] : ['read back after the lease had run out']);
    expect(stageOf(failover, 'read back')! - START).toBe(ms);
  });

  test('is not verified by a holder that knows that its lease is lost', async () => {
    const w = held({ owner: 'i-b' });
    const mine = heldLease('web', shortLease, { ...w.vips, renew: async () => undefined }, w.ports);
    w.clock.set(plus(START, seconds(5)));
    await mine.renewIfDue();
    expect([mine.wasOurs(START), mine.isStillNeeded()]).toEqual([false, false]);
  });

  test.each([
    [9999, true],
    [10_000, false],
  ])(
    'where nothing had to be sent, and the look ended %i ms after the lease began: verified %s',
    async (ms, verified) => {
      const w = held({ owner: 'i-a', lease: shortLease });
      all(w, A.eni);
      const seen = { ...(await w.ec2.observe(item(w))), endedAtMs: plus(START, durationMs(ms)) };
      const mine = heldLease('web', shortLease, w.vips, w.ports);
      const epoch = { ports: w.ports, heldLease: mine, vip: item(w) };
      const { failover } = await finish(w, runEpoch(epoch, Promise.resolve(seen), []));
      expect(failover).toMatchObject({ outcome: 'unchanged', verified });
      expect(stageOf(failover, 'described')! - START).toBe(ms);
    },
  );

  test('is no milestone where EC2 did not answer', async () => {
    const w = held({ owner: 'i-b' });
    const observe = () => Promise.reject(new Error('slow down'));
    const { failover } = await holds(w, { ec2: { ...w.ec2, observe } });
    expect(failover).toMatchObject({ outcome: 'switched', verified: false });
    expect(stageOf(failover, 'read back')).toBeUndefined();
  });
});
