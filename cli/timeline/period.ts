import { InvalidArgumentError } from 'commander';
import { dayFrom, isZone, momentFrom } from '../../shared/instants.ts';
import { type EpochMs, epochMs, hours, minus } from '../../shared/time.ts';
import { DAYS_MAX } from '../../shared/timeline/query.ts';
import { usage } from '../command/exit.ts';
import { option } from '../command/options.ts';

export interface Zone {
  readonly tz: string;
}

export interface PeriodOptions extends Zone {
  readonly since?: string;
  readonly until?: string;
  readonly day?: string;
}

/** Over all VIPs each day is a query of its own; one VIP's record is read from its newest end. */
const SINCE_DEFAULT = hours(24 * 7);

export const zoneOption = () =>
  option('--tz <zone>', 'show and read times in this zone, such as Europe/Berlin', {
    parse: zoneFrom,
    default: 'UTC',
  });

export const periodOptions = () => [
  option('--since <time>', 'from then on: 2h, 3d, 2026-11-22, 2026-11-22T14:03Z (default: UTC)'),
  option('--until <time>', 'before then'),
  option('--day <date>', 'that day alone: 2026-11-22'),
  zoneOption(),
];

function zoneFrom(text: string): string {
  if (isZone(text)) return text;
  throw new InvalidArgumentError('expected a time zone as the IANA names it, such as Europe/Berlin.');
}

export function periodFrom(options: PeriodOptions, now: EpochMs, whole: boolean) {
  const { tz } = options;
  if (options.day !== undefined) {
    if (options.since !== undefined || options.until !== undefined)
      throw usage('--day cannot be combined with --since or --until', 'leave these out');
    const day = dayFrom(options.day, tz);
    if (day === undefined) throw usage(`--day ${options.day}: not a day`, 'expected 2026-11-22');
    return day;
  }
  // A little ahead: another machine's clock may have stamped the newest record.
  const untilMs =
    options.until === undefined ? epochMs(now + 60_000) : moment('--until', options.until, now, tz);
  const sinceMs =
    options.since === undefined
      ? whole
        ? epochMs(0)
        : minus(untilMs, SINCE_DEFAULT)
      : moment('--since', options.since, now, tz);
  if (sinceMs > now && options.until === undefined)
    throw usage(`--since ${options.since} is in the future`, 'ask for a time that has passed');
  if (sinceMs >= untilMs) throw usage('--since is not before --until', 'swap them');
  if (!whole && untilMs - sinceMs > hours(24 * DAYS_MAX))
    throw usage(`more than ${DAYS_MAX} days over all VIPs`, 'ask for one VIP, or a shorter time');
  return { sinceMs, untilMs };
}

export function moment(option: string, text: string, now: EpochMs, zone: string): EpochMs {
  const found = momentFrom(text, now, zone);
  if (found !== undefined) return found;
  throw usage(
    `${option} ${text}: not a time`,
    'expected 90s, 15m, 2h, 3d, 2026-11-22 or 2026-11-22T14:03:07Z',
  );
}
