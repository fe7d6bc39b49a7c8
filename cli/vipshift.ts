#!/usr/bin/env node
// vipshift: the operator's side of the controller. This file only ends the process in the right way.
import module from 'node:module';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { endOf } from './command/end.ts';
import { status } from './command/exit.ts';

// Half of a run's time is compiling the SDK. In the user's own folder: what lies in a shared one could be anybody's code.
// Older versions of Node have no such cache; where nothing can be written there is none either.
module.enableCompileCache?.(join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'vipshift'));

// A reader that has seen enough, such as head, is no error.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit(status.ok);
  process.stderr.write(
    `vipshift: the answer could not be written: ${error.message}\n  next: look at where stdout goes\n`,
  );
  process.exit(status.bad);
});

// Without a listener Node ends by the signal itself, which callers see as no status at all.
process.on('SIGINT', () => process.exit(status.interrupted));

try {
  // Only now, so that the cache holds what it brings along.
  const { program } = await import('./program.ts');
  await program().parseAsync(process.argv);
} catch (error) {
  process.exitCode = endOf(error);
}
