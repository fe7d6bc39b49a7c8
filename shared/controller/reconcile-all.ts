// A sweep: one reconcile of every VIP, or of those that a hint concerns, a few at a time. One that fails never hides the
// rest.
//
// It begins no VIP that its invocation may not live to finish: those are told as left, and the next sweep begins
// elsewhere, so that none is left for ever. Nothing is kept between sweeps for that: the minute says where one begins.
// Two sweeps at once (the schedule does not wait for a long one) do no harm: a VIP that one of them switches has a live
// lease, and the other one skips it.

import { type Fault, toFault } from '../fault.ts';
import type { Observation } from '../network/observation.ts';
import { type DurationMs, type EpochMs, minus, minutes, plus, seconds } from '../time.ts';
import { notAheadOf, STALE_READ } from '../vip/lease.ts';
import type { Vip } from '../vip/vip.ts';
import type { ReconcileResult } from './assess.ts';
import { applyHint, concerns, type Hint } from './hint.ts';
import { type ReconcilePorts, reconcile } from './reconcile.ts';
import { announceScheduled } from './warned.ts';

/** VIPs reconciled at the same time: EC2's Describe budget is 100 and 20 a second. */
const AT_ONCE = 8;
/** For what was begun last. 400 calls, two full tables of an account's VPC at EC2's rate, take 72 s. */
export const RESERVE: DurationMs = seconds(90);
/** How often a sweep begins by itself (serverless.yml). */
const EVERY: DurationMs = minutes(1);
/** A VIP that is drawn later than this after the look for all looks for itself: by then the next sweep has looked. */
export const LOOK_MAX_AGE: DurationMs = EVERY;

export interface ReconcileAllResult {
  /** Why it was not over all VIPs. */
  readonly hint?: Hint;
  readonly reports: readonly ReconcileResult[];
  /** Second reports of VIPs that may have displaced each other's EIPs in this sweep. */
  readonly repeated?: readonly ReconcileResult[];
  /** VIPs whose reconcile failed, with the reason; the others went on. */
  readonly failures: readonly { readonly vip: string; readonly fault: Fault }[];
  /** Nodes for which EC2 has something scheduled that is due, or over; why EC2 could not be asked. */
  readonly warned?: readonly string[];
  readonly unasked?: Fault;
  /** VIPs for which there was no time. */
  readonly left: readonly string[];
}

export async function reconcileAll(ports: ReconcilePorts): Promise<ReconcileAllResult> {
  const vips = await ports.vips.list();
  const looking = lookAtAll(ports, vips);
  const [swept, scheduled] = await Promise.all([
    looking.then((looked) =>
      sweep(ports, vips, (vip) => reconcile(ports, vip, youngEnough(looked.get(vip.name), ports))),
    ),
    warnedOf(ports, vips),
  ]);
  return { ...swept, ...scheduled };
}

/** In parallel with the sweep: repairs do not wait for a list. */
async function warnedOf(
  ports: ReconcilePorts,
  vips: readonly Vip[],
): Promise<Pick<ReconcileAllResult, 'warned' | 'unasked'>> {
  const living = vips.filter((vip) => vip.removedAtMs === undefined);
  if (living.length === 0) return {};
  try {
    return { warned: await announceScheduled(ports, living) };
  } catch (error) {
    return { unasked: toFault(error) };
  }
}

/** One look for all; nothing when it fails or there is only one VIP: then each looks for itself. */
async function lookAtAll(
  ports: ReconcilePorts,
  vips: readonly Vip[],
): Promise<ReadonlyMap<string, Observation>> {
  const living = vips.filter((vip) => vip.removedAtMs === undefined);
  if (living.length < 2) return new Map();
  return ports.ec2.observeAll(living).catch(() => new Map());
}

const youngEnough = (looked: Observation | undefined, { clock }: ReconcilePorts): Observation | undefined =>
  looked !== undefined && clock.now() <= plus(looked.endedAtMs, LOOK_MAX_AGE) ? looked : undefined;

