import { describe, expect, test } from 'vitest';
import { Fault } from '../../../shared/fault.ts';
import type { Ec2 } from '../../../shared/network/ec2.ts';
import type { Observation } from '../../../shared/network/observation.ts';
import { plan } from '../../../shared/network/plan.ts';
import type { StepDone } from '../../../shared/network/step.ts';
import { executeSteps } from '../../../shared/switch/execute.ts';
import { heldLease } from '../../../shared/switch/held-lease.ts';
import { ROUNDS_MAX, type Verdict, verify } from '../../../shared/switch/verify.ts';
import { durationMs, hours, plus } from '../../../shared/time.ts';
import { STALE_READ } from '../../../shared/vip/lease.ts';
import { nodeStateFrom } from '../../../shared/vip/node-state.ts';
import {
  claimOf,
  finish,
  item,
  memberOf,
  routeTo,
  START,
  V4,
  type World,
  world,
} from '../../support/world.ts';

const A = memberOf('i-a');
const B = memberOf('i-b');
const cause = { kind: 'order', why: 'test', atMs: START } as const;

/** Node a is elected, the lease is held, and its plan was sent: four routes from b to a. */
async function sent(ec2: (w: World) => Partial<Ec2> = () => ({})) {
  const w = world();
  for (const n of [1, 2, 3, 4]) routeTo(w, `rtb-${n}`, V4, { target: B.eni });
  const lease = { holder: 'me', epoch: 1, expiresAtMs: plus(START, hours(1)), cause };
  const claims = { 'i-a': nodeStateFrom(claimOf('i-a'), START) };
  const vip = { ...item(w), addresses: [V4], eips: [], epoch: 1, lease, claims };
  w.vips.items.set('web', vip);
  const before = await w.ec2.observe(vip);
  const mine = heldLease('web', lease, w.vips, w.ports);
  const ports = { ...w.ports, ec2: { ...w.ec2, ...ec2(w) } };
  const { steps } = await finish(w, executeSteps(ports, mine, plan(vip, before, A, true).steps));
  const check = (over: Partial<Ec2> = {}, told = steps): Promise<Verdict> =>
    finish(w, verify({ ...ports, ec2: { ...ports.ec2, ...over } }, mine, { vip, target: A }, told));
  return { w, vip, before, steps, check };
}

const results = (steps: readonly StepDone[]) => steps.map((s) => s.result);

