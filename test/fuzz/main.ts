// Hostile input from everywhere: prints how many events and calls of the function URL were turned away, by reason, and how command lines and registry files ended. What fails is made as
// small as it gets, and printed with the command that draws it again.
//
//   node test/fuzz/main.ts [--events 1000000] [--calls 100000] [--lines 3000] [--files 1500] [--json]    from a fresh seed
//   node test/fuzz/main.ts --seed 4711                                                  the same from this seed
//   node test/fuzz/main.ts --replay events --seed 4711 --path 8213:0:1                  one of them again
//
// Exit status 1 when something crashed or moved, or when a reject reason was too rare.
import { randomInt } from 'node:crypto';
import { inspect, parseArgs } from 'node:util';
import { defined } from '../../shared/optional.ts';
import { rejectReasons } from '../../shared/vip/admission.ts';
import { whole } from '../support/whole.ts';
import { fuzzFiles, fuzzLines } from './cli.ts';
import { type Input, inputs } from './draw.ts';
import { fuzzCalls, fuzzEvents } from './hostile.ts';

/** How often each reject reason is expected in a run that says how many. */
const LEAST = 1000;
/** fast-check's seeds are of 32 bits. */
const SEED_MAX = 2 ** 31;

const { values } = parseArgs({
  options: {
    events: { type: 'string', default: '1000000' },
    calls: { type: 'string', default: '100000' },
    lines: { type: 'string', default: '3000' },
    files: { type: 'string', default: '1500' },
    seed: { type: 'string' },
    replay: { type: 'string' },
    path: { type: 'string' },
    json: { type: 'boolean', default: false },
  },
});

const fuzz = { events: fuzzEvents, calls: fuzzCalls, lines: fuzzLines, files: fuzzFiles };
const ways = ['done', 'done, and the answer is bad', 'wrong command line', 'refused', 'AWS did not allow it'];
const byStatus = ways.map((way, status) => [String(status), `${status} ${way}`] as const);
/** What is counted, and how that is printed. */
const rows: Readonly<Record<Input, readonly (readonly [string, string])[]>> = {
  events: [...rejectReasons, 'probed', 'honest'].map((end) => [end, end]),
  calls: [...rejectReasons, 'probed', 'honest'].map((end) => [end, end]),
  lines: byStatus,
  files: byStatus,
};

// Always the same seed would prove this seed.
const seed = values.seed === undefined ? randomInt(SEED_MAX) : whole('seed', values.seed);
const { replay, path } = values;
const chosen = inputs.filter((input) => replay === undefined || input === replay);
if ((replay !== undefined || path !== undefined) && !(chosen.length === 1 && path && values.seed))
  throw new RangeError(`--replay takes ${inputs.join(', ')}; --seed and --path as the failure names them`);
console.error(`seed ${seed}`);

const found: Partial<Record<Input, Readonly<Record<string, number>>>> = {};
for (const input of chosen) {
  const runs = path === undefined ? whole(input, values[input]) : 1;
  try {
    const ends: Readonly<Record<string, number>> = await fuzz[input]({ runs, seed, ...defined({ path }) });
    found[input] = ends;
    if (values.json) continue;
    console.log(`${runs} ${input}`);
    for (const [end, text] of rows[input]) console.log(`  ${text.padEnd(30)} ${ends[end] ?? 0}`);
  } catch (error) {
    // The others are tried all the same.
    console.error(inspect(error));
    process.exitCode = 1;
  }
}
if (values.json) console.log(JSON.stringify({ seed, ...found }, null, 2));
const { events } = found;
const rare = rejectReasons.filter((reason) => events !== undefined && (events[reason] ?? 0) < LEAST);
if (rare.length > 0 && path === undefined) {
  console.error(`fewer than ${LEAST} times: ${rare.join(', ')}`);
  process.exitCode = 1;
}
