// Hostile input from everywhere: prints how many events were turned away, by reason, and how command lines and registry files ended.
//
//   node test/fuzz/main.ts [--events 1000000] [--lines 3000] [--files 1500] [--seed 1] [--json]
import { parseArgs } from 'node:util';
import { rejectReasons } from '../../shared/vip/admission.ts';
import { fuzzFiles, fuzzLines } from './cli.ts';
import { fuzz } from './hostile.ts';

const LEAST = 1000;

const { values } = parseArgs({
  options: {
    events: { type: 'string', default: '1000000' },
    lines: { type: 'string', default: '3000' },
    files: { type: 'string', default: '1500' },
    seed: { type: 'string', default: '1' },
    json: { type: 'boolean', default: false },
  },
});
const means = [
  'done',
  'done, and the answer is bad',
  'wrong command line',
  'refused',
  'AWS did not allow it',
];

const seed = Number(values.seed);
const told = {
  ...(await fuzz(Number(values.events), seed)),
  lines: await fuzzLines(Number(values.lines), seed),
  files: await fuzzFiles(Number(values.files), seed),
};
if (values.json) console.log(JSON.stringify(told, null, 2));
else {
  console.log(`${told.events} events; ${told.valid} of them were honest after all; ${told.probed} probes`);
  for (const reason of rejectReasons) console.log(`  ${reason.padEnd(28)} ${told.rejected[reason] ?? 0}`);
  for (const what of ['lines', 'files'] as const) {
    console.log(`${values[what]} ${what === 'lines' ? 'command lines' : 'registry files'}, by exit status`);
    for (const [status, mean] of means.entries())
      console.log(`  ${status} ${mean.padEnd(26)} ${told[what][status] ?? 0}`);
  }
}
const rare = rejectReasons.filter((reason) => (told.rejected[reason] ?? 0) < LEAST);
if (rare.length > 0) console.error(`fewer than ${LEAST} times: ${rare.join(', ')}`);
process.exitCode = rare.length === 0 ? 0 : 1;
