// Where a VIP belongs and where it is, from the nodes themselves and from EC2: what the controller thinks does not count.

import type { MemoryTable } from '../../../shared/memory/ec2.ts';
import type { VipSpec } from '../history/history.ts';
import type { Machine } from '../node/machine.ts';
import { instanceOf, isMaster } from '../node/vrrp.ts';
import { ACCOUNT, type Region, VPC } from '../world/region.ts';

export interface Orders {
  pin?: { node: string; untilMs: number };
  freeze?: { untilMs: number };
  /** Not in the registry any more. */
  removed?: true;
}

/** Everything on one line: where the VIP may be; undefined when anywhere will do. */
export interface Belonging {
  readonly nodes: readonly string[];
  readonly why: string;
}

export const serviceEni = (node: string): string => `eni-${node}-service`;
export const eipEni = (node: string): string => `eni-${node}-eip`;

/** Nodes that are in service as keepalived sees it and that the VIP may be given to. */
export const mastersOf = (machines: readonly Machine[], vip: number): readonly Machine[] =>
  machines.filter((m) => m.labelled && isMaster(m, vip));

export function belongs(
  machines: readonly Machine[],
  vip: number,
  orders: Orders,
  now: number,
): Belonging | undefined {
  if (orders.removed === true) return undefined;
  if (orders.freeze !== undefined && now < orders.freeze.untilMs) return undefined;
  if (orders.pin !== undefined && now < orders.pin.untilMs) {
    const pinned = machines.find((m) => m.id === orders.pin!.node);
    const state = pinned === undefined ? 'gone' : instanceOf(pinned, vip).state;
    const fit =
      pinned?.alive && pinned.labelled && pinned.running && (state === 'MASTER' || state === 'BACKUP');
    if (fit) return { nodes: [pinned.id], why: 'pinned' };
  }
  const masters = mastersOf(machines, vip).map((m) => m.id);
  return masters.length === 0 ? undefined : { nodes: masters, why: `master of ${masters.length}` };
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
