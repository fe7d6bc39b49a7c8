// The demo itself: a stack on a local AWS, two nodes, and what an operator sees of their failovers.
import { uptime } from 'node:os';
import { UNREGISTERED } from '../../shared/vip/admission.ts';
import { ensurePython, isPythonMade } from '../aws/python.ts';
import { poll } from '../aws/stack/poll.ts';
import { type Stack, startStack, VIP, vipshift } from '../aws/stack/stack.ts';
import { type Kept, keep, makeReady } from './keep.ts';
import { type DemoNode, startDemoNode } from './node.ts';
import { type Chapter, chapter, columns, print } from './print.ts';

export interface DemoOptions {
  readonly json: boolean;
  readonly keep: boolean;
}

interface DemoResult {
  readonly chapters: readonly Chapter[];
  readonly rejected: readonly Record<string, unknown>[];
}

const signals = ['SIGINT', 'SIGTERM'] as const;
/** With a status, and so that the folders of the nodes are swept up; the emulators and shims end with this process. */
const quit = () => process.exit(130);

export async function runDemo(options: DemoOptions): Promise<void> {
  for (const signal of signals) process.on(signal, quit);
  const began = performance.now();
  const progress = (text: string) =>
    process.stderr.write(`${((performance.now() - began) / 1000).toFixed(1).padStart(5)} s  ${text}\n`);
  if (!(await isPythonMade())) {
    progress('making the Python environment of the local AWS, this once');
    await ensurePython();
  }
  progress('starting a local AWS, building the network, deploying the service');
  // Reconcile stays off, so that each change below is the doing of one claim.
  const stack = await startStack({ schedule: false, register: false });
  const nodes: DemoNode[] = [];
  let kept: Kept | undefined;
  try {
    progress(
      `deployed as stage ${stack.deployment.stage}; registering the VIP, starting the notify shim of two nodes`,
    );
    const { a, b } = stack.vpc.nodes;
    const start = async (node: typeof a) => {
      const started = await startDemoNode(stack, node);
      nodes.push(started);
      return started;
    };
    const [registered, nodeA, nodeB] = await Promise.all([register(stack), start(a), start(b)]);
    progress('the VIP is in the registry, and both shims read their FIFO');
    if (!options.json) process.stdout.write(registered);
    const result = await scenario(stack, nodeA, nodeB, (one, number) => {
      if (!options.json) process.stdout.write(`${print(stack, one, number)}\n`);
    });
    if (options.json) process.stdout.write(`${JSON.stringify(result, null, 2)}\n`);
    else {
      process.stdout.write(printRejected(result.rejected));
      process.stdout.write(`\n$ vipshift timeline ${VIP}\n${await vipshift(stack, 'timeline', VIP)}`);
    }
    if (options.keep) {
      progress('node a starts again, as a standby; what an operator sets up once is set up');
      kept = await makeReady(stack);
      for (const signal of signals) process.off(signal, quit);
      await keep(stack, kept, signals);
      for (const signal of signals) process.on(signal, quit);
      progress('stopping');
    }
  } finally {
    await Promise.all(
      [...nodes, ...(kept === undefined ? [] : [kept.revived, kept.whole])].map((one) => one.stop()),
    );
    await stack.stop();
  }
  progress('everything is stopped');
}

/** As an operator would. */
async function register(stack: Stack): Promise<string> {
  const { vip, eip, vpcId } = stack.vpc;
  const [v4, v6] = [vip.ipv4, vip.ipv6].map((cidr) => cidr.split('/')[0]!);
  const args = [
    'vip',
    'add',
    VIP,
    '--address',
    v4!,
    '--address',
    v6!,
    '--eip',
    eip.allocationId,
    '--vpc',
    vpcId,
  ];
  return `\n$ vipshift ${args.join(' ')}\n${await vipshift(stack, ...args)}`;
}

