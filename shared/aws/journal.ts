// What an operator sees in CloudWatch: one structured log line for each thing that happened, and metrics in the same
// lines (EMF: no API call, CloudWatch Logs extracts them). No domain code logs; it returns what is to be told.
//
// A log line of a failover carries the record's own words, as far as a line holds them, and the digest of all of it, so that log
// and timeline can be held against each other.
import { createHash } from 'node:crypto';
import type { Logger } from '@aws-lambda-powertools/logger';
import { type Metrics, MetricUnit } from '@aws-lambda-powertools/metrics';
import type { Claim } from '../claim.ts';
import { digest } from '../digest.ts';
import type { Answer } from '../failover.ts';
import { type Fault, faultOf } from '../fault.ts';
import type { Report } from '../reconcile.ts';
import { fitted, LISTED_MAX, type Limit } from '../record-fit.ts';
import { jsonBytes } from '../record-size.ts';
import type { Sweep } from '../sweep.ts';
import type { Failover, Rejection } from '../timeline.ts';
import { durations } from './announce.ts';
import { VERSION } from './claim-event.ts';

export interface Journal {
  readonly logger: Logger;
  readonly metrics: Metrics;
  /** Whether the four metrics of a VIP are kept by VIP as well; see serverless.yml. */
  readonly byVip: boolean;
}

/** The first four are kept by VIP, too; each but the last two is emitted only when something happened. */
export const metricNames = {
  /** From the controller's first line to the last mutation accepted. */
  duration: 'FailoverDuration',
  /** Failovers with an outcome other than unchanged. */
  outcome: 'FailoverOutcome',
  splitBrain: 'SplitBrain',
  unhealthy: 'Unhealthy',
  /** Failovers that did not do what they should: failed, partial, abandoned. Wakes somebody. */
  trouble: 'FailoverTrouble',
  rejected: 'ClaimsRejected',
  newerVersion: 'ClaimsOfNewerVersion',
  /** How many VIPs have members of which nobody was heard for minutes; emitted by each sweep over all, 0 in health. */
  unheard: 'VipsUnheard',
  /** Words of one node that cannot both be true: a lie, or a clock that nothing can be built on. Wakes somebody. */
  contradicted: 'ClaimsContradicted',
  /** One for each sweep in which no VIP failed and none was left: the dead-man alarm listens for it. */
  reconciled: 'Reconciled',
} as const;

/** Where the metrics of a stage are, so that two stages in one account do not meet. */
export const metricsNamespace = (stage: string): string => `vipshift/${stage}`;

export function tellAnswer(journal: Journal, answer: Answer, claim: Claim): void {
  const { vip, node, eventId } = claim;
  if ('contradiction' in answer) tellContradiction(journal, claim, answer.contradiction);
  if (answer.answer === 'rejected') tellRejection(journal, { vip, node, eventId, ...answer.refusal });
  else if (answer.answer === 'switched') {
    tellFaults(journal, vip, answer.faults);
    journal.logger.info('claim switched', {
      vip,
      node,
      eventId,
      epochs: answer.failovers.map((f) => f.epoch),
    });
  } else if (answer.answer === 'recorded') {
    journal.logger.info('claim recorded', { vip, node, eventId, news: answer.news, rev: answer.vip.rev });
  } else journal.logger.info(`claim ${answer.answer}`, { vip, node, eventId });
}

export function tellRejection(
  { logger, metrics }: Journal,
  refused: Pick<Rejection, 'vip' | 'node' | 'reason' | 'message'> & { readonly eventId: string },
): void {
  // `message` is the log line's own.
  const { message: why, ...rest } = refused;
  logger.warn('claim rejected', { ...rest, why });
  metrics.addMetadata('rejected', `${refused.vip} ${refused.node} ${refused.reason}`);
  metrics.addMetric(metricNames.rejected, MetricUnit.Count, 1);
}

function tellContradiction({ logger, metrics }: Journal, claim: Claim, why: string | undefined): void {
  const { vip, node, eventId } = claim;
  logger.warn('claim contradicts what its node said', { vip, node, eventId, why });
  metrics.addMetadata('contradicted', `${vip} ${node}`);
  metrics.addMetric(metricNames.contradicted, MetricUnit.Count, 1);
}

export function tellVersion({ logger, metrics }: Journal, version: number): void {
  if (version <= VERSION) return;
  logger.warn(
    'event of a newer version: read as far as it is known; deploy the controller before the nodes',
    { version },
  );
  metrics.addMetric(metricNames.newerVersion, MetricUnit.Count, 1);
}

const sha256 = (text: string): string => createHash('sha256').update(text, 'utf8').digest('hex');

/** A record that has just been put: its line and its metrics. */
export function tellFailover(journal: Journal, failover: Failover): void {
  const { vip, outcome } = failover;
  tellRecord(journal, failover);
  const { toLastMutation } = durations(failover.stages);
  if (outcome === 'switched' && toLastMutation !== undefined)
    tellVip(journal, vip, metricNames.duration, MetricUnit.Milliseconds, toLastMutation);
  if (outcome !== 'unchanged') tellVip(journal, vip, metricNames.outcome, MetricUnit.Count, 1);
  if (failover.splitBrain.length > 0) tellVip(journal, vip, metricNames.splitBrain, MetricUnit.Count, 1);
  if (isTrouble(failover)) one(journal, vip, metricNames.trouble, MetricUnit.Count, 1);
}

