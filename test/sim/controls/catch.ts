// Looks for the first history that catches a control for its stated reason.
import type { Control } from './protocol.ts';
import { variant } from './variant.ts';

export interface Caught {
  readonly seed: number;
  /** How many were run, this one included. */
  readonly histories: number;
  readonly guarantee: string;
  readonly what: string;
}

export async function caught(control: Control, from: number, most: number): Promise<Caught | undefined> {
  const { runSeeds } = await variant(control.patches);
  for (let n = 0; n < most; n++) {
    const { failures } = await runSeeds(from + n, 1);
    const violations = failures[0]?.violations ?? [];
    const reason = violations.find((v) => control.breaks.includes(v.guarantee));
    if (reason !== undefined) {
      return { seed: from + n, histories: n + 1, guarantee: reason.guarantee, what: reason.what };
    }
  }
  return undefined;
}
