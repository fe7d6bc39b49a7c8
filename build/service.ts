/**
 * `npm run deploy -- --stage prod …` and `npm run remove -- --stage prod`: build, package, validate, deploy, wait for a node's claim; or
 * take the stack away.
 *
 * Invariant: what was validated is what is deployed (the package is made once). Without a stage nothing is done: there is no default for
 * production. Everything after the stage goes to osls as it is (--region, --param name=value, --aws-profile); --no-wait is ours.
 */
import { type StdioOptions, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { type Account, accountOf } from './account.ts';
import { firstClaim, type Hearing, heardText, unheardText } from './first-claim.ts';
import { budgetBytes, bundleFunctions, kib } from './functions.ts';
import { verdictOn } from './template-check.ts';
import { given, wayBack } from './way-back.ts';

const root = join(import.meta.dirname, '..');
const osls = join(root, 'node_modules', 'serverless', 'bin', 'serverless.js');

export interface Place {
  /** Where serverless.yml and dist/ are. */
  readonly folder: string;
  readonly env: NodeJS.ProcessEnv;
  /** Where osls writes; by default to stdout and stderr as it likes. */
  readonly output?: 'stderr';
}

/** Packages, validates and deploys what has been built. Throws before anything is changed when the template is not right. */
export async function deploy(place: Place, stage: string, more: readonly string[]): Promise<void> {
  await prepare(place, stage, more);
  await put(place, stage, more);
}

async function prepare(place: Place, stage: string, more: readonly string[]): Promise<void> {
  await run(place, ['package', '--stage', stage, ...more]);
  const template = join(place.folder, packagedTemplate);
  const { stops, says } = verdictOn(template);
  for (const line of says) console.error(line);
  if (stops.length > 0)
    throw new Error(`the template has ${stops.length} findings, nothing was deployed:\n${stops.join('\n')}`);
}

const put = (place: Place, stage: string, more: readonly string[]): Promise<void> =>
  run(place, ['deploy', '--package', '.serverless', '--stage', stage, ...more]);

export interface Ears {
  account(region: string, profile: string | undefined): Account;
  /** Progress, a line each. */
  tell(line: string): void;
}

/**
 * Deploys, and returns when a claim that a node made since was accepted, or when there is no node that could make one. Throws, with the
 * commands that go back, when none was accepted in time.
 */
export async function deployAndHear(
  place: Place,
  stage: string,
  more: readonly string[],
  ears: Ears = { account: accountOf, tell: console.log },
): Promise<void> {
  await prepare(place, stage, more);
  const { region, stack } = packagedIn(place.folder);
  const aws = ears.account(region, given(more).profile);
  const before = await aws.deployed(stack);
  await put(place, stage, more);
  const target = { stage, region, args: more };
  const hearing = await firstClaimAt(aws, stack, (line) => ears.tell(line)).catch((error: unknown) => {
    const found = error instanceof Error ? error.message : String(error);
    const look = `npx vipshift status --stage ${stage} --region ${region}`;
    throw new Error(
      `stage ${stage} in ${region} is deployed, but whether a node is heard is not known: ${found}. Run ${look}; --no-wait leaves this out`,
      { cause: error },
    );
  });
  if (hearing.is !== 'unheard') return ears.tell(heardText(hearing, target));
  const way = wayBack(target, before, await aws.deployed(stack));
  throw new Error(`${unheardText(hearing, target)}\n${way}`);
}

const packagedTemplate = join('.serverless', 'cloudformation-template-update-stack.json');

/** The stack says what its table is called: in the template the name hangs on parameters. */
async function firstClaimAt(aws: Account, stack: string, tell: (line: string) => void): Promise<Hearing> {
  const { vipsTable } = (await aws.deployed(stack)) ?? {};
  if (vipsTable === undefined) throw new Error(`the stack ${stack} has no output VipsTableName`);
  return firstClaim({ ...aws.listening(vipsTable), tell });
}

/** What osls made of serverless.yml and the options. */
function packagedIn(folder: string): { region: string; stack: string } {
  const state: unknown = JSON.parse(
    readFileSync(join(folder, '.serverless', 'serverless-state.json'), 'utf8'),
  );
  const { provider } = (state as { service: { provider: { region: string; stackName: string } } }).service;
  return { region: provider.region, stack: provider.stackName };
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

export interface Order {
  readonly task: 'deploy' | 'remove';
  readonly stage: string;
  /** Whether a deployment waits for a node's claim. */
  readonly wait: boolean;
  /** For osls. */
  readonly more: readonly string[];
}

export function orderFrom(args: readonly string[]): Order {
  const { values, positionals, tokens } = parseArgs({
    args: [...args],
    allowPositionals: true,
    strict: false,
    tokens: true,
    options: { stage: { type: 'string' }, 'no-wait': { type: 'boolean' } },
  });
  const [task] = positionals;
  const { stage } = values;
  if ((task !== 'deploy' && task !== 'remove') || typeof stage !== 'string')
    throw new Error('want: npm run deploy -- --stage NAME, or npm run remove -- --stage NAME');
  const own = new Set(
    tokens.flatMap((t) =>
      t.kind === 'option' && (t.name === 'stage' || t.name === 'no-wait')
        ? [t.index, t.inlineValue === false ? t.index + 1 : t.index]
        : [],
    ),
  );
  const more = args.filter((arg, i) => arg !== task && !own.has(i));
  return { task, stage, wait: values['no-wait'] !== true, more };
}

async function main(): Promise<void> {
  const { task, stage, wait, more } = orderFrom(process.argv.slice(2));
  const place = { folder: root, env: process.env };
  if (task === 'remove') {
    await remove(place, stage, more);
    console.log(
      `removed; the tables vipshift-${stage}-vips and -timeline were kept, see docs/upgrade.md#removing`,
    );
    return;
  }
  for (const { name, bytes } of await bundleFunctions(
    join(root, 'functions'),
    join(root, 'dist', 'functions'),
  ))
    console.log(`function ${name}: ${kib(bytes)} of ${kib(budgetBytes)}`);
  if (wait) return deployAndHear(place, stage, more);
  await deploy(place, stage, more);
  console.log(
    `did not wait for a node’s claim; npx vipshift status --stage ${stage} says whether one is heard`,
  );
}

if (import.meta.main) {
  main().catch((error: unknown) => {
    console.error(error instanceof Error ? error.message : error);
    process.exitCode = 1;
  });
}
