// A forced failover when AWS fails under it: every fault has its way back, its message and its reason.
import { afterEach, describe, expect, it } from 'vitest';
import type { Rule } from '../../../lab/fault/rule.ts';
import { type Ended, ended } from '../stage/aws-json.ts';
import { begin, expectOn, id, lastReport, settled, stack, stageOrders } from '../stage/order-stage.ts';

stageOrders({ withFaults: true });
afterEach(() => stack.faults!.ec2.clearRules());

const denied = { does: 'refuse', code: 'UnauthorizedOperation', status: 403 } as const;

/** An order to b, with EC2 failing like this. */
async function under(...rules: readonly Rule[]): Promise<Ended> {
  // Only what differs is set: the observation is trusted by then.
  await stack.until('rest', (vip) => vip.lease === undefined && Date.now() - vip.touchedAtMs > 4100);
  for (const rule of rules) stack.faults!.ec2.add(rule);
  return ended(stack.aws, await begin());
}

describe('forced failover, failure with roll-back', () => {
  it('before anything has moved, where EC2 does not let the preflight read', async () => {
    const end = await under({ on: ['DescribeRouteTables'], fault: denied });
    expect(end).toMatchObject({ status: 'FAILED', error: 'FailoverFailed' });
    expect(end.cause).toContain('UnauthorizedOperation');
    expect(end.states.filter((name) => /^[a-z]+Order|switch|undo/.test(name))).toEqual([]);
    expect((await lastReport()).Message).toContain('UnauthorizedOperation');
    await settled(id('a'));
    await expectOn('a');
  });

  it('in the middle of the switch, where EC2 refuses to point one table at the target', async () => {
    const table = stack.vpc.tables.find((t) => t.labelled)!.routeTableId;
    const eni = stack.vpc.nodes.b.serviceEni;
    const end = await under({
      on: ['ReplaceRoute'],
      where: ({ parameters }) => parameters.RouteTableId === table && parameters.NetworkInterfaceId === eni,
      fault: denied,
    });
    expect(end).toMatchObject({ status: 'FAILED', error: 'FailoverFailed' });
    expect(end.states).toEqual(
      expect.arrayContaining(['switchVip', 'undo', 'switchBack', 'failed', 'report']),
    );
    expect((await settled(id('a'))).pin, 'unpinned').toBeUndefined();
    await expectOn('a');
    expect((await lastReport()).Message).toContain('Switched back: yes');
  });

  it('not after the switch, where nothing can be read: EC2 accepted every call, so it stays, and the message reports it', async () => {
    // The preflight reads, the switch reads twice; then nothing can.
    const end = await under({ on: ['DescribeRouteTables'], skip: 3, fault: denied });
    expect(end).toMatchObject({ status: 'FAILED', error: 'FailoverFailed' });
    expect(end.states.slice(-5)).toEqual(['failed', 'report', 'notify', 'howItEnded', 'notCarriedOut']);
    expect(end.states).not.toContain('undo');
    expect(end.cause).toContain('UnauthorizedOperation');
    expect((await settled(id('b'))).pin).toMatchObject({ node: id('b') });
    await expectOn('b');
    const text = (await lastReport()).Message;
    expect(text).toContain(`Not verified: EC2 could not be asked. Reconcile looks again every minute`);
    expect(text).toContain(`Now the owner: ${id('b')}`);
  });
});
