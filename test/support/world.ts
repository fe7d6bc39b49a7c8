// A small Region in memory for tests of the domain: one VIP, a few nodes, labelled and other tables.
import type { ReconcileResult } from '../../shared/controller/assess.ts';
import { type Answer, handleClaim } from '../../shared/controller/handle-claim.ts';
import type { ReconcilePorts } from '../../shared/controller/reconcile.ts';
import { reconcile } from '../../shared/controller/reconcile.ts';
import { type ManualClock, manualClock, settleMicrotasks } from '../../shared/memory/clock.ts';
import { type MemoryEc2, memoryEc2 } from '../../shared/memory/ec2.ts';
import { type MemoryTimeline, memoryTimeline } from '../../shared/memory/timeline.ts';
import { type MemoryVips, memoryVips } from '../../shared/memory/vip-store.ts';
import type { RouteSeen } from '../../shared/network/observation.ts';
import { localBucket } from '../../shared/rate-limit/local-bucket.ts';
import { prefetchMemory } from '../../shared/rate-limit/prefetch-memory.ts';
import { durationMs, type EpochMs, epochMs, minutes, plus, seconds } from '../../shared/time.ts';
import type { Failover } from '../../shared/timeline/timeline.ts';
import type { Claim, ClaimKind, VrrpState } from '../../shared/vip/claim.ts';
import type { Flapping } from '../../shared/vip/flapping.ts';
import { LEASE_TTL } from '../../shared/vip/lease.ts';
import { newVip, type RegistryEntry, type Stranded, type Vip } from '../../shared/vip/vip.ts';

export const START: EpochMs = epochMs(Date.UTC(2026, 10, 22, 14, 0, 0));
export const VPC = 'vpc-1';
export const ACCOUNT = '111122223333';
export const V4 = '192.168.255.10/32';
export const V6 = 'fd77:7669:7073::10/128';

export const entry: RegistryEntry = {
  name: 'web',
  addresses: [V4, V6],
  eips: ['eipalloc-1'],
  vpc: VPC,
  account: ACCOUNT,
  tableLabels: ['web'],
  nodeLabels: ['web'],
  hold: 'both',
};

export interface World {
  readonly clock: ManualClock;
  readonly ec2: MemoryEc2;
  readonly vips: MemoryVips;
  readonly timeline: MemoryTimeline;
  readonly published: Failover[];
  readonly storms: (Flapping & { readonly vip: string })[];
  readonly leavings: (Stranded & { readonly vip: string })[];
  readonly ports: ReconcilePorts;
}

export const memberOf = (node: string) => ({
  node,
  eni: `eni-${node}-service`,
  eipEni: `eni-${node}-eip`,
  zone: `zone-${node}`,
});

/** Nodes are `i-a`, `i-b`, …; tables are `rtb-1` to `rtb-4`, labelled, and `rtb-other`, which is not. */
export function world(nodes: readonly string[] = ['i-a', 'i-b'], vip: Partial<Vip> = {}): World {
  const clock = manualClock(START);
  const ec2 = memoryEc2(clock);
  const members = Object.fromEntries(nodes.map((node) => [node, memberOf(node)]));
  const vips = memoryVips([{ ...newVip(entry), members, tablesSeen: 4, ...vip }]);
  const timeline = memoryTimeline();
  const published: Failover[] = [];
  const storms: World['storms'] = [];
  const leavings: World['leavings'] = [];
  for (const node of nodes) addNode(ec2, node);
  for (const n of [1, 2, 3, 4]) addTable(ec2, `rtb-${n}`, 'web');
  addTable(ec2, 'rtb-other');
  ec2.eips.set('eipalloc-1', { eip: 'eipalloc-1', publicAddress: '203.0.113.10', label: 'web' });
  let nonces = 0;
  const ports: ReconcilePorts = {
    clock,
    ec2,
    vips,
    views: vips,
    timeline,
    localBucket: localBucket(),
    random: () => 0.5,
    nonce: () => `nonce-${++nonces}`,
    deadline: plus(START, minutes(60 * 24)),
    prefetchMemory: prefetchMemory(),
    bus: {
      finished: async (failover) => {
        published.push(failover);
      },
      failed: () => Promise.resolve(),
      flapping: async (vip, flapping) => void storms.push({ vip, ...flapping }),
      leaving: async (vip, stranded) => void leavings.push({ vip, ...stranded }),
      warned: () => Promise.resolve(),
      forward: () => Promise.resolve(),
    },
    changes: { note: () => Promise.resolve(), since: () => Promise.resolve([]) },
  };
  return { clock, ec2, vips, timeline, published, storms, leavings, ports };
}

