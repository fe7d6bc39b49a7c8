// What the code asks of AWS: which port methods each function calls, read from its bundle, and which actions each method of an adapter sends,
// seen by letting it send.

import { join } from 'node:path';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { EC2Client } from '@aws-sdk/client-ec2';
import { EventBridgeClient } from '@aws-sdk/client-eventbridge';
import { build } from 'esbuild';
import { awsApprovals } from '../../../shared/aws/dynamodb/approvals.ts';
import { awsChangeLog } from '../../../shared/aws/dynamodb/change-log.ts';
import { awsOperatorActions } from '../../../shared/aws/dynamodb/operator-actions.ts';
import { awsSharedBucket } from '../../../shared/aws/dynamodb/shared-bucket.ts';
import { awsTimeline } from '../../../shared/aws/dynamodb/timeline.ts';
import { awsVips } from '../../../shared/aws/dynamodb/vip-store.ts';
import { awsEc2 } from '../../../shared/aws/ec2/ec2.ts';
import { awsPublisher } from '../../../shared/aws/events/publisher.ts';
import { awsViews } from '../../../shared/aws/view-cache.ts';
import type { Change } from '../../../shared/controller/hint.ts';
import type { ApprovalRequest } from '../../../shared/forced-failover/approval.ts';
import { rates } from '../../../shared/rate-limit/local-bucket.ts';
import { afterReserve, untouched } from '../../../shared/rate-limit/shared-bucket.ts';
import { epochMs } from '../../../shared/time.ts';
import { operatorAction } from '../../../shared/timeline/operator-action.ts';
import type { Failover } from '../../../shared/timeline/timeline.ts';
import { claimKinds } from '../../../shared/vip/claim.ts';
import { nodeStateFrom } from '../../../shared/vip/node-state.ts';
import { newVip } from '../../../shared/vip/vip.ts';
import { claimOf, entry, world } from '../../support/world.ts';

const root = join(import.meta.dirname, '..', '..', '..');

