// Where a failover's CPU goes: warm failovers of one VIP under V8's sampling profiler, its samples by part. A sample counts for
// the innermost frame that belongs to a part; what no part claims is Node's own (promises, timers) or compilation.
//
// Limits: of this thread; the fake region runs in another, and the collector's helper threads are in neither. What the machine
// gives to other programs meanwhile counts for the part that was interrupted.
import { Session } from 'node:inspector/promises';
import { claimEvent } from '../claim.ts';
import { type FakeRegion, type Latency, nodesOf, vipWith } from '../fake/region.ts';
import { type Row, valueRow } from '../figures.ts';
import { context, type Handler } from './handler.ts';

const VIP = 'web';
const WARM_UP = 5;
/** µs between samples. */
const SAMPLE_EVERY = 200;

/** The first that fits the frame's function and file: what runs, and for whom. */
const parts: readonly (readonly [string, RegExp])[] = [
  ['signing, hashes, ids', /signature-v4|httpAuthSchemes|checksum|sha256|internal\/crypto/],
  ['XML', /getValueFromTextNode|xml-builder|@aws-sdk\/core\/.*\/protocols\//],
  ['DynamoDB’s items', /dynamodb-codec|util-dynamodb/],
  ['requests and replies by the SDK’s schemas', /@smithy\/core\/.*\/(?:schema|serde|protocols)\//],
  ['the SDK’s HTTP handler', /node-http-handler/],
  ['the SDK’s middleware, endpoints, retries', /node_modules\/@(?:aws-sdk|smithy)\//],
  ['log and metrics', /node_modules\/@(?:aws-lambda-powertools|aws|middy)\/|shared\/aws\/lambda\//],
  ['reading of the claim', /node_modules\/zod\/|shared\/aws\/events\//],
  ['mutations and connections', /shared\/aws\/(?:mutation|connections|ec2\/ec2)\./],
  ['observation', /shared\/aws\/ec2\//],
  ['VIPs, timeline, budget in DynamoDB', /shared\/aws\/|shared\/rate-limit\//],
  ['record', /shared\/timeline\//],
  ['plan, switch, lease, election', /shared\//],
  [
    'HTTP, sockets, streams',
    /node:(?:_http|net|http|internal\/(?:streams|stream_base|http)|stream|events|internal\/timers)/,
  ],
];
const GC = 'garbage collector';
const REST = 'promises and the rest of Node';

type Profile = Awaited<ReturnType<typeof profiled>>;

export async function profileRows(
  region: FakeRegion,
  handler: Handler,
  { latency, tables, runs }: { readonly latency: Latency; readonly tables: number; readonly runs: number },
): Promise<readonly Row[]> {
  const { vip, item } = vipWith(VIP, tables);
  const failover = async () => {
    await region.build({ latency, buckets: false, vips: [vip], items: [item] });
    await handler(claimEvent(VIP, nodesOf(VIP)[1]!), context());
  };
  for (let n = 0; n < WARM_UP; n++) await failover();
  const before = process.threadCpuUsage();
  for (let n = 0; n < runs; n++) await failover();
  const { user, system } = process.threadCpuUsage(before);
  const usBy = byPart(
    await profiled(async () => {
      for (let n = 0; n < runs; n++) await failover();
    }),
  );
  const all = [...usBy.values()].reduce((sum, us) => sum + us, 0);
  return [
    valueRow('CPU of a failover, ms', tables, (user + system) / 1000 / runs, 'without the profiler'),
    ...[...usBy]
      .sort(([, a], [, b]) => b - a)
      .map(([part, us]) => valueRow(`CPU of a failover, %: ${part}`, tables, (us / all) * 100)),
  ];
}

async function profiled(work: () => Promise<void>) {
  const session = new Session();
  session.connect();
  try {
    await session.post('Profiler.enable');
    await session.post('Profiler.setSamplingInterval', { interval: SAMPLE_EVERY });
    await session.post('Profiler.start');
    await work();
    return (await session.post('Profiler.stop')).profile;
  } finally {
    session.disconnect();
  }
}

/** µs by part; idle time is in none. */
function byPart({ nodes, samples = [], timeDeltas = [] }: Profile): Map<string, number> {
  const partById = partsOf(nodes);
  const us = new Map<string, number>();
  samples.forEach((id, n) => {
    const part = partById.get(id);
    if (part !== undefined) us.set(part, (us.get(part) ?? 0) + (timeDeltas[n + 1] ?? 0));
  });
  return us;
}

/** Of each node of the call tree; callers come before whom they call. */
function partsOf(nodes: Profile['nodes']): ReadonlyMap<number, string | undefined> {
  const partById = new Map<number, string | undefined>();
  const fromCaller = new Map<number, string>();
  for (const { id, callFrame, children = [] } of nodes) {
    const { functionName, url } = callFrame;
    const frame = `${functionName} ${url}`;
    const own =
      functionName === '(garbage collector)' ? GC : parts.find(([, frames]) => frames.test(frame))?.[0];
    const part = own ?? fromCaller.get(id) ?? REST;
    partById.set(id, functionName === '(idle)' ? undefined : part);
    if (part !== REST) for (const child of children) fromCaller.set(child, part);
  }
  return partById;
}
