// The workflow's steps, its report and its preflight: each word that is recorded or told, and each bound.
import { describe, expect, it } from 'vitest';
import type { ApprovalRequest } from '../../../shared/forced-failover/approval.ts';
import {
  CARRIED_MAX,
  callsOf,
  carriedPreflight,
  carriedVerdict,
} from '../../../shared/forced-failover/carried.ts';
import type { ExecutionState } from '../../../shared/forced-failover/execution.ts';
import type { FailoverOrder } from '../../../shared/forced-failover/order.ts';
import { operatorsReasons, type Preflight, preflight } from '../../../shared/forced-failover/preflight.ts';
import { report } from '../../../shared/forced-failover/report.ts';
import { type StepName, steps } from '../../../shared/forced-failover/steps.ts';
import { forbidsPin, forbidsUnpin } from '../../../shared/forced-failover/under-way.ts';
import { ROUTES_PER_TABLE } from '../../../shared/network/next-owner.ts';
import { rates } from '../../../shared/rate-limit/local-bucket.ts';
import { durationMs, hours, minus, minutes, plus, seconds } from '../../../shared/time.ts';
import {
  type OperatorAction,
  type OperatorActionKind,
  operatorAction,
  operatorActionKinds,
  requireReason,
} from '../../../shared/timeline/operator-action.ts';
import { finish, item, owned, START, says, type World } from '../../support/world.ts';

const order: FailoverOrder = {
  ...{ vip: 'web', to: 'i-b', mode: 'routes-only', reason: 'patching', by: 'ann' },
  ...{ dryRun: false, approval: true, pinMinutes: 60, claimWaitSeconds: 30, release: 'safe' },
};
const found: Preflight & { readonly order: FailoverOrder } = {
  ...{
    outcome: 'fit',
    reasons: [],
    plan: [],
    conflicts: [],
    atLeastMs: 0,
    before: { owner: 'i-a', priority: 100 },
  },
  order,
};

interface Run {
  readonly w: World;
  readonly actions: OperatorAction[];
  readonly asked: ApprovalRequest[];
  readonly run: (name: StepName, story?: ExecutionState) => Promise<Readonly<Record<string, unknown>>>;
}
async function running(): Promise<Run> {
  const w = await owned();
  await says(w, 'i-b', { state: 'BACKUP' });
  const [actions, asked]: [OperatorAction[], ApprovalRequest[]] = [[], []];
  const ports = {
    ...w.ports,
    orders: { put: async (action: OperatorAction) => void actions.push(action) },
    approvals: { ask: async (request: ApprovalRequest) => void asked.push(request), pending: async () => [] },
  };
  const run: Run['run'] = async (name, story = {}) => {
    const input = {
      execution: 'run-1',
      stage: 'prod',
      token: 'token',
      story: { preflight: found, ...story },
    };
    return (await finish(
      w,
      (steps[name] as (p: object, i: object) => Promise<object>)(ports, input),
    )) as never;
  };
  return { w, actions, asked, run };
}

