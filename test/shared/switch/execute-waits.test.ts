// What a step waits for before each of its attempts: its turn, its pause, its lease.
import { describe, expect, test } from 'vitest';
import { Fault, type FaultKind } from '../../../shared/fault.ts';
import type { Ec2 } from '../../../shared/network/ec2.ts';
import type { RouteStep } from '../../../shared/network/step.ts';
import type { CallQueue } from '../../../shared/rate-limit/call-queue.ts';
import { type ExecutePorts, executeSteps } from '../../../shared/switch/execute.ts';
import { type HeldLease, heldLease } from '../../../shared/switch/held-lease.ts';
import { durationMs, type EpochMs, minus, plus, seconds } from '../../../shared/time.ts';
import { ATTEMPT_MAX, LEASE_TTL, SKEW } from '../../../shared/vip/lease.ts';
import {
  AFTER_LEASE,
  addTable,
  finish,
  item,
  memberOf,
  START,
  V4,
  type World,
  world,
} from '../../support/world.ts';

const A = memberOf('i-a');
const cause = { kind: 'order', why: 'test', atMs: START } as const;

function held(tables = 4): { w: World; mine: HeldLease } {
  const w = world();
  for (let n = 5; n <= tables; n++) addTable(w.ec2, `rtb-${n}`, 'web');
  const lease = { holder: 'me', epoch: 1, expiresAtMs: AFTER_LEASE, cause };
  w.vips.items.set('web', { ...item(w), epoch: 1, lease });
  return { w, mine: heldLease('web', lease, w.vips, w.ports) };
}

const step = (n = 1, call: RouteStep['call'] = 'CreateRoute'): RouteStep => ({
  call,
  cell: `rtb-${n} ${V4}`,
  from: 'nothing',
  table: `rtb-${n}`,
  destination: V4,
  eni: A.eni,
});
const runs = (w: World, mine: HeldLease, steps: readonly RouteStep[], over: Partial<ExecutePorts> = {}) =>
  finish(w, executeSteps({ ...w.ports, ...over }, mine, steps)).then((executed) => executed.steps);

/** Refuses every attempt that is sent, with these kinds in turn, then with the last one for ever. */
function refusing(w: World, kinds: readonly FaultKind[]) {
  const calls: { call: string; atMs: EpochMs }[] = [];
  const ec2: Ec2 = {
    ...w.ec2,
    apply: async ({ call }, mayStart) => {
      if (!mayStart()) throw new Fault('lease-short', 'LeaseShort', 'too little lease left');
      calls.push({ call, atMs: w.clock.now() });
      throw new Fault(kinds[calls.length - 1] ?? kinds.at(-1)!, 'Code', 'no');
    },
  };
  return { calls, ec2 };
}

describe('the pause before another attempt', () => {
  test.each([
    ['half of it', 0, [25, 50, 100, 200, 400, 500, 500]],
    ['nearly all of it', 0.999_999, [50, 100, 200, 400, 800, 1000, 1000]],
  ])('doubles from 50 ms to a second; chance lets a step wait %s', async (_what, chance, waits) => {
    const { w, mine } = held();
    const { calls, ec2 } = refusing(w, ['unknown']);
    await runs(w, mine, [step()], { ec2, random: () => chance });
    expect(calls[0]!.atMs, 'the first attempt waits for nothing').toBe(START);
    const between = calls.slice(1).map((c, n) => Math.round(c.atMs - calls[n]!.atMs));
    expect(between).toEqual(waits);
  });
});

describe('the turn of an attempt', () => {
  test('is an ordinary one first, and one in front for every repetition: it had its place already', async () => {
    const { w, mine } = held();
    const again: boolean[] = [];
    const callQueue = {
      waitForSlot: () => void again.push(false),
      waitForRetrySlot: () => void again.push(true),
      drain: () => undefined,
      sent: () => undefined,
    } as unknown as CallQueue;
    const { ec2 } = refusing(w, ['unknown', 'not-ready', 'denied']);
    await runs(w, mine, [step()], { ec2, callQueue });
    expect(again).toEqual([false, true, true]);
  });

  test('that was not used is given back, and one that was used is not', async () => {
    const burst = Array.from({ length: 49 }, (_, n) => step(n + 1));
    const used = held(49);
    await runs(used.w, used.mine, burst, { ec2: refusing(used.w, ['denied']).ec2 });
    expect(used.w.ports.localBucket.delay('CreateRoute', 1, START)).toBeGreaterThan(0);
    const unused = held(49);
    const never: HeldLease = { ...unused.mine, mayStart: () => false };
    await runs(unused.w, never, burst);
    expect(unused.w.ports.localBucket.delay('CreateRoute', 49, START)).toBe(0);
  });

  test('is waited for by what is no longer needed: the step ends with the next look at the lease', async () => {
    const { w, mine } = held();
    for (let n = 0; n < 49 + 75; n++) w.ports.localBucket.reserve('CreateRoute', START);
    mine.watch(() => false);
    const [told] = await runs(w, mine, [step()]);
    expect(told).toMatchObject({ result: 'unsent', attempts: 0, code: 'NotWanted' });
    expect(w.clock.now() - START, 'its turn would have come after 15 s').toBeLessThan(LEASE_TTL);
    expect(w.ec2.effects).toEqual([]);
  });

  test('that is refused while the lease is being prolonged is refused all the same: nothing is sent', async () => {
    const { w, mine } = held();
    const refuse = async () => {
      await w.clock.wait(durationMs(2500));
      throw new Fault('deadline', 'TurnsEnded', 'the failover is over');
    };
    const callQueue = { waitForSlot: refuse, drain: () => undefined } as unknown as CallQueue;
    // Asked after 2 s, answered after 3: the refusal lies between.
    const slow: HeldLease = { ...mine, renewIfDue: () => w.clock.wait(seconds(1)) };
    const [told] = await runs(w, slow, [step()], { callQueue });
    expect(told).toMatchObject({ result: 'unsent', code: 'TurnsEnded' });
    expect(w.ec2.effects).toEqual([]);
  });
});

describe('the lease before an attempt', () => {
  test('that is nearly over is prolonged first, also for a step whose turn is at once', async () => {
    const { w, mine } = held();
    w.clock.set(minus(AFTER_LEASE, durationMs(ATTEMPT_MAX + 2 * SKEW)));
    expect(mine.mayStart()).toBe(false);
    expect(await runs(w, mine, [step()])).toMatchObject([{ result: 'done', attempts: 1 }]);
    expect(item(w).lease!.expiresAtMs).toBe(plus(w.clock.now(), LEASE_TTL));
  });
});

describe('a refusal that is about something else', () => {
  test.each([
    ['ReplaceRoute', 'throttled'],
    ['CreateRoute', 'throttled'],
    ['CreateRoute', 'no-route'],
    ['ReplaceRoute', 'route-exists'],
  ] as const)('makes no other call of a %s that was answered %s', async (call, kind) => {
    const { w, mine } = held();
    const { calls, ec2 } = refusing(w, [kind, 'denied']);
    await runs(w, mine, [step(1, call)], { ec2 });
    expect(new Set(calls.map((c) => c.call))).toEqual(new Set([call]));
  });
});
