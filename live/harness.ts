// Harness: one run from the price to the last look whether all is gone.
//
// Invariant: from the first thing made on, every way out of here goes through the removal: a failure, a signal, a drill that hangs. What could
// not be removed is listed with the reason, and the exit status says so.
import { DescribeVpcsCommand } from '@aws-sdk/client-ec2';
import { buildSite, inventoryOf } from './build/site.ts';
import { calm, type Drill, type DrillContext, drill } from './drill.ts';
import type { LiveContext, TestBed } from './environment.ts';
import { ledgerOf } from './ledger.ts';
import type { Machines } from './machines.ts';
import type { Options } from './options.ts';
import { DESTINATION, pauseS, planLines } from './plan.ts';
import { costText } from './report/cost.ts';
import { type Percentiles, percentilesOf, percentilesTable } from './report/percentiles.ts';
import { newRunId, RUN_TAG, type Run, runOf, STAGE_TAG } from './run-id.ts';
import { type Left, removeAll } from './teardown/remove.ts';

export interface Setting {
  readonly ground: LiveContext;
  readonly wish: Options;
  /** Aborted by Ctrl-C: ends building and drilling, never the removal. */
  readonly signal: AbortSignal;
  /** For people, on standard error. */
  readonly say: (text: string) => void;
  /** The figures, on standard output. */
  readonly print: (text: string) => void;
  agree(question: string): Promise<boolean>;
}

export const status = { ok: 0, bad: 1, usage: 2, declined: 3, interrupted: 130 } as const;

export interface Figures {
  readonly run: string;
  readonly ground: string;
  readonly at: string;
  readonly tables: number;
  readonly advertS: number;
  readonly drills: readonly Drill[];
  readonly percentiles: readonly Percentiles[];
  /** How far each machine's clock may be off; absent where nobody knows. */
  readonly clocksMs: Readonly<Record<string, number | undefined>>;
  /** Why the run ended before its time. */
  readonly failure?: string;
  readonly left: readonly Left[];
}

export async function runHarness(setting: Setting): Promise<number> {
  const { ground, wish, signal, say } = setting;
  const run = runOf(newRunId(), wish.stage);
  say(
    `${ground.name}. What it will build:\n${planLines(wish)
      .map((line) => `  - ${line}`)
      .join('\n')}`,
  );
  say(costText(wish));
  if (!(await setting.agree('Build, drill, and remove it all again?'))) {
    say('nothing was made');
    return status.declined;
  }
  say(`run ${run.id}. Should this process die: npm run live -- --clean ${run.id} --region ${ground.region}`);
  const measured: Measured = { drills: [], clocksMs: {} };
  let failure: unknown;
  try {
    await perform(setting, run, measured);
  } catch (error) {
    failure = signal.aborted ? new Error('interrupted') : error;
    say(
      `${signal.aborted ? 'interrupted' : `failed: ${reasonOf(error)}`}; what was measured so far is reported`,
    );
  }
  const left = wish.keep && failure === undefined ? [] : await remove(setting, run);
  if (wish.keep && failure === undefined)
    say(`kept; to remove it: npm run live -- --clean ${run.id} --region ${ground.region}`);
  report(setting, figuresOf(setting, run, { ...measured, left, failure }));
  if (signal.aborted) return status.interrupted;
  return failure === undefined && left.length === 0 ? status.ok : status.bad;
}

interface Measured {
  readonly drills: Drill[];
  clocksMs: Readonly<Record<string, number | undefined>>;
}

async function perform(setting: Setting, run: Run, measured: Measured): Promise<void> {
  const { ground, wish, signal, say } = setting;
  const site = await buildSite({ ground, run, wish, signal, say });
  const machines = await ground.machines(site, signal);
  try {
    measured.clocksMs = await machines.clocks();
    say('the machines are ready; waiting for the first master');
    await drillAll(setting, theatreOf(setting, site, machines), measured.drills);
  } finally {
    await machines.close();
  }
}

