// What an operator sees in CloudWatch: one structured log line for each thing that happened, and metrics in the same
// lines (EMF: no API call, CloudWatch Logs extracts them). No domain code logs; it returns what is to be told.
//
// A log line of a failover carries the record's own words, so that log and timeline can be held against each other.
import type { Logger } from '@aws-lambda-powertools/logger';
import { type Metrics, MetricUnit } from '@aws-lambda-powertools/metrics';
import type { Claim } from '../claim.ts';
import type { Answer } from '../failover.ts';
import type { Fault } from '../fault.ts';
import type { Report } from '../reconcile.ts';
import type { Sweep } from '../sweep.ts';
import type { Failover, Rejection } from '../timeline.ts';
import { durations } from './announce.ts';
import { VERSION } from './claim-event.ts';

export interface Journal {
  readonly logger: Logger;
  readonly metrics: Metrics;
}

/** The four metrics by VIP; each only when something happened. Everything else carries the VIP as a property. */
export const metricNames = {
  duration: 'FailoverDuration',
  trouble: 'FailoverTrouble',
  splitBrain: 'SplitBrain',
  unhealthy: 'Unhealthy',
  rejected: 'ClaimsRejected',
  newerVersion: 'ClaimsOfNewerVersion',
  reconciled: 'Reconciled',
} as const;

export function tellAnswer(journal: Journal, answer: Answer, claim: Claim): void {
  const { vip, node, eventId } = claim;
  if (answer.answer === 'rejected') tellRejection(journal, { vip, node, eventId, ...answer.refusal });
  else if (answer.answer === 'switched') {
    for (const failover of answer.failovers) tellFailover(journal, failover);
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

export function tellVersion({ logger, metrics }: Journal, version: number): void {
  if (version <= VERSION) return;
  logger.warn(
    'event of a newer version: read as far as it is known; deploy the controller before the nodes',
    { version },
  );
  metrics.addMetric(metricNames.newerVersion, MetricUnit.Count, 1);
}

export function tellFailover({ logger, metrics }: Journal, failover: Failover): void {
  const { claims: _claims, ...told } = failover;
  const well = failover.outcome === 'switched' || failover.outcome === 'unchanged';
  logger[well ? 'info' : 'error'](`failover ${failover.outcome}`, { ...told });
  const byVip = metrics.singleMetric();
  byVip.addDimension('vip', failover.vip);
  const { toLastMutation } = durations(failover.stages);
  if (failover.outcome === 'switched' && toLastMutation !== undefined) {
    byVip.addMetric(metricNames.duration, MetricUnit.Milliseconds, toLastMutation);
  }
  if (!well) tellByVip({ logger, metrics }, failover.vip, metricNames.trouble);
  if (failover.splitBrain.length > 0) tellByVip({ logger, metrics }, failover.vip, metricNames.splitBrain);
}

function tellByVip({ metrics }: Journal, vip: string, name: string): void {
  const single = metrics.singleMetric();
  single.addDimension('vip', vip);
  single.addMetric(name, MetricUnit.Count, 1);
}

function tellFaults({ logger }: Journal, vip: string, faults: readonly Fault[]): void {
  for (const fault of faults) logger.error('beside the switch, which is done', { vip, error: fault });
}

export function tellSweep(journal: Journal, sweep: Sweep): void {
  for (const report of sweep.reports) tellReport(journal, report);
  for (const { vip, fault } of sweep.failures)
    journal.logger.error('reconcile failed', { vip, error: fault });
  journal.metrics.addMetric(metricNames.reconciled, MetricUnit.Count, sweep.reports.length);
}

function tellReport(journal: Journal, report: Report): void {
  const { switched, ...told } = report;
  const unhealthy = report.conflicts.length > 0 || report.suspendedPin !== undefined;
  if (report.did === 'switched' || unhealthy || report.splitBrain.length > 0)
    journal.logger.warn('reconcile', { ...told });
  for (const failover of switched?.failovers ?? []) tellFailover(journal, failover);
  tellFaults(journal, report.vip, switched?.faults ?? []);
  if (unhealthy) tellByVip(journal, report.vip, metricNames.unhealthy);
  if (switched === undefined && report.splitBrain.length > 0)
    tellByVip(journal, report.vip, metricNames.splitBrain);
}
