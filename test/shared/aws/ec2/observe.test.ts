// What EC2 lists, read as the plan needs it.
import { EC2Client } from '@aws-sdk/client-ec2';
import { describe, expect, it } from 'vitest';
import type { Ec2Access } from '../../../../shared/aws/ec2/access.ts';
import { observe } from '../../../../shared/aws/ec2/observe.ts';
import { observeAll } from '../../../../shared/aws/ec2/observe-all.ts';
import { surveyed } from '../../../../shared/aws/ec2/survey.ts';
import type { Observation } from '../../../../shared/network/observation.ts';
import { plan } from '../../../../shared/network/plan.ts';
import { durationMs, plus } from '../../../../shared/time.ts';
import { ACCOUNT, item, memberOf, START, V4, VPC, type World, world } from '../../../support/world.ts';

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

describe('an observation is dated', () => {
  const ANSWERS_AFTER = durationMs(100);
  const pageOf = (table: string) => ({
    RouteTableId: table,
    VpcId: VPC,
    OwnerId: ACCOUNT,
    Tags: [{ Key: 't', Value: 'web' }],
  });

  /** The route tables have two pages; each answer takes a while, and what it shows is so when it is given. */
  function paged(w: World): Ec2Access {
    const reader = new EC2Client({
      region: 'eu-central-1',
      credentials: { accessKeyId: 'a', secretAccessKey: 'b' },
    });
    reader.middlewareStack.add(
      (_next, { commandName }) =>
        async ({ input }) => {
          w.clock.set(plus(w.clock.now(), ANSWERS_AFTER));
          const first = (input as { NextToken?: string }).NextToken === undefined;
          const tables = first
            ? { RouteTables: [pageOf('rtb-1')], NextToken: 'more' }
            : { RouteTables: [pageOf('rtb-2')] };
          const output = { $metadata: {}, ...(commandName === 'DescribeRouteTablesCommand' ? tables : {}) };
          return { response: {}, output } as never;
        },
      { step: 'initialize' },
    );
    return { reader, writer: reader, clock: w.clock, tag: 't', signal: new AbortController().signal };
  }

  const ways: Readonly<Record<string, (w: World, access: Ec2Access) => Promise<Observation | undefined>>> = {
    'one VIP': (w, access) => observe(access, item(w)),
    'all VIPs': async (w, access) => (await observeAll(access, [item(w)])).get('web'),
    'a survey': async (w, access) => (await surveyed(access, [item(w)])).observations.get('web'),
  };
  it.each(Object.entries(ways))(
    '%s: from before the first request to after the last page',
    async (_what, look) => {
      const w = world();
      const seen = (await look(w, paged(w)))!;
      expect(seen.tables.map((t) => t.table)).toEqual(['rtb-1', 'rtb-2']);
      expect([seen.beganAtMs, seen.endedAtMs]).toEqual([START, w.clock.now()]);
      expect(seen.endedAtMs - START).toBeGreaterThanOrEqual(4 * ANSWERS_AFTER);
    },
  );
});
