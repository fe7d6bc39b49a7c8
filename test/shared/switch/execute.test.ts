import { describe, expect, test } from 'vitest';
import { Fault, type FaultKind } from '../../../shared/fault.ts';
import type { Ec2 } from '../../../shared/network/ec2.ts';
import { plan } from '../../../shared/network/plan.ts';
import type { Step, StepDone } from '../../../shared/network/step.ts';
import { ATTEMPTS_MAX, executeSteps } from '../../../shared/switch/execute.ts';
import { type HeldLease, heldLease } from '../../../shared/switch/held-lease.ts';
import { durationMs, plus } from '../../../shared/time.ts';
import { LEASE_TTL } from '../../../shared/vip/lease.ts';
import {
  AFTER_LEASE,
  addTable,
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
const cause = { kind: 'order', why: 'test', atMs: START } as const;

interface Scene {
  readonly w: World;
  readonly mine: HeldLease;
  readonly steps: readonly Step[];
  readonly run: (ec2?: Partial<Ec2>, steps?: readonly Step[]) => Promise<readonly StepDone[]>;
}

/** One address, no EIP: a step for each of `tables` tables, under a lease that begins now. */
async function scene(tables = 4): Promise<Scene> {
  const w = world();
  for (let n = 5; n <= tables; n++) addTable(w.ec2, `rtb-${n}`, 'web');
  const lease = { holder: 'me', epoch: 1, expiresAtMs: AFTER_LEASE, cause };
  const vip = { ...item(w), addresses: [V4], eips: [], epoch: 1, lease };
  w.vips.items.set('web', vip);
  const { steps } = plan(vip, await w.ec2.observe(vip), A, true);
  const mine = heldLease('web', lease, w.vips, w.ports);
  return {
    w,
    mine,
    steps,
    run: (ec2 = {}, some = steps) =>
      finish(w, executeSteps({ ...w.ports, ec2: { ...w.ec2, ...ec2 } }, mine, some)).then((e) => e.steps),
  };
}

/** Answers the attempts at one table with these faults in turn, then carries out. */
function failing(w: World, table: string, kinds: readonly FaultKind[], code = 'Code'): Pick<Ec2, 'apply'> {
  const left = [...kinds];
  return {
    async apply(step, mayStart) {
      const kind = step.cell.startsWith(`${table} `) && mayStart() ? left.shift() : undefined;
      if (kind !== undefined) throw new Fault(kind, code, `${step.cell}: ${kind}`);
      await w.ec2.apply(step, mayStart);
    },
  };
}

describe('carrying out a plan', () => {
  test('sends every step at once and tells each with its times', async () => {
    const { w, run } = await scene();
    const told = await run();
    expect(told.map((s) => [s.cell, s.call, s.from, s.to, s.result, s.attempts])).toEqual(
      [1, 2, 3, 4].map((n) => [`rtb-${n} ${V4}`, 'CreateRoute', 'nothing', A.eni, 'done', 1]),
    );
    expect(told.every((s) => s.sentAtMs === START && s.doneAtMs === START)).toBe(true);
    expect(w.ec2.effects).toHaveLength(4);
  });

  test('one failing table never hides the rest: every step is tried and nothing is thrown', async () => {
    const { w, run } = await scene();
    const told = await run(failing(w, 'rtb-2', ['denied'], 'UnauthorizedOperation'));
    expect(told.map((s) => s.result)).toEqual(['done', 'failed', 'done', 'done']);
    expect(told[1]).toMatchObject({ attempts: 1, unanswered: 0, code: 'UnauthorizedOperation' });
    expect(told[1], 'EC2 refused it: no fault of our code').not.toHaveProperty('fault');
  });

  test('whatever a port throws is a told fault, of unknown effect when no one foresaw it', async () => {
    const { run } = await scene(1);
    const told = await run({
      apply: (_step, mayStart) => {
        mayStart();
        return Promise.reject(new Error('no one foresaw this'));
      },
    });
    expect(told[0]).toMatchObject({ result: 'unknown', attempts: ATTEMPTS_MAX, code: 'Error' });
  });
});

describe('an attempt that failed', () => {
  for (const kind of ['unknown', 'throttled', 'not-ready'] as const) {
    test(`${kind} is repeated, and what succeeded in the end is told as done`, async () => {
      const { w, run } = await scene(1);
      const [told] = await run(failing(w, 'rtb-1', [kind, kind]));
      expect(told).toMatchObject({ result: 'done', attempts: 3, unanswered: kind === 'unknown' ? 2 : 0 });
      expect(told!.code).toBeUndefined();
      expect(told!.doneAtMs! - told!.sentAtMs!).toBeGreaterThan(0);
    });
  }

  for (const kind of ['denied', 'gone', 'refused'] as const) {
    test(`${kind} is not repeated: trying again changes nothing`, async () => {
      const { w, run } = await scene(1);
      const [told] = await run(failing(w, 'rtb-1', [kind]));
      expect(told).toMatchObject({ result: 'failed', attempts: 1 });
      expect(w.ec2.effects.map((s) => s.cell)).not.toContain(`rtb-1 ${V4}`);
    });
  }

  test('is repeated a bounded number of times', async () => {
    const { w, run } = await scene(1);
    const [told] = await run(
      failing(
        w,
        'rtb-1',
        Array.from({ length: 99 }, () => 'unknown' as const),
      ),
    );
    expect(told).toMatchObject({ result: 'unknown', attempts: ATTEMPTS_MAX, unanswered: ATTEMPTS_MAX });
  });

  test('a refusal after an unanswered attempt does not prove that nothing happened', async () => {
    const { w, run } = await scene(1);
    const [told] = await run(failing(w, 'rtb-1', ['unknown', 'denied']));
    expect(told).toMatchObject({ result: 'unknown', attempts: 2, unanswered: 1 });
  });

  test('a throttle empties the pace’s bucket, so that the next call waits for its turn', async () => {
    const { w, run, steps } = await scene(2);
    await run(failing(w, 'rtb-1', ['throttled'], 'RequestLimitExceeded'), steps.slice(0, 1));
    expect(w.ports.localBucket.reserve('CreateRoute', w.clock.now())).toBeGreaterThan(0);
  });
});

describe('ReplaceRoute and CreateRoute', () => {
  test('a route that went away since it was seen is created', async () => {
    const { w, run, steps } = await scene(1);
    const replace = steps.slice(0, 1).map((s) => ({ ...s, call: 'ReplaceRoute' }) as Step);
    const [told] = await run({}, replace);
    expect(told).toMatchObject({ result: 'done', call: 'CreateRoute', attempts: 2 });
    expect(w.ec2.tables.get('rtb-1')!.routes[V4]!.target).toBe(A.eni);
  });

  test('a route that came since is replaced', async () => {
    const { w, run, steps } = await scene(1);
    routeTo(w, 'rtb-1', V4, { target: 'eni-i-b-service' });
    const [told] = await run({}, steps.slice(0, 1));
    expect(told).toMatchObject({ result: 'done', call: 'ReplaceRoute', attempts: 2 });
  });

  test.each([
    ['CreateRoute', 'no-route'],
    ['ReplaceRoute', 'route-exists'],
    ['AssociateAddress', 'no-route'],
    ['AssociateAddress', 'route-exists'],
  ] as const)(
    'each stand in for the other one only: %s that is refused with %s is not repeated',
    async (call, kind) => {
      const { w, run, steps } = await scene(1);
      const one = steps.slice(0, 1).map((s) => ({ ...s, call, eip: 'eipalloc-1' }) as Step);
      expect((await run(failing(w, 'rtb-1', [kind]), one))[0]).toMatchObject({
        result: 'failed',
        call,
        attempts: 1,
      });
    },
  );

  test('a route that comes and goes for ever ends with the attempts', async () => {
    const { w, run, steps } = await scene(1);
    const told = await run(
      {
        apply: async (step, mayStart) => {
          mayStart();
          const kind = step.call === 'CreateRoute' ? 'route-exists' : 'no-route';
          throw new Fault(kind, kind, 'flaps');
        },
      },
      steps.slice(0, 1),
    );
    expect(told[0]).toMatchObject({ result: 'failed', attempts: ATTEMPTS_MAX });
    expect(w.ec2.effects).toEqual([]);
  });
});

describe('lease and time', () => {
  test('nothing is sent with too little lease left, and the step reports it', async () => {
    const { w, run } = await scene(1);
    w.vips.items.set('web', { ...item(w), lease: { ...item(w).lease!, holder: 'someone else' } });
    w.clock.set(AFTER_LEASE);
    const [told] = await run();
    expect(told).toMatchObject({ result: 'unsent', attempts: 0, unanswered: 0, code: 'LeaseShort' });
    expect(w.ec2.effects).toEqual([]);
  });

  test('a retry asks again: a lease that was lost meanwhile ends the step', async () => {
    const { w, run, steps } = await scene(1);
    const [told] = await run(
      {
        apply: async (_step, mayStart) => {
          if (!mayStart()) throw new Fault('lease-short', 'LeaseShort', 'too little lease left');
          w.vips.items.set('web', { ...item(w), lease: { ...item(w).lease!, holder: 'someone else' } });
          w.clock.set(AFTER_LEASE);
          throw new Fault('throttled', 'RequestLimitExceeded', 'slow down');
        },
      },
      steps.slice(0, 1),
    );
    expect(told).toMatchObject({ result: 'failed', attempts: 1, code: 'LeaseShort' });
  });

  test('120 tables are paced over many seconds under one lease, which is prolonged meanwhile', async () => {
    const { w, run } = await scene(120);
    const told = await run();
    expect(told.every((s) => s.result === 'done' && s.attempts === 1)).toBe(true);
    const took = Math.max(...told.map((s) => s.doneAtMs! - START));
    expect(took).toBeGreaterThan(LEASE_TTL);
    expect(took).toBeLessThan(15_000);
    expect(item(w).epoch).toBe(1);
    expect(item(w).lease).toMatchObject({ holder: 'me' });
    expect(item(w).lease!.expiresAtMs).toBeGreaterThan(w.clock.now());
  });

  test('a lone step whose place comes after the lease would end keeps the lease until then', async () => {
    const { w, run, steps } = await scene(1);
    for (let n = 0; n < 49 + 75; n++) w.ports.localBucket.reserve('CreateRoute', START);
    const running = run({}, steps.slice(0, 1));
    await w.clock.advance(durationMs(LEASE_TTL + 1000));
    expect(item(w).lease!.expiresAtMs).toBeGreaterThan(w.clock.now());
    expect(await running).toMatchObject([{ result: 'done', attempts: 1 }]);
  });

  test('a step that would have to wait beyond the invocation is not sent', async () => {
    const { w, run } = await scene(60);
    const end = plus(START, durationMs(1000));
    const real = { ...w.clock };
    w.clock.wait = (duration) =>
      plus(w.clock.now(), duration) > end
        ? Promise.reject(new Fault('deadline', 'Deadline', 'no time left'))
        : real.wait(duration);
    const short = await run();
    // 49 at once and 4 within the second.
    expect(short.filter((s) => s.result === 'done')).toHaveLength(53);
    expect(short.at(-1)).toMatchObject({ result: 'unsent', attempts: 0, code: 'Deadline' });
  });
});
