// npm run bench: how near to what EC2 allows, everything in one run and side by side.
//
// The AWS behind it is the benchmark's own lean server with fixed latencies and EC2's token buckets (bench/fake), because an
// emulator's own time would drown what is measured. Every other program on the machine shows in the figures: trust the ratios.
import { cpus, loadavg } from 'node:os';
import { parseArgs } from 'node:util';
import { prepareOrExplain, UNPREPARED } from '../lab/machine/prepare.ts';
import { type FakeRegion, type Latency, startFakeRegion } from './fake/region.ts';
import { type Row, tableOf } from './figures.ts';
import { coldRows } from './rows/cold.ts';
import { connectionRows } from './rows/connections.ts';
import { cpuRows } from './rows/cpu.ts';
import { loadHandler } from './rows/handler.ts';
import { profileRows } from './rows/profile.ts';
import { pureRows } from './rows/pure.ts';
import { scriptRows } from './rows/script.ts';
import { sweepRows } from './rows/sweep.ts';
import { warmRows } from './rows/warm.ts';
import { zoneFailure, zoneRows } from './rows/zone.ts';
import { targetsOf, targetTable } from './targets.ts';

const usage = `npm run bench -- [--json] [--quick] [--only PART,…]

  --json    an array of {name, n, medianMs, p99Ms, ratioToFloor} on stdout, nothing else
  --quick   few runs and small sizes: shows that everything runs, not how fast
  --only    of: warm, instant, cpu, tls, script, cold, pure, sweep, paced, zone; and, only when named,
            alone: the zone failure with every sandbox pacing for itself; what the shared budget is for
            profile: where the CPU of a warm failover goes, in percent by part
`;

const distant: Latency = { ec2Ms: 60, dynamoMs: 5 };
const instant: Latency = { ec2Ms: 0, dynamoMs: 0 };

type Part = (region: FakeRegion, quick: boolean) => Promise<readonly Row[]>;

async function warm(region: FakeRegion, latency: Latency, quick: boolean): Promise<readonly Row[]> {
  const handler = await loadHandler(region.endpoint);
  const sizes = quick ? [1, 10] : [1, 10, 45, 200];
  // At p99 200 runs are wanted; of the large size fewer, or the sequential way alone takes an hour.
  const runsFor = (tables: number) => (quick ? 5 : tables > 45 ? 30 : 200);
  return warmRows(region, handler, { latency, sizes, runsFor });
}

const zone = async (
  region: FakeRegion,
  vips: number,
  tables: number,
  more: { shared?: boolean; first?: number } = {},
) => {
  const options = { latency: distant, vips, tables, shared: true, timeoutMs: 300_000, ...more };
  return zoneRows(options, await zoneFailure(region, options));
};

const parts: Readonly<Record<string, Part>> = {
  warm: (region, quick) => warm(region, distant, quick),
  instant: (region, quick) => warm(region, instant, quick),
  cpu: (region, quick) => cpuRows(region, quick ? 10 : 200, quick ? 5 : 60),
  tls: (_, quick) => connectionRows(distant, quick ? [1] : [1, 10, 45], quick ? 3 : 100),
  script: (region, quick) => scriptRows(region, distant, quick ? [1] : [1, 10], quick ? 1 : 3),
  cold: (region, quick) => coldRows(region, distant, quick ? 1 : 10, quick ? 3 : 20),
  pure: async () => pureRows(),
  sweep: (region, quick) => sweepRows(region, distant, quick ? 50 : 1000),
  paced: (region, quick) => zone(region, 1, quick ? 52 : 200),
  zone: async (region, quick) =>
    quick
      ? zone(region, 6, 10)
      : [
          ...(await zone(region, 40, 10)),
          ...(await zone(region, 8, 50)),
          ...(await zone(region, 40, 10, { first: 4 })),
        ],
};
const onAsking: Readonly<Record<string, Part>> = {
  alone: (region, quick) => zone(region, quick ? 6 : 40, 10, { shared: false }),
  profile: async (region, quick) => {
    const handler = await loadHandler(region.endpoint);
    const of = (tables: number) =>
      profileRows(region, handler, { latency: distant, tables, runs: quick ? 3 : 40 });
    return quick ? of(10) : [...(await of(45)), ...(await of(200))];
  },
};

const { values } = parseArgs({
  options: {
    json: { type: 'boolean', default: false },
    quick: { type: 'boolean', default: false },
    only: { type: 'string' },
    help: { type: 'boolean', default: false },
  },
});
if (values.help) {
  process.stdout.write(usage);
  process.exit(0);
}
const all = { ...parts, ...onAsking };
const wanted = values.only?.split(',') ?? Object.keys(parts);
const unknown = wanted.filter((part) => all[part] === undefined);
if (unknown.length > 0) {
  process.stderr.write(`no part ${unknown.join(', ')}\n\n${usage}`);
  process.exit(2);
}
if ((await prepareOrExplain('bench')) === undefined) process.exit(UNPREPARED);

const say = (text: string): void => {
  if (!values.json) process.stdout.write(`${text}\n`);
};
const load = () =>
  loadavg()
    .map((l) => l.toFixed(1))
    .join(' ');
say(
  `${new Date().toISOString()}  ${cpus()[0]?.model ?? 'unknown CPU'} × ${cpus().length}, Node ${process.version}, load ${load()}`,
);
say('AWS: the benchmark’s own server (bench/fake), no TLS but in the part tls; latencies are fixed.\n');
const rows: Row[] = [];
await using region = await startFakeRegion();
for (const part of wanted) {
  const found = await all[part]!(region, values.quick);
  rows.push(...found);
  say(`${part}\n${tableOf(found)}\n`);
}
say(`load at the end ${load()}\n`);
if (!values.quick) say(targetTable(targetsOf(rows)));
if (values.json) process.stdout.write(`${JSON.stringify(rows, null, 2)}\n`);
