// Each function without each service that it needs: what then happens, as docs/architecture.md says ("What each function can lose"). The
// whole service is lost for the functions, not single requests: a rule that is off, a function that may not run, a table that answers
// nothing.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ReplaceRouteCommand } from '@aws-sdk/client-ec2';
import { afterEach, describe, expect, it } from 'vitest';
import { poll } from '../../lab/aws/stack/poll.ts';
import { invoke, VIP, vipshift } from '../../lab/aws/stack/stack.ts';
import type { RuleHandle } from '../../lab/fault/rule.ts';
import { DETAIL_TYPE } from '../../shared/aws/events/claim-event.ts';
import { call, queueLength, setConcurrency } from './stage/aws-json.ts';
import {
  asKeepalivedDoes,
  expectOn,
  id,
  lastReport,
  nodes,
  repeats,
  run,
  says,
  settled,
  stack,
  stageOrders,
} from './stage/order-stage.ts';

stageOrders({ withFaults: true });

const DOWN = { does: 'refuse', code: 'InternalServerError', status: 500 } as const;
/** What brings back what was taken away. */
const lost: (() => unknown)[] = [];
const found = async (): Promise<void> => {
  for (const back of lost.splice(0)) await back();
};
afterEach(found);

const without = (rule: RuleHandle) => lost.push(() => rule.remove());
const withoutDynamo = () =>
  without(stack.faults!.aws.add({ where: ({ service }) => service === 'dynamodb', fault: DOWN }));
const withoutEc2 = (what: 'describes' | 'mutations' | 'all' = 'all') =>
  without(
    stack.faults!.ec2.add({
      where: ({ action }) => what === 'all' || action.startsWith('Describe') === (what === 'describes'),
      fault: { does: 'refuse', code: 'Unavailable', status: 503 },
    }),
  );

type Function = 'failover' | 'reconcile' | 'runbook';
const nameOf = (name: Function) => `vipshift-${stack.deployment.stage}-${name}`;
async function withoutLambda(...names: readonly Function[]): Promise<void> {
  for (const name of names) {
    await setConcurrency(stack.aws, nameOf(name), 0);
    lost.push(() => setConcurrency(stack.aws, nameOf(name), undefined));
  }
}

/** Nothing of the bus reaches a function. */
async function withoutBus(): Promise<void> {
  const { busName: EventBusName } = stack.deployment;
  type Rule = { readonly Name: string; readonly EventPattern?: string };
  const { Rules } = await call<{ Rules: readonly Rule[] }>(stack.aws, 'AWSEvents.ListRules', {
    EventBusName,
  });
  const { Name } = Rules.find(({ EventPattern = '' }) => EventPattern.includes(DETAIL_TYPE))!;
  await call(stack.aws, 'AWSEvents.DisableRule', { Name, EventBusName });
  lost.push(() => call(stack.aws, 'AWSEvents.EnableRule', { Name, EventBusName }));
}

const reconcile = () => invoke(stack.aws, nameOf('reconcile'), {});
const failures = () => queueLength(stack.aws, stack.deployment.outputs.FunctionFailuresUrl!);
const owner = async () => (await stack.vips.read(VIP))?.owner;
/** A word of keepalived on b that a function gets, and ends with. */
const answered = async (event: Promise<string>) => stack.answered(await event);
const newMaster = () => says(id('b'), 'MASTER');
/** All is there again: b says once more what it is. */
async function movesByTheNextAssertion(): Promise<void> {
  await found();
  await repeats(id('b'));
  await settled(id('b'));
  await expectOn('b');
}

const rows: string[] = [];
const losses = (name: Function, plays: Readonly<Record<string, () => Promise<void>>>) =>
  describe(name, () => {
    rows.push(...Object.keys(plays).map((what) => `${name} without ${what}`));
    it.each(Object.entries(plays))('without %s', (_, play) => play());
  });

