// The code as it was: no transition damps a node, and slots of calls that were not sent stay reserved.
import type { Patch } from '../controls/variant.ts';

export const undamped: readonly Patch[] = [
  {
    file: 'shared/vip/flapping.ts',
    replace: 'export const FLAPS_MIN = 4;',
    by: 'export const FLAPS_MIN = Number.MAX_SAFE_INTEGER;',
  },
  {
    file: 'shared/rate-limit/action-queue.ts',
    replace: 'const unused = free.length + this.#given;',
    by: 'const unused = free.length;',
  },
];
