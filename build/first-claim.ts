/**
 * After a deployment: the first claim that a node made since, accepted by the controller. Only that proves the whole way, from a node's
 * rights over the bus's policy to the table: a deployment that shuts all nodes out ends like any other.
 *
 * Invariant: the claim was made after the deployment, by AWS's clock, and stands in the item of its VIP, so it was accepted.
 * Limit: one is enough. All nodes have one role and one bus, so a deployment shuts out all or none; a VIP that is silent by itself is for
 * the alarm no-claims.
 */

import { isRegistered } from '../shared/registry/registry.ts';
import { type DurationMs, durationMs, type EpochMs, epochMs, iso, seconds } from '../shared/time.ts';
import type { VrrpState } from '../shared/vip/claim.ts';
import type { Vip } from '../shared/vip/vip.ts';

/** Masters assert every 10 s, others every 60 s: each has had two turns by then. */
export const WAIT_MAX: DurationMs = seconds(120);
const LOOK_EVERY: DurationMs = seconds(5);
const TELL_EVERY: DurationMs = seconds(20);

export interface Listening {
  /** Every item, tombstones included, and AWS's time of the answer: the clock of this machine may be off. */
  look(): Promise<{ readonly vips: readonly Vip[]; readonly awsAtMs: EpochMs }>;
  wait(duration: DurationMs): Promise<void>;
  /** Progress, a line each. */
  tell(line: string): void;
}

export type Hearing =
  | { readonly is: 'heard'; readonly claim: AcceptedClaim; readonly sinceMs: EpochMs }
  /** No node could report; `vips` are those without members. */
  | { readonly is: 'no node to hear'; readonly vips: readonly string[] }
  | { readonly is: 'unheard'; readonly vips: readonly Vip[] };

export interface AcceptedClaim {
  readonly vip: string;
  readonly node: string;
  readonly state: VrrpState;
  readonly atMs: EpochMs;
}

/** Begins now: what was made before does not count. */
export async function firstClaim(ears: Listening): Promise<Hearing> {
  const { vips, awsAtMs: sinceMs } = await ears.look();
  const registered = vips.filter(isRegistered);
  const awaited = registered.filter((vip) => Object.keys(vip.members).length > 0);
  if (awaited.length === 0) return { is: 'no node to hear', vips: registered.map((vip) => vip.name) };
  ears.tell(
    `waiting up to ${WAIT_MAX / 1000} s for a claim that is made now: masters speak every 10 s, others every 60 s`,
  );
  for (let waited = LOOK_EVERY; waited <= WAIT_MAX; waited = durationMs(waited + LOOK_EVERY)) {
    await ears.wait(LOOK_EVERY);
    const claim = newestClaim((await ears.look()).vips.filter(isRegistered));
    if (claim !== undefined && claim.atMs >= sinceMs) return { is: 'heard', claim, sinceMs };
    if (waited % TELL_EVERY === 0 && waited < WAIT_MAX)
      ears.tell(`none accepted yet, after ${waited / 1000} s`);
  }
  return { is: 'unheard', vips: awaited };
}

export interface Where {
  readonly stage: string;
  readonly region: string;
}

export function heardText(hearing: Exclude<Hearing, { is: 'unheard' }>, { stage, region }: Where): string {
  if (hearing.is === 'heard') {
    const { vip, node, state, atMs } = hearing.claim;
    const after = Math.round((atMs - hearing.sinceMs) / 1000);
    return `heard: ${node} says ${state} for ${vip}, ${iso(atMs)}, ${after} s after the deployment of ${stage} in ${region}`;
  }
  const why =
    hearing.vips.length === 0 ? 'no VIP is registered' : `no node is a member of ${hearing.vips.join(', ')}`;
  return `there was nothing to hear: ${why} in stage ${stage}, ${region}`;
}

export function unheardText({ vips }: { readonly vips: readonly Vip[] }, { stage, region }: Where): string {
  const named = vips.slice(0, NAMED_MAX).map((vip) => `${vip.name} (${Object.keys(vip.members).join(', ')})`);
  const others = vips.length > NAMED_MAX ? ` and ${vips.length - NAMED_MAX} more VIPs` : '';
  return [
    `stage ${stage} in ${region} is deployed, but found no claim accepted in ${WAIT_MAX / 1000} s, expected one within 60 s`,
    `from a node of ${named.join(', ')}${others}. Until one is accepted no failure is noticed.`,
  ].join(' ');
}

const NAMED_MAX = 5;

/** Of members only: what a former member said is no proof. */
function newestClaim(vips: readonly Vip[]): AcceptedClaim | undefined {
  const all = vips.flatMap((vip) =>
    Object.keys(vip.members).flatMap((node) => {
      const claim = vip.claims[node];
      if (claim === undefined) return [];
      return [{ vip: vip.name, node, state: claim.state, atMs: epochMs(claim.seenMs) }];
    }),
  );
  return all.sort((a, b) => b.atMs - a.atMs)[0];
}