losses('failover', {
  async EventBridge() {
    await withoutBus();
    await newMaster();
    expect(await reconcile()).toMatchObject({ vips: 1, switched: 0, left: 0 });
    expect(await owner()).toBe(id('a'));
    await movesByTheNextAssertion();
  },
  async Lambda() {
    await withoutLambda('failover');
    await newMaster();
    expect(await reconcile()).toMatchObject({ vips: 1, switched: 0 });
    expect(await owner()).toBe(id('a'));
    await movesByTheNextAssertion();
  },
  async DynamoDB() {
    const before = await failures();
    const back = stack.faults!.ec2;
    back.forgetCalls();
    withoutDynamo();
    await newMaster();
    await poll('the failed invocation', async () => ((await failures()) > before ? true : undefined));
    expect(back.calls.filter(({ action }) => !action.startsWith('Describe'))).toEqual([]);
    await found();
    await expectOn('a');
    await movesByTheNextAssertion();
  },
  async "EC2's describes"() {
    await reconcile();
    withoutEc2('describes');
    await newMaster();
    const { epoch } = await settled(id('b'));
    expect(await stack.outcome(epoch)).toMatchObject({ to: id('b'), verified: false });
    await found();
    await expectOn('b');
  },
  async "EC2's mutations"() {
    await reconcile();
    withoutEc2('mutations');
    const { epoch } = (await stack.vips.read(VIP))!;
    await newMaster();
    expect(await stack.outcome(epoch + 1)).toMatchObject({ outcome: 'failed', to: id('b') });
    await found();
    await expectOn('a');
    // What has failed is left alone for some seconds.
    const isRight = async () => ((await reconcile()) as { switched: number }).switched === 1 || undefined;
    await poll('the sweep that repairs it', isRight);
    await settled(id('b'));
    await expectOn('b');
  },
});

losses('reconcile', {
  async EventBridge() {
    // What was read sooner after a switch proves nothing.
    await stack.until('rest', (vip) => Date.now() - vip.touchedAtMs > 4100);
    await withoutBus();
    const [table] = stack.vpc.tables.filter((one) => one.labelled);
    await stack.ec2.send(
      new ReplaceRouteCommand({
        RouteTableId: table!.routeTableId,
        DestinationCidrBlock: stack.vpc.vip.ipv4,
        NetworkInterfaceId: stack.vpc.nodes.b.serviceEni,
      }),
    );
    await says(id('a'), 'MASTER');
    await expect(expectOn('a')).rejects.toThrow();
    await found();
    expect(await reconcile(), 'the first sweep').toMatchObject({ switched: 1 });
    await expectOn('a');
  },
  async Lambda() {
    await withoutLambda('reconcile');
    await expect(reconcile()).rejects.toThrow('Rate');
    await answered(newMaster());
    await settled(id('b'));
    await expectOn('b');
  },
  async DynamoDB() {
    withoutDynamo();
    await expect(reconcile()).rejects.toThrow('InternalServerError');
    await found();
    await expectOn('a');
    expect(await reconcile()).toMatchObject({ vips: 1, switched: 0 });
  },
  async EC2() {
    withoutEc2();
    await expect(reconcile()).rejects.toThrow('reconcile failed for web; the others are done');
    await found();
    await expectOn('a');
    expect(await reconcile()).toMatchObject({ vips: 1, switched: 0 });
  },
});

losses('runbook', {
  async EventBridge() {
    await withoutBus();
    nodes.onCommand = asKeepalivedDoes;
    const waited = await run({ mode: 'via-keepalived', claimWaitSeconds: 3 });
    expect(waited).toMatchObject({ status: 'FAILED', error: 'FailoverFailed' });
    expect(waited.cause).toContain('no claim within 3 s');
    expect(nodes.commands.map(({ node, demoted }) => [node, demoted])).toEqual([
      [id('a'), true],
      [id('a'), false],
    ]);
    await expectOn('a');
    expect(await run()).toMatchObject({ status: 'SUCCEEDED' });
    await expectOn('b');
  },
  async Lambda() {
    await withoutLambda('failover', 'reconcile', 'runbook');
    expect(await run()).toMatchObject({ status: 'FAILED' });
    await expectOn('a');
    const args = ['--to', id('b'), '--reason', 'Lambda is down', '--break-glass'];
    expect(await vipshift(stack, 'failover', VIP, ...args)).toContain(id('b'));
    await expectOn('b');
  },
  async DynamoDB() {
    withoutDynamo();
    expect(await run({ mode: 'via-keepalived' })).toMatchObject({ status: 'FAILED' });
    expect(nodes.commands).toEqual([]);
    await found();
    await expectOn('a');
  },
  async EC2() {
    withoutEc2('mutations');
    expect(await run()).toMatchObject({ status: 'FAILED', error: 'FailoverFailed' });
    const { Message } = await lastReport();
    expect(Message).toContain('Unavailable');
    expect(Message).toContain('Switched back: yes');
    await found();
    await settled(id('a'));
    await expectOn('a');
  },
});

it('the page has a row for each, and no other one', () => {
  const page = readFileSync(join(import.meta.dirname, '..', '..', 'docs', 'architecture.md'), 'utf8');
  const [, table = ''] = page.split('### What each function can lose');
  const lines = (table.split('\n## ')[0] ?? '').matchAll(/^\| (?:`(\w+)`)? ?\| ([^|]+) \|/gm);
  let name = '';
  const promised = [...lines].flatMap(([, of, what = '']) => {
    name = of ?? name;
    return name === '' ? [] : [`${name} without ${what}`];
  });
  expect(rows).toEqual(promised);
});
