// The live harness builds and removes its network on moto for real; one call after the other is made to fail, and nothing may be left.
import { CloudWatchLogsClient } from '@aws-sdk/client-cloudwatch-logs';
import { CreateTableCommand, DeleteTableCommand, DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { DescribeNetworkInterfacesCommand, EC2Client } from '@aws-sdk/client-ec2';
import { IAMClient } from '@aws-sdk/client-iam';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { type LocalAws, startLocalAws } from '../../lab/aws/local-aws.ts';
import { type FaultProxy, startFaultProxy } from '../../lab/fault/proxy.ts';
import { makeIdentity } from '../../live/build/identity.ts';
import type { Service } from '../../live/build/service.ts';
import { type Building, buildTestBed, inventoryOf } from '../../live/build/test-bed.ts';
import type { LiveContext } from '../../live/environment.ts';
import { registryOf } from '../../live/registry.ts';
import { newRunId, type Run, runOf, tablesOf } from '../../live/run-id.ts';
import { removeAll } from '../../live/teardown/remove.ts';
import { accessTo, contents } from './account.ts';

let aws: LocalAws;
let proxy: FaultProxy;
let context: LiveContext;
let before: readonly string[];

beforeAll(async () => {
  aws = await startLocalAws();
  proxy = await startFaultProxy({ target: aws.ec2Endpoint });
  const dynamo = new DynamoDBClient(accessTo(aws, aws.endpoint));
  context = {
    name: 'moto behind a fault proxy',
    region: aws.region,
    account: aws.accountId,
    partition: 'aws',
    ec2: new EC2Client(accessTo(aws, proxy.endpoint)),
    iam: new IAMClient(accessTo(aws, proxy.endpoint)),
    dynamo,
    logs: new CloudWatchLogsClient(accessTo(aws, aws.endpoint)),
    service: tablesOnly(dynamo),
    pauseMs: 1,
    image: () => Promise.resolve('ami-00000000000000001'),
    machines: () => Promise.reject(new Error('no machines are emulated here')),
    close: () => Promise.resolve(),
  };
  before = await contents(aws);
});
afterEach(() => proxy.clearRules());
afterAll(async () => {
  for (const client of [context?.ec2, context?.iam, context?.dynamo, context?.logs]) client?.destroy();
  await proxy?.stop();
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

/** How many calls of EC2 and IAM a building takes. */
async function callsOfABuilding(): Promise<number> {
  const run = runOf(newRunId());
  proxy.forgetCalls();
  await buildTestBed(building(run));
  const { length } = proxy.calls;
  await remove(run);
  return length;
}

describe('a testBed', () => {
  it('is built whole and removed whole: VPC, subnets, tables, gateway, group, instances, role, tables of the stage', async () => {
    const run = runOf(newRunId());
    const testBed = await buildTestBed(building(run));
    const kinds = new Set((await left()).map((thing) => thing.split(' ')[0]));
    const all = 'dynamo eni gateway group instance profile role subnet table volume vpc';
    expect(kinds).toEqual(new Set(all.split(' ')));
    const { NetworkInterfaces = [] } = await context.ec2.send(
      new DescribeNetworkInterfacesCommand({ Filters: [{ Name: `tag:${run.labelKey}`, Values: [run.vip] }] }),
    );
    const addresses = NetworkInterfaces.map(({ PrivateIpAddress }) => PrivateIpAddress);
    expect(new Set(addresses)).toEqual(new Set(['10.0.1.10', '10.0.2.10']));
    expect(NetworkInterfaces.map(({ SourceDestCheck }) => SourceDestCheck)).toEqual([false, false]);
    expect(testBed.network.tables).toHaveLength(1);
    expect(await remove(run)).toEqual([]);
    expect(await left()).toEqual([]);
  });

  it('of another run is not touched: only what has this run’s tag is', async () => {
    const [mine, other] = [runOf(newRunId()), runOf(newRunId())];
    await buildTestBed(building(other));
    const others = await left();
    await buildTestBed(building(mine));
    expect(await remove(mine)).toEqual([]);
    expect(await left()).toEqual(others);
    await remove(other);
  });
});

describe('a stage that belongs to someone else', () => {
  it('keeps everything but the run’s VIP, which leaves its tombstone; the nodes’ role is not touched', async () => {
    const owner = runOf(newRunId());
    const nodes = await makeIdentity(context.iam, owner, context, new AbortController().signal);
    await context.service.deploy('prod', nodes);
    const standing = await left();
    const run = runOf(newRunId(), 'prod');
    const testBed = await buildTestBed(
      building(run, { options: { ...options, instanceProfile: nodes.profile } }),
    );
    expect(testBed.identity).toEqual(nodes);
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

describe('when a call of the building', () => {
  it('is carried out and its answer lost, whichever it is, nothing is left behind: all is found by its tag or name', async () => {
    const calls = await callsOfABuilding();
    expect(calls).toBeGreaterThan(25);
    for (let skip = 0; skip < calls; skip++) {
      const run = runOf(newRunId());
      const rule = proxy.add({ skip, times: 1, fault: { does: 'reset', after: true } });
      await expect(buildTestBed(building(run)), `call ${skip}`).rejects.toThrow();
      expect(rule.hits, `call ${skip}`).toBe(1);
      proxy.clearRules();
      expect(await remove(run), `call ${skip}`).toEqual([]);
    }
    // Asked past the tags, once for all of them: looking takes longer than building.
    expect(await left()).toEqual([]);
  }, 300_000);

  it('is refused, what was made before it is there until the removal, and not after it', async () => {
    const run = runOf(newRunId());
    proxy.add({
      on: 'RunInstances',
      skip: 1,
      fault: { does: 'refuse', code: 'InsufficientInstanceCapacity' },
    });
    await expect(buildTestBed(building(run))).rejects.toThrow('InsufficientInstanceCapacity');
    expect((await left()).length).toBeGreaterThan(10);
    proxy.clearRules();
    expect(await remove(run)).toEqual([]);
    expect(await left()).toEqual([]);
  });
});

describe('the building', () => {
  it('ends at the next call when it is interrupted, and what it made is removed', async () => {
    const run = runOf(newRunId());
    const interrupting = new AbortController();
    const say = () => interrupting.abort(new Error('SIGINT'));
    await expect(buildTestBed(building(run, { signal: interrupting.signal, say }))).rejects.toThrow();
    expect((await left()).filter((thing) => thing.startsWith('instance'))).toEqual([]);
    expect((await left()).length).toBeGreaterThan(5);
    expect(await remove(run)).toEqual([]);
    expect(await left()).toEqual([]);
  });
});

describe('the removal', () => {
  it('goes on after a refusal and comes back to it: one thing hides no other', async () => {
    const run = runOf(newRunId());
    await buildTestBed(building(run));
    for (const on of ['TerminateInstances', 'DeleteSubnet', 'DeleteRole'])
      proxy.add({ on, times: 2, fault: { does: 'refuse', code: 'RequestLimitExceeded', status: 503 } });
    expect(await remove(run)).toEqual([]);
    expect(await left()).toEqual([]);
  });

  it('lists what it cannot remove, with AWS’s own reason, and removes the rest', async () => {
    const run = runOf(newRunId());
    const { network } = await buildTestBed(building(run));
    const denied = {
      does: 'refuse',
      code: 'UnauthorizedOperation',
      message: 'not you',
      status: 403,
    } as const;
    proxy.add({ on: 'DeleteSecurityGroup', fault: denied });
    const found = await remove(run);
    expect(found).toContainEqual({
      what: 'security group',
      id: network.securityGroup,
      why: 'UnauthorizedOperation: not you',
    });
    // On AWS the VPC stays, too; moto lets it go before its security group.
    expect(found.filter(({ what }) => what !== 'VPC')).toHaveLength(1);
    proxy.clearRules();
    expect(await remove(run)).toEqual([]);
    expect(await left()).toEqual([]);
  });

  it('says so when it cannot even list', async () => {
    const run = runOf(newRunId());
    proxy.add({
      on: 'DescribeSubnets',
      fault: { does: 'refuse', code: 'UnauthorizedOperation', status: 403 },
    });
    const [found] = await remove(run);
    expect(found).toMatchObject({ what: 'subnet', id: '', why: expect.stringContaining('cannot list') });
  });
});
