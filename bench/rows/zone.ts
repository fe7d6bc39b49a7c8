// A zone fails: V VIPs of T tables each fail over at once, each in an execution environment of its own as Lambda gives them, against EC2's real
// token buckets. What one invocation knows of the others it knows from the account's budget alone.
//
// Limit: the sandboxes share this process, so its event loop is busier than each of theirs would be.
import { parseClaimEvent } from '../../shared/aws/events/claim-event.ts';
import type { InvocationPorts } from '../../shared/aws/invocation.ts';
import {
  clients,
  type ExecutionEnvironment,
  executionEnvironment,
  portsFor,
  settingsFrom,
} from '../../shared/aws/wire.ts';
import { handleClaim } from '../../shared/controller/handle-claim.ts';
import { reconcile } from '../../shared/controller/reconcile.ts';
import { durationMs } from '../../shared/time.ts';
import { defaultScope } from '../../shared/vip/vip.ts';
import { claimEvent } from '../claim.ts';
import {
  type FakeRegion,
  isMutation,
  type Latency,
  nodesOf,
  nowMs,
  type SeenCall,
  vipWith,
} from '../fake/region.ts';
import { percentile, type Row, rowOf, valueRow } from '../figures.ts';
import { environmentVariables } from './handler.ts';

export interface ZoneOptions {
  readonly latency: Latency;
  readonly vips: number;
  readonly tables: number;
  /** Without it every sandbox paces itself alone: the negative control. */
  readonly shared: boolean;
  /** The invocation's timeout; what is left then is the next one's. */
  readonly timeoutMs: number;
  /** VIPs that go first. */
  readonly first?: number;
}

/** EC2 developer guide: 50 at once, then 5 a second. */
export const idealMs = (calls: number): number => (Math.max(0, calls - 50) / 5) * 1000;

export interface ZoneRun {
  readonly lastMs: number;
  readonly refusedShare: number;
  /** From the failure to each VIP's first and last accepted call. */
  readonly firstMs: readonly number[];
  readonly doneMs: readonly number[];
}

export async function zoneFailure(region: FakeRegion, options: ZoneOptions): Promise<ZoneRun> {
  const names = Array.from({ length: options.vips }, (_, n) => `zone${n}`);
  const built = names.map((name, n) =>
    vipWith(name, options.tables, n < (options.first ?? 0) ? 'first' : undefined),
  );
  await region.build({
    latency: options.latency,
    buckets: true,
    vips: built.map((b) => b.vip),
    items: built.map((b) => b.item),
  });
  const ended = new AbortController();
  const environments = names.map((name) => ({ name, environment: environmentOn(region) }));
  // Warm: connections and code are there, as after the first failover of a sandbox.
  for (const { environment } of environments) await warmUp(environment, ended.signal);
  await region.take();
  const startMs = nowMs();
  await Promise.all(
    environments.map(({ name, environment }) => oneVip(environment, options, name, ended.signal)),
  );
  const calls = await region.take();
  for (const { environment } of environments)
    for (const client of Object.values(environment.clients)) client.destroy();
  return zoneRunFrom(calls, names, startMs);
}

function environmentOn(region: FakeRegion): ExecutionEnvironment {
  const { VIPSHIFT_EC2_RATES: _one, ...env } = environmentVariables(region.endpoint);
  const credentials = { accessKeyId: 'bench', secretAccessKey: 'bench' };
  const made = clients({ endpoint: region.endpoint, region: 'eu-central-1', credentials });
  return executionEnvironment(settingsFrom(env), made);
}

async function warmUp(environment: ExecutionEnvironment, signal: AbortSignal): Promise<void> {
  const ports = portsFor(environment, durationMs(TIMEOUT_MS), signal);
  await Promise.all([ports.vips.read('warm-up'), ports.ec2.observe(defaultScope('warm-up'))]);
}

const TIMEOUT_MS = 300_000;

async function oneVip(
  environment: ExecutionEnvironment,
  options: ZoneOptions,
  name: string,
  signal: AbortSignal,
): Promise<void> {
  const ports = (): InvocationPorts => {
    const { sharedBucket, ...rest } = portsFor(environment, durationMs(options.timeoutMs), signal);
    return options.shared && sharedBucket !== undefined ? { ...rest, sharedBucket } : rest;
  };
  const parsed = parseClaimEvent(claimEvent(name, nodesOf(name)[1]!));
  if (!parsed.ok) throw new Error(`the event was refused: ${parsed.rejection.message}`);
  await handleClaim(ports(), parsed, environment.settings.identity);
  // The next invocation: reconcile finds what the first had no time for.
  for (let n = 0; n < INVOCATIONS_MAX; n++) {
    const own = ports();
    const vip = await own.vips.read(name);
    if (vip?.owner === nodesOf(name)[1]) return;
    await reconcile(own, vip!);
  }
  throw new Error(`${name} did not move in ${INVOCATIONS_MAX + 1} invocations`);
}

const INVOCATIONS_MAX = 5;

function zoneRunFrom(calls: readonly SeenCall[], names: readonly string[], startMs: number): ZoneRun {
  const mutations = calls.filter(isMutation);
  const accepted = mutations.filter((call) => call.status === 200);
  const ofVip = (name: string) =>
    accepted.filter((call) => call.key.startsWith(`rtb-${name}-`)).map((c) => c.endMs);
  return {
    lastMs: Math.max(...accepted.map((call) => call.endMs)) - startMs,
    refusedShare: (mutations.length - accepted.length) / mutations.length,
    firstMs: names.map((name) => Math.min(...ofVip(name)) - startMs),
    doneMs: names.map((name) => Math.max(...ofVip(name)) - startMs),
  };
}

export function zoneRows(options: ZoneOptions, run: ZoneRun): readonly Row[] {
  const calls = options.vips * options.tables;
  const what = `${options.vips} VIPs × ${options.tables} tables${options.shared ? '' : ', each sandbox for itself'}${options.first === undefined ? '' : `, ${options.first} first`}`;
  const ideal = idealMs(calls);
  const note = `EC2 itself needs ${(ideal / 1000).toFixed(1)} s`;
  return [
    rowOf(
      `zone failure, ${what}: last mutation accepted`,
      calls,
      [run.lastMs],
      ideal === 0 ? { note } : { floorMs: ideal, note },
    ),
    rowOf(`zone failure, ${what}: a VIP’s first table`, options.vips, run.firstMs),
    rowOf(`zone failure, ${what}: a VIP’s last table`, options.vips, run.doneMs),
    valueRow(`zone failure, ${what}: refused for throttle, %`, calls, run.refusedShare * 100),
    ...(options.first === undefined
      ? []
      : [
          valueRow(
            `zone failure, ${what}: last of the first, s`,
            options.first,
            percentile(run.doneMs.slice(0, options.first), 1) / 1000,
          ),
        ]),
  ];
}
