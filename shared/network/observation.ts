// What EC2 says about one VIP: its labelled tables, labelled ENIs and Elastic IPs. Reading never acts.
//
// Only things with the VIP's label in the VIP's VPC and account count (guarantee 7); a labelled thing elsewhere is kept
// apart in `strays`, to be reported and never touched.
// Limit: EC2 reads are eventually consistent. An observation is true of some moment up to STALE_READ before it began.

import { defined } from '../optional.ts';
import type { EpochMs } from '../time.ts';
import { EIP_SUFFIX, MEMBERS_MAX, type Member, type Members } from '../vip/member.ts';
import type { RegistryEntry } from '../vip/vip.ts';

/** One route of a table whose destination is exactly one of the VIP's addresses. */
export interface RouteSeen {
  /** ENI, gateway, peering …: whatever id EC2 gives as the target. */
  readonly target: string;
  readonly state: 'active' | 'blackhole';
  /** A propagated route cannot be replaced; a static one to the same destination wins (VPC guide, "Route priority"). */
  readonly propagated: boolean;
}

export interface TableSeen {
  readonly table: string;
  /** The tag's value. */
  readonly label?: string;
  readonly vpc: string;
  readonly account: string;
  /** Associated with a gateway: such tables take no routes to outside the VPC (VPC guide, "Gateway route tables"). */
  readonly edge: boolean;
  /** All routes of the table, for the quota. */
  readonly total?: number;
  readonly routes: Readonly<Record<string, RouteSeen>>;
}

/** What a VIP's address may be: one IPv4 or IPv6 address, or a managed prefix list, which is many in one route. */
export const isAddress = (destination: string): boolean =>
  destination.endsWith('/32') || destination.endsWith('/128') || destination.startsWith('pl-');

export interface AddressSeen {
  readonly privateAddress: string;
  /** Allocation id of its EIP; the public address itself where AWS assigned that one. */
  readonly eip?: string;
}

export interface EniSeen {
  readonly eni: string;
  /** The tag's value. */
  readonly label: string;
  readonly vpc: string;
  readonly account: string;
  readonly zone: string;
  /** The instance it is attached to; undefined when it is attached to none. */
  readonly node?: string;
  /** Device index 0: carries the node's own public address. */
  readonly primary: boolean;
  readonly sourceDestCheck: boolean;
  /** Private IPv4 addresses, the ENI's primary one first. */
  readonly addresses: readonly AddressSeen[];
}

export interface EipSeen {
  /** Allocation id. */
  readonly eip: string;
  readonly publicAddress: string;
  readonly eni?: string;
  readonly privateAddress?: string;
}

export interface Observation {
  readonly source: 'ec2' | 'stored';
  readonly beganAtMs: EpochMs;
  readonly endedAtMs: EpochMs;
  readonly tables: readonly TableSeen[];
  readonly enis: readonly EniSeen[];
  readonly eips: readonly EipSeen[];
}

/** EC2's name of each instance's state, by node; a node that EC2 does not show is absent. */
export type HostStates = ReadonlyMap<string, string>;

export interface Stray {
  readonly id: string;
  /** `elsewhere`: in another VPC or account. `edge`: a gateway's table. `crowded`: a label on too many nodes. */
  readonly kind: 'elsewhere' | 'edge' | 'crowded';
  readonly why: string;
}

const inScope = (entry: RegistryEntry, thing: { vpc: string; account: string }): boolean =>
  thing.vpc === entry.vpc && thing.account === entry.account;

/** A table that may be touched. */
export const isOurTable = (entry: RegistryEntry, table: TableSeen): boolean =>
  inScope(entry, table) && !table.edge;

/** The tables that may be touched, by id. */
export const tablesOf = (entry: RegistryEntry, seen: Observation): readonly TableSeen[] =>
  // Stryker disable next-line EqualityOperator: no two tables have the same id
  seen.tables.filter((t) => isOurTable(entry, t)).sort((a, b) => (a.table < b.table ? -1 : 1));

