// Labels, the values of the tag `vipshift:<stage>`: which VIPs use which, and what has a value that no VIP uses. Pure.
//
// Invariant: what has a value of the tag is used by a VIP, is left out on purpose (LEFT_OUT), or is named here. A table with a
// mistyped value is found by no filter, so a failover would be done without it and call itself complete.

import { defined } from '../optional.ts';
import { similar } from '../suggest.ts';
import { EIP_SUFFIX } from '../vip/member.ts';
import type { RegistryEntry } from '../vip/vip.ts';
import type { RouteSeen } from './observation.ts';

/** The tag's value on what was left out on purpose; no label may look so. */
export const LEFT_OUT = '-';

export type LabelledKind = 'table' | 'eni' | 'eip';

export interface TableSurveyed {
  readonly table: string;
  readonly vpc: string;
  readonly account: string;
  /** The tag's value; undefined when it has none. */
  readonly label?: string;
  /** A tag whose key differs from ours by case or blanks only. */
  readonly nearKey?: { readonly key: string; readonly value: string };
  readonly routes: Readonly<Record<string, RouteSeen>>;
}

/** What a look at a whole stage shows: all tables of the VIPs' VPCs, and every table, ENI and EIP that has the tag. */
export interface Survey {
  /** The tag key. */
  readonly tag: string;
  readonly tables: readonly TableSurveyed[];
  readonly enis: readonly {
    readonly eni: string;
    readonly vpc: string;
    readonly account: string;
    readonly label: string;
  }[];
  readonly eips: readonly { readonly eip: string; readonly label: string }[];
  /** ENIs and EIPs without the tag that have one whose key is nearly ours; absent where not everything was looked at. */
  readonly nearKeys?: readonly NearKey[];
}

export interface NearKey {
  readonly kind: 'eni' | 'eip';
  readonly id: string;
  readonly key: string;
  readonly value: string;
}

/** Something that a failover of the VIP leaves where it is although it looks as if it should move. */
export type Mislabelled = { readonly kind: LabelledKind; readonly id: string; readonly tag: string } & (
  | {
      /** `unused`: a value that no VIP uses. `near-key`: the key of the tag is mistyped. */
      readonly is: 'unused' | 'near-key';
      readonly key: string;
      readonly value: string;
      /** Labels that were probably meant; empty when none is near. */
      readonly meant: readonly string[];
    }
  | {
      /** A table without a label of the VIP routes one of its addresses. */
      readonly is: 'routed';
      readonly value?: string;
      readonly address: string;
      readonly target: string;
    }
);

/** The labels of a VIP that count on things of this kind. */
export function labelsOf(kind: LabelledKind, entry: RegistryEntry): readonly string[] {
  if (kind === 'table') return entry.tableLabels;
  const nodes = [...entry.nodeLabels, ...entry.nodeLabels.map((label) => label + EIP_SUFFIX)];
  return kind === 'eni' ? nodes : [...new Set([entry.name, ...nodes])];
}

/** The VIPs that use this label on such things. */
export const usersOf = <Entry extends RegistryEntry>(
  kind: LabelledKind,
  label: string,
  entries: readonly Entry[],
): readonly Entry[] => entries.filter((entry) => labelsOf(kind, entry).includes(label));

/** VIPs by which a thing with this label would be moved, or moved to: of its VPC and account. */
export const usersHere = <Entry extends RegistryEntry>(
  kind: LabelledKind,
  thing: { readonly label: string; readonly vpc: string; readonly account: string },
  entries: readonly Entry[],
): readonly Entry[] => usersOf(kind, thing.label, entries).filter((entry) => sameScope(entry, thing));

/** For people: whose label it is that stays. */
export const staysText = (label: string, users: readonly RegistryEntry[]): string =>
  `label ${label} stays: ${users.length === 1 ? 'VIP' : 'VIPs'} ${users.map((user) => user.name).join(', ')} ${users.length === 1 ? 'uses' : 'use'} it`;

const sameScope = (entry: RegistryEntry, thing: { vpc: string; account: string }): boolean =>
  entry.vpc === thing.vpc && entry.account === thing.account;

