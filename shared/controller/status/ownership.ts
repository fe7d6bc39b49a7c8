// Since when a VIP is where it is, and its last failover, from the newest outcome of the record. Pure.
//
// Limit: the newest outcome may have left the VIP where it was (a repair, a refused move); then it tells only that the owner had
// it before.

import { defined } from '../../optional.ts';
import type { EpochMs } from '../../time.ts';
import { type FailoverInShort, outage, took } from '../../timeline/query.ts';

export interface LastFailover extends Omit<FailoverInShort, 'stages' | 'vip' | 'cause'> {
  readonly why: string;
  /** Milliseconds from the controller's first line to the last call that EC2 accepted; absent where none was. */
  readonly tookMs?: number;
  /** Milliseconds from the new node's report to the last call that EC2 accepted; absent where nothing was moved. */
  readonly outageMs?: number;
}

export interface Since {
  readonly atMs: EpochMs;
  /** The owner had it then already; for how long before is not known here. */
  readonly isAtLeast: boolean;
}

export function lastFailoverFrom(last: FailoverInShort): LastFailover {
  const { stages: _stages, vip: _vip, cause, ...rest } = last;
  return { ...rest, why: cause.why, ...defined({ tookMs: took(last), outageMs: outage(last) }) };
}

/** Undefined where the outcome tells nothing of this owner. */
export function sinceFrom(
  owner: string | undefined,
  last: Pick<FailoverInShort, 'from' | 'to' | 'atMs'> | undefined,
): Since | undefined {
  if (owner === undefined || last === undefined) return undefined;
  if (last.to === owner && last.from !== owner) return { atMs: last.atMs, isAtLeast: false };
  return last.from === owner ? { atMs: last.atMs, isAtLeast: true } : undefined;
}

/** Of several outcomes, newest first. */
export function sinceAmong(
  owner: string | undefined,
  outcomes: readonly Pick<FailoverInShort, 'from' | 'to' | 'atMs'>[],
): Since | undefined {
  let since: Since | undefined;
  for (const outcome of outcomes) {
    const found = sinceFrom(owner, outcome);
    if (found === undefined) break;
    since = found;
    if (!found.isAtLeast) break;
  }
  return since;
}
