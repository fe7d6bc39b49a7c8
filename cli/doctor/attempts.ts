// Looking things up where a part that cannot be seen hides no other: it is told as unchecked.
import type { Facts } from '../../shared/doctor/diagnose.ts';
import { toleratedFault } from '../../shared/fault.ts';

export interface Attempts {
  readonly unchecked: Facts['unchecked'];
  /** `without` where AWS does not answer or does not allow it. A mistake of ours is thrown. */
  readonly tried: <T, W>(what: string, look: () => Promise<T>, without: W) => Promise<T | W>;
}

export function attempts(): Attempts {
  const unchecked: Facts['unchecked'][number][] = [];
  return {
    unchecked,
    tried: async (what, look, without) => {
      try {
        return await look();
      } catch (error) {
        unchecked.push({ what, why: toleratedFault(error).message });
        return without;
      }
    },
  };
}
