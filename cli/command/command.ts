// What every command does around its work: opens the session, runs, and turns its end into an exit status.
//
// Invariant: what a command line alone can be wrong about is said before the work is loaded; help, completion and wrong
// arguments load no AWS client. A test installs the package without the SDK to see to it.
import type { Command } from 'commander';
import { type Status, status } from './exit.ts';
import type { CommonOptions } from './options.ts';
import { type Output, output } from './output.ts';
import type { Session } from './session.ts';

/** The command line. */
export interface ParsedArgs<Options> {
  readonly args: readonly string[];
  readonly options: Options & CommonOptions;
}

export interface CommandContext<Options> extends ParsedArgs<Options> {
  readonly out: Output;
  readonly session: Session;
}

export type CommandAction<Options> = (run: CommandContext<Options>) => Promise<Status> | Promise<void>;

/** Attaches the work to a command. `load` may check the command line and refuse it; it returns the action. */
export function defineCommand<Options>(
  command: Command,
  load: (line: ParsedArgs<Options>) => Promise<CommandAction<Options>>,
): Command {
  return command.action(async (...given: unknown[]) => {
    const self = given.at(-1) as Command;
    const options = self.optsWithGlobals() as Options & CommonOptions;
    const args = self.processedArgs.flat().filter((arg) => arg !== undefined) as string[];
    const work = await load({ args, options });
    const { openSession } = await import('./session.ts');
    const session = await openSession(options);
    const end = await work({ args, options, out: output(options), session });
    process.exitCode = end ?? status.ok;
  });
}
