// The polled twin of AWS's warnings: once a minute EC2's list of scheduled events, so that one whose event was lost is found by
// the next sweep. It only announces what is due; the workflow does the rest, once for each name.
//
// Invariant: what has led to a drain is not announced again, whether the drain lasts, was replaced, or was ended by an operator: whose
// word holds until LEAD before the date; then the node is drained once more, under a name of its own.
// Limit: a spot interruption is in no list; the node's own metadata service is its twin. A VIP of which the node became a member after
// the drain is not drained for it.
import { defined } from '../optional.ts';
import { isRegistered } from '../registry/registry.ts';
import type { Ports } from '../switch/switch-vip.ts';
import { type EpochMs, minus } from '../time.ts';
import type { Declined, Vip } from '../vip/vip.ts';
import { drainOf } from '../vip/vip.ts';
import { departureFrom, LEAD, maintenanceName } from '../warning/departure.ts';
import { type ScheduledEvent, scheduledWarning } from '../warning/scheduled.ts';

/** Of one sweep; the next one announces the others. */
const ANNOUNCED_MAX = 20;

/** The nodes of which was announced that they have to leave, or need not any more. Throws a Fault. */
export async function announceScheduled(ports: Ports, vips: readonly Vip[]): Promise<readonly string[]> {
  const now = ports.clock.now();
  const events = await ports.ec2.scheduledEvents();
  const registered = vips.filter(isRegistered);
  const isOver = (event: ScheduledEvent) => scheduledWarning(event)?.over === true;
  const isReplaced = (event: ScheduledEvent) =>
    events.some((one) => !isOver(one) && one.node === event.node && one.notBeforeMs === event.notBeforeMs);
  const asked = events.filter((event) => !isOver(event) || !isReplaced(event));
  const wanted = asked.flatMap((event) => newsOf(event, registered, now) ?? []);
  for (const event of wanted.slice(0, ANNOUNCED_MAX)) await ports.bus.warned(event);
  return wanted.slice(0, ANNOUNCED_MAX).map(({ node }) => node);
}

/** As it is to be announced: due, and the node is not drained for it; or over, and somewhere still drained. Else undefined. */
function newsOf(event: ScheduledEvent, registered: readonly Vip[], now: EpochMs): ScheduledEvent | undefined {
  const warning = scheduledWarning(event);
  if (warning === undefined) return undefined;
  const { node, startsAtMs } = warning;
  // Also where it is a member no more: it may be one again before the drain ends.
  if (warning.over)
    return registered.some((vip) => isDrainedFor(vip, node, startsAtMs, now)) ? event : undefined;
  const concerned = registered.filter(({ members }) => members[node] !== undefined);
  const found = departureFrom(warning, 'aws.ec2', now);
  if (found.is === 'ignored' || found.departure.dueMs > now) return undefined;
  const open = concerned.filter((vip) => drainOf(vip, node, now) === undefined);
  const declined = open.flatMap((vip) => declinedOf(vip, node, startsAtMs) ?? []);
  if (declined.some(({ againMs }) => againMs !== undefined && againMs <= now))
    return { ...event, again: true };
  const isNoted = (vip: Vip) => drainOf(vip, node, now)?.startsAtMs === startsAtMs;
  const hasLed = declined.length > 0 || concerned.some(isNoted);
  return open.length > 0 && !hasLed ? event : undefined;
}

/** By a departure; older drains have its date in the workflow's name only. */
export function isDrainedFor(vip: Vip, node: string, startsAtMs: EpochMs, now: EpochMs): boolean {
  const { departure, startsAtMs: date } = drainOf(vip, node, now) ?? {};
  if (departure === undefined) return false;
  return date === undefined ? departure === maintenanceName(node, startsAtMs) : date === startsAtMs;
}

function declinedOf({ declined }: Vip, node: string, startsAtMs: EpochMs): Declined | undefined {
  const one = declined?.[node];
  return one?.startsAtMs === startsAtMs ? one : undefined;
}

/** Whether an operator's word keeps the node from being drained for this maintenance now. */
export function isDeclined(vip: Vip, node: string, startsAtMs: EpochMs | undefined, now: EpochMs): boolean {
  const declined = startsAtMs === undefined ? undefined : declinedOf(vip, node, startsAtMs);
  return declined !== undefined && (declined.againMs === undefined || now < declined.againMs);
}

/** What an operator's order leaves of a drain for maintenance that it ends or replaces; the same object where there is none. */
export function declining(vip: Vip, node: string, now: EpochMs): Vip {
  const { startsAtMs, untilMs } = drainOf(vip, node, now) ?? {};
  if (startsAtMs === undefined || untilMs === undefined) return vip;
  const lead = minus(startsAtMs, LEAD);
  const one = { startsAtMs, untilMs, ...defined({ againMs: now < lead ? lead : undefined }) };
  return { ...vip, declined: { ...vip.declined, [node]: one } };
}

/** Without those of the nodes that match, or whose maintenance is over; the same object where nothing is taken out. */
export function withoutDeclined(vip: Vip, isOver: (node: string, one: Declined) => boolean): Vip {
  const { declined = {}, ...rest } = vip;
  const left = Object.entries(declined).filter(([node, one]) => !isOver(node, one));
  if (left.length === Object.keys(declined).length) return vip;
  return left.length === 0 ? rest : { ...rest, declined: Object.fromEntries(left) };
}

/** AWS recommends to rebalance it, by the node's own word or by an event that the node has not taken up yet. */
export const isAtRisk = ({ claims, atRisk }: Vip, node: string): boolean =>
  claims[node]?.atRisk === true ||
  (atRisk?.[node] !== undefined && atRisk[node].bootId === claims[node]?.bootId);

/** By an event of AWS. */
export const withRisk = (vip: Vip, node: string, atMs: EpochMs): Vip => ({
  ...vip,
  atRisk: { ...vip.atRisk, [node]: { atMs, ...defined({ bootId: vip.claims[node]?.bootId }) } },
});

/** Without nodes that say it themselves by now, have booted again, or are gone; the same object where nothing is taken out. */
export function withoutOldRisks(vip: Vip): Vip {
  const { atRisk = {}, ...rest } = vip;
  const { claims, members } = vip;
  const left = Object.entries(atRisk).filter(
    ([node, { bootId }]) =>
      members[node] !== undefined && claims[node]?.bootId === bootId && claims[node]?.atRisk !== true,
  );
  if (left.length === Object.keys(atRisk).length) return vip;
  return left.length === 0 ? rest : { ...rest, atRisk: Object.fromEntries(left) };
}
