// Asks before something is changed. Without a terminal there is no one to answer, so the options have to say it.
import { createInterface } from 'node:readline/promises';
import { usage } from './exit.ts';

/** True to go on. `yes`: given on the command line. `otherwise`: what to do where there is no terminal to ask on. */
export async function agreed(
  question: string,
  yes: boolean,
  otherwise = 'say --yes to go on, or --dry-run to look only',
): Promise<boolean> {
  if (yes) return true;
  if (process.stdin.isTTY !== true) throw usage('cannot ask: stdin is not a terminal', otherwise);
  const lines = createInterface({ input: process.stdin, output: process.stderr });
  try {
    return /^y(es)?$/i.test((await lines.question(`${question} [y/N] `)).trim());
  } finally {
    lines.close();
  }
}
