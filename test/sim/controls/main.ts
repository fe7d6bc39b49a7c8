// Prints the table of negative controls: what was broken, which guarantee caught it, and after how many histories.
//
//   node test/sim/controls/main.ts [--seed S] [--most 10000] [--only TEXT] [--keep]
//
// With --keep the seeds go into controls-seeds.json, where the tests begin to look.
import { readFile, writeFile } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import { caught, every } from './every-control.ts';

const { values } = parseArgs({
  options: {
    seed: { type: 'string', default: '1' },
    most: { type: 'string', default: '10000' },
    only: { type: 'string', default: '' },
    keep: { type: 'boolean', default: false },
  },
});
const file = new URL('./seeds.json', import.meta.url);
const seeds: Record<string, number> = JSON.parse(await readFile(file, 'utf8').catch(() => '{}'));

Error.stackTraceLimit = 0;
let missed = 0;
console.log('| what was broken | caught as | histories |\n|---|---|---|');
for (const control of every.filter((c) => c.name.includes(values.only))) {
  const first = await caught(control, Number(values.seed), Number(values.most));
  if (first === undefined) missed += 1;
  else seeds[control.name] = first.seed;
  const histories = first?.histories ?? `more than ${values.most}`;
  console.log(`| ${control.name} | ${first?.guarantee ?? 'not caught by chance'} | ${histories} |`);
  if (values.keep) await writeFile(file, `${JSON.stringify(seeds, null, 2)}\n`);
}
process.exitCode = missed === 0 ? 0 : 1;
