// The live harness builds its network and machines as one stack on a local AWS and removes it. It is killed at every call, and
// CloudFormation is refused every call that it makes: nothing may be left.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { CloudFormationClient } from '@aws-sdk/client-cloudformation';
import { CloudWatchLogsClient } from '@aws-sdk/client-cloudwatch-logs';
import { CreateTableCommand, DeleteTableCommand, DynamoDBClient } from '@aws-sdk/client-dynamodb';
import {
  CreateRouteCommand,
  DescribeInstancesCommand,
  DescribeNetworkInterfacesCommand,
  DescribeRouteTablesCommand,
  DescribeVolumesCommand,
  EC2Client,
} from '@aws-sdk/client-ec2';
import { IAMClient } from '@aws-sdk/client-iam';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { findings } from '../../build/template-check.ts';
import { type LocalAws, startLocalAws } from '../../lab/aws/local-aws.ts';
import type { AwsCall } from '../../lab/fault/aws-call.ts';
import { type FaultProxy, startFaultProxy } from '../../lab/fault/proxy.ts';
import { stacksOf } from '../../live/aws/stacks.ts';
import type { Service } from '../../live/build/service.ts';
import { templateOf } from '../../live/build/template.ts';
import { type Building, buildTestBed, inventoryOf } from '../../live/build/test-bed.ts';
import type { LiveContext } from '../../live/environment.ts';
import { DESTINATION } from '../../live/plan.ts';
import { registryOf } from '../../live/registry.ts';
import { newRunId, RUN_TAG, type Run, runOf, tablesOf, testBedStack } from '../../live/run-id.ts';
import { removeAll } from '../../live/teardown/remove.ts';
import { accessTo, contents } from './account.ts';

let aws: LocalAws;
/** Between the harness and MiniStack; between the harness and moto; between CloudFormation and moto. */
let [front, ofEc2, ofStacks]: FaultProxy[] = [];
let context: LiveContext;
let clients: readonly { destroy(): void }[] = [];
let before: readonly string[];

/** Often enough to lose no time, rarely enough that the calls can be counted. */
const PAUSE_MS = 100;

beforeAll(async () => {
  ofStacks = await startFaultProxy({ target: () => aws.ec2Endpoint });
  aws = await startLocalAws({ ec2EndpointForStacks: ofStacks.endpoint });
  front = await startFaultProxy({ target: aws.endpoint });
  ofEc2 = await startFaultProxy({ target: aws.ec2Endpoint });
  const dynamo = new DynamoDBClient(accessTo(aws, front.endpoint));
  const cloudFormation = new CloudFormationClient(accessTo(aws, front.endpoint));
  const made = {
    ec2: new EC2Client(accessTo(aws, ofEc2.endpoint)),
    iam: new IAMClient(accessTo(aws, ofEc2.endpoint)),
    dynamo,
    logs: new CloudWatchLogsClient(accessTo(aws, front.endpoint)),
  };
  clients = [...Object.values(made), cloudFormation];
  context = {
    ...made,
    name: 'a local AWS behind fault proxies',
    region: aws.region,
    account: aws.accountId,
    stacks: stacksOf(cloudFormation, PAUSE_MS),
    service: tablesOnly(dynamo),
    pauseMs: 1,
    image: () => Promise.resolve('ami-00000000000000001'),
    machines: () => Promise.reject(new Error('no machines are emulated here')),
    close: () => Promise.resolve(),
  };
  before = await contents(aws);
});
const proxies = (): readonly FaultProxy[] => [front, ofEc2, ofStacks].filter((proxy) => proxy !== undefined);
afterEach(() => {
  for (const proxy of proxies()) proxy.clearRules();
});
afterAll(async () => {
  for (const client of clients) client.destroy();
  for (const proxy of proxies()) await proxy.stop();
  await aws?.stop();
});

