// The polled twin of AWS's warnings: once a minute EC2's list of scheduled events, so that one whose event was lost is found by
// the next sweep. It only announces what is due; the workflow does the rest, once for each name.
//
// Limit: a spot interruption is in no list; the node's own metadata service is its twin.
import { isRegistered } from '../registry/registry.ts';
import type { Ports } from '../switch/switch-vip.ts';
import type { EpochMs } from '../time.ts';
import type { Vip } from '../vip/vip.ts';
import { drainOf } from '../vip/vip.ts';
import { departureFrom, maintenanceName } from '../warning/departure.ts';
import { type ScheduledEvent, scheduledWarning } from '../warning/scheduled.ts';

/** Of one sweep; the next one announces the others. */
const ANNOUNCED_MAX = 20;

/** The nodes of which was announced that they have to leave, or need not any more. Throws a Fault. */
export async function announceScheduled(ports: Ports, vips: readonly Vip[]): Promise<readonly string[]> {
  const now = ports.clock.now();
  const events = await ports.ec2.scheduledEvents();
  const wanted = events.filter((event) => isNews(event, vips.filter(isRegistered), now));
  for (const event of wanted.slice(0, ANNOUNCED_MAX)) await ports.bus.warned(event);
  return wanted.slice(0, ANNOUNCED_MAX).map(({ node }) => node);
}

/** Due, and the node is not drained everywhere; or over, and somewhere still drained for it. */
function isNews(event: ScheduledEvent, vips: readonly Vip[], now: EpochMs): boolean {
  const warning = scheduledWarning(event);
  if (warning === undefined) return false;
  const { node } = warning;
  const concerned = vips.filter(({ members }) => members[node] !== undefined);
  if (warning.over) {
    const name = maintenanceName(node, warning.startsAtMs);
    return concerned.some((vip) => drainOf(vip, node, now)?.departure === name);
  }
  const found = departureFrom(warning, 'aws.ec2', now);
  const isDue = found.is === 'departure' && found.departure.dueMs <= now;
  return isDue && concerned.some((vip) => drainOf(vip, node, now) === undefined);
}
