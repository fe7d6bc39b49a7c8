// Upgrade and roll-back, both ways, with code that is really deployed: this version, the next one, this one again, the next one again.
import { DynamoDBClient, GetItemCommand } from '@aws-sdk/client-dynamodb';
import { unmarshall } from '@aws-sdk/util-dynamodb';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { deployService } from '../../lab/aws/stack/deploy.ts';
import {
  invoke,
  logged,
  logLines,
  NODE_ROLE_ID,
  STAGE,
  type Stack,
  startStack,
  VIP,
  vipshift,
} from '../../lab/aws/stack/stack.ts';
import { describeVpc } from '../../lab/aws/stack/vpc-view.ts';
import { ended, start } from './stage/aws-json.ts';
import { NEWER_EVENT, NEWER_SCHEMA, type NewerVersion, newerVersion } from './stage/newer-version.ts';
import { wordsOf } from './stage/words.ts';

let stack: Stack;
let newer: NewerVersion;
let dynamo: DynamoDBClient;
let storyS = -400;

beforeAll(async () => {
  newer = newerVersion();
  stack = await startStack({ schedule: false });
  const { endpoint, region, accountId } = stack.aws;
  const credentials = { accessKeyId: accountId, secretAccessKey: 'local' };
  dynamo = new DynamoDBClient({ endpoint, region, credentials });
  await says('b', 'BACKUP');
  await says('a', 'MASTER');
  await expectOn('a');
});
afterAll(async () => {
  dynamo?.destroy();
  await stack?.stop();
  newer?.remove();
});

const id = (name: 'a' | 'b') => stack.vpc.nodes[name].instanceId;

/** As a node says it that was updated already, where a version is given. */
async function says(name: 'a' | 'b', state: 'MASTER' | 'BACKUP', version = 1): Promise<string> {
  storyS += 3;
  const words = wordsOf(id(name), { atS: storyS, state });
  const more = version === 1 ? {} : { version, weight: 7, mood: { of: 'node' } };
  return stack.answered(await stack.publish({ ...words, ...more }));
}

async function expectOn(name: 'a' | 'b'): Promise<void> {
  await stack.until(`${name} to own the VIP`, (vip) => vip.owner === id(name) && vip.lease === undefined);
  const view = await describeVpc(stack.ec2, stack.vpc);
  const { serviceEni, eipEni } = stack.vpc.nodes[name];
  for (const table of view.tables.filter((t) => t.labelled))
    expect([table.ipv4, table.ipv6]).toEqual([serviceEni, serviceEni]);
  expect(view.eip.eni).toBe(eipEni);
}

async function deploy(functionsFolder?: string): Promise<void> {
  const { aws } = stack;
  await deployService(aws, {
    ...{ stage: STAGE, schedule: false, nodeRoleId: NODE_ROLE_ID },
    nodeRoleArn: `arn:aws:iam::${aws.accountId}:role/vipshift-node`,
    ...(functionsFolder === undefined ? {} : { functionsFolder }),
  });
}

const runs = async () =>
  ((await invoke(stack.aws, stack.deployment.functions.reconcile, {})) as { version?: string }).version ??
  'this';

interface NewItem {
  readonly schema: number;
  readonly novelty?: { readonly writtenAtRev: number };
  readonly claims: Readonly<Record<string, { readonly noveltyOfClaim?: string }>>;
}
async function item(): Promise<NewItem> {
  const Key = { vip: { S: VIP } };
  const request = { TableName: stack.deployment.vipsTable, Key, ConsistentRead: true };
  return unmarshall((await dynamo.send(new GetItemCommand(request))).Item!) as NewItem;
}
const warnedOfNewer = async () =>
  (await logLines(stack.aws, stack.deployment.functions.failover)).filter((line) =>
    line.includes('event of a newer version'),
  ).length;

// Each goes on from the one before: it is one history.
describe('an upgrade and the way back', () => {
  let written: NewItem;

  it('upgrade: the next version takes over the items of this one, and its claims of the next event version move the VIP', async () => {
    expect(await runs()).toBe('this');
    expect((await item()).schema).toBe(1);
    await deploy(newer.functionsFolder);
    expect(await runs(), 'really deployed').toBe('newer');
    await says('b', 'MASTER', NEWER_EVENT);
    await expectOn('b');
    written = await item();
    expect(written).toMatchObject({ schema: NEWER_SCHEMA, novelty: { list: ['x', { y: 1 }] } });
    expect(written.claims[id('b')]?.noveltyOfClaim).toBe('z');
    expect(await warnedOfNewer(), 'it is no newer one to itself').toBe(0);
  });

  it('roll-back: this version works on the newer items, and what it does not know survives', async () => {
    await deploy();
    expect(await runs()).toBe('this');
    await says('a', 'MASTER', NEWER_EVENT);
    await expectOn('a');
    const kept = await item();
    expect([kept.schema, kept.novelty]).toEqual([NEWER_SCHEMA, written.novelty]);
    expect(kept.claims[id('b')], 'within the claim of a node that has not spoken since').toMatchObject({
      noveltyOfClaim: 'z',
    });
  });

  it('rolled back, it says that the nodes speak a newer version, and understands them', async () => {
    const metrics = await logged(
      stack.aws,
      stack.deployment.functions.failover,
      (line) => line.includes('"_aws"') && line.includes('ClaimsOfNewerVersion'),
    );
    expect(metrics).toHaveLength(1);
    expect(await warnedOfNewer()).toBe(1);
  });

  it('rolled back, an operator’s orders work on the newer items, too: pin, forced failover, status', async () => {
    await says('b', 'BACKUP');
    const order = { vip: VIP, to: id('b'), mode: 'routes-only', reason: 'rolled back', by: 'test' };
    const machine = stack.deployment.outputs.FailoverMachineArn!;
    const end = await ended(stack.aws, await start(stack.aws, machine, 'rolled-back', order));
    expect([end.status, end.cause]).toEqual(['SUCCEEDED', undefined]);
    await expectOn('b');
    expect(await vipshift(stack, 'status', VIP)).toContain(id('b'));
    await vipshift(stack, 'unpin', VIP, '--yes');
    const kept = await item();
    expect([kept.schema, kept.novelty]).toEqual([NEWER_SCHEMA, written.novelty]);
  });

  it('upgrade again: the next version finds what it wrote, and goes on', async () => {
    await deploy(newer.functionsFolder);
    expect(await runs()).toBe('newer');
    await says('a', 'MASTER', NEWER_EVENT);
    await expectOn('a');
    const { schema, novelty } = await item();
    expect(schema).toBe(NEWER_SCHEMA);
    expect(novelty!.writtenAtRev).toBeGreaterThan(written.novelty!.writtenAtRev);
  });
});
