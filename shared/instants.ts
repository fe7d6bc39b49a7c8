// Instants as an operator writes and reads them. UTC with Z unless another zone was asked for; never the machine's own,
// so that two people who read one record see the same.
import { type DurationMs, durationMs, type EpochMs, epochMs, iso, minus } from './time.ts';

const UNITS: Readonly<Record<string, number>> = {
  s: 1000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
  w: 604_800_000,
};

/** `90s`, `15m`, `2h`, `3d`, `1w`. */
export function durationFrom(text: string): DurationMs | undefined {
  const [, amount, unit] = /^(\d+(?:\.\d+)?)([smhdw])$/.exec(text.trim()) ?? [];
  return amount === undefined ? undefined : durationMs(Number(amount) * UNITS[unit!]!);
}

const MOMENT = /^(\d{4}-\d\d-\d\d)(?:[T ](\d\d:\d\d(?::\d\d(?:\.\d{1,3})?)?))?(Z|[+-]\d\d:\d\d)?$/;

/** `now`, a time ago such as `2h`, or `2026-11-22`, `2026-11-22T14:03`, `…:07.123Z`; in `zone` where it names none. */
export function momentFrom(text: string, now: EpochMs, zone: string): EpochMs | undefined {
  if (text.trim() === 'now') return now;
  const ago = durationFrom(text);
  if (ago !== undefined) return minus(now, ago);
  const [, day, time = '00:00', offset] = MOMENT.exec(text.trim()) ?? [];
  if (day === undefined) return undefined;
  const utc = Date.parse(`${day}T${time.length === 5 ? `${time}:00` : time}${offset ?? 'Z'}`);
  if (Number.isNaN(utc) || !sameDay(day, offset, utc)) return undefined;
  return epochMs(offset === undefined ? fromWall(utc, zone) : utc);
}

/** Date.parse takes February 30th for March 2nd. */
const sameDay = (day: string, offset: string | undefined, utc: number): boolean =>
  (offset !== undefined && offset !== 'Z') || iso(epochMs(utc)).startsWith(day);

/** The instant at which clocks in `zone` show what `wall` shows in UTC; of two, the one that both searches agree on. */
function fromWall(wall: number, zone: string): number {
  const first = wall - offsetAt(epochMs(wall), zone);
  return wall - offsetAt(epochMs(first), zone);
}

/** A whole UTC day, or a day of `zone`. */
export function dayFrom(text: string, zone: string): { sinceMs: EpochMs; untilMs: EpochMs } | undefined {
  const sinceMs = /^\d{4}-\d\d-\d\d$/.test(text) ? momentFrom(text, epochMs(0), zone) : undefined;
  if (sinceMs === undefined) return undefined;
  const next = iso(epochMs(Date.parse(`${text}T00:00:00Z`) + UNITS.d!)).slice(0, 10);
  return { sinceMs, untilMs: momentFrom(next, epochMs(0), zone)! };
}

export function isZone(zone: string): boolean {
  try {
    new Intl.DateTimeFormat('en', { timeZone: zone });
    return true;
  } catch {
    return false;
  }
}

function offsetAt(instant: EpochMs, zone: string): number {
  if (zone === 'UTC') return 0;
  const shown = Date.parse(`${wallClock(instant, zone)}Z`);
  return shown - instant;
}

function wallClock(instant: EpochMs, zone: string): string {
  const format = new Intl.DateTimeFormat('en-CA', {
    timeZone: zone,
    hourCycle: 'h23',
    year: 'numeric',
    month: '2-digit',
    day: '2-digit',
    hour: '2-digit',
    minute: '2-digit',
    second: '2-digit',
    fractionalSecondDigits: 3,
  });
  const part = Object.fromEntries(format.formatToParts(instant).map((p) => [p.type, p.value]));
  return `${part.year}-${part.month}-${part.day}T${part.hour}:${part.minute}:${part.second}.${part.fractionalSecond}`;
}

/** `2026-11-22T14:03:07.123Z`, or with the zone's offset. */
export function momentText(instant: EpochMs, zone: string): string {
  if (zone === 'UTC') return iso(instant);
  const minutes = Math.round(offsetAt(instant, zone) / 60_000);
  const sign = minutes < 0 ? '-' : '+';
  const two = (n: number): string => String(Math.floor(n)).padStart(2, '0');
  return `${wallClock(instant, zone)}${sign}${two(Math.abs(minutes) / 60)}:${two(Math.abs(minutes) % 60)}`;
}

/** `0.412 s`, `12 s`, `3 min`, `5 h`, `2 d`: for reading, not for computing. */
export function durationText(duration: number): string {
  const d = Math.abs(duration);
  if (d < 10_000) return `${(duration / 1000).toFixed(3)} s`;
  if (d < 120_000) return `${Math.round(duration / 1000)} s`;
  if (d < 7_200_000) return `${Math.round(duration / 60_000)} min`;
  if (d < 172_800_000) return `${Math.round(duration / 3_600_000)} h`;
  return `${Math.round(duration / 86_400_000)} d`;
}
