// What a node's shim would send, with the clock of a story: every node booted an hour before it began.
import type { ClaimKind, VrrpState } from '../../../shared/vip/claim.ts';

export interface Words {
  /** The transition, in seconds of the story. */
  readonly atS: number;
  /** The claim, in seconds after its transition. */
  readonly laterS?: number;
  readonly state?: VrrpState;
  readonly kind?: ClaimKind;
  /** Sent the moment that it was made, and not at the story's end. */
  readonly fresh?: boolean;
  readonly priority?: number;
}

const BOOTED_S = 3600;
/** Stories are told faster than they happened: each claim is as old at its sending as the story's end is away. */
const END_S = BOOTED_S + 120;
const TOLD_FROM_MS = Date.now();

export function wordsOf(
  node: string,
  { atS, laterS = 0, state = 'MASTER', kind = 'transition', fresh = false, priority = 100 }: Words,
) {
  const since = (BOOTED_S + atS) * 1_000_000;
  const seq = since + laterS * 1_000_000;
  // While it is told the nodes' clocks run on.
  const uptimeMs = fresh ? seq / 1000 : END_S * 1000 + Date.now() - TOLD_FROM_MS;
  return {
    version: 1,
    vip: 'web',
    node,
    state,
    kind,
    instance: 'VI_WEB',
    priority,
    bootId: `boot-${node}`,
    seq,
    since,
    uptimeMs,
    ageMs: uptimeMs - seq / 1000,
    superseded: false,
    dropped: 0,
    atMs: Date.now() - (uptimeMs - seq / 1000),
    shim: 'test',
  };
}
