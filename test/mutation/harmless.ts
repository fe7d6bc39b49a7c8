// Why a mutant that survives does no harm, by the line of code that it changes.
import type { Mutant } from './mutants.ts';

interface Reason {
  readonly file: string;
  /** A part of the source line or of the mutated text. */
  readonly part: string;
  readonly why: string;
}

const reasons: readonly Reason[] = [];

export const harmless = (mutant: Mutant): string | undefined =>
  reasons.find((r) => r.file === mutant.file && `${mutant.was} → ${mutant.by}`.includes(r.part))?.why;