/** What concerns `vip` among everything of the stage; `entries` are all VIPs that are registered. */
export function mislabelled(
  vip: RegistryEntry,
  entries: readonly RegistryEntry[],
  survey: Survey,
): readonly Mislabelled[] {
  const { tag } = survey;
  const found: Mislabelled[] = [];
  for (const table of survey.tables.filter((t) => sameScope(vip, t)))
    found.push(...wrongTable(vip, entries, table, tag));
  for (const { eni: id, label: value, ...place } of survey.enis) {
    if (!sameScope(vip, place) || !isUnused('eni', value, entries)) continue;
    const near = nearby(
      'eni',
      entries.filter((entry) => sameScope(entry, place)),
      value,
    );
    if (concerns('eni', vip, near))
      found.push({ kind: 'eni', id, tag, is: 'unused', key: tag, value, meant: near });
  }
  for (const { eip: id, label: value } of survey.eips) {
    if (!isUnused('eip', value, entries)) continue;
    const near = nearby('eip', entries, value);
    const owners = entries.filter((entry) => entry.eips.includes(id));
    const ours = owners.length === 0 ? concerns('eip', vip, near) : owners.some((o) => o.name === vip.name);
    const meant = owners.length === 0 ? near : owners.map((o) => o.name);
    if (ours) found.push({ kind: 'eip', id, tag, is: 'unused', key: tag, value, meant });
  }
  for (const { kind, id, key, value } of survey.nearKeys ?? []) {
    const meant = nearby(kind, entries, value);
    // Another stage may be called so; only a value of ours tells that this one was meant.
    if (meant.length > 0 && concerns(kind, vip, meant))
      found.push({ kind, id, tag, is: 'near-key', key, value, meant });
  }
  return found.sort((a, b) => (a.id < b.id ? -1 : 1));
}

/** Tables and ENIs outside every VIP's VPC with a value that no VIP uses. */
export function mislabelledElsewhere(
  entries: readonly RegistryEntry[],
  survey: Survey,
): readonly Mislabelled[] {
  const { tag } = survey;
  const things = [
    ...survey.tables.map(({ table: id, ...thing }) => ({ ...thing, id, kind: 'table' as const })),
    ...survey.enis.map(({ eni: id, ...thing }) => ({ ...thing, id, kind: 'eni' as const })),
  ];
  return things.flatMap(({ kind, id, label: value, ...place }): readonly Mislabelled[] =>
    value === undefined || !isUnused(kind, value, entries) || entries.some((entry) => sameScope(entry, place))
      ? []
      : [{ kind, id, tag, is: 'unused', key: tag, value, meant: nearby(kind, entries, value) }],
  );
}

function wrongTable(
  vip: RegistryEntry,
  entries: readonly RegistryEntry[],
  table: TableSurveyed,
  tag: string,
): readonly Mislabelled[] {
  const base = { kind: 'table', id: table.table, tag } as const;
  const { label: value, nearKey } = table;
  const wrong = value === undefined ? nearKey : { key: tag, value };
  if (wrong !== undefined && (value === undefined || isUnused('table', value, entries))) {
    const neighbours = entries.filter((entry) => sameScope(entry, table));
    const routing = neighbours.filter((entry) => entry.addresses.some((a) => table.routes[a] !== undefined));
    const near = nearby('table', neighbours, wrong.value);
    const meant = near.length > 0 ? near : [...new Set(routing.map((entry) => entry.tableLabels[0]!))];
    // Another stage may be called so; only a value of ours tells that this one was meant.
    const ours = value === undefined ? near.length > 0 : true;
    if (ours && (concerns('table', vip, meant) || routing.some((entry) => entry.name === vip.name)))
      return [{ ...base, is: value === undefined ? 'near-key' : 'unused', ...wrong, meant }];
  }
  if (value !== undefined && vip.tableLabels.includes(value)) return [];
  const address = vip.addresses.find((a) => table.routes[a] !== undefined);
  if (address === undefined) return [];
  const { target } = table.routes[address]!;
  return [{ ...base, is: 'routed', address, target, ...defined({ value }) }];
}

