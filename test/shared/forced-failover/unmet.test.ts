// An order is done only when every cell of the VIP's own follows. What a preflight would have refused for may also come later:
// another VIP moves first and takes the target's last free private address.
import { expect, it } from 'vitest';
import { carriedSwitch, carriedVerdict } from '../../../shared/forced-failover/carried.ts';
import { executeForcedFailover, switchBack, verifyOrder } from '../../../shared/forced-failover/execute.ts';
import type { ExecutionState } from '../../../shared/forced-failover/execution.ts';
import type { FailoverOrder } from '../../../shared/forced-failover/order.ts';
import { report } from '../../../shared/forced-failover/report.ts';
import type { ForcedRun } from '../../../shared/forced-failover/under-way.ts';
import { plus, seconds } from '../../../shared/time.ts';
import {
  finish,
  item,
  memberOf,
  outcomesOf,
  reconciles,
  says,
  targets,
  V4,
  type World,
  world,
} from '../../support/world.ts';

const order: FailoverOrder = {
  ...{ vip: 'web', to: 'i-b', mode: 'routes-only', reason: 'patching', by: 'ann' },
  ...{ dryRun: false, approval: false, pinMinutes: 60, claimWaitSeconds: 30 },
};
const run: ForcedRun = { execution: 'run-1', owner: 'i-a', begun: false };

/** Every private address of the node's ENI for EIPs, or as many, has the EIP of someone else. */
function occupy(w: World, node: string, count = 2): void {
  const eni = w.ec2.enis.get(memberOf(node).eipEni)!;
  for (const [n, privateAddress] of eni.privateAddresses.slice(0, count).entries()) {
    const eip = `eipalloc-${node}-other-${n}`;
    w.ec2.eips.set(eip, { eip, publicAddress: `198.51.100.${n}`, eni: eni.eni, privateAddress });
  }
}

async function pair(): Promise<World> {
  const w = world();
  await says(w, 'i-b', { state: 'BACKUP', sinceMs: -1000 });
  await says(w, 'i-a');
  await w.clock.advance(seconds(30));
  return w;
}

const full = 'eipalloc-1: every private address of eni-i-b-eip has a foreign EIP or another EIP of this VIP';

it('an EIP that the target has no place for any more: committed, told as partial, and found wrong', async () => {
  const w = await pair();
  occupy(w, 'i-b');
  const switched = await finish(w, executeForcedFailover(w.ports, order, run));
  expect(switched).toMatchObject({ outcome: 'switched', owner: 'i-b', unmet: [full] });
  expect(outcomesOf(w).at(-1)).toMatchObject({ outcome: 'partial', verified: false });
  const before = w.clock.now();
  expect(await finish(w, verifyOrder(w.ports, order))).toEqual({
    outcome: 'wrong',
    wrong: [full],
    conflicts: [],
  });
  expect(w.clock.now(), 'and asked for as long as a read may be old').toBeGreaterThanOrEqual(
    plus(before, seconds(15)),
  );
});

it('the same where the target’s own claim moved it: no one took a lease for the order', async () => {
  const w = await pair();
  occupy(w, 'i-b');
  await says(w, 'i-b');
  const claimed = { ...order, mode: 'via-keepalived' as const, pinMinutes: 0 };
  expect(await finish(w, executeForcedFailover(w.ports, claimed, run))).toMatchObject({
    outcome: 'switched',
  });
  expect(await finish(w, verifyOrder(w.ports, claimed))).toMatchObject({ outcome: 'wrong', wrong: [full] });
});

it('a place that is free again before the patience ends is not missed: reconcile moves the EIP, and the order is done', async () => {
  const w = await pair();
  occupy(w, 'i-b');
  await finish(w, executeForcedFailover(w.ports, order, run));
  w.ec2.eips.delete('eipalloc-i-b-other-0');
  await w.clock.advance(seconds(10));
  await reconciles(w);
  expect(await finish(w, verifyOrder(w.ports, order))).toMatchObject({ outcome: 'right', wrong: [] });
});

it('what is a stranger’s is left and told, and the order is done', async () => {
  const w = await pair();
  w.ec2.eips.set('eipalloc-1', {
    ...w.ec2.eips.get('eipalloc-1')!,
    eni: 'eni-else',
    privateAddress: '10.9.9.9',
  });
  await finish(w, executeForcedFailover(w.ports, order, run));
  const verified = await finish(w, verifyOrder(w.ports, order));
  expect(verified).toEqual({ outcome: 'right', wrong: [], conflicts: ['eipalloc-1 → eni-else 10.9.9.9'] });
  const data: ExecutionState = { verified: carriedVerdict(verified), end: { outcome: 'done' } };
  const { text } = report({ story: data, stage: 'prod', execution: 'run-1' });
  expect(text.split('\n')).toContain('Left alone: eipalloc-1 → eni-else 10.9.9.9');
});

it('the way back that leaves an EIP behind is not told as a whole one', async () => {
  const w = await pair();
  await finish(w, executeForcedFailover(w.ports, order, run));
  occupy(w, 'i-a');
  const back = await finish(w, switchBack(w.ports, order, run));
  expect([item(w).owner, targets(w)]).toEqual(['i-a', [memberOf('i-a').eni]]);
  expect(back).toMatchObject({ outcome: 'switched', unmet: [expect.stringContaining('eipalloc-1: every')] });
  const data: ExecutionState = {
    switchedBack: carriedSwitch(back, { stage: 'prod' }),
    end: { outcome: 'failed' },
  };
  const { text } = report({ story: data, stage: 'prod', execution: 'run-1' });
  expect(text).toMatch(/^Switched back: only in part: eipalloc-1: every .*; reconcile goes on trying$/m);
});

it('an EIP that another VIP throws off during the switch makes the outcome partial', async () => {
  const w = await pair();
  const apply = w.ports.ec2.apply.bind(w.ports.ec2);
  w.ports.ec2.apply = async (step, mayStart) => {
    await apply(step, mayStart);
    if (step.cell !== 'eipalloc-1') return;
    occupy(w, 'i-b');
    const { eni: _eni, privateAddress: _address, ...loose } = w.ec2.eips.get('eipalloc-1')!;
    w.ec2.eips.set('eipalloc-1', loose);
  };
  expect(await finish(w, executeForcedFailover(w.ports, order, run))).toMatchObject({ unmet: [full] });
  expect(outcomesOf(w).at(-1)).toMatchObject({
    outcome: 'partial',
    verified: false,
    conflicts: [{ cell: 'eipalloc-1', kind: 'unmet' }],
  });
});

it('all routes right and an EIP without a place is not called read back and right', async () => {
  const w = await pair();
  await says(w, 'i-b');
  await w.clock.advance(seconds(30));
  const { eni: _eni, privateAddress: _address, ...loose } = w.ec2.eips.get('eipalloc-1')!;
  w.ec2.eips.set('eipalloc-1', loose);
  occupy(w, 'i-b');
  await says(w, 'i-b', { sinceMs: 90_000 });
  expect(outcomesOf(w).at(-1)).toMatchObject({ outcome: 'partial', steps: [], verified: false });
  expect(w.ec2.tables.get('rtb-1')!.routes[V4]!.target).toBe(memberOf('i-b').eni);
});
