// Reconcile over 1,000 VIPs of 4 tables each without drift: calls, memory, duration.
import { clients, executionEnvironment, portsFor, settingsFrom } from '../../shared/aws/wire.ts';
import { reconcileAll } from '../../shared/controller/reconcile-all.ts';
import { durationMs } from '../../shared/time.ts';
import { type FakeRegion, type Latency, nowMs, vipWith } from '../fake/region.ts';
import { type Row, rowOf, valueRow } from '../figures.ts';
import { environmentVariables } from './handler.ts';

const TABLES = 4;
const MEMORY_EVERY_MS = 20;

export interface ReconcileRun {
  readonly ms: number;
  /** How often each action was called. */
  readonly calls: Readonly<Record<string, number>>;
  readonly heapMb: number;
  readonly switched: number;
}

/** The second of two runs: the first keeps what it has seen, as the first minute after a deployment does. */
export async function quietReconcile(
  region: FakeRegion,
  latency: Latency,
  vips: number,
): Promise<ReconcileRun> {
  const built = Array.from({ length: vips }, (_, n) => vipWith(`vip-${n}`, TABLES));
  await region.build({
    latency,
    buckets: true,
    vips: built.map((b) => b.vip),
    items: built.map((b) => b.item),
  });
  const credentials = { accessKeyId: 'bench', secretAccessKey: 'bench' };
  const made = clients({ endpoint: region.endpoint, region: 'eu-central-1', credentials });
  const environment = executionEnvironment(settingsFrom(environmentVariables(region.endpoint)), made);
  const signal = new AbortController().signal;
  const ports = () => portsFor(environment, durationMs(300_000), signal);
  await reconcileAll(ports());
  await region.take();
  let peak = 0;
  const watch = setInterval(() => {
    peak = Math.max(peak, process.memoryUsage().heapUsed);
  }, MEMORY_EVERY_MS);
  const startMs = nowMs();
  try {
    const result = await reconcileAll(ports());
    const ms = nowMs() - startMs;
    if (result.reports.length !== vips) {
      throw new Error(
        `${result.reports.length} reports, expected ${vips}: ${result.failures[0]?.fault.message}`,
      );
    }
    const calls: Record<string, number> = {};
    for (const { action } of await region.take()) calls[action] = (calls[action] ?? 0) + 1;
    return {
      ms,
      calls,
      heapMb: peak / 2 ** 20,
      switched: result.reports.filter((r) => r.did === 'switched').length,
    };
  } finally {
    clearInterval(watch);
    for (const client of Object.values(made)) client.destroy();
  }
}

export async function sweepRows(region: FakeRegion, latency: Latency, vips: number): Promise<readonly Row[]> {
  const run = await quietReconcile(region, latency, vips);
  const what = `reconcile of ${vips} VIPs × ${TABLES} tables, no drift`;
  const calls = Object.entries(run.calls).map(([action, count]) => `${action} ${count}`);
  return [
    rowOf(what, vips, [run.ms], { note: calls.join(', ') }),
    valueRow(`${what}: heap at most, MB`, vips, run.heapMb, 'with the benchmark itself'),
  ];
}
