// Where a VIP belongs and where it is, from the nodes themselves and from EC2: what the controller thinks does not count.

import type { MemoryTable } from '../../../shared/memory/ec2.ts';
import type { Hold } from '../../../shared/vip/vip.ts';
import type { VipSpec } from '../history/history.ts';
import type { Machine } from '../node/machine.ts';
import { instanceOf, isMaster } from '../node/vrrp.ts';
import { ACCOUNT, type Region, VPC } from '../world/region.ts';

export interface Orders {
  pin?: { node: string; untilMs: number };
  freeze?: { untilMs: number };
  /** By node. */
  drains?: Readonly<Record<string, { readonly untilMs: number }>>;
  /** Not in the registry any more. */
  removed?: true;
}

/** Everything on one line: where the VIP may be; undefined when anywhere will do. */
export interface Belonging {
  readonly nodes: readonly string[];
  readonly why: string;
  /** Any of them may serve, in whatever order they became MASTER. */
  readonly isStandby?: true;
}

export const serviceEni = (node: string): string => `eni-${node}-service`;
export const eipEni = (node: string): string => `eni-${node}-eip`;

/** Nodes that are in service as keepalived sees it and that the VIP may be given to. */
export const mastersOf = (machines: readonly Machine[], vip: number): readonly Machine[] =>
  machines.filter((m) => m.labelled && isMaster(m, vip));

export const isDrained = ({ drains }: Orders, node: string, now: number): boolean =>
  (drains?.[node]?.untilMs ?? 0) > now;

const isFit = (machine: Machine | undefined, vip: number): machine is Machine => {
  const state = machine === undefined ? 'gone' : instanceOf(machine, vip).state;
  const isUp = machine?.alive === true && machine.labelled && machine.running;
  return isUp && (state === 'MASTER' || state === 'BACKUP');
};

export interface Wanted {
  readonly orders: Orders;
  readonly hold: Hold;
  readonly now: number;
}

export function belongs(
  machines: readonly Machine[],
  vip: number,
  { orders, hold, now }: Wanted,
): Belonging | undefined {
  if (orders.removed === true) return undefined;
  if (orders.freeze !== undefined && now < orders.freeze.untilMs) return undefined;
  const isPinned = (m: Machine) => orders.pin?.node === m.id && now < orders.pin.untilMs && isFit(m, vip);
  const pinned = machines.find(isPinned);
  const masters = mastersOf(machines, vip);
  const candidates = pinned === undefined ? masters : [pinned];
  const why = pinned === undefined ? `master of ${masters.length}` : 'pinned';
  if (candidates.length === 0) return undefined;
  const undrained = (of: readonly Machine[]) =>
    of.filter((m) => !isDrained(orders, m.id, now) && m.leaving === undefined);
  const standbys = hold === 'both' ? machines.filter((m) => isFit(m, vip)) : [];
  const [best] = [candidates, masters].map(undrained).filter((of) => of.length > 0);
  if (best !== undefined) return { nodes: best.map((m) => m.id), why };
  const rest = undrained(standbys).map((m) => m.id);
  if (rest.length > 0) return { nodes: rest, why: 'the others are drained or about to go', isStandby: true };
  return { nodes: candidates.map((m) => m.id), why };
}

export interface Cell {
  readonly cell: string;
  readonly at: string | undefined;
  readonly kind: 'route' | 'eip';
}

const isSet = ({ label, vpc, account, edge }: MemoryTable, spec: VipSpec): boolean =>
  label === spec.tableLabel && vpc === VPC && account === ACCOUNT && !edge;

const routeCell = ({ table }: MemoryTable, address: string): string => `${table} ${address}`;

/** The cells that are the VIP's to set. */
export function cellsOf(region: Region, spec: VipSpec): readonly Cell[] {
  const cells: Cell[] = [];
  for (const table of region.ec2.tables.values()) {
    if (!isSet(table, spec)) continue;
    for (const address of spec.addresses) {
      cells.push({ cell: routeCell(table, address), at: table.routes[address]?.target, kind: 'route' });
    }
  }
  for (const eip of spec.eips) cells.push({ cell: eip, at: region.ec2.eips.get(eip)?.eni, kind: 'eip' });
  return cells;
}

/**
 * Belongs to someone else: never to be taken, and so never wrong. A living target without the VIP's label, put there by
 * anybody but the controller.
 */
export function isForeign(
  region: Region,
  cell: string,
  target: string | undefined,
  atMs = Number.POSITIVE_INFINITY,
): boolean {
  if (target === undefined) return false;
  if (!target.startsWith('eni-')) return true;
  const eni = region.eniAt(target, atMs);
  if (eni?.node === undefined || eni.label !== undefined) return false;
  return region.changesOf(cell).findLast((c) => c.atMs <= atMs)?.by === undefined;
}

/** Whether every cell of the VIP leads to `node`. Asked after every change of EC2, so nothing is built to answer it. */
export function leadsTo(region: Region, spec: VipSpec, node: string): boolean {
  const service = serviceEni(node);
  for (const table of region.ec2.tables.values()) {
    if (!isSet(table, spec)) continue;
    for (const address of spec.addresses) {
      const at = table.routes[address]?.target;
      if (at !== service && !isForeign(region, routeCell(table, address), at)) return false;
    }
  }
  const forEips = eipEni(node);
  // A node without an ENI for EIPs cannot take them; where they lie then is no one's fault.
  if (!region.ec2.enis.has(forEips)) return true;
  return spec.eips.every((eip) => {
    const at = region.ec2.eips.get(eip)?.eni;
    return at === forEips || isForeign(region, eip, at);
  });
}