/** What CloudWatch Logs adds to an event of LINE_MAX bytes; and what the logger does: service, request, an error with its cause. */
const EVENT_OVERHEAD = 26;
const ENVELOPE_MAX = 8192;
/** Of CloudWatch Logs: an event that is larger is cut, and then no JSON any more. */
const LINE_MAX = 262_144;

/** A large record that fits the table need not fit a line; its digest does in any case. */
const lineLimit: Limit = {
  place: 'the log line',
  max: LINE_MAX - EVENT_OVERHEAD - ENVELOPE_MAX,
  bytes: (entry) => jsonBytes(withoutClaims(entry as Failover)),
};

function withoutClaims(failover: Failover): Omit<Failover, 'claims'> {
  const { claims: _claims, ...told } = failover;
  return told;
}

const lineOf = (failover: Failover): object => withoutClaims(fitted(failover, lineLimit));

/** The line alone, with the digest of the whole record: an edited or deleted one is found by it. */
export function tellRecord(journal: Journal, failover: Failover): void {
  const proof = digest(failover, sha256);
  const level = isTrouble(failover) ? 'error' : 'info';
  journal.logger[level](`failover ${failover.outcome}`, { ...lineOf(failover), digest: proof });
}

/** Without a digest: there is no record, and whoever comes next closes the epoch. */
export function tellUnrecorded({ logger }: Journal, failover: Failover, error: unknown): void {
  logger.error(`failover ${failover.outcome}, not recorded`, { ...lineOf(failover), error: faultOf(error) });
}

const isTrouble = ({ outcome }: Failover): boolean =>
  outcome === 'failed' || outcome === 'partial' || outcome === 'abandoned';

type Unit = (typeof MetricUnit)[keyof typeof MetricUnit];

/** Over all VIPs for the alarms, and by VIP for looking closer. */
function tellVip(journal: Journal, vip: string, name: string, unit: Unit, amount: number): void {
  one(journal, vip, name, unit, amount);
  if (!journal.byVip) return;
  const single = journal.metrics.singleMetric();
  single.addDimension('vip', vip);
  single.addMetric(name, unit, amount);
}

/** Without the dimension; the VIP is a property of the log line. */
function one({ metrics }: Journal, vip: string, name: string, unit: Unit, amount: number): void {
  const single = metrics.singleMetric();
  single.addMetadata('vip', vip);
  single.addMetric(name, unit, amount);
}

function tellFaults({ logger }: Journal, vip: string, faults: readonly Fault[]): void {
  for (const fault of faults) logger.error('beside the switch, which is done', { vip, error: fault });
}

/** A log line has its limit; what was left comes in the next sweep's line, what is unheard is in `vipshift status`. */
const TOLD_MAX = 50;

export function tellSweep(journal: Journal, sweep: Sweep): void {
  for (const report of sweep.reports) tellReport(journal, report);
  for (const { vip, fault } of sweep.failures)
    journal.logger.error('reconcile failed', { vip, error: fault });
  const { left } = sweep;
  if (left.length > 0)
    journal.logger.warn('no time for all VIPs: the next sweep begins elsewhere', {
      left: left.length,
      vips: left.slice(0, TOLD_MAX),
    });
  if (sweep.hint !== undefined) {
    journal.logger.info('hint', { hint: sweep.hint, vips: sweep.reports.map((r) => r.vip) });
    return;
  }
  const complete = sweep.failures.length === 0 && left.length === 0;
  tellUnheard(journal, sweep, complete);
  if (complete) journal.metrics.addMetric(metricNames.reconciled, MetricUnit.Count, 1);
}

/** A sweep that did not see every VIP cannot say that there is none. */
function tellUnheard({ logger, metrics }: Journal, { reports }: Sweep, complete: boolean): void {
  const unheard = reports.flatMap((r) => (r.unheard === undefined ? [] : [{ vip: r.vip, ...r.unheard }]));
  if (unheard.length > 0)
    logger.error('no claim accepted: see docs/operations.md#no-claims', {
      unheard: unheard.length,
      vips: unheard.slice(0, TOLD_MAX),
    });
  if (complete || unheard.length > 0)
    metrics.addMetric(metricNames.unheard, MetricUnit.Count, unheard.length);
}

/** Of a large VIP's cells the first ones; `vipshift status` shows all. */
function firstOnes({ drift, conflicts, strays, trouble }: Report) {
  const lists = { drift, conflicts, strays, trouble };
  const long = Object.entries(lists).filter(([, list]) => list.length > LISTED_MAX);
  if (long.length === 0) return {};
  const cut = long.map(([name, list]) => [name, list.slice(0, LISTED_MAX)] as const);
  const counts = long.map(([name, list]) => [name, list.length - LISTED_MAX] as const);
  return { ...Object.fromEntries(cut), omitted: Object.fromEntries(counts) };
}

export function tellReport(journal: Journal, report: Report): void {
  const { switched, ...told } = report;
  if (report.did === 'switched' || report.trouble.length > 0 || report.splitBrain.length > 0)
    journal.logger.warn('reconcile', { ...told, ...firstOnes(report) });
  tellFaults(journal, report.vip, switched?.faults ?? []);
  if (report.trouble.length > 0) tellVip(journal, report.vip, metricNames.unhealthy, MetricUnit.Count, 1);
  if (switched === undefined && report.splitBrain.length > 0)
    tellVip(journal, report.vip, metricNames.splitBrain, MetricUnit.Count, 1);
}
