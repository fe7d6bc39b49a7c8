// Cost: what a run will be charged, computed beforehand from its plan and the list prices.
//
// Limit: durations are guesses (plan.ts). A run that hangs and is left alone costs what its machines cost an hour; that is said, too.

import type { Options } from '../options.ts';
import { durationOf, PROBE_EVERY_MS } from '../plan.ts';
import { prices, pricesAsOf } from './prices.ts';

export interface CostLine {
  readonly what: string;
  readonly usd: number;
}

const HOURS_OF_MONTH = 730;
const MACHINES = 3;
const VOLUME_GB = 8;
/** IP and UDP headers, number and name, both ways. */
const PACKET_BYTES = 2 * 64;
/** Two nodes: one asserts every 10 s, one every 60 s (PROTOCOL, constants). */
const CLAIMS_PER_HOUR = 420;
const CLAIMS_PER_DRILL = 12;
/** Each for less than 0.2 s at 1 GB; an item of up to 3 KB is three write units. */
const GB_SECONDS_PER_CLAIM = 0.2;
const UNITS_PER_CLAIM = 3;
/** Of the stack's resources/alarms.yml and aws/lambda/telemetry.ts, rounded up. */
const ALARMS = 20;
const METRICS = 20;

export function costLines(options: Options): readonly CostLine[] {
  const { buildS, drillsS, removeS } = durationOf(options);
  const hours = (buildS + drillsS + removeS) / 3_600;
  const own = options.stage === undefined;
  const claims = CLAIMS_PER_HOUR * hours + CLAIMS_PER_DRILL * options.drills;
  const betweenZonesGb = ((drillsS * 1_000) / PROBE_EVERY_MS) * PACKET_BYTES * 1e-9;
  const month = (usd: number) => (usd / HOURS_OF_MONTH) * hours;
  const watched = ALARMS * prices.alarmMonth + METRICS * prices.metricMonth + prices.dashboardMonth;
  return [
    { what: `${MACHINES} × t4g.nano`, usd: MACHINES * hours * prices.t4gNanoHour },
    { what: `${MACHINES} public IPv4 addresses`, usd: MACHINES * hours * prices.publicIpv4Hour },
    { what: `${MACHINES} × ${VOLUME_GB} GB gp3`, usd: month(MACHINES * VOLUME_GB * prices.gp3GbMonth) },
    // Charged on both ends; half of the time probe and owner are in one zone, which is free.
    { what: 'the probe’s packets between zones', usd: betweenZonesGb * prices.betweenZonesGb },
    { what: 'claims: EventBridge, Lambda, DynamoDB', usd: claims * perClaim },
    ...(own ? [{ what: 'alarms, metrics, dashboard of the stage', usd: month(watched) }] : []),
  ];
}

const perClaim =
  (prices.eventsMillion + prices.lambdaMillion + UNITS_PER_CLAIM * prices.writeUnitsMillion) * 1e-6 +
  GB_SECONDS_PER_CLAIM * prices.lambdaGbSecond;

export const totalUsd = (lines: readonly CostLine[]): number => lines.reduce((sum, { usd }) => sum + usd, 0);

/** What it costs an hour until it is removed. */
export const hourlyUsd = (): number =>
  MACHINES * (prices.t4gNanoHour + prices.publicIpv4Hour) +
  (MACHINES * VOLUME_GB * prices.gp3GbMonth) / HOURS_OF_MONTH;

export function costText(options: Options): string {
  const lines = costLines(options);
  const row = ({ what, usd }: CostLine) => `  ${what.padEnd(44)}${usd.toFixed(4).padStart(9)}`;
  return [
    `What it will cost (${pricesAsOf}; yours may differ):`,
    ...lines.map(row),
    row({ what: 'all of it', usd: totalUsd(lines) }),
    `  Left standing it costs ${hourlyUsd().toFixed(3)} USD an hour and more.`,
  ].join('\n');
}
