// What reconcile saw last of each VIP: serves when the describes do not answer (guarantee 8). Kept apart from the item, which
// every assertion rewrites and pays for by its size.
import type { Observation } from './observation.ts';

export interface ViewCache {
  /** Undefined when nothing was kept yet. Throws a Fault. */
  view(name: string): Promise<Observation | undefined>;
  /** Replaces what was kept. Throws a Fault. */
  keepView(name: string, view: Observation): Promise<void>;
}