async function scenario(
  stack: Stack,
  a: DemoNode,
  b: DemoNode,
  show: (one: Chapter, number: number) => void,
): Promise<DemoResult> {
  const chapters: Chapter[] = [];
  const add = async (title: string, more: Omit<Chapter, 'title' | 'network'>) => {
    chapters.push(await chapter(stack, title, more));
    show(chapters.at(-1)!, chapters.length);
  };
  await a.says('INSTANCE "VI_WEB" MASTER 254');
  await add('keepalived on node a says MASTER', { failover: await stack.outcome(1) });
  check(chapters[0]!, stack.vpc.nodes.a);
  const first = await stack.until('the claim of node a', (vip) => vip.claims[a.instanceId] !== undefined);
  const old = first.claims[a.instanceId]!;
  await a.dies();
  await b.says('INSTANCE "VI_WEB" MASTER 253');
  await add('node a has died without a word; keepalived on node b says MASTER', {
    failover: await stack.outcome(2),
  });
  check(chapters[1]!, stack.vpc.nodes.b);
  const before = await stack.until('the item', () => true);
  await stack.answered(await stack.publish(claimAgain(a.instanceId, old)));
  const after = await stack.until('the item', () => true);
  if (after.epoch !== before.epoch)
    throw new Error(`the old claim began epoch ${after.epoch}, expected none`);
  const remark =
    'EventBridge delivered node a’s first claim once more. It is old: nothing moved, no epoch began.';
  await add('an old claim of node a comes late', { remark });
  check(chapters[2]!, stack.vpc.nodes.b);
  await stack.publish({ ...claimAgain(a.instanceId, old), state: 'ELECTED' });
  await stack.publish(claimAgain(b.instanceId, old), `vipshift.notify/AROASTRANGER0000001:${b.instanceId}`);
  await stack.publish({ ...claimAgain(a.instanceId, old), vip: 'wbe' });
  const rejected = await poll('three rejections', async () => {
    const all = await Promise.all([VIP, UNREGISTERED].map((vip) => stack.entries(`rejected/${vip}`)));
    return all.flat().length === 3 ? all.flat() : undefined;
  });
  return { chapters, rejected };
}

const claimAgain = (
  node: string,
  nodeState: { bootId: string; since: number; priority: number; atMs: number },
) => ({
  version: 1,
  vip: VIP,
  node,
  state: 'MASTER',
  kind: 'transition',
  instance: 'VI_WEB',
  priority: nodeState.priority,
  bootId: nodeState.bootId,
  seq: nodeState.since,
  since: nodeState.since,
  // Sent again by a node that lives on.
  uptimeMs: Math.floor(uptime() * 1000),
  ageMs: Math.floor(uptime() * 1000 - nodeState.since / 1000),
  superseded: false,
  dropped: 0,
  atMs: nodeState.atMs,
  shim: 'demo',
});

/** The demo fails when what it shows is not so. */
function check(chapter: Chapter, node: { name: string; serviceEni: string; eipEni: string }): void {
  const wrong = chapter.network.tables.filter((t) => {
    const want = t.labelled ? node.serviceEni : undefined;
    return t.ipv4 !== want || t.ipv6 !== want;
  });
  if (wrong.length > 0)
    throw new Error(`${chapter.title}: ${wrong.map((t) => t.name).join(', ')} point elsewhere`);
  if (chapter.network.eip.eni !== node.eipEni)
    throw new Error(`${chapter.title}: the EIP lies on ${chapter.network.eip.eni}`);
}

function printRejected(rejected: readonly Record<string, unknown>[]): string {
  const rows = rejected.map((r) => [
    String(r.ofVip),
    String(r.node),
    String(r.reason),
    String(r.count),
    String(r.message),
  ]);
  const header = ['VIP', 'node', 'reason', 'count', 'message'];
  return `\n4. What was rejected, and why\n${columns([header, ...rows])
    .map((line) => `  ${line}\n`)
    .join('')}`;
}
