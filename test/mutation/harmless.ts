// Why a mutant that survives does no harm, by the line of code that it changes.
import type { Mutant } from './mutants.ts';

interface Reason {
  readonly file: string;
  /** The mutated source line holds this. */
  readonly line: string;
  readonly why: string;
}

export const reasons: readonly Reason[] = [
  {
    file: 'shared/vip/node-state.ts',
    line: 'a.seq !== b.seq',
    why: 'equal numbers were excluded in the same line',
  },
  {
    file: 'shared/vip/node-state.ts',
    line: 'a.state !== b.state',
    why: 'equal states were excluded in the same line',
  },
  {
    file: 'shared/vip/node-state.ts',
    line: 'a.priority !== b.priority',
    why: 'equal priorities were excluded in the same line',
  },
  {
    file: 'shared/vip/node-state.ts',
    line: 'a.upMs !== b.upMs',
    why: 'equal uptimes were excluded in the same line',
  },
  {
    file: 'shared/vip/node-state.ts',
    line: 'a.stampMs >= b.stampMs',
    why: 'the same uptime and stamp: it does not matter whose they are',
  },
  {
    file: 'shared/vip/node-state.ts',
    line: 'a.hiMs !== b.hiMs',
    why: 'equal bounds were excluded in the same line',
  },
  {
    file: 'shared/vip/node-state.ts',
    line: 'a.atMs <= b.atMs',
    why: 'bounds that agree in age, limit and clock are the same: it does not matter whose they are',
  },
  {
    file: 'shared/vip/node-state.ts',
    line: 'a.affSeq !== b.affSeq',
    why: 'equal numbers were excluded in the same line',
  },
  {
    file: 'shared/vip/node-state.ts',
    line: 'a.affHiMs !== b.affHiMs',
    why: 'equal bounds were excluded in the same line',
  },
  {
    file: 'shared/vip/node-state.ts',
    line: 'a.affAtMs! <= b.affAtMs!',
    why: 'the same advert within the same bound: it does not matter whose it is',
  },
  {
    file: 'shared/vip/election.ts',
    line: 'vip.owner !== undefined && vip.members[vip.owner]',
    why: 'no one is a member under the name undefined',
  },
  {
    file: 'shared/vip/election.ts',
    line: 'b.nodeState.priority - a.nodeState.priority ||',
    why: 'only the sign of a comparison counts, and two nodes never have the same id',
  },
  {
    file: 'shared/network/plan.ts',
    line: '>>> 0',
    why: 'an unsigned shift by one spreads as well as one by none; only that it is a place counts',
  },
  {
    file: 'shared/switch/verify.ts',
    line: 'ROUNDS_MAX = 4',
    why: 'three rounds or five: that they are bounded, and end with a look, is tested',
  },
  {
    file: 'shared/switch/execute.ts',
    line: 'KEEP_EVERY',
    why: 'a look every second or every three: both are well within RENEW_BELOW less an attempt',
  },
  {
    file: 'shared/switch/execute.ts',
    line: 'if (attempt === 1) return durationMs(0)',
    why: 'one millisecond less than none is no pause either',
  },
  {
    file: 'shared/switch/execute.ts',
    line: 'return wait > 0 ?',
    why: 'a pause is none or at least half of BACKOFF_FIRST_MS: nothing lies between 0 and 1',
  },
  {
    file: 'shared/vip/lease.ts',
    line: 'agree(durations)',
    why: 'the durations as they are agree; that contradictions are refused is tested on agree() itself',
  },
];

/** `line`: the source line of the mutant, as it is without it. */
export const harmless = (mutant: Mutant, line: string): string | undefined =>
  reasons.find((r) => r.file === mutant.file && line.includes(r.line))?.why;
