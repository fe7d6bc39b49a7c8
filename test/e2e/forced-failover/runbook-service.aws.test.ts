// The service around the switch: dead letters driven again, hints from AWS, notices, metrics, and items of another version.
import { DynamoDBClient, GetItemCommand, UpdateItemCommand } from '@aws-sdk/client-dynamodb';
import { AssociateAddressCommand, ReplaceRouteCommand } from '@aws-sdk/client-ec2';
import { EventBridgeClient, ListRulesCommand, PutEventsCommand } from '@aws-sdk/client-eventbridge';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { calm } from '../../../lab/aws/stack/calm.ts';
import { poll } from '../../../lab/aws/stack/poll.ts';
import { invoke, logged, logLines, type Stack, startStack, VIP } from '../../../lab/aws/stack/stack.ts';
import { describeVpc } from '../../../lab/aws/stack/vpc-view.ts';
import { parseClaimEvent } from '../../../shared/aws/events/claim-event.ts';
import { epochMs } from '../../../shared/time.ts';
import { windowOf } from '../../../shared/vip/liveness.ts';
import { nodeStateFrom } from '../../../shared/vip/node-state.ts';
import {
  addPermission,
  attributesOf,
  ended,
  type Inbox,
  queueLength,
  removePermission,
  sendMessage,
  start,
  subscribe,
} from '../stage/aws-json.ts';
import { wordsOf } from '../stage/words.ts';

let stack: Stack;
let inbox: Inbox;
let bus: EventBridgeClient;
let dynamo: DynamoDBClient;
let storyS = -400;

beforeAll(async () => {
  stack = await startStack({ schedule: false, withFaults: true });
  const { endpoint, region, accountId } = stack.aws;
  const access = { endpoint, region, credentials: { accessKeyId: accountId, secretAccessKey: 'local' } };
  bus = new EventBridgeClient(access);
  dynamo = new DynamoDBClient(access);
  inbox = await subscribe(stack.aws, stack.deployment.outputs.NoticesTopicArn!);
  await says('b', 'BACKUP');
});
beforeEach(() => calm(stack.vips, VIP));
afterAll(async () => {
  bus?.destroy();
  dynamo?.destroy();
  await stack?.stop();
});
afterEach(() => stack.faults!.aws.clearRules());

const id = (name: 'a' | 'b') => stack.vpc.nodes[name].instanceId;
const words = (name: 'a' | 'b', state: 'MASTER' | 'BACKUP') => {
  storyS += 3;
  return wordsOf(id(name), { atS: storyS, state });
};
const says = async (name: 'a' | 'b', state: 'MASTER' | 'BACKUP') =>
  stack.answered(await stack.publish(words(name, state)));
/** A master says every ten seconds that it is one. */
const repeats = (name: 'a' | 'b') =>
  stack.publish(wordsOf(id(name), { atS: storyS, laterS: 1, kind: 'assertion' }));
const owner = async () => (await stack.vips.read(VIP))?.owner;
const settled = (name: 'a' | 'b') =>
  stack.until(`${name} to own the VIP`, (vip) => vip.owner === id(name) && vip.lease === undefined);

