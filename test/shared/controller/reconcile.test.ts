import { describe, expect, test } from 'vitest';
import type { ReconcileResult } from '../../../shared/controller/assess.ts';
import type { Change } from '../../../shared/controller/hint.ts';
import { reconcile, TOMBSTONE_KEPT } from '../../../shared/controller/reconcile.ts';
import { reconcileAll } from '../../../shared/controller/reconcile-all.ts';
import { Fault } from '../../../shared/fault.ts';
import { durationMs, minutes, plus, seconds } from '../../../shared/time.ts';
import { LEASE_TTL, SKEW, STALE_READ } from '../../../shared/vip/lease.ts';
import type { VipStore } from '../../../shared/vip/store.ts';
import type { Scope } from '../../../shared/vip/vip.ts';
import {
  addNode,
  addTable,
  change,
  finish,
  item,
  memberOf,
  outcomesOf,
  reconciles,
  routeTo,
  START,
  says,
  targets,
  V4,
  type World,
  world,
} from '../../support/world.ts';

const [A, B] = [memberOf('i-a'), memberOf('i-b')];
const cause = { kind: 'claim', why: 'test', atMs: START } as const;

/** Node a owns the VIP, and all is in sync; a minute has passed. */
async function owned(): Promise<World> {
  const w = world();
  await says(w, 'i-a');
  await w.clock.advance(minutes(1));
  return w;
}

describe('what break-glass has left to announce', () => {
  const unannounced = { as: 'finished', detail: '{"vip":"web"}' } as const;
  async function left(forward: World['ports']['bus']['forward']): Promise<World> {
    const w = await owned();
    await w.vips.write(item(w), { ...item(w), unannounced });
    return { ...w, ports: { ...w.ports, bus: { ...w.ports.bus, forward } } };
  }

  test('is announced by the next reconcile, once, and then it is gone from the item', async () => {
    const told: unknown[] = [];
    const w = await left(async (announcement) => void told.push(announcement));
    const { did, trouble } = (await reconciles(w)) as ReconcileResult;
    expect([did, trouble.filter((one) => one.includes('announced'))]).toEqual(['nothing', []]);
    await reconciles(w);
    expect(told).toEqual([unannounced]);
    expect(item(w).unannounced).toBeUndefined();
  });

  test('stays while the bus does not take it, is reported, and comes after the repair', async () => {
    let repairedBefore: boolean | undefined;
    const w: World = await left(() => {
      repairedBefore = targets(w).every((eni) => eni === A.eni);
      return Promise.reject(new Fault('throttled', 'ThrottlingException', 'slow down'));
    });
    routeTo(w, 'rtb-1', V4, { target: B.eni });
    const { trouble } = (await reconciles(w)) as ReconcileResult;
    expect(repairedBefore).toBe(true);
    expect(trouble).toContain('a failover by break-glass is not announced: slow down');
    expect(item(w).unannounced).toEqual(unannounced);
  });

  test('is not taken away where break-glass was quicker with the next one', async () => {
    const next = { ...unannounced, detail: '{"epoch":2}' };
    const w: World = await left(async () => {
      await w.vips.write(item(w), { ...item(w), unannounced: next });
    });
    await reconciles(w);
    expect(item(w).unannounced).toEqual(next);
  });
});

