// What EC2 lists, read as the plan needs it.
import { EC2Client } from '@aws-sdk/client-ec2';
import { expect, it } from 'vitest';
import type { Ec2Access } from '../../../../shared/aws/ec2/access.ts';
import { observe } from '../../../../shared/aws/ec2/observe.ts';
import { plan } from '../../../../shared/network/plan.ts';
import { ACCOUNT, item, memberOf, V4, VPC, world } from '../../../support/world.ts';

it('leaves a stranger’s static route alone also where a propagated one is listed after it', async () => {
  const w = world();
  const routes = [
    { DestinationCidrBlock: V4, NetworkInterfaceId: 'eni-foreign', State: 'active', Origin: 'CreateRoute' },
    { DestinationCidrBlock: V4, GatewayId: 'vgw-1', State: 'active', Origin: 'EnableVgwRoutePropagation' },
  ];
  for (const listed of [routes, routes.toReversed()]) {
    const table = { RouteTableId: 'rtb-1', VpcId: VPC, OwnerId: ACCOUNT, Routes: listed };
    const reader = new EC2Client({
      region: 'eu-central-1',
      credentials: { accessKeyId: 'a', secretAccessKey: 'b' },
    });
    reader.middlewareStack.add(
      () => async () => ({ response: {}, output: { $metadata: {}, RouteTables: [table] } }) as never,
      {
        step: 'initialize',
      },
    );
    const access = { reader, clock: w.clock, tag: 't', signal: new AbortController().signal };
    const seen = await observe(access as unknown as Ec2Access, item(w));
    const todo = plan({ ...item(w), eips: [], addresses: [V4] }, seen, memberOf('i-a'), true);
    expect(todo).toMatchObject({ steps: [], conflicts: [{ found: 'eni-foreign', kind: 'foreign' }] });
  }
});
