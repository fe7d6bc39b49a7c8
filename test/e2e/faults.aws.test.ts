// The deployed path when AWS fails under it: the packaged function, the real SDK, and a proxy that loses replies,
// throttles, refuses, dawdles and shows old states. Round trips are counted where they really go over a wire.
import { describe, expect, it } from 'vitest';
import { poll } from '../../lab/aws/stack/poll.ts';
import { VIP } from '../../lab/aws/stack/stack.ts';
import { describeVpc } from '../../lab/aws/stack/vpc-view.ts';
import type { AwsCall } from '../../lab/fault/aws-call.ts';
import { sequentialTrips } from '../../lab/fault/call-log.ts';
import type { Failover } from '../../shared/timeline/timeline.ts';
import { LEASE_TTL } from '../../shared/vip/lease.ts';
import {
  allOn,
  beforeTraffic,
  failOver,
  failOverNow,
  faults,
  forgetDoubt,
  forgetView,
  mutations,
  ofItem,
  owner,
  reconcile,
  refusedRoutes,
  says,
  spendRoutes,
  stack,
  stageFaults,
  storyS,
  tookMs,
  turn,
} from './stage/fault-stage.ts';

stageFaults();

describe('round trips', () => {
  it('are two before the last mutation is sent, in the plain case: lease beside describes, then everything at once', async () => {
    // As every minute: reconcile counts the tables, so that a failover knows what to book.
    await reconcile();
    // Slow enough that what runs beside each other is seen to.
    for (const proxy of [faults.aws, faults.ec2]) proxy.add({ fault: { does: 'delay', replyMs: 600 } });
    // The intent is written in parallel with the mutations: if it were awaited, that would be a third trip.
    faults.aws.add({ on: 'PutItem', fault: { does: 'delay', replyMs: 600 } });
    expect(await failOver()).toMatchObject({ outcome: 'switched' });
    const calls = beforeTraffic();
    const names = calls.map((c) => c.action);
    expect(names.slice(0, 4).sort()).toEqual([
      'DescribeAddresses',
      'DescribeNetworkInterfaces',
      'DescribeRouteTables',
      'UpdateItem',
    ]);
    // The bookings of EC2's budget lie beside all this; the mutations wait for them for 300 ms at most (decision 0020).
    const onTheWay = calls.filter((c) => !JSON.stringify(c.parameters.Key ?? '').includes('budget/'));
    expect(
      onTheWay.filter((c) => c.action === 'UpdateItem'),
      'one conditional write',
    ).toHaveLength(1);
    expect(names.filter((name) => mutations.includes(name))).toHaveLength(9);
    expect(sequentialTrips(onTheWay)).toBe(2);
  });

  it('are one write and no EC2 call for an assertion of the owner', async () => {
    await stack.until('rest', (v) => v.lease === undefined);
    faults.aws.forgetCalls();
    faults.ec2.forgetCalls();
    await stack.answered(await says(turn, { atS: storyS, kind: 'assertion', laterS: 20 }));
    expect(faults.aws.calls.map((c) => c.action)).toEqual(['UpdateItem']);
    expect(faults.ec2.calls).toEqual([]);
  });
});

describe('a reply that is lost', () => {
  it.each(['reset', 'stall'] as const)(
    'of the acquire (%s): it goes on instead of waiting out its own lease',
    async (does) => {
      faults.aws.add({ on: 'UpdateItem', where: ofItem, times: 1, fault: { does, after: true } });
      const failover = await failOverNow();
      expect(failover).toMatchObject({ outcome: 'switched', to: owner() });
      expect(tookMs(failover)).toBeLessThan(LEASE_TTL);
      expect(await allOn(turn)).toBe(true);
    },
  );

  it('of the release: the VIP is free and its owner committed, and the failover is recorded once', async () => {
    const lost = faults.aws.add({
      ...{ on: 'UpdateItem', where: ofItem, skip: 1, times: 1, fault: { does: 'reset', after: true } },
    });
    const { epoch } = await failOverNow();
    expect(lost.hits).toBe(1);
    const vip = await stack.until('the release', (v) => v.lease === undefined);
    expect(vip).toMatchObject({ owner: owner(), epoch, open: {} });
    const recorded = () => faults.aws.calls.filter((c) => c.action === 'PutEvents');
    await poll('the event of the failover', async () => (recorded().length > 0 ? true : undefined));
    expect(recorded()).toHaveLength(1);
  });

  it('of the outcome: it is in the record once, and the lease is released', async () => {
    const lost = faults.aws.add({ on: 'PutItem', skip: 1, times: 1, fault: { does: 'reset', after: true } });
    const { epoch } = await failOverNow();
    expect(lost.hits).toBe(1);
    const entries = (await stack.entries(VIP)).filter((entry) => entry.epoch === epoch);
    expect(entries.map((entry) => entry.entry)).toEqual(['intent', 'outcome']);
    await stack.until('the release', (v) => v.lease === undefined && v.owner === owner());
  });

  it.each([
    ['ReplaceRoute', { does: 'reset', after: true }],
    ['AssociateAddress', { does: 'reset', after: true }],
    ['ReplaceRoute', { does: 'refuse', code: 'InternalError', after: true }],
    ['AssociateAddress', { does: 'stall-body' }],
  ] as const)(
    'of %s (%o): it is sent again, and nothing that is read is trusted for a while',
    async (on, fault) => {
      faults.ec2.add({ on, times: 1, fault });
      const failover = await failOver();
      expect(failover).toMatchObject({ outcome: 'switched', verified: true });
      const unanswered = failover.steps.filter((s) => s.unanswered > 0);
      expect(unanswered).toMatchObject([{ call: on, attempts: 2, result: 'done' }]);
      const vip = await stack.until('the commit', (v) => v.lease === undefined);
      expect(vip.touchedAtMs).toBeGreaterThan(Date.now() + 10_000);
      expect(await allOn(turn)).toBe(true);
      await forgetDoubt();
    },
  );
});

