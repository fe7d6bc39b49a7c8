// Forced failovers by name, in the whole simulated world: runbook/failover.asl.json with the nodes, the bus and EC2's own pace.
import { expect, test } from 'vitest';
import { violationsOf } from './checkers.ts';
import type { Execution } from './functions/execution.ts';
import type { Act, Beside, History } from './history/history.ts';
import { retell } from './truth/retell.ts';
import { simulate } from './world/simulate.ts';

const node = (id: string, priority: number) => ({
  ...{ id: `i-${id}`, zone: `zone-${id}`, priorities: [priority], clockMs: 0, hasEipEni: true },
});
const order: Extract<Act, { does: 'forced failover' }> = {
  ...{ does: 'forced failover', vip: 0, node: 2, mode: 'via-keepalived', pinMinutes: 0 },
  ...{ claimWaitSeconds: 60, atMs: 60_000 },
};
/** Node a is master, then b, then c; c is ordered. */
const history = (over: Partial<typeof order>, tables = 2): History => ({
  ...{
    seed: 1,
    odds: {},
    preempt: true,
    sharedBudget: true,
    timeoutMs: 300_000,
    quietAtMs: 400_000,
    phaseMs: 0,
  },
  nodes: [node('a', 250), node('b', 230), node('c', 210)],
  vips: [
    {
      name: 'web',
      addresses: ['192.168.255.10/32', 'fd77:7669:7073::1/128'],
      eips: ['eipalloc-web-1'],
      ...{ tableLabel: 'web', nodeLabel: 'web', tables },
    },
  ],
  acts: [{ ...order, ...over }],
});

async function executed(of: History): Promise<Execution> {
  const world = await simulate(of);
  const violations = violationsOf(world);
  expect(violations, retell(world, violations)).toEqual([]);
  return world.executions[0]!;
}

const approvedAfter = (does: Beside['does'], older = false) =>
  history({
    approved: true,
    approvalMs: 120_000,
    beside: [{ at: 'requestApproval', afterMs: 60_000, does, forMs: 200_000, older }],
  });

test.each<[Beside['does'], RegExp]>([
  ['target fails', /not fit: the last report of i-c is FAULT/],
  ['is frozen', /^frozen until/],
  ['is pinned elsewhere', /^pinned to i-a/],
  ['is removed', /not in the registry/],
])('during the approval %s: refused, and no one is demoted', async (does, why) => {
  const { data, demoted, path } = await executed(approvedAfter(does));
  expect(data.preflight?.reasons).toEqual([expect.stringMatching(why)]);
  expect([demoted, path.includes('recordOrder'), data.end?.outcome]).toEqual([undefined, false, 'refused']);
});

test('during the approval the VIP moves to a third node: the owner of that moment is demoted', async () => {
  const { data, demoted } = await executed(approvedAfter('owner fails'));
  expect(demoted).toBe('i-b');
  expect(data.preflight?.before).toEqual({ owner: 'i-b', priority: 230 });
});

test.each<[Beside['at'], Beside['does'], boolean]>([
  ['awaitClaim', 'is frozen', false],
  ['awaitClaim', 'is frozen', true],
  ['awaitClaim', 'is pinned elsewhere', true],
  ['awaitClaim', 'is removed', true],
  ['awaitClaim', 'target fails', false],
  ['awaitClaim', 'target is untagged', false],
])(
  'in %s it %s (by an older command line: %s): the old master is raised again at once',
  async (at, does, older) => {
    // Two nodes stand in front of c, so that only one of them is demoted and its claim never comes.
    const { data, path, enteredAtMs } = await executed(
      history({ beside: [{ at, afterMs: 2000, does, forMs: 100_000, older }] }),
    );
    expect(data.awaited?.outcome).toBe('stopped');
    const [waited, raised] = ['awaitClaim', 'promote'].map((state) => enteredAtMs[path.indexOf(state)]!);
    expect(raised! - waited!).toBeLessThan(does === 'target is untagged' ? 60_000 : 4000);
  },
);

test('130 tables of two addresses, by way of keepalived: carried out, and not undone for taking longer than 40 s', async () => {
  const { data, path, answeredAtMs, enteredAtMs } = await executed(history({ node: 1 }, 130));
  const tookMs = answeredAtMs.get('switchVip')! - enteredAtMs[path.indexOf('switchVip')]!;
  expect(tookMs).toBeGreaterThan(40_000);
  expect([data.end?.outcome, path.includes('undo')]).toEqual(['done', false]);
});

test('a plan that outlasts the step is asked for again, and carried out', async () => {
  const { data, path } = await executed({ ...history({ node: 1 }, 130), stepTimeoutMs: 40_000 });
  expect(path.filter((state) => state === 'switchVip')).toHaveLength(2);
  expect([data.switched?.round, data.end?.outcome]).toEqual([2, 'done']);
});