describe('dead letters', () => {
  const outputs = () => stack.deployment.outputs;
  const redrive = async (queue: string) =>
    ended(
      stack.aws,
      await start(stack.aws, outputs().RedriveMachineArn!, `redrive-${crypto.randomUUID()}`, { queue }),
    );
  const refuse = () =>
    stack.faults!.aws.add({
      on: ['UpdateItem', 'GetItem'],
      fault: { does: 'refuse', code: 'AccessDeniedException', status: 400 },
    });

  it('a dead-lettered event re-driven: a claim on which the function gave up lies in its queue until that is repaired', async () => {
    await says('a', 'MASTER');
    await settled('a');
    refuse();
    await stack.publish(words('b', 'MASTER'));
    const url = outputs().FunctionFailuresUrl!;
    await poll('the failure', async () => ((await queueLength(stack.aws, url)) > 0 ? true : undefined));
    expect(await owner()).toBe(id('a'));
    stack.faults!.aws.clearRules();
    expect(await redrive('function-failures')).toMatchObject({ status: 'SUCCEEDED' });
    expect(await owner(), 'late, whatever its stamp: it moves nothing').toBe(id('a'));
    await repeats('b');
    await settled('b');
    expect(await queueLength(stack.aws, url)).toBe(0);
  });

  it('a dead-lettered event of the rule re-driven: it could not be handed over, and lies in the rule’s queue with the reason', async () => {
    const { failover } = stack.deployment.functions;
    await removePermission(stack.aws, failover, 'ClaimRuleMayInvoke');
    await stack.publish(words('a', 'MASTER'));
    const url = outputs().RuleDeadLettersUrl!;
    const { RULE_ARN, ERROR_CODE } = await poll('the dead letter', () => attributesOf(stack.aws, url));
    expect(RULE_ARN).toContain(`/${stack.deployment.busName}/`);
    expect(ERROR_CODE).toBe('NO_PERMISSIONS');
    expect(await owner()).toBe(id('b'));
    await addPermission(stack.aws, failover, 'ClaimRuleMayInvoke', RULE_ARN!);
    expect(await redrive('rule-dead-letters')).toMatchObject({ status: 'SUCCEEDED' });
    expect(await owner(), 'late, whatever its stamp: it moves nothing').toBe(id('b'));
    await repeats('a');
    await settled('a');
    expect(await queueLength(stack.aws, url)).toBe(0);
  });

  it('what fails again stays in the queue', async () => {
    refuse();
    await stack.publish(words('b', 'MASTER'));
    const url = outputs().FunctionFailuresUrl!;
    await poll('the failure', async () => ((await queueLength(stack.aws, url)) > 0 ? true : undefined));
    expect(await redrive('function-failures')).toMatchObject({
      status: 'SUCCEEDED',
      output: { redriven: 0, failedAgain: 1, notUnderstood: 0 },
    });
    await poll('the failure again', async () =>
      (await queueLength(stack.aws, url)) === 1 ? true : undefined,
    );
    expect(await owner()).toBe(id('a'));
  });

  it('that hold no event stay in the queue and are counted; every other one is driven again, in whatever round', async () => {
    const url = outputs().RuleDeadLettersUrl!;
    const poison = ['no JSON', '{"hello":1}', '{"requestPayload":null}', '"text"', '[]', '{{{'];
    for (const body of poison) await sendMessage(stack.aws, url, body);
    const event = { id: 'again', time: new Date().toISOString(), 'detail-type': 'VRRP State Change' };
    await sendMessage(
      stack.aws,
      url,
      JSON.stringify({ ...event, source: 'vipshift.notify/x:y', detail: {} }),
    );
    const failed = await redrive('rule-dead-letters');
    expect(failed).toMatchObject({ status: 'FAILED', error: 'NotUnderstood' });
    expect(failed.cause).toMatch(/^6 messages .* Driven again: 1; failed again, and stay too: 0\.$/);
    expect(await queueLength(stack.aws, url)).toBe(6);
  });

  it('of a queue that does not exist are refused by name', async () => {
    expect(await redrive('customers')).toMatchObject({ status: 'FAILED', error: 'NoSuchQueue' });
  });
});

const tellDefaultBus = async (source: string, detailType: string, detail: object) => {
  const Entries = [{ Source: source, DetailType: detailType, Detail: JSON.stringify(detail) }];
  const reply = await bus.send(new PutEventsCommand({ Entries }));
  expect(reply.FailedEntryCount).toBe(0);
};
const restedAt = async () =>
  stack.until('the last mutation to be old enough', (v) => Date.now() - v.touchedAtMs > 4100);

