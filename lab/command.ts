/**
 * Command: what `npm run lab -- reboots`, `-- life` and the like have in common: each parses its own arguments, and runs inside the sandbox.
 */

export type Say = (what: string) => void;

export interface Prepared {
  readonly help: boolean;
  readonly logFolder: string;
  /** Inside the sandbox: runs all of it, prints, and resolves with the exit status. */
  run(say: Say): Promise<number>;
}

export interface LabCommand {
  readonly usage: string;
  /** Throws with a sentence where an argument is wrong. */
  prepare(argv: readonly string[], logFolder: string): Prepared;
}
