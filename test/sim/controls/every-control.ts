// Every broken variant of the code that the simulation has to catch, and the first history that does.

import { runSeeds as asItIs } from '../run.ts';
import { checkers } from './checkers.ts';
import { damping } from './damping.ts';
import { forced } from './forced.ts';
import { found } from './found.ts';
import { departures } from './outgoing/departures.ts';
import { drains, leavings } from './outgoing/drains.ts';
import { planted } from './planted.ts';
import { type Control, controls } from './protocol.ts';
import { shim } from './shim.ts';
import { variant } from './variant.ts';

export const every: readonly Control[] = [
  ...controls,
  ...found,
  ...planted,
  ...forced,
  ...damping,
  ...drains,
  ...leavings,
  ...departures,
  ...shim,
  ...checkers,
];

export interface Caught {
  readonly seed: number;
  /** How many were run, this one included. */
  readonly histories: number;
  readonly guarantee: string;
  readonly what: string;
}

/** Looks for the first history that catches a control for its stated reason, and in which the code as it is has nothing wrong. */
export async function caught(control: Control, from: number, most: number): Promise<Caught | undefined> {
  const { runSeeds } = await variant(control.patches);
  for (let n = 0; n < most; n++) {
    const { failures } = await runSeeds(from + n, 1);
    const violations = failures[0]?.violations ?? [];
    const reason = violations.find((v) => control.breaks.includes(v.guarantee));
    if (reason !== undefined && (await asItIs(from + n, 1)).failures.length === 0) {
      return { seed: from + n, histories: n + 1, guarantee: reason.guarantee, what: reason.what };
    }
  }
  return undefined;
}