describe('with nothing to repair', () => {
  test('reads and compares, and takes no lease: claims must not meet a busy VIP once a minute', async () => {
    const w = await owned();
    const { rev, epoch } = item(w);
    expect(await reconciles(w)).toMatchObject({ did: 'nothing', why: 'in sync', drift: [] });
    expect(item(w)).toMatchObject({ rev, epoch });
    expect(outcomesOf(w)).toHaveLength(1);
  });

  test('keeps the view that serves when the describes do not, and writes it only when it changed', async () => {
    const w = await owned();
    let kept = 0;
    const real = { ...w.ports.views };
    w.ports.views.keepView = (name, view) => {
      kept += 1;
      return real.keepView(name, view);
    };
    await reconciles(w);
    await reconciles(w);
    expect(kept).toBe(1);
    addTable(w.ec2, 'rtb-5', 'web');
    await reconciles(w);
    expect(kept).toBe(2);
    expect(w.vips.views.get('web')!.tables).toHaveLength(5);
  });

  test('says that the view cannot be kept, by a key and in a sentence, and goes on', async () => {
    const w = await owned();
    w.ports.views.keepView = () => Promise.reject(new Fault('refused', 'ValidationException', 'too large'));
    expect(await reconciles(w)).toMatchObject({
      did: 'nothing',
      viewProblem: { key: 'view-not-kept', why: 'too large' },
      trouble: [
        expect.any(String),
        'the view that serves when the describes do not answer could not be kept: too large',
      ],
    });
    w.ports.views.keepView = () => Promise.resolve();
    expect(await reconciles(w)).not.toHaveProperty('viewProblem');
  });

  test('a VIP that no one ever claimed stays where it is', async () => {
    expect(await reconciles(world())).toMatchObject({
      did: 'nothing',
      why: 'no candidate: the VIP stays where it is',
    });
  });

  test('a removed VIP and a live lease are skipped', async () => {
    const w = await owned();
    const lease = { holder: 'x', epoch: 2, expiresAtMs: plus(w.clock.now(), seconds(5)), cause };
    change(w, { lease, epoch: 2 });
    expect(await reconciles(w)).toMatchObject({ did: 'skipped', why: 'epoch 2 is under way' });
    change(w, { removedAtMs: START });
    expect(await reconciles(w)).toMatchObject({ did: 'skipped', why: 'removed from the registry' });
  });

  test('a VIP that was removed since it was listed is skipped, too, whenever that is noticed', async () => {
    const w = await owned();
    routeTo(w, 'rtb-1', V4, { target: B.eni });
    const listed = item(w);
    const noticing = async (at: 'the first read' | 'the write'): Promise<ReconcileResult> => {
      w.vips.items.set('web', listed);
      if (at === 'the first read') change(w, { removedAtMs: START });
      const vips: VipStore = {
        ...w.vips,
        write: (before, after) => {
          change(w, { removedAtMs: START, rev: before!.rev + 1 });
          return w.vips.write(before, after);
        },
      };
      return finish(w, reconcile({ ...w.ports, vips }, listed));
    };
    for (const at of ['the first read', 'the write'] as const) {
      expect(await noticing(at), at).toMatchObject({ did: 'skipped', why: 'removed from the registry' });
      expect([item(w).epoch, targets(w)], at).toEqual([listed.epoch, [B.eni, A.eni]]);
    }
  });
});

describe('what it repairs', () => {
  test('drift: a route that someone changed, a table that was labelled since, an EIP that was moved', async () => {
    const w = await owned();
    routeTo(w, 'rtb-1', V4, { target: B.eni });
    addTable(w.ec2, 'rtb-5', 'web');
    w.ec2.eips.set('eipalloc-1', {
      ...w.ec2.eips.get('eipalloc-1')!,
      eni: B.eipEni,
      privateAddress: w.ec2.enis.get(B.eipEni)!.privateAddresses[0]!,
    });
    const report = await reconciles(w);
    expect(report).toMatchObject({ did: 'switched', switched: { failovers: [{ outcome: 'switched' }] } });
    expect(report.why).toMatch(/^drift at eipalloc-1, rtb-1 192\.168\.255\.10\/32, /);
    expect([targets(w), w.ec2.eips.get('eipalloc-1')!.eni]).toEqual([[A.eni], A.eipEni]);
    expect(w.published).toHaveLength(1);
  });

  test('and names who caused the drift, the newest three of them', async () => {
    const w = await owned();
    routeTo(w, 'rtb-1', V4, { target: B.eni });
    const by = (who: string, thing = 'rtb-1'): Change => ({
      ...{ kind: 'change', id: who, by: who, call: 'ReplaceRoute', atMs: START },
      ...{ destinations: [], things: [thing], labels: [] },
    });
    const all = [by('ann'), by('eve', 'rtb-9'), by('bob'), by('cid'), by('dan')];
    w.ports.changes.since = async () => all;
    await reconciles(w);
    const { why } = outcomesOf(w).at(-1)!.cause;
    expect(['ann', 'bob', 'cid', 'dan', 'eve'].map((who) => why.includes(`by ${who} at`))).toEqual([
      ...[true, true, true, false, false],
    ]);
  });

  test('not within STALE_READ of a mutation: the read may be older than that', async () => {
    const w = world();
    await says(w, 'i-a');
    routeTo(w, 'rtb-1', V4, { target: B.eni });
    await w.clock.advance(durationMs(STALE_READ - 1));
    expect(await reconciles(w)).toMatchObject({ did: 'nothing', drift: [{ cell: `rtb-1 ${V4}` }] });
    await w.clock.advance(durationMs(1));
    expect(await reconciles(w)).toMatchObject({ did: 'switched' });
  });

  test('a claim that was recorded and never followed', async () => {
    const w = await owned();
    const { claims } = item(w);
    change(w, {
      claims: { 'i-b': { ...claims['i-a']!, since: 1 }, 'i-a': { ...claims['i-a']!, state: 'BACKUP' } },
    });
    const report = await reconciles(w);
    expect(report).toMatchObject({ did: 'switched', why: 'missed claim: newest MASTER is i-b' });
    expect([item(w).owner, targets(w)]).toEqual(['i-b', [B.eni]]);
  });

  test('a dead lease, at the instant at which it is dead by everybody’s clock', async () => {
    const w = await owned();
    const expiresAtMs = plus(w.clock.now(), durationMs(LEASE_TTL - SKEW));
    const lease = { holder: 'gone', epoch: 2, expiresAtMs, cause };
    change(w, { lease, epoch: 2, open: { gone: { epoch: 2, cause } } });
    await w.clock.advance(durationMs(LEASE_TTL - 1));
    expect((await reconciles(w)).did).toBe('skipped');
    await w.clock.advance(durationMs(1));
    expect(await reconciles(w)).toMatchObject({ did: 'switched', why: 'epoch 2 was left open' });
    expect(outcomesOf(w).map((o) => [o.epoch, o.outcome])).toEqual([
      [1, 'switched'],
      [2, 'abandoned'],
      [3, 'switched'],
    ]);
    expect(item(w)).toMatchObject({ owner: 'i-a', open: {} });
  });

  test('an epoch left open without a lease is closed, and nothing else happens', async () => {
    const w = await owned();
    change(w, { open: { gone: { epoch: 1, cause } } });
    await reconciles(w);
    expect(item(w).open).toEqual({});
  });

  test('a source/destination check that someone switched on', async () => {
    const w = await owned();
    w.ec2.enis.set(A.eni, { ...w.ec2.enis.get(A.eni)!, sourceDestCheck: true });
    expect(await reconciles(w)).toMatchObject({ did: 'switched', why: `drift at ${A.eni} check` });
    expect(w.ec2.enis.get(A.eni)!.sourceDestCheck).toBe(false);
  });
});

