// Mutation testing of merge, elect, lease, plan and switch. Prints how many mutants were killed and by what, and every survivor.
//
//   node test/mutation/main.ts [--only shared/vip/claim.ts] [--workers N] [--json]
//
// StrykerJS does not know this vitest and needs the TypeScript API that version 7 has not; so the fixed operators of
// mutants.ts are applied mechanically. Takes some minutes; not part of `npm test`.
import { availableParallelism } from 'node:os';
import { parseArgs } from 'node:util';
import { type Mutant, mutantsOf } from './mutants.ts';
import { type Judged, reportOf, WANTED } from './report.ts';
import { bundlerOf, textOf, top } from './suites.ts';
import { judged, type Verdict } from './verdict.ts';

/** Merge, elect, lease, plan and switch; then what `switchVip` is made of, which has its own files. */
const core = [
  ...['vip/claim', 'vip/node-state', 'vip/liveness', 'vip/election', 'vip/lease'],
  ...['network/plan', 'switch/switch-vip'],
];
const partsOfSwitch = [
  ...['switch/held-lease', 'switch/run-epoch', 'switch/outcome', 'switch/execute', 'switch/verify'],
  ...['switch/close-abandoned', 'vip/retry-backoff', 'vip/member', 'vip/vip', 'vip/store'],
];

const { values } = parseArgs({
  options: {
    only: { type: 'string', default: '' },
    workers: { type: 'string', default: String(availableParallelism()) },
    json: { type: 'boolean', default: false },
  },
});
const files = [...core, ...partsOfSwitch]
  .map((name) => `shared/${name}.ts`)
  .filter((f) => f.includes(values.only));

async function verdictOn(bundle: () => Promise<string>): Promise<Verdict> {
  let text: string;
  try {
    text = await bundle();
  } catch (error) {
    return { kind: 'stillborn', by: String(error) };
  }
  return judged(text);
}

async function soundWithoutMutants(): Promise<void> {
  await using bundler = await bundlerOf(undefined);
  const { kind, by } = await verdictOn(() => bundler.bundle(undefined));
  if (kind !== 'survived') throw new Error(`the tests fail without any mutant: ${kind}, ${by}`);
}

/** One after another takes the next mutant; a bundler serves the mutants of one file. */
async function judgeAll(all: readonly Mutant[]): Promise<readonly Judged[]> {
  const told: Judged[] = [];
  let next = 0;
  const work = async (): Promise<void> => {
    let bundler = await bundlerOf(undefined);
    for (let n = next++; n < all.length; n = next++) {
      const mutant = all[n]!;
      if (mutant.file !== bundler.file) {
        await bundler[Symbol.asyncDispose]();
        bundler = await bundlerOf(mutant.file);
      }
      told.push({ mutant, verdict: await verdictOn(() => bundler.bundle(mutant)) });
      process.stderr.write(`\r${told.length} of ${all.length}`);
    }
    await bundler[Symbol.asyncDispose]();
  };
  await Promise.all(Array.from({ length: Math.max(1, Number(values.workers)) }, work));
  process.stderr.write('\n');
  return told;
}

await soundWithoutMutants();
const texts = await Promise.all(files.map((file) => textOf(top + file)));
const told = await judgeAll(files.flatMap((file, n) => mutantsOf(file, texts[n]!)));
const groups = {
  'merge, elect, lease, plan, switch': core,
  'the parts of switchVip': partsOfSwitch,
};
const report = reportOf(groups, told);
console.log(values.json ? JSON.stringify(report.data, undefined, 2) : report.text);
process.exitCode = report.data.groups.every((group) => group.share >= WANTED) ? 0 : 1;
