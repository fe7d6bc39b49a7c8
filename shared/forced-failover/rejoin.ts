// Releasing a demoted master: when, after a failover via keepalived, its tracked file goes back to 0, so that it stands by
// again. Until then there is no standby. Pure, but for the waiting.
//
// Invariant: unless ordered so, a release never moves traffic: the demoted node must be unable to take the VIP back (it
// does not outrank the new master), or its taking it back must not matter (a pin, and the address on both nodes).
// Limit: whether keepalived preempts at all (`nopreempt`) is not in its claims; who knows that it does not says `now`. A
// preempt_delay longer than SETTLE is not waited for.

import { awsCommand, type Place } from '../place.ts';
import type { Ports } from '../switch/switch-vip.ts';
import { type DurationMs, type EpochMs, plus, seconds } from '../time.ts';
import { elect, isLiveOrder } from '../vip/election.ts';
import type { Vip } from '../vip/vip.ts';
import type { FailoverOrder } from './order.ts';

/** The demoted node, and its priority before it was demoted. */
export interface Demoted {
  readonly node: string;
  readonly priority: number | undefined;
}

export interface Release {
  readonly outcome: 'release' | 'keep';
  readonly why: string;
}

export function judgeRelease(vip: Vip, order: FailoverOrder, was: Demoted, now: EpochMs): Release {
  const wish = order.release ?? 'safe';
  if (wish === 'by-hand') return { outcome: 'keep', why: 'ordered so' };
  if (wish === 'now') return { outcome: 'release', why: 'ordered so' };
  const { pin } = vip;
  if (vip.hold === 'both' && pin?.node === order.to && isLiveOrder(pin, now))
    return { outcome: 'release', why: `the pin keeps the VIP at ${order.to}` };
  const other = vip.claims[order.to]?.priority;
  if (was.priority === undefined || other === undefined)
    return { outcome: 'keep', why: 'it is not known which of the two outranks the other' };
  if (was.priority <= other)
    return {
      outcome: 'release',
      why: `${was.node} does not outrank ${order.to}: ${was.priority} to ${other}`,
    };
  return {
    outcome: 'keep',
    why: `${was.node} outranks ${order.to}, ${was.priority} to ${other}: unless its keepalived has nopreempt it would take the VIP back`,
  };
}

/** Until the released node says that it runs again. */
const HEARD_WITHIN: DurationMs = seconds(20);
/** Who preempts does so after three adverts; then shim, bus and switch. */
export const SETTLE: DurationMs = seconds(6);
const LOOK_EVERY: DurationMs = seconds(1);

export interface Released {
  readonly outcome: 'stands-by' | 'taken-back' | 'unheard';
  readonly why: string;
}

/** Waits until the node stands by, and a while longer whether it takes the VIP back. */
export async function awaitRelease(ports: Ports, order: FailoverOrder, node: string): Promise<Released> {
  const end = plus(ports.clock.now(), HEARD_WITHIN);
  let quietSince: EpochMs | undefined;
  for (;;) {
    const vip = await ports.vips.read(order.vip);
    const now = ports.clock.now();
    const state = vip?.claims[node]?.state;
    const owner = vip === undefined ? undefined : elect(vip, now).owner;
    if (owner !== order.to)
      return {
        outcome: 'taken-back',
        why: `${node} says ${state}; the election names ${owner ?? 'no node'}`,
      };
    if (state === 'MASTER' || state === 'BACKUP') quietSince ??= now;
    if (quietSince !== undefined && now >= plus(quietSince, SETTLE))
      return { outcome: 'stands-by', why: `${node} says ${state}` };
    if (quietSince === undefined && now >= end)
      return { outcome: 'unheard', why: `${node} says ${state ?? 'nothing'}` };
    await ports.clock.wait(LOOK_EVERY);
  }
}

/** What writes 0 into the node's tracked file. */
export const releaseCommand = (place: Place, vip: string, node: string): string =>
  awsCommand(
    `ssm send-command --document-name vipshift-${place.stage}-hand-over --instance-ids ${node} --parameters Vip=${vip},Demoted=0`,
    place,
  );