describe('a request that never arrives', () => {
  it.each([
    ['ReplaceRoute', { does: 'refuse', code: 'Unavailable' }],
    ['ReplaceRoute', { does: 'reset' }],
    ['AssociateAddress', { does: 'refuse', code: 'InternalError' }],
  ] as const)('%s (%o) is sent again', async (on, fault) => {
    const rule = faults.ec2.add({ on, times: 2, fault });
    const failover = await failOverNow();
    expect(rule.hits).toBe(2);
    expect(failover.outcome).toBe('switched');
    expect(await allOn(turn)).toBe(true);
    await forgetDoubt();
  });

  it.each([
    ['a throttle', 'ProvisionedThroughputExceededException'],
    ['a 5xx', 'InternalServerError'],
  ])('of DynamoDB, by %s: every one is repeated, and the failover goes its way', async (_what, code) => {
    const met = new Set<string>();
    const where = ({ action, parameters }: AwsCall) => {
      const first = !met.has(action + JSON.stringify(parameters));
      met.add(action + JSON.stringify(parameters));
      return first;
    };
    const rule = faults.aws.add({ on: ['UpdateItem', 'PutItem'], where, fault: { does: 'refuse', code } });
    expect(await failOverNow()).toMatchObject({ outcome: 'switched', to: owner() });
    expect(rule.hits).toBeGreaterThan(3);
    await stack.until('the release', (v) => v.lease === undefined && v.owner === owner());
    expect(await allOn(turn)).toBe(true);
  });

  it('of the announcement hurts nothing: the VIP has moved, and its lease is free', async () => {
    const down = faults.aws.add({ on: 'PutEvents', fault: { does: 'refuse', code: 'InternalException' } });
    expect(await failOverNow()).toMatchObject({ outcome: 'switched' });
    expect(down.hits).toBeGreaterThan(0);
    await stack.until('the release', (v) => v.lease === undefined && v.owner === owner());
    expect(await allOn(turn)).toBe(true);
  });
});

describe('EC2 that refuses', () => {
  it('is asked again after a throttle, until every table has moved', async () => {
    faults.ec2.add({
      on: 'ReplaceRoute',
      times: 3,
      fault: { does: 'refuse', code: 'RequestLimitExceeded', status: 503 },
    });
    const failover = await failOver();
    expect(failover.outcome).toBe('switched');
    expect(failover.steps.reduce((sum, s) => sum + s.attempts, 0)).toBe(9 + 3);
    expect(await allOn(turn)).toBe(true);
  });

  it('for one table hides none of the rest, is recorded as partial, and is repaired by reconcile once it may be', async () => {
    const table = stack.vpc.tables.find((t) => t.labelled)!;
    const rule = faults.ec2.add({
      on: 'ReplaceRoute',
      where: (call) => JSON.stringify(call).includes(table.routeTableId),
      fault: { does: 'refuse', code: 'UnauthorizedOperation', status: 403 },
    });
    const failover = await failOver();
    expect(failover.outcome).toBe('partial');
    expect(failover.steps.filter((s) => s.result !== 'done').map((s) => s.code)).toEqual(
      Array(2).fill('UnauthorizedOperation'),
    );
    const view = await describeVpc(stack.ec2, stack.vpc);
    const moved = view.tables.filter((t) => t.ipv4 === stack.vpc.nodes[turn].serviceEni);
    expect(moved).toHaveLength(3);
    rule.remove();
    expect(await reconcile()).toMatchObject({ switched: 1 });
    expect(await allOn(turn)).toBe(true);
  });
});