describe('hints on the default bus', () => {
  it('an owner whose instance stops loses the VIP at once to the other MASTER: it does not wait for silence', async () => {
    await says('a', 'MASTER');
    await says('b', 'MASTER');
    await settled('b');
    await tellDefaultBus('aws.ec2', 'EC2 Instance State-change Notification', {
      'instance-id': id('b'),
      state: 'stopped',
    });
    const vip = await settled('a');
    expect(vip.claims[id('b')]).toMatchObject({ state: 'STOP' });
  });

  const drift = async () => {
    await restedAt();
    const table = stack.vpc.tables.find((t) => t.labelled)!;
    const route = { RouteTableId: table.routeTableId, DestinationCidrBlock: stack.vpc.vip.ipv4 };
    await stack.ec2.send(
      new ReplaceRouteCommand({ ...route, NetworkInterfaceId: stack.vpc.nodes.b.serviceEni }),
    );
    return table.routeTableId;
  };
  /** `issuer`: the role behind the session. */
  const toldByCloudTrail = (arn: string, routeTableId: string, issuer?: string) =>
    tellDefaultBus('aws.ec2', 'AWS API Call via CloudTrail', {
      ...{ eventSource: 'ec2.amazonaws.com', eventName: 'ReplaceRoute', eventTime: new Date().toISOString() },
      userIdentity: { arn, ...(issuer && { sessionContext: { sessionIssuer: { arn: issuer } } }) },
      requestParameters: { routeTableId, destinationCidrBlock: stack.vpc.vip.ipv4 },
    });

  it('a route that someone else changed is put right at once, and the record says who it was', async () => {
    const table = await drift();
    const { epoch } = (await stack.vips.read(VIP))!;
    const by = `arn:aws:sts::${stack.aws.accountId}:assumed-role/terraform/ci`;
    await toldByCloudTrail(by, table);
    const repaired = await stack.outcome(epoch + 1);
    expect(repaired.cause.why).toContain(`drift at ${table} ${stack.vpc.vip.ipv4}; ReplaceRoute ${table}`);
    expect(repaired.cause.why).toContain(`by ${by}`);
    const changes = await poll('the change in the record', async () => {
      const found = await stack.entries(`change/${VIP}`);
      return found.length > 0 ? found : undefined;
    });
    expect(changes).toMatchObject([{ call: 'ReplaceRoute', by }]);
  });

  /** The roles that the rule leaves out, by their ARNs. */
  const ownRoles = async (): Promise<readonly string[]> => {
    const { Rules = [] } = await bus.send(new ListRulesCommand({ NamePrefix: 'vipshift-dev-ChangeHints' }));
    const { detail } = JSON.parse(Rules[0]!.EventPattern!);
    return detail.userIdentity.sessionContext.sessionIssuer.arn[1]['anything-but'];
  };

  it('what our own functions changed is no hint: they would chase their own tail', async () => {
    const hints = async (table: string) =>
      (await logLines(stack.aws, stack.deployment.functions.reconcile)).filter(
        (l) => l.includes('"hint"') && l.includes(table),
      ).length;
    const session = `arn:aws:sts::${stack.aws.accountId}:assumed-role/vipshift-dev-FailoverRole-1/f`;
    const [issuer] = await ownRoles();
    await toldByCloudTrail(session, 'rtb-ours', issuer);
    await toldByCloudTrail(`arn:aws:iam::${stack.aws.accountId}:user/ops`, 'rtb-theirs');
    await poll('the other one', async () => ((await hints('rtb-theirs')) > 0 ? true : undefined));
    expect(await hints('rtb-ours')).toBe(0);
  });
});

describe('reconcile', () => {
  it('lost claim healed by reconcile: recorded by a function that then died, before it could take the lease', async () => {
    const [name, to] = (await owner()) === id('a') ? (['b', id('b')] as const) : (['a', id('a')] as const);
    const detail = words(name, 'MASTER');
    const event = {
      id: 'lost',
      source: 'x',
      time: new Date().toISOString(),
      'detail-type': 'VRRP State Change',
      detail,
    };
    const parsed = parseClaimEvent(event);
    if (!parsed.ok) throw new Error(parsed.rejection.message);
    const now = epochMs(Date.now());
    const { claim } = parsed;
    const telling = {
      vip: VIP,
      node: to,
      nodeState: nodeStateFrom(claim, now),
      window: windowOf(claim.timeMs),
      as: 'news' as const,
    };
    expect(await stack.vips.recordClaim(telling, now)).toMatchObject({ answer: 'recorded' });
    const { epoch } = (await stack.vips.read(VIP))!;
    await invoke(stack.aws, stack.deployment.functions.reconcile, {});
    expect(await stack.outcome(epoch + 1)).toMatchObject({
      ...{ outcome: 'switched', to },
      cause: { kind: 'reconcile', why: `missed claim: newest MASTER is ${to}` },
    });
    await settled(name);
  });

  it('a foreign EIP reported and left: the VIP’s address was put on a node’s own ENI', async () => {
    await restedAt();
    const { allocationId } = stack.vpc.eip;
    const move = (NetworkInterfaceId: string) =>
      stack.ec2.send(
        new AssociateAddressCommand({
          AllocationId: allocationId,
          NetworkInterfaceId,
          AllowReassociation: true,
        }),
      );
    const stranger = stack.vpc.nodes.b.primaryEni;
    const own = (await describeVpc(stack.ec2, stack.vpc)).own.b;
    await move(stranger);
    await invoke(stack.aws, stack.deployment.functions.reconcile, {});
    expect((await describeVpc(stack.ec2, stack.vpc)).eip.eni).toBe(stranger);
    await logged(stack.aws, stack.deployment.functions.reconcile, (line) =>
      line.includes('the EIP is on an ENI that does not belong to this VIP'),
    );
    await move(stack.vpc.nodes[(await owner()) === id('a') ? 'a' : 'b'].eipEni);
    await stack.ec2.send(
      new AssociateAddressCommand({
        AllocationId: own.allocationId,
        NetworkInterfaceId: stranger,
        AllowReassociation: true,
      }),
    );
  });
});

