// What every command does around its work: opens the session, runs, and turns its end into an exit status.
import type { Command } from 'commander';
import { type Status, status } from './exit.ts';
import type { CommonOptions } from './options.ts';
import { type Output, output } from './output.ts';
import type { Session } from './session.ts';

export interface Run<Options> {
  readonly args: readonly string[];
  readonly options: Options & CommonOptions;
  readonly out: Output;
  readonly session: Session;
}

/** Attaches the work to a command. The AWS clients are loaded only now, so that --help stays quick. */
export function act<Options>(
  command: Command,
  work: (run: Run<Options>) => Promise<Status> | Promise<void>,
): Command {
  return command.action(async (...given: unknown[]) => {
    const self = given.at(-1) as Command;
    const options = self.optsWithGlobals() as Options & CommonOptions;
    const { openSession } = await import('./session.ts');
    const session = await openSession(options);
    const args = self.processedArgs.flat() as string[];
    const end = await work({ args, options, out: output(options), session });
    process.exitCode = end ?? status.ok;
  });
}