describe('describes that do not answer', () => {
  const down = (times?: number) =>
    faults.ec2.add({
      on: 'DescribeNetworkInterfaces',
      ...(times === undefined ? {} : { times }),
      fault: { does: 'refuse', code: 'Unavailable', status: 503 },
    });
  const noted = (failover: Failover) => failover.notes.join();

  it('are replaced by what reconcile stored, and the timeline notes it', async () => {
    await reconcile();
    faults.ec2.add({ on: 'DescribeRouteTables', fault: { does: 'delay', replyMs: 3000 } });
    const failover = await failOver();
    expect(failover.stages.map((s) => s.stage)).toContain('stored view taken');
    expect(noted(failover)).toContain('planned from the view stored');
    expect(failover.steps.every((s) => s.result === 'done')).toBe(true);
    expect(await allOn(turn)).toBe(true);
  });

  it('and fail altogether are replaced by it at once', async () => {
    await reconcile();
    down();
    const failover = await failOverNow();
    expect(noted(failover)).toContain('planned from the view stored');
    expect(noted(failover), 'nor can it be read back').toContain('could not read back');
    faults.ec2.clearRules();
    expect(await allOn(turn)).toBe(true);
  });

  it('cause no failover: reconcile fails, and the VIP stays where it is', async () => {
    const before = await stack.until('the release', (v) => v.lease === undefined);
    down();
    await expect(reconcile()).rejects.toThrow();
    expect((await stack.vips.read(VIP))!.epoch).toBe(before.epoch);
    faults.ec2.clearRules();
    expect(await allOn(turn)).toBe(true);
  });

  it('keep no VIP from moving when nothing is stored: they are asked again while the lease lasts', async () => {
    await forgetView();
    // Each read is tried four times.
    const failing = down(4);
    const failover = await failOverNow();
    expect(failing.hits).toBe(4);
    expect(failover).toMatchObject({ outcome: 'switched', to: owner() });
    expect(noted(failover)).not.toContain('planned from');
    expect(await allOn(turn)).toBe(true);
  });

  it('and never do, with nothing stored: nothing moves, it is recorded as failed, and reconcile does it once they answer', async () => {
    await forgetView();
    down();
    const was = turn;
    const failover = await failOverNow();
    expect(failover).toMatchObject({ outcome: 'failed', steps: [] });
    expect(noted(failover)).toContain('describe failed');
    faults.ec2.clearRules();
    expect(await allOn(was)).toBe(true);
    expect(await reconcile()).toMatchObject({ switched: 1 });
    expect(await allOn(turn)).toBe(true);
  });
});

describe('describes that show an old state', () => {
  it('are not taken for a failure of what was just done: the record says that it could not tell yet', async () => {
    await reconcile();
    faults.ec2.add({ fault: { does: 'stale', ageMs: 3500 } });
    const failover = await failOver();
    expect(failover.steps.map((s) => [s.result, s.attempts])).toEqual(Array(9).fill(['done', 1]));
    expect(failover).toMatchObject({ verified: false, outcome: 'switched' });
    expect(failover.notes.join()).toContain('read back too soon to tell');
    expect(await allOn(turn)).toBe(true);
  });

  it('undo nothing: reconcile runs again in a minute rather than believe them', async () => {
    await failOverNow();
    const { epoch } = await stack.until('the release', (v) => v.lease === undefined);
    faults.ec2.add({ fault: { does: 'stale', ageMs: 3500 } });
    expect(await reconcile()).toMatchObject({ switched: 0 });
    faults.ec2.clearRules();
    expect((await stack.vips.read(VIP))!.epoch).toBe(epoch);
    expect(await allOn(turn)).toBe(true);
  });
});

describe('a request budget that others have used up', () => {
  it('has routes refused until EC2 lets them through, and every one of them gets there', async () => {
    faults.ec2.add({ fault: { does: 'throttle' } });
    await failOver();
    // The budget grows while it is spent: on a slow machine sixty are not enough.
    await poll('a refusal of someone else’s', async () =>
      (await spendRoutes(60)).includes('RequestLimitExceeded') ? true : undefined,
    );
    // And goes on until one of ours is refused, however slow the machine.
    const spending = async () => {
      for (let n = 0; n < 500 && refusedRoutes().length === 0; n++) await spendRoutes(2);
    };
    const [failover] = await Promise.all([failOverNow(), spending()]);
    expect(failover.outcome).toBe('switched');
    const refused = refusedRoutes();
    expect(refused.length).toBeGreaterThan(0);
    expect(failover.steps.reduce((sum, s) => sum + s.attempts, 0)).toBe(
      failover.steps.length + refused.length,
    );
    expect(await allOn(turn)).toBe(true);
  });
});
