// What is sent again after reading back, and how both goes are told as one.
import { describe, expect, test } from 'vitest';
import { Fault, type FaultKind } from '../../../shared/fault.ts';
import type { Ec2 } from '../../../shared/network/ec2.ts';
import type { AddressSeen, TableSeen } from '../../../shared/network/observation.ts';
import { plan } from '../../../shared/network/plan.ts';
import type { Step, StepDone, StepTried } from '../../../shared/network/step.ts';
import { executeSteps, untold } from '../../../shared/switch/execute.ts';
import { type HeldLease, heldLease } from '../../../shared/switch/held-lease.ts';
import { ROUNDS_MAX, type Verdict, verify } from '../../../shared/switch/verify.ts';
import { durationMs, hours, plus } from '../../../shared/time.ts';
import { STALE_READ } from '../../../shared/vip/lease.ts';
import { nodeStateFrom } from '../../../shared/vip/node-state.ts';
import type { Vip } from '../../../shared/vip/vip.ts';
import {
  addTable,
  change,
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
const cell = (n: number) => `rtb-${n} ${V4}`;

interface Scene {
  readonly w: World;
  readonly mine: HeldLease;
  readonly steps: readonly StepTried[];
  readonly check: (over?: Partial<Ec2>, told?: readonly StepTried[]) => Promise<Verdict>;
  /** Counts the reads. */
  readonly looks: () => number;
}

/** Node a is elected, the lease is held, and its plan was sent: four routes from b to a, less those that are a stranger's. */
async function sent(over: Partial<Vip> = {}, strangers: readonly number[] = []): Promise<Scene> {
  const w = world();
  for (const n of [1, 2, 3, 4])
    routeTo(w, `rtb-${n}`, V4, { target: strangers.includes(n) ? 'tgw-1' : B.eni });
  const lease = { holder: 'me', epoch: 1, expiresAtMs: plus(START, hours(1)), cause };
  const claims = { 'i-a': nodeStateFrom(claimOf('i-a'), START) };
  const vip: Vip = { ...item(w), addresses: [V4], eips: [], epoch: 1, lease, claims, ...over };
  w.vips.items.set('web', vip);
  const mine = heldLease('web', lease, w.vips, w.ports);
  const { steps } = await finish(
    w,
    executeSteps(w.ports, mine, plan(vip, await w.ec2.observe(vip), A, true).steps),
  );
  let looks = 0;
  const observe: Ec2['observe'] = (scope) => {
    looks += 1;
    return w.ec2.observe(scope);
  };
  return {
    w,
    mine,
    steps,
    looks: () => looks,
    check: (ec2 = {}, told = steps) =>
      finish(w, verify({ ...w.ports, ec2: { ...w.ec2, observe, ...ec2 } }, mine, { vip, target: A }, told)),
  };
}

/** Someone's late request put the routes of these tables back to b, long enough ago for a read to be believed. */
async function overwritten(scene: Scene, ...tables: readonly number[]): Promise<void> {
  await scene.w.clock.advance(STALE_READ);
  for (const n of tables) routeTo(scene.w, `rtb-${n}`, V4, { target: B.eni });
}

const refusing = (kind: FaultKind, code = 'Code'): Partial<Ec2> => ({
  apply: async (_step, mayStart) => {
    if (kind !== 'lease-short') mayStart();
    throw new Fault(kind, code, 'no');
  },
});
const as = (steps: readonly StepTried[], n: number, over: Partial<StepDone>): readonly StepTried[] =>
  steps.map((s) => (s.cell === cell(n) ? { ...s, ...over } : s));
const told = ({ steps }: Pick<Verdict, 'steps'>, n: number) => steps.find((s) => s.cell === cell(n));

describe('a cell that is sent again', () => {
  test('is told once: as it ended, from where it began, with all its attempts and the first time that it went out', async () => {
    const scene = await sent();
    await overwritten(scene, 2);
    const verdict = await scene.check();
    expect(verdict.steps).toHaveLength(4);
    const first = scene.steps.find((s) => s.cell === cell(2))!;
    expect(told(verdict, 2)).toEqual({ ...first, attempts: 2, doneAtMs: scene.w.clock.now() });
    expect(first.doneAtMs).toBeLessThan(scene.w.clock.now());
  });

  test('for the first time, since its turn had not come, is told with the time of this one', async () => {
    const scene = await sent();
    await overwritten(scene, 3);
    const { sentAtMs: _sent, doneAtMs: _done, ...never } = scene.steps.find((s) => s.cell === cell(3))!;
    const steps = scene.steps.map((s) =>
      s.cell === cell(3) ? { ...never, result: 'unsent' as const, attempts: 0 } : s,
    );
    const verdict = await scene.check({}, steps);
    expect(told(verdict, 3)).toMatchObject({ result: 'done', attempts: 1, sentAtMs: scene.w.clock.now() });
  });

  test.each([
    ['an unanswered one that is refused now', 'unknown', 'denied', 'unknown'],
    ['a done one that is refused now', 'done', 'denied', 'failed'],
    ['a done one for which too little lease is left', 'done', 'lease-short', 'unsent'],
    ['an unanswered one for which too little lease is left', 'unknown', 'lease-short', 'unknown'],
    ['a done one that has no answer now', 'done', 'unknown', 'unknown'],
  ] as const)('%s was %s, answered %s, and is told as %s', async (_what, was, kind, is) => {
    const scene = await sent();
    await overwritten(scene, 2);
    const unanswered = was === 'unknown' ? 1 : 0;
    const verdict = await scene.check(refusing(kind), as(scene.steps, 2, { result: was, unanswered }));
    expect(told(verdict, 2)!.result).toBe(is);
    // What could not be sent again keeps its own word, unless it had succeeded: then it says what kept it.
    const keepsItsWord = kind === 'lease-short' && was !== 'done';
    expect(told(verdict, 2)!.code).toBe(keepsItsWord ? undefined : 'Code');
    expect(told(verdict, 2)!.unanswered).toBeGreaterThanOrEqual(kind === 'unknown' ? 1 : unanswered);
    expect(told(verdict, 1)!.result).toBe('done');
    expect(verdict.verified).toBe(false);
  });

  test.each(['the read fails', 'the election has changed'] as const)(
    'that had landed and is refused now is unknown, and not failed, where no read follows: %s',
    async (what) => {
      const scene = await sent();
      await overwritten(scene, 2);
      const observe = scene.w.ec2.observe.bind(scene.w.ec2);
      const refused = refusing('denied').apply!;
      let wasRefused = false;
      const verdict = await scene.check({
        async apply(step, mayStart) {
          wasRefused = true;
          const newer = nodeStateFrom(claimOf('i-b', { atMs: 5000 }), START);
          if (what === 'the election has changed')
            change(scene.w, { claims: { ...item(scene.w).claims, 'i-b': newer } });
          await refused(step, mayStart);
        },
        observe: (scope) =>
          wasRefused && what === 'the read fails' ? Promise.reject(new Error('down')) : observe(scope),
      });
      expect(told(verdict, 2)).toMatchObject({ result: 'unknown', code: 'Code' });
      expect([verdict.verified, told(verdict, 1)!.result]).toEqual([false, 'done']);
    },
  );

  test('is its own and no other: a refusal at one table keeps no other from being sent again', async () => {
    const scene = await sent();
    await overwritten(scene, 1, 2);
    const verdict = await scene.check({}, as(scene.steps, 1, { result: 'failed' }));
    expect([told(verdict, 1)!.attempts, told(verdict, 2)!.attempts]).toEqual([1, 2]);
    expect(verdict.verified).toBe(false);
    expect(scene.w.ec2.tables.get('rtb-1')!.routes[V4]!.target).toBe(B.eni);
  });

  test('may be one that was not in the plan: a table labelled since is set, and told once', async () => {
    const scene = await sent();
    await scene.w.clock.advance(STALE_READ);
    addTable(scene.w.ec2, 'rtb-5', 'web');
    const verdict = await scene.check();
    expect(verdict.steps.map((s) => s.cell)).toEqual([1, 2, 3, 4, 5].map(cell));
    expect(told(verdict, 5)).toMatchObject({ result: 'done', call: 'CreateRoute' });
    expect(verdict.verified).toBe(true);
  });
});

describe('looking again', () => {
  test('ends when nothing that is wrong is worth sending', async () => {
    const scene = await sent();
    await overwritten(scene, 1);
    await scene.check({}, as(scene.steps, 1, { result: 'failed' }));
    expect(scene.looks()).toBe(1);
  });

  test('ends when nothing may be sent any more: no lease is left for it', async () => {
    const scene = await sent();
    await overwritten(scene, 1);
    const before = scene.w.ec2.effects.length;
    scene.w.clock.set(plus(START, hours(1)));
    const verdict = await scene.check();
    expect([scene.looks(), scene.w.ec2.effects.length]).toEqual([1, before]);
    expect(told(verdict, 1)).toMatchObject({ result: 'done', attempts: 1 });
    expect(verdict).toMatchObject({ verified: false, notes: ['read back: EC2 does not show what was sent'] });
  });

  test('ends with a look: nothing is sent in the last round that no one reads back', async () => {
    const scene = await sent();
    await scene.w.clock.advance(STALE_READ);
    const before = scene.w.ec2.effects.length;
    const observe: Ec2['observe'] = async (scope) => {
      routeTo(scene.w, 'rtb-1', V4, { target: B.eni });
      return { ...(await scene.w.ec2.observe(scope)), beganAtMs: plus(scene.w.clock.now(), STALE_READ) };
    };
    await scene.check({ observe });
    expect(scene.w.ec2.effects.length - before).toBe(ROUNDS_MAX - 1);
  });
});

describe('what was never sent', () => {
  const unsent = { result: 'unsent', attempts: 0, code: 'NotWanted' } as const;
  const cells = ({ steps }: Verdict) => steps.map((s) => s.cell);

  test('and is right by a read that can be trusted, to the millisecond, needs no sending: it is not told', async () => {
    for (const [earlyMs, kept] of [
      [0, [1, 3, 4]],
      [1, [1, 2, 3, 4]],
    ] as const) {
      const scene = await sent({ touchedAtMs: START });
      await scene.w.clock.advance(durationMs(STALE_READ - earlyMs));
      const verdict = await scene.check({}, as(scene.steps, 2, unsent));
      expect(cells(verdict), `${earlyMs} ms before it can be trusted`).toEqual(kept.map(cell));
    }
  });

  test('is told when the read cannot be trusted, or when it was tried before', async () => {
    const fresh = await sent({ touchedAtMs: START });
    expect(cells(await fresh.check({}, as(fresh.steps, 2, unsent)))).toHaveLength(4);
    const tried = await sent();
    await tried.w.clock.advance(STALE_READ);
    expect(cells(await tried.check({}, as(tried.steps, 2, { ...unsent, attempts: 1 })))).toHaveLength(4);
  });

  test('and is wrong is told, also when it cannot be sent now', async () => {
    const scene = await sent();
    await overwritten(scene, 2);
    const verdict = await scene.check(refusing('lease-short', 'LeaseShort'), as(scene.steps, 2, unsent));
    expect(told(verdict, 2)).toMatchObject({ result: 'unsent', attempts: 0 });
  });
});

test('a done one that an old read did not show, and that was refused when it was sent again, is done when the next read shows it', async () => {
  const scene = await sent();
  await scene.w.clock.advance(STALE_READ);
  let looks = 0;
  const observe: Ec2['observe'] = async (scope) => {
    const seen = await scene.w.ec2.observe(scope);
    looks += 1;
    if (looks > 1) return seen;
    const without = (t: TableSeen) => (t.table === 'rtb-2' ? { ...t, routes: {} } : t);
    return { ...seen, tables: seen.tables.map(without) };
  };
  const verdict = await scene.check({ observe, ...refusing('denied') });
  expect(told(verdict, 2)).toMatchObject({ result: 'done', attempts: 2 });
  expect(verdict.verified).toBe(true);
});

test('one that was never sent, and refused when it was, is no success of ours when the next read shows it right', async () => {
  const scene = await sent();
  await overwritten(scene, 2);
  let looks = 0;
  const observe: Ec2['observe'] = (scope) => {
    looks += 1;
    if (looks > 1) routeTo(scene.w, 'rtb-2', V4, { target: A.eni });
    return scene.w.ec2.observe(scope);
  };
  const steps = as(scene.steps, 2, { result: 'unsent', attempts: 0 });
  const verdict = await scene.check({ observe, ...refusing('denied') }, steps);
  expect(told(verdict, 2)).toMatchObject({ result: 'failed', attempts: 1 });
});

describe('a cell that was not carried out and looks right', () => {
  test.each(['failed', 'unsent'] as const)(
    'is not proven by a read so soon after the last mutation: it may show what was there before (%s)',
    async (result) => {
      const scene = await sent({ touchedAtMs: START });
      const verdict = await scene.check({}, as(scene.steps, 2, { result, attempts: 0 }));
      expect(verdict).toMatchObject({
        verified: false,
        notes: [`read back too soon to tell: ${cell(2)} was not carried out, and looks right`],
      });
      expect(told(verdict, 2)).toMatchObject({ result, attempts: 0 });
    },
  );

  test('is by a later one: someone else has set it', async () => {
    const scene = await sent({ touchedAtMs: START });
    await scene.w.clock.advance(STALE_READ);
    const verdict = await scene.check({}, as(scene.steps, 2, { result: 'failed' }));
    expect(verdict).toMatchObject({ verified: true, notes: [] });
  });
});

test('a cell that was a stranger’s from the start was not sent, and is no news when it is read back', async () => {
  const { steps, check } = await sent({}, [4]);
  expect(steps).toHaveLength(3);
  expect(await check()).toMatchObject({ verified: true, notes: [] });
});

describe('a cell of which the read says nothing', () => {
  const tried = (step: Step): StepTried => ({
    ...untold(step),
    ...{ step, result: 'done', attempts: 1, unanswered: 0, sentAtMs: START, doneAtMs: START },
  });
  const base = { from: 'x', eni: A.eni };
  const eip = { eip: 'eipalloc-2', privateAddress: '10.0.0.9' };

  test.each([
    ['table', tried({ ...base, cell: cell(5), call: 'ReplaceRoute', table: 'rtb-5', destination: V4 })],
    ['Elastic IP', tried({ ...base, cell: 'eipalloc-2', call: 'AssociateAddress', ...eip })],
    [
      'ENI',
      tried({ ...base, cell: 'eni-gone check', call: 'ModifyNetworkInterfaceAttribute', eni: 'eni-gone' }),
    ],
  ])('is looked for again and then told, also when every other %s is shown', async (_what, missing) => {
    const { w, steps, check } = await sent();
    const other = { eip: 'eipalloc-3', publicAddress: '203.0.113.12', label: 'web' };
    w.ec2.eips.set('eipalloc-3', other);
    const verdict = await check({}, [...steps, missing]);
    expect(verdict).toMatchObject({
      verified: false,
      notes: [`read back: EC2 showed nothing of ${missing.cell}`],
    });
  });

  test('holds up nothing: what is wrong meanwhile is sent in the same round', async () => {
    const scene = await sent();
    await overwritten(scene, 1);
    let reads = 0;
    const observe: Ec2['observe'] = async (scope) => {
      const seen = await scene.w.ec2.observe(scope);
      reads += 1;
      return reads > 1 ? seen : { ...seen, tables: seen.tables.filter((t) => t.table !== 'rtb-2') };
    };
    expect(await scene.check({ observe })).toMatchObject({ verified: true });
    expect(reads).toBe(2);
  });

  test('is not also left alone as out of reach, as a cell is that shows a stranger', async () => {
    const { w, check } = await sent({ eips: ['eipalloc-1'] });
    routeTo(w, 'rtb-2', V4, { target: 'tgw-1' });
    const observe: Ec2['observe'] = async (scope) => ({ ...(await w.ec2.observe(scope)), eips: [] });
    expect((await check({ observe })).conflicts.map((c) => c.cell)).toEqual([cell(2)]);
  });

  test('is right once a later read shows it, and nothing is sent for it meanwhile', async () => {
    const { w, check } = await sent();
    let reads = 0;
    const observe: Ec2['observe'] = async (scope) => {
      const seen = await w.ec2.observe(scope);
      reads += 1;
      return reads > 1 ? seen : { ...seen, tables: seen.tables.filter((t) => t.table !== 'rtb-2') };
    };
    const before = w.ec2.effects.length;
    expect(await check({ observe })).toMatchObject({ verified: true, notes: [] });
    expect([reads, w.ec2.effects.length]).toEqual([2, before]);
  });
});

test('a VIP whose two Elastic IPs are both where they belong is verified', async () => {
  const { w, mine } = await sent();
  w.ec2.eips.set('eipalloc-2', { eip: 'eipalloc-2', publicAddress: '203.0.113.11', label: 'web' });
  const vip: Vip = { ...item(w), eips: ['eipalloc-1', 'eipalloc-2'] };
  const { steps } = plan(vip, await w.ec2.observe(vip), A, true);
  const told = (await finish(w, executeSteps(w.ports, mine, steps))).steps;
  expect(told.map((s) => s.cell)).toEqual(['eipalloc-1', 'eipalloc-2']);
  expect(await finish(w, verify(w.ports, mine, { vip, target: A }, told))).toMatchObject({ verified: true });
});

describe('the item that is read along', () => {
  test('is followed: work that was not needed for a moment and is needed again continues', async () => {
    const scene = await sent();
    await overwritten(scene, 2);
    const pin = { node: 'i-b', untilMs: START, by: 'ops', reason: 'test' };
    scene.mine.watch((vip) => vip.pin === undefined);
    scene.mine.observe({ ...item(scene.w), pin });
    expect(scene.mine.mayStart()).toBe(false);
    expect(told(await scene.check(), 2)).toMatchObject({ result: 'done', attempts: 2 });
  });

  test('says nothing when it could not be read or is gone', async () => {
    for (const read of [() => Promise.reject(new Error('slow down')), () => Promise.resolve(undefined)]) {
      const scene = await sent();
      const asked: unknown[] = [];
      scene.mine.watch((vip) => asked.push(vip) > 0);
      scene.w.vips.read = read;
      expect((await scene.check()).stop).toBeUndefined();
      expect(asked).toEqual([]);
    }
  });
});

describe('an EIP that another VIP threw off at the same moment', () => {
  const EIP = 'eipalloc-1';
  const eipAt = (w: World, eip: string) => w.ec2.eips.get(eip)?.privateAddress;
  /** As AssociateAddress does: the stranger takes the address, ours lies nowhere. */
  function thrownOff(w: World, elsewhere?: string): string {
    const { eni, privateAddress, ...loose } = w.ec2.eips.get(EIP)!;
    w.ec2.eips.set(EIP, loose);
    const taken = elsewhere ?? privateAddress!;
    w.ec2.eips.set('eipalloc-x', {
      eip: 'eipalloc-x',
      publicAddress: '203.0.113.99',
      eni: eni!,
      privateAddress: taken,
    });
    return taken;
  }

  test('is no stale read: it goes to another address at once, and the other one keeps its own', async () => {
    const scene = await sent({ eips: [EIP] });
    const taken = thrownOff(scene.w);
    expect(await scene.check()).toMatchObject({ verified: true, steps: [{ attempts: 2 }, {}, {}, {}, {}] });
    expect(eipAt(scene.w, 'eipalloc-x')).toBe(taken);
    expect([undefined, taken]).not.toContain(eipAt(scene.w, EIP));
  });

  /** What a read shows that is older than the association: our EIP nowhere, and the ENI's addresses as `shown` says. */
  const stale = (w: World, shown: (at: AddressSeen) => readonly AddressSeen[]): Partial<Ec2> => ({
    observe: async (scope) => {
      const seen = await w.ec2.observe(scope);
      return {
        ...seen,
        eips: seen.eips.map(({ eip, publicAddress }) => ({ eip, publicAddress })),
        enis: seen.enis.map((eni) => ({ ...eni, addresses: eni.addresses.toReversed().flatMap(shown) })),
      };
    },
  });
  const bare = ({ privateAddress }: AddressSeen): AddressSeen => ({ privateAddress });

  test.each([
    ['its address is not shown at all', (at: AddressSeen) => (at.eip === EIP ? [] : [at])],
    ['the ENI shows it in its place', (at: AddressSeen) => [at]],
    [
      'another EIP is next to it',
      (at: AddressSeen) => [at.eip === EIP ? bare(at) : { ...at, eip: 'eipalloc-x' }],
    ],
  ])('may be a stale read where %s: it is not sent again', async (_what, shown) => {
    const scene = await sent({ eips: [EIP] });
    const free = (at: AddressSeen) =>
      at.eip === EIP ? shown(at) : [...shown(at), { privateAddress: '10.0.9.9' }];
    const verdict = await scene.check(stale(scene.w, free));
    expect(verdict).toMatchObject({ verified: false, steps: [{ attempts: 1 }, {}, {}, {}, {}] });
  });

  test('may be a stale read while no one is seen on its address: it is not sent again', async () => {
    const scene = await sent({ eips: [EIP] });
    thrownOff(scene.w, '10.0.2.99');
    expect(await scene.check()).toMatchObject({ verified: false, steps: [{ attempts: 1 }, {}, {}, {}, {}] });
  });
});
