/**
 * Scenario: one thing that goes wrong, and what must hold at its end. One file per scenario in lab/scenarios.
 *
 * Every scenario begins with both nodes just booted, node a the owner, and a client asking every few milliseconds; the
 * runner checks its ending, the scenario itself only acts.
 */
import type { Hold } from '../node/keepalived.ts';
import type { Owner, ScenarioContext } from './scenario-context.ts';

export interface Ending {
  readonly owner: Owner;
  /** Last good → first good answer of the client, at most. */
  readonly longestOutageMs: number;
  /** New connections refused or lost, at most; no bound by default. */
  readonly failedConnections?: number;
  /** Whether the record may, or must, speak of two masters. */
  readonly splitBrain: 'never' | 'reported';
  /** Outcomes that the scenario's epochs may have in the record; `switched`, `unchanged` and `superseded` by default. */
  readonly outcomes?: readonly string[];
  /** An outcome that the record must have. */
  readonly records?: string;
  /** How long the scenario may take to come to this from its last act on. */
  readonly settlesWithinMs: number;
}

export interface Scenario {
  readonly name: string;
  /** One line: what goes wrong and what is expected. */
  readonly says: string;
  readonly hold: Hold;
  /** `eip`: the client is on the Internet and asks the Elastic IP. */
  readonly asks: 'vip' | 'eip';
  /** More lines of the shims' configuration. */
  readonly shim?: readonly string[];
  readonly ends: Ending;
  run(context: ScenarioContext): Promise<void>;
}
