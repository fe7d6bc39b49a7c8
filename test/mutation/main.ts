// Mutation testing by StrykerJS: changes the code in one place at a time and tells which changes no test notices.
//
//   node test/mutation/main.ts [--concurrency N] [--force] [FILE…]
//
// Without files it is the protocol's core, as stryker.config.json names it. StrykerJS needs Node 22 and much that nothing else
// uses, so it is a package of its own, which the first run installs into .lab/mutation/. What a run found is kept there as well:
// the next one asks again only where code or tests have changed, and everywhere with --force.
// Exit status: 0 the score is at least `thresholds.break`, 1 it is not, 2 wrong usage.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { copyFileSync, existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';

const root = join(import.meta.dirname, '..', '..');
const place = join(root, '.lab', 'mutation');
const report = join(place, 'report.json');

function run(command: string, args: readonly string[], cwd: string): number {
  const { status, error } = spawnSync(command, args, { cwd, stdio: 'inherit' });
  if (error !== undefined) throw error;
  return status ?? 1;
}

/** Once for each version of the lock file. */
function install(): void {
  const lock = join(import.meta.dirname, 'package-lock.json');
  const installed = join(place, 'installed.json');
  if (existsSync(installed) && readFileSync(installed, 'utf8') === readFileSync(lock, 'utf8')) return;
  mkdirSync(place, { recursive: true });
  for (const name of ['package.json', 'package-lock.json'])
    copyFileSync(join(import.meta.dirname, name), join(place, name));
  // The peer that is not installed is vitest: the project's own serves.
  const status = run('npm', ['ci', '--legacy-peer-deps', '--no-audit', '--no-fund'], place);
  if (status !== 0) throw new Error(`StrykerJS is not installed: npm ci ended with status ${status}`);
  copyFileSync(lock, installed);
}

interface Options {
  readonly files: readonly string[];
  readonly concurrency?: string | undefined;
  readonly force: boolean;
}

function optionsOf(args: string[]): Options {
  const { values, positionals: files } = parseArgs({
    args,
    allowPositionals: true,
    options: { concurrency: { type: 'string' }, force: { type: 'boolean', default: false } },
  });
  const missing = files.filter((file) => !existsSync(join(root, file)));
  if (missing.length > 0) throw new Error(`no such file in the project: ${missing.join(', ')}`);
  return { files, ...values };
}

function argumentsOf({ files, concurrency, force }: Options): readonly string[] {
  // Kept for each choice of files: StrykerJS counts everything that is kept into the score.
  const choice = createHash('sha256').update(files.join()).digest('hex').slice(0, 8);
  const chosen = ['--mutate', files.join(), '--incrementalFile', `.lab/mutation/kept-${choice}.json`];
  return [
    ...['run', 'test/mutation/stryker.config.json'],
    ...(files.length > 0 ? chosen : []),
    ...(concurrency === undefined ? [] : ['--concurrency', concurrency]),
    ...(force ? ['--force'] : []),
  ];
}

interface Mutant {
  readonly status: string;
  readonly statusReason?: string;
  readonly mutatorName: string;
  readonly location: { readonly start: { readonly line: number } };
}

/** What `// Stryker disable` comments take out of the score, with their reasons. */
function printDisabled(): void {
  const { files } = JSON.parse(readFileSync(report, 'utf8')) as {
    files: Record<string, { mutants: readonly Mutant[] }>;
  };
  const disabled = Object.entries(files).flatMap(([file, { mutants }]) =>
    mutants
      .filter((m) => m.status === 'Ignored' && !excluded.has(m.mutatorName))
      .map((m) => `  ${file}:${m.location.start.line} ${m.mutatorName}: ${m.statusReason}`),
  );
  if (disabled.length > 0)
    console.log(
      [`${disabled.length} mutants are disabled, since they are no mistakes:`, ...new Set(disabled)].join(
        '\n',
      ),
    );
}

const settings = JSON.parse(readFileSync(join(import.meta.dirname, 'stryker.config.json'), 'utf8'));
const excluded = new Set<string>(settings.mutator.excludedMutations);

let options: Options;
try {
  options = optionsOf(process.argv.slice(2));
} catch (error) {
  console.error((error as Error).message);
  process.exit(2);
}
install();
const stryker = join(place, 'node_modules', '@stryker-mutator', 'core', 'bin', 'stryker.js');
rmSync(report, { force: true });
process.exitCode = run(process.execPath, [stryker, ...argumentsOf(options)], root);
if (existsSync(report)) printDisabled();