/** Labelled, but not to be touched. */
export function strays(entry: RegistryEntry, seen: Observation): readonly Stray[] {
  const elsewhere = (id: string, thing: { vpc: string; account: string }): Stray => ({
    id,
    kind: 'elsewhere',
    why:
      thing.account === entry.account
        ? `is in ${thing.vpc}, expected ${entry.vpc}`
        : `belongs to account ${thing.account}, expected ${entry.account}`,
  });
  return [
    ...seen.tables.filter((t) => !inScope(entry, t)).map((t) => elsewhere(t.table, t)),
    ...seen.tables
      .filter((t) => inScope(entry, t) && t.edge)
      .map((t) => ({
        id: t.table,
        kind: 'edge' as const,
        why: 'is associated with a gateway, which takes no route to outside the VPC',
      })),
    ...seen.enis.filter((e) => !inScope(entry, e)).map((e) => elsewhere(e.eni, e)),
    ...tooMany(entry, seen),
  ];
}

function tooMany(entry: RegistryEntry, seen: Observation): readonly Stray[] {
  const labelled = seen.enis.filter((e) => inScope(entry, e) && entry.nodeLabels.includes(e.label));
  const nodes = new Set(labelled.flatMap((e) => e.node ?? []));
  if (nodes.size <= MEMBERS_MAX) return [];
  const why = `is on ${nodes.size} nodes, expected at most ${MEMBERS_MAX}: the latest of them are not members`;
  return [{ id: `label ${entry.nodeLabels.join(', ')}`, kind: 'crowded', why }];
}

/** Nodes by id, known members first: a newcomer beyond MEMBERS_MAX must not displace a node that serves. */
function inOrder(usable: readonly EniSeen[], known: Members): ReadonlySet<string> {
  const nodes = [...new Set(usable.map((e) => e.node!))].sort();
  return new Set([...nodes.filter((n) => known[n] !== undefined), ...nodes]);
}

/**
 * The members that an observation shows. Of two ENIs with the same label on one node the one already known stays, else
 * the lower id wins: a mistake in the set-up (the doctor reports it) must not make the VIP move back and forth.
 */
export function membersSeen(entry: RegistryEntry, seen: Observation, known: Members): Members {
  const inUse = seen.enis.filter((e) => e.node !== undefined && inScope(entry, e));
  // Stryker disable next-line EqualityOperator: no two ENIs have the same id
  const usable = inUse.sort((a, b) => (a.eni < b.eni ? -1 : 1));
  const eipLabels = entry.nodeLabels.map((label) => label + EIP_SUFFIX);
  const members: Record<string, Member> = {};
  for (const node of inOrder(usable, known)) {
    const own = usable.filter((e) => e.node === node);
    const was = known[node];
    const service = choose(
      own.filter((e) => entry.nodeLabels.includes(e.label)),
      was?.eni,
    );
    if (service === undefined || Object.keys(members).length === MEMBERS_MAX) continue;
    const eip =
      choose(
        own.filter((e) => eipLabels.includes(e.label)),
        was?.eipEni,
      ) ?? (service.primary ? undefined : service);
    members[node] = {
      node,
      eni: service.eni,
      ...defined({ eipEni: eip?.eni }),
      zone: service.zone,
    };
  }
  return members;
}

const choose = (enis: readonly EniSeen[], known: string | undefined): EniSeen | undefined =>
  enis.find((e) => e.eni === known) ?? enis[0];

/** Whether two observations say the same, times apart. */
export const sameView = (a: Observation | undefined, b: Observation): boolean =>
  a !== undefined && isSame([a.tables, a.enis, a.eips], [b.tables, b.enis, b.eips]);

/** Of data alone: objects and lists by what is in them. */
function isSame(a: unknown, b: unknown): boolean {
  if (a === b) return true;
  if (!isObject(a) || !isObject(b)) return false;
  const keys = Object.keys(a);
  return keys.length === Object.keys(b).length && keys.every((key) => key in b && isSame(a[key], b[key]));
}

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null;
