// What reconcile saw last of each VIP: serves when the describes do not answer (guarantee 8). Kept apart from the item, which
// every assertion rewrites and pays for by its size, and from the key range that listing the VIPs reads.
//
// Invariant: a view has only what a plan for its VIP reads, so that its size does not depend on how many other VIPs share
// the tables, and the move of another VIP does not change it.
// Limit: where VIPs with EIPs share an ENI each needs to know which of its addresses are taken, so there a move of the
// other one's EIP does.
import { type Texts, textOf } from '../keyed.ts';
import { type DurationMs, type EpochMs, hours, iso, minutes } from '../time.ts';
import { enisOf } from '../vip/member.ts';
import type { RegistryEntry, Vip } from '../vip/vip.ts';
import {
  type EniSeen,
  membersSeen,
  type Observation,
  sameView,
  type TableSeen,
  tablesOf,
} from './observation.ts';

/** What a view was made for: it says nothing of other destinations. */
type ViewScope = Pick<RegistryEntry, 'addresses' | 'eips' | 'tableLabels' | 'nodeLabels' | 'vpc' | 'account'>;

export interface StoredView extends Observation {
  /** Undefined where a version stored it that kept everything it saw. */
  readonly of?: ViewScope;
}

export interface ViewCache {
  /** Undefined when nothing was kept yet. Throws a Fault. */
  view(name: string): Promise<StoredView | undefined>;
  /** Replaces what was kept. Throws a Fault. */
  keepView(name: string, view: StoredView): Promise<void>;
}

/** An older view is not planned from. Long enough for a day's work without describes, too short for another network. */
export const VIEW_AGE_MAX: DurationMs = hours(6);
/** A view that still holds is stored again after this, so that its age says when it was last confirmed. */
const KEPT_AGAIN_AFTER: DurationMs = minutes(30);

/** The part of an observation that a plan for this VIP reads. */
export function viewOf(vip: Vip, seen: Observation): StoredView {
  const eips = seen.eips.filter(({ eip }) => vip.eips.includes(eip));
  const members = membersSeen(vip, seen, vip.members);
  const kept = new Set([...enisOf(members), ...eips.flatMap(({ eni }) => eni ?? [])]);
  const enis = seen.enis.filter(({ eni }) => kept.has(eni)).sort((a, b) => (a.eni < b.eni ? -1 : 1));
  return {
    ...{ source: seen.source, beganAtMs: seen.beganAtMs, endedAtMs: seen.endedAtMs },
    of: scopeOf(vip),
    tables: tablesOf(vip, seen).map((table) => tableOf(vip, table)),
    enis: enis.map((eni) => (vip.eips.length === 0 ? withoutAddresses(eni) : eni)),
    eips,
  };
}

const scopeOf = ({ addresses, eips, tableLabels, nodeLabels, vpc, account }: RegistryEntry): ViewScope => ({
  addresses,
  eips,
  tableLabels,
  nodeLabels,
  vpc,
  account,
});

/** Without the number of all routes, which is the doctor's and changes with every VIP. */
function tableOf({ addresses }: Vip, { total: _total, routes, ...table }: TableSeen): TableSeen {
  const own = addresses.flatMap((address) => {
    const route = routes[address];
    return route === undefined ? [] : [[address, route] as const];
  });
  return { ...table, routes: Object.fromEntries(own) };
}

const withoutAddresses = (eni: EniSeen): EniSeen => ({ ...eni, addresses: [] });

/** Whether what is stored can stay: it says the same, and was confirmed lately. */
export const stays = (stored: StoredView | undefined, view: StoredView): boolean =>
  stored !== undefined &&
  view.endedAtMs - stored.endedAtMs < KEPT_AGAIN_AFTER &&
  sameScope(stored.of, view.of) &&
  sameView(stored, view);

const sameScope = (a: ViewScope | undefined, b: ViewScope | undefined): boolean =>
  JSON.stringify(a) === JSON.stringify(b);

/** Why a stored view does not serve. */
export type ViewProblem =
  | { readonly key: 'view-too-old'; readonly storedAtMs: EpochMs }
  | { readonly key: 'view-of-other-settings'; readonly storedAtMs: EpochMs }
  | { readonly key: 'view-not-kept'; readonly why: string };

const texts: Texts<ViewProblem> = {
  'view-too-old': ({ storedAtMs }) =>
    `the stored view is of ${iso(storedAtMs)}, expected at most ${VIEW_AGE_MAX / hours(1)} h old`,
  'view-of-other-settings': ({ storedAtMs }) =>
    `the stored view of ${iso(storedAtMs)} was made for other addresses, EIPs or labels`,
  'view-not-kept': ({ why }) =>
    `the view that serves when the describes do not answer could not be kept: ${why}`,
};

export const viewProblemText = (problem: ViewProblem): string => textOf(texts, problem) ?? problem.key;

/** What keeps a stored view from being planned from; undefined where nothing does. */
export function viewProblem(entry: RegistryEntry, view: StoredView, now: EpochMs): ViewProblem | undefined {
  const stored = { storedAtMs: view.endedAtMs };
  if (now - view.endedAtMs > VIEW_AGE_MAX) return { key: 'view-too-old', ...stored };
  if (view.of !== undefined && !sameScope(view.of, scopeOf(entry)))
    return { key: 'view-of-other-settings', ...stored };
  return undefined;
}
