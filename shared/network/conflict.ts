// A cell that should change and was left alone: because it is someone else's, or because something is missing.
import { type Texts, textOf } from '../keyed.ts';

export type ConflictReason =
  | { readonly key: 'no-table'; readonly vpc: string; readonly labels: readonly string[] }
  | { readonly key: 'foreign-route' }
  | { readonly key: 'foreign-eip' }
  | { readonly key: 'no-eip' }
  | { readonly key: 'no-eip-eni'; readonly node: string }
  | { readonly key: 'eni-gone'; readonly eni: string; readonly node: string }
  | { readonly key: 'no-address'; readonly eni: string }
  | { readonly key: 'no-free-address'; readonly eni: string };

export interface Conflict {
  readonly cell: string;
  readonly found: string;
  /** `foreign`: someone else's, by the scope rule. `unmet`: something that the step needs is missing. */
  readonly kind: 'foreign' | 'unmet';
  /** Absent in records of versions before the keys. */
  readonly reason?: ConflictReason;
  /** The reason as text, for readers that do not know its key. */
  readonly why: string;
}

const texts: Texts<ConflictReason> = {
  'no-table': ({ vpc, labels }) => `no route table in ${vpc} has the label ${labels.join(' or ')}`,
  'foreign-route': () => 'the route points to a live target that does not belong to this VIP',
  'foreign-eip': () => 'the EIP is on an ENI that does not belong to this VIP',
  'no-eip': () => 'no such Elastic IP in this account and Region',
  'no-eip-eni': ({ node }) => `${node} has no labelled ENI for EIPs (its primary ENI is never used)`,
  'eni-gone': ({ eni, node }) => `${eni} of ${node} was not found`,
  'no-address': ({ eni }) => `${eni} has no IPv4 address`,
  'no-free-address': ({ eni }) =>
    `every private address of ${eni} has a foreign EIP or another EIP of this VIP`,
};

const foreign = new Set<ConflictReason['key']>(['foreign-route', 'foreign-eip']);

export const conflict = (cell: string, found: string, reason: ConflictReason): Conflict => ({
  cell,
  found,
  kind: foreign.has(reason.key) ? 'foreign' : 'unmet',
  reason,
  why: textOf(texts, reason) ?? reason.key,
});

/** Why the cell was left alone, as people read it; of an older or newer version as it was stored. */
export const conflictText = ({ reason, why }: Pick<Conflict, 'reason' | 'why'>): string =>
  (reason === undefined ? undefined : textOf<ConflictReason>(texts, reason)) ?? why;

/** The VIP's own cells that could not be set. What leaves one of them is not whole, unlike what leaves a stranger's. */
export const unmetCells = (conflicts: readonly Conflict[]): readonly string[] =>
  conflicts.filter((c) => c.kind === 'unmet').map((c) => `${c.cell}: ${conflictText(c)}`);
