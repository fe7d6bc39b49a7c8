// The stage on which orders are carried out: the deployed service, two played nodes, an inbox on its topic. Registers its own hooks.
import { afterAll, beforeAll, beforeEach, expect } from 'vitest';
import { calm } from '../../../lab/aws/stack/calm.ts';
import { poll } from '../../../lab/aws/stack/poll.ts';
import { type Stack, type StackOptions, startStack, VIP } from '../../../lab/aws/stack/stack.ts';
import { describeVpc } from '../../../lab/aws/stack/vpc-view.ts';
import { update } from '../../../shared/registry/registry.ts';
import { type Vip, withoutFreeze, withoutPin } from '../../../shared/vip/vip.ts';
import { type Ended, ended, type Inbox, start, subscribe } from './aws-json.ts';
import { type Nodes, startNodes } from './nodes.ts';
import { wordsOf } from './words.ts';

export let stack: Stack;
export let nodes: Nodes;
export let inbox: Inbox;
/** Seconds of the story; every transition is later than the ones before, and none later than its end. */
let clock = -400;

export function stageOrders(options: StackOptions = {}): void {
  beforeAll(async () => {
    nodes = await startNodes();
    stack = await startStack({ schedule: false, ssmAgents: nodes.url, ...options });
    inbox = await subscribe(stack.aws, stack.deployment.outputs.NoticesTopicArn!);
  });
  afterAll(async () => {
    await stack?.stop();
    await nodes?.stop();
  });
  /** Node a is keepalived's master and owns the VIP; b is its standby. */
  beforeEach(async () => {
    nodes.onCommand = async () => {};
    nodes.commands.length = 0;
    await calm(stack.vips, VIP);
    await change((vip) => withoutPin(withoutFreeze(vip)));
    await stack.answered(await says(id('b'), 'BACKUP'));
    await stack.answered(await says(id('a'), 'MASTER'));
    await settled(id('a'));
    await inbox.messages();
  });
}

export const id = (name: 'a' | 'b') => stack.vpc.nodes[name].instanceId;
const other = (node: string) => (node === id('a') ? id('b') : id('a'));

/** Node a outranks b, as in every configuration that vipshift keepalived-config makes. */
export function says(node: string, state: 'MASTER' | 'BACKUP' | 'FAULT'): Promise<string> {
  clock += 2;
  return stack.publish(wordsOf(node, { atS: clock, state, priority: node === id('a') ? 254 : 253 }));
}

/** The functions write to the item, too: a write that meets theirs is made again on what they left. */
export async function change(how: (vip: Vip) => Vip): Promise<void> {
  await update(stack.vips, VIP, (was) => how(was!));
}

/** What it says every ten seconds. */
export const repeats = (node: string): Promise<string> =>
  stack.publish(
    wordsOf(node, { atS: clock, laterS: 1, kind: 'assertion', priority: node === id('a') ? 254 : 253 }),
  );

export const settled = (owner: string): Promise<Vip> =>
  stack.until(`${owner} to own the VIP`, (vip) => vip.owner === owner && vip.lease === undefined);

export const input = (over: object = {}) => ({
  ...{
    vip: VIP,
    to: id('b'),
    mode: 'routes-only',
    reason: 'maintenance of a',
    by: 'arn:aws:iam::1:user/night',
  },
  ...over,
});

let executions = 0;
/** The name of the execution that was begun last. */
export const lastName = () => `order-${executions}`;
export const begin = (over: object = {}, name = `order-${++executions}`): Promise<string> =>
  start(stack.aws, stack.deployment.outputs.FailoverMachineArn!, name, input(over));
export const run = async (over: object = {}): Promise<Ended> => ended(stack.aws, await begin(over));
/** The report of the execution that was begun last. Notices of failovers come to the same topic, before it or after it. */
export const lastReport = () =>
  poll(`the report of ${lastName()}`, async () => {
    const ofIt = new RegExp(`\\b${lastName()}\\b`);
    return (await inbox.messages()).find(({ Message }) => ofIt.test(Message));
  });
export const orders = async () => (await stack.entries(VIP)).filter((entry) => entry.entry === 'order');

/** As VRRP does: who is demoted steps down, the other one takes over; who is promoted again takes it back. */
export const asKeepalivedDoes: Nodes['onCommand'] = async ({ node, demoted }) => {
  await says(demoted ? node : other(node), demoted ? 'FAULT' : 'BACKUP');
  await says(demoted ? other(node) : node, 'MASTER');
};

/** With nopreempt: who is promoted again stands by. */
export const withoutPreemption: Nodes['onCommand'] = async (command) => {
  if (command.demoted) await asKeepalivedDoes(command);
  else await says(command.node, 'BACKUP');
};

export async function expectOn(name: 'a' | 'b'): Promise<void> {
  const view = await describeVpc(stack.ec2, stack.vpc);
  const { serviceEni, eipEni } = stack.vpc.nodes[name];
  for (const table of view.tables.filter((t) => t.labelled))
    expect([table.ipv4, table.ipv6]).toEqual([serviceEni, serviceEni]);
  expect(view.eip.eni).toBe(eipEni);
}