export function addNode(ec2: MemoryEc2, node: string, label = 'web'): void {
  const base = { vpc: VPC, account: ACCOUNT, zone: `zone-${node}`, node, sourceDestCheck: false };
  const index = ec2.enis.size + 10;
  ec2.enis.set(`eni-${node}-service`, {
    ...base,
    eni: `eni-${node}-service`,
    label,
    primary: false,
    privateAddresses: [`10.0.1.${index}`],
  });
  ec2.enis.set(`eni-${node}-eip`, {
    ...base,
    eni: `eni-${node}-eip`,
    label: `${label}:eip`,
    primary: false,
    privateAddresses: [`10.0.2.${index}`, `10.0.2.${index + 100}`],
  });
}

export function addTable(ec2: MemoryEc2, table: string, label?: string): void {
  const routes = { '0.0.0.0/0': { target: 'igw-1', state: 'active' as const, propagated: false } };
  const base = { table, vpc: VPC, account: ACCOUNT, edge: false, routes };
  ec2.tables.set(table, label === undefined ? base : { ...base, label });
}

export interface Words {
  readonly kind?: ClaimKind;
  readonly state?: VrrpState;
  readonly priority?: number;
  readonly bootId?: string;
  /** When the transition happened, in ms after START. */
  readonly sinceMs?: number;
  /** When the claim was made and sent, in ms after START. */
  readonly atMs?: number;
  readonly over?: Partial<Claim>;
}

/** Nodes booted an hour before START. */
export function claimOf(node: string, words: Words = {}): Claim {
  const atMs = words.atMs ?? 0;
  const sinceMs = words.sinceMs ?? atMs;
  const bootedMs = 3_600_000;
  return {
    vip: 'web',
    node,
    state: words.state ?? 'MASTER',
    kind: words.kind ?? 'transition',
    priority: words.priority ?? 100,
    instance: 'VI_WEB',
    bootId: words.bootId ?? `boot-of-${node}`,
    seq: (bootedMs + atMs) * 1000,
    since: (bootedMs + sinceMs) * 1000,
    uptimeMs: bootedMs + atMs,
    ageMs: 0,
    atMs: START + atMs,
    superseded: false,
    dropped: 0,
    timeMs: epochMs(Math.floor((START + atMs) / 1000) * 1000),
    eventId: `event-${node}-${atMs}`,
    ...words.over,
  };
}

export const heard = (node: string, words: Words = {}) => ({
  claim: claimOf(node, words),
  source: `vipshift.notify/AROAEXAMPLE:${node}`,
});

export const anyNode = { mode: 'none' } as const;
export const AFTER_LEASE = plus(START, LEASE_TTL);

/** How far `finish` lets time pass at once, and in all. */
const TICK = durationMs(10);
const PATIENCE = minutes(5);

/** Lets `work` run to its end while time passes. */
export async function finish<T>({ clock }: Pick<World, 'clock'>, work: Promise<T>): Promise<T> {
  let settled = false;
  const done = () => {
    settled = true;
  };
  work.then(done, done);
  const until = plus(clock.now(), PATIENCE);
  await settleMicrotasks();
  while (!settled && clock.now() < until) await clock.advance(TICK);
  if (!settled) throw new Error(`not finished after ${PATIENCE} ms of manual time`);
  return work;
}

/** A node says something at the clock's present; the answer is the controller's. */
export const says = (w: World, node: string, words: Words = {}): Promise<Answer> =>
  finish(w, handleClaim(w.ports, heard(node, { atMs: w.clock.now() - START, ...words }), anyNode));

/** Reconciles `web` as it is listed. */
export const reconciles = (w: World): Promise<ReconcileResult> => finish(w, reconcile(w.ports, item(w)));

export const item = (w: World): Vip => w.vips.items.get('web')!;

/** Where the labelled tables send the VIP, each target once. */
export const targets = (w: World): readonly string[] => [
  ...new Set(
    [...w.ec2.tables.values()]
      .filter((t) => t.label === 'web')
      .flatMap((t) => item(w).addresses.map((a) => t.routes[a]?.target ?? 'nothing')),
  ),
];

/** Sets one route as someone else would. */
export function routeTo(w: World, table: string, destination: string, route: Partial<RouteSeen>): void {
  const was = w.ec2.tables.get(table)!;
  const set: RouteSeen = { target: 'eni-foreign', state: 'active', propagated: false, ...route };
  w.ec2.tables.set(table, { ...was, routes: { ...was.routes, [destination]: set } });
}

export const outcomesOf = (w: World): readonly Failover[] =>
  w.timeline.entries.filter((e): e is Failover => e.entry === 'outcome');

/** The first node owns the VIP and everything points to it; ten seconds have passed. */
export async function owned(nodes: readonly string[] = ['i-a', 'i-b']): Promise<World> {
  const w = world(nodes);
  await says(w, nodes[0]!);
  await w.clock.advance(seconds(10));
  return w;
}

/** Changes the item behind everybody's back. */
export const change = (w: World, over: Partial<Vip>) => w.vips.items.set('web', { ...item(w), ...over });