describe('a step', () => {
  it('asks for approval with all calls that it would take, for an hour', async () => {
    const { w, asked, run } = await running();
    const plan = [{ call: 'ReplaceRoute', cell: 'c', from: 'f', eni: 'e' }] as const;
    const left = { plan: 99, conflicts: 0, reasons: 0 };
    expect(await run('requestApproval', { preflight: { ...found, plan, left } })).toEqual({ asked: true });
    const atMs = w.clock.now();
    expect(asked).toEqual([
      {
        ...{ vip: 'web', execution: 'run-1', token: 'token', order, plan, calls: 100 },
        atMs,
        untilMs: plus(atMs, minutes(60)),
      },
    ]);
  });

  it.each([
    [
      'approve',
      { approved: true, by: 'bob', reason: 'go' },
      { outcome: 'approved' },
      { by: 'bob', reason: 'go' },
    ],
    [
      'deny',
      { approved: false, by: 'bob', reason: 'not now' },
      { outcome: 'denied' },
      { by: 'bob', reason: 'not now' },
    ],
    ['deny', { approved: false, by: 'bob' }, { outcome: 'denied' }, { by: 'bob', reason: '' }],
    ['deny', { approved: true, by: '' }, { outcome: 'malformed' }, { by: 'no one' }],
  ])('records who answered: %s by %j', async (kind, decision, answer, recorded) => {
    const { actions, run } = await running();
    expect(await run('recordDecision', { decision })).toMatchObject(answer);
    expect(actions).toMatchObject([{ entry: 'order', vip: 'web', order: kind, node: 'i-b', ...recorded }]);
    expect(actions[0]!.id).toMatch(new RegExp(`/run-1/${kind}$`));
  });

  it('records the order under the name of who gave it', async () => {
    const { actions, run } = await running();
    const answer = await run('recordOrder');
    expect(actions).toMatchObject([
      { order: 'failover', by: 'ann', reason: 'routes-only: patching', node: 'i-b' },
    ]);
    expect(answer).toEqual({ id: actions[0]!.id });
  });

  it('records an order that came to nothing, where it was on record', async () => {
    for (const [orderRecord, count] of [
      [{ id: 'order/x' }, 1],
      [{}, 0],
    ] as const) {
      const { w, actions, run } = await running();
      w.vips.items.set('web', { ...item(w), owner: 'i-c' });
      expect(await run('beginOrder', { orderRecord })).toMatchObject({ outcome: 'refused' });
      expect(actions.map(({ order: kind, of, by }) => [kind, of, by])).toEqual(
        Array(count).fill(['not-carried-out', 'order/x', 'ann']),
      );
      expect(actions[0]?.why ?? 'the owner is i-c now').toContain('the owner is i-c now');
    }
  });

  it('begins where nothing is in its way, counts its rounds, and takes the order out of the item at the end', async () => {
    const { w, actions, run } = await running();
    const orderRecord = { id: 'order/x' };
    expect(await run('beginOrder', { orderRecord })).toMatchObject({ outcome: 'begun' });
    expect([item(w).forced, actions]).toMatchObject([
      { execution: 'run-1', node: 'i-b', from: 'i-a', by: 'ann' },
      [],
    ]);
    await run('report', { preflight: found });
    expect(item(w).forced, 'an order that was not on record').toBeDefined();
    w.vips.items.set('web', { ...item(w), forced: { ...item(w).forced!, execution: 'another' } });
    await run('report', { orderRecord });
    expect(item(w).forced, 'another one’s').toBeDefined();
    w.vips.items.set('web', { ...item(w), forced: { ...item(w).forced!, execution: 'run-1' } });
    await run('report', { orderRecord });
    expect(item(w).forced).toBeUndefined();
    expect(await run('switchVip')).toMatchObject({ outcome: 'switched', owner: 'i-b', round: 1 });
    expect(await run('switchVip', { switched: { outcome: 'moving', why: 'w', round: 2 } })).toMatchObject({
      round: 3,
    });
  });
});

describe('the report', () => {
  const textOf = (story: ExecutionState) =>
    report({ execution: 'run-1', stage: 'prod', story: { preflight: found, ...story } });

  it.each([
    ['no one approved it in time', { end: { outcome: 'denied' } }],
    [
      'denied by bob: not now',
      { end: { outcome: 'denied' }, decision: { approved: false, by: 'bob', reason: 'not now' } },
    ],
    ['denied by bob: no reason', { end: { outcome: 'denied' }, decision: { approved: false, by: 'bob' } }],
    [
      'still moving after 4 rounds: EC2 is slow',
      { switched: { outcome: 'moving', why: 'EC2 is slow', round: 4 } },
    ],
    ['keepalived took it back after the release: x', { stoodBy: { outcome: 'taken-back', why: 'x' } }],
    ['no claim', { awaited: { outcome: 'missing', why: 'no claim' } }],
    [
      'EC2 does not show it: a, b and 7 more',
      { verified: { outcome: 'wrong', wrong: ['a', 'b'], left: { wrong: 7, conflicts: 0 } } },
    ],
    ['frozen', { begun: { outcome: 'refused', reasons: ['frozen'] } }],
    ['E: c', { error: { Error: 'E', Cause: 'c' } }],
    ['no reason was given', {}],
  ] as const)('gives as the cause: %s', (cause, story) => {
    expect(textOf(story as unknown as ExecutionState)).toMatchObject({
      cause,
      text: expect.stringContaining(`Reason: ${cause}`),
    });
  });

  it('names the owner of the way back, not of the way there', () => {
    const there = { outcome: 'switched', owner: 'i-b', epoch: 2 } as const;
    const back = { outcome: 'switched', owner: 'i-a', epoch: 3 } as const;
    expect(textOf({ switched: there }).text).toContain('Now the owner: i-b');
    expect(textOf({ switched: there, switchedBack: back }).text).toContain('Now the owner: i-a');
  });

  it('tells what was left alone once: in the notice of its own switch, else in a line of its own', () => {
    const verified = {
      outcome: 'right',
      wrong: [],
      conflicts: ['eipalloc-1 → eni-x'],
      left: { wrong: 0, conflicts: 3 },
    };
    const alone = textOf({ end: { outcome: 'done' }, verified }).text;
    expect(alone.match(/Left alone/g)).toHaveLength(1);
    expect(alone).toContain('… and 3 more left alone');
    const notice = { subject: 's', text: 'Left alone: eipalloc-1 (eni-x)' };
    const switched = { outcome: 'switched', owner: 'i-b', epoch: 2, notice } as const;
    const own = textOf({ end: { outcome: 'done' }, verified, switched }).text;
    expect(own.match(/Left alone/g)).toHaveLength(1);
  });
});