describe('what is reported', () => {
  it('one message per failover, readable at night', async () => {
    await says('a', 'MASTER');
    await settled('a');
    const before = await poll('the notice before', async () => {
      const all = await inbox.messages();
      return all.at(-1)?.Subject?.endsWith(`to ${id('a')}`) ? all.length : undefined;
    });
    await says('b', 'MASTER');
    await settled('b');
    const messages = await poll('the notice', async () => {
      const all = await inbox.messages();
      return all.length > before ? all : undefined;
    });
    expect(messages).toHaveLength(before + 1);
    expect(messages.at(-1)?.Subject).toBe(`vipshift dev: web moved from ${id('a')} to ${id('b')}`);
    const lines = messages.at(-1)!.Message.split('\n');
    expect(lines[0]).toBe(`VIP web (stage dev): moved from ${id('a')} to ${id('b')}`);
    expect(lines[1]).toBe(`Cause: ${id('b')} said MASTER (claim)`);
    expect(lines[2]).toMatch(/^Outcome: switched, epoch \d+; 9 of 9 EC2 calls carried out; /);
    expect(lines[3]).toMatch(/^Clients: about \d+\.\d s .*open TCP connections broke$/);
    expect(lines.at(-1)).toBe('Next: vipshift timeline web --limit 5 --stage dev --region eu-central-1');
  });

  it('metrics by VIP and over all, only when something happened; a reconcile that went fine counts itself', async () => {
    await invoke(stack.aws, stack.deployment.functions.reconcile, {});
    const metrics = async (name: string, holds: RegExp) =>
      (await logged(stack.aws, name, (line) => line.includes('"_aws"') && holds.test(line))).map(
        (line) => JSON.parse(line.slice(line.indexOf('{'))) as Record<string, unknown>,
      );
    await metrics(stack.deployment.functions.reconcile, /"Reconciled":1\b/);
    const failover = await metrics(stack.deployment.functions.failover, /./);
    const dimensions = (metric: Record<string, unknown>) =>
      (metric._aws as { CloudWatchMetrics: { Namespace: string; Dimensions: string[][] }[] })
        .CloudWatchMetrics[0]!;
    const durations = failover.filter((m) => 'FailoverDuration' in m);
    expect(new Set(durations.map((m) => dimensions(m).Dimensions.flat().sort().join()))).toEqual(
      new Set(['service', 'service,vip']),
    );
    expect(new Set(failover.map((m) => dimensions(m).Namespace))).toEqual(new Set(['vipshift/dev']));
  });
});

describe('items of another version', () => {
  const Key = { vip: { S: VIP } };
  const TableName = 'vipshift-dev-vips';

  it('of a newer schema keep what this version does not know, through claims, switches and reconciles', async () => {
    await dynamo.send(
      new UpdateItemCommand({
        ...{ TableName, Key, UpdateExpression: 'SET #s = :two, novelty = :n ADD rev :one' },
        ExpressionAttributeNames: { '#s': 'schema' },
        ExpressionAttributeValues: { ':two': { N: '2' }, ':n': { M: { x: { S: 'y' } } }, ':one': { N: '1' } },
      }),
    );
    await says('a', 'MASTER');
    await settled('a');
    await invoke(stack.aws, stack.deployment.functions.reconcile, {});
    await says('b', 'MASTER');
    await settled('b');
    const { Item } = await dynamo.send(new GetItemCommand({ TableName, Key, ConsistentRead: true }));
    expect(Item).toMatchObject({ schema: { N: '2' }, novelty: { M: { x: { S: 'y' } } } });
  });
});
