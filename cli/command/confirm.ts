// Asks before something is changed. Without a terminal there is no one to answer, so the options have to say it.
import { createInterface } from 'node:readline/promises';
import { usage } from './exit.ts';

/** True to go on. `yes`: it was said on the command line. */
export async function agreed(question: string, yes: boolean): Promise<boolean> {
  if (yes) return true;
  if (process.stdin.isTTY !== true)
    throw usage(
      'cannot ask: stdin is not a terminal',
      'say --yes to go on, or --dry-run to see what would change',
    );
  const lines = createInterface({ input: process.stdin, output: process.stderr });
  try {
    return /^y(es)?$/i.test((await lines.question(`${question} [y/N] `)).trim());
  } finally {
    lines.close();
  }
}