/** `vips.read`, `timeline.put` …: the methods of ports that are called in what is left of a function after bundling. */
export async function methodsCalledIn(name: string): Promise<Set<string>> {
  const { outputFiles } = await build({
    entryPoints: [join(root, 'functions', `${name}.ts`)],
    bundle: true,
    write: false,
    platform: 'node',
    format: 'esm',
    packages: 'external',
    treeShaking: true,
  });
  const code = outputFiles[0]!.text;
  const calls = code.matchAll(
    /\b(vips|views|timeline|ec2|bus|changes|orders|approvals|sharedBucket)\s*\??\.([a-z]\w+)\??\.?\(/g,
  );
  // Lists that are called so.
  const notPorts = new Set(['vips.push', 'vips.filter', 'changes.filter']);
  return new Set([...calls].map(([, port, method]) => `${port}.${method}`).filter((m) => !notPorts.has(m)));
}

/** The IAM actions that each method sends: every request is noted and then refused, but for a PutItem, after which more may follow. */
export async function actionsByMethod(): Promise<Map<string, Set<string>>> {
  const sent = new Map<string, Set<string>>();
  for (const [method, call] of Object.entries(everyMethod())) {
    const noted = new Set<string>();
    await call(noting(noted)).catch(() => undefined);
    sent.set(method, noted);
  }
  return sent;
}

interface Clients {
  readonly dynamo: DynamoDBClient;
  readonly ec2: EC2Client;
  readonly events: EventBridgeClient;
}

function noting(noted: Set<string>): Clients {
  const access = {
    region: 'eu-central-1',
    credentials: { accessKeyId: 'a', secretAccessKey: 'b' },
    maxAttempts: 1,
  };
  const note = (prefix: string) => ({
    handle: async (request: { headers: Record<string, string>; body?: unknown }) => {
      const action =
        request.headers['x-amz-target']?.split('.')[1] ?? /Action=(\w+)/.exec(String(request.body))?.[1];
      noted.add(`${prefix}:${action}`);
      if (action !== 'PutItem') throw new Error('noted, not sent');
      return { response: { statusCode: 200, headers: {}, body: new TextEncoder().encode('{}') } };
    },
  });
  return {
    dynamo: new DynamoDBClient({ ...access, requestHandler: note('dynamodb') }),
    ec2: new EC2Client({ ...access, requestHandler: note('ec2') }),
    events: new EventBridgeClient({ ...access, requestHandler: note('events') }),
  };
}

type Call = (clients: Clients) => Promise<unknown>;

function everyMethod(): Record<string, Call> {
  const { signal } = new AbortController();
  const views = (c: Clients) => awsViews({ timeline: table(c), vipsTable: 't' });
  const vips = ({ dynamo: client }: Clients) => awsVips({ client, table: 't', signal, nonce: () => 'n' });
  const table = ({ dynamo: client }: Clients) => ({ client, table: 't', signal, retentionDays: 1 });
  const { clock } = world();
  const ec2 = ({ ec2: client }: Clients) =>
    awsEc2({ reader: client, writer: client, tag: 'vipshift:dev', clock, signal });
  const bus = ({ events: client }: Clients) =>
    awsPublisher({ client, bus: 'b', place: { stage: 'dev' }, signal });
  const bucket = ({ dynamo: client }: Clients) =>
    awsSharedBucket({ client, table: 't', sizes: rates, seen: new Map([['ReplaceRoute', used]]), signal });
  const vip = newVip(entry);
  const now = clock.now();
  const used = afterReserve(rates.ReplaceRoute, untouched, { count: 1, priority: 'front', now });
  const nodeState = nodeStateFrom(claimOf('i-a'), now);
  const lease = {
    holder: 'h',
    epoch: 1,
    expiresAtMs: now,
    cause: { kind: 'order' as const, why: 'w', atMs: now },
  };
  const order = operatorAction({ vip: 'web', order: 'pin', by: 'b', reason: 'r', atMs: now }, 'n');
  const change = {
    kind: 'change',
    id: 'e',
    things: [],
    destinations: [],
    labels: [],
    atMs: now,
  } as unknown as Change;
  const failover = {
    ...{
      entry: 'outcome',
      vip: 'web',
      epoch: 1,
      holder: 'h',
      cause: lease.cause,
      outcome: 'switched',
      why: 'w',
    },
    ...{
      steps: [],
      conflicts: [],
      stages: [],
      verified: true,
      notes: [],
      claims: {},
      splitBrain: [],
      atMs: now,
    },
  } as Failover;
  const base = { cell: 'c', from: 'f', eni: 'eni-1' };
  const route = { ...base, table: 'rtb-1', destination: '192.0.2.1/32' };
  const all = [
    { ...route, call: 'ReplaceRoute' as const },
    { ...route, call: 'CreateRoute' as const },
    { ...base, call: 'AssociateAddress' as const, eip: 'eipalloc-1', privateAddress: '10.0.0.1' },
    { ...base, call: 'ModifyNetworkInterfaceAttribute' as const },
  ];
  const rejection = {
    vip: 'web',
    node: 'i-a',
    reason: 'malformed' as const,
    message: 'm',
    example: 'e',
    atMs: now,
  };
  return {
    'vips.read': (c) => vips(c).read('web'),
    'vips.list': (c) => vips(c).list(),
    'vips.recordClaim': (c) =>
      vips(c).recordClaim({ vip: 'web', node: 'i-a', nodeState, window: 1, as: 'news' }, now),
    'vips.write': (c) => vips(c).write(vip, vip),
    'vips.renew': (c) => vips(c).renew('web', lease, now),
    'views.view': (c) => views(c).view('web'),
    'views.keepView': (c) =>
      views(c).keepView('web', {
        source: 'ec2',
        beganAtMs: now,
        endedAtMs: now,
        tables: [],
        enis: [],
        eips: [],
      }),
    'timeline.put': (c) => awsTimeline(table(c)).put(failover),
    'timeline.reject': (c) => awsTimeline(table(c)).reject(rejection),
    'timeline.probe': (c) =>
      awsTimeline(table(c)).probe({
        vip: 'web',
        node: 'i-a',
        eventId: 'e',
        seq: 1,
        sentAtMs: now,
        atMs: epochMs(1),
      }),
    'ec2.observe': (c) => ec2(c).observe(entry),
    'ec2.observeAll': (c) => ec2(c).observeAll([entry]),
    'ec2.hostState': (c) => ec2(c).hostState('i-a'),
    'ec2.scheduledEvents': (c) => ec2(c).scheduledEvents(),
    'ec2.apply': (c) => Promise.allSettled(all.map((step) => ec2(c).apply(step, () => true))),
    'bus.finished': (c) => bus(c).finished(failover),
    'bus.failed': (c) => bus(c).failed!(failover),
    'bus.flapping': (c) =>
      bus(c).flapping('web', { node: 'i-0', sinceMs: now, untilMs: now, transitions: 4 }),
    'bus.leaving': (c) => bus(c).leaving('web', { key: 'last', node: 'i-0', cause: 'spot-terminate' }),
    'bus.warned': (c) =>
      bus(c).warned({ node: 'i-0', code: 'system-reboot', description: '', notBeforeMs: now }),
    'bus.forward': (c) => bus(c).forward({ as: 'finished', detail: '{}' }),
    'sharedBucket.reserve': (c) => bucket(c).reserve('ReplaceRoute', 1, 'front', now),
    'sharedBucket.takeSpare': (c) => bucket(c).takeSpare('ReplaceRoute', 1, now),
    'sharedBucket.pushback': (c) => bucket(c).pushback('ReplaceRoute'),
    'sharedBucket.refund': (c) => bucket(c).refund('ReplaceRoute', 1),
    'sharedBucket.drain': (c) => bucket(c).drain('ReplaceRoute', now),
    'changes.note': (c) => awsChangeLog(table(c)).note('web', change),
    'changes.since': (c) => awsChangeLog(table(c)).since('web', now),
    'orders.put': (c) => awsOperatorActions(table(c)).put(order),
    'approvals.ask': (c) =>
      awsApprovals(table(c)).ask({
        vip: 'web',
        execution: 'x',
        token: claimKinds[0],
        atMs: now,
        untilMs: now,
      } as unknown as ApprovalRequest),
  };
}
