// Harness: one run, from the price to the last check that everything is gone.
//
// Invariant: from the first thing made on, every way out of here goes through the removal: a failure, a signal, a drill that hangs. What could
// not be removed is listed with the reason, and the exit status shows it.

import { defined, ifDefined } from '../shared/optional.ts';
import { buildTestBed, inventoryOf } from './build/test-bed.ts';
import { calm, type Drill, type DrillContext, drill } from './drill.ts';
import type { LiveContext, TestBed } from './environment.ts';
import type { Machines } from './machines.ts';
import type { Options } from './options.ts';
import { DESTINATION, pauseS, planLines } from './plan.ts';
import { registryOf } from './registry.ts';
import { costText } from './report/cost.ts';
import { type Percentiles, percentilesOf, percentilesTable } from './report/percentiles.ts';
import { newRunId, type Run, runOf, STAGE_TAG, testBedStack } from './run-id.ts';
import { type Left, removeAll } from './teardown/remove.ts';

export interface Setting {
  readonly context: LiveContext;
  readonly options: Options;
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
  readonly environment: string;
  readonly at: string;
  readonly tables: number;
  readonly advertS: number;
  readonly drills: readonly Drill[];
  readonly percentiles: readonly Percentiles[];
  /** How far each machine's clock may be off; absent where unknown. */
  readonly clocksMs: Readonly<Record<string, number | undefined>>;
  /** Why the run ended before its time. */
  readonly failure?: string;
  readonly left: readonly Left[];
}

export async function runHarness(setting: Setting): Promise<number> {
  const { context, options, signal, say } = setting;
  const run = runOf(newRunId(), options.stage);
  say(
    `${context.name}. What it will build:\n${planLines(options)
      .map((line) => `  - ${line}`)
      .join('\n')}`,
  );
  say(costText(options));
  if (!(await setting.agree('Build it, run the drills, and remove everything?'))) {
    say('nothing was created');
    return status.declined;
  }
  say(`run ${run.id}. If this process dies: npm run live -- --clean ${run.id} --region ${context.region}`);
  const measured: Measured = { drills: [], clocksMs: {} };
  let failure: unknown;
  try {
    await runDrills(setting, run, measured);
  } catch (error) {
    failure = signal.aborted ? new Error('interrupted') : error;
    say(
      `${signal.aborted ? 'interrupted' : `failed: ${reasonOf(error)}`}; reporting what was measured so far`,
    );
  }
  const left = options.keep && failure === undefined ? [] : await remove(setting, run);
  if (options.keep && failure === undefined)
    say(`kept. To remove it: npm run live -- --clean ${run.id} --region ${context.region}`);
  report(setting, figuresOf(setting, run, { ...measured, left, failure }));
  if (signal.aborted) return status.interrupted;
  return failure === undefined && left.length === 0 ? status.ok : status.bad;
}

interface Measured {
  readonly drills: Drill[];
  clocksMs: Readonly<Record<string, number | undefined>>;
}

async function runDrills(setting: Setting, run: Run, measured: Measured): Promise<void> {
  const { context, options, signal, say } = setting;
  const testBed = await buildTestBed({ context, run, options, signal, say });
  const machines = await context.machines(testBed, signal);
  try {
    measured.clocksMs = await machines.clocks();
    say('the machines are ready; waiting for the first master');
    await drillAll(setting, drillContextOf(setting, testBed, machines), measured.drills);
  } finally {
    await machines.close();
  }
}

const drillContextOf = (
  { context, options, signal }: Setting,
  testBed: TestBed,
  machines: Machines,
): DrillContext => ({
  machines,
  signal,
  registry: registryOf(context.dynamo, testBed.run),
  instanceIds: { a: testBed.instances.a.instanceId, b: testBed.instances.b.instanceId },
  cell: `${testBed.probeTable} ${DESTINATION}`,
  pauseMs: pauseS(options.tables) * 1_000,
});

async function drillAll(
  { options, signal, say }: Setting,
  drillContext: DrillContext,
  drills: Drill[],
): Promise<void> {
  await calm(drillContext);
  for (let n = 0; n < options.drills; n++) {
    signal.throwIfAborted();
    // Two of a kind in a row, so that each goes both ways.
    const kind = options.kinds[Math.floor(n / 2) % options.kinds.length]!;
    const done = await drill(drillContext, kind);
    drills.push(done);
    const { totalMs, outageMs } = done.parts;
    const way = `${kind}, ${done.from} → ${done.to}, epoch ${done.epoch ?? '?'}`;
    say(`drill ${n + 1} of ${options.drills}: ${way}: moved after ${ms(totalMs)}, outage ${ms(outageMs)}`);
  }
}

const ms = (value: number | undefined): string => (value === undefined ? '?' : `${value.toFixed(1)} ms`);

async function remove({ context, say }: Setting, run: Run): Promise<readonly Left[]> {
  say(`removing everything of run ${run.id}`);
  const left = await removeAll(inventoryOf(context, run), { say, pauseMs: context.pauseMs });
  if (left.length === 0) say('everything was removed');
  else {
    say(`not everything could be removed:\n${left.map((l) => `  - ${l.what} ${l.id}: ${l.why}`).join('\n')}`);
    say(`try again: npm run live -- --clean ${run.id} --region ${context.region}`);
  }
  return left;
}

/** `--clean RUN`: what a dead run has left. */
export async function cleanRun(setting: Setting, id: string): Promise<number> {
  const stack = await setting.context.stacks.find(testBedStack(runOf(id)));
  const tag = stack?.tags[STAGE_TAG] ?? '';
  // Without its test bed, which goes last, a run has at most what is named after it.
  const run = runOf(id, tag.startsWith('used:') ? tag.slice('used:'.length) : undefined);
  return (await remove(setting, run)).length === 0 ? status.ok : status.bad;
}

interface Ended extends Measured {
  readonly left: readonly Left[];
  /** undefined: every drill was done. */
  readonly failure: unknown;
}

function figuresOf(
  { context, options }: Setting,
  run: Run,
  { drills, clocksMs, left, failure }: Ended,
): Figures {
  return {
    run: run.id,
    environment: context.name,
    at: new Date().toISOString(),
    tables: options.tables,
    advertS: options.advertS,
    drills,
    percentiles: percentilesOf(drills),
    clocksMs,
    ...defined({ failure: ifDefined(failure, reasonOf) }),
    left,
  };
}

function report({ options, print }: Setting, figures: Figures): void {
  if (options.json) {
    print(JSON.stringify(figures, undefined, 2));
    return;
  }
  const clocks = Object.entries(figures.clocksMs).map(
    ([name, off]) => `${name} ${off === undefined ? '?' : `${off} ms`}`,
  );
  print(
    `\n${figures.drills.length} drills, ${figures.tables} tables, adverts every ${figures.advertS} s; ${figures.environment}; ${figures.at}`,
  );
  if (figures.drills.length > 0) print(percentilesTable(figures.percentiles));
  if (clocks.length > 0) print(`clock error at most: ${clocks.join(', ')}`);
}

const reasonOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
