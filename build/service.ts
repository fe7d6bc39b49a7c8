/**
 * `npm run deploy -- --stage prod …` and `npm run remove -- --stage prod`: build, package, validate, deploy; or take the stack away.
 *
 * Invariant: what was validated is what is deployed (the package is made once). Without a stage nothing is done: there is no default for
 * production. Everything after the stage goes to osls as it is (--region, --param name=value, --aws-profile).
 */
import { type StdioOptions, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { budgetBytes, bundleFunctions, kib } from './functions.ts';
import { notAccepted } from './template-check.ts';

const root = join(import.meta.dirname, '..');
const osls = join(root, 'node_modules', 'serverless', 'bin', 'serverless.js');

export interface Place {
  /** Where serverless.yml and dist/ are. */
  readonly folder: string;
  readonly env: NodeJS.ProcessEnv;
  /** Where osls speaks; both streams of ours unless told. */
  readonly output?: 'stderr';
}

/** Packages, validates and deploys what has been built. Throws before anything is changed when the template is not right. */
export async function deploy(place: Place, stage: string, more: readonly string[]): Promise<void> {
  await run(place, ['package', '--stage', stage, ...more]);
  const template = join(place.folder, '.serverless', 'cloudformation-template-update-stack.json');
  const problems = notAccepted(template);
  if (problems.length > 0)
    throw new Error(
      `the template has ${problems.length} findings, nothing was deployed:\n${problems.join('\n')}`,
    );
  await run(place, ['deploy', '--package', '.serverless', '--stage', stage, ...more]);
}

/** The tables stay (DeletionPolicy Retain): they are the registry and the record. */
export const remove = (place: Place, stage: string, more: readonly string[]): Promise<void> =>
  run(place, ['remove', '--stage', stage, ...more]);

async function run({ folder, env, output }: Place, args: readonly string[]): Promise<void> {
  const stdio: StdioOptions = output === 'stderr' ? ['ignore', 2, 2] : 'inherit';
  const child = spawn(process.execPath, [osls, ...args], { cwd: folder, env, stdio });
  const [status, signal] = (await once(child, 'close')) as [number | null, string | null];
  if (status !== 0) throw new Error(`serverless ${args[0]} ended with ${signal ?? `status ${status}`}`);
}

async function main(): Promise<void> {
  const { values, positionals, tokens } = parseArgs({
    allowPositionals: true,
    strict: false,
    tokens: true,
    options: { stage: { type: 'string' } },
  });
  const [task] = positionals;
  const { stage } = values;
  if ((task !== 'deploy' && task !== 'remove') || typeof stage !== 'string')
    throw new Error('want: npm run deploy -- --stage NAME, or npm run remove -- --stage NAME');
  const own = new Set(
    tokens.flatMap((t) =>
      t.kind === 'option' && t.name === 'stage'
        ? [t.index, t.inlineValue === true ? t.index : t.index + 1]
        : [],
    ),
  );
  const more = process.argv.slice(2).filter((arg, i) => arg !== task && !own.has(i));
  const place = { folder: root, env: process.env };
  if (task === 'remove') {
    await remove(place, stage, more);
    console.log(
      `removed; the tables vipshift-${stage}-vips and -timeline were kept, see docs/operations.md#removing`,
    );
    return;
  }
  for (const { name, bytes } of await bundleFunctions(
    join(root, 'functions'),
    join(root, 'dist', 'functions'),
  ))
    console.log(`function ${name}: ${kib(bytes)} of ${kib(budgetBytes)}`);
  await deploy(place, stage, more);
}

if (import.meta.main) {
  main().catch((error: unknown) => {
    console.error(error instanceof Error ? error.message : error);
    process.exitCode = 1;
  });
}
