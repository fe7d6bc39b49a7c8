// Prints the table of negative controls: what was broken, which guarantee caught it, and after how many histories.
//
//   node test/sim/controls-main.ts [--seed S] [--most 10000] [--only TEXT]
import { parseArgs } from 'node:util';
import { caught } from './catch.ts';
import { controls } from './controls.ts';
import { found } from './controls-found.ts';

const { values } = parseArgs({
  options: {
    seed: { type: 'string', default: '1' },
    most: { type: 'string', default: '10000' },
    only: { type: 'string', default: '' },
  },
});

let missed = 0;
console.log('| what was broken | caught as | histories | seed |\n|---|---|---|---|');
for (const control of [...controls, ...found].filter((c) => c.name.includes(values.only))) {
  const found = await caught(control, Number(values.seed), Number(values.most));
  if (found === undefined) missed += 1;
  console.log(
    `| ${control.name} | ${found?.guarantee ?? 'NOT CAUGHT'} | ${found?.histories ?? `> ${values.most}`} | ${found?.seed ?? ''} |`,
  );
}
process.exitCode = missed === 0 ? 0 : 1;