describe('what the workflow carries', () => {
  const list = <T>(count: number, one: T): T[] => Array.from({ length: count }, () => one);
  const step = { call: 'ReplaceRoute', cell: 'c', from: 'f', eni: 'e' } as const;
  const conflict = { cell: 'c', found: 'f', why: 'w', kind: 'foreign' } as const;

  it('is the first of each list, and how many more there are of each', () => {
    const full = {
      ...found,
      plan: list(CARRIED_MAX, step),
      conflicts: list(CARRIED_MAX, conflict),
      reasons: list(CARRIED_MAX, 'r'),
    };
    expect(carriedPreflight(full)).toEqual(full);
    const more = {
      ...full,
      plan: list(CARRIED_MAX + 1, step),
      conflicts: list(CARRIED_MAX + 2, conflict),
      reasons: list(CARRIED_MAX + 3, 'r'),
    };
    const carried = carriedPreflight(more);
    expect(carried).toEqual({ ...full, left: { plan: 1, conflicts: 2, reasons: 3 } });
    expect([callsOf(full), callsOf(carried)]).toEqual([CARRIED_MAX, CARRIED_MAX + 1]);
    const verdict = {
      outcome: 'wrong',
      wrong: list(CARRIED_MAX, 'w'),
      conflicts: list(CARRIED_MAX, 'c'),
    } as const;
    expect(carriedVerdict(verdict)).toEqual(verdict);
    for (const [wrong, conflicts] of [
      [1, 0],
      [0, 2],
      [3, 4],
    ] as const)
      expect(
        carriedVerdict({
          ...verdict,
          wrong: list(CARRIED_MAX + wrong, 'w'),
          conflicts: list(CARRIED_MAX + conflicts, 'c'),
        }),
      ).toEqual({ ...verdict, left: { wrong, conflicts } });
  });
});

