// Mutation testing of merge, elect, lease, plan and switch. Prints how many mutants were killed and every survivor.
//
//   node test/mutation/main.ts [--only shared/claim.ts] [--workers N] [--json]
//
// StrykerJS does not know this vitest and needs the TypeScript API that version 7 has not; so the fixed operators of
// mutants.ts are applied mechanically. Takes some minutes; not part of `npm test`.
import { readFile } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { Worker } from 'node:worker_threads';
import { build } from 'esbuild';
import { harmless } from './harmless.ts';
import { type Mutant, mutantsOf, mutated } from './mutants.ts';

const FILES = ['claim', 'silent', 'election', 'lease', 'plan', 'switch'].map((name) => `shared/${name}.ts`);
/** A mutant that never ends is killed, too. */
const PATIENCE_MS = 60_000;
const WANTED = 0.95;

const top = fileURLToPath(new URL('../../', import.meta.url));
const { values } = parseArgs({
  options: {
    only: { type: 'string', default: '' },
    workers: { type: 'string', default: String(availableParallelism()) },
    json: { type: 'boolean', default: false },
  },
});

/** Everything but the mutated file is the same each time; esbuild is quick enough to bundle it anew. */
async function bundle(mutant: Mutant | undefined): Promise<string> {
  const result = await build({
    entryPoints: [`${top}test/mutation/judged.ts`],
    bundle: true,
    write: false,
    platform: 'node',
    format: 'esm',
    target: 'node24',
    logLevel: 'silent',
    alias: { vitest: `${top}test/mutation/stand-in.ts` },
    plugins: [
      {
        name: 'mutant',
        setup(builder) {
          builder.onLoad({ filter: /shared\/[^/]*\.ts$/ }, async ({ path }) => {
            if (mutant === undefined || path !== top + mutant.file) return undefined;
            return { contents: mutated(await readFile(path, 'utf8'), mutant), loader: 'ts' };
          });
        },
      },
    ],
  });
  return result.outputFiles[0]!.text;
}

async function judge(mutant: Mutant | undefined): Promise<string> {
  let text: string;
  try {
    text = await bundle(mutant);
  } catch (error) {
    return `does not build: ${String(error)}`;
  }
  return new Promise((resolve) => {
    const worker = new Worker(new URL('./judge.ts', import.meta.url), { workerData: { bundle: text } });
    const end = (verdict: string) => {
      clearTimeout(timer);
      void worker.terminate();
      resolve(verdict);
    };
    const timer = setTimeout(() => end('never ended'), PATIENCE_MS);
    worker.on('message', end);
    worker.on('error', (error) => end(`crashed: ${error.message}`));
  });
}

const place = (m: Mutant): string =>
  `${m.file}:${m.line} ${m.operator}: ${m.was.replaceAll(/\s+/g, ' ').slice(0, 80)} → ${m.by.replaceAll(/\s+/g, ' ').slice(0, 80)}`;

async function main(): Promise<boolean> {
  const sound = await judge(undefined);
  if (sound !== 'survived') throw new Error(`the tests fail without any mutant: ${sound}`);
  const all: Mutant[] = [];
  for (const file of FILES.filter((f) => f.includes(values.only))) {
    all.push(...mutantsOf(file, await readFile(top + file, 'utf8')));
  }
  const survivors: Mutant[] = [];
  let next = 0;
  let killed = 0;
  const work = async (): Promise<void> => {
    for (let n = next++; n < all.length; n = next++) {
      const mutant = all[n]!;
      if ((await judge(mutant)) === 'survived') {
        survivors.push(mutant);
        if (!values.json) console.log(`survived ${place(mutant)}`);
      } else killed += 1;
      if (!values.json) process.stderr.write(`\r${n + 1} of ${all.length}`);
    }
  };
  await Promise.all(Array.from({ length: Math.max(1, Number(values.workers)) }, work));
  report(all.length, killed, survivors);
  return killed / all.length >= WANTED;
}

function report(all: number, killed: number, survivors: readonly Mutant[]): void {
  const told = survivors.map((m) => ({
    place: place(m),
    harmless: harmless(m, m.source) ?? 'not looked at yet',
  }));
  if (values.json) {
    console.log(JSON.stringify({ mutants: all, killed, share: killed / all, survivors: told }, null, 2));
    return;
  }
  console.log(`\n${killed} of ${all} mutants killed (${((100 * killed) / all).toFixed(1)} %)`);
  for (const { place: where, harmless: why } of told) console.log(`  ${where}\n    ${why}`);
}

process.exitCode = (await main()) ? 0 : 1;