describe('what it only reports', () => {
  test('an elected node that EC2 does not show: never the second best in its place', async () => {
    const w = world(['i-a', 'i-b']);
    await says(w, 'i-b', { state: 'BACKUP' });
    await says(w, 'i-a');
    await w.clock.advance(minutes(1));
    w.ec2.enis.delete(A.eni);
    w.ec2.enis.delete(A.eipEni);
    expect(await reconciles(w)).toMatchObject({
      did: 'nothing',
      why: 'EC2 shows no labelled ENI of the elected node i-a',
    });
    expect(item(w).owner).toBe('i-a');
  });

  test('conflicts and strays, without a lease', async () => {
    const w = await owned();
    routeTo(w, 'rtb-1', V4, { target: 'tgw-1' });
    addTable(w.ec2, 'rtb-9', 'web');
    w.ec2.tables.set('rtb-9', { ...w.ec2.tables.get('rtb-9')!, vpc: 'vpc-2' });
    expect(await reconciles(w)).toMatchObject({
      did: 'nothing',
      conflicts: [{ cell: `rtb-1 ${V4}`, kind: 'foreign' }],
      strays: [{ id: 'rtb-9', why: 'is in vpc-2, expected vpc-1' }],
    });
    expect(outcomesOf(w)).toHaveLength(1);
  });

  test('a split brain, while the newest MASTER keeps the VIP', async () => {
    const w = await owned();
    await says(w, 'i-b');
    await w.clock.advance(seconds(10));
    await says(w, 'i-a', { kind: 'assertion', sinceMs: 0 });
    expect(await reconciles(w)).toMatchObject({ splitBrain: ['i-a', 'i-b'] });
    expect(item(w).owner).toBe('i-b');
  });
});