/** Without a hint over all VIPs, else over those that it concerns. */
export async function reconcileFor(
  ports: ReconcilePorts,
  heard: Hint | undefined,
): Promise<ReconcileAllResult> {
  if (heard === undefined) return reconcileAll(ports);
  // A dead letter that is driven again may say anything; a node that is gone in a year would be silenced until then.
  const hint = { ...heard, atMs: notAheadOf(ports.clock.now(), heard.atMs) };
  const concerned = (await ports.vips.list()).filter((vip) => concerns(hint, vip));
  const swept = await sweep(ports, concerned, async (vip) => {
    if (hint.kind === 'change') await ports.changes.note(vip.name, hint);
    return reconcile(ports, (await applyHint(ports.vips, vip.name, hint)) ?? vip);
  });
  return { ...swept, hint };
}

async function sweep(
  ports: ReconcilePorts,
  vips: readonly Vip[],
  work: (vip: Vip) => Promise<ReconcileResult>,
): Promise<ReconcileAllResult> {
  const began = ports.clock.now();
  const queue = rotated(vips, began);
  const drawUntil = lastDraw(began, ports.deadline);
  const failures: { vip: string; fault: Fault }[] = [];
  const all = async (each: (vip: Vip) => Promise<ReconcileResult>): Promise<readonly ReconcileResult[]> => {
    const reports: ReconcileResult[] = [];
    const worker = async () => {
      while (ports.clock.now() < drawUntil) {
        const vip = queue.shift();
        if (vip === undefined) return;
        try {
          reports.push(await each(vip));
        } catch (error) {
          failures.push({ vip: vip.name, fault: toFault(error) });
        }
      }
    };
    await Promise.all(Array.from({ length: AT_ONCE }, worker));
    return reports;
  };
  const reports = await all(work);
  const displaced = displacedIn(reports);
  if (displaced.size === 0) return { reports, failures, left: queue.map(nameOf) };
  queue.push(...vips.filter((vip) => displaced.has(vip.name)));
  // Sooner, what a read shows may be older than what was done to the VIP.
  if (plus(ports.clock.now(), STALE_READ) < drawUntil) await ports.clock.wait(STALE_READ);
  const repeated = await all(async (vip) => reconcile(ports, (await ports.vips.read(vip.name)) ?? vip));
  return { reports, repeated, failures, left: queue.map(nameOf) };
}

const nameOf = ({ name }: Vip): string => name;

/**
 * VIPs of which an EIP was put on an address on which an EIP of another one was put as well: each had seen it free, and the last
 * one took it. The others do not know: they had read theirs back.
 */
function displacedIn(reports: readonly ReconcileResult[]): ReadonlySet<string> {
  const byPlace = new Map<string, Set<string>>();
  for (const { vip, switched } of reports)
    for (const { call, result, to } of switched?.failovers.flatMap(({ steps }) => steps) ?? []) {
      if (call !== 'AssociateAddress' || result === 'unsent' || result === 'failed') continue;
      byPlace.set(to, (byPlace.get(to) ?? new Set()).add(vip));
    }
  return new Set([...byPlace.values()].filter((vips) => vips.size > 1).flatMap((vips) => [...vips]));
}

/** Where the invocation is short, half of it is for drawing. */
export const lastDraw = (began: EpochMs, deadline: EpochMs): EpochMs =>
  minus(deadline, Math.min(RESERVE, Math.max(0, deadline - began) / 2) as DurationMs);

/** Steps of this part of a circle meet every stretch of it soonest, however long the stretch (three-gap theorem). */
const GOLDEN = (Math.sqrt(5) - 1) / 2;

/** By name, from a place that moves with every minute: a stretch of n/k of them meets each within 3k minutes. */
export function rotated(vips: readonly Vip[], now: EpochMs): Vip[] {
  const byName = [...vips].sort((a, b) => (a.name < b.name ? -1 : 1));
  const first = Math.floor(((Math.floor(now / EVERY) * GOLDEN) % 1) * byName.length);
  return [...byName.slice(first), ...byName.slice(0, first)];
}
