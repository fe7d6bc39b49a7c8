// The doctor on what EC2 has scheduled for the members. A departure empties a node by itself (docs/decisions/0048): found here is what
// keeps it from that, before the date where that can be told.
//
// Limit: a spot interruption is in no list. Maintenance of a failing host is due as soon as it is listed, and no one says since when:
// within two minutes a sweep and the workflow drain the node.
import { scheduledEvents } from '../../shared/aws/ec2/instance-status.ts';
import { outlookOf } from '../../shared/controller/drained.ts';
import { isDeclined } from '../../shared/controller/warned.ts';
import { type Finding, fault, type Particulars, warning } from '../../shared/doctor/finding.ts';
import { type Unchecked, uncheckedFindings } from '../../shared/doctor/unchecked.ts';
import { defined } from '../../shared/optional.ts';
import { ownCommand, type Place, shellWord } from '../../shared/place.ts';
import { type DurationMs, type EpochMs, iso, minus, minutes } from '../../shared/time.ts';
import { isLiveOrder } from '../../shared/vip/election.ts';
import { drainOf, type Vip, withDrain } from '../../shared/vip/vip.ts';
import { type Departure, departureFrom } from '../../shared/warning/departure.ts';
import { type ScheduledEvent, scheduledWarning } from '../../shared/warning/scheduled.ts';
import type { Maintenance } from '../../shared/warning/warning.ts';
import { attempts } from './attempts.ts';
import type { DoctorSession } from './clients.ts';

/** Ten minutes before its date maintenance is due that leaves the host alone until then; so long before it its node is drained. */
const DRAINED_BEFORE: DurationMs = minutes(7);

export interface Scheduled {
  /** Of all instances of the account; undefined where that could not be looked up. */
  readonly events?: readonly ScheduledEvent[];
  readonly unchecked: readonly Unchecked[];
}

/** What EC2 has scheduled for instances: one list for the account. */
export async function scheduledFor({ ec2 }: DoctorSession): Promise<Scheduled> {
  const { unchecked, tried } = attempts();
  const events = await tried('scheduled events', () => scheduledEvents(ec2), undefined);
  return { unchecked, ...defined({ events }) };
}

export function scheduledFindings(
  { place, now: nowOf }: Pick<DoctorSession, 'place' | 'now'>,
  vip: Vip,
  { events = [], unchecked }: Scheduled,
): readonly Finding[] {
  const now = nowOf();
  const found = events.flatMap((event) => {
    const maintenance = scheduledWarning(event);
    if (maintenance === undefined || maintenance.over || vip.members[event.node] === undefined) return [];
    const leaving = departureFrom(maintenance, 'aws.ec2', now);
    if (leaving.is === 'ignored') return [];
    const { departure } = leaving;
    const why = keptBy(vip, departure, now) ?? undrained(vip, maintenance, departure, now);
    if (why === undefined) return [];
    const isDue = departure.dueMs <= now;
    const particulars = particularsOf(place, vip, departure, why);
    return [(isDue && why.key !== 'declined' ? fault : warning)('node-scheduled', particulars)];
  });
  return [...found, ...uncheckedFindings(vip, unchecked)];
}

type Why =
  | { readonly key: 'frozen'; readonly untilMs: EpochMs }
  | { readonly key: 'last' }
  | { readonly key: 'next-drained'; readonly next: string }
  | { readonly key: 'declined' }
  | { readonly key: 'not-drained' };

/** Why the owner may go with the VIP, however soon it is drained; undefined where the VIP can move. */
function keptBy(
  vip: Vip,
  { node, dueMs, untilMs, by, why: reason }: Departure,
  now: EpochMs,
): Why | undefined {
  if (vip.owner !== node) return undefined;
  if (isLiveOrder(vip.freeze, dueMs)) return { key: 'frozen', untilMs: vip.freeze!.untilMs };
  const outlook = outlookOf(withDrain(vip, node, { untilMs, by, reason }), now);
  if (outlook.key === 'last') return { key: 'last' };
  return outlook.key === 'next-drained' ? { key: 'next-drained', next: outlook.next } : undefined;
}

/** Why no drain of the node stands in the VIP though its departure is due. */
function undrained(vip: Vip, of: Maintenance, { node, dueMs }: Departure, now: EpochMs): Why | undefined {
  if (dueMs > now || drainOf(vip, node, now) !== undefined) return undefined;
  if (isDeclined(vip, node, of.startsAtMs, now)) return { key: 'declined' };
  const isYoung = !of.degraded && minus(of.startsAtMs, DRAINED_BEFORE) > now;
  return isYoung ? undefined : { key: 'not-drained' };
}

function particularsOf(place: Place, vip: Vip, { node, why: text }: Departure, why: Why): Particulars {
  const about = { vips: [vip.name], subject: node };
  const drain = ownCommand(`drain ${node} --for 4h --reason ${shellWord(text)}`, place);
  switch (why.key) {
    case 'frozen':
      return {
        ...about,
        found: `EC2 has ${text}, and ${vip.name} is frozen there until ${iso(why.untilMs)}`,
        expected: 'a VIP that can move before the node goes',
        remedy: { command: ownCommand(`unfreeze ${vip.name}`, place) },
      };
    case 'last':
      return {
        ...about,
        found: `EC2 has ${text}, and no other node of ${vip.name} is eligible`,
        expected: 'another node to move to',
        remedy: {
          sentence: `bring another node up; what each one lacks says ${ownCommand(`status ${vip.name}`, place)}`,
        },
      };
    case 'next-drained':
      return {
        ...about,
        found: `EC2 has ${text}, and keepalived would elect ${why.next}, which is drained`,
        expected: 'a node that is not drained to move to',
        remedy: {
          sentence: `end that drain where the node may serve; what would move says ${ownCommand(`undrain ${why.next} --dry-run`, place)}`,
        },
      };
    case 'declined':
      return {
        ...about,
        found: `EC2 has ${text}, and an operator has ended the drain for it`,
        expected: 'to be drained before it goes',
        remedy: { command: drain, remark: 'it gives away every VIP that it has' },
      };
    case 'not-drained':
      return {
        ...about,
        found: `EC2 has ${text}, and no drain of ${node} stands in ${vip.name}`,
        expected: 'to be drained by its departure, within two minutes of the listing or ten before the date',
        remedy: {
          command: drain,
          remark: 'it gives away every VIP that it has; then see the workflow departure',
        },
      };
    default:
      return why satisfies never;
  }
}