describe('the preflight', () => {
  const judge = async (
    w: World,
    change: (seen: Awaited<ReturnType<typeof w.ec2.observe>>) => object = () => ({}),
  ) => {
    const seen = await w.ec2.observe(item(w));
    return preflight(item(w), { ...seen, ...change(seen) }, order, { now: w.clock.now() });
  };

  it('counts the routes that are made against the quota, to the last one that fits', async () => {
    const { w } = await running();
    const [first] = (await w.ec2.observe(item(w))).tables;
    const filled = (total: number, routes: object) =>
      judge(w, (seen) => ({
        tables: seen.tables.map((t) => (t.table === first!.table ? { ...t, total, routes } : t)),
      }));
    expect((await filled(ROUTES_PER_TABLE - 2, {})).reasons).toEqual([]);
    expect((await filled(ROUTES_PER_TABLE - 1, {})).reasons).toHaveLength(1);
    // A route over a propagated one is made, and there is room for it: it is counted among those that are there.
    const propagated = Object.fromEntries(
      item(w).addresses.map((address) => [address, { target: 'vgw-1', state: 'active', propagated: true }]),
    );
    expect(
      (await filled(ROUTES_PER_TABLE, propagated)).reasons.filter((r) => r.includes('headroom')),
    ).toEqual([]);
  });

  it('refuses a target whose ENI drops what is not addressed to it', async () => {
    const { w } = await running();
    const { reasons } = await judge(w, (seen) => ({
      enis: seen.enis.map((eni) => ({ ...eni, sourceDestCheck: true })),
    }));
    expect(reasons).toEqual([expect.stringMatching(/^source\/destination check is on at eni-i-b-service/)]);
  });

  it('honours orders while they last, and its own execution’s not at all', async () => {
    const { w } = await running();
    const now = w.clock.now();
    const ending = (untilMs: typeof now) => ({ untilMs, by: 'bob', reason: 'why' });
    const reasons = (over: object, execution?: string) =>
      operatorsReasons({ ...item(w), ...over }, order, now, execution);
    const soon = plus(now, durationMs(1));
    for (const [over, count] of [
      [{ freeze: ending(soon) }, 1],
      [{ freeze: ending(now) }, 0],
      [{ pin: { node: 'i-a', ...ending(soon) } }, 1],
      [{ pin: { node: 'i-a', ...ending(now) } }, 0],
      [{ pin: { node: 'i-b', ...ending(soon) } }, 0],
    ] as const)
      expect(reasons(over), JSON.stringify(over)).toHaveLength(count);
    const forced = { node: 'i-b', execution: 'run-2', atMs: minus(now, seconds(1)), ...ending(soon) };
    expect([
      reasons({ forced }).length,
      reasons({ forced }, 'run-2').length,
      reasons({ forced }, 'run-1').length,
    ]).toEqual([1, 0, 1]);
    expect(forbidsPin({ ...item(w), forced }, 'i-b', now), 'a pin to where it goes').toBeUndefined();
    expect(forbidsPin({ ...item(w), forced }, 'i-a', now)).toBe(forced);
    expect(forbidsPin({ ...item(w), forced }, 'i-a', soon)).toBeUndefined();
    expect(forbidsUnpin({ ...item(w), forced, pin: { node: 'i-b', ...ending(soon) } }, now)).toBe(forced);
    for (const other of [{ by: 'ann' }, { reason: 'x' }, { node: 'i-a' }])
      expect(
        forbidsUnpin({ ...item(w), forced, pin: { node: 'i-b', ...ending(soon), ...other } }, now),
      ).toBeUndefined();
  });

  it('says how long it takes at the least by the slowest of its actions', async () => {
    const { w } = await running();
    const seen = await w.ec2.observe(item(w));
    const slow = {
      ...rates,
      ReplaceRoute: { burst: 1, perSecond: 1 },
      AssociateAddress: { burst: 1, perSecond: 0.5 },
    };
    const known = (sizes: typeof rates) =>
      preflight(item(w), seen, order, { now: w.clock.now(), sizes }).atLeastMs;
    expect([known(slow), known(rates)]).toEqual([7000, 0]);
  });
});

describe('an operator’s action', () => {
  const needing: readonly OperatorActionKind[] = ['pin', 'freeze', 'drain', 'break-glass'];

  it.each(needing)('%s needs a reason', (kind) => {
    for (const reason of ['', ' '])
      expect(() => requireReason({ order: kind, reason })).toThrow(/the reason of this/);
    expect(() => requireReason({ order: kind, reason: 'why' })).not.toThrow();
  });

  it('of another kind needs none, but where one is given it has words', () => {
    for (const kind of operatorActionKinds.filter((one) => !needing.includes(one))) {
      expect(() => requireReason({ order: kind, reason: '' })).not.toThrow();
      expect(() => requireReason({ order: kind, reason: ' ' })).toThrow();
    }
  });

  it('is kept as given, with an id by its instant', () => {
    const fields = {
      vip: 'web',
      order: 'pin',
      by: 'ann',
      reason: 'why',
      atMs: START,
      untilMs: plus(START, hours(1)),
      node: 'i-b',
    } as const;
    expect(operatorAction(fields, 'n')).toEqual({
      entry: 'order',
      id: 'order/2026-11-22T14:00:00.000Z/n',
      ...fields,
    });
  });
});
