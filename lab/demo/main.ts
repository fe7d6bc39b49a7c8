// The first thing a new user sees work: keepalived's words in, rewritten route tables out, on a local AWS.
//
// npm run demo                 runs the scenario and ends
// npm run demo -- --json       one JSON document on stdout
// npm run demo -- --keep       leaves the local AWS up until Ctrl-C, and prints commands to try
import { parseArgs } from 'node:util';
import { prepareOrExplain, UNPREPARED } from '../machine/prepare.ts';
import type { DemoOptions } from './demo.ts';

const usage = `usage: npm run demo [-- --json] [-- --keep]

  --json   one JSON document on stdout instead of the scenario
  --keep   leave the local AWS up afterwards and print commands to try; Ctrl-C ends it
`;

function optionsFrom(args: readonly string[]): DemoOptions | string {
  try {
    const flags = {
      json: { type: 'boolean' },
      keep: { type: 'boolean' },
      help: { type: 'boolean', short: 'h' },
    } as const;
    const { values } = parseArgs({ args: [...args], options: flags });
    return values.help === true ? usage : { json: values.json ?? false, keep: values.keep ?? false };
  } catch (error) {
    throw new Error(`${(error as Error).message}\n\n${usage}`);
  }
}

async function main(): Promise<void> {
  const options = optionsFrom(process.argv.slice(2));
  if (typeof options === 'string') {
    process.stdout.write(options);
    return;
  }
  if ((await prepareOrExplain('demo')) === undefined) {
    process.exitCode = UNPREPARED;
    return;
  }
  // Only now: it is large, and who lacks a program is told at once.
  const { runDemo } = await import('./demo.ts');
  await runDemo(options);
}

// A reader that has seen enough (| head) is no fault of the demo.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit(0);
  throw error;
});

try {
  await main();
} catch (error) {
  process.stderr.write(`demo: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
}