/** A deployment leaves two tables behind that its removal keeps, as the template says; the rest of it is tested in test/deploy. */
function tablesOnly(dynamo: DynamoDBClient): Service {
  const standing = new Set<string>();
  return {
    async deploy(stage) {
      standing.add(stage);
      const key = (name: string, kind: 'HASH' | 'RANGE') => ({ AttributeName: name, KeyType: kind });
      const { vips, timeline } = tablesOf(stage);
      for (const [TableName, keys] of [
        [vips, [key('vip', 'HASH')]],
        [timeline, [key('vip', 'HASH'), key('id', 'RANGE')]],
      ] as const) {
        const AttributeDefinitions = keys.map(({ AttributeName }) => ({
          AttributeName,
          AttributeType: 'S' as const,
        }));
        await dynamo.send(
          new CreateTableCommand({
            TableName,
            AttributeDefinitions,
            KeySchema: [...keys],
            BillingMode: 'PAY_PER_REQUEST',
          }),
        );
      }
    },
    remove: (stage) => Promise.resolve(void standing.delete(stage)),
    isThere: (stage) => Promise.resolve(standing.has(stage)),
  };
}

const options = { tables: 1, advertS: 1, instanceProfile: undefined };
const quiet = () => undefined;
const building = (run: Run, more: Partial<Building> = {}): Building => ({
  context,
  run,
  options,
  signal: new AbortController().signal,
  say: quiet,
  ...more,
});
const removing = { say: quiet, pauseMs: 1 };
const remove = (run: Run) => removeAll(inventoryOf(context, run), removing);
const left = async () => (await contents(aws)).filter((thing) => !before.includes(thing));

/** From its call number `calls` on the harness is dead: nothing of it gets through. How often it looks at a stack is not counted. */
function dieAfter(calls: number): { readonly isDead: () => boolean } {
  let [made, last] = [0, ''];
  const where = ({ action }: AwsCall) => {
    if (action !== 'DescribeStacks' || action !== last) made += 1;
    last = action;
    return made > calls;
  };
  for (const proxy of [front!, ofEc2!]) proxy.add({ where, fault: { does: 'reset' } });
  return { isDead: () => made > calls };
}
function reviveHarness(): void {
  for (const proxy of proxies()) proxy.clearRules();
}

describe('a test bed', () => {
  it('has a template that AWS’s schemas and rules accept', () => {
    const file = join(aws.folder, 'test-bed.json');
    writeFileSync(
      file,
      JSON.stringify(templateOf({ run: runOf(newRunId()), region: 'eu-central-1', ...options })),
    );
    // The ports of VRRP, which has none: EC2 wants the fields all the same.
    expect(findings(file).map(({ id }) => id)).toEqual(['W3687 FromPort']);
  });

  it('is one stack, built whole and removed whole: VPC, subnets, tables, gateway, group, instances, role, tables of the stage', async () => {
    const run = runOf(newRunId());
    const testBed = await buildTestBed(building(run));
    const kinds = new Set((await left()).map((thing) => thing.split(' ')[0]));
    const all = 'dynamo eni gateway group instance profile role stack subnet table template volume vpc';
    expect(kinds).toEqual(new Set(all.split(' ')));
    const ofRun = [{ Name: `tag:${run.labelKey}`, Values: [run.vip] }];
    const { NetworkInterfaces = [] } = await context.ec2.send(
      new DescribeNetworkInterfacesCommand({ Filters: ofRun }),
    );
    const addresses = NetworkInterfaces.map(({ PrivateIpAddress }) => PrivateIpAddress);
    expect(new Set(addresses)).toEqual(new Set(['10.0.1.10', '10.0.2.10']));
    expect(NetworkInterfaces.map(({ SourceDestCheck }) => SourceDestCheck)).toEqual([false, false]);
    const { RouteTables = [] } = await context.ec2.send(new DescribeRouteTablesCommand({ Filters: ofRun }));
    expect(RouteTables.map(({ RouteTableId }) => RouteTableId)).toEqual([testBed.probeTable]);
    expect(await remove(run)).toEqual([]);
    expect(await left()).toEqual([]);
  });

  it('has the run’s tag on all that costs something', async () => {
    const run = runOf(newRunId());
    await buildTestBed(building(run));
    const Filters = [{ Name: `tag:${RUN_TAG}`, Values: [run.id] }];
    const { Reservations = [] } = await context.ec2.send(new DescribeInstancesCommand({ Filters }));
    expect(Reservations).toHaveLength(3);
    expect((await context.ec2.send(new DescribeVolumesCommand({ Filters }))).Volumes).toHaveLength(3);
    const enis = await context.ec2.send(new DescribeNetworkInterfacesCommand({ Filters }));
    expect(enis.NetworkInterfaces).toHaveLength(3);
    expect((await context.stacks.find(testBedStack(run)))?.tags).toMatchObject({ [RUN_TAG]: run.id });
    await remove(run);
  });

  it('of another run is not touched: neither what has its tag, nor a stack that only has the name of this one', async () => {
    const [mine, other] = [runOf(newRunId()), runOf(newRunId())];
    await buildTestBed(building(other));
    const template = {
      Resources: { Vpc: { Type: 'AWS::EC2::VPC', Properties: { CidrBlock: '10.9.0.0/16' } } },
    };
    const namesake = { name: testBedStack(mine), template, parameters: {}, tags: { [RUN_TAG]: other.id } };
    await context.stacks.create(namesake, new AbortController().signal);
    const others = await left();
    expect(await remove(mine)).toEqual([]);
    expect(await left()).toEqual(others);
    await context.stacks.remove(namesake.name);
    await remove(other);
    expect(await left()).toEqual([]);
  });
});

