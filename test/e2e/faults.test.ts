// The deployed path when AWS fails under it: the packaged function, the real SDK, and a proxy that loses replies,
// throttles, refuses and dawdles. Round trips are counted where they really go over a wire.
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { type LoggedCall, sequentialTrips } from '../../lab/fault/call-log.ts';
import { type Faults, invoke, type Stack, startStack, VIP } from '../../lab/stack.ts';
import { describeVpc } from '../../lab/vpc-view.ts';
import { LEASE_TTL } from '../../shared/lease.ts';
import type { Failover } from '../../shared/timeline.ts';
import { type Words, wordsOf } from './words.ts';

let stack: Stack;
let faults: Faults;
let storyS = 0;
let turn: 'a' | 'b' = 'b';
beforeAll(async () => {
  stack = await startStack({ schedule: false, withFaults: true });
  faults = stack.faults!;
  await failOver();
});
afterAll(() => stack?.stop());
afterEach(() => {
  faults.aws.clearRules();
  faults.ec2.clearRules();
});

const says = (name: 'a' | 'b', words: Words) =>
  stack.publish(wordsOf(stack.vpc.nodes[name].instanceId, { ...words, fresh: true }));

/** The other node becomes MASTER; returns the record of what followed. */
async function failOver(): Promise<Failover> {
  const before = (await stack.vips.read(VIP))!.epoch;
  // Long enough after the last mutation that an observation is trusted: only what differs is set.
  await stack.until('rest', (v) => v.lease === undefined && Date.now() - v.touchedAtMs > 4100);
  faults.aws.forgetCalls();
  faults.ec2.forgetCalls();
  turn = turn === 'a' ? 'b' : 'a';
  storyS += 5;
  const event = await says(turn, { atS: storyS });
  const failover = await stack.outcome(before + 1);
  // The announcement comes after the outcome, and would be counted with the next calls.
  await stack.answered(event);
  return failover;
}

const allOn = async (name: 'a' | 'b') => {
  const view = await describeVpc(stack.ec2, stack.vpc);
  const eni = stack.vpc.nodes[name].serviceEni;
  return view.tables.filter((t) => t.labelled).every((t) => t.ipv4 === eni && t.ipv6 === eni);
};

const mutations = ['ReplaceRoute', 'CreateRoute', 'AssociateAddress'];
const tookMs = (failover: Failover) => {
  const at = (stage: string) => failover.stages.find((s) => s.stage === stage)!.atMs;
  return at('last mutation accepted') - at('controller began');
};

/** Calls that had begun when the last mutation was sent, in the order of their beginning. */
function beforeTraffic(): readonly LoggedCall[] {
  const calls = [...faults.aws.calls, ...faults.ec2.calls];
  const lastMs = Math.max(...calls.filter((c) => mutations.includes(c.action)).map((c) => c.startMs));
  return calls.filter((c) => c.startMs <= lastMs).sort((a, b) => a.startMs - b.startMs);
}

describe('round trips', () => {
  it('are two before the last mutation is sent, in the plain case: lease beside describes, then everything at once', async () => {
    // As every minute: reconcile counts the tables, so that a failover knows what to book.
    await invoke(stack.aws, stack.deployment.functions.reconcile, {});
    // Slow enough that what runs beside each other is seen to.
    for (const proxy of [faults.aws, faults.ec2]) proxy.add({ fault: { does: 'delay', replyMs: 150 } });
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
      faults.aws.add({ on: 'UpdateItem', times: 1, fault: { does, after: true } });
      const failover = await failOver();
      expect(failover).toMatchObject({ outcome: 'switched', to: stack.vpc.nodes[turn].instanceId });
      expect(tookMs(failover)).toBeLessThan(LEASE_TTL);
      expect(await allOn(turn)).toBe(true);
    },
  );

  it('of a route: it is sent again, and nothing that is read is trusted for a while', async () => {
    faults.ec2.add({ on: 'ReplaceRoute', times: 1, fault: { does: 'reset', after: true } });
    const failover = await failOver();
    expect(failover).toMatchObject({ outcome: 'switched', verified: true });
    expect(failover.steps.filter((s) => s.unanswered > 0)).toMatchObject([{ attempts: 2, result: 'done' }]);
    const vip = await stack.until('the commit', (v) => v.lease === undefined);
    expect(vip.touchedAtMs).toBeGreaterThan(Date.now() + 10_000);
    await forgetDoubt();
  });
  // The doubt of 20 s is the point of the test above and would only slow the ones below.
  const forgetDoubt = async () => {
    const vip = (await stack.vips.read(VIP))!;
    await stack.vips.write(vip, { ...vip, touchedAtMs: 0 as typeof vip.touchedAtMs });
  };
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

  it('for one table hides none of the rest, is told as partial, and is mended by reconcile once it may be', async () => {
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
    expect(await invoke(stack.aws, stack.deployment.functions.reconcile, {})).toMatchObject({ switched: 1 });
    expect(await allOn(turn)).toBe(true);
  });
});

describe('describes that do not answer', () => {
  it('are replaced by what reconcile stored, and the timeline says so', async () => {
    await invoke(stack.aws, stack.deployment.functions.reconcile, {});
    const slow = faults.ec2.add({ on: 'DescribeRouteTables', fault: { does: 'delay', replyMs: 3000 } });
    const failover = await failOver();
    slow.remove();
    expect(failover.stages.map((s) => s.stage)).toContain('stored view taken');
    expect(failover.notes.join()).toContain('planned from the view stored');
    expect(failover.steps.every((s) => s.result === 'done')).toBe(true);
    expect(await allOn(turn)).toBe(true);
  });

  it('neither move the VIP nor keep it from moving when they fail altogether and nothing is stored', async () => {
    const before = (await stack.vips.read(VIP))!;
    const down = faults.ec2.add({
      on: 'DescribeNetworkInterfaces',
      fault: { does: 'refuse', code: 'Unavailable', status: 503 },
    });
    await expect(invoke(stack.aws, stack.deployment.functions.reconcile, {})).rejects.toThrow();
    expect((await stack.vips.read(VIP))!.epoch, 'a failing describe causes no failover').toBe(before.epoch);
    down.remove();
  });
});
