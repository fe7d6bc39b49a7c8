// An operator's order as the timeline keeps it: who changed the registry, pinned, froze, or moved a VIP by hand, when,
// why and until when. It is stored next to the failovers of its VIP under `order/<instant>/<nonce>`, put if absent and never
// updated, and stands in the indexes by day and, for orders that name a node, by node.
//
// Invariant: the order is written before it takes effect. When it then does not take effect, a second entry
// reports that: the record may name an order without effect, never hide one that was carried out.
import { cut, reasonProblem, SENTENCE_MAX } from '../bounded.ts';
import { Fault, toFault } from '../fault.ts';
import { defined, ifDefined } from '../optional.ts';
import { type EpochMs, iso } from '../time.ts';
import type { Forced, RegistryEntry } from '../vip/vip.ts';

export const operatorActionKinds = [
  'add',
  'set',
  'remove',
  'adopt',
  'pin',
  'unpin',
  'freeze',
  'thaw',
  'drain',
  'undrain',
  'at-risk',
  'break-glass',
  'failover',
  'approve',
  'deny',
  'not-carried-out',
] as const;
export type OperatorActionKind = (typeof operatorActionKinds)[number];

/** As people read it: the end of a freeze is stored under its former name. */
export const actionText = (kind: OperatorActionKind): string => (kind === 'thaw' ? 'unfreeze' : kind);

export interface OperatorAction {
  readonly entry: 'order';
  readonly vip: string;
  /** `order/<instant>/<nonce>`. */
  readonly id: string;
  readonly order: OperatorActionKind;
  /** Who gave it: the caller's ARN as AWS knows it. */
  readonly by: string;
  readonly reason: string;
  readonly atMs: EpochMs;
  /** When a pin, freeze or drain runs out. */
  readonly untilMs?: EpochMs;
  /** The node that a pin, a drain or a failover names. */
  readonly node?: string;
  /** What the registry said before and says now, for orders that change it. */
  readonly before?: Partial<RegistryEntry>;
  readonly after?: Partial<RegistryEntry>;
  /** Of `not-carried-out`: the order meant, and why. */
  readonly of?: string;
  readonly why?: string;
}

export type OperatorActionFields = Omit<OperatorAction, 'entry' | 'id'>;

/** The port that records orders. Throws a Fault; put-if-absent, so a repetition is harmless. */
export interface OperatorActionStore {
  put(order: OperatorAction): Promise<void>;
}

export const operatorAction = (words: OperatorActionFields, nonce: string): OperatorAction => ({
  entry: 'order',
  id: `order/${iso(words.atMs)}/${nonce}`,
  ...words,
  // What vipshift itself puts before the operator's words has no limit of its own.
  reason: cut(words.reason, SENTENCE_MAX),
  ...defined({ why: ifDefined(words.why, (why) => cut(why, SENTENCE_MAX)) }),
});

/** Without these words an order of that kind is refused. */
const needReason: readonly OperatorActionKind[] = ['pin', 'freeze', 'drain', 'break-glass'];

/** Throws a Fault `refused` where an operator's reason is missing, blank or too long for the record and the item. */
export function requireReason({ order, reason }: Pick<OperatorActionFields, 'order' | 'reason'>): void {
  if (reason === '' && !needReason.includes(order)) return;
  const problem = reasonProblem(reason);
  if (problem !== undefined)
    throw new Fault('refused', 'Reason', `the reason of this ${actionText(order)}: ${problem}`);
}

export const notCarriedOut = (
  order: OperatorAction,
  fault: Fault,
  atMs: EpochMs,
  nonce: string,
): OperatorAction =>
  operatorAction(
    {
      vip: order.vip,
      order: 'not-carried-out',
      by: order.by,
      reason: order.reason,
      atMs,
      of: order.id,
      why: fault.message,
    },
    nonce,
  );

interface RecordPorts {
  readonly orders: OperatorActionStore;
  readonly now: () => EpochMs;
  readonly nonce: () => string;
}

/** The order is on record before `work` begins, and, where that throws, also that it was not carried out. */
export async function onRecord<T>(
  { orders, now, nonce }: RecordPorts,
  fields: OperatorActionFields,
  work: () => Promise<T>,
): Promise<T> {
  requireReason(fields);
  const order = operatorAction(fields, nonce());
  await orders.put(order);
  try {
    return await work();
  } catch (error) {
    await orders.put(notCarriedOut(order, toFault(error), now(), nonce()));
    throw error;
  }
}

export const forcedText = (vip: string, { node, execution, by, atMs, reason }: Forced): string =>
  `a forced failover of ${vip} to ${node} is under way (${execution}, ordered by ${by}, begun ${iso(atMs)}: ${reason})`;
