// Asks before something is changed. Without a terminal nobody can answer, so there it has to be said beforehand.
import { createInterface } from 'node:readline/promises';
import { usage } from './exit.ts';

/** True to go on. `yes`: it was said on the command line. `otherwise`: what to do where nobody can be asked. */
export async function agreed(
  question: string,
  yes: boolean,
  otherwise = 'say --yes to go on, or --dry-run to look only',
): Promise<boolean> {
  if (yes) return true;
  if (process.stdin.isTTY !== true) throw usage('nobody is there to ask: stdin is no terminal', otherwise);
  const lines = createInterface({ input: process.stdin, output: process.stderr });
  try {
    return /^y(es)?$/i.test((await lines.question(`${question} [y/N] `)).trim());
  } finally {
    lines.close();
  }
}
