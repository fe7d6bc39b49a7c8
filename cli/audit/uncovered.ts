// What `audit verify` does not cover, in numbers: rejections and intents have no digest in the log, nor have the operators'
// actions that the command line records itself.

import { type EntryKeys, keyOf } from '../../shared/timeline/verify.ts';
import type { Entries } from './entries.ts';

export interface Uncovered {
  readonly orders: number;
  readonly rejections: number;
  readonly intents: number;
  /** Requests for approval. */
  readonly approvals: number;
  /** There may be more than was read. */
  readonly atLeast: boolean;
}

/** `judged`: the keys of those that were held against the log. */
export function uncovered(entries: Entries, judged: ReadonlySet<string>): Uncovered {
  const left = (some: readonly Pick<EntryKeys, 'vip' | 'id'>[]) =>
    some.filter((entry) => !judged.has(keyOf(entry))).length;
  const { orders, requests, rejections, intents, atLeast } = entries;
  return { orders: left(orders), rejections, intents, approvals: left(requests), atLeast };
}

export function uncoveredText(found: Uncovered | string): string {
  const unseen = 'anyone with write access to the table can change them unnoticed';
  if (typeof found === 'string')
    return `not covered: operator actions, rejections, intents and requests for approval (not counted: ${found}); ${unseen}`;
  const { orders, rejections, intents, approvals, atLeast } = found;
  const counts = [
    `${orders} operator ${orders === 1 ? 'action' : 'actions'}`,
    `${rejections} ${rejections === 1 ? 'rejection' : 'rejections'}`,
    `${intents} ${intents === 1 ? 'intent' : 'intents'}`,
    `${approvals} ${approvals === 1 ? 'request' : 'requests'} for approval`,
  ];
  return `not covered${atLeast ? ', at least' : ''}: ${counts.join(', ')}; they have no digest in the log, ${unseen}`;
}
