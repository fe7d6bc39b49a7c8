// Main: the live harness as a command: words in, exit status out; Ctrl-C ends the drills and begins the removal.
import { agreed } from '../cli/command/confirm.ts';
import { CliError, usage as usageComplaint } from '../cli/command/exit.ts';
import { isInside } from '../lab/netns/sandbox/sandbox.ts';
import { accountContext } from './aws/account.ts';
import type { LiveContext } from './environment.ts';
import { cleanRun, runHarness, type Setting, status } from './harness.ts';
import { interruptible } from './interruption.ts';
import { enterLocal, LOCAL_ADVERT_S, localContext } from './local/environment.ts';
import { type Options, optionsFrom, usage } from './options.ts';

export async function liveMain(argv: readonly string[]): Promise<number> {
  if (argv.includes('--help')) {
    process.stdout.write(usage);
    return status.ok;
  }
  let options: Options;
  try {
    options = optionsFrom(argv);
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n\n${usage}`);
    return status.usage;
  }
  // In its sandbox the local run removes nothing: all of it ends with the sandbox.
  if (options.local && !isInside()) return enterLocal(argv);
  let context: LiveContext | undefined;
  try {
    context = options.local ? await localContext(say) : await accountContext(options.region);
    // The lab's nodes have adverts of their own.
    return await runWith(context, options.local ? { ...options, advertS: LOCAL_ADVERT_S } : options);
  } catch (error) {
    say(error instanceof CliError ? `${error.message}: ${error.next}` : reasonOf(error));
    return error instanceof CliError ? error.status : status.bad;
  } finally {
    await context?.close();
  }
}

const reasonOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
const say = (text: string): void => void process.stderr.write(`live: ${text}\n`);

async function runWith(context: LiveContext, options: Options): Promise<number> {
  const interruption = interruptible(say);
  const setting: Setting = {
    context,
    options,
    say,
    signal: interruption.signal,
    print: (text) => void process.stdout.write(`${text}\n`),
    async agree(question) {
      if (options.yes || options.local) return true;
      if (process.stdin.isTTY !== true)
        throw usageComplaint(
          'cannot ask for confirmation: stdin is not a terminal',
          'pass --yes to continue',
        );
      return agreed(question, false);
    },
  };
  try {
    return await (options.clean === undefined ? runHarness(setting) : cleanRun(setting, options.clean));
  } finally {
    interruption.end();
  }
}