describe('reading back', () => {
  test('agrees: one round, and nothing is sent again', async () => {
    const { w, check } = await sent();
    expect(await check()).toMatchObject({ verified: true, notes: [] });
    expect(w.ec2.effects).toHaveLength(4);
  });

  test('sends a wrong cell again: someone’s late request overwrote it', async () => {
    const { w, check } = await sent();
    await w.clock.advance(STALE_READ);
    routeTo(w, 'rtb-2', V4, { target: B.eni });
    const verdict = await check();
    expect(verdict.verified).toBe(true);
    expect(verdict.steps[1]).toMatchObject({ cell: `rtb-2 ${V4}`, result: 'done', attempts: 2, from: B.eni });
    expect(w.ec2.tables.get('rtb-2')!.routes[V4]!.target).toBe(A.eni);
  });

  test('a read that began within STALE_READ of the success and shows the old state is a stale read: not sent again, and not called verified', async () => {
    const { w, before, check } = await sent();
    const stale = (ms: number): Observation => ({ ...before, beganAtMs: plus(START, durationMs(ms)) });
    const verdict = await check({ observe: async () => stale(STALE_READ - 1) });
    expect(w.ec2.effects).toHaveLength(4);
    expect(verdict).toMatchObject({ verified: false, steps: [{ result: 'done' }, {}, {}, {}] });
    expect(verdict.notes).toEqual([
      `read back too soon to tell: EC2 still showed the old state at ${verdict.steps.map((s) => s.cell).join(', ')}`,
    ]);
    let reads = 0;
    await check({
      observe: (scope) => (++reads === 1 ? Promise.resolve(stale(STALE_READ)) : w.ec2.observe(scope)),
    });
    expect(w.ec2.effects).toHaveLength(8);
  });

  test('finds that a step without an answer was carried out after all', async () => {
    const { steps, check } = await sent((w) => ({
      apply: async (step, mayStart) => {
        await w.ec2.apply(step, mayStart);
        throw new Fault('unknown', 'TimeoutError', 'socket hang up');
      },
    }));
    expect(results(steps)).toEqual(['unknown', 'unknown', 'unknown', 'unknown']);
    const verdict = await check();
    expect(results(verdict.steps)).toEqual(['done', 'done', 'done', 'done']);
    expect(verdict.verified).toBe(true);
  });

  test('a read that shows nothing proves nothing: asked again, and what stays unseen is neither done nor verified', async () => {
    const { w, steps, check } = await sent();
    const asked = steps.map((s, n) => (n === 1 ? { ...s, result: 'unknown' as const } : s));
    const empty = async (scope: Parameters<Ec2['observe']>[0]) => ({
      ...(await w.ec2.observe(scope)),
      tables: [],
    });
    let reads = 0;
    const counted: Ec2['observe'] = (scope) => {
      reads += 1;
      return empty(scope);
    };
    const never = await check({ observe: counted }, asked);
    expect([reads, never.verified, results(never.steps)]).toEqual([
      ROUNDS_MAX,
      false,
      ['done', 'unknown', 'done', 'done'],
    ]);
    expect(never.notes).toEqual([`read back: EC2 showed nothing of ${steps.map((s) => s.cell).join(', ')}`]);
    const once = await check(
      { observe: (scope) => (reads++ === ROUNDS_MAX ? empty(scope) : w.ec2.observe(scope)) },
      asked,
    );
    expect([once.verified, results(once.steps)]).toEqual([true, ['done', 'done', 'done', 'done']]);
    expect(w.ec2.effects).toHaveLength(4);
  });

  test('a step without an answer whose cell went to a stranger is not told as done, nor the whole as verified', async () => {
    const { w, steps, check } = await sent();
    routeTo(w, 'rtb-2', V4, { target: 'tgw-1' });
    const asked = steps.map((s) => (s.cell === `rtb-2 ${V4}` ? { ...s, result: 'unknown' as const } : s));
    const verdict = await check({}, asked);
    expect(results(verdict.steps)).toEqual(['done', 'unknown', 'done', 'done']);
    expect(verdict.verified).toBe(false);
    expect(verdict.notes).toEqual([
      `read back: rtb-2 ${V4} shows tgw-1: the route points to a live target that does not belong to this VIP`,
    ]);
    expect(w.ec2.tables.get('rtb-2')!.routes[V4]!.target).toBe('tgw-1');
  });

  test('a refusal stays a refusal: it is told and not sent again', async () => {
    const { w, check } = await sent((world) => ({
      apply: async (step, mayStart) => {
        if (step.cell.startsWith('rtb-3')) {
          mayStart();
          throw new Fault('denied', 'UnauthorizedOperation', 'not yours');
        }
        await world.ec2.apply(step, mayStart);
      },
    }));
    const verdict = await check();
    expect(results(verdict.steps)).toEqual(['done', 'done', 'failed', 'done']);
    expect(verdict).toMatchObject({
      verified: false,
      notes: ['read back: EC2 does not show what was sent'],
    });
    expect(w.ec2.effects).toHaveLength(3);
  });

  test('gives up after bounded rounds: someone else keeps writing the cell', async () => {
    const { w, check } = await sent();
    await w.clock.advance(STALE_READ);
    let reads = 0;
    const verdict = await check({
      observe: async (scope) => {
        reads += 1;
        routeTo(w, 'rtb-1', V4, { target: B.eni });
        return { ...(await w.ec2.observe(scope)), beganAtMs: plus(w.clock.now(), STALE_READ) };
      },
    });
    expect(reads).toBe(ROUNDS_MAX);
    expect(verdict).toMatchObject({ verified: false, conflicts: [], readBackAtMs: w.clock.now() });
  });

  test('a describe that fails is said, and changes nothing of what was sent', async () => {
    const { check } = await sent();
    const verdict = await check({ observe: () => Promise.reject(new Error('slow down')) });
    expect(verdict).toMatchObject({ verified: false, notes: ['could not read back: slow down'] });
    expect(results(verdict.steps)).toEqual(['done', 'done', 'done', 'done']);
  });

  test('a read of the item that fails stops nothing: the release is conditional anyway', async () => {
    const { w, check } = await sent();
    w.vips.read = () => Promise.reject(new Error('slow down'));
    expect((await check()).stop).toBeUndefined();
  });
});

describe('the target', () => {
  test('stops when the lease is someone else’s, by epoch or by holder', async () => {
    for (const over of [{ epoch: 2 }, { holder: 'other' }]) {
      const { w, check } = await sent();
      w.vips.items.set('web', { ...item(w), lease: { ...item(w).lease!, ...over } });
      expect(await check()).toMatchObject({ stop: 'lease lost', verified: false, conflicts: [], notes: [] });
    }
  });

  test('stops when no one has the lease any more', async () => {
    const { w, vip, check } = await sent();
    const { lease: _lease, ...free } = vip;
    w.vips.items.set('web', free);
    expect(await check()).toMatchObject({ stop: 'lease lost' });
  });

  test('stops when the election has changed meanwhile, rather than send towards the old target again', async () => {
    const { w, check } = await sent();
    const newer = nodeStateFrom(claimOf('i-b', { atMs: 5000 }), START);
    w.vips.items.set('web', { ...item(w), claims: { ...item(w).claims, 'i-b': newer } });
    routeTo(w, 'rtb-1', V4, { target: B.eni });
    await w.clock.advance(STALE_READ);
    expect(await check()).toMatchObject({ stop: 'elected another', verified: false });
    expect(w.ec2.effects).toHaveLength(4);
  });
});