const theatreOf = ({ ground, wish, signal }: Setting, site: TestBed, machines: Machines): DrillContext => ({
  machines,
  signal,
  ledger: ledgerOf(ground.dynamo, site.run),
  instanceIds: { a: site.instances.a.instanceId, b: site.instances.b.instanceId },
  cell: `${site.network.tables[0]} ${DESTINATION}`,
  pauseMs: pauseS(wish.tables) * 1_000,
});

async function drillAll(
  { wish, signal, say }: Setting,
  theatre: DrillContext,
  drills: Drill[],
): Promise<void> {
  await calm(theatre);
  for (let n = 0; n < wish.drills; n++) {
    signal.throwIfAborted();
    // Two of a kind in a row, so that each goes both ways.
    const kind = wish.kinds[Math.floor(n / 2) % wish.kinds.length]!;
    const done = await drill(theatre, kind);
    drills.push(done);
    const { totalMs, outageMs } = done.parts;
    const way = `${kind}, ${done.from} → ${done.to}, epoch ${done.epoch ?? '?'}`;
    say(
      `drill ${n + 1} of ${wish.drills}: ${way}: moved after ${ms(totalMs)}, without an answer ${ms(outageMs)}`,
    );
  }
}

const ms = (value: number | undefined): string => (value === undefined ? '?' : `${value.toFixed(1)} ms`);

async function remove({ ground, say }: Setting, run: Run): Promise<readonly Left[]> {
  say(`removing everything of run ${run.id}`);
  const left = await removeAll(inventoryOf(ground, run), { say, pauseMs: ground.pauseMs });
  if (left.length === 0) say('nothing is left');
  else {
    say(`not everything could be removed:\n${left.map((l) => `  - ${l.what} ${l.id}: ${l.why}`).join('\n')}`);
    say(`try again: npm run live -- --clean ${run.id} --region ${ground.region}`);
  }
  return left;
}

/** `--clean RUN`: what a dead run has left. */
export async function cleanRun(setting: Setting, id: string): Promise<number> {
  const Filters = [{ Name: `tag:${RUN_TAG}`, Values: [id] }];
  const { Vpcs = [] } = await setting.ground.ec2.send(new DescribeVpcsCommand({ Filters }));
  const tag = Vpcs[0]?.Tags?.find(({ Key }) => Key === STAGE_TAG)?.Value ?? '';
  // Without its VPC, which goes last, a run has at most what is named after it.
  const run = runOf(id, tag.startsWith('used:') ? tag.slice('used:'.length) : undefined);
  return (await remove(setting, run)).length === 0 ? status.ok : status.bad;
}

interface Ended extends Measured {
  readonly left: readonly Left[];
  /** undefined: every drill was done. */
  readonly failure: unknown;
}

function figuresOf({ ground, wish }: Setting, run: Run, { drills, clocksMs, left, failure }: Ended): Figures {
  return {
    run: run.id,
    ground: ground.name,
    at: new Date().toISOString(),
    tables: wish.tables,
    advertS: wish.advertS,
    drills,
    percentiles: percentilesOf(drills),
    clocksMs,
    ...(failure === undefined ? {} : { failure: reasonOf(failure) }),
    left,
  };
}

function report({ wish, print }: Setting, figures: Figures): void {
  if (wish.json) {
    print(JSON.stringify(figures, undefined, 2));
    return;
  }
  const clocks = Object.entries(figures.clocksMs).map(
    ([name, off]) => `${name} ${off === undefined ? '?' : `${off} ms`}`,
  );
  print(
    `\n${figures.drills.length} drills, ${figures.tables} tables, adverts every ${figures.advertS} s; ${figures.ground}; ${figures.at}`,
  );
  if (figures.drills.length > 0) print(percentilesTable(figures.percentiles));
  if (clocks.length > 0) print(`clocks may be off by: ${clocks.join(', ')}`);
}

const reasonOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
