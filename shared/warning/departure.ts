// A departure: that a node is emptied because AWS has warned of it. From when, until when, and under which name. Pure.
//
// Invariant: warnings of the same thing make the same name, whichever way they came and however often: the workflow of a name
// runs once.
import { type DurationMs, type EpochMs, hours, iso, minus, minutes, plus } from '../time.ts';
import { type Ignored, type Interruption, type Maintenance, warningText } from './warning.ts';

/** Maintenance that leaves the host alone until its date. */
export const LEAD: DurationMs = minutes(10);
/** Two minutes ahead, and EC2 may take its time. An instance that is started again afterwards is a target like all others. */
export const INTERRUPTION_LASTS: DurationMs = minutes(15);
/** Where EC2 does not say when maintenance ends. */
export const MAINTENANCE_LASTS: DurationMs = hours(2);
/** Nothing is waited for longer, and no departure drains a node for longer. */
export const DEPARTURE_MAX: DurationMs = hours(30 * 24);

export interface Departure {
  /** Of the workflow's execution. */
  readonly name: string;
  readonly node: string;
  /** Who warned: the event source. */
  readonly by: 'aws.ec2' | 'aws.health';
  readonly why: string;
  /** When the node has to begin to leave. */
  readonly dueMs: EpochMs;
  /** The end of its drain. */
  readonly untilMs: EpochMs;
  /** Of maintenance: its date, by which EC2's list knows it. */
  readonly startsAtMs?: EpochMs;
}

export type Leaving =
  | { readonly is: 'departure'; readonly departure: Departure }
  | { readonly is: 'ignored'; readonly reason: Ignored };

/** `by`: the event source of the warning. */
export function departureFrom(
  warning: Interruption | Maintenance,
  by: Departure['by'],
  now: EpochMs,
): Leaving {
  const departure = { ...spanOf(warning, now), ...{ node: warning.node, by, why: warningText(warning) } };
  const { node, untilMs, dueMs } = departure;
  if (untilMs <= now) return ignored({ key: 'too-late', node, endedAtMs: untilMs });
  if (dueMs > plus(now, DEPARTURE_MAX)) return ignored({ key: 'too-early', node, startsAtMs: dueMs });
  return { is: 'departure', departure: { ...departure, untilMs: atMost(untilMs, plus(now, DEPARTURE_MAX)) } };
}

const ignored = (reason: Ignored): Leaving => ({ is: 'ignored', reason });
const atMost = (instant: EpochMs, last: EpochMs): EpochMs => (instant < last ? instant : last);

function spanOf(
  warning: Interruption | Maintenance,
  now: EpochMs,
): Pick<Departure, 'name' | 'dueMs' | 'untilMs' | 'startsAtMs'> {
  if (warning.kind === 'interruption') {
    const { atMs, id, node } = warning;
    return { name: `leave-${node}-${id}`, dueMs: now, untilMs: plus(atMs, INTERRUPTION_LASTS) };
  }
  const { startsAtMs, endsAtMs = plus(startsAtMs, MAINTENANCE_LASTS), degraded, node } = warning;
  const lead = minus(startsAtMs, LEAD);
  const dueMs = degraded || lead < now ? now : lead;
  const name = maintenanceName(node, startsAtMs);
  return { name: warning.again ? `${name}-again` : name, dueMs, untilMs: endsAtMs, startsAtMs };
}

/** AWS Health and EC2 number an event each in their own way; its date is the same. */
export const maintenanceName = (node: string, startsAtMs: EpochMs): string =>
  `leave-${node}-${iso(startsAtMs).replace(/[-:]|\.\d+/g, '')}`;
