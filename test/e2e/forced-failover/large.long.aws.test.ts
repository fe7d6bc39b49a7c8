// A forced failover via keepalived of a VIP so large that EC2's budget stretches the switch beyond 40 s: the target's own claim
// switches, the workflow waits for it, and nothing is undone. On the local AWS, at EC2's own pace.
import { CreateRouteCommand, CreateRouteTableCommand } from '@aws-sdk/client-ec2';
import { expect, it } from 'vitest';
import { VIP } from '../../../lab/aws/stack/stack.ts';
import { describeVpc } from '../../../lab/aws/stack/vpc-view.ts';
import { ended } from '../stage/aws-json.ts';
import { asKeepalivedDoes, begin, id, nodes, settled, stack, stageOrders } from '../stage/order-stage.ts';

stageOrders();

/** Two addresses in each: 300 calls, of which 49 go out at once and then 4.95 a second. */
const TABLES = 150;
const AT_ONCE = 10;

/** More tables of the VIP, whose routes lead to node a already. */
async function addTables(count: number): Promise<void> {
  const { vpcId, tagKey, nodes: of, vip } = stack.vpc;
  let left = count;
  const worker = async () => {
    while (left > 0) {
      left -= 1;
      const tagged = { ResourceType: 'route-table' as const, Tags: [{ Key: tagKey, Value: VIP }] };
      const made = await stack.ec2.send(
        new CreateRouteTableCommand({ VpcId: vpcId, TagSpecifications: [tagged] }),
      );
      const to = { RouteTableId: made.RouteTable!.RouteTableId!, NetworkInterfaceId: of.a.serviceEni };
      await stack.ec2.send(new CreateRouteCommand({ ...to, DestinationCidrBlock: vip.ipv4 }));
      await stack.ec2.send(new CreateRouteCommand({ ...to, DestinationIpv6CidrBlock: vip.ipv6 }));
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
}

it('a switch of more than 40 s is carried out, and not undone while it succeeds', async () => {
  const before = (await describeVpc(stack.ec2, stack.vpc)).tables.filter((t) => t.labelled).length;
  await addTables(TABLES - before);
  nodes.onCommand = asKeepalivedDoes;
  const end = await ended(stack.aws, await begin({ mode: 'via-keepalived' }));
  expect([end.status, end.cause]).toEqual(['SUCCEEDED', undefined]);
  expect(end.states).not.toContain('undo');
  expect(nodes.commands.map((c) => c.demoted)).toEqual([true]);
  const vip = await settled(id('b'));
  expect(vip.forced).toBeUndefined();
  const outcome = await stack.outcome(vip.epoch);
  expect(outcome).toMatchObject({ outcome: 'switched', to: id('b') });
  expect(outcome?.steps.filter((step) => step.result === 'done').length).toBeGreaterThan(
    2 * (TABLES - before),
  );
});