describe('a stage that belongs to someone else', () => {
  it('keeps everything but the run’s VIP, which leaves its tombstone; the nodes’ role is not touched', async () => {
    const owner = runOf(newRunId());
    const { identity } = await buildTestBed(building(owner));
    await context.service.deploy('prod', identity);
    const standing = await left();
    const run = runOf(newRunId(), 'prod');
    const instanceProfile = `${testBedStack(owner)}-InstanceProfile`;
    const testBed = await buildTestBed(building(run, { options: { ...options, instanceProfile } }));
    expect(testBed.identity).toEqual(identity);
    const registry = registryOf(context.dynamo, run);
    expect((await registry.vip()).tableLabels).toEqual([run.vip]);
    expect(await remove(run)).toEqual([]);
    expect(await left()).toEqual(standing);
    expect(await registry.isRegistered()).toBe(false);
    await remove(owner);
    for (const TableName of Object.values(tablesOf('prod')))
      await context.dynamo.send(new DeleteTableCommand({ TableName }));
  });
});

describe('a harness that is killed', () => {
  it('at any call of its building leaves nothing that a later removal does not find by the run’s id alone', async () => {
    let died = 0;
    for (let calls = 0; ; calls++) {
      const run = runOf(newRunId());
      const { isDead } = dieAfter(calls);
      const built = await buildTestBed(building(run)).catch((error: unknown) => error);
      reviveHarness();
      expect(await remove(run), `${calls} calls`).toEqual([]);
      if (!isDead()) break;
      expect(built, `${calls} calls`).toBeInstanceOf(Error);
      died += 1;
    }
    // Zones, stack, its end, two tables, and the VIP's item read and written, at least.
    expect(died).toBeGreaterThanOrEqual(7);
    expect(await left()).toEqual([]);
  }, 300_000);

  it('at any call of its removal leaves nothing that the next removal does not find', async () => {
    let died = 0;
    for (let calls = 0; ; calls++) {
      const run = runOf(newRunId());
      await buildTestBed(building(run));
      const { isDead } = dieAfter(calls);
      const first = await remove(run);
      reviveHarness();
      expect(await remove(run), `${calls} calls`).toEqual([]);
      if (!isDead()) {
        expect(first).toEqual([]);
        break;
      }
      died += 1;
    }
    expect(died).toBeGreaterThanOrEqual(10);
    expect(await left()).toEqual([]);
  }, 300_000);
});

