// One million hostile events: prints how many were turned away, by reason.
//
//   node test/fuzz/main.ts [--events 1000000] [--seed 1] [--json]
import { parseArgs } from 'node:util';
import { rejectReasons } from '../../shared/rejection.ts';
import { fuzz } from './hostile.ts';

const LEAST = 1000;

const { values } = parseArgs({
  options: {
    events: { type: 'string', default: '1000000' },
    seed: { type: 'string', default: '1' },
    json: { type: 'boolean', default: false },
  },
});

const told = await fuzz(Number(values.events), Number(values.seed));
if (values.json) console.log(JSON.stringify(told, null, 2));
else {
  console.log(`${told.events} events; ${told.valid} of them were honest after all; ${told.probed} probes`);
  for (const reason of rejectReasons) console.log(`  ${reason.padEnd(16)} ${told.rejected[reason] ?? 0}`);
}
const rare = rejectReasons.filter((reason) => (told.rejected[reason] ?? 0) < LEAST);
if (rare.length > 0) console.error(`fewer than ${LEAST} times: ${rare.join(', ')}`);
process.exitCode = rare.length === 0 ? 0 : 1;