describe('members', () => {
  test('that came and went are told to the item, so that their claims need no look', async () => {
    const w = await owned();
    addNode(w.ec2, 'i-c');
    w.ec2.enis.delete(B.eni);
    await reconciles(w);
    expect(Object.keys(item(w).members)).toEqual(['i-a', 'i-c']);
  });

  test('are brought up to date where only their zone, or their ENI for EIPs, is another', async () => {
    const w = await owned();
    for (const eni of [B.eni, B.eipEni]) w.ec2.enis.set(eni, { ...w.ec2.enis.get(eni)!, zone: 'zone-new' });
    await reconciles(w);
    expect(item(w).members['i-b']).toEqual({ ...B, zone: 'zone-new' });
    w.ec2.enis.delete(B.eipEni);
    await reconciles(w);
    expect(item(w).members['i-b']).toEqual({ ...B, zone: 'zone-new', eipEni: B.eni });
  });

  test('an empty describe retires no one: it is an outage or a lost permission, not an empty VPC', async () => {
    const w = await owned();
    const { members } = item(w);
    w.ec2.enis.clear();
    await reconciles(w);
    expect(item(w).members).toEqual(members);
  });

  test('a describe that fails changes nothing and is thrown', async () => {
    const w = await owned();
    const before = item(w);
    w.ports.ec2.observe = () => Promise.reject(new Fault('throttled', 'RequestLimitExceeded', 'slow down'));
    await expect(reconciles(w)).rejects.toThrow('slow down');
    expect(item(w)).toBe(before);
  });

  test('claims of a terminated node stay as tombstones while EventBridge may still deliver old ones', async () => {
    const w = await owned();
    await says(w, 'i-b', { state: 'BACKUP' });
    w.ec2.enis.delete(B.eni);
    await w.clock.advance(TOMBSTONE_KEPT);
    await reconciles(w);
    expect(Object.keys(item(w).claims)).toEqual(['i-a', 'i-b']);
    await w.clock.advance(durationMs(1));
    await reconciles(w);
    expect(Object.keys(item(w).claims)).toEqual(['i-a']);
  });

  test('keep the owner when a seventeenth node is labelled, and the report says that one is too many', async () => {
    const w = world(Array.from({ length: 16 }, (_, n) => `i-${n + 10}`));
    await says(w, 'i-20');
    await w.clock.advance(seconds(10));
    await says(w, 'i-25');
    addNode(w.ec2, 'i-01');
    await w.clock.advance(seconds(60));
    const report = await reconciles(w);
    expect(item(w)).toMatchObject({ owner: 'i-25', members: { 'i-25': { node: 'i-25' } } });
    expect(report.strays).toMatchObject([{ why: expect.stringContaining('17 nodes') }]);
  });
});

describe('a sweep over all VIPs', () => {
  /** Twenty-one VIPs, and no look for all of them at once. */
  async function each(): Promise<World> {
    const w = await owned();
    for (let n = 1; n <= 20; n++) {
      const { lease: _free, ...free } = item(w);
      w.vips.items.set(`vip-${n}`, { ...free, name: `vip-${n}` });
    }
    w.ports.ec2.observeAll = () =>
      Promise.reject(new Fault('throttled', 'RequestLimitExceeded', 'slow down'));
    return w;
  }

  test('looks once for all of them, however many they are', async () => {
    const w = await each();
    let looks = 0;
    const { observe, observeAll } = memoryLooks(w);
    w.ports.ec2.observe = (scope) => {
      looks += 1;
      return observe(scope);
    };
    w.ports.ec2.observeAll = (scopes) => {
      looks += 1;
      return observeAll(scopes);
    };
    const sweep = await finish(w, reconcileAll(w.ports));
    expect(sweep.reports).toHaveLength(21);
    expect(looks).toBe(1);
  });

  test('one that fails never hides the rest, and each looks for itself when the look for all fails', async () => {
    const w = await each();
    const { observe } = memoryLooks(w);
    w.ports.ec2.observe = (scope) =>
      scope.name === 'vip-3'
        ? Promise.reject(new Fault('throttled', 'RequestLimitExceeded', 'slow down'))
        : observe(scope);
    const sweep = await finish(w, reconcileAll(w.ports));
    expect(sweep.reports).toHaveLength(20);
    expect(sweep.failures.map((f) => [f.vip, f.fault.code])).toEqual([['vip-3', 'RequestLimitExceeded']]);
  });

  test('then looks at a few at a time: EC2’s Describe budget is small', async () => {
    const w = await each();
    let [looking, most] = [0, 0];
    const { observe } = memoryLooks(w);
    w.ports.ec2.observe = async (scope) => {
      looking += 1;
      most = Math.max(most, looking);
      await w.clock.wait(durationMs(50));
      looking -= 1;
      return observe(scope);
    };
    await finish(w, reconcileAll(w.ports));
    expect(most).toBe(8);
  });
});

/** The looks as the Region in memory gives them, before a test has put its own in their place. */
function memoryLooks(w: World) {
  const observe = w.ec2.observe.bind(w.ec2);
  const observeAll = async (scopes: readonly Scope[]) =>
    new Map(await Promise.all(scopes.map(async (s) => [s.name, await observe(s)] as const)));
  return { observe, observeAll };
}