describe('when CloudFormation', () => {
  it('is refused a call of the building, whichever it is, it takes back what it made, the error says why, and nothing is left', async () => {
    let refused = 0;
    for (let skip = 0; ; skip++) {
      const run = runOf(newRunId());
      const rule = ofStacks!.add({
        skip,
        times: 1,
        fault: { does: 'refuse', code: 'UnauthorizedOperation' },
      });
      const built = await buildTestBed(building(run)).catch((error: unknown) => error);
      ofStacks!.clearRules();
      if (rule.hits === 0) {
        await remove(run);
        break;
      }
      refused += 1;
      expect(String(built), `call ${skip}`).toMatch(
        /the stack vipshift-drill-\w+-test-bed is ROLLBACK_COMPLETE, expected CREATE_COMPLETE; \w+: .*UnauthorizedOperation/,
      );
      expect(await remove(run), `call ${skip}`).toEqual([]);
    }
    expect(refused).toBeGreaterThan(25);
    expect(await left()).toEqual([]);
  }, 300_000);

  it('is refused every call of the removal once, it is asked again: by this removal, or by the next one', async () => {
    const run = runOf(newRunId());
    await buildTestBed(building(run));
    const refused = new Set<string>();
    const where = ({ parameters }: AwsCall) => {
      const call = JSON.stringify(parameters);
      return !refused.has(call) && refused.add(call).has(call);
    };
    ofStacks!.add({ where, fault: { does: 'refuse', code: 'DependencyViolation' } });
    let removals = 0;
    while ((await remove(run)).length > 0 && removals < 5) removals += 1;
    expect(refused.size).toBeGreaterThan(20);
    expect(await left()).toEqual([]);
  });
});

describe('the building', () => {
  it('ends when it is interrupted while CloudFormation is at work, and what that goes on to make is removed', async () => {
    const run = runOf(newRunId());
    const interrupting = new AbortController();
    const where = ({ action }: AwsCall) => {
      if (action === 'CreateSubnet') interrupting.abort(new Error('SIGINT'));
      return false;
    };
    ofStacks!.add({ where, fault: { does: 'reset' } });
    await expect(buildTestBed(building(run, { signal: interrupting.signal }))).rejects.toThrow();
    expect((await context.stacks.find(testBedStack(run)))?.status).toBe('CREATE_IN_PROGRESS');
    expect(await remove(run)).toEqual([]);
    expect(await left()).toEqual([]);
  });
});

describe('the removal', () => {
  it('lists what it cannot remove, with AWS’s own reason, removes the rest, and all of it once it is allowed', async () => {
    const run = runOf(newRunId());
    const { instances } = await buildTestBed(building(run));
    // As it is with an instance that someone protected from termination.
    const denied = {
      does: 'refuse',
      code: 'OperationNotPermitted',
      message: `The instance '${instances.b.instanceId}' may not be terminated.`,
      status: 400,
    } as const;
    const isOfB = ({ parameters }: AwsCall) => JSON.stringify(parameters).includes(instances.b.instanceId);
    ofStacks!.add({ on: 'TerminateInstances', where: isOfB, fault: denied });
    const [found, ...more] = await remove(run);
    expect(more).toEqual([]);
    expect(found).toMatchObject({ what: 'stack', id: testBedStack(run) });
    expect(found!.why).toContain('DELETE_FAILED');
    expect(found!.why).toContain(`NodeB: `);
    expect(found!.why).toContain(denied.message);
    const things = await left();
    expect(things.filter((thing) => thing.startsWith('instance'))).toEqual([
      `instance ${instances.b.instanceId}`,
    ]);
    expect(things.filter((thing) => thing.startsWith('dynamo'))).toEqual([]);
    ofStacks!.clearRules();
    expect(await remove(run)).toEqual([]);
    expect(await left()).toEqual([]);
  });

  it('takes along the routes that vipshift has made in the stack’s tables', async () => {
    const run = runOf(newRunId());
    const { probeTable, instances } = await buildTestBed(building(run));
    const owner = [{ Name: 'attachment.instance-id', Values: [instances.a.instanceId] }];
    const { NetworkInterfaces = [] } = await context.ec2.send(
      new DescribeNetworkInterfacesCommand({ Filters: owner }),
    );
    const route = { RouteTableId: probeTable, DestinationCidrBlock: DESTINATION };
    await context.ec2.send(
      new CreateRouteCommand({ ...route, NetworkInterfaceId: NetworkInterfaces[0]!.NetworkInterfaceId! }),
    );
    expect(await remove(run)).toEqual([]);
    expect(await left()).toEqual([]);
  });

  it('reports that it cannot even list', async () => {
    const run = runOf(newRunId());
    front!.add({ on: 'DescribeStacks', fault: { does: 'refuse', code: 'AccessDenied', status: 403 } });
    const [found] = await remove(run);
    expect(found).toMatchObject({ what: 'stack', id: '', why: expect.stringContaining('cannot list') });
  });
});
