// A small Region in memory for tests of the domain: one VIP, a few nodes, labelled and other tables.
import type { Claim, ClaimKind, VrrpState } from '../shared/claim.ts';
import { LEASE_TTL } from '../shared/lease.ts';
import { type ManualClock, manualClock } from '../shared/memory/clock.ts';
import { type MemoryEc2, memoryEc2 } from '../shared/memory/ec2.ts';
import { type MemoryTimeline, memoryTimeline } from '../shared/memory/timeline.ts';
import { type MemoryVips, memoryVips } from '../shared/memory/vip-store.ts';
import { pace } from '../shared/pace.ts';
import type { Wire } from '../shared/switch.ts';
import { type EpochMs, epochMs, minutes, plus } from '../shared/time.ts';
import type { Failover } from '../shared/timeline.ts';
import { type LedgerEntry, newVip, type Vip } from '../shared/vip.ts';

export const START: EpochMs = epochMs(Date.UTC(2026, 10, 22, 14, 0, 0));
export const VPC = 'vpc-1';
export const ACCOUNT = '111122223333';
export const V4 = '192.168.255.10/32';
export const V6 = 'fd77:7669:7073::10/128';

export const entry: LedgerEntry = {
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
  readonly wire: Wire;
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
  const vips = memoryVips([{ ...newVip(entry), members, ...vip }]);
  const timeline = memoryTimeline();
  const published: Failover[] = [];
  for (const node of nodes) addNode(ec2, node);
  for (const n of [1, 2, 3, 4]) addTable(ec2, `rtb-${n}`, 'web');
  addTable(ec2, 'rtb-other');
  ec2.eips.set('eipalloc-1', { eip: 'eipalloc-1', publicAddress: '203.0.113.10', label: 'web' });
  let nonces = 0;
  const wire: Wire = {
    clock,
    ec2,
    vips,
    timeline,
    pace: pace(),
    chance: () => 0.5,
    nonce: () => `nonce-${++nonces}`,
    deadline: plus(START, minutes(60 * 24)),
    scopes: new Map(),
    bus: {
      finished: async (failover) => {
        published.push(failover);
      },
    },
  };
  return { clock, ec2, vips, timeline, published, wire };
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