const isUnused = (kind: LabelledKind, label: string, entries: readonly RegistryEntry[]): boolean =>
  label !== LEFT_OUT && !usedLabels(kind, entries).has(label);

type Used = Map<LabelledKind, ReadonlySet<string>>;
/** Thousands of VIPs are asked about with one list of thousands. */
const usedOf = new WeakMap<readonly RegistryEntry[], Used>();

function usedLabels(kind: LabelledKind, entries: readonly RegistryEntry[]): ReadonlySet<string> {
  const known: Used = usedOf.get(entries) ?? new Map<LabelledKind, ReadonlySet<string>>();
  usedOf.set(entries, known);
  const labels = known.get(kind) ?? new Set(entries.flatMap((entry) => labelsOf(kind, entry)));
  known.set(kind, labels);
  return labels;
}

/** With nothing near, it may have been meant for any VIP. */
const concerns = (kind: LabelledKind, vip: RegistryEntry, meant: readonly string[]): boolean =>
  meant.length === 0 || meant.some((label) => labelsOf(kind, vip).includes(label));

const SUFFIX = /[\s:._-]*eip$/;
const folded = (text: string): string => text.toLowerCase().replace(/\s+/g, '');

/** Labels of these VIPs that differ from the value by case, blanks or the suffix, else by a letter or two. */
function nearby(kind: LabelledKind, entries: readonly RegistryEntry[], value: string): readonly string[] {
  const labels = [...new Set(entries.flatMap((entry) => labelsOf(kind, entry)))].sort();
  const typed = folded(value);
  const same = labels.filter((label) => folded(label) === typed);
  if (same.length > 0) return same;
  const bare = typed.replace(SUFFIX, '');
  const apart = labels.filter((label) =>
    kind === 'table'
      ? folded(label) === bare
      : SUFFIX.test(typed) &&
        folded(label).endsWith(EIP_SUFFIX) &&
        folded(label).replace(SUFFIX, '') === bare,
  );
  if (apart.length > 0) return apart;
  const near = new Set(similar(typed, labels.map(folded)));
  return labels.filter((label) => near.has(folded(label)));
}

/**
 * Whether the key was probably meant to be our tag: case, blanks and separators apart the same; without the stage; or with
 * two letters wrong in its name. Another stage is another key.
 */
export function isNearKey(key: string, tag: string): boolean {
  if (key === tag) return false;
  const bare = (text: string) => folded(text).replace(/[^\p{L}\p{N}]+/gu, '');
  const [name = '', stage = ''] = folded(tag).split(/:(.*)/s);
  if (bare(key) === bare(tag) || bare(key) === name) return true;
  const [typed = '', rest = ''] = folded(key).split(/[^\p{L}\p{N}]+(.*)/su);
  if (typed === name) return isSwapped(rest, stage);
  return rest === stage && similar(typed, [name]).length > 0;
}

/** Two neighbours the wrong way round: `dve`. Short stages are not told apart by less. */
const isSwapped = (typed: string, stage: string): boolean =>
  stage.length > 2 && typed !== stage && lettersOf(typed) === lettersOf(stage);

const lettersOf = (text: string): string => text.split('').sort().join('');

/** What is wrong with it, for people. */
export function mislabelledText(one: Mislabelled): string {
  const { id, tag } = one;
  if (one.is === 'routed') {
    const has = one.value === undefined ? `has no tag ${tag}` : `has the tag ${tag}=${quoted(one.value)}`;
    return `${id} routes ${one.address} to ${one.target} and ${has}: a failover leaves it`;
  }
  const has = `${id} has the tag ${one.key}=${quoted(one.value)}`;
  if (one.is === 'near-key') return `${has}, but its key must be ${tag}: a failover leaves it`;
  const meant = one.meant.length === 0 ? '' : `; did you mean ${one.meant.map(quoted).join(' or ')}?`;
  return `${has}, a label that no VIP uses: a failover leaves it${meant}`;
}

/** Blanks at the ends have to be seen. */
const quoted = (text: string): string => JSON.stringify(text);
